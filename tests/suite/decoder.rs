//! The decoder, through its link and without, at both API servers.

use kwasm_apiserver::{CERTIFICATE_USER, User};
use kwasm_cluster::User as RealUser;

use crate::support::{Kwasm, Run, component, kubeconfig, real, seed};

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
