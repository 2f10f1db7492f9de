//! Tests of the kinds of credentials that need no help, and of their precedence.

use kwasm_apiserver::{BASIC_USER, CERTIFICATE_USER, TOKEN_USER, User};
use serde_json::{Value, json};

use super::program::ask;
use super::{known_by, users};
use crate::support::{Kwasm, kubeconfig, seed};

#[test]
fn a_name_and_a_password_are_sent() {
    let server = seed();
    ask(&Kwasm::new().kubeconfig(kubeconfig(&server, User::Basic)), 1).success();
    assert_eq!(users(&server), [BASIC_USER]);
}

#[test]
fn a_token_file_is_trimmed() {
    let server = seed();
    ask(&Kwasm::new().kubeconfig(kubeconfig(&server, User::TokenFile)), 1).success();
    assert_eq!(users(&server), [TOKEN_USER]);
}

#[test]
fn a_token_file_wins_over_a_token_as_long_as_it_has_one() {
    for (file, user) in [("good", "token"), ("none", "nobody"), ("empty", "nobody")] {
        let server = seed();
        std::fs::write(server.folder().join("good"), server.token()).unwrap();
        std::fs::write(server.folder().join("empty"), "\n").unwrap();
        ask(&known_by(&server, &json!({"token": "wrong", "tokenFile": file})), 1).success();
        let expected = if user == "token" { TOKEN_USER } else { user };
        assert_eq!(users(&server), [expected], "{file}");
    }
}

#[test]
fn a_certificate_and_a_token_are_both_shown() {
    let server = seed();
    let mut user = json!(server.context(User::Certificate).user);
    user["token"] = json!("beside-it");
    ask(&known_by(&server, &user), 1).success();
    let requests = server.requests();
    assert_eq!(requests[0].user.as_deref(), Some(CERTIFICATE_USER));
    assert_eq!(requests[0].header("authorization"), Some("Bearer beside-it"));
}

#[test]
fn a_key_without_a_certificate_is_passed_over_where_something_else_is_there() {
    let server = seed();
    ask(&known_by(&server, &json!({"token": server.token(), "client-key": "client.key"})), 1).success();
    assert_eq!(users(&server), [TOKEN_USER]);
}

#[test]
fn what_client_go_refuses_is_refused_and_shows_no_secret() {
    let pair = |more: Value| {
        let mut user = json!({"client-certificate": "client.crt", "client-key": "client.key"});
        user.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        user
    };
    for (user, why) in [
        (json!({"token": "hunter2", "username": "a"}), "more than one authentication method"),
        (json!({"token": "hunter2", "password": "hunter2"}), "more than one authentication method"),
        (
            json!({"tokenFile": "token", "username": "a", "password": "hunter2"}),
            "more than one authentication method",
        ),
        (json!({"password": "hunter2"}), "its username is missing"),
        (json!({"client-certificate": "client.crt"}), "its key is missing"),
        (json!({"client-key-data": "hunter2"}), "its certificate is missing"),
        (pair(json!({"client-certificate-data": "hunter2"})), "it is given twice, as data and as a file"),
        (pair(json!({"client-key-data": "hunter2"})), "it is given twice, as data and as a file"),
        (
            json!({"exec": {"command": "x", "apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never"}, "auth-provider": {"name": "oidc"}}),
            "exclude each other",
        ),
        (json!({"auth-provider": {"name": "gcp"}, "token": "hunter2"}), "gke-gcloud-auth-plugin"),
        (json!({"tokenFile": "nowhere"}), "nowhere: No such file"),
        (json!({"token": "hunter2\n"}), "it has characters that no header may have"),
        (pair(json!({"client-key": "nowhere"})), "nowhere: No such file"),
        (pair(json!({"client-key": "client.crt"})), "the client key of user `token`"),
    ] {
        let server = seed();
        let run = ask(&known_by(&server, &user), 1);
        assert!(run.stderr.contains(why), "{why}: {}", run.shown());
        assert!(!run.shown().contains("hunter2"), "{}", run.shown());
        assert!(server.requests().is_empty());
    }
}
