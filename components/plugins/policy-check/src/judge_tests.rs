use super::*;

fn rules(text: &str) -> Rules {
    Rules::read(text).unwrap()
}

/// Returns `rule container: message` of each finding in a pod, by these rules.
fn found(text: &str, spec: &str) -> Vec<String> {
    let spec: PodSpec = serde_json::from_str(spec).unwrap();
    let verdicts = pod(&rules(text), &spec);
    verdicts.iter().map(|it| format!("{} {}: {}", it.rule.name(), it.container, it.message)).collect()
}

const DIGEST: &str = "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";

fn pinned(rest: &str) -> String {
    format!(
        r#"{{"containers": [{{"name": "a", "image": "registry.example/a@{DIGEST}",
        "resources": {{"limits": {{"cpu": "1", "memory": "1Gi"}}}}}}]{rest}}}"#
    )
}

#[test]
fn a_pod_that_keeps_all_rules_has_no_findings() {
    assert!(found("image-registry: {allowed: [registry.example/*]}", &pinned("")).is_empty());
    assert!(found("", "{}").is_empty());
}

#[test]
fn an_image_comes_from_a_listed_registry_and_is_pinned() {
    let spec = r#"{"initContainers": [{"name": "i", "image": "nginx:1"}], "ephemeralContainers": [{"name": "e", "image": "b@x"}]}"#;
    let only = "requests: {severity: off}\nlimits: {severity: off}\nimage-registry: {allowed: ['registry.example/*']}";
    assert_eq!(
        found(only, spec),
        [
            "image-registry i: image docker.io/library/nginx is of none of the listed registries",
            "image-digest i: image docker.io/library/nginx:1 is not pinned by a digest",
            "image-registry e: `b@x` is not the name of an image",
            "image-digest e: `b@x` is not the name of an image",
        ]
    );
    assert_eq!(found("image-registry: {allowed: [ghcr.io]}", &pinned("")).len(), 1);
}

#[test]
fn requests_and_limits_are_more_than_nothing() {
    let of = |resources: &str| {
        let spec = format!(
            r#"{{"containers": [{{"name": "a", "image": "a@{DIGEST}", "resources": {resources}}}]}}"#
        );
        found("", &spec)
    };
    assert_eq!(
        of("null"),
        ["requests a: does not request cpu and memory", "limits a: has no limit of cpu and memory"]
    );
    assert_eq!(of(r#"{"requests": {"cpu": "0", "memory": "1Gi"}, "limits": {"memory": "1Gi"}}"#).len(), 2);
    assert!(of(r#"{"limits": {"cpu": 1, "memory": "1Gi"}}"#).is_empty(), "limits are requests too");
    let only_memory = "limits: {resources: [memory]}\nrequests: {severity: off}";
    assert!(found(only_memory, &pinned("").replace("\"cpu\": \"1\", ", "")).is_empty());
    let of_the_pod = format!(
        r#"{{"resources": {{"limits": {{"cpu": "1", "memory": "1Gi"}}}}, "containers": [{{"name": "a", "image": "a@{DIGEST}"}}]}}"#
    );
    assert!(found("", &of_the_pod).is_empty());
}

#[test]
fn what_reaches_the_node_is_found() {
    let with = |more: &str| found("", &pinned(more));
    assert_eq!(
        with(r#", "hostNetwork": true, "hostPID": true, "hostIPC": false"#),
        ["host-namespaces : uses the node's namespaces: hostNetwork, hostPID"]
    );
    assert_eq!(
        with(
            r#", "volumes": [{"name": "v", "hostPath": {"path": "/var/log"}}, {"name": "w", "emptyDir": {}}]"#
        ),
        ["host-path : volume v is the node's /var/log"]
    );
    assert_eq!(
        with(r#", "securityContext": {"windowsOptions": {"hostProcess": true}}"#),
        ["privileged : is a process of the node (hostProcess)"]
    );
    assert!(with(r#", "hostNetwork": false, "volumes": [{"name": "v"}]"#).is_empty());
}

#[test]
fn an_allowed_folder_allows_what_is_below_it_and_not_beside() {
    let path = |path: &str| {
        let volumes = format!(r#", "volumes": [{{"name": "v", "hostPath": {{"path": "{path}"}}}}]"#);
        found("host-path: {allowed: [/var/log/]}", &pinned(&volumes)).is_empty()
    };
    assert!(path("/var/log") && path("/var//log/./pods"));
    assert!(!path("/var/logs") && !path("/var") && !path("/var/log/../lib") && !path(""));
}

#[test]
fn privileges_and_capabilities_are_of_containers() {
    let of = |context: &str| {
        let spec = pinned("")
            .replace("\"name\": \"a\"", &format!("\"name\": \"a\", \"securityContext\": {context}"));
        found("", &spec)
    };
    assert_eq!(of(r#"{"privileged": true}"#), ["privileged a: is privileged"]);
    assert_eq!(
        of(r#"{"capabilities": {"add": ["CAP_SYS_ADMIN", "net_raw", "NET_BIND_SERVICE"]}}"#),
        ["capabilities a: adds the capabilities SYS_ADMIN, NET_RAW"]
    );
    assert!(
        of(r#"{"privileged": false, "capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]}}"#)
            .is_empty()
    );
    assert_eq!(of(r#"{"capabilities": {"add": ["ALL"]}}"#).len(), 1);
}

#[test]
fn a_namespace_has_a_quota_and_a_network_policy() {
    let messages = |quotas, policies| -> Vec<String> {
        namespace(&Rules::default(), quotas, policies).into_iter().map(|verdict| verdict.message).collect()
    };
    assert_eq!(messages(Some(0), Some(0)), ["has no resource quota", "has no network policy"]);
    assert!(messages(Some(1), Some(2)).is_empty());
    assert!(messages(None, None).is_empty(), "what is not known is not judged");
    assert!(namespace(&rules("resource-quota: {severity: off}"), Some(0), None).is_empty());
}
