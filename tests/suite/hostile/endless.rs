//! Guests that do not want to end. How the user ends any other stands in `tests/suite/endings.rs` and `streamed_bodies.rs`.

use std::time::Duration;

use kwasm_apiserver::User;

use crate::support::{Kwasm, Running, kubeconfig, seed};

/// Checks that a guest ends at the user's signal, and without the defence does not. `begin` waits until it
/// has begun.
fn ends_at_a_signal(begin: impl Fn(Kwasm) -> Running) {
    for kwasm in [Kwasm::new().variable("KWASM_WITHOUT", "signals"), Kwasm::new().faulty()] {
        let running = begin(kwasm);
        running.signal("INT");
        assert_eq!(running.end().code, Some(130));
    }
    let mut running = begin(Kwasm::new().without("signals"));
    running.signal("INT");
    running.silent_for(Duration::from_secs(2));
    running.signal("KILL");
    assert_eq!(running.end().code, None);
}

#[test]
fn looping_forever() {
    for guest in ["loops-forever", "loops-forever-core"] {
        ends_at_a_signal(|kwasm| {
            let mut running = kwasm.start(guest, &[]);
            running.line();
            running
        });
    }
    // A guest that ends by itself needs no signal.
    Kwasm::new().run("outlasts-its-time", &["1", "--busy"]).success();
}

#[test]
fn looping_or_sleeping_forever_by_wasi_0_3() {
    for how in ["spin", "sleep"] {
        ends_at_a_signal(|kwasm| {
            let mut running = kwasm.start("wasi3", &[how]);
            running.line();
            running
        });
    }
    for how in ["busy", "waiting"] {
        Kwasm::new().run("wasi3", &["outlasts", "1", how]).success();
    }
}

#[test]
fn sleeping_forever() {
    for guest in ["sleeps-forever", "sleeps-forever-core"] {
        ends_at_a_signal(|kwasm| {
            let mut running = kwasm.start(guest, &[]);
            running.line();
            running
        });
    }
    Kwasm::new().run("outlasts-its-time", &["1"]).success();
}

/// A guest that imports the network is ended in another way than one that does not.
#[test]
fn sleeping_forever_with_a_request_in_flight() {
    let server = seed();
    let downloads = ["/source?bytes=1000000", "--stall-after", "1"];
    let at = |kwasm: Kwasm| kwasm.kubeconfig(kubeconfig(&server, User::Certificate));
    ends_at_a_signal(|kwasm| {
        let mut running = at(kwasm).start("downloads", &downloads);
        running.error_with("stalling after");
        running
    });
    at(Kwasm::new()).run("downloads", &downloads[..1]).success();
}
