//! The servers of `components/examples`, each as its users have it: at the real API server, and before real registries.

mod exposition;
mod gateway;
mod image_policy;
mod metrics_exporter;
mod team_quota;

use std::io::{BufReader, Write};
use std::path::PathBuf;
use std::process::{Output, Stdio};

use kwasm_cluster::User;
use serde_json::{Value, json};

use super::admission::Files;
use super::{Answer, Server, ask, read};
use crate::support::{Kwasm, Real, component, real};

/// Returns a file of an example's folder.
fn file_of(example: &str, name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "components/examples", example, name].iter().collect()
}

/// The pods of some namespaces, about which the API server asks a webhook.
struct Reviewed<'a> {
    real: &'a Real,
    name: String,
}

impl<'a> Reviewed<'a> {
    /// Makes the API server ask at this server about pods in these namespaces, and waits until it denies the probe.
    fn new(real: &'a Real, namespaces: &[Value], server: &Server, files: &Files, probe: &Value) -> Self {
        let name = namespaces[0]["metadata"]["name"].as_str().unwrap().to_owned();
        let names: Vec<&Value> = namespaces.iter().map(|namespace| &namespace["metadata"]["name"]).collect();
        let others = json!({"key": "kubernetes.io/metadata.name", "operator": "In", "values": names});
        let hook = json!({
            "name": "example.kwasm.dev", "admissionReviewVersions": ["v1"], "sideEffects": "None",
            "failurePolicy": "Fail", "timeoutSeconds": 10, "namespaceSelector": {"matchExpressions": [others]},
            "clientConfig": {"url": format!("https://{}/", server.address), "caBundle": files.bundle()},
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"],
                "resources": ["pods", "pods/resize"]}],
        });
        let configuration = json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": name}, "webhooks": [hook],
        });
        let items: Vec<&Value> = namespaces.iter().chain([&configuration]).collect();
        real.apply(&json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string());
        let reviewed = Self { real, name };
        // The API server learns of it a little later, and of the namespace's service account.
        while !said(&reviewed.create(probe, true)).contains("denied the request") {
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        reviewed
    }

    /// Creates an object, or only asks whether it would be created.
    fn create(&self, object: &Value, dry_run: bool) -> Output {
        let mut kubectl = self.real.kubectl();
        kubectl.args(["create", "-f", "-"]).args(dry_run.then_some("--dry-run=server"));
        let piped = kubectl.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        child.stdin.take().unwrap().write_all(object.to_string().as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    fn kubectl(&self, arguments: &[&str]) -> Output {
        self.real.kubectl().args(arguments).output().unwrap()
    }

    /// Returns what kubectl said about an object that was created.
    fn admitted(&self, object: &Value) -> String {
        let output = self.create(object, false);
        assert!(output.status.success(), "{}", said(&output));
        said(&output)
    }

    /// Returns what kubectl said about an object that was not created.
    fn denied(&self, object: &Value) -> String {
        let output = self.create(object, false);
        assert!(said(&output).contains("denied the request"), "{}", said(&output));
        said(&output)
    }
}

impl Drop for Reviewed<'_> {
    fn drop(&mut self) {
        self.kubectl(&["delete", "validatingwebhookconfiguration", &self.name, "--ignore-not-found"]);
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn namespace(name: &str, labels: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
}

/// Sends a review straight to a webhook, and returns its response.
fn review(server: &Server, namespace: &str, kind: &str, object: &Value) -> Value {
    review_at(server, "/", namespace, kind, object)
}

/// Sends a review to a path of a webhook, with a query.
fn review_at(server: &Server, target: &str, namespace: &str, kind: &str, object: &Value) -> Value {
    let mut stream = server.connect();
    ask_review(&mut stream, target, namespace, kind, object);
    let Answer { status, body, .. } = read(&mut BufReader::new(stream));
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
    serde_json::from_slice::<Value>(&body).unwrap()["response"].clone()
}

fn ask_review(stream: &mut impl Write, target: &str, namespace: &str, kind: &str, object: &Value) {
    let request = json!({
        "uid": "1", "namespace": namespace, "operation": "CREATE", "object": object,
        "kind": {"group": "", "version": "v1", "kind": kind},
    });
    let review = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request});
    ask(stream, "POST", target, review.to_string().as_bytes());
}

/// What `kwasm deploy` makes of each, by the policy that it brings or that is beside it.
#[test]
fn each_is_deployed_with_the_roles_of_its_policy_and_no_more() {
    let Some(real) = real("serving::examples") else { return };
    let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(User::Admin));
    let [hosts, service] = ["image-policy", "gateway"].map(|name| file_of(name, "policy.yaml"));
    for (name, policy, task, rules) in [
        ("image-policy", hosts.to_str().unwrap(), &["--webhook", "--for", "pods"][..], 1),
        ("team-quota", "request", &["--webhook", "--for", "pods,pods/resize"], 3),
        ("metrics-exporter", "request", &["--serve"], 2),
        ("gateway", service.to_str().unwrap(), &["--serve"], 3),
    ] {
        let component = component(name);
        let image =
            "registry.example/a@sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";
        let common = ["-n", "default", "--policy", policy, "--via", "image-volume", "--volume-image", image];
        let deploy = ["deploy", component.to_str().unwrap()];
        let manifests = kwasm.call([&deploy[..], &common, task].concat()).success().stdout;
        let dry =
            ["apply", "--server-side", "--dry-run=server", "--validate=strict", "-o", "json", "-f", "-"];
        let objects: Value = serde_json::from_str(&real.feed(&dry, &manifests)).unwrap();
        let roles =
            objects["items"].as_array().unwrap().iter().filter_map(|object| object["rules"].as_array());
        assert_eq!(roles.map(Vec::len).sum::<usize>(), rules, "{name}: {manifests}");
    }
}
