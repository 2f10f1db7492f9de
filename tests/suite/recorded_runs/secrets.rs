//! Neither values of secrets nor credentials are in a record.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Stdio;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use kwasm_apiserver::User;
use kwasm_cluster::User as RealUser;
use serde_json::{Value, json};

use super::{Session, command};
use crate::support::{Run, kubeconfig, real, seed};

/// The length of the pieces that are searched for.
const PIECE: usize = 16;

/// Returns the pieces of a text and of its base64.
fn pieces(bytes: &[u8], found: &mut BTreeSet<Vec<u8>>) {
    let encoded = STANDARD.encode(bytes);
    for text in [bytes, encoded.as_bytes()] {
        found.extend(text.windows(PIECE).map(<[u8]>::to_vec));
        if (8..PIECE).contains(&text.len()) {
            found.insert(text.to_vec());
        }
    }
}

/// Returns the pieces of the values in secrets.
fn pieces_of(secrets: &[Value]) -> BTreeSet<Vec<u8>> {
    let mut found = BTreeSet::new();
    let values = secrets.iter().flat_map(|secret| secret["data"].as_object().into_iter().flatten());
    for (_, value) in values {
        pieces(&STANDARD.decode(value.as_str().unwrap()).unwrap(), &mut found);
    }
    assert!(!found.is_empty());
    found
}

/// Returns the pieces of what a kubeconfig holds beside names and addresses.
fn pieces_of_kubeconfig(path: &Path) -> BTreeSet<Vec<u8>> {
    let text = fs::read_to_string(path).unwrap();
    let config: Value = serde_saphyr::from_str(&text).unwrap();
    let mut found = BTreeSet::new();
    for user in config["users"].as_array().unwrap() {
        for (key, value) in user["user"].as_object().unwrap() {
            let Some(value) = value.as_str() else { continue };
            match key.as_str() {
                "client-certificate-data" | "client-key-data" => {
                    pieces(&STANDARD.decode(value).unwrap(), &mut found);
                }
                "client-certificate" | "client-key" | "tokenFile" => {
                    let file = path.parent().unwrap().join(value);
                    pieces(&fs::read(file).unwrap(), &mut found);
                }
                "token" | "password" => pieces(value.as_bytes(), &mut found),
                _ => {}
            }
        }
    }
    assert!(!found.is_empty());
    // What every certificate begins with is no secret.
    found.retain(|piece| {
        !"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n".contains(&*String::from_utf8_lossy(piece))
    });
    found
}

/// Returns a record, and the bytes of each text in it that is base64 itself.
fn contents(record: &str) -> Vec<Vec<u8>> {
    let mut found = vec![record.as_bytes().to_vec()];
    let texts = record.split('"').filter(|text| text.len() >= PIECE);
    found.extend(
        texts.filter_map(|text| STANDARD.decode(text).or_else(|_| URL_SAFE_NO_PAD.decode(text)).ok()),
    );
    found
}

#[track_caller]
fn has_none_of(record: &str, pieces: &BTreeSet<Vec<u8>>) {
    for content in contents(record) {
        for window in content.windows(PIECE) {
            assert!(!pieces.contains(window), "{:?} is in {record}", String::from_utf8_lossy(window));
        }
        for short in pieces.iter().filter(|piece| piece.len() < PIECE) {
            let found = content.windows(short.len()).any(|window| window == short);
            assert!(!found, "{:?} is in {record}", String::from_utf8_lossy(short));
        }
    }
}

fn send(session: &Session, options: &[&str], requests: &[Value]) -> Run {
    let lines: Vec<_> = requests.iter().map(Value::to_string).collect();
    let input = session.kwasm.home().join("requests");
    fs::write(&input, lines.join("\n")).unwrap();
    let options = [&["--policy", "cluster", "--record", session.path()], options].concat();
    let mut command = command(&session.kwasm, &options, "sends-many", &[]);
    command.stdin(Stdio::from(fs::File::open(input).unwrap()));
    Run::of(&mut command).success()
}

#[test]
fn no_secret_of_the_demo_is_in_a_record_unless_it_is_wanted() {
    for user in [User::Certificate, User::CertificateFiles, User::Token, User::TokenFile, User::Basic] {
        let server = seed();
        let path = kubeconfig(&server, user);
        let session = Session::at(&path);
        let secrets =
            ["db", "web-tls"].map(|name| server.get(&format!("namespaces/shop/secrets/{name}")).unwrap());
        let pieces = pieces_of(&secrets);
        for arguments in [
            &["http://192.0.2.1/api/v1/namespaces/shop/secrets"][..],
            &["http://192.0.2.1/api/v1/namespaces/shop/secrets/db"],
            &["http://192.0.2.1/api/v1/secrets?watch=true&timeoutSeconds=1"],
        ] {
            let run = session.record("cluster", "dials", arguments).success();
            let shown = STANDARD.encode("correct horse battery staple");
            assert!(run.stdout.contains(&shown), "the plugin sees the value: {}", run.shown());
            let record = session.text();
            has_none_of(&record, &pieces);
            has_none_of(&record, &pieces_of_kubeconfig(&path));
            assert!(record.contains("bGVmdCBvdXQ="), "{record}");
            let replayed = session.replay("cluster", "dials", arguments).success();
            assert!(!replayed.stdout.contains(&shown) && replayed.stdout.contains("bGVmdCBvdXQ="));
        }
        let wanted = ["--policy", "cluster", "--record-secrets", "--record", session.path()];
        let arguments = ["http://192.0.2.1/api/v1/namespaces/shop/secrets/db"];
        let recorded = Run::of(&mut command(&session.kwasm, &wanted, "dials", &arguments)).success();
        assert!(session.text().contains(&STANDARD.encode("correct horse battery staple")));
        has_none_of(&session.text(), &pieces_of_kubeconfig(&path));
        session.are_equal(&recorded, &session.replay("cluster", "dials", &arguments), "dials");
    }
}

/// The forms in which secrets are read: a query, and the media type that is accepted.
const READS: [(&str, &str); 14] = [
    ("", "application/json"),
    ("?pretty=true", "application/json"),
    ("", TABLES),
    ("?includeObject=Object", TABLES),
    ("", "application/yaml"),
    ("", "application/cbor"),
    ("", PROTOBUF),
    ("", "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"),
    ("?watch=true&timeoutSeconds=1", "application/json"),
    ("?watch=true&timeoutSeconds=1", PROTOBUF),
    ("?watch=true&timeoutSeconds=1", "application/vnd.kubernetes.protobuf;stream=watch"),
    ("?watch=true&timeoutSeconds=1", "application/yaml"),
    ("/kept", "application/json"),
    ("/kept", PROTOBUF),
];

const TABLES: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";

const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

/// Returns requests that write a value into secrets, in each form that the server takes and some that it refuses.
fn writes(base: &str, other: &str) -> [Value; 7] {
    let body = |text: &Value| Value::String(text.to_string());
    let json = json!([["content-type", "application/json"]]);
    let of = |media_type: &str| json!([["content-type", media_type]]);
    let kept = format!("{base}/kept");
    let named = |name: &str, data: Value| json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data});
    [
        json!(["POST", base, json, body(&named("made", json!({"two": other})))]),
        json!(["POST", base, json, body(&named("wrong", json!({"two": [other]})))]),
        json!(["POST", base, json, format!("{{\"kind\": \"Secret\", \"data\": {{\"a\": \"{other}")]),
        json!([
            "POST",
            base,
            of("application/yaml"),
            format!("kind: Secret\nmetadata: {{name: yaml}}\nstringData: {{a: {other}}}\n")
        ]),
        json!([
            "PATCH",
            kept,
            of("application/merge-patch+json"),
            body(&json!({"stringData": {"three": other}}))
        ]),
        json!([
            "PATCH",
            kept,
            of("application/json-patch+json"),
            body(&json!([{"op": "add", "path": "/data/four", "value": STANDARD.encode(other)}]))
        ]),
        json!([
            "PATCH",
            format!("{base}/kept?fieldManager=x&force=true"),
            of("application/apply-patch+yaml"),
            format!(
                "apiVersion: v1\nkind: Secret\nmetadata: {{name: kept}}\nstringData: {{five: {other}}}\n"
            )
        ]),
    ]
}

/// Checks that a token which the server issues is not in the record.
fn has_no_token(session: &Session) {
    // A token of a service account is three parts of base64, the first of which says so.
    let token = "http://192.0.2.1/api/v1/namespaces/unrecorded/serviceaccounts/robot/token";
    let header = "content-type: application/json";
    let request = r#"{"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}"#;
    let line = [token, "--method", "POST", "--header", header, "--body", request];
    let run = session.record("cluster", "dials", &line).success();
    assert!(run.stdout.contains("eyJhbGciOi"), "{}", run.shown());
    let record = session.text();
    assert!(record.contains("\"token\":\"left out\"") && !record.contains("eyJhbGciOi"), "{record}");
}

#[test]
fn no_secret_of_the_real_server_is_in_a_record_in_any_of_its_forms() {
    let Some(real) = real("no_secret_of_the_real_server_is_in_a_record_in_any_of_its_forms") else { return };
    real.feed(&["create", "namespace", "unrecorded"], "");
    let value = "a value that no one may find in a file";
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "kept", "namespace": "unrecorded"},
        "stringData": {"one": value, "short": "12345678"},
    });
    // With the annotation that has a copy of it.
    real.feed(&["apply", "-f", "-"], &secret.to_string());
    real.feed(&["create", "serviceaccount", "robot", "--namespace", "unrecorded"], "");
    let path = real.kubeconfig(RealUser::Alice);
    let session = Session::at(&path);
    let kept = real.feed(&["get", "secret", "kept", "--namespace", "unrecorded", "-o", "json"], "");
    let pieces = pieces_of(&[serde_json::from_str(&kept).unwrap()]);
    let base = "http://192.0.2.1/api/v1/namespaces/unrecorded/secrets";
    for (query, accept) in READS {
        let url = format!("{base}{query}");
        let header = format!("accept: {accept}");
        let arguments = [&url, "--header", &header];
        let run = session.record("cluster", "dials", &arguments).success();
        let record = session.text();
        has_none_of(&record, &pieces);
        has_none_of(&record, &pieces_of_kubeconfig(&path));
        // In a form that is understood nothing but values is left out.
        let understood = accept.contains("json") || accept.contains("protobuf");
        if run.stdout.starts_with("status 200") {
            assert_eq!(!record.contains("\"leftOut\""), understood, "{accept} {query}: {record}");
            assert_eq!(session.replay("cluster", "dials", &arguments).code == Some(0), understood);
        }
    }
    let other = "another value that no one may find either";
    let requests = writes(&base.replace("http://192.0.2.1", ""), other);
    let run = send(&session, &[], &requests);
    assert!(run.stdout.matches("status 201").count() >= 2, "{}", run.shown());
    let mut forbidden = pieces;
    super::secrets::pieces(other.as_bytes(), &mut forbidden);
    let record = session.text();
    has_none_of(&record, &forbidden);
    has_no_token(&session);
}
