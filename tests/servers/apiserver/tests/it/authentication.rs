//! Tests of authentication: accepted and refused users.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kwasm_apiserver::{ApiServer, ClientCheck, Kubeconfig, ServerCertificate, User};
use serde_json::{Value, json};

use crate::client::{Client, Whole, causes};

const REVIEW: &str = "/apis/authentication.k8s.io/v1/selfsubjectreviews";

fn review(client: &Client) -> Value {
    let answer = client.post(REVIEW, &json!({ "kind": "SelfSubjectReview" }));
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()["status"]["userInfo"].clone()
}

fn without_certificate(server: &ApiServer) -> Client {
    Client::with(server, server.authority(), None)
}

fn attempt(server: &ApiServer, authority: Option<&str>, user: User) -> Result<Whole, String> {
    let client = Client::with(server, authority, server.client_certificate(user));
    client.send_as("GET", "/version", "application/json", "").map_err(|error| causes(error.as_ref()))
}

#[test]
fn a_certificate_names_a_user_and_groups() {
    let server = ApiServer::start().unwrap();
    let expected =
        json!({ "username": "jane", "groups": ["developers", "shop-owners", "system:authenticated"] });
    assert_eq!(review(&Client::new(&server)), expected);
    assert_eq!(server.requests()[0].user.as_deref(), Some("jane"));
}

#[test]
fn a_token_and_a_password_name_users() {
    let server = ApiServer::start().unwrap();
    let by_token = review(&without_certificate(&server).with_token(server.token()));
    assert_eq!(by_token["username"], "system:serviceaccount:shop:robot");
    let (user, password) = server.basic();
    let mut client = without_certificate(&server);
    let encoded = STANDARD.encode(format!("{user}:{password}"));
    client.headers.push(("authorization", format!("Basic {encoded}")));
    assert_eq!(review(&client)["username"], user);
}

#[test]
fn nobody_and_a_wrong_token_get_401() {
    let server = ApiServer::start().unwrap();
    let wrong = without_certificate(&server).with_token("wrong");
    for client in [without_certificate(&server), wrong] {
        for path in ["/api/v1/secrets", "/version", "/nonsense"] {
            let answer = client.get(path);
            assert_eq!((answer.status, answer.reason().as_str()), (401, "Unauthorized"));
        }
    }
    assert!(server.requests().iter().all(|received| received.user.is_none() && received.status == Some(401)));
}

#[test]
fn a_user_may_speak_as_another() {
    let server = ApiServer::start().unwrap();
    let mut client = Client::new(&server);
    client.headers.push(("impersonate-group", "ops".to_owned()));
    assert_eq!(client.get("/version").status, 500, "a group alone can't be impersonated");
    client.headers.push(("impersonate-user", "root".to_owned()));
    client.headers.push(("impersonate-extra-why", "test".to_owned()));
    let info = review(&client);
    assert_eq!((&info["username"], &info["extra"]), (&json!("root"), &json!({ "why": ["test"] })));
    assert_eq!(info["groups"], json!(["ops", "system:authenticated"]));
}

#[test]
fn bad_client_certificates_end_the_handshake() {
    let server = ApiServer::start().unwrap();
    for (user, alert) in [
        (User::ExpiredCertificate, "CertificateExpired"),
        (User::NotYetValidCertificate, "Certificate"),
        (User::ForeignCertificate, "UnknownCA"),
    ] {
        let error = attempt(&server, server.authority(), user).unwrap_err();
        assert!(error.contains(alert), "{user:?}: {error}");
    }
    assert!(server.requests().is_empty() && server.connections() == 3);
    assert!(server.failures().iter().all(|failure| failure.contains("handshake")), "{:?}", server.failures());
}

#[test]
fn bad_client_certificates_get_401_where_http_checks_them() {
    let server = ApiServer::builder().client_check(ClientCheck::Http).start().unwrap();
    for user in [User::ExpiredCertificate, User::NotYetValidCertificate, User::ForeignCertificate] {
        assert_eq!(attempt(&server, server.authority(), user).unwrap().reason(), "Unauthorized", "{user:?}");
    }
    assert_eq!(attempt(&server, server.authority(), User::Certificate).unwrap().status, 200);
}

#[test]
fn where_anybody_is_taken_what_they_show_is_written_down() {
    let server = ApiServer::builder().takes_anybody().start().unwrap();
    for user in [User::ForeignCertificate, User::Nobody] {
        assert_eq!(attempt(&server, server.authority(), user).unwrap().status, 200, "{user:?}");
    }
    let requests = server.requests();
    assert!(requests.iter().all(|request| request.user.is_none() && request.server_name.is_none()));
    assert!(requests[0].certificate.as_deref().unwrap().contains("CN=jane"), "{requests:#?}");
    assert!(requests[1..].iter().all(|request| request.certificate.is_none()), "{requests:#?}");
}

#[test]
fn bad_server_certificates_are_bad_in_the_way_chosen() {
    for (kind, problem) in [
        (ServerCertificate::Expired, "certificate expired"),
        (ServerCertificate::NotYetValid, "certificate not valid yet"),
        (ServerCertificate::WrongName, "certificate not valid for name"),
    ] {
        let server = ApiServer::builder().certificate(kind).start().unwrap();
        let error = attempt(&server, server.authority(), User::Certificate).unwrap_err();
        assert!(error.contains(problem), "{kind:?}: {error}");
    }
}

#[test]
fn two_servers_have_nothing_in_common() {
    let (one, two) = (ApiServer::start().unwrap(), ApiServer::start().unwrap());
    let error = attempt(&one, two.authority(), User::Certificate).unwrap_err();
    assert!(error.contains("UnknownIssuer"), "{error}");
    let error = Client::with(&one, one.authority(), two.client_certificate(User::Certificate))
        .send_as("GET", "/version", "", "")
        .unwrap_err();
    assert!(causes(error.as_ref()).contains("UnknownCA"), "{}", causes(error.as_ref()));
    assert_eq!(without_certificate(&one).with_token(two.token()).get("/version").status, 401);
}

#[test]
fn plain_http_knows_tokens_only() {
    let server = ApiServer::builder().plain_http().start().unwrap();
    assert!(server.url().starts_with("http://127.0.0.1:") && server.authority().is_none());
    assert_eq!(Client::new(&server).get("/version").status, 401);
    assert_eq!(Client::new(&server).with_token(server.token()).get("/version").status, 200);
}

#[test]
fn each_credential_in_a_kubeconfig_is_a_known_secret() {
    let server = ApiServer::builder().namespace("shop").start().unwrap();
    let secrets = server.secrets();
    for user in User::ALL {
        let text = fs::read_to_string(server.kubeconfig(user)).unwrap();
        assert!(text.contains(server.url()) && text.contains("namespace: \"shop\""), "{user:?}: {text}");
        let held = ["client-key-data", "token", "password"];
        let credential = text.lines().find_map(|line| {
            let (key, value) = line.trim().split_once(": ")?;
            held.contains(&key).then(|| value.trim_matches('"').to_owned())
        });
        let outside = [User::CertificateFiles, User::TokenFile, User::Nobody].contains(&user);
        assert_eq!(credential.is_none(), outside, "{user:?}");
        assert!(credential.is_none_or(|credential| secrets.contains(&credential)), "{user:?}");
    }
    for file in ["client.key", "token"] {
        let text = fs::read_to_string(server.folder().join(file)).unwrap();
        assert!(text.lines().any(|line| secrets.iter().any(|secret| secret == line)), "{file}");
    }
}

#[test]
fn a_kubeconfig_may_have_contexts_of_several_servers() {
    let (one, two) = (ApiServer::start().unwrap(), ApiServer::start().unwrap());
    let mut second = two.context(User::Token);
    second.name = "second".to_owned();
    second.namespace = Some("shop".to_owned());
    let kubeconfig = Kubeconfig::new().with(one.context(User::Certificate)).with(second).current("second");
    let path = one.write_kubeconfig("both", &kubeconfig).unwrap();
    let text = fs::read_to_string(path).unwrap();
    assert!(
        text.contains("current-context: \"second\"") && text.contains(one.url()) && text.contains(two.url())
    );
    assert!(text.contains(two.token()) && text.contains("namespace: \"shop\""));
}

#[test]
fn a_server_takes_its_files_and_its_port_with_it() {
    let server = ApiServer::start().unwrap();
    let (folder, address) = (server.folder().to_owned(), server.address());
    assert!(folder.exists());
    drop(server);
    assert!(!folder.exists());
    assert!(std::net::TcpStream::connect(address).is_err());
}
