//! Tests of a server that refuses a credential, and of credentials that are replaced.

use std::io::Write as _;

use kwasm_apiserver::{CERTIFICATE_USER, Fault, TOKEN_USER, Upload, User};
use serde_json::{Value, json};

use super::program::{Helper, ask, certificate, send, token};
use super::{known_by, statuses, users};
use crate::support::{Kwasm, Relay, Run, kubeconfig, real, seed};

/// The input of a guest that sends requests as it reads them.
const ASK: &str = r#"["GET", "http://192.0.2.1/version", [], null]"#;

/// A time that is over.
const PAST: &str = "2001-02-03T04:05:06Z";

/// Returns a plugin whose first token is refused, and whose second is accepted.
fn renewing(server: &kwasm_apiserver::ApiServer) -> Helper {
    let helper = Helper::saying(&json!({"token": "stale"}));
    helper.answers(2, &token(server));
    helper
}

#[test]
fn a_token_that_is_refused_is_had_anew_and_the_request_sent_again() {
    let server = seed();
    let helper = renewing(&server);
    let run = ask(&known_by(&server, &helper.user()), 2).success();
    assert_eq!(run.stdout, "status 200\nstatus 200\n");
    assert_eq!(run.stderr, "");
    assert_eq!((helper.runs().len(), statuses(&server)), (2, vec![401, 200, 200]));
}

#[test]
fn fifty_requests_that_are_refused_at_once_have_the_plugin_run_once_more() {
    let server = seed();
    let helper = renewing(&server);
    let kwasm = known_by(&server, &helper.user());
    let run = kwasm.run("floods-requests", &["50", "/api/v1/namespaces/shop/configmaps?watch=1"]).success();
    assert!(run.stdout.contains("50 of 50 answered"), "{}", run.shown());
    assert_eq!(helper.runs().len(), 2);
    assert_eq!(statuses(&server).into_iter().filter(|status| *status == 200).count(), 50);
}

#[test]
fn a_token_that_is_refused_again_is_the_guests_to_hear_of() {
    let server = seed();
    let helper = Helper::saying(&json!({"token": "stale"}));
    helper.answers(2, &json!({"token": "stale-too"}));
    let run = ask(&known_by(&server, &helper.user()), 1).success();
    assert_eq!(run.stdout, "status 401\n");
    assert!(
        run.stderr.contains(
            "it does not accept the credential that the credential plugin of user `token` returned"
        ),
        "{}",
        run.shown()
    );
    assert_eq!((helper.runs().len(), statuses(&server)), (2, vec![401, 401]));
}

#[test]
fn a_token_that_is_the_same_again_is_not_sent_again() {
    let server = seed();
    let helper = Helper::saying(&json!({"token": "stale"}));
    ask(&known_by(&server, &helper.user()), 1).success();
    assert_eq!((helper.runs().len(), statuses(&server)), (2, vec![401]));
}

#[test]
fn a_plugin_that_fails_when_it_is_asked_again_is_told_and_the_answer_stays() {
    let server = seed();
    let helper = Helper::saying(&json!({"token": "stale"}));
    helper.set("answer-2", "nonsense");
    let run = ask(&known_by(&server, &helper.user()), 1).success();
    assert_eq!(run.stdout, "status 401\n");
    assert!(run.stderr.contains("its output is not an ExecCredential"), "{}", run.shown());
    assert_eq!(statuses(&server), [401]);
}

#[test]
fn no_other_answer_has_anything_renewed() {
    for code in [400, 403, 407, 429, 500, 503] {
        let server = seed();
        let helper = Helper::saying(&token(&server));
        server.fault(Fault::status(code, None));
        let run = ask(&known_by(&server, &helper.user()), 1).success();
        assert_eq!(run.stdout, format!("status {code}\n"));
        assert_eq!((helper.runs().len(), server.requests().len()), (1, 1), "{code}");
    }
}

#[test]
fn what_is_in_the_kubeconfig_itself_cannot_be_renewed() {
    for user in [User::Token, User::Certificate] {
        let server = seed();
        server.fault(Fault::unauthorized());
        let run = ask(&Kwasm::new().kubeconfig(kubeconfig(&server, user)), 1).success();
        assert_eq!((run.stdout.as_str(), statuses(&server)), ("status 401\n", vec![401]));
    }
}

#[test]
fn a_small_body_is_sent_again_as_it_was() {
    let server = seed();
    let helper = renewing(&server);
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "new"}}).to_string();
    let url = "http://192.0.2.1/api/v1/namespaces/shop/configmaps";
    let request = json!(["POST", url, [["content-type", "application/json"]], object]);
    let run = send(&known_by(&server, &helper.user()), &[request]).success();
    assert_eq!(run.stdout, "status 201\n", "{}", run.shown());
    assert!(server.get("namespaces/shop/configmaps/new").is_some());
    let requests = server.requests();
    assert_eq!(statuses(&server), [401, 201]);
    assert!(requests.iter().all(|request| request.upload == Upload::Complete));
    assert!(requests.iter().all(|request| request.bytes == object.len() as u64));
}

#[test]
fn a_body_is_sent_again_up_to_sixty_four_kibibytes_and_no_larger_one() {
    for (bytes, status, seen) in [(65_536, 200, vec![401, 200]), (65_537, 401, vec![401])] {
        for framing in [None, Some("--length")] {
            let server = seed();
            let helper = renewing(&server);
            let length = bytes.to_string();
            let arguments: Vec<&str> = ["/sink", &length].into_iter().chain(framing).collect();
            let run = known_by(&server, &helper.user()).run("uploads", &arguments).success();
            assert!(run.stdout.starts_with(&format!("status {status}\n")), "{}", run.shown());
            assert_eq!((statuses(&server), helper.runs().len()), (seen.clone(), 2), "{bytes} {framing:?}");
            assert_eq!(server.uploads().len(), usize::from(status == 200));
        }
    }
}

#[test]
fn a_token_file_is_read_again_when_its_token_is_refused() {
    let server = seed();
    let path = server.folder().join("changing");
    std::fs::write(&path, "stale\n").unwrap();
    let kwasm = known_by(&server, &json!({"tokenFile": path}));
    let mut running = kwasm.start_with_input("sends-many", &[]);
    let mut input = running.stdin();
    let mut ask = || writeln!(input, "{ASK}").unwrap();
    ask();
    assert_eq!(running.line(), "status 401");
    std::fs::write(&path, format!(" {}\n", server.token())).unwrap();
    ask();
    assert_eq!(running.line(), "status 200");
    drop(input);
    running.end().success();
    assert_eq!(statuses(&server), [401, 401, 200]);
}

#[test]
fn a_certificate_in_files_is_read_again_when_it_is_refused() {
    let server = seed();
    let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::CertificateFiles));
    let mut running = kwasm.start_with_input("sends-many", &[]);
    let mut input = running.stdin();
    let mut ask = || writeln!(input, "{ASK}").unwrap();
    ask();
    assert_eq!(running.line(), "status 200");
    let other = server.certificate_of("exec-user").unwrap();
    std::fs::write(server.folder().join("client.crt"), other.certificate).unwrap();
    std::fs::write(server.folder().join("client.key"), other.key).unwrap();
    server.fault(Fault::unauthorized());
    ask();
    assert_eq!(running.line(), "status 200");
    drop(input);
    running.end().success();
    assert_eq!(users(&server), [CERTIFICATE_USER, CERTIFICATE_USER, "exec-user"]);
}

#[test]
fn a_certificate_that_takes_anothers_place_is_shown_to_the_server_at_once() {
    let server = seed();
    let helper = Helper::new();
    for (run, user) in [(1, "first"), (2, "second"), (3, "second")] {
        let mut status = certificate(&server.certificate_of(user).unwrap());
        status["expirationTimestamp"] = json!(PAST);
        helper.answers(run, &status);
    }
    ask(&known_by(&server, &helper.user()), 3).success();
    assert_eq!(users(&server), ["first", "second", "second"]);
}

#[test]
fn a_certificate_that_stays_the_same_keeps_its_connection() {
    let server = seed();
    let mut status = certificate(&server.certificate_of("exec-user").unwrap());
    status["expirationTimestamp"] = json!(PAST);
    let helper = Helper::saying(&status);
    ask(&known_by(&server, &helper.user()), 3).success();
    assert_eq!((helper.runs().len(), server.connections()), (3, 1));
}

#[test]
fn a_watch_goes_on_when_a_certificate_takes_the_place_of_its_own() {
    let server = seed();
    let helper = Helper::new();
    for (run, user) in [(1, "first"), (2, "second")] {
        let mut status = certificate(&server.certificate_of(user).unwrap());
        status["expirationTimestamp"] = json!(PAST);
        helper.answers(run, &status);
    }
    let kwasm = known_by(&server, &helper.user());
    let mut running = kwasm.start_with_input(
        "watches-and-asks",
        &["/api/v1/namespaces/shop/configmaps?watch=1&resourceVersion=0", "/version"],
    );
    running.line_with("watching");
    let mut input = running.stdin();
    writeln!(input).unwrap();
    assert_eq!(running.line_with("asked"), "asked: status 200");
    assert_eq!(users(&server), ["first", "second"]);
    server.put("namespaces/shop/configmaps/after", json!({})).unwrap();
    assert!(running.line_with("after").contains("ADDED"));
    drop(input);
    running.signal("INT");
    running.end();
}

#[test]
fn a_token_is_what_the_next_request_has_where_the_body_could_not_be_sent_again() {
    let server = seed();
    let helper = renewing(&server);
    let large = json!(["POST", "http://192.0.2.1/sink", [], "x".repeat(70_000)]);
    let small = json!(["GET", "http://192.0.2.1/version", [], null]);
    let run = send(&known_by(&server, &helper.user()), &[large, small]).success();
    assert_eq!(run.stdout, "status 401\nstatus 200\n");
    assert_eq!(server.requests().last().unwrap().user.as_deref(), Some(TOKEN_USER));
}

#[test]
fn a_shell_is_opened_that_was_refused_at_first() {
    let Some(real) = real("credentials::renewal::a_shell_is_opened_that_was_refused_at_first") else {
        return;
    };
    real.feed(&["create", "namespace", "renewal"], "");
    real.feed(&["run", "shell", "--image=none", "--namespace", "renewal"], "");
    let ready = ["wait", "--for=condition=Ready", "pod/shell", "--namespace", "renewal", "--timeout=60s"];
    real.feed(&ready, "");
    let path = real.kubeconfig(kwasm_cluster::User::Alice);
    let mut config: Value = serde_saphyr::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let user = &mut config["users"][0]["user"];
    let pem =
        |name: &str| std::fs::read_to_string(path.with_file_name(user[name].as_str().unwrap())).unwrap();
    let keyed =
        json!({"clientCertificateData": pem("client-certificate"), "clientKeyData": pem("client-key")});
    // Each connection of kubectl's is a kwasm of its own, and each is refused at first.
    let helper = Helper::new();
    for run in (1..40).step_by(2) {
        helper.answers(run, &json!({"token": "stale"}));
        helper.answers(run + 1, &keyed);
    }
    *user = helper.user();
    // Beside the other one, for relative paths in it.
    let own = path.with_file_name("renewal.config");
    std::fs::write(&own, config.to_string()).unwrap();
    let relay = Relay::start(Kwasm::new().kubeconfig(own));
    for websockets in ["true", "false"] {
        let mut kubectl = std::process::Command::new(real.kubectl_program());
        kubectl.args([
            "--server",
            &relay.url(),
            "--namespace",
            "renewal",
            "exec",
            "shell",
            "--",
            "echo",
            "open",
        ]);
        kubectl.env("KUBECONFIG", "/nowhere").env("KUBECTL_REMOTE_COMMAND_WEBSOCKETS", websockets);
        assert_eq!(Run::of(&mut kubectl).success().stdout, "open\n");
    }
    assert_eq!(helper.runs().len() % 2, 0, "each kwasm has it run twice");
}
