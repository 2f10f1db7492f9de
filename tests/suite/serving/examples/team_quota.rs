//! `team-quota`, at the real API server.

use kwasm_cluster::User;
use serde_json::{Value, json};

use super::super::admission::Files;
use super::{Reviewed, namespace, review, said};
use crate::support::{Kwasm, real};

/// A pod that no scheduler takes.
fn pod(namespace: &str, name: &str, cpu: &str) -> Value {
    let container = json!({"name": "a", "image": "a.example/b:1", "resources": {"requests": {"cpu": cpu}}});
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace},
        "spec": {"schedulerName": "nobody", "containers": [container]},
    })
}

const QUOTAS: &str = "label: team\nteams: {shop: {cpu: 10}, blog: {cpu: 1}}";

#[test]
fn a_team_is_bounded_over_all_of_its_namespaces_and_told_what_is_left() {
    let Some(real) = real("serving::examples::team_quota") else { return };
    let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(User::Admin));
    let files = Files::new(&kwasm);
    let options = ["--webhook", "--policy", "request", "--", "--quotas-text", QUOTAS];
    let server = files.serve(&kwasm, "team-quota", &options);
    let namespaces = [
        namespace("quota-a", &json!({"team": "shop"})),
        namespace("quota-b", &json!({"team": "shop"})),
        namespace("quota-free", &json!({})),
    ];
    let probe = pod("quota-a", "probe", "11");
    let reviewed = Reviewed::new(real, &namespaces, &server, &files, &probe);

    assert!(!reviewed.admitted(&pod("quota-a", "one", "4")).contains("Warning"));
    // A dry run says the same, and takes nothing.
    for _ in 0..2 {
        let dry = reviewed.create(&pod("quota-b", "two", "4"), true);
        assert!(dry.status.success(), "{}", said(&dry));
        let warning = "Warning: team shop, in 2 namespaces: CPUs: 80 % requested, 2 of 10 left";
        assert!(said(&dry).contains(warning), "{}", said(&dry));
    }
    reviewed.admitted(&pod("quota-b", "two", "4"));
    let why = "team shop, in 2 namespaces: CPUs: 2001m more asked for, and 2 of 10 left";
    assert!(reviewed.denied(&pod("quota-a", "three", "2001m")).contains(why));
    let dry = reviewed.create(&pod("quota-a", "three", "2001m"), true);
    assert!(said(&dry).contains(why), "{}", said(&dry));
    reviewed.admitted(&pod("quota-free", "any", "50"));

    // A running pod is not counted twice when it grows, and grows no further than the bound.
    let resized = |cpu: &str| {
        let patch = json!({"spec": {"containers": [{"name": "a", "resources": {"requests": {"cpu": cpu}}}]}});
        let pod = ["patch", "pod", "two", "-n", "quota-b", "--subresource", "resize", "-p"];
        reviewed.kubectl(&[&pod[..], &[&patch.to_string()]].concat())
    };
    let grown = resized("6");
    assert!(grown.status.success(), "{}", said(&grown));
    assert!(said(&resized("7")).contains("CPUs: 7 more asked for, and 6 of 10 left"));
    let label = reviewed.kubectl(&["label", "pod", "two", "-n", "quota-b", "seen=yes"]);
    assert!(label.status.success(), "{}", said(&label));
    reviewed.denied(&pod("quota-a", "three", "1m"));
    // Nor does it when the node has no room, which is another's to say.
    let allocated = json!({"name": "a", "allocatedResources": {"cpu": "1"}});
    let status = json!({"status": {"resize": "Infeasible", "containerStatuses": [allocated]}});
    let patch =
        ["patch", "pod", "two", "-n", "quota-b", "--subresource", "status", "-p", &status.to_string()];
    let infeasible = reviewed.kubectl(&patch);
    assert!(infeasible.status.success(), "{}", said(&infeasible));
    assert!(said(&resized("7")).contains("CPUs: 7 more asked for, and 6 of 10 left"));
    // What has gone makes room.
    let deleted = reviewed.kubectl(&["delete", "pod", "one", "-n", "quota-a", "--force", "--grace-period=0"]);
    assert!(deleted.status.success(), "{}", said(&deleted));
    reviewed.admitted(&pod("quota-a", "three", "4"));
}

#[test]
fn a_team_whose_pods_cannot_be_added_up_is_the_failure_policys_to_decide_about() {
    let Some(real) = real("serving::examples::team_quota") else { return };
    let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(User::Admin));
    let object = namespace("quota-unread", &json!({"team": "blog"}));
    real.apply(&object.to_string());
    let rules = r#"{kubernetes: {rules: [{apiGroups: [""], resources: [namespaces], verbs: [get]}]}}"#;
    let granted = kwasm.write_policy(rules);
    for (policy, quotas, why) in [
        (granted.as_str(), QUOTAS, "team-quota: namespaces: "),
        ("none", QUOTAS, "team-quota: namespace quota-unread: "),
        ("request", "label: team", "team-quota: the quotas: "),
    ] {
        let options = ["--webhook", "--policy", policy, "--", "--quotas-text", quotas];
        let mut server = super::Server::of(&kwasm, "team-quota", &options);
        let mut stream = server.connect();
        super::ask_review(&mut stream, "/", "quota-unread", "Pod", &pod("quota-unread", "web", "1"));
        let answer = super::read(&mut std::io::BufReader::new(stream));
        // kwasm says so: whatever is no verdict is an error for the API server.
        assert_eq!(answer.status, 502, "{}", answer.text());
        assert!(answer.text().contains("its status is 500"), "{}", answer.text());
        server.running.error_with(why);
        // What it does not look at is admitted all the same: a review of no pod.
        if quotas == QUOTAS {
            assert_eq!(review(&server, "quota-unread", "ConfigMap", &json!({}))["allowed"], true);
        }
    }
}
