//! Tests of a user's logins at a registry: docker's and podman's files, helpers, and tokens that are
//! exchanged for others.

#[cfg(unix)]
use std::os::unix::fs::PermissionsExt;

use kwasm_registry::{Fault, Kind, Tokens, Wrong};
use serde_json::json;

use super::{at, with_hello};
use crate::support::{Kwasm, Run};

fn registry() -> Wrong {
    Wrong::builder().basic("jane", "open: sesame").start().unwrap()
}

/// Returns a kwasm without docker's logins.
fn stranger(registry: &Wrong) -> Kwasm {
    let kwasm = at(registry);
    std::fs::write(kwasm.home().join("config.json"), "{}").unwrap();
    kwasm
}

#[test]
fn who_is_not_logged_in_is_told_how() {
    let registry = registry();
    let reference = with_hello(&registry);
    let run = stranger(&registry).call(["install", &reference]).fails(125);
    let said = run.stderr.replace(registry.host(), "HOST");
    assert!(
        said.starts_with("kwasm: HOST/acme/hello: the registry refuses: you are not logged in"),
        "{said}"
    );
    assert!(said.contains("hint: log in as with any other client: docker login HOST"), "{said}");
    at(&registry).call(["install", &reference]).success();
}

#[test]
fn a_login_of_podman_is_as_good_as_one_of_docker() {
    let registry = registry();
    let reference = with_hello(&registry);
    let kwasm = stranger(&registry);
    let login = kwasm.home().join("auth.json");
    std::fs::write(&login, registry.access().docker_config().to_string()).unwrap();
    kwasm.variable("REGISTRY_AUTH_FILE", &login).call(["install", &reference]).success();
}

#[cfg(unix)]
#[test]
fn a_credential_helper_is_asked() {
    let registry = registry();
    let reference = with_hello(&registry);
    let kwasm = stranger(&registry);
    let helper = |text: &str| {
        let path = kwasm.links().join("docker-credential-vault");
        std::fs::create_dir_all(kwasm.links()).unwrap();
        std::fs::write(&path, format!("#!/bin/sh\ncat >/dev/null; {text}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    };
    let config = json!({"credHelpers": {registry.host(): "vault"}});
    std::fs::write(kwasm.home().join("config.json"), config.to_string()).unwrap();
    let run = kwasm.call(["inspect", &reference]).fails(125);
    assert!(
        run.stderr.contains("its credential helper docker-credential-vault cannot be run"),
        "{}",
        run.shown()
    );
    helper("echo 'the vault is shut' >&2; exit 1");
    let run = kwasm.call(["inspect", &reference]).fails(125);
    assert!(run.stderr.contains("docker-credential-vault failed: the vault is shut"), "{}", run.shown());
    helper("echo 'credentials not found in native keychain'; exit 1");
    let run = kwasm.call(["inspect", &reference]).fails(125);
    assert!(run.stderr.contains("you are not logged in"), "{}", run.shown());
    helper(r#"echo '{"ServerURL":"","Username":"jane","Secret":"open: sesame"}'"#);
    kwasm.call(["inspect", &reference]).success();
}

#[test]
fn an_identity_token_is_exchanged_for_one_that_the_registry_takes() {
    let registry = Wrong::builder().tokens(Tokens::for_identity("refresh-me")).start().unwrap();
    let reference = with_hello(&registry);
    at(&registry).call(["install", &reference]).success();
    let tokens = registry.requests_for(Kind::Token);
    assert_eq!(tokens[0].form("grant_type").as_deref(), Some("refresh_token"));
    assert_eq!(tokens[0].form("refresh_token").as_deref(), Some("refresh-me"));
    assert_eq!(tokens[0].form("scope").as_deref(), Some("repository:acme/hello:pull"));
    stranger(&registry).call(["install", &reference]).fails(125);
}

#[test]
fn a_token_that_runs_out_on_the_way_is_renewed() {
    let tokens = Tokens::for_user("jane", "open: sesame").good_for(2);
    let registry = Wrong::builder().tokens(tokens).start().unwrap();
    let reference = with_hello(&registry);
    at(&registry).call(["install", &reference]).success();
    assert!(registry.requests_for(Kind::Token).len() > 1);
}

#[test]
fn a_login_that_has_run_out_keeps_nobody_from_what_is_public() {
    let registry = Wrong::builder().tokens(Tokens::public()).start().unwrap();
    let reference = with_hello(&registry);
    for stale in
        [json!({"auth": "amFuZTpsb25nLWFnbw=="}), json!({"auth": "MDA6", "identitytoken": "long-ago"})]
    {
        let kwasm = stranger(&registry);
        let config = json!({"auths": {registry.host(): stale}});
        std::fs::write(kwasm.home().join("config.json"), config.to_string()).unwrap();
        let before = registry.requests_for(Kind::Token).len();
        kwasm.call(["install", &reference]).success();
        // The login is tried first, and refused.
        let tokens = registry.requests_for(Kind::Token);
        let statuses: Vec<_> = tokens[before..].iter().map(|it| it.status).collect();
        assert_eq!(statuses[..2], [Some(401), Some(200)], "{stale}");
    }
}

#[test]
fn a_token_in_the_environment_is_shown_as_it_is() {
    let registry = Wrong::start().unwrap();
    let reference = with_hello(&registry);
    let variable =
        format!("WKG_REGISTRY_{}_AUTH_BEARER", registry.host().replace([':', '.'], "_").to_uppercase());
    registry.fault(
        kwasm_registry::Fault::status(401)
            .header("www-authenticate", "Bearer realm=\"https://x/\"")
            .on(Kind::Manifest),
    );
    at(&registry).variable(&variable, "from-the-environment").call(["install", &reference]).success();
    let manifests = registry.requests_for(Kind::Manifest);
    assert!(manifests.iter().any(|it| it.header("authorization") == Some("Bearer from-the-environment")));
}

#[test]
fn a_login_file_that_cannot_be_read_stops_only_what_requires_a_login() {
    let (public, private) = (Wrong::start().unwrap(), registry());
    for (text, why) in [
        // A folder, which no one can read as a file: root may read any file.
        (None, "config.json: it cannot be read: "),
        (Some("{"), "config.json: the login for any registry cannot be read: it is not JSON"),
        (Some(r#"{"credsStore": "is-not-there"}"#), "docker-credential-is-not-there cannot be run"),
        (Some(r#"{"auths": {"HOST": {"auth": "?"}}}"#), "its `auth` is not base64 of USER:PASSWORD"),
    ] {
        let with = |registry: &Wrong| {
            let kwasm = at(registry);
            let path = kwasm.home().join("config.json");
            std::fs::remove_file(&path).unwrap();
            match text {
                None => std::fs::create_dir(&path).unwrap(),
                Some(text) => std::fs::write(&path, text.replace("HOST", registry.host())).unwrap(),
            }
            kwasm
        };
        let reference = with_hello(&public);
        for verb in ["install", "inspect", "run"] {
            let run = with(&public).call([verb, &reference]).success();
            let warning = run.stderr.lines().find(|line| line.starts_with("warning: ")).unwrap_or_default();
            assert!(warning.contains(why), "{verb}: {}", run.shown());
            assert!(warning.ends_with("continuing without a login"), "{verb}: {}", run.shown());
        }
        let run = with(&private).call(["install", &with_hello(&private)]).fails(125);
        let said = "the registry refuses: the request had no login (";
        assert!(run.stderr.contains(said) && run.stderr.contains(why), "{}", run.shown());
        assert!(run.stderr.contains("hint: ") || text.is_none(), "{}", run.shown());
        assert!(!run.stderr.contains("warning"), "{}", run.shown());
        let component = crate::support::component("hello");
        let target = format!("{}/acme/other:1", private.host());
        let run = with(&private).call(["publish", component.to_str().unwrap(), &target]).fails(125);
        assert!(run.stderr.contains(why), "{}", run.shown());
        assert!(!run.stderr.contains("docker login"), "{}", run.shown());
    }
}

#[test]
fn a_token_that_is_there_under_two_names_is_the_one_that_is_not_empty() {
    for (answer, is_token) in [
        (r#"{"token": "", "access_token": "token-1"}"#, true),
        (r#"{"token": "token-1", "access_token": ""}"#, true),
        (r#"{"token": null, "access_token": "token-1"}"#, true),
        (r#"{"token": "", "access_token": ""}"#, false),
        ("{}", false),
    ] {
        let registry = Wrong::builder().tokens(Tokens::anonymous()).start().unwrap();
        let reference = with_hello(&registry);
        // The token itself is one that the registry gives.
        registry.fault(Fault::body(answer).on(Kind::Token).standing());
        let run = stranger(&registry).call(["install", &reference]);
        if is_token {
            run.success();
        } else {
            let run = run.fails(125);
            let said = "it answers a request for a token without one";
            assert!(run.stderr.contains(said), "{answer}: {}", run.shown());
        }
    }
}

#[test]
fn no_secret_is_in_what_is_said() {
    let registry = registry();
    let reference = with_hello(&registry);
    let run = at(&registry).call(["-vv", "install", &reference]).success();
    let wrong = json!({"auths": {registry.host(): {"auth": "amFuZTp0b3Atc2VjcmV0"}}});
    let kwasm = stranger(&registry);
    std::fs::write(kwasm.home().join("config.json"), wrong.to_string()).unwrap();
    let refused = kwasm.call(["-vv", "install", &reference]).fails(125);
    for Run { stdout, stderr, .. } in [run, refused] {
        for secret in ["open: sesame", "top-secret", "amFuZTp"] {
            assert!(!stdout.contains(secret) && !stderr.contains(secret), "{stderr}");
        }
    }
}
