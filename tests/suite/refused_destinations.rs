//! Tests of guests that try to reach another server than the context's cluster. Each has its nearest allowed
//! twin.

use kwasm_apiserver::{ApiServer, Fault, User};

use crate::support::{Kwasm, Run, kubeconfig, seed};

fn dial(server: &ApiServer, arguments: &[&str]) -> Run {
    Kwasm::new().kubeconfig(kubeconfig(server, User::Certificate)).run("dials", arguments)
}

/// Checks that the guest is refused, that the user is informed once, and that the server receives nothing.
#[track_caller]
fn refused(server: &ApiServer, url: &str) {
    let before = server.connections();
    let run = dial(server, &[url]).fails(1);
    assert!(run.stderr.to_lowercase().contains("denied"), "{url}: the guest is told: {}", run.shown());
    let told: Vec<&str> =
        run.stderr.lines().filter(|line| line.starts_with("kwasm: refused: GET ")).collect();
    assert_eq!(told.len(), 1, "{url}: {}", run.shown());
    assert!(told[0].ends_with(": the policy does not grant this host"), "{}", told[0]);
    assert_eq!(server.connections(), before, "{url}: nothing arrives");
}

#[track_caller]
fn answered(server: &ApiServer, url: &str) {
    let run = dial(server, &[url]).success();
    assert!(run.stdout.contains("status 200"), "{url}: {}", run.shown());
    assert_eq!(run.stderr, "", "{url}");
}

#[test]
fn the_cluster_answers_to_each_of_its_names() {
    let server = seed();
    answered(&server, "http://192.0.2.1/version");
    answered(&server, "https://kubernetes.default.svc/version");
    answered(&server, &format!("{}/version", server.url()));
    assert_eq!(server.requests().len(), 3);
    assert!(
        server
            .requests()
            .iter()
            .all(|request| request.user.as_deref() == Some(kwasm_apiserver::CERTIFICATE_USER))
    );
}

#[test]
fn another_host_is_refused() {
    let server = seed();
    refused(&server, "https://example.com/");
    refused(&server, "https://kubernetes.default.svc.example.com/version");
    refused(&server, "https://kubernetes/version");
}

#[test]
fn another_port_is_refused_even_where_an_api_server_listens() {
    let (server, other) = (seed(), seed());
    refused(&server, &format!("{}/version", other.url()));
    refused(&server, "http://192.0.2.1:8080/version");
    assert_eq!(other.connections(), 0);
}

#[test]
fn another_address_is_refused() {
    let server = seed();
    let port = server.port();
    for host in [
        "127.0.0.2",
        "[::1]",
        "0.0.0.0",
        "10.0.0.1",
        "192.0.2.2",
        "[::ffff:127.0.0.1]",
        "2130706433",
        "127.1",
    ] {
        refused(&server, &format!("https://{host}:{port}/version"));
    }
}

#[test]
fn localhost_is_refused_where_it_is_not_the_endpoints_name() {
    let server = seed();
    refused(&server, &format!("https://localhost:{}/version", server.port()));
    refused(&server, "http://localhost/");
}

#[test]
fn the_metadata_address_is_refused() {
    let server = seed();
    refused(&server, "http://169.254.169.254/latest/meta-data/");
    refused(&server, "http://metadata.google.internal/");
}

#[test]
fn a_redirect_is_not_followed_and_its_target_is_refused() {
    let (server, other) = (seed(), seed());
    let target = format!("{}/version", other.url());
    server.fault(Fault::redirect(307, &target).on("GET", "/version"));
    let run = dial(&server, &["http://192.0.2.1/version"]).success();
    assert!(run.stdout.contains("status 307") && run.stdout.contains(&target), "{}", run.shown());
    refused(&server, &target);
    assert_eq!(other.connections(), 0);
}

#[test]
fn a_scheme_downgrade_and_an_unknown_scheme_are_refused() {
    let server = seed();
    refused(&server, &format!("http://127.0.0.1:{}/version", server.port()));
    refused(&server, "http://kubernetes.default.svc/version");
    refused(&server, "https://192.0.2.1/version");
    refused(&server, "ftp://192.0.2.1/version");
}

#[test]
fn a_name_in_the_authority_is_refused() {
    let server = seed();
    refused(&server, "http://192.0.2.1@example.com/");
    refused(&server, "http://admin:secret@192.0.2.1/version");
}

#[test]
fn a_path_that_could_be_read_in_two_ways_never_leaves() {
    let server = ApiServer::builder().base_path("/k8s/clusters/c-1").start().unwrap();
    answered(&server, "http://192.0.2.1/version");
    for path in
        ["/../../../v3/tokens", "/%2e%2e/%2e%2e/v3", "/api/v1/namespaces/a%2f..%2fb", "//v3", "/api\\v1"]
    {
        let run = dial(&server, &[&format!("http://192.0.2.1{path}")]);
        assert!(!run.stdout.contains("outside"), "{path}: {}", run.shown());
        assert!(run.stdout.contains("status 400") || run.code == Some(1), "{path}: {}", run.shown());
    }
    refused(&server, &format!("https://127.0.0.1:{}/v3/tokens", server.port()));
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn nobody_speaks_as_somebody() {
    let server = seed();
    for header in ["Authorization: Bearer x", "Impersonate-User: system:admin", "X-Remote-User: admin"] {
        let run = dial(&server, &["http://192.0.2.1/version", "--header", header]);
        assert!(run.stdout.contains("status 403"), "{header}: {}", run.shown());
        assert!(run.stderr.contains("kwasm sets the identity"), "{header}: {}", run.shown());
        let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Certificate));
        let run = kwasm.run("sets-authorization", &[header, "/version"]);
        assert!(run.stdout.contains("status 403"), "{header}: {}", run.shown());
    }
    assert!(server.requests().is_empty());
    // An empty one claims nothing: client libraries without a credential send it.
    let run = dial(&server, &["http://192.0.2.1/version", "--header", "Authorization: "]).success();
    assert!(run.stdout.contains("status 200"), "{}", run.shown());
}

#[test]
fn the_policy_none_refuses_what_cluster_allows() {
    let server = seed();
    let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Token));
    let ask = |policy: &str| {
        let guest = crate::support::component("dials");
        kwasm.call([
            "run",
            guest.to_str().unwrap(),
            "--policy",
            policy,
            "--",
            "http://192.0.2.1/api/v1/namespaces/shop/secrets/db",
        ])
    };
    let run = ask("none");
    assert!(
        run.stdout.contains("status 403") && run.stdout.contains("\"kind\":\"Status\""),
        "{}",
        run.shown()
    );
    assert_eq!(
        run.stderr,
        "kwasm: refused: get secrets \"db\" in namespace shop: the policy `none` does not allow it\n\
         hint: --policy FILE with this rule in spec.kubernetes.rules allows it: \
         {apiGroups: [\"\"], resources: [secrets], verbs: [get], namespaces: [shop], resourceNames: [db]}\n"
    );
    assert!(server.requests().is_empty());
    assert!(ask("cluster").success().stdout.contains("status 200"));
    assert!(ask("nothing").fails(2).stderr.contains("there is no policy `nothing`"));
}

#[test]
fn a_refused_upload_is_told_why_and_not_just_cut_off() {
    let server = seed();
    let body = "x".repeat(1 << 16);
    let run = dial(&server, &["https://example.com/", "--method", "POST", "--body", &body]).fails(1);
    assert!(run.stderr.contains("HTTP-request-denied"), "{}", run.shown());
    let run = dial(&server, &["http://192.0.2.1/a/../b", "--method", "POST", "--body", &body]);
    assert!(run.stdout.contains("status 400"), "{}", run.shown());
}
