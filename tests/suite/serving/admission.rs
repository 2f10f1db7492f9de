//! Admission webhooks at the real API server, which reaches them on loopback.

use std::io::{BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::Output;
use std::sync::{Arc, Mutex};
use std::{fs, thread};

use kwasm_cluster::User;
use serde_json::{Value, json};

use super::{Server, ask, read};
use crate::support::tls::{self, Authority};
use crate::support::{Kwasm, Real, component, real};

/// A webhook that the API server asks about config maps of one namespace.
struct Webhook<'a> {
    real: &'a Real,
    name: String,
}

/// The files of a certificate for loopback, and its authority.
pub(super) struct Files {
    authority: Authority,
    options: Vec<String>,
}

impl Files {
    pub(super) fn new(kwasm: &Kwasm) -> Self {
        let authority = Authority::new("webhooks");
        let keyed = authority.sign(&tls::server("a webhook", &["127.0.0.1"]));
        let [certificate, key] = ["tls.crt", "tls.key"].map(|name| kwasm.home().join(name));
        fs::write(&certificate, &keyed.pem).unwrap();
        fs::write(&key, keyed.key.serialize_pem()).unwrap();
        let path = |path: &std::path::Path| path.to_str().unwrap().to_owned();
        let options = vec!["--tls-cert".to_owned(), path(&certificate), "--tls-key".to_owned(), path(&key)];
        Self { authority, options }
    }

    /// Returns the certificate of its authority, as a webhook configuration has it.
    pub(super) fn bundle(&self) -> String {
        data_encoding(self.authority.pem())
    }

    pub(super) fn serve(&self, kwasm: &Kwasm, guest: &str, options: &[&str]) -> Server {
        let own = self.options.iter().map(String::as_str);
        Server::of(kwasm, guest, &own.chain(options.iter().copied()).collect::<Vec<_>>())
    }
}

impl<'a> Webhook<'a> {
    /// Makes the API server ask at this address about what is created in a namespace of this name.
    fn new(real: &'a Real, name: &str, kind: &str, address: &str, authority: &Authority) -> Self {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {"reviewed": name}}});
        let bundle = data_encoding(authority.pem());
        let hook = json!({
            "name": "admit.kwasm.dev", "admissionReviewVersions": ["v1"], "sideEffects": "None",
            "failurePolicy": "Fail", "timeoutSeconds": 3, "namespaceSelector": {"matchLabels": {"reviewed": name}},
            "clientConfig": {"url": format!("https://{address}/review"), "caBundle": bundle},
            "rules": [{"apiGroups": ["", "apps"], "apiVersions": ["v1"], "operations": ["CREATE"],
                "resources": ["configmaps", "deployments"]}],
        });
        let configuration = json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {"name": name}, "webhooks": [hook],
        });
        let list = json!({"apiVersion": "v1", "kind": "List", "items": [namespace, configuration]});
        real.feed(&["create", "-f", "-"], &list.to_string());
        let webhook = Self { real, name: name.to_owned() };
        // The API server learns of it a little later.
        while webhook.create("deny", "probe").status.success() {
            webhook.kubectl(&["delete", "configmap", "probe", "-n", name]);
        }
        webhook
    }

    fn kubectl(&self, arguments: &[&str]) -> Output {
        self.real.kubectl().args(arguments).output().unwrap()
    }

    /// Creates a config map with this label.
    fn create(&self, what: &str, name: &str) -> Output {
        let object = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": self.name, "labels": {"do": what}},
        });
        self.send(&object)
    }

    fn send(&self, object: &Value) -> Output {
        let mut kubectl = self.real.kubectl();
        kubectl.args(["create", "-f", "-"]).stdin(std::process::Stdio::piped());
        let mut child = kubectl
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(object.to_string().as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }
}

impl Drop for Webhook<'_> {
    fn drop(&mut self) {
        for kind in ["validatingwebhookconfiguration", "mutatingwebhookconfiguration"] {
            self.kubectl(&["delete", kind, &self.name, "--ignore-not-found"]);
        }
    }
}

fn data_encoding(text: &str) -> String {
    use base64::prelude::{BASE64_STANDARD, Engine};
    BASE64_STANDARD.encode(text)
}

fn shown(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn kubectl_sees_denials_warnings_and_changes() {
    let Some(real) = real("serving::admission") else { return };
    let kwasm = Kwasm::new();
    let files = Files::new(&kwasm);
    let server = files.serve(&kwasm, "admits", &["--webhook=mutating", "--policy", "none"]);
    let webhook =
        Webhook::new(real, "reviewed", "MutatingWebhookConfiguration", &server.address, &files.authority);
    let denied = webhook.create("deny", "denied");
    let text = r#"admission webhook "admit.kwasm.dev" denied the request: not today"#;
    assert!(!denied.status.success() && shown(&denied).contains(text), "{}", shown(&denied));
    let warned = webhook.create("warn", "warned");
    assert!(warned.status.success(), "{}", shown(&warned));
    assert!(shown(&warned).contains("Warning: it will be denied tomorrow"), "{}", shown(&warned));
    let patched = webhook.create("patch", "patched");
    assert!(patched.status.success(), "{}", shown(&patched));
    let label =
        ["get", "configmap", "patched", "-n", "reviewed", "-o", "jsonpath={.metadata.labels.seen-by}"];
    assert_eq!(webhook.kubectl(&label).stdout, b"admin");
    server.settled();
    assert!(server.metric(r#"kwasm_admission_reviews_total{verdict="allowed"}"#) >= 2.0);
    assert!(server.metric(r#"kwasm_admission_reviews_total{verdict="denied"}"#) >= 1.0);
}

#[test]
fn a_component_that_fails_is_the_failure_policys_to_decide_and_the_next_review_is_answered() {
    let Some(real) = real("serving::admission") else { return };
    let kwasm = Kwasm::new();
    let files = Files::new(&kwasm);
    let mut server = files.serve(&kwasm, "admits", &["--webhook", "--policy", "none"]);
    let webhook =
        Webhook::new(real, "failing", "ValidatingWebhookConfiguration", &server.address, &files.authority);
    for (what, why, line) in [
        ("trap", "the plugin failed", "the plugin trapped"),
        ("fill", "the plugin failed", "memory"),
        // The API server waits three seconds, and learns after a little less why there is no answer.
        ("spin", "unable to return a response in the time allotted", "the plugin took longer than 2."),
        ("err", "its status is 500", "its status is 500"),
        ("patch", "it has a patch, and the webhook only validates", "it has a patch"),
    ] {
        let failed = webhook.create(what, what);
        assert!(!failed.status.success(), "{what} was admitted");
        assert!(shown(&failed).contains("failed calling webhook"), "{what}: {}", shown(&failed));
        assert!(shown(&failed).contains(why), "{what}: {}", shown(&failed));
        server.running.error_with(line);
        let next = webhook.create("nothing", &format!("after-{what}"));
        assert!(next.status.success(), "after {what}: {}", shown(&next));
    }
}

#[test]
fn one_component_is_a_plugin_a_check_of_files_and_a_webhook() {
    let Some(real) = real("serving::admission") else { return };
    let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(User::Admin));
    let files = Files::new(&kwasm);
    let rules = "image-digest: {severity: warning}\nrequests: {severity: off}\nlimits: {severity: off}";
    let server =
        files.serve(&kwasm, "policy-check", &["--webhook", "--policy", "none", "--", "--rules-text", rules]);
    let webhook = Webhook { real, name: "admission-checked".to_owned() };
    let authority = &files.authority;
    // What the probe of others is denied by is nothing to these rules.
    configure(&webhook, &server.address, authority);
    let deployment = |privileged: bool| {
        let container =
            json!({"name": "a", "image": "nginx:1", "securityContext": {"privileged": privileged}});
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "admission-checked"},
            "spec": {"replicas": 0, "selector": {"matchLabels": {"a": "b"}},
                "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [container]}}},
        })
    };
    let mut denied = webhook.send(&deployment(true));
    // The API server learns of the webhook a little later.
    while denied.status.success() {
        webhook.kubectl(&["delete", "deployment", "web", "-n", "admission-checked"]);
        denied = webhook.send(&deployment(true));
    }
    let found = "privileged: container a: is privileged";
    assert!(shown(&denied).contains(found), "{}", shown(&denied));
    let allowed = webhook.send(&deployment(false));
    assert!(allowed.status.success(), "{}", shown(&allowed));
    let warning =
        "Warning: image-digest: container a: image docker.io/library/nginx:1 is not pinned by a digest";
    assert!(shown(&allowed).contains(warning), "{}", shown(&allowed));
    // The same component, of the same rules, as a command.
    let mut check =
        kwasm.plugin(&component("policy-check"), &["-f", "-", "--rules-text", rules, "-o", "json"]);
    let file = kwasm.home().join("deployment.json");
    fs::write(&file, deployment(true).to_string()).unwrap();
    let run = crate::support::Run::of(check.stdin(fs::File::open(file).unwrap())).fails(1);
    assert!(run.stdout.contains("\"is privileged\""), "{}", run.shown());
}

/// The same without waiting until it is in force.
fn configure(webhook: &Webhook<'_>, address: &str, authority: &Authority) {
    let name = &webhook.name;
    let hook = json!({
        "name": "admit.kwasm.dev", "admissionReviewVersions": ["v1"], "sideEffects": "None", "failurePolicy": "Fail",
        "timeoutSeconds": 3, "namespaceSelector": {"matchLabels": {"reviewed": name}},
        "clientConfig": {"url": format!("https://{address}/"), "caBundle": data_encoding(authority.pem())},
        "rules": [{"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["deployments"]}],
    });
    let items = json!([
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {"reviewed": name}}},
        {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": name}, "webhooks": [hook]},
    ]);
    let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
    webhook.real.feed(&["create", "-f", "-"], &list.to_string());
}

/// A port whose connections lead to whichever server is current, as a Service's do.
struct Service {
    address: SocketAddr,
    current: Arc<Mutex<String>>,
}

impl Service {
    fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, current) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(server.to_owned())));
        let leads = Arc::clone(&current);
        // It ends with the process, when no one connects any more.
        thread::spawn(move || {
            for client in listener.incoming() {
                let server = TcpStream::connect(leads.lock().unwrap().clone());
                if let (Ok(client), Ok(server)) = (client, server) {
                    let back = (server.try_clone().unwrap(), client.try_clone().unwrap());
                    thread::spawn(move || copy(client, server));
                    thread::spawn(move || copy(back.0, back.1));
                }
            }
        });
        Self { address, current }
    }
}

fn copy(mut from: TcpStream, mut to: TcpStream) {
    drop(std::io::copy(&mut from, &mut to));
    drop(to.shutdown(Shutdown::Write));
}

/// The number of admissions; more by hand.
fn admissions() -> usize {
    std::env::var("KWASM_ADMISSIONS").map_or(1_000, |number| number.parse().unwrap())
}

#[cfg(unix)]
#[test]
fn no_admission_is_lost_while_a_server_is_replaced() {
    const WRITERS: usize = 4;
    let Some(real) = real("serving::admission") else { return };
    let kwasm = Kwasm::new();
    let files = Files::new(&kwasm);
    let options = ["--webhook", "--policy", "none"];
    let first = files.serve(&kwasm, "admits", &options);
    let service = Service::to(&first.address);
    let address = service.address.to_string();
    let webhook =
        Webhook::new(real, "replaced", "ValidatingWebhookConfiguration", &address, &files.authority);
    let proxy = Proxy::start(real);
    let count = admissions();
    let (done, mut servers) = (Arc::new(std::sync::atomic::AtomicUsize::new(0)), vec![first]);
    thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|first| {
                let (proxy, done) = (&proxy, Arc::clone(&done));
                scope.spawn(move || proxy.create(first, WRITERS, count, &done))
            })
            .collect();
        // One after the other, as a Deployment is rolled out.
        for part in 1..4 {
            while done.load(std::sync::atomic::Ordering::Relaxed) < count * part / 4 {
                thread::sleep(std::time::Duration::from_millis(20));
            }
            let next = files.serve(&kwasm, "admits", &options);
            service.current.lock().unwrap().clone_from(&next.address);
            servers.last().unwrap().running.signal("TERM");
            servers.push(next);
        }
        for writer in writers {
            writer.join().unwrap();
        }
    });
    drop(webhook);
    let last = servers.pop().unwrap();
    for server in servers {
        server.running.end().success();
    }
    assert!(last.metric(r#"kwasm_admission_reviews_total{verdict="denied"}"#) > 0.0);
}

/// `kubectl proxy`, by which objects are created without a process for each.
struct Proxy {
    child: std::process::Child,
    address: String,
}

impl Proxy {
    fn start(real: &Real) -> Self {
        let mut kubectl = real.kubectl();
        let mut child =
            kubectl.args(["proxy", "--port=0"]).stdout(std::process::Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        std::io::BufRead::read_line(&mut BufReader::new(child.stdout.as_mut().unwrap()), &mut line).unwrap();
        let address = line.trim().rsplit(' ').next().unwrap().to_owned();
        Self { child, address }
    }

    /// Asks for objects to be created, half of which are denied: each by its own verdict.
    fn create(&self, first: usize, step: usize, count: usize, done: &std::sync::atomic::AtomicUsize) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        for number in (first..count).step_by(step) {
            let what = if number % 2 == 0 { "nothing" } else { "deny" };
            let object = json!({
                "apiVersion": "v1", "kind": "ConfigMap",
                "metadata": {"name": format!("map-{number}"), "labels": {"do": what}},
            });
            let path = "/api/v1/namespaces/replaced/configmaps?dryRun=All";
            ask_json(&mut stream, path, &object.to_string());
            let answer = read(&mut reader);
            let expected = if number % 2 == 0 { 201 } else { 422 };
            assert_eq!(answer.status, expected, "{number}: {}", String::from_utf8_lossy(&answer.body));
            done.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
    }
}

fn ask_json(stream: &mut TcpStream, path: &str, body: &str) {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + body).as_bytes()).unwrap();
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn what_is_no_review_is_refused_and_the_next_one_answered() {
    let kwasm = Kwasm::new();
    let server = Server::of(&kwasm, "admits", &["--webhook", "--policy", "none"]);
    let asked = |method: &str, body: &[u8]| {
        let mut stream = server.connect();
        ask(&mut stream, method, "/", body);
        let answer = read(&mut BufReader::new(stream));
        (answer.status, answer.text())
    };
    let review =
        json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {"uid": "7"}});
    let old =
        json!({"apiVersion": "admission.k8s.io/v1beta1", "kind": "AdmissionReview", "request": {"uid": "7"}});
    for (method, body, status, why) in [
        ("GET", String::new(), 405, "reviews are sent by POST"),
        ("POST", "{".to_owned(), 400, "it is not a review"),
        ("POST", old.to_string(), 400, "`AdmissionReview` of `admission.k8s.io/v1beta1`"),
        ("POST", format!("{}{review}", " ".repeat(17 << 20)), 413, "larger than 16 MiB"),
    ] {
        let (found, text) = asked(method, body.as_bytes());
        assert!(found == status && text.contains(why), "{found} {text}");
        let (found, text) = asked("POST", review.to_string().as_bytes());
        assert_eq!(found, 200, "{text}");
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(answer["response"], json!({"uid": "7", "allowed": true}));
    }
    let mut rest = Vec::new();
    let mut stream = server.connect();
    stream.write_all(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n{").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    drop(stream.read_to_end(&mut rest));
    assert_eq!(asked("POST", review.to_string().as_bytes()).0, 200);
}
