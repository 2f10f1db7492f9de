//! Tests of token endpoints: which ones are asked, and which are shown a login.

use std::net::TcpListener;

use kwasm_registry::{Fault, Kind, Side, Tokens, Wrong};

use super::{at, publish, with_hello};
use crate::support::Run;

/// Installs `acme/hello` from a registry that has it.
fn install(registry: &Wrong) -> Run {
    let reference = with_hello(registry);
    at(registry).call(["install", &reference])
}

fn jane() -> Tokens {
    Tokens::for_user("jane", "open: sesame")
}

/// Challenges for a token of this place.
fn leads_to(place: &str) -> Fault {
    Fault::headers().header("www-authenticate", format!("Bearer realm=\"{place}/token\"")).standing()
}

fn tokens(registry: &Wrong, side: Side) -> usize {
    registry.requests_for(Kind::Token).iter().filter(|it| it.side == side).count()
}

#[test]
fn what_a_redirect_leads_to_gets_no_login_however_it_asks() {
    let registry = Wrong::builder().blobs_elsewhere().tokens(jane()).start().unwrap();
    let elsewhere = registry.base(Side::Elsewhere);
    let asks = Fault::status(401).header("www-authenticate", format!("Bearer realm=\"{elsewhere}/token\""));
    registry.fault(asks.on(Kind::Blob).at(Side::Elsewhere).standing());
    let run = install(&registry).fails(125);
    let host = elsewhere.replace("https://", "");
    assert!(
        run.stderr.contains(&format!("kwasm: {host}: it answers /v2/acme/hello/blobs/")),
        "{}",
        run.shown()
    );
    assert!(!run.stderr.contains("docker login"), "{}", run.shown());
    assert_eq!((tokens(&registry, Side::Registry), tokens(&registry, Side::Elsewhere)), (1, 0));
    let asked = registry.requests_for(Kind::Blob);
    assert!(
        asked.iter().filter(|it| it.side == Side::Elsewhere).all(|it| it.header("authorization").is_none())
    );

    registry.clear_faults();
    install(&registry).success();
    assert_eq!(tokens(&registry, Side::Elsewhere), 0);
}

#[test]
fn a_registry_may_have_its_tokens_at_another_host() {
    let registry = Wrong::builder().tokens(jane()).start().unwrap();
    registry.fault(leads_to(&registry.base(Side::Elsewhere)).on(Kind::Manifest));
    install(&registry).success();
    assert_eq!((tokens(&registry, Side::Registry), tokens(&registry, Side::Elsewhere)), (0, 1));
}

#[test]
fn a_login_is_not_taken_along_by_a_redirect() {
    for tokens_for in [jane(), Tokens::for_identity("refresh-me")] {
        let registry = Wrong::builder().tokens(tokens_for).start().unwrap();
        let elsewhere = format!("{}/token", registry.base(Side::Elsewhere));
        registry.fault(Fault::redirect(elsewhere).on(Kind::Token).at(Side::Registry).standing());
        let run = install(&registry).fails(125);
        assert!(run.stderr.contains("it answers /token: 307 Temporary Redirect"), "{}", run.shown());
        assert_eq!(tokens(&registry, Side::Elsewhere), 0);
    }
}

#[test]
fn a_token_is_asked_for_again_as_anything_else_is() {
    let faults = [
        Fault::status(503).times(2),
        Fault::too_many(1),
        Fault::cut(),
        Fault::cut_after(5),
        Fault::lost_answer(),
    ];
    for fault in faults {
        let registry = Wrong::builder().tokens(jane()).start().unwrap();
        registry.fault(fault.on(Kind::Token));
        install(&registry).success();
        assert_eq!(registry.faults_left(), 0);
    }
    let registry = Wrong::builder().tokens(jane()).start().unwrap();
    registry.fault(Fault::status(503).on(Kind::Token).standing());
    let run = install(&registry).fails(125);
    assert!(run.stderr.contains("it answers /token: 503 Service Unavailable"), "{}", run.shown());
    assert_eq!(tokens(&registry, Side::Registry), 5);
}

#[test]
fn a_token_server_that_is_not_there_is_named_itself() {
    let registry = Wrong::builder().tokens(jane()).start().unwrap();
    // A port that was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    registry.fault(leads_to(&format!("https://localhost:{port}")));
    let run = install(&registry).fails(125);
    let said = format!("kwasm: localhost:{port}: it cannot be reached: ");
    assert!(run.stderr.starts_with(&said) && !run.stderr.contains(registry.host()), "{}", run.shown());
}

#[test]
fn a_plain_registry_may_have_its_tokens_beside_it_and_nowhere_else() {
    let plain = || Wrong::builder().plain_http().tokens(jane()).start().unwrap();
    for side in [Side::Registry, Side::Elsewhere] {
        let registry = plain();
        registry.fault(leads_to(&registry.base(side)));
        install(&registry).success();
        assert_eq!(tokens(&registry, side), 1);
    }
    let registry = plain();
    registry.fault(leads_to("http://tokens.invalid"));
    let run = install(&registry).fails(125);
    assert!(
        run.stderr.contains("a token from http://tokens.invalid/token, which is not https"),
        "{}",
        run.shown()
    );
}

#[test]
fn a_registry_with_tls_has_its_tokens_with_tls() {
    let registry = Wrong::builder().tokens(jane()).start().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    registry.fault(leads_to(&format!("http://{}", listener.local_addr().unwrap())));
    let run = install(&registry).fails(125);
    assert!(run.stderr.contains("/token, which is not https"), "{}", run.shown());
    assert!(listener.accept().is_err(), "somebody came");
}

#[test]
fn a_password_is_found_to_be_asked_for_behind_other_schemes() {
    let challenge = |text: &str| {
        let registry = Wrong::builder().basic("jane", "open: sesame").start().unwrap();
        registry.fault(Fault::headers().header("www-authenticate", text).standing());
        let reference = format!("{}/acme/hello:1.0.0", registry.host());
        let run = publish(&at(&registry), "hello", &reference);
        let shown = registry.requests().iter().any(|it| it.header("authorization").is_some());
        assert_eq!(run.code == Some(0), shown, "{}", run.shown());
        shown
    };
    assert!(challenge("Negotiate, Basic realm=\"kwasm\""));
    assert!(!challenge("Negotiate, Digest realm=\"Basic\""));
}

#[test]
fn who_may_not_push_is_told_so_by_the_token_server_too() {
    let registry = Wrong::builder().tokens(jane()).start().unwrap();
    registry.fault(Fault::status(403).on(Kind::Token).standing());
    let pushed =
        publish(&at(&registry), "hello", &format!("{}/acme/hello:1.0.0", registry.host())).fails(125);
    assert!(pushed.stderr.contains("refuses: to push, as the user `jane`"), "{}", pushed.shown());
    let installed = install(&registry).fails(125);
    assert!(installed.stderr.contains("refuses: as the user `jane`"), "{}", installed.shown());
}
