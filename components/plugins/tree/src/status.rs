//! How an object is, by its conditions and, as `sigs.k8s.io/cli-utils` (kstatus) judges, by the fields of its kind.

use serde::Deserialize;
use serde_json::Value;

/// What the columns READY, REASON and STATUS say of an object; empty if it has none of the conditions asked for.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Health {
    pub(crate) ready: String,
    pub(crate) reason: String,
    pub(crate) status: &'static str,
}

/// A condition of an object.
#[derive(Debug, Deserialize)]
struct Condition {
    #[serde(default, rename = "type")]
    name: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    reason: String,
}

/// Returns the health of an object that is read in full, by the first of these types of conditions that it has. `now` is in
/// seconds.
pub(crate) fn health(object: &Value, types: &[String], now: i64) -> Health {
    let found = conditions(object);
    let condition =
        types.iter().find_map(|wanted| found.as_ref()?.iter().find(|found| found.name == *wanted));
    match (condition, found.as_ref().and_then(|found| judge(object, found, now))) {
        (Some(condition), Some(status)) => {
            Health { ready: condition.status.clone(), reason: condition.reason.clone(), status }
        }
        _ => Health::default(),
    }
}

/// Returns the conditions, or `None` if there is something else in their place.
fn conditions(object: &Value) -> Option<Vec<Condition>> {
    match object.pointer("/status/conditions") {
        None | Some(Value::Null) => Some(Vec::new()),
        Some(found) => Vec::deserialize(found).ok(),
    }
}

const CURRENT: &str = "Current";
const IN_PROGRESS: &str = "InProgress";
const FAILED: &str = "Failed";

fn judge(object: &Value, conditions: &[Condition], now: i64) -> Option<&'static str> {
    let text = |path: &str| object.pointer(path).and_then(Value::as_str).unwrap_or_default();
    let has = |name: &str, status: &str| {
        conditions.iter().any(|found| found.name == name && found.status == status)
    };
    if !text("/metadata/deletionTimestamp").is_empty() {
        return Some("Terminating");
    }
    let observed = object.pointer("/status/observedGeneration").and_then(Value::as_i64);
    let generation = object.pointer("/metadata/generation").and_then(Value::as_i64);
    if generation.is_some() && observed.is_some() && observed != generation {
        return Some(IN_PROGRESS);
    }
    for condition in conditions.iter().filter(|condition| condition.status == "True") {
        match condition.name.as_str() {
            "Reconciling" => return Some(IN_PROGRESS),
            "Stalled" => return Some(FAILED),
            _ => {}
        }
    }
    let group = text("/apiVersion").split_once('/').map_or("", |(group, _)| group);
    match (group, text("/kind")) {
        ("", "Pod") => pod(object, conditions, now),
        ("", "Secret" | "ConfigMap") | ("batch", "CronJob") | ("policy", "PodDisruptionBudget") => {
            Some(CURRENT)
        }
        ("", "Service") => {
            let waits = text("/spec/type") == "LoadBalancer" && text("/spec/clusterIP").is_empty();
            Some(current_if(!waits))
        }
        ("", "PersistentVolumeClaim") => Some(current_if(text("/status/phase") == "Bound")),
        ("apps", "StatefulSet") => Some(stateful_set(object)),
        ("apps" | "extensions", "DaemonSet") => Some(daemon_set(object)),
        ("apps" | "extensions", "Deployment") => Some(deployment(object, conditions)),
        ("apps" | "extensions", "ReplicaSet") => {
            let failure = has("ReplicaFailure", "True");
            let wanted = number(object, "/spec/replicas", 1);
            let few = ["fullyLabeledReplicas", "availableReplicas", "readyReplicas"];
            let few = few.iter().any(|name| number(object, &format!("/status/{name}"), 0) < wanted);
            Some(current_if(!failure && !few && number(object, "/status/replicas", 0) <= wanted))
        }
        ("batch", "Job") if has("Complete", "True") => Some(CURRENT),
        ("batch", "Job") if has("Failed", "True") => Some(FAILED),
        ("batch", "Job") => Some(current_if(!text("/status/startTime").is_empty())),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => Some(definition(conditions)),
        _ => {
            let not = has("Ready", "False") || has("Ready", "Unknown");
            Some(current_if(!not))
        }
    }
}

fn current_if(condition: bool) -> &'static str {
    if condition { CURRENT } else { IN_PROGRESS }
}

fn number(object: &Value, path: &str, otherwise: i64) -> i64 {
    object.pointer(path).and_then(Value::as_i64).unwrap_or(otherwise)
}

fn pod(object: &Value, conditions: &[Condition], now: i64) -> Option<&'static str> {
    match object.pointer("/status/phase").and_then(Value::as_str).unwrap_or_default() {
        "Succeeded" | "Failed" => Some(CURRENT),
        "Running" if conditions.iter().any(|found| found.name == "Ready" && found.status == "True") => {
            Some(CURRENT)
        }
        "Running" => {
            let containers = object.pointer("/status/containerStatuses").and_then(Value::as_array);
            let reasons =
                containers.into_iter().flatten().filter_map(|one| one.pointer("/state/waiting/reason"));
            let loops = reasons.filter_map(Value::as_str).any(|reason| reason == "CrashLoopBackOff");
            Some(if loops { FAILED } else { IN_PROGRESS })
        }
        "Pending" => {
            let unscheduled = |found: &&Condition| found.name == "PodScheduled" && found.status == "False";
            let found = conditions.iter().find(unscheduled);
            let failed = found.is_some_and(|found| found.reason == "Unschedulable") && age(object, now) >= 15;
            Some(if failed { FAILED } else { IN_PROGRESS })
        }
        "" => Some(IN_PROGRESS),
        _ => None,
    }
}

/// Returns the seconds since an object was created.
fn age(object: &Value, now: i64) -> i64 {
    let created = object.pointer("/metadata/creationTimestamp").and_then(Value::as_str);
    created.and_then(kube_guest::Timestamp::parse).map_or(i64::MAX, |created| now - created.seconds())
}

fn stateful_set(object: &Value) -> &'static str {
    let text = |path: &str| object.pointer(path).and_then(Value::as_str).unwrap_or_default();
    if text("/spec/updateStrategy/type") == "OnDelete" {
        return CURRENT;
    }
    let wanted = number(object, "/spec/replicas", 1);
    let found = |name: &str| number(object, &format!("/status/{name}"), 0);
    if wanted != found("replicas") || wanted > found("readyReplicas") {
        return IN_PROGRESS;
    }
    let partition = number(object, "/spec/updateStrategy/rollingUpdate/partition", -1);
    if partition != -1 {
        return current_if(found("updatedReplicas") >= wanted.saturating_sub(partition));
    }
    let same = text("/status/currentRevision") == text("/status/updateRevision");
    current_if(wanted <= found("currentReplicas") && same)
}

fn daemon_set(object: &Value) -> &'static str {
    let wanted = number(object, "/status/desiredNumberScheduled", -1);
    let seen = number(object, "/metadata/generation", -1) != -1
        && number(object, "/status/observedGeneration", -1) != -1;
    let found = ["currentNumberScheduled", "updatedNumberScheduled", "numberAvailable", "numberReady"];
    let enough = found.iter().all(|name| number(object, &format!("/status/{name}"), 0) >= wanted);
    current_if(seen && wanted != -1 && enough)
}

fn deployment(object: &Value, conditions: &[Condition]) -> &'static str {
    // Without a deadline the controller does not say that there is progress.
    let endless = i64::from(i32::MAX);
    let mut progressing = number(object, "/spec/progressDeadlineSeconds", endless) == endless;
    let mut available = false;
    for condition in conditions {
        match (condition.name.as_str(), condition.reason.as_str()) {
            ("Progressing", "ProgressDeadlineExceeded") => return FAILED,
            ("Progressing", "NewReplicaSetAvailable") => progressing |= condition.status == "True",
            ("Available", _) => available |= condition.status == "True",
            _ => {}
        }
    }
    let wanted = number(object, "/spec/replicas", 1);
    let found = |name: &str| number(object, &format!("/status/{name}"), 0);
    let enough = wanted == found("replicas")
        && wanted <= found("updatedReplicas")
        && found("updatedReplicas") <= found("availableReplicas")
        && wanted <= found("readyReplicas");
    current_if(enough && progressing && available)
}

fn definition(conditions: &[Condition]) -> &'static str {
    for condition in conditions {
        match (condition.name.as_str(), condition.status.as_str()) {
            ("NamesAccepted", "False") => return FAILED,
            ("Established", "False") if condition.reason != "Installing" => return FAILED,
            ("Established", "True") => return CURRENT,
            _ => {}
        }
    }
    IN_PROGRESS
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn status_of(object: &Value, condition: &str) -> Health {
        health(object, &[condition.to_owned()], 1_000_000_000)
    }

    fn pod_that(phase: &str, ready: &str) -> Value {
        json!({"apiVersion": "v1", "kind": "Pod", "status": {"phase": phase, "conditions": [
            {"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": ready, "reason": "Because"}]}})
    }

    #[test]
    fn a_pod_is_judged_by_its_phase_and_readiness() {
        let of = |phase: &str, ready: &str| status_of(&pod_that(phase, ready), "Ready").status;
        assert_eq!(of("Running", "True"), "Current");
        assert_eq!(of("Running", "False"), "InProgress");
        assert_eq!(of("Succeeded", "False"), "Current");
        assert_eq!(of("Pending", "False"), "InProgress");
        assert_eq!(of("Strange", "False"), "");
        let mut looping = pod_that("Running", "False");
        looping["status"]["containerStatuses"] =
            json!([{"state": {"waiting": {"reason": "CrashLoopBackOff"}}}]);
        assert_eq!(status_of(&looping, "Ready").status, "Failed");
        looping["metadata"] = json!({"deletionTimestamp": "2026-01-01T00:00:00Z"});
        assert_eq!(status_of(&looping, "Ready").status, "Terminating");
    }

    #[test]
    fn a_pod_that_no_node_takes_has_failed_after_a_while() {
        let pod = |created: &str| {
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"creationTimestamp": created}, "status": {"phase": "Pending",
                "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]}})
        };
        assert_eq!(status_of(&pod("2001-09-09T01:46:30Z"), "PodScheduled").status, "InProgress");
        assert_eq!(status_of(&pod("2001-09-09T01:46:00Z"), "PodScheduled").status, "Failed");
    }

    #[test]
    fn without_the_condition_asked_for_nothing_is_said() {
        assert_eq!(status_of(&pod_that("Running", "True"), "Available"), Health::default());
        for odd in
            [json!({}), json!(null), json!({"status": []}), json!({"status": {"conditions": {"a": 1}}})]
        {
            assert_eq!(status_of(&odd, "Ready"), Health::default(), "{odd}");
        }
        let types = ["Available".to_owned(), "Ready".to_owned()];
        let found = health(&pod_that("Running", "False"), &types, 0);
        assert_eq!((found.ready.as_str(), found.reason.as_str()), ("False", "Because"));
    }

    #[test]
    fn a_deployment_is_current_once_all_replicas_are_available() {
        let mut object = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"generation": 2},
            "spec": {"replicas": 2, "progressDeadlineSeconds": 600},
            "status": {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2,
                "availableReplicas": 2, "conditions": [{"type": "Available", "status": "True"},
                    {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}]}});
        assert_eq!(status_of(&object, "Available").status, "Current");
        object["status"]["readyReplicas"] = json!(1);
        assert_eq!(status_of(&object, "Available").status, "InProgress");
        object["status"]["readyReplicas"] = json!(2);
        object["metadata"]["generation"] = json!(3);
        assert_eq!(status_of(&object, "Available").status, "InProgress");
    }

    #[test]
    fn any_other_object_is_as_ready_as_it_says() {
        let object = |ready: &str| {
            json!({"apiVersion": "example.com/v1", "kind": "Parcel", "spec": {"replicas": "many"},
                "status": {"conditions": [{"type": "Ready", "status": ready}]}})
        };
        assert_eq!(status_of(&object("True"), "Ready").status, "Current");
        assert_eq!(status_of(&object("Unknown"), "Ready").status, "InProgress");
    }
}
