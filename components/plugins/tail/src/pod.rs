//! Pods, and which of their containers have a log.

use plugin_kit::Metadata;
use serde::Deserialize;

/// `v1.Pod`, as far as it matters to its logs.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Pod {
    #[serde(default)]
    pub(crate) metadata: Metadata,
    spec: Option<Spec>,
    status: Option<Status>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    node_name: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Status {
    #[serde(rename = "initContainerStatuses")]
    init: Option<Vec<Container>>,
    #[serde(rename = "containerStatuses")]
    usual: Option<Vec<Container>>,
    #[serde(rename = "ephemeralContainerStatuses")]
    ephemeral: Option<Vec<Container>>,
}

/// `v1.ContainerStatus`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Container {
    #[serde(default)]
    pub(crate) name: String,
    #[serde(rename = "containerID")]
    id: Option<String>,
    state: Option<State>,
    last_state: Option<State>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct State {
    running: Option<Run>,
    waiting: Option<Run>,
    terminated: Option<Run>,
}

/// A run of a container, as far as its state tells: of one that waits nothing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    #[serde(rename = "containerID")]
    id: Option<String>,
    started_at: Option<String>,
}

/// The states in which a container can be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Phase {
    Running,
    Waiting,
    Terminated,
    Unknown,
}

impl Pod {
    /// Returns the node; empty if there is none yet.
    pub(crate) fn node(&self) -> &str {
        self.spec.as_ref().and_then(|spec| spec.node_name.as_deref()).unwrap_or_default()
    }

    /// Returns the containers that are wanted, init containers first, as they run.
    pub(crate) fn containers(&self, init: bool, ephemeral: bool) -> impl Iterator<Item = &Container> {
        let status = self.status.as_ref();
        let first = status.filter(|_| init).and_then(|status| status.init.as_ref());
        let usual = status.and_then(|status| status.usual.as_ref());
        let late = status.filter(|_| ephemeral).and_then(|status| status.ephemeral.as_ref());
        [first, usual, late].into_iter().flatten().flatten()
    }
}

impl Container {
    pub(crate) fn phase(&self) -> Phase {
        match &self.state {
            Some(State { running: Some(_), .. }) => Phase::Running,
            Some(State { terminated: Some(_), .. }) => Phase::Terminated,
            Some(State { waiting: Some(_), .. }) => Phase::Waiting,
            _ => Phase::Unknown,
        }
    }

    /// Returns what tells the instance whose log the kubelet has from others, or `None` if there is no log yet. One that waits to
    /// be started again has that of its last run (kubelet: `validateContainerLogStatus`).
    pub(crate) fn instance(&self) -> Option<&str> {
        let state = self.state.as_ref();
        match self.phase() {
            Phase::Running => {
                let running = state.and_then(|state| state.running.as_ref());
                filled(self.id.as_ref()).or_else(|| running.and_then(Run::name))
            }
            Phase::Terminated => ended(state).or_else(|| ended(self.last_state.as_ref())),
            Phase::Waiting | Phase::Unknown => ended(self.last_state.as_ref()),
        }
    }
}

impl Run {
    /// Returns the container's ID, or when it was started: not every kubelet has IDs.
    fn name(&self) -> Option<&str> {
        filled(self.id.as_ref()).or_else(|| filled(self.started_at.as_ref()))
    }
}

fn ended(state: Option<&State>) -> Option<&str> {
    state?.terminated.as_ref()?.name()
}

fn filled(text: Option<&String>) -> Option<&str> {
    text.map(String::as_str).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn container(status: serde_json::Value) -> Container {
        serde_json::from_value(status).unwrap()
    }

    #[test]
    fn a_container_that_never_ran_has_no_log() {
        for status in [
            json!({"name": "a"}),
            json!({"name": "a", "state": {"waiting": {"reason": "ContainerCreating"}}, "containerID": ""}),
            json!({"name": "a", "state": {"running": null}, "containerID": null}),
            json!({"name": "a", "state": {"running": {}}, "containerID": ""}),
        ] {
            assert_eq!(container(status.clone()).instance(), None, "{status}");
        }
    }

    #[test]
    fn one_that_ran_has_the_log_of_its_last_run() {
        let running = json!({"name": "a", "state": {"running": {}}, "containerID": "x://2", "lastState": {"terminated": {"containerID": "x://1"}}});
        assert_eq!(container(running).instance(), Some("x://2"));
        let waiting = json!({"name": "a", "state": {"waiting": {}}, "lastState": {"terminated": {"containerID": "x://1"}}});
        assert_eq!(container(waiting).instance(), Some("x://1"));
        let ended = json!({"name": "a", "state": {"terminated": {"containerID": "x://3"}}});
        assert_eq!(container(ended).instance(), Some("x://3"));
        let without = json!({"name": "a", "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}});
        assert_eq!(container(without).instance(), Some("2026-01-01T00:00:00Z"));
    }

    #[test]
    fn missing_lists_are_empty_and_init_containers_come_first() {
        let pod: Pod = serde_json::from_value(json!({"status": null, "spec": null})).unwrap();
        assert_eq!((pod.containers(true, true).count(), pod.node()), (0, ""));
        let status = json!({"containerStatuses": [{"name": "app"}], "initContainerStatuses": [{"name": "init"}],
            "ephemeralContainerStatuses": null});
        let pod: Pod = serde_json::from_value(json!({"status": status})).unwrap();
        let names = |init| pod.containers(init, true).map(|found| found.name.as_str()).collect::<Vec<_>>();
        assert_eq!(names(true), ["init", "app"]);
        assert_eq!(names(false), ["app"]);
    }
}
