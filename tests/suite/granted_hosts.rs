//! Tests of hosts outside the cluster that a policy grants: HTTPS by the platform's authorities, without the
//! user's credentials.

use kwasm_apiserver::{ApiServer, User};

use crate::support::{Kwasm, Run, kubeconfig, seed};

/// Dials a host that is another server on this machine, whose authority this machine trusts.
fn dial(cluster: &ApiServer, host: &ApiServer, entry: &str, arguments: &[&str]) -> Run {
    let authority = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(authority.path(), host.authority().unwrap()).unwrap();
    let kwasm = Kwasm::new()
        .kubeconfig(kubeconfig(cluster, User::Certificate))
        .variable("SSL_CERT_FILE", authority.path())
        .spec(&format!("{{network: [{{host: localhost, port: {}{entry}}}]}}", host.port()));
    let url = format!("https://localhost:{}/version", host.port());
    kwasm.run("dials", &[&[url.as_str()], arguments].concat())
}

#[test]
fn a_granted_host_is_reached_and_no_credential_with_it() {
    let (cluster, host) = (seed(), seed());
    let run = dial(&cluster, &host, ", private: true", &[]);
    assert!(run.stdout.starts_with("status "), "{}", run.shown());
    let requests = host.requests();
    assert_eq!(requests.len(), 1);
    // Neither the certificate nor a token.
    assert_eq!(requests[0].user, None);
    assert_eq!(requests[0].header("authorization"), None);
    assert_eq!(cluster.connections(), 0);
}

#[test]
fn a_guest_may_bring_its_own_authorization_to_a_host() {
    let (cluster, host) = (seed(), seed());
    dial(
        &cluster,
        &host,
        ", private: true",
        &["--header", "Authorization: Bearer own", "--header", "Cookie: c"],
    );
    assert_eq!(host.requests()[0].header("authorization"), Some("Bearer own"));
    assert_eq!(host.requests()[0].header("cookie"), None);
}

#[test]
fn a_name_that_leads_into_the_users_network_is_refused_unless_granted_as_private() {
    let (cluster, host) = (seed(), seed());
    let run = dial(&cluster, &host, "", &[]).fails(1);
    assert!(run.stderr.contains("the host is at a private address, "), "{}", run.shown());
    assert_eq!(host.connections(), 0);
}

#[test]
fn another_port_and_plain_http_at_a_granted_host_are_refused() {
    let (cluster, host, other) = (seed(), seed(), seed());
    let kwasm = Kwasm::new()
        .kubeconfig(kubeconfig(&cluster, User::Certificate))
        .spec(&format!("{{network: [{{host: localhost, port: {}, private: true}}]}}", host.port()));
    for url in [
        format!("https://localhost:{}/version", other.port()),
        format!("http://localhost:{}/version", host.port()),
        format!("https://127.0.0.1:{}/version", host.port()),
    ] {
        let run = kwasm.run("dials", &[&url]).fails(1);
        assert!(run.stderr.contains("the policy does not grant this host"), "{}", run.shown());
    }
    assert_eq!((host.connections(), other.connections()), (0, 0));
}

#[test]
fn a_host_whose_authority_is_not_the_platforms_is_not_believed() {
    let (cluster, host) = (seed(), seed());
    let kwasm = Kwasm::new()
        .kubeconfig(kubeconfig(&cluster, User::Certificate))
        .spec(&format!("{{network: [{{host: localhost, port: {}, private: true}}]}}", host.port()));
    let run = kwasm.run("dials", &[&format!("https://localhost:{}/version", host.port())]).fails(1);
    assert!(run.stderr.contains("signed by an authority that is not trusted"), "{}", run.shown());
    assert!(host.requests().is_empty());
}

#[test]
fn a_policy_cannot_take_the_clusters_place() {
    let server = seed();
    let kwasm = Kwasm::new()
        .kubeconfig(kubeconfig(&server, User::Certificate))
        .spec(&format!("{{network: [{{host: 127.0.0.1, port: {}, private: true}}]}}", server.port()));
    // The cluster's own address is the cluster, whose rules hold: there are none.
    let run = kwasm.run("dials", &[&format!("{}/version", server.url())]);
    assert!(run.stdout.starts_with("status 403"), "{}", run.shown());
    assert!(server.requests().is_empty());
}

/// `kubernetes.io` only begins like a name of the cluster.
#[test]
fn a_host_that_is_refused_is_named_with_the_rule_that_grants_it_whatever_it_begins_like() {
    let cluster = seed();
    let kwasm = Kwasm::new().kubeconfig(kubeconfig(&cluster, User::Certificate));
    for host in ["kubernetes.io", "example.com", "kubernetes.default.svc.example.com", "192.0.20.1"] {
        let run = kwasm.run("dials", &[&format!("https://{host}/docs")]).fails(1);
        let told = format!(
            "kwasm: refused: GET https://{host}/docs: the policy does not grant this host\n\
             hint: --policy FILE with this host in spec.network allows it: {{host: {host}, port: 443}}\n"
        );
        assert!(run.stderr.contains(&told), "{}", run.shown());
    }
    // What no policy grants has no such hint: plain HTTP, and the cluster's own names under TLS.
    for url in ["http://kubernetes.io/docs", "https://kubernetes/docs", "https://192.0.2.1/docs"] {
        let run = kwasm.run("dials", &[url]).fails(1);
        assert!(!run.stderr.contains("spec.network"), "{}", run.shown());
    }
}
