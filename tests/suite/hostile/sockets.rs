//! Tests of sockets, whose connections can only lead through the gate.

use kwasm_apiserver::User;

use super::Attempt;
use crate::support::seed;

const TWIN: &[&str] = &["http://192.0.2.1/version"];

#[test]
fn connecting_without_the_gate() {
    let server = seed();
    Attempt::of("opens-sockets")
        .at(&server, User::Certificate)
        .with(&[&server.address().to_string()])
        .fails("failed: ")
        .succeeds_without("sockets", &format!("connected to {}", server.address()))
        .twin_of("dials-localhost", TWIN);
}

#[test]
fn listening_to_others() {
    let server = seed();
    Attempt::of("binds-a-socket")
        .asking(&server, User::Certificate)
        .fails("failed: tcp: ")
        .succeeds_without("sockets", "tcp: 127.0.0.1:")
        .twin_of("dials-localhost", TWIN);
}

#[test]
fn asking_the_users_resolver() {
    Attempt::of("looks-names-up")
        .fails("failed: ")
        .succeeds_without("sockets", "done: ")
        // An address resolves to itself, without a resolver.
        .twin(&["127.0.0.1"]);
}
