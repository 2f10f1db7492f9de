//! `kwasm deploy`: what the real API server says to the manifests.

use std::time::{Duration, Instant};

use kwasm_cluster::User;
use serde_json::Value;

use crate::support::{Kwasm, Real, component, real};

/// Lets the API server read manifests, and keep nothing of them. Returns the objects as it understands them.
fn accepted(real: &Real, manifests: &str) -> Vec<Value> {
    let names = real.feed(
        &["apply", "--server-side", "--dry-run=server", "--validate=strict", "-o", "json", "-f", "-"],
        manifests,
    );
    let list: Value = serde_json::from_str(&names).unwrap();
    match list["items"].as_array() {
        Some(items) => items.clone(),
        None => vec![list],
    }
}

const IMAGE: &str =
    "registry.example/tools/hello@sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";

fn kinds(objects: &[Value]) -> Vec<&str> {
    objects.iter().map(|object| object["kind"].as_str().unwrap()).collect()
}

fn deployed(kwasm: &Kwasm, source: &str, arguments: &[&str]) -> String {
    let all = [&["deploy", source, "-n", "default"], arguments].concat();
    kwasm.call(all).success().stdout
}

#[test]
fn the_api_server_takes_every_form() {
    let Some(real) = real("deploying") else { return };
    let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(User::Admin));
    let hello = component("hello");
    let hello = hello.to_str().unwrap();
    for (arguments, last) in [
        (&["--", "a", "b"][..], "Job"),
        (&["--via", "secret", "--job", "--shards", "4"], "Job"),
        (&["--cron", "*/5 * * * *", "--create-namespace"], "CronJob"),
        (&["--via", "image-volume", "--volume-image", IMAGE], "Job"),
    ] {
        let objects = accepted(real, &deployed(&kwasm, hello, arguments));
        assert_eq!(kinds(&objects).last(), Some(&last), "{arguments:?}");
    }
    let serves = component("serves");
    let objects =
        accepted(real, &deployed(&kwasm, serves.to_str().unwrap(), &["--serve", "--policy", "none"]));
    assert_eq!(kinds(&objects)[..2], ["ServiceAccount", "ConfigMap"]);
    assert_eq!(kinds(&objects).last(), Some(&"PodDisruptionBudget"));
    let admits = component("admits");
    let webhook = [
        "--webhook=mutating",
        "--for",
        "pods,deployments.apps",
        "--failure-policy",
        "ignore",
        "--timeout",
        "5",
    ];
    let objects = accepted(real, &deployed(&kwasm, admits.to_str().unwrap(), &webhook));
    let configuration = objects.last().unwrap();
    assert_eq!(configuration["kind"], "MutatingWebhookConfiguration");
    assert_eq!(configuration["webhooks"][0]["timeoutSeconds"], 5);
}

/// What the component is in the cluster, byte by byte, and that nothing of Kubernetes' restricted profile stands in its way.
#[test]
fn a_job_is_created_where_pods_are_restricted_and_again_when_it_changes() {
    let Some(real) = real("deploying") else { return };
    let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(User::Admin));
    let hello = component("hello");
    let restricted = r#"{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "restricted", "labels": {
        "pod-security.kubernetes.io/enforce": "restricted"}}}"#;
    real.apply(restricted);
    let get = |arguments: &[&str]| {
        let output =
            real.kubectl().args(["-n", "restricted", "-o", "json", "get"]).args(arguments).output().unwrap();
        serde_json::from_slice::<Value>(&output.stdout).unwrap()["items"].as_array().unwrap().clone()
    };
    for argument in ["a", "b"] {
        let all = ["deploy", hello.to_str().unwrap(), "-n", "restricted", "--policy", "none", "--", argument];
        real.apply(&kwasm.call(all).success().stdout);
    }
    let maps = get(&["configmaps", "-l", "app.kubernetes.io/managed-by=kwasm"]);
    assert_eq!(maps.len(), 1, "the component is the same");
    let kept = maps[0]["binaryData"]["plugin.wasm"].as_str().unwrap();
    let content = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, kept).unwrap();
    assert!(content == std::fs::read(hello).unwrap());
    assert_eq!(get(&["jobs"]).len(), 2);
    // The controller creates their pods, which a violation of the profile would prevent.
    let until = Instant::now() + Duration::from_mins(1);
    while get(&["pods"]).len() < 2 {
        assert!(Instant::now() < until, "no pods: {:?}", get(&["events"]));
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_plugin_gets_the_roles_of_its_policy_and_no_more() {
    let Some(real) = real("deploying") else { return };
    let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(User::Admin));
    let whoami = component("whoami");
    let dials = component("dials");
    for (file, policy, bound) in [(&whoami, "request", true), (&dials, "none", false)] {
        let manifests = deployed(&kwasm, file.to_str().unwrap(), &["--policy", policy, "--via", "secret"]);
        let objects = accepted(real, &manifests);
        let has = |kind: &str| kinds(&objects).iter().any(|found| found.ends_with(kind));
        assert_eq!(
            (has("Role"), has("RoleBinding"), has("ServiceAccount")),
            (bound, bound, true),
            "{manifests}"
        );
        let job = objects.iter().find(|object| object["kind"] == "Job").unwrap();
        assert_eq!(job["spec"]["template"]["spec"]["automountServiceAccountToken"], bound);
    }
}

#[test]
fn what_cannot_be_deployed_is_told_with_its_cure() {
    let kwasm = Kwasm::new();
    let hello = component("hello");
    let (hello, large) = (hello.to_str().unwrap(), component("big"));
    for (arguments, text) in [
        (&["deploy", hello, "--serve"][..], "hello: it answers no requests"),
        (&["deploy", large.to_str().unwrap()], "more than the 1048576 that a ConfigMap or a Secret holds"),
        (&["deploy", hello, "--via", "install"], "it is not in a registry"),
        (&["deploy", hello, "--via", "image-volume"], "it is not in a registry"),
        (&["deploy", hello, "--via", "image-volume", "--volume-image", "a.example/x:1"], "it has no digest"),
        (&["deploy", hello, "--webhook"], "--for"),
        (&["deploy", hello, "--job", "--serve"], "cannot be used with"),
        (&["deploy", hello, "--runtime-class", "wasmtime"], "--yes-unsandboxed"),
        (&["deploy", hello, "--shards", "0"], "--shards"),
        (&["deploy", hello, "--webhook", "--for", "Pods"], "`Pods` is not a resource"),
    ] {
        let run = kwasm.call(arguments).fails(2);
        assert!(run.stderr.contains(text), "{}", run.shown());
        assert_eq!(run.stdout, "");
    }
    let serves = component("serves");
    let run = kwasm.call(["deploy", serves.to_str().unwrap(), "--job"]).fails(126);
    assert!(run.stderr.contains("it is a server, and no command"), "{}", run.shown());
}
