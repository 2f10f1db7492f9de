//! Tests that `-v` reports each request as it ends, `-vv` with its headers, and that `-q` reports less.

use kwasm_apiserver::{Fault, User};

use crate::support::{Kwasm, Run, component, kubeconfig, seed};

fn dial(option: &str, policy: &str, url: &str) -> Run {
    let server = seed();
    server.fault(Fault::cut(kwasm_apiserver::Cut::Close).on("GET", "/healthz"));
    let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Certificate));
    let mut run =
        kwasm.call([option, "run", component("dials").to_str().unwrap(), "--policy", policy, "--", url]);
    let words = run.stderr.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let timed = words.iter().position(|word| word.starts_with("ms"));
    if let Some(number) = timed.map(|index| &words[index - 1]) {
        assert!(number.parse::<u64>().is_ok(), "{}", run.stderr);
        run.stderr = run.stderr.replace(&format!(" {number} ms"), " … ms");
    }
    run.stderr = run.stderr.replace(server.url(), "SERVER");
    run
}

#[test]
fn a_request_is_told_with_verb_resource_status_bytes_and_time() {
    let run = dial("-v", "cluster", "http://192.0.2.1/api/v1/namespaces/shop/secrets/web-tls").success();
    let bytes = run.stdout.split_once("\n\n").unwrap().1.len();
    let request = "get secrets \"web-tls\" in namespace shop";
    assert_eq!(run.stderr, format!("allowed: {request}: 200, {bytes} bytes, … ms\n"));
}

#[test]
fn a_refused_request_is_told_at_once_and_again_with_its_cure_at_the_end() {
    let run = dial("-v", "none", "http://192.0.2.1/version");
    insta::assert_snapshot!(run.stderr, @r"
    refused: GET http://192.0.2.1/version
    kwasm: refused: get /version: the policy `none` does not allow it
    hint: --policy FILE with this rule in spec.kubernetes.rules allows it: {nonResourceURLs: [/version], verbs: [get]}
    ");
}

#[test]
fn a_request_without_an_answer_is_told_as_such() {
    let run = dial("-v", "cluster", "http://192.0.2.1/healthz");
    assert!(run.stderr.contains("allowed: get /healthz: no answer, … ms\n"), "{}", run.stderr);
}

#[test]
fn without_it_nothing_is_told_of_what_went_well() {
    let run = dial("-q", "read-only", "http://192.0.2.1/version").success();
    assert_eq!(run.stderr, "");
}

#[test]
fn quiet_still_says_what_was_refused_but_not_what_helps() {
    let run = dial("-q", "none", "http://192.0.2.1/version");
    assert_eq!(run.stderr, "kwasm: refused: get /version: the policy `none` does not allow it\n");
}

/// Returns what stderr has with `-vv`, without what differs from run to run.
fn headers(kwasm: &Kwasm, guest: &str, arguments: &[&str]) -> Run {
    let plugin = component(guest);
    kwasm.call([&["-vv", "run", "--policy", "cluster", plugin.to_str().unwrap(), "--"], arguments].concat())
}

#[test]
fn twice_each_request_and_answer_is_shown_with_its_headers_and_size() {
    let server = seed();
    let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Token));
    let url = "http://192.0.2.1/api/v1/namespaces/shop/configmaps?dryRun=All";
    let body = r#"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}"#;
    let arguments = [url, "--method", "POST", "--body", body, "--header", "Accept: application/json"];
    let more = ["--header", "Cookie: a=b", "--header", "X-Api-Key: k3y", "--header", "User-Agent: me"];
    let run = headers(&kwasm, "dials", &[&arguments[..], &more].concat()).success();
    let lines: Vec<&str> = run.stderr.lines().collect();
    assert!(lines[0].starts_with("allowed: create configmaps in namespace shop: 201, "), "{}", run.shown());
    for line in [
        "  > POST /api/v1/namespaces/shop/configmaps?dryRun=All",
        "  > accept: application/json",
        "  > cookie: (not sent)",
        "  > x-api-key: (3 bytes)",
        "  > user-agent: me",
        &format!("  > ({} bytes)", body.len()),
        "  < 201 Created",
        "  < content-type: application/json",
        &format!("  < ({} bytes)", run.stdout.split_once("\n\n").unwrap().1.len()),
    ] {
        assert!(lines.contains(&line), "{line}: {}", run.shown());
    }
    assert!(!run.stderr.contains("ConfigMap"), "no body: {}", run.shown());
}

#[test]
fn a_refused_request_has_no_answer_and_one_through_a_socket_has_headers_too() {
    let server = seed();
    let kwasm = || Kwasm::new().kubeconfig(kubeconfig(&server, User::Certificate));
    let plugin = component("dials");
    let url = "http://192.0.2.1/version?a=b";
    let run = kwasm().call(["-vv", "run", "--policy", "none", plugin.to_str().unwrap(), "--", url]);
    assert!(
        run.stderr.starts_with("refused: GET http://192.0.2.1/version?a=b\n  > GET /version?a=b\n"),
        "{}",
        run.shown()
    );
    assert!(!run.stderr.contains("\n  < "), "{}", run.shown());
    for arguments in [&["/version", "--sockets"][..], &["/version"]] {
        let run = headers(&kwasm(), "downloads", arguments).success();
        for line in
            ["  > GET /version\n", "  > (0 bytes)\n", "  < 200 OK\n", "  < content-type: application/json\n"]
        {
            assert!(run.stderr.contains(line), "{line}: {}", run.shown());
        }
    }
}
