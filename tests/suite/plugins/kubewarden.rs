//! kubewarden, on the real control plane.

use kwasm_cluster::User;

use crate::support::{Kwasm, Real, real};

fn prepared(real: &Real) -> Kwasm {
    let event = |name: &str, reason: &str| {
        serde_json::json!({
            "apiVersion": "v1", "kind": "Event", "metadata": {"name": name, "namespace": "rejects"},
            "involvedObject": {"apiVersion": "v1", "kind": "Pod", "name": name, "namespace": "rejects"},
            "type": "Warning", "reason": reason, "message": format!("about {name}"),
            "source": {"component": "policy-server"},
            "firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": "2026-01-02T00:00:00Z", "count": 2,
        })
    };
    let items = [
        serde_json::json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "rejects"}}),
        event("rejected", "ValidationRejection"),
        event("accepted", "Created"),
    ];
    real.apply(&serde_json::json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string());
    Kwasm::new().kubeconfig(real.kubeconfig(User::Alice)).policy("kubewarden")
}

#[test]
fn kubewarden_shows_the_events_of_rejections_only() {
    let Some(real) = real("kubewarden_shows_the_events_of_rejections_only") else { return };
    let kwasm = prepared(real);
    // Of all namespaces, as krew-wasm's does, or of one.
    for arguments in [&["events"][..], &["events", "-n", "rejects"]] {
        let run = kwasm.run("kubewarden", arguments).success();
        assert!(run.stdout.starts_with("Found 1 event\n\nSOURCE "), "{}", run.shown());
        for seen in
            ["policy-server", "Warning", "pod/rejected", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"]
        {
            assert!(run.stdout.contains(seen), "{seen}: {}", run.shown());
        }
        assert!(!run.stdout.contains("accepted"), "{}", run.shown());
    }
    let run = kwasm.run("kubewarden", &["events", "-n", "rejects", "-o", "json"]).success();
    let rows: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(rows[0]["message"], "about rejected");
    let run = kwasm.run("kubewarden", &["events", "-n", "default"]).success();
    assert_eq!(run.stdout, "No events found\n");
}

#[test]
fn kubewarden_without_its_only_rule_says_that_it_was_refused() {
    let Some(real) = real("kubewarden_without_its_only_rule_says_that_it_was_refused") else { return };
    let kwasm = prepared(real).policy("none");
    let run = kwasm.run("kubewarden", &["events"]).fails(1);
    assert!(run.stderr.contains("kubewarden: events: refused by kwasm"), "{}", run.shown());
    assert_eq!(run.stdout, "");
    // The only command of it is not guessed.
    kwasm.run("kubewarden", &["rejections"]).fails(2);
}
