//! The timeline: a watch that lasts, and resumes.

use std::time::Duration;

use kwasm_apiserver::{Fault, User};
use kwasm_cluster::User as RealUser;

use crate::support::{Kwasm, Running, component, kubeconfig, real, seed};

fn watching(server: &kwasm_apiserver::ApiServer) -> (Kwasm, Running) {
    let kwasm = Kwasm::new().kubeconfig(kubeconfig(server, User::Certificate));
    let running = kwasm.start("timeline", &["-n", "shop", "--watch"]);
    (kwasm, running)
}

fn event(server: &kwasm_apiserver::ApiServer, message: &str) {
    server.create_event("shop", "Tested", message).unwrap();
}

#[test]
fn an_event_is_shown_as_it_is_created_and_one_after_a_silent_minute_too() {
    let Some(real) = real("an_event_is_shown_as_it_is_created_and_one_after_a_silent_minute_too") else {
        return;
    };
    real.feed(&["create", "namespace", "quiet"], "");
    let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(RealUser::Alice));
    kwasm.call(["install", component("timeline").to_str().unwrap(), "--policy", "request"]).success();
    let mut kubectl = kwasm.program(real.kubectl_program());
    kubectl.args(["timeline", "-n", "quiet", "--watch"]);
    let mut running = Running::of(kubectl);
    real.event("quiet", "first", "the first of them");
    running.line_with("the first of them");
    running.silent_for(Duration::from_secs(61));
    real.event("quiet", "second", "the second of them");
    running.line_with("the second of them");
}

#[test]
fn it_goes_on_when_the_server_ends_the_watch() {
    let server = seed();
    let (_kwasm, mut running) = watching(&server);
    for round in 0..5 {
        event(&server, &format!("round {round}"));
        running.line_with(&format!("round {round}"));
        server.end_watches();
        // Between two watches too: it resumes from the version it saw last.
        event(&server, &format!("between {round}"));
        running.line_with(&format!("between {round}"));
    }
    running.silent_for(Duration::from_millis(500));
}

#[test]
fn it_lists_again_when_its_version_is_gone_and_shows_nothing_twice() {
    let server = seed();
    let (_kwasm, mut running) = watching(&server);
    event(&server, "before");
    running.line_with("before");
    server.fault(Fault::gone().watches());
    server.end_watches();
    event(&server, "after");
    running.line_with("after");
    running.silent_for(Duration::from_millis(500));
    assert_eq!(server.faults(), 0, "it was answered with 410");
    // As an HTTP status, too.
    server.fault(Fault::status(410, None).watches());
    server.end_watches();
    event(&server, "at last");
    running.line_with("at last");
    running.silent_for(Duration::from_millis(500));
}

#[test]
fn without_watch_it_lists_in_the_order_of_time_and_ends() {
    let server = seed();
    event(&server, "the newest");
    let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Token));
    let run = kwasm.run("timeline", &["-n", "shop"]).success();
    assert_eq!(run.stderr, "");
    assert!(run.stdout.lines().last().unwrap().contains("the newest"), "{}", run.stdout);
}

#[test]
fn kubectls_connection_flags_are_kwasms_to_obey() {
    let server = seed();
    let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Token));
    let run = kwasm.run("timeline", &["--as", "alice", "-nshop", "--request-timeout=5s"]).success();
    assert!(run.stdout.lines().count() > 1, "{}", run.shown());
    assert_eq!(server.requests()[0].user.as_deref(), Some("alice"));
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_silent_watch() {
    let server = seed();
    let (_kwasm, mut running) = watching(&server);
    event(&server, "here");
    running.line_with("here");
    running.signal("INT");
    assert_eq!(running.end().code, Some(130));
}
