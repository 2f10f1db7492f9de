//! Pods, and what they request (`kubectl: pkg/util/resource`, `component-helpers: resource`).

mod amounts;

pub use amounts::{Amounts, Listed, list};

use serde::Deserialize;

/// A pod, as far as it is looked at.
#[derive(Debug, Default, Deserialize)]
pub struct Pod {
    /// Its name.
    #[serde(default)]
    pub metadata: Named,
    /// What it is to be.
    #[serde(default)]
    pub spec: Spec,
    /// What it is.
    #[serde(default)]
    pub status: Status,
}

/// The name of an object in a namespace.
#[derive(Debug, Default, Deserialize)]
pub struct Named {
    /// The name.
    #[serde(default)]
    pub name: String,
    /// The namespace.
    #[serde(default)]
    pub namespace: String,
}

/// What a pod is to be.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec {
    /// Where it runs, once that is decided.
    #[serde(default)]
    pub node_name: Option<String>,
    /// Its containers.
    #[serde(default)]
    pub containers: Option<Vec<Container>>,
    #[serde(default)]
    init_containers: Option<Vec<Container>>,
    #[serde(default, deserialize_with = "list")]
    overhead: Listed,
    /// Those of the pod as a whole, which count in place of its containers'.
    #[serde(default)]
    resources: Option<Resources>,
}

/// A container.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Container {
    /// Its name in the pod.
    #[serde(default)]
    pub name: String,
    /// What it requests, and its limits.
    #[serde(default)]
    pub resources: Resources,
    #[serde(default)]
    restart_policy: Option<String>,
}

/// What is requested, and what is the limit.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct Resources {
    /// What it requests.
    #[serde(default, deserialize_with = "list")]
    pub requests: Listed,
    /// Its limits.
    #[serde(default, deserialize_with = "list")]
    pub limits: Listed,
}

/// What a pod is.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    #[serde(default)]
    phase: Option<String>,
    #[serde(default)]
    container_statuses: Option<Vec<ContainerStatus>>,
    #[serde(default)]
    resize: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ContainerStatus {
    #[serde(default)]
    name: String,
    #[serde(default, deserialize_with = "list")]
    allocated_resources: Listed,
}

impl Pod {
    /// Returns whether it still needs what it requests.
    #[must_use]
    pub fn is_active(&self) -> bool {
        !matches!(self.status.phase.as_deref(), Some("Succeeded" | "Failed"))
    }

    /// Returns what it requests: what it says for all of its containers, or else these together, or an init container that needs
    /// more.
    #[must_use]
    pub fn requests(&self) -> Listed {
        let mut requests = self.sum(|container| self.requests_of(container), |all| all.requests);
        requests.replace(self.spec.resources.unwrap_or_default().requests);
        requests.add(self.spec.overhead);
        requests
    }

    /// Returns its limits.
    #[must_use]
    pub fn limits(&self) -> Listed {
        let mut limits = self.sum(|container| container.resources.limits, |all| all.limits);
        limits.replace(self.spec.resources.unwrap_or_default().limits);
        limits.add_to_present(self.spec.overhead);
        limits
    }

    /// Returns what a container requests, or has while it is being resized.
    fn requests_of(&self, container: &Container) -> Listed {
        let mut requests = container.resources.requests;
        let statuses = self.status.container_statuses.iter().flatten();
        if let Some(status) = statuses.into_iter().find(|status| status.name == container.name) {
            if self.status.resize.as_deref() == Some("Infeasible") {
                return status.allocated_resources;
            }
            requests.greater(status.allocated_resources);
        }
        requests
    }

    fn sum(&self, of: impl Fn(&Container) -> Listed, of_init: fn(Resources) -> Listed) -> Listed {
        let mut sum = Listed::default();
        for container in self.spec.containers.iter().flatten() {
            sum.add(of(container));
        }
        // Init containers that restart are sidecars: they run beside the later ones and the containers.
        let (mut sidecars, mut init) = (Listed::default(), Listed::default());
        for container in self.spec.init_containers.iter().flatten() {
            let own = of_init(container.resources);
            if container.restart_policy.as_deref() == Some("Always") {
                sum.add(own);
                sidecars.add(own);
                init.greater(sidecars);
            } else {
                let mut together = own;
                together.add(sidecars);
                init.greater(together);
            }
        }
        sum.greater(init);
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(text: &str) -> Pod {
        serde_json::from_str(text).unwrap()
    }

    fn shown(listed: Listed) -> String {
        let amounts = listed.amounts();
        format!("{}m {}", amounts.cpu.milli(), amounts.memory.rounded())
    }

    #[test]
    fn containers_are_added_and_an_init_container_counts_if_it_needs_more() {
        let pod = pod(r#"{"spec":{"containers":[
                {"name":"a","resources":{"requests":{"cpu":"100m","memory":"10"},"limits":{"cpu":"1"}}},
                {"name":"b","resources":{"requests":{"cpu":"50m"}}},{"name":"c","resources":{}}],
            "initContainers":[{"name":"i","resources":{"requests":{"cpu":"120m","memory":"30"}}}],
            "overhead":{"cpu":"5m","memory":"1"}}}"#);
        assert_eq!(shown(pod.requests()), "155m 31");
        assert_eq!(shown(pod.limits()), "1005m 0", "overhead is added to limits that there are");
    }

    #[test]
    fn a_sidecar_runs_beside_containers_and_later_init_containers() {
        let pod = pod(r#"{"spec":{"containers":[{"name":"a","resources":{"requests":{"cpu":"100m"}}}],
            "initContainers":[
                {"name":"s","restartPolicy":"Always","resources":{"requests":{"cpu":"10m"}}},
                {"name":"i","resources":{"requests":{"cpu":"200m"}}}]}}"#);
        assert_eq!(shown(pod.requests()), "210m 0");
    }

    #[test]
    fn what_a_pod_requests_as_a_whole_counts_in_place_of_its_containers() {
        let pod =
            pod(r#"{"spec":{"resources":{"requests":{"cpu":"3"}},"overhead":{"cpu":"1m"},"containers":[
            {"name":"a","resources":{"requests":{"cpu":"100m","memory":"10"}}}]}}"#);
        assert_eq!(shown(pod.requests()), "3001m 10");
    }

    #[test]
    fn what_is_allocated_counts_while_a_pod_is_resized() {
        let text = |resize: &str| {
            format!(
                r#"{{"spec":{{"containers":[{{"name":"a","resources":{{"requests":{{"cpu":"2"}}}}}}]}},
                "status":{{"resize":{resize},"containerStatuses":[{{"name":"a","allocatedResources":{{"cpu":"1"}}}}]}}}}"#
            )
        };
        assert_eq!(shown(pod(&text("null")).requests()), "2000m 0");
        assert_eq!(shown(pod(&text(r#""Infeasible""#)).requests()), "1000m 0");
    }

    #[test]
    fn a_pod_without_anything_requests_nothing() {
        let odd = pod(r#"{"spec":{"containers":null,"initContainers":null,"overhead":null},"status":{}}"#);
        assert_eq!(shown(odd.requests()), "0m 0");
        assert!(odd.is_active());
        assert!(!pod(r#"{"status":{"phase":"Failed"}}"#).is_active());
    }
}
