//! Tests of pushes and their destination: the registry determines it, and only the registry sees the
//! credentials.

use std::net::TcpListener;

use kwasm_registry::{Fault, Kind, Received, Side, Tokens, Wrong, WrongBuilder};

use super::{at, bytes, publish};
use crate::support::{Kwasm, Run};

fn guarded() -> WrongBuilder {
    Wrong::builder().basic("jane", "open: sesame")
}

fn push(kwasm: &Kwasm, registry: &Wrong) -> Run {
    publish(kwasm, "hello", &format!("{}/acme/hello:1.0.0", registry.host()))
}

/// Publishes to a registry, and runs what is there then.
#[track_caller]
fn pushed(registry: &Wrong) {
    let kwasm = at(registry);
    push(&kwasm, registry).success();
    kwasm.call(["install", &format!("{}/acme/hello:1.0.0", registry.host())]).success();
    assert_eq!(super::call(&kwasm, "hello").success().stdout, "hello from kwasm: x\n");
}

/// Publishes to a registry, which must be left without a manifest, and returns the only message.
#[track_caller]
fn refused(registry: &Wrong) -> String {
    let run = push(&at(registry), registry).fails(125);
    let manifests = registry.requests_for(Kind::Manifest);
    assert!(manifests.iter().all(|it| it.status != Some(201)), "{manifests:?}");
    assert_eq!(run.stderr.lines().filter(|line| line.starts_with("kwasm: ")).count(), 1, "{}", run.shown());
    run.stderr.replace(registry.host(), "HOST")
}

/// Returns the upload requests with this method at this host.
fn uploads(registry: &Wrong, method: &str, side: Side) -> Vec<Received> {
    let mut uploads = registry.requests_for(Kind::Upload);
    uploads.retain(|it| it.method == method && it.side == side);
    uploads
}

fn shows_who(received: &Received) -> bool {
    received.header("authorization").is_some()
}

#[test]
fn the_registry_sees_who_pushes() {
    let registry = guarded().start().unwrap();
    pushed(&registry);
    let ends = uploads(&registry, "PUT", Side::Registry);
    assert_eq!(ends.len(), 2, "the configuration and the component");
    assert!(ends.iter().all(|it| shows_who(it) && it.status == Some(201)));
    assert!(ends.iter().all(|it| it.target.contains("?state=once&digest=sha256%3A")), "{ends:?}");
    assert!(registry.requests().iter().all(|it| it.side == Side::Registry));
}

#[test]
fn another_host_that_takes_uploads_does_not() {
    for registry in [guarded(), guarded().plain_http()] {
        let registry = registry.uploads_elsewhere().start().unwrap();
        pushed(&registry);
        let ends = uploads(&registry, "PUT", Side::Elsewhere);
        assert_eq!(ends.len(), 2);
        assert!(ends.iter().all(|it| !shows_who(it) && it.status == Some(201)));
        assert!(uploads(&registry, "PUT", Side::Registry).is_empty());
    }
}

#[test]
fn another_host_that_asks_who_pushes_is_not_told() {
    let registry = guarded().uploads_elsewhere().start().unwrap();
    let asks = Fault::status(401).header("www-authenticate", "Basic realm=\"kwasm\"");
    registry.fault(asks.at(Side::Elsewhere).standing());
    let said = refused(&registry);
    let elsewhere = registry.base(Side::Elsewhere).replace("https://", "");
    assert!(said.contains(&format!("it cannot be published: {elsewhere} answers /v2/acme/hello/")), "{said}");
    assert!(said.contains("401 Unauthorized") && !said.contains("hint"), "{said}");
    let ends = uploads(&registry, "PUT", Side::Elsewhere);
    assert_eq!(ends.iter().map(shows_who).collect::<Vec<_>>(), [false]);
}

#[test]
fn nothing_is_sent_in_the_clear_by_who_came_with_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = format!("http://{}/upload?key=k", listener.local_addr().unwrap());
    let registry = guarded().start().unwrap();
    registry.fault(Fault::headers().header("location", address).on(Kind::Upload).method("POST").standing());
    // The first answer is a challenge, the second has the address.
    let said = refused(&registry);
    assert!(said.contains("directs the upload to http://127.0.0.1, which is not https"), "{said}");
    assert!(listener.accept().is_err(), "somebody came");
}

#[test]
fn a_registry_that_does_not_say_where_is_refused_in_a_sentence() {
    let begun = |fault: Fault| {
        let registry = Wrong::start().unwrap();
        registry.fault(fault.on(Kind::Upload).method("POST"));
        let said = refused(&registry);
        assert!(uploads(&registry, "PUT", Side::Registry).is_empty());
        assert!(said.starts_with("kwasm: HOST/acme/hello: it cannot be published: "), "{said}");
        said
    };
    assert!(begun(Fault::headers().without_header("location")).contains("gives no location for it"));
    for nonsense in ["http://", "https://[::1", "//"] {
        let said = begun(Fault::headers().header("location", nonsense));
        assert!(said.contains(&format!("`{nonsense}`, which is not a valid address")), "{said}");
    }
    assert!(begun(Fault::headers().header("location", "file:///etc/passwd")).contains("which is not https"));
    assert!(begun(Fault::status(405)).contains("HOST answers /v2/acme/hello/blobs/uploads/ with 405"));
    assert!(begun(Fault::status(200)).contains("with 200 OK"));
}

#[test]
fn an_upload_that_is_led_on_is_not_taken_along() {
    let registry = guarded().start().unwrap();
    let elsewhere = format!("{}/v2/acme/hello/blobs/uploads/upload-1", registry.base(Side::Elsewhere));
    registry.fault(Fault::redirect(elsewhere).on(Kind::Upload).method("PUT").standing());
    assert!(refused(&registry).contains("with 307 Temporary Redirect"));
    assert!(uploads(&registry, "PUT", Side::Elsewhere).is_empty());
}

#[test]
fn a_manifest_without_a_place_is_there_all_the_same() {
    let registry = Wrong::start().unwrap();
    registry.fault(Fault::headers().without_header("location").on(Kind::Manifest).method("PUT").standing());
    pushed(&registry);
}

#[test]
fn a_token_that_runs_out_between_two_blobs_is_renewed() {
    let tokens = Tokens::for_user("jane", "open: sesame");
    let registry = Wrong::builder().tokens(tokens.good_for(1)).start().unwrap();
    pushed(&registry);
    let scopes: Vec<String> =
        registry.requests_for(Kind::Token).iter().filter_map(|it| it.query("scope")).collect();
    assert!(scopes.iter().filter(|it| *it == "repository:acme/hello:pull,push").count() > 2, "{scopes:?}");
    assert!(scopes.iter().any(|it| it == "repository:acme/hello:pull"), "{scopes:?}");
}

#[test]
fn a_token_is_asked_for_once_as_long_as_it_is_good() {
    let tokens = Tokens::for_user("jane", "open: sesame");
    let registry = Wrong::builder().tokens(tokens).start().unwrap();
    push(&at(&registry), &registry).success();
    let scopes: Vec<_> = registry.requests_for(Kind::Token).iter().map(|it| it.query("scope")).collect();
    assert_eq!(scopes.len(), 2, "one for pushing, and one to see what is there: {scopes:?}");
}

#[test]
fn who_may_not_push_is_told_so() {
    for (kind, method) in [(Kind::Upload, "POST"), (Kind::Upload, "PUT"), (Kind::Manifest, "PUT")] {
        for status in [401, 403] {
            let registry = guarded().start().unwrap();
            registry.fault(Fault::status(status).on(kind).method(method).standing());
            let said = refused(&registry);
            assert!(
                said.starts_with("kwasm: HOST/acme/hello: the registry refuses: to push, as the user `jane`")
                    && said.contains("hint: log in as with any other client: docker login HOST"),
                "{kind:?} {method} {status}: {said}"
            );
        }
    }
}

#[test]
fn a_login_is_shown_to_none_that_does_not_ask_for_it() {
    let registry = Wrong::start().unwrap();
    let kwasm = at(&registry);
    let login = serde_json::json!({"auths": {registry.host(): {"auth": "amFuZTpvcGVuOiBzZXNhbWU="}}});
    std::fs::write(kwasm.home().join("config.json"), login.to_string()).unwrap();
    push(&kwasm, &registry).success();
    assert!(!registry.requests().iter().any(shows_who));
}

#[test]
fn a_push_that_breaks_begins_anew() {
    let faults = [
        Fault::cut().on(Kind::Upload).method("PUT").times(2),
        Fault::status(503).on(Kind::Upload).method("PUT"),
        Fault::too_many(1).on(Kind::Upload).method("POST"),
        Fault::cut().on(Kind::Manifest).method("PUT"),
        Fault::lost_answer().on(Kind::Manifest).method("PUT"),
    ];
    for fault in faults {
        let registry = Wrong::start().unwrap();
        registry.fault(fault);
        pushed(&registry);
        assert_eq!(registry.faults_left(), 0);
    }
}

#[test]
fn a_blob_that_was_taken_is_not_sent_again() {
    let registry = Wrong::start().unwrap();
    registry.fault(Fault::lost_answer().on(Kind::Upload).method("PUT"));
    pushed(&registry);
    assert_eq!(uploads(&registry, "PUT", Side::Registry).len(), 2);
    let kwasm = at(&registry);
    push(&kwasm, &registry).success();
    assert_eq!(uploads(&registry, "POST", Side::Registry).len(), 2, "a second push uploads nothing");
    registry.remove(&kwasm_registry::digest(&bytes("hello")));
    push(&kwasm, &registry).success();
    assert_eq!(uploads(&registry, "POST", Side::Registry).len(), 3, "only what is gone");
}

#[test]
fn a_registry_that_puts_something_else_there_is_found_out() {
    let registry = Wrong::start().unwrap();
    registry
        .fault(Fault::body("{}").without_header("docker-content-digest").on(Kind::Manifest).method("GET"));
    let run = push(&at(&registry), &registry).fails(125);
    assert!(
        run.stderr.contains("the registry accepted it, but now has something else there"),
        "{}",
        run.shown()
    );
}

#[test]
fn an_error_without_end_is_not_read_to_it() {
    let registry = guarded().start().unwrap();
    let kwasm = at(&registry);
    std::fs::write(kwasm.home().join("config.json"), "{}").unwrap();
    registry.fault(Fault::endless().on(Kind::Upload).standing());
    let run = push(&kwasm, &registry).fails(125);
    assert!(run.stderr.contains("the registry refuses: to push, you are not logged in"), "{}", run.shown());
}

#[test]
fn a_web_page_takes_no_uploads() {
    for kind in [Kind::Blob, Kind::Upload] {
        let registry = Wrong::start().unwrap();
        registry.fault(Fault::page().on(kind).standing());
        assert!(refused(&registry).contains("with a web page: it is not a registry"), "{kind:?}");
    }
}
