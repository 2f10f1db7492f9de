//! Watches lose nothing, however much comes, through either door.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::process::Stdio;

use kwasm_apiserver::User;
use kwasm_cluster::User as RealUser;
use serde_json::json;

use crate::support::{Kwasm, Run, Running, kubeconfig, real, seed};

/// Sends requests one after the other, each a line (see the guest), and wants each to be answered by this status.
fn send(kwasm: &Kwasm, requests: &str, status: u16) {
    let mut command = kwasm.guest("sends-many", &[]);
    let file = kwasm.home().join("requests");
    std::fs::write(&file, requests).unwrap();
    command.stdin(Stdio::from(std::fs::File::open(file).unwrap()));
    let run = Run::of(&mut command).success();
    let expected = format!("status {status}");
    assert!(run.stdout.lines().all(|line| line == expected), "{}", run.shown());
    assert_eq!(run.stdout.lines().count(), requests.lines().count());
}

/// Starts a watch of a namespace's config maps through each door, and waits until each has shown this one.
fn watchers(kwasm: &Kwasm, namespace: &str, each: usize, first: &str) -> Vec<Running> {
    let path = format!("/api/v1/namespaces/{namespace}/configmaps?watch=true");
    let arguments = [vec![path.as_str()], vec![path.as_str(), "--sockets"]];
    let mut watchers: Vec<_> =
        arguments.iter().flat_map(|arguments| (0..each).map(|_| kwasm.start("follows", arguments))).collect();
    for watcher in &mut watchers {
        watcher.line_with(first);
    }
    watchers
}

#[test]
fn ten_thousand_events_in_a_second_arrive_in_their_order_through_each_door() {
    const COUNT: usize = 10_000;
    let server = seed();
    let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Certificate));
    let tick = |query: &str| format!("[\"POST\", \"/ticks?namespace=ticks&{query}\", [], null]\n");
    send(&kwasm, &tick("first=0&count=1"), 200);
    let mut watchers = watchers(&kwasm, "ticks", 1, "tick-0-");
    send(&kwasm, &tick(&format!("first=1&count={COUNT}&rate=10000")), 200);
    for watcher in &mut watchers {
        for number in 1..=COUNT {
            let line = watcher.line();
            assert!(line.starts_with(&format!("tick-{number}-")), "{line} instead of {number}");
        }
    }
}

#[test]
fn a_thousand_events_in_a_second_of_the_real_server_arrive_through_each_door() {
    const COUNT: usize = 300;
    let Some(real) = real("a_thousand_events_in_a_second_of_the_real_server_arrive_through_each_door") else {
        return;
    };
    real.feed(&["create", "namespace", "ticks"], "");
    let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(RealUser::Alice));
    let create = |requests: &mut String, number: usize| {
        let body = json!({"metadata": {"name": format!("tick-{number}")}}).to_string();
        let headers = [["content-type", "application/json"]];
        let request = json!(["POST", "/api/v1/namespaces/ticks/configmaps", headers, body]);
        writeln!(requests, "{request}").unwrap();
    };
    let (mut first, mut others) = (String::new(), String::new());
    create(&mut first, 0);
    (1..=COUNT).for_each(|number| create(&mut others, number));
    send(&kwasm, &first, 201);
    // Each of the four gets every event.
    let mut watchers = watchers(&kwasm, "ticks", 2, "tick-0");
    send(&kwasm, &others, 201);
    for watcher in &mut watchers {
        let mut missing: BTreeSet<String> = (1..=COUNT).map(|number| format!("tick-{number}")).collect();
        while !missing.is_empty() {
            let line = watcher.line();
            assert!(missing.remove(&line) || !line.starts_with("tick-"), "{line} appears twice");
        }
    }
}
