//! Tests of the reports about refusals and limits, to a file and to a terminal of 80 columns.

use kwasm_apiserver::User;

use crate::support::{Kwasm, kubeconfig, on_terminal, seed};

/// Runs a guest twice, and shows what kwasm says. What the guest itself says is its own.
fn told(kwasm: &Kwasm, guest: &str, arguments: &[&str]) -> String {
    let run = kwasm.run(guest, arguments);
    let (code, on_terminal) = on_terminal(&mut kwasm.guest(guest, arguments), 80);
    assert_eq!(run.code, code);
    let home = kwasm.home().display().to_string();
    let to_file = kwasms_own(&run.stderr);
    let on_terminal = kwasms_own(&on_terminal);
    for line in on_terminal.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    // Broken lines are the same words.
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(&on_terminal), words(&to_file));
    let shown =
        format!("exit: {}\n--- to a file\n{to_file}--- at 80 columns\n{on_terminal}", code.unwrap_or(-1));
    shown.replace(&home, "~")
}

fn kwasms_own(text: &str) -> String {
    let own = |line: &&str| {
        ["kwasm: ", "hint: ", "  ", "refused: ", "allowed: "].iter().any(|start| line.starts_with(start))
    };
    text.lines().filter(own).flat_map(|line| [line, "\n"]).collect()
}

/// Returns a kwasm configured for a server.
fn at(server: &kwasm_apiserver::ApiServer) -> Kwasm {
    Kwasm::new().kubeconfig(kubeconfig(server, User::Token))
}

#[test]
fn a_request_that_the_policy_does_not_allow() {
    let server = seed();
    insta::assert_snapshot!(told(&at(&server).policy("read-only"), "dials", &["http://192.0.2.1/api/v1/namespaces/shop/secrets/db"]), @r#"
    exit: 0
    --- to a file
    kwasm: refused: get secrets "db" in namespace shop: the policy `read-only` does not allow it
    hint: --policy FILE with this rule in spec.kubernetes.rules allows it: {apiGroups: [""], resources: [secrets], verbs: [get], namespaces: [shop], resourceNames: [db]}
    --- at 80 columns
    kwasm: refused: get secrets "db" in namespace shop: the policy `read-only` does
      not allow it
    hint: --policy FILE with this rule in spec.kubernetes.rules allows it:
      {apiGroups: [""], resources: [secrets], verbs: [get], namespaces: [shop],
      resourceNames: [db]}
    "#);
}

#[test]
fn a_write_under_read_only() {
    let server = seed();
    insta::assert_snapshot!(told(&at(&server).policy("read-only"), "dials", &["http://192.0.2.1/apis/apps/v1/namespaces/other/deployments/web/scale", "--method", "PATCH"]), @r#"
    exit: 0
    --- to a file
    kwasm: refused: patch deployments.apps/scale "web" in namespace other: the policy `read-only` does not allow it
    hint: --policy FILE with this rule in spec.kubernetes.rules allows it: {apiGroups: [apps], resources: [deployments/scale], verbs: [patch], namespaces: [other], resourceNames: [web]}
    --- at 80 columns
    kwasm: refused: patch deployments.apps/scale "web" in namespace other: the
      policy `read-only` does not allow it
    hint: --policy FILE with this rule in spec.kubernetes.rules allows it:
      {apiGroups: [apps], resources: [deployments/scale], verbs: [patch],
      namespaces: [other], resourceNames: [web]}
    "#);
}

#[test]
fn a_path_that_is_no_resource() {
    let server = seed();
    insta::assert_snapshot!(told(&at(&server).policy("read-only"), "dials", &["http://192.0.2.1/metrics"]), @r"
    exit: 0
    --- to a file
    kwasm: refused: get /metrics: the policy `read-only` does not allow it
    hint: --policy FILE with this rule in spec.kubernetes.rules allows it: {nonResourceURLs: [/metrics], verbs: [get]}
    --- at 80 columns
    kwasm: refused: get /metrics: the policy `read-only` does not allow it
    hint: --policy FILE with this rule in spec.kubernetes.rules allows it:
      {nonResourceURLs: [/metrics], verbs: [get]}
    ");
}

#[test]
fn a_request_in_somebodys_name() {
    let server = seed();
    insta::assert_snapshot!(told(&at(&server), "dials", &["http://192.0.2.1/version", "--header", "Authorization: Bearer x"]), @r"
    exit: 0
    --- to a file
    kwasm: refused: GET /version: a plugin may not set `authorization`: kwasm sets the identity
    --- at 80 columns
    kwasm: refused: GET /version: a plugin may not set `authorization`: kwasm sets
      the identity
    ");
}

#[test]
fn an_impersonation() {
    let server = seed();
    insta::assert_snapshot!(told(&at(&server), "dials", &["http://192.0.2.1/version", "--header", "Impersonate-User: admin"]), @r"
    exit: 0
    --- to a file
    kwasm: refused: GET /version: a plugin may not set `impersonate-user`: kwasm sets the identity
    hint: `impersonate: true` in spec.kubernetes of a policy allows it
    --- at 80 columns
    kwasm: refused: GET /version: a plugin may not set `impersonate-user`: kwasm
      sets the identity
    hint: `impersonate: true` in spec.kubernetes of a policy allows it
    ");
}

#[test]
fn a_path_with_two_meanings() {
    let server = seed();
    insta::assert_snapshot!(told(&at(&server), "dials", &["http://192.0.2.1/api/v1/namespaces/shop/../other/pods"]), @r"
    exit: 0
    --- to a file
    kwasm: refused: GET /api/v1/namespaces/shop/../other/pods: its path has a dot segment
    --- at 80 columns
    kwasm: refused: GET /api/v1/namespaces/shop/../other/pods: its path has a dot
      segment
    ");
}

#[test]
fn another_host() {
    let server = seed();
    insta::assert_snapshot!(told(&at(&server), "dials", &["https://api.github.com/repos"]), @r"
    exit: 1
    --- to a file
    kwasm: refused: GET https://api.github.com/repos: the policy does not grant this host
    hint: --policy FILE with this host in spec.network allows it: {host: api.github.com, port: 443}
    --- at 80 columns
    kwasm: refused: GET https://api.github.com/repos: the policy does not grant this
      host
    hint: --policy FILE with this host in spec.network allows it: {host:
      api.github.com, port: 443}
    ");
}

#[test]
fn a_host_without_tls() {
    let server = seed();
    insta::assert_snapshot!(told(&at(&server), "dials", &["http://api.github.com/repos"]), @r"
    exit: 1
    --- to a file
    kwasm: refused: GET http://api.github.com/repos: the policy does not grant this host
    --- at 80 columns
    kwasm: refused: GET http://api.github.com/repos: the policy does not grant this
      host
    ");
}

#[test]
fn a_host_at_a_private_address() {
    let server = seed();
    insta::assert_snapshot!(told(&at(&server).spec("{network: [{host: localhost, port: 4443}]}"), "dials", &["https://localhost:4443/"]), @r"
    exit: 1
    --- to a file
    kwasm: refused: GET https://localhost:4443/: the host is at a private address, 127.0.0.1
    hint: `private: true` at this host in spec.network of the policy allows it
    --- at 80 columns
    kwasm: refused: GET https://localhost:4443/: the host is at a private address,
      127.0.0.1
    hint: `private: true` at this host in spec.network of the policy allows it
    ");
}

#[test]
fn no_cluster() {
    insta::assert_snapshot!(told(&Kwasm::new().kubeconfig("/nowhere/config"), "dials", &["http://192.0.2.1/version"]), @r"
    exit: 0
    --- to a file
    kwasm: refused: GET http://192.0.2.1/version: there is no kubeconfig (looked for /nowhere/config)
    hint: name a kubeconfig with KUBECONFIG or --kubeconfig, and a context in it with --context
    --- at 80 columns
    kwasm: refused: GET http://192.0.2.1/version: there is no kubeconfig (looked for
      /nowhere/config)
    hint: name a kubeconfig with KUBECONFIG or --kubeconfig, and a context in it
      with --context
    ");
}

#[test]
fn too_much_memory() {
    insta::assert_snapshot!(told(&Kwasm::new(), "fills-memory", &["--trusting"]), @r"
    exit: 125
    --- to a file
    kwasm: the plugin ran into a limit: it needed more than 512 MiB of memory
    hint: a policy with `limits: {memory: 1Gi}` raises it: --policy FILE
    --- at 80 columns
    kwasm: the plugin ran into a limit: it needed more than 512 MiB of memory
    hint: a policy with `limits: {memory: 1Gi}` raises it: --policy FILE
    ");
}

#[test]
fn too_much_memory_for_its_policy() {
    insta::assert_snapshot!(told(&Kwasm::new().spec("{limits: {memory: 64Mi}}"), "fills-memory", &["--trusting"]), @r"
    exit: 125
    --- to a file
    kwasm: the plugin ran into a limit: it needed more than 64 MiB of memory
    hint: a policy with `limits: {memory: 128Mi}` raises it: --policy FILE
    --- at 80 columns
    kwasm: the plugin ran into a limit: it needed more than 64 MiB of memory
    hint: a policy with `limits: {memory: 128Mi}` raises it: --policy FILE
    ");
}

#[test]
fn too_much_time() {
    insta::assert_snapshot!(told(&Kwasm::new().spec("{limits: {timeout: 1s}}"), "loops-forever", &[]), @r"
    exit: 125
    --- to a file
    kwasm: the plugin ran into a limit: it ran for longer than 1s
    hint: a policy with `limits: {timeout: 2s}` raises it: --policy FILE
    --- at 80 columns
    kwasm: the plugin ran into a limit: it ran for longer than 1s
    hint: a policy with `limits: {timeout: 2s}` raises it: --policy FILE
    ");
}

#[test]
fn too_many_requests() {
    let server = seed();
    insta::assert_snapshot!(told(&at(&server).spec("{kubernetes: {rules: [{apiGroups: [''], resources: [configmaps], verbs: [watch]}]}, limits: {requests: 4}}"), "floods-requests", &["6"]), @r"
    exit: 1
    --- to a file
    kwasm: the plugin ran into a limit: it needed more than 4 requests in flight at a time
    hint: a policy with `limits: {requests: 8}` raises it: --policy FILE
    --- at 80 columns
    kwasm: the plugin ran into a limit: it needed more than 4 requests in flight at
      a time
    hint: a policy with `limits: {requests: 8}` raises it: --policy FILE
    ");
}

#[test]
fn too_many_headers() {
    let server = seed();
    insta::assert_snapshot!(told(&at(&server), "floods-headers", &["101", "10"]), @r"
    exit: 125
    --- to a file
    kwasm: the plugin ran into a limit: one of its messages had more than 100 headers
    --- at 80 columns
    kwasm: the plugin ran into a limit: one of its messages had more than 100
      headers
    ");
}

#[test]
fn too_large_headers() {
    let server = seed();
    insta::assert_snapshot!(told(&at(&server).spec("{limits: {headers: 2Ki}, kubernetes: {rules: [{nonResourceURLs: [/version], verbs: [get]}]}}"), "floods-headers", &["30", "100"]), @r"
    exit: 125
    --- to a file
    kwasm: the plugin ran into a limit: one of its messages had more than 2 KiB of headers
    hint: a policy with `limits: {headers: 4Ki}` raises it: --policy FILE
    --- at 80 columns
    kwasm: the plugin ran into a limit: one of its messages had more than 2 KiB of
      headers
    hint: a policy with `limits: {headers: 4Ki}` raises it: --policy FILE
    ");
}

#[test]
fn too_many_handles() {
    insta::assert_snapshot!(told(&Kwasm::new(), "hoards-handles", &[]), @r"
    exit: 125
    --- to a file
    kwasm: the plugin ran into a limit: it needed more than 4096 handles at a time
    --- at 80 columns
    kwasm: the plugin ran into a limit: it needed more than 4096 handles at a time
    ");
}

#[test]
fn too_many_random_bytes() {
    insta::assert_snapshot!(told(&Kwasm::new(), "asks-for-random", &[]), @r"
    exit: 125
    --- to a file
    kwasm: the plugin ran into a limit: it requested more than 1 MiB of random bytes in one call
    --- at 80 columns
    kwasm: the plugin ran into a limit: it requested more than 1 MiB of random bytes
      in one call
    ");
}
