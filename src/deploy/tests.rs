use super::*;
use crate::policy::Limits;

fn plan(way: Way, task: Task) -> Plan {
    Plan {
        name: "policy-check".to_owned(),
        suffix: "",
        namespace: "tools".to_owned(),
        image: "registry.example/kwasm:1".to_owned(),
        way,
        task,
        policy: Grant::Text("kind: Policy\n".to_owned()),
        limits: Limits::default(),
        creates_namespace: false,
        has_ceiling: false,
        has_roles: true,
        arguments: vec!["-A".to_owned()],
    }
}

fn kinds(objects: &[Value]) -> Vec<&str> {
    objects.iter().map(|object| object["kind"].as_str().unwrap()).collect()
}

fn container(object: &Value) -> &Value {
    &object["spec"]["template"]["spec"]["containers"][0]
}

const INSTALLED: &str = "registry.example/tools/policy-check@sha256:00";

#[test]
fn a_job_runs_what_its_init_container_has_installed() {
    let objects = objects(&plan(Way::Install(INSTALLED.to_owned()), Task::Job { shards: None }));
    assert_eq!(kinds(&objects), ["ConfigMap", "Job"]);
    let job = &objects[1];
    assert_eq!(container(job)["args"], json!(["run", "kwasm-policy-check", "--", "-A"]));
    let install = &job["spec"]["template"]["spec"]["initContainers"][0]["args"];
    assert_eq!(
        *install,
        json!(["install", INSTALLED, "--as", "kwasm-policy-check", "--policy", "/policy/policy.yaml"])
    );
    assert_eq!(job["spec"]["template"]["spec"]["automountServiceAccountToken"], true);
    assert!(job["spec"].get("completions").is_none());
}

#[test]
fn a_plugin_without_network_gets_no_token() {
    let plan = Plan { has_roles: false, ..plan(Way::ConfigMap(vec![0]), Task::Job { shards: None }) };
    let objects = objects(&plan);
    assert_eq!(kinds(&objects), ["ServiceAccount", "ConfigMap", "ConfigMap", "Job"]);
    assert_eq!(objects[3]["spec"]["template"]["spec"]["automountServiceAccountToken"], false);
    assert_eq!(objects[2]["binaryData"]["plugin.wasm"], "AA==");
}

#[test]
fn each_part_of_a_job_is_told_which_one_it_is() {
    let task = Task::Cron { schedule: "0 * * * *".to_owned(), shards: Some(4) };
    let objects = objects(&plan(Way::ImageVolume { reference: INSTALLED.to_owned(), proven: true }, task));
    let spec = &objects[1]["spec"]["jobTemplate"]["spec"];
    assert_eq!((&spec["completionMode"], &spec["completions"]), (&json!("Indexed"), &json!(4)));
    let environment = spec["template"]["spec"]["containers"][0]["env"].as_array().unwrap();
    let named = |name: &str| environment.iter().find(|variable| variable["name"] == name).unwrap();
    assert_eq!(named("KWASM_SHARDS")["value"], "4");
    assert!(named("KWASM_SHARD")["valueFrom"]["fieldRef"]["fieldPath"].as_str().unwrap().contains("index"));
}

#[test]
fn a_webhook_has_a_certificate_and_does_not_stop_itself() {
    let certificate = issue("kwasm-policy-check", vec!["kwasm-policy-check.tools.svc".to_owned()]).unwrap();
    let review = Review {
        mutates: true,
        resources: vec!["deployments.apps".parse().unwrap(), "pods".parse().unwrap()],
        operations: vec![Operation::Create],
        failure_policy: FailurePolicy::Ignore,
        timeout: 5,
        certificate: Certificate::Own(certificate),
    };
    let mut plan = plan(Way::Install(INSTALLED.to_owned()), Task::Webhook { replicas: 2, review });
    let own = objects(&plan);
    assert_eq!(
        kinds(&own),
        [
            "ConfigMap",
            "Secret",
            "Service",
            "Deployment",
            "PodDisruptionBudget",
            "MutatingWebhookConfiguration"
        ]
    );
    let webhook = &own[5]["webhooks"][0];
    assert_eq!(webhook["rules"][0]["apiGroups"], json!(["apps"]));
    assert_eq!(
        (&webhook["failurePolicy"], &webhook["reinvocationPolicy"]),
        (&json!("Ignore"), &json!("IfNeeded"))
    );
    assert_eq!(
        webhook["namespaceSelector"]["matchExpressions"][0]["values"],
        json!(["kube-system", "tools"])
    );
    assert!(webhook["clientConfig"]["caBundle"].is_string());
    let arguments = container(&own[3])["args"].to_string();
    assert!(
        arguments.contains("--webhook=mutating") && arguments.contains("/certificate/tls.crt"),
        "{arguments}"
    );
    if let Task::Webhook { review, .. } = &mut plan.task {
        (review.certificate, review.mutates) = (Certificate::CertManager, false);
    }
    let managed = objects(&plan);
    assert_eq!(kinds(&managed)[1..3], ["Issuer", "Certificate"]);
    let configuration = managed.last().unwrap();
    assert_eq!(
        configuration["metadata"]["annotations"]["cert-manager.io/inject-ca-from"],
        "tools/kwasm-policy-check-certificate"
    );
    assert!(configuration["webhooks"][0]["clientConfig"].get("caBundle").is_none());
}

#[test]
fn a_shim_runs_the_component_as_it_is_and_this_is_said() {
    let way = Way::Shim { class: "wasmtime".to_owned(), reference: INSTALLED.to_owned() };
    let plan = plan(way, Task::Job { shards: None });
    assert!(plan.comments()[0].contains("the whole network"));
    let objects = objects(&plan);
    let spec = &objects[1]["spec"]["template"]["spec"];
    assert_eq!(
        (&spec["runtimeClassName"], &spec["containers"][0]["image"]),
        (&json!("wasmtime"), &json!(INSTALLED))
    );
    assert_eq!(spec["containers"][0]["args"], json!(["-A"]));
}

#[test]
fn a_resource_is_named_as_for_kubectl() {
    for text in ["pods", "deployments.apps", "pods/ephemeralcontainers", "*", "ingresses.networking.k8s.io"] {
        assert!(text.parse::<Resource>().is_ok(), "{text}");
    }
    for text in ["", "Pods", "pods.", ".apps", "a/b/c", "pods apps", "a..b"] {
        assert!(text.parse::<Resource>().is_err(), "{text}");
    }
}
