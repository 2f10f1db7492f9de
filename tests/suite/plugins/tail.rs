//! The logs of many pods at once, at the real API server.

use std::time::Duration;

use kwasm_cluster::User;

use crate::support::{Kwasm, Real, Running, component, real};

/// Creates a namespace with pods of these names, each with a container `main` and the label `app=web`.
fn pods(real: &Real, namespace: &str, names: &[&str]) {
    real.feed(&["create", "namespace", namespace], "");
    for name in names {
        add(real, namespace, name);
    }
}

fn add(real: &Real, namespace: &str, name: &str) {
    let pod = serde_json::json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": "web"}},
        "spec": {"nodeName": "node-1", "containers": [{"name": "main", "image": "web"}]},
    });
    real.feed(&["apply", "--server-side", "-f", "-"], &pod.to_string());
    real.feed(
        &["wait", "-n", namespace, "--for=condition=Ready", "--timeout=60s", &format!("pod/{name}")],
        "",
    );
}

fn installed(real: &Real) -> Kwasm {
    let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(User::Alice));
    kwasm.call(["install", component("tail").to_str().unwrap(), "--policy", "request"]).success();
    kwasm
}

fn tail(kwasm: &Kwasm, real: &Real, arguments: &[&str]) -> Running {
    let mut kubectl = kwasm.program(real.kubectl_program());
    kubectl.arg("tail").args(arguments);
    Running::of(kubectl)
}

#[test]
fn logs_are_shown_with_their_pods_and_in_other_forms() {
    let Some(real) = real("logs_are_shown_with_their_pods_and_in_other_forms") else { return };
    let _log = real.pod_log();
    pods(real, "tail-shown", &["web-0", "web-1", "db-0"]);
    real.say("a line of tail-shown");
    let kwasm = installed(real);
    let show = |arguments: &[&str]| {
        let common = ["-n", "tail-shown", "--no-follow", "--since", "100000h", "-i", "of tail-shown"];
        let run = tail(&kwasm, real, &[arguments, &common[..]].concat()).end().success();
        let mut lines: Vec<String> = run.stdout.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(show(&["web"]), ["web-0 main a line of tail-shown", "web-1 main a line of tail-shown"]);
    assert_eq!(show(&["pod/db-0", "-o", "raw"]), ["a line of tail-shown"]);
    assert_eq!(
        show(&["--exclude-pod", "web", "--template", "{{.PodName}}: {{.Message}}\\n"]),
        ["db-0: a line of tail-shown"]
    );
    let json: serde_json::Value = serde_json::from_str(&show(&["db", "-o", "json"])[0]).unwrap();
    assert_eq!(
        (json["podName"].as_str(), json["message"].as_str()),
        (Some("db-0"), Some("a line of tail-shown"))
    );
    assert_eq!(show(&["-e", "line"]), Vec::<String>::new());
}

#[test]
fn new_pods_and_restarted_containers_are_followed_and_nothing_comes_twice() {
    let Some(real) = real("new_pods_and_restarted_containers_are_followed_and_nothing_comes_twice") else {
        return;
    };
    let _log = real.pod_log();
    pods(real, "tail-followed", &["web-0"]);
    let kwasm = installed(real);
    let mut running =
        tail(&kwasm, real, &["web", "-n", "tail-followed", "--since", "100000h", "-i", "followed"]);
    running.error_with("+ web-0 › main");
    std::thread::sleep(Duration::from_secs(2));
    real.say("followed 1");
    assert_eq!(running.line(), "web-0 main followed 1");
    // Another instance of the container: its log goes on where the last one's was left.
    let status = r#"{"status":{"containerStatuses":[{"name":"main","image":"web","imageID":"","ready":true,"restartCount":1,
        "state":{"running":{"startedAt":"2030-01-01T00:00:00Z"}},"lastState":{}}]}}"#;
    real.feed(&["patch", "pod", "web-0", "-n", "tail-followed", "--subresource=status", "-p", status], "");
    real.say("followed 2");
    assert_eq!(running.line(), "web-0 main followed 2");
    add(real, "tail-followed", "web-1");
    running.error_with("+ web-1 › main");
    // The log of a new pod is shown from its beginning, which of kwok's is the same file.
    for line in ["followed 1", "followed 2"] {
        running.line_with(&format!("web-1 main {line}"));
    }
    running.silent_for(Duration::from_secs(1));
    real.feed(&["delete", "pod", "web-1", "-n", "tail-followed", "--grace-period=0", "--force"], "");
    running.error_with("- web-1 › main");
    running.signal("INT");
    assert_eq!(running.end().code, Some(130));
}

#[test]
fn pods_of_a_deployment_are_those_that_it_selects() {
    let Some(real) = real("pods_of_a_deployment_are_those_that_it_selects") else { return };
    let _log = real.pod_log();
    pods(real, "tail-owned", &["web-0"]);
    let service = r#"{"apiVersion":"v1","kind":"Service","metadata":{"name":"front","namespace":"tail-owned"},
        "spec":{"selector":{"app":"web"},"ports":[{"port":80}]}}"#;
    real.apply(service);
    real.say("a line of tail-owned");
    let kwasm = installed(real);
    let arguments =
        ["service/front", "-n", "tail-owned", "--no-follow", "--since", "100000h", "-i", "tail-owned"];
    let run = tail(&kwasm, real, &arguments).end().success();
    assert_eq!(run.stdout, "web-0 main a line of tail-owned\n");
    let run = tail(&kwasm, real, &["deployment/none", "-n", "tail-owned"]).end().fails(1);
    assert!(run.stderr.contains("deployment/none: ") && run.stderr.contains("not found"), "{}", run.shown());
}

#[test]
fn without_the_rule_for_logs_it_says_so_and_ends() {
    let Some(real) = real("without_the_rule_for_logs_it_says_so_and_ends") else { return };
    pods(real, "tail-refused", &["web-0"]);
    let kwasm = Kwasm::new()
        .kubeconfig(real.kubeconfig(User::Alice))
        .spec("{kubernetes: {rules: [{apiGroups: [\"\"], resources: [pods], verbs: [list, watch]}]}}");
    let run = kwasm.run("tail", &["-n", "tail-refused"]).fails(1);
    assert!(run.stderr.contains("logs: ") && run.stderr.contains("pods/log"), "{}", run.shown());
    assert_eq!(run.stdout, "");
}

#[test]
fn more_logs_than_wanted_are_not_followed() {
    let Some(real) = real("more_logs_than_wanted_are_not_followed") else { return };
    pods(real, "tail-many", &["web-0", "web-1"]);
    let kwasm = installed(real);
    let run = tail(&kwasm, real, &["-n", "tail-many", "--max-log-requests", "1"]).end().fails(1);
    assert!(run.stderr.contains("2 containers match, and 1 are followed at most"), "{}", run.shown());
}
