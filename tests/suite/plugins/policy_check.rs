//! policy-check, on the real control plane and on manifests.

use std::io::Write;
use std::process::Stdio;

use kwasm_cluster::User;

use crate::support::{Kwasm, Real, Run, filled, real};

/// A namespace with a pod that breaks most rules, a deployment that keeps all of them but about its namespace, and rules.
const OBJECTS: &str = r#"{"apiVersion": "v1", "kind": "List", "items": [
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "checked"}},
    {"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "checked", "name": "risky"}, "spec": {
        "hostNetwork": true, "volumes": [{"name": "logs", "hostPath": {"path": "/var/log"}}],
        "containers": [{"name": "main", "image": "nginx:1",
            "securityContext": {"privileged": true, "capabilities": {"add": ["NET_ADMIN"]}}}]}},
    {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"namespace": "checked", "name": "tidy"}, "spec": {
        "selector": {"matchLabels": {"app": "tidy"}}, "template": {"metadata": {"labels": {"app": "tidy"}}, "spec": {
            "containers": [{"name": "main",
                "image": "registry.example/tidy@sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
                "resources": {"limits": {"cpu": "1", "memory": "64Mi"}}}]}}}},
    {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "checked", "name": "rules"}, "data": {
        "rules.yaml": "image-registry: {allowed: ['registry.example/*']}\nhost-path: {allowed: [/var/log]}\nprivileged: {severity: off}\n",
        "other.yaml": ""}}]}"#;

fn prepared(real: &Real) -> Kwasm {
    real.apply(OBJECTS);
    Kwasm::new().kubeconfig(real.kubeconfig(User::Alice)).policy("policy-check")
}

/// Returns the rules that an object breaks, by the report in JSON.
fn broken(report: &str, name: &str) -> Vec<String> {
    let report: serde_json::Value = serde_json::from_str(report).unwrap();
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .filter(|finding| finding["name"] == name)
        .map(|finding| finding["rule"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn policy_check_finds_what_breaks_the_rules_and_nothing_else() {
    let Some(real) = real("policy_check_finds_what_breaks_the_rules_and_nothing_else") else { return };
    let kwasm = prepared(real);
    let run = kwasm.run("policy-check", &["-n", "checked", "-o", "json"]).fails(1);
    let all =
        ["privileged", "host-namespaces", "host-path", "capabilities", "image-digest", "requests", "limits"];
    assert_eq!(broken(&run.stdout, "risky"), all, "{}", run.shown());
    assert!(broken(&run.stdout, "tidy").is_empty(), "{}", run.shown());
    assert_eq!(broken(&run.stdout, "checked"), ["resource-quota", "network-policy"]);
    // The pods of a deployment are checked in its place.
    let table = kwasm.run("policy-check", &["-n", "checked"]).fails(1);
    assert!(table.stdout.starts_with("SEVERITY   RULE"), "{}", table.shown());
    assert!(!table.stdout.contains("tidy"), "{}", table.shown());
    kwasm.run("policy-check", &["-n", "checked", "--fail-on", "never"]).success();
}

#[test]
fn policy_check_takes_rules_from_a_config_map() {
    let Some(real) = real("policy_check_takes_rules_from_a_config_map") else { return };
    let kwasm = prepared(real);
    let with =
        |rules: &str| kwasm.run("policy-check", &["-n", "checked", "-o", "json", "--rules-from", rules]);
    let run = with("checked/rules").fails(1);
    let broken = broken(&run.stdout, "risky");
    assert!(broken.iter().any(|rule| rule == "image-registry"), "{}", run.shown());
    assert!(!broken.iter().any(|rule| rule == "host-path" || rule == "privileged"), "{}", run.shown());
    let run = with("checked/absent").fails(1);
    assert!(run.stderr.contains("configmap checked/absent: ") && run.stdout.is_empty(), "{}", run.shown());
    with("rules").fails(2);
}

#[test]
fn policy_check_says_what_it_could_not_list_and_checks_the_rest() {
    let Some(real) = real("policy_check_says_what_it_could_not_list_and_checks_the_rest") else { return };
    let kwasm = prepared(real).spec(
        "{kubernetes: {rules: [{apiGroups: [''], resources: [pods, namespaces, resourcequotas], verbs: [list]}]}}",
    );
    let run = kwasm.run("policy-check", &["-n", "checked", "-o", "json", "--fail-on", "never"]).fails(1);
    assert!(broken(&run.stdout, "risky").contains(&"privileged".to_owned()), "{}", run.shown());
    assert_eq!(broken(&run.stdout, "checked"), ["resource-quota"], "{}", run.shown());
    assert!(run.stdout.contains("\"complete\": false"), "{}", run.shown());
    assert!(run.stderr.contains("deployments") && run.stderr.contains("networkpolicies"), "{}", run.shown());
}

/// Runs it on manifests from standard input, without a cluster.
fn on_manifests(text: &str, arguments: &[&str]) -> Run {
    let kwasm = Kwasm::new().policy("none");
    let mut command = kwasm.guest("policy-check", &[&["-f", "-"], arguments].concat());
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    child.wait_with_output().unwrap().into()
}

#[test]
fn policy_check_reads_manifests_without_a_cluster_and_reports_as_ci_systems_read_it() {
    let pod = "kind: Pod\napiVersion: v1\nmetadata: {name: '<a&b>'}\nspec: {hostPID: yes}\n";
    let manifests = format!("# two documents\n---\n{pod}---\napiVersion: v1\nkind: Service\n");
    let run = on_manifests(&manifests, &["-o", "sarif"]).fails(1);
    let log: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert_eq!((results.len(), &results[0]["ruleId"]), (1, &"host-namespaces".into()), "{}", run.shown());
    assert_eq!(results[0]["locations"][0]["physicalLocation"]["region"]["startLine"], 3);
    let run = on_manifests(&manifests, &["-o", "junit"]).fails(1);
    assert!(run.stdout.contains("tests=\"1\" failures=\"1\"") && run.stdout.contains("pod/&lt;a&amp;b&gt;"));
    on_manifests(&pod.replace("yes", "no"), &[]).success();
}

#[test]
fn policy_check_reads_rules_strictly() {
    let rules = "privileged: {}\nhost-path: {alowed: []}\n";
    let run = on_manifests("", &["--rules-text", rules]).fails(1);
    assert!(run.stderr.contains("--rules-text: line 2: unknown field `alowed`"), "{}", run.shown());
    let run = on_manifests("kind: Pod\napiVersion: v1\nspec: {hostPID: 7}\n", &[]).fails(1);
    assert!(run.stderr.contains("stdin: line 1: pod: "), "{}", run.shown());
    // What the policy does not grant is as if it were not there.
    let run = on_manifests("", &["--rules", "/etc/hostname"]).fails(1);
    assert!(run.stderr.contains("a plugin reads only folders that its policy grants"), "{}", run.shown());
}

/// As `kwasm deploy --shards 4` lets its pods do it.
#[test]
fn the_parts_of_a_job_find_together_what_one_run_finds_and_nothing_twice() {
    let Some(filled) = filled("the_parts_of_a_job_find_together_what_one_run_finds_and_nothing_twice") else {
        return;
    };
    let kubeconfig = filled.kubeconfig(User::Admin);
    let found = |shard: Option<usize>| {
        let mut kwasm = Kwasm::new().kubeconfig(&kubeconfig).policy("policy-check");
        if let Some(index) = shard {
            kwasm = kwasm.variable("KWASM_SHARD", index.to_string()).variable("KWASM_SHARDS", "4");
        }
        let run = kwasm.run("policy-check", &["-A", "-o", "json"]).fails(1);
        let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        let objects = report["summary"]["objects"].as_u64().unwrap();
        let findings: Vec<String> =
            report["findings"].as_array().unwrap().iter().map(ToString::to_string).collect();
        (objects, findings)
    };
    let (objects, mut whole) = found(None);
    let parts: Vec<_> = (0..4).map(|index| found(Some(index))).collect();
    assert!(parts.iter().all(|(objects, findings)| *objects > 0 && !findings.is_empty()));
    assert_eq!(parts.iter().map(|(objects, _)| objects).sum::<u64>(), objects);
    let mut all: Vec<String> = parts.into_iter().flat_map(|(_, findings)| findings).collect();
    all.sort();
    whole.sort();
    assert!(all == whole, "{} findings in parts, {} in one", all.len(), whole.len());
    let wrong = Kwasm::new().kubeconfig(&kubeconfig).policy("policy-check").variable("KWASM_SHARD", "4");
    let run = wrong.variable("KWASM_SHARDS", "4").run("policy-check", &["-A"]).fails(1);
    assert!(run.stderr.contains("KWASM_SHARD=4 KWASM_SHARDS=4: not a part"), "{}", run.shown());
}
