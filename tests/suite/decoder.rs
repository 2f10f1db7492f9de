//! The decoder, through its link and without, at both API servers.

use std::time::Duration;

use kwasm_apiserver::{CERTIFICATE_USER, Fault, User};
use kwasm_cluster::User as RealUser;

use crate::support::{Kwasm, Run, Running, component, kubeconfig, real, seed};

const SECRET: &[&str] = &["secret", "web-tls", "-n", "shop"];

#[test]
fn a_secret_is_decoded_with_the_certificates_in_it() {
    let server = seed();
    let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Certificate));
    let run = kwasm.run("decoder", SECRET).success();
    assert_eq!(run.stderr, "");
    for seen in ["web-tls", "kubernetes.io/tls", "tls.crt", "Subject", "web.shop.example", "PRIVATE KEY"] {
        assert!(run.stdout.contains(seen), "{seen}: {}", run.stdout);
    }
    assert!(!run.stdout.contains('\u{1b}'), "no colours off a terminal");
    let requests = server.requests();
    assert_eq!(requests.len(), 1, "one request");
    assert_eq!(requests[0].user.as_deref(), Some(CERTIFICATE_USER));
}

#[test]
fn the_flags_choose_namespace_and_context_as_they_do_for_kubectl() {
    let (here, there) = (seed(), seed());
    let contexts = kwasm_apiserver::Kubeconfig::new()
        .with(here.context(User::Certificate))
        .with(there.context(User::Token))
        .current("certificate");
    let path = here.write_kubeconfig("both", &contexts).unwrap();
    let kwasm = Kwasm::new();
    let path = path.to_str().unwrap();
    for arguments in [
        &["secret", "db", "-n", "shop", "--kubeconfig", path][..],
        &["secret", "db", "-nshop", &format!("--kubeconfig={path}"), "--context=certificate"],
    ] {
        kwasm.run("decoder", arguments).success();
    }
    assert_eq!((here.requests().len(), there.requests().len()), (2, 0));
    kwasm
        .run("decoder", &["--context", "token", "secret", "db", "--namespace=shop", "--kubeconfig", path])
        .success();
    assert_eq!((here.requests().len(), there.requests().len()), (2, 1));
}

#[test]
fn every_connection_flag_that_it_gets_to_see_is_no_option_unknown_to_it() {
    let server = seed();
    let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Token));
    let flags = [
        &["--as", "alice", "--as-uid=7", "--as-group", "dev", "--as-user-extra=scopes=a"][..],
        &["--context=token", "--cluster", "token", "--user=token"],
        &["-s", server.url(), "--tls-server-name=localhost"],
        &["--request-timeout", "5s", "--disable-compression", "--insecure-skip-tls-verify=false"],
    ];
    let run = kwasm.run("decoder", &[flags.concat().as_slice(), SECRET].concat()).success();
    assert!(run.stdout.contains("web.shop.example"), "{}", run.shown());
    assert_eq!(server.requests()[0].user.as_deref(), Some("alice"));
}

#[test]
fn through_the_link_and_without_it_prints_the_same_at_the_real_server() {
    let Some(real) = real("through_the_link_and_without_it_prints_the_same_at_the_real_server") else {
        return;
    };
    // An X.509 v1 client certificate, a token, and an X.509 v3 certificate inside the file.
    for user in [RealUser::Alice, RealUser::Bob, RealUser::Carol] {
        let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(user));
        kwasm.call(["install", component("decoder").to_str().unwrap(), "--policy", "decoder"]).success();
        let direct = kwasm.run("decoder", SECRET).success();
        let kubectl = Run::of(kwasm.program(real.kubectl_program()).arg("decoder").args(SECRET)).success();
        assert!(direct.stdout.contains("web.shop.example"), "{}", direct.shown());
        assert_eq!(direct.stdout, kubectl.stdout);
        assert_eq!((direct.stderr.as_str(), kubectl.stderr.as_str()), ("", ""));
    }
}

#[test]
fn a_secret_that_is_not_there_is_told_by_the_plugin() {
    let server = seed();
    let run = Kwasm::new()
        .kubeconfig(kubeconfig(&server, User::Token))
        .run("decoder", &["secret", "x", "-n", "shop"]);
    assert_eq!(run.code, Some(1), "{}", run.shown());
    assert!(run.stderr.contains("not found") && run.stderr.ends_with('\n'), "{}", run.shown());
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// A secret with a login of a registry, a token that never expires, a Java keystore and the beginning of a PKCS #12 one.
fn explained() -> serde_json::Value {
    let login = br#"{"auths": {"registry.example": {"auth": "cm9ib3Q6cGFzcw=="}}}"#;
    // {"alg":"RS256"} and {"sub":"system:serviceaccount:shop:runner"}
    let token = b"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzeXN0ZW06c2VydmljZWFjY291bnQ6c2hvcDpydW5uZXIifQ.c2ln";
    serde_json::json!({
        "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
        "metadata": {"name": "explained", "namespace": "shop"},
        "data": {
            ".dockerconfigjson": base64(login),
            "token": base64(token),
            "java.jks": base64(&[0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2, 0, 0, 0, 3]),
            "store.p12": base64(&[0x30, 0x82, 0x09, 0x09, 0x02, 0x01, 0x03, 0x30]),
        },
    })
}

#[test]
fn logins_and_tokens_are_explained_and_keystores_named() {
    let server = seed();
    server.put("namespaces/shop/secrets/explained", explained()).unwrap();
    let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Token)).policy("decoder");
    let run = kwasm.run("decoder", &["secret", "explained", "-n", "shop"]).success();
    for seen in [
        "User:                robot",
        "Password:            pass",
        "Subject:             system:serviceaccount:shop:runner",
        "Expires:             never",
        "(Java keystore (JKS) with 3 entries, 12 bytes, not decoded",
        "(PKCS #12 keystore, 8 bytes, not decoded",
    ] {
        assert!(run.stdout.contains(seen), "{seen}: {}", run.shown());
    }
    let raw = kwasm.run("decoder", &["secret", "explained", "-n", "shop", "--raw"]).success();
    assert!(raw.stdout.contains("fe ed fe ed") && !raw.stdout.contains("robot"), "{}", raw.shown());
}

#[test]
fn programs_get_each_certificate_of_a_chain() {
    let server = seed();
    let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Token));
    let run = kwasm.run("decoder", &[SECRET, &["-o", "json"]].concat()).success();
    let secret: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(secret["data"]["tls.crt"]["certificates"].as_array().unwrap().len(), 2);
    assert!(secret["data"]["tls.key"]["text"].as_str().unwrap().contains("PRIVATE KEY"));
}

#[test]
fn a_secret_is_shown_again_when_it_changes_and_only_under_a_policy_that_lets_it_watch() {
    let Some(real) = real("a_secret_is_shown_again_when_it_changes") else { return };
    let secret = |value: &str| {
        serde_json::json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "changing", "namespace": "shop"},
            "stringData": {"value": value},
        })
    };
    real.apply(&secret("first of them").to_string());
    let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(RealUser::Alice)).policy("decoder");
    let arguments = &["secret", "changing", "-n", "shop", "--watch"];
    let mut running = kwasm.start("decoder", arguments);
    running.line_with("first of them");
    real.apply(&secret("second of them").to_string());
    running.line_with("second of them");
    drop(running);
    let gets = "{kubernetes: {rules: [{apiGroups: [''], resources: [secrets], verbs: [get]}]}}";
    let run = kwasm.spec(gets).run("decoder", arguments).fails(1);
    assert!(run.stdout.contains("second of them"), "{}", run.shown());
    assert!(run.stderr.contains("secret shop/changing: watch: refused by kwasm"), "{}", run.shown());
}

/// A secret with this value at a server of this process, in the namespace `shop`.
fn change(server: &kwasm_apiserver::ApiServer, value: &str) {
    let secret = serde_json::json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "changing", "namespace": "shop"},
        "data": {"value": base64(value.as_bytes())},
    });
    server.put("namespaces/shop/secrets/changing", secret).unwrap();
}

fn watching(server: &kwasm_apiserver::ApiServer) -> (Kwasm, Running) {
    let kwasm = Kwasm::new().kubeconfig(kubeconfig(server, User::Token)).policy("decoder");
    let running = kwasm.start("decoder", &["secret", "changing", "-n", "shop", "--watch"]);
    (kwasm, running)
}

#[test]
fn it_goes_on_watching_when_the_server_ends_the_watch() {
    let server = seed();
    change(&server, "before all");
    let (_kwasm, mut running) = watching(&server);
    running.line_with("before all");
    for round in 0..2 {
        server.end_watches();
        // Between two watches: the next one begins at the version that was shown last.
        change(&server, &format!("between {round}"));
        running.line_with(&format!("between {round}"));
    }
    running.silent_for(Duration::from_millis(500));
}

#[test]
fn it_gets_the_secret_again_when_its_version_is_gone_and_shows_nothing_twice() {
    let server = seed();
    change(&server, "before");
    let (_kwasm, mut running) = watching(&server);
    running.line_with("before");
    // In the watch's own words, and as an HTTP status.
    for (fault, value) in [(Fault::gone(), "after"), (Fault::status(410, None), "at last")] {
        server.fault(fault.watches());
        server.end_watches();
        change(&server, value);
        running.line_with(value);
        // It pauses before it watches again, and then is answered with 410.
        while server.faults() > 0 {
            running.silent_for(Duration::from_millis(100));
        }
        running.silent_for(Duration::from_millis(500));
    }
}

#[test]
fn a_secret_that_is_deleted_is_told_of_and_shown_when_it_comes_again() {
    let server = seed();
    change(&server, "the first");
    let (_kwasm, mut running) = watching(&server);
    running.line_with("the first");
    server.delete("namespaces/shop/secrets/changing").unwrap();
    running.error_with("changing: deleted");
    change(&server, "the second");
    running.line_with("the second");
}

#[test]
fn a_server_that_is_out_of_order_for_a_moment_is_watched_again_and_one_that_forbids_is_not() {
    let server = seed();
    change(&server, "before");
    let (_kwasm, mut running) = watching(&server);
    running.line_with("before");
    server.fault(Fault::status(500, None).watches());
    server.end_watches();
    change(&server, "after");
    running.line_with("after");
    server.fault(Fault::status(403, None).watches());
    server.end_watches();
    running.error_with("shop/changing: watch");
    assert_eq!(running.end().code, Some(1));
}
