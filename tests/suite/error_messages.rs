//! Tests of errors before and during a run: one clear line each, and an exit code.

use insta::{allow_duplicates, assert_snapshot};
use kwasm_apiserver::{ApiServer, ClientCheck, Fault, ServerCertificate, User};

use crate::support::{Kwasm, Run, component, kubeconfig, seed};

const LIST: &[&str] = &["http://192.0.2.1/api/v1/namespaces/shop/secrets"];

/// Runs a guest that sends a request, with this kubeconfig, to this server.
fn ask(server: &ApiServer, user: User) -> Run {
    Kwasm::new().kubeconfig(kubeconfig(server, user)).run("dials", LIST)
}

/// Returns the messages, without the parts that differ from run to run.
fn said(run: &Run, server: &ApiServer) -> String {
    run.stderr.replace(server.url(), "https://SERVER")
}

#[test]
fn a_missing_file_is_named() {
    let run = Kwasm::new().call(["run", "./nothing.wasm"]);
    assert_snapshot!(run.shown(), @r"
    exit: 127
    --- stdout
    --- stderr
    kwasm: ./nothing.wasm: there is no such file
    ");
}

#[test]
fn a_plugin_that_is_not_installed_is_named() {
    let run = Kwasm::new().call(["run", "nothing"]);
    assert_snapshot!(run.shown(), @r"
    exit: 127
    --- stdout
    --- stderr
    kwasm: no plugin `nothing` is installed
    hint: kwasm list shows what is installed
    ");
}

#[test]
fn a_file_that_is_no_component_is_refused_by_name() {
    let kwasm = Kwasm::new();
    std::fs::write(kwasm.home().join("page.wasm"), "<html>not found</html>").unwrap();
    std::fs::write(kwasm.home().join("library.wasm"), b"\0asm\x0d\0\x01\0").unwrap();
    assert_snapshot!(kwasm.call(["run", "./page.wasm"]).shown(), @r"
    exit: 126
    --- stdout
    --- stderr
    kwasm: ./page.wasm: it is not WebAssembly but a web page
    ");
    assert_snapshot!(kwasm.call(["run", "./library.wasm"]).shown(), @r"
    exit: 126
    --- stdout
    --- stderr
    kwasm: ./library.wasm: it is a component without a command: it exports nothing, and not wasi:cli/run
    hint: a plugin is a program with a main function, built for WASI
    ");
}

#[test]
fn a_component_that_is_cut_short_is_refused() {
    let kwasm = Kwasm::new();
    let whole = std::fs::read(component("hello")).unwrap();
    std::fs::write(kwasm.home().join("cut.wasm"), &whole[..whole.len() / 2]).unwrap();
    let run = kwasm.call(["run", "./cut.wasm"]).fails(126);
    assert!(run.stderr.starts_with("kwasm: ./cut.wasm: it is invalid WebAssembly: "), "{}", run.shown());
}

#[test]
fn without_a_kubeconfig_a_plugin_runs_and_reaches_nothing() {
    let kwasm = Kwasm::new();
    let home = kwasm.home().to_str().unwrap().to_owned();
    let run = kwasm.run("dials", LIST);
    assert!(run.stdout.contains("status 502"), "{}", run.shown());
    assert_snapshot!(run.stderr.replace(&home, "HOME"), @r"
    kwasm: refused: GET http://192.0.2.1/api/v1/namespaces/shop/secrets: there is no kubeconfig (looked for HOME/.kube/config)
    hint: name a kubeconfig with KUBECONFIG or --kubeconfig, and a context in it with --context
    ");
}

#[test]
fn a_broken_kubeconfig_is_named_with_its_line_and_without_its_text() {
    let kwasm = Kwasm::new();
    let path = kwasm.home().join("config");
    std::fs::write(&path, "apiVersion: v1\nusers:\n- name: u\n  user: [hunter2]\n").unwrap();
    let kwasm = kwasm.kubeconfig(&path);
    let run = kwasm.run("dials", LIST);
    assert_snapshot!(run.shown_without(&[(path.to_str().unwrap(), "CONFIG")]), @r"
    exit: 125
    --- stdout
    --- stderr
    kwasm: CONFIG:4: it is not a valid kubeconfig: a map is expected here
    hint: kubectl config view shows how kubectl reads it
    ");
}

#[test]
fn a_context_that_is_not_there_is_told_with_those_that_are() {
    let server = seed();
    let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Token));
    let run = kwasm.run("dials", &[LIST[0], "--context", "prod"]);
    assert_snapshot!(run.shown(), @r"
    exit: 125
    --- stdout
    --- stderr
    kwasm: the kubeconfig has no context `prod`
    hint: its contexts are token
    ");
}

#[test]
fn an_unreachable_server_is_named() {
    let (kwasm, server) = (Kwasm::new(), seed());
    let path = kwasm.home().join("config");
    // A port on which nobody listens, and which no other test is given.
    let kubeconfig = std::fs::read_to_string(kubeconfig(&server, User::Token)).unwrap();
    std::fs::write(&path, kubeconfig.replace(&format!("127.0.0.1:{}", server.port()), "127.0.0.1:1"))
        .unwrap();
    let kwasm = kwasm.kubeconfig(path);
    let run = kwasm.run("dials", LIST);
    assert_snapshot!(run.shown(), @r"
    exit: 1
    --- stdout
    --- stderr
    dials: connection-refused (the server refused the connection)
    kwasm: https://127.0.0.1:1 (context `token`): connection refused: is the API server up?
    hint: check server of this cluster in the kubeconfig, and whether the network to it (a VPN?) is up
    ");
}

#[test]
fn an_expired_client_certificate_is_told_with_its_owner_and_date() {
    for check in [ClientCheck::Handshake, ClientCheck::Http] {
        let server = ApiServer::builder().client_check(check).start().unwrap();
        let run = ask(&server, User::ExpiredCertificate);
        let said = said(&run, &server);
        let line = said.lines().find(|line| line.starts_with("kwasm: ")).unwrap_or_default();
        // The date differs from day to day.
        let (what, date) = line.split_once(" on 20").unwrap_or_else(|| panic!("{}", run.shown()));
        allow_duplicates! {
            assert_snapshot!(what, @"kwasm: https://SERVER (context `expired-certificate`): the client certificate of user `expired-certificate` (O=developers, O=shop-owners, CN=jane) expired");
        }
        assert!(date.len() == "26-11-20 06:00 UTC".len() && date.ends_with(" UTC"), "{date}");
        assert!(server.requests().iter().all(|request| request.user.is_none()));
    }
}

#[test]
fn a_token_that_the_server_does_not_know_is_told() {
    let server = seed();
    let run = ask(&server, User::WrongToken);
    assert!(run.stdout.contains("status 401"), "{}", run.shown());
    assert_snapshot!(said(&run, &server), @r"
    kwasm: https://SERVER (context `wrong-token`): it does not accept the token of user `wrong-token` (401 Unauthorized)
    hint: it may have expired: log in again with the tool that created this kubeconfig
    ");
}

/// The messages about a server that is not trusted, one for each reason, are tested in tls.rs.
#[test]
fn to_a_server_that_is_not_believed_nothing_is_sent() {
    for (certificate, user, expected) in [
        (
            ServerCertificate::Good,
            User::TokenWithWrongCa,
            "which is not in the kubeconfig's certificate-authority",
        ),
        (ServerCertificate::Good, User::TokenWithoutCa, "the kubeconfig names no certificate-authority"),
        (ServerCertificate::Expired, User::Token, "expired on 20"),
        (ServerCertificate::NotYetValid, User::Token, "is not valid before 20"),
        (ServerCertificate::WrongName, User::Token, "is not for `127.0.0.1`, but for `wrong-name.example`"),
    ] {
        let server = ApiServer::builder().certificate(certificate).start().unwrap();
        let run = ask(&server, user).fails(1);
        assert!(run.stderr.contains(expected), "{}", run.shown());
        assert!(server.requests().is_empty());
    }
}

#[test]
fn a_mistyped_command_is_answered_with_the_right_one() {
    assert_snapshot!(Kwasm::new().call(["instal", "x.wasm"]).shown(), @r"
    exit: 2
    --- stdout
    --- stderr
    kwasm: unrecognized subcommand 'instal'

      tip: some similar subcommands exist: 'list', 'uninstall', 'install'

    Usage: kwasm [OPTIONS] <COMMAND>

    For more information, try '--help'.
    ");
}

#[test]
fn a_plugin_that_gives_up_for_want_of_a_kubeconfig_leaves_the_reason_to_kwasm() {
    let run = Kwasm::new().run("timeline", &[]).fails(1);
    assert!(run.stderr.contains("kwasm: there is no kubeconfig (looked for "), "{}", run.shown());
    let run = Kwasm::new().run("timeline", &["--context", "prod"]).fails(125);
    assert!(run.stderr.contains("the kubeconfig has no context `prod`"), "{}", run.shown());
}

#[test]
fn a_hostile_name_does_not_drive_the_terminal() {
    let kwasm = Kwasm::new();
    let run = kwasm.call(["run", "./a\u{1b}[2Kb\nkwasm: installed x.wasm"]).fails(127);
    assert_eq!(run.stderr, "kwasm: ./a\\u{1b}[2Kb\\u{a}kwasm: installed x.wasm: there is no such file\n");
}

#[test]
fn an_answer_that_is_no_http_and_one_of_too_many_headers_are_told_apart() {
    for (fault, what) in [
        (Fault::raw("SSH-2.0-OpenSSH_10\r\n\r\n"), "its response is not HTTP"),
        (
            Fault::many_headers(200, 10),
            "its response has more or larger headers than kwasm accepts: 100, or 400 KiB",
        ),
    ] {
        let server = seed();
        server.fault(fault.on("GET", "/version"));
        let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Certificate));
        let run = kwasm.run("dials", &["http://192.0.2.1/version"]).fails(1);
        assert!(run.stderr.contains(&format!(": {what}\n")), "{}", run.shown());
    }
}
