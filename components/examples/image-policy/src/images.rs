//! The images of an object that is about to be stored.

use std::collections::BTreeSet;

use serde_json::Value;

/// Returns where objects of a kind have the specification of their pods, as a JSON pointer.
fn pod_spec(group: &str, kind: &str) -> Option<&'static str> {
    Some(match (group, kind) {
        ("", "Pod") => "/spec",
        ("", "PodTemplate") => "/template/spec",
        ("", "ReplicationController")
        | ("apps", "DaemonSet" | "Deployment" | "ReplicaSet" | "StatefulSet")
        | ("batch", "Job") => "/spec/template/spec",
        ("batch", "CronJob") => "/spec/jobTemplate/spec/template/spec",
        _ => return None,
    })
}

/// Returns the names of all images of an object, of volumes too; `None` of a kind that is not known to have any.
pub(crate) fn of(group: &str, kind: &str, object: &Value) -> Option<BTreeSet<String>> {
    let spec = object.pointer(pod_spec(group, kind)?).unwrap_or(&Value::Null);
    let list = |name: &str| spec[name].as_array().into_iter().flatten();
    let containers = ["containers", "initContainers", "ephemeralContainers"];
    let of_containers = containers.into_iter().flat_map(list).map(|container| &container["image"]);
    let of_volumes = list("volumes").map(|volume| &volume["image"]["reference"]);
    // A container may leave its image out, for who manages the workload to fill in: then it cannot run yet.
    Some(of_containers.chain(of_volumes).filter_map(Value::as_str).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn all_places_of_images_are_seen() {
        let spec = json!({
            "containers": [{"image": "a"}, {"image": "b"}, {"name": "none"}], "initContainers": [{"image": "c"}],
            "ephemeralContainers": [{"image": "d"}], "volumes": [{"image": {"reference": "e"}}, {"emptyDir": {}}],
        });
        let names = |group, kind, object: Value| {
            of(group, kind, &object).map(|found| found.into_iter().collect::<String>())
        };
        assert_eq!(names("", "Pod", json!({"spec": spec})).unwrap(), "abcde");
        assert_eq!(
            names("apps", "StatefulSet", json!({"spec": {"template": {"spec": spec}}})).unwrap(),
            "abcde"
        );
        let cron = json!({"spec": {"jobTemplate": {"spec": {"template": {"spec": spec}}}}});
        assert_eq!(names("batch", "CronJob", cron).unwrap(), "abcde");
        assert_eq!(names("", "Pod", Value::Null).unwrap(), "");
        assert_eq!(names("example.com", "Pod", json!({"spec": spec})), None);
    }
}
