//! Standard input is a credential plugin's only where it is a terminal, and its process ends with kwasm.

use std::io::Write as _;

use kwasm_apiserver::TOKEN_USER;
use serde_json::{Value, json};

use super::program::{Helper, ask, token};
use super::{known_by, users};
use crate::support::{at_terminal, seed};

/// Returns a plugin that reads a line.
fn reading(server: &kwasm_apiserver::ApiServer) -> Helper {
    let helper = Helper::saying(&token(server));
    helper.set("reads", "");
    helper
}

fn line(helper: &Helper) -> String {
    std::fs::read_to_string(helper.folder().join("line")).unwrap()
}

fn was_interactive(helper: &Helper) -> bool {
    let info: Value = serde_json::from_str(helper.runs()[0]["info"].as_str().unwrap()).unwrap();
    info["spec"]["interactive"].as_bool().unwrap()
}

#[test]
fn what_is_piped_is_the_guests_alone() {
    for mode in ["Never", "IfAvailable"] {
        let server = seed();
        let helper = reading(&server);
        let kwasm = known_by(&server, &helper.user_with(&json!({"interactiveMode": mode})));
        let mut running = kwasm.start_with_input("sends-many", &[]);
        let mut input = running.stdin();
        // The pipe is open and empty when the plugin reads: what comes next would be its own.
        for _ in 0..2 {
            writeln!(input, "{}", json!(["GET", "http://192.0.2.1/version", [], null])).unwrap();
            assert_eq!(running.line(), "status 200");
        }
        drop(input);
        running.end().success();
        assert_eq!((line(&helper).as_str(), was_interactive(&helper)), ("", false));
    }
}

#[test]
fn a_plugin_that_has_to_ask_is_not_run_without_a_terminal() {
    let server = seed();
    let helper = reading(&server);
    let run = ask(&known_by(&server, &helper.user_with(&json!({"interactiveMode": "Always"}))), 1);
    assert!(
        run.stderr.contains("(interactiveMode: Always), and standard input is not a terminal"),
        "{}",
        run.shown()
    );
    assert_eq!((helper.runs().len(), server.requests().len()), (0, 0));
}

#[test]
fn at_a_terminal_a_plugin_may_ask_unless_it_says_never() {
    for (mode, asks) in [("Always", true), ("IfAvailable", true), ("Never", false)] {
        let server = seed();
        let helper = reading(&server);
        let kwasm = known_by(&server, &helper.user_with(&json!({"interactiveMode": mode})));
        at_terminal(&mut kwasm.guest("downloads", &["/version"]), "my password\n").success();
        assert_eq!(users(&server), [TOKEN_USER]);
        assert_eq!(line(&helper), if asks { "my password\n" } else { "" }, "{mode}");
        assert_eq!((was_interactive(&helper), &helper.runs()[0]["terminal"]), (asks, &json!(asks)));
    }
}

/// Waits until a plugin hangs, and returns its process id.
#[cfg(target_os = "linux")]
fn hanging(helper: &Helper) -> String {
    let start = std::time::Instant::now();
    loop {
        if let Ok(id) = std::fs::read_to_string(helper.folder().join("id")) {
            return id;
        }
        assert!(start.elapsed() < std::time::Duration::from_mins(1), "it was never run");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

/// Waits until a process has ended, even if its parent has not waited for it.
#[cfg(target_os = "linux")]
fn gone(id: &str) {
    let start = std::time::Instant::now();
    loop {
        let status = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        if status.is_empty() || status.rsplit(") ").next().is_some_and(|rest| rest.starts_with('Z')) {
            return;
        }
        assert!(start.elapsed() < std::time::Duration::from_mins(1), "it runs still: {status}");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_plugin_that_hangs_ends_with_the_run() {
    for (signal, code) in [(Some("INT"), 130), (Some("TERM"), 130), (None, 125)] {
        let server = seed();
        let helper = Helper::new();
        helper.set("hangs", "");
        let mut kwasm = known_by(&server, &helper.user());
        if signal.is_none() {
            kwasm = kwasm.spec(
                "{kubernetes: {rules: [{nonResourceURLs: ['*'], verbs: ['*']}]}, limits: {timeout: 2s}}",
            );
        }
        let running = kwasm.start("downloads", &["/version"]);
        let id = hanging(&helper);
        if let Some(signal) = signal {
            running.signal(signal);
        }
        // First, since it has kwasm's stderr: the end of that is its own.
        gone(&id);
        running.end().fails(code);
    }
}
