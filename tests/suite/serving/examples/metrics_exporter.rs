//! `metrics-exporter`, at the real API server.

use kwasm_cluster::User;
use serde_json::json;

use super::super::{Server, get};
use super::exposition::Exposition;
use super::namespace;
use crate::support::{Kwasm, real};

/// Pods that no scheduler takes stay as they are.
fn pod_spec() -> serde_json::Value {
    json!({"schedulerName": "nobody", "containers": [{"name": "a", "image": "a.example/b:1"}]})
}

#[test]
fn the_numbers_are_those_of_the_cluster_at_each_scrape() {
    let Some(real) = real("serving::examples::metrics_exporter") else { return };
    let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(User::Admin));
    let server = Server::of(&kwasm, "metrics-exporter", &["--policy", "request"]);
    let labels = json!({"matchLabels": {"a": "b"}});
    let template = json!({"metadata": {"labels": {"a": "b"}}, "spec": pod_spec()});
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "exported"},
        "spec": {"replicas": 3, "selector": labels, "template": template},
    });
    let items = [namespace("exported", &json!({})), deployment];
    real.apply(&json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string());
    let scrape = || {
        let answer = server.get("/metrics");
        assert_eq!(answer.status, 200, "{}", answer.text());
        let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        assert_eq!(answer.header("content-type"), Some(kind));
        Exposition::read(&answer.text())
    };
    let pending = [("namespace", "exported"), ("phase", "Pending")];
    let web = [("namespace", "exported"), ("deployment", "web")];
    let unavailable = "cluster_deployment_unavailable_replicas";
    // The controllers make them.
    let until = std::time::Instant::now() + std::time::Duration::from_mins(1);
    let mut found = scrape();
    while found.get("cluster_pods", &pending) != Some(3.0) || found.get(unavailable, &web) != Some(3.0) {
        assert!(std::time::Instant::now() < until, "{found:?}");
        std::thread::sleep(std::time::Duration::from_millis(100));
        found = scrape();
    }
    assert_eq!(found.get("cluster_deployment_replicas", &web), Some(3.0));
    assert_eq!(found.get("cluster_pods", &[("namespace", "exported"), ("phase", "Running")]), None);
    let nodes = real.kubectl().args(["get", "nodes", "-o", "name"]).output().unwrap().stdout;
    let nodes = u32::try_from(String::from_utf8(nodes).unwrap().lines().count()).unwrap();
    let counted = found.samples.iter().filter(|((name, _), _)| name == "cluster_nodes");
    assert!((counted.map(|(_, number)| number).sum::<f64>() - f64::from(nodes)).abs() < 0.1);
    for resource in ["pods", "deployments.apps", "nodes"] {
        assert_eq!(found.get("cluster_listed", &[("resource", resource)]), Some(1.0));
    }
}

#[test]
fn what_the_policy_does_not_let_it_list_is_told_and_the_rest_is_counted() {
    let Some(real) = real("serving::examples::metrics_exporter") else { return };
    let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(User::Admin));
    let pods = "{kubernetes: {rules: [{apiGroups: [\"\"], resources: [pods], verbs: [list]}]}}";
    let mut server = Server::of(&kwasm, "metrics-exporter", &["--policy", &kwasm.write_policy(pods)]);
    let found = Exposition::read(&server.get("/metrics").text());
    assert_eq!(found.get("cluster_listed", &[("resource", "pods")]), Some(1.0));
    assert_eq!(found.get("cluster_listed", &[("resource", "nodes")]), Some(0.0));
    assert!(found.samples.keys().any(|(name, _)| name == "cluster_pods"));
    assert!(!found.samples.keys().any(|(name, _)| name == "cluster_nodes"));
    server.running.error_with("metrics-exporter: nodes: ");

    let none = Server::of(&kwasm, "metrics-exporter", &["--policy", "none"]);
    let answer = none.get("/metrics");
    assert_eq!((answer.status, &*answer.text()), (503, "nothing could be listed: stderr says why\n"));
}

#[test]
fn more_numbers_than_are_wanted_are_an_error_and_nothing_else_is_served() {
    let Some(real) = real("serving::examples::metrics_exporter") else { return };
    let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(User::Admin));
    let options = ["--policy", "request", "--", "--max-series", "3"];
    let server = Server::of(&kwasm, "metrics-exporter", &options);
    let answer = server.get("/metrics");
    assert_eq!(answer.status, 503);
    assert!(answer.text().ends_with(" numbers, and --max-series is 3\n"), "{}", answer.text());
    assert_eq!(get(&server.address, "/").status, 404);
    let mut stream = server.connect();
    super::ask(&mut stream, "POST", "/metrics", b"");
    assert_eq!(super::read(&mut std::io::BufReader::new(stream)).status, 405);
}
