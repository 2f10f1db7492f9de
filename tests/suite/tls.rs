//! Tests of the trust in the API server, and of the messages about untrusted ones: each reason has its own
//! sentence, derived from the certificates themselves, and each has its nearest accepted neighbour.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use insta::assert_snapshot;
use kwasm_apiserver::{ApiServer, User};
use rcgen::{DnType, ExtendedKeyUsagePurpose, SanType, date_time_ymd};

use crate::support::tls::{Authority, Keyed, Spoken, TlsServer, VERSIONS, authority, self_signed, server};
use crate::support::{Kwasm, Run, kubeconfig};

const PATH: &str = "http://192.0.2.1/version";
const LOOPBACK: &[&str] = &["127.0.0.1"];

/// Runs a guest that sends a request to the server at `url`, with this cluster in the kubeconfig and these
/// credentials.
fn ask_at(url: &str, cluster: &str, user: &str) -> Run {
    let kwasm = Kwasm::new();
    let path = kwasm.home().join("config");
    let text = format!(
        "{{current-context: c, contexts: [{{name: c, context: {{cluster: c, user: u}}}}], \
         clusters: [{{name: c, cluster: {{server: '{url}', {cluster}}}}}], users: [{{name: u, user: {{{user}}}}}]}}"
    );
    std::fs::write(&path, text).unwrap();
    kwasm.kubeconfig(path).run("dials", &[PATH])
}

fn ask(server: &TlsServer, cluster: &str) -> Run {
    let mut run = ask_at(&format!("https://{}", server.address()), cluster, "token: t");
    run.stderr = run.stderr.replace(&server.address().to_string(), "SERVER");
    run
}

/// Returns a configuration that trusts these authorities of the cluster.
fn trusting(pem: &str) -> String {
    format!("certificate-authority-data: {}", STANDARD.encode(pem))
}

#[track_caller]
fn accepted(run: &Run) {
    assert!(run.stdout.starts_with("status 200\n") && run.stderr.is_empty(), "{}", run.shown());
}

/// Returns the messages about a server with this certificate to a client that trusts this authority.
fn refused(root: &Authority, keyed: &Keyed) -> String {
    ask(&TlsServer::with(keyed), &trusting(root.pem())).fails(1).stderr
}

/// Returns a text without the time of day, which messages about clocks contain.
fn without_clock(text: &str) -> String {
    let (before, clock) = text.split_once("clock says ").unwrap_or_else(|| panic!("{text}"));
    format!("{before}clock says NOW{}", clock.split_at("2026-11-21 17:00 UTC".len()).1)
}

#[test]
fn a_server_of_the_clusters_authority_is_asked() {
    let root = Authority::new("the cluster");
    let keyed = root.sign(&server("api", LOOPBACK));
    accepted(&ask(&TlsServer::with(&keyed), &trusting(root.pem())));
    // Whatever else is in the bundle, as in Go.
    let junk = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let other = Authority::new("another");
    let bundle = format!("# The authorities\n{junk}{}{}", other.pem(), root.pem());
    accepted(&ask(&TlsServer::with(&keyed), &trusting(&bundle)));
}

#[test]
fn a_certificate_whose_time_is_over_is_told_with_its_date() {
    let root = Authority::new("the cluster");
    let mut params = server("api", LOOPBACK);
    params.not_after = date_time_ymd(2024, 2, 29);
    assert_snapshot!(refused(&root, &root.sign(&params)), @r"
    dials: TLS-certificate-error (the server's certificate cannot be trusted)
    kwasm: https://SERVER (context `c`): its certificate (CN=api) expired on 2024-02-29 00:00 UTC
    hint: ask the cluster's administrator to renew it
    ");
}

#[test]
fn an_authority_in_between_whose_time_is_over_is_told_with_its_name() {
    let root = Authority::new("the cluster");
    let mut params = authority("in between", &[]);
    params.extended_key_usages.clear();
    params.not_after = date_time_ymd(2024, 2, 29);
    let (between, certificate) = root.below(&params);
    let mut keyed = between.sign(&server("api", LOOPBACK));
    keyed.chain.push(certificate);
    assert_snapshot!(refused(&root, &keyed), @r"
    dials: TLS-certificate-error (the server's certificate cannot be trusted)
    kwasm: https://SERVER (context `c`): the certificate of its issuer (CN=in between) expired on 2024-02-29 00:00 UTC
    hint: ask the cluster's administrator to renew it
    ");
    params.not_after = date_time_ymd(2100, 1, 1);
    let (between, certificate) = root.below(&params);
    let mut keyed = between.sign(&server("api", LOOPBACK));
    keyed.chain.push(certificate);
    accepted(&ask(&TlsServer::with(&keyed), &trusting(root.pem())));
}

#[test]
fn a_clusters_authority_whose_time_is_over_vouches_for_nobody() {
    let mut params = authority("the cluster", &[]);
    params.not_after = date_time_ymd(2024, 2, 29);
    let lapsed = Authority::with(params);
    let keyed = lapsed.sign(&server("api", LOOPBACK));
    assert_snapshot!(refused(&lapsed, &keyed), @r"
    dials: TLS-certificate-error (the server's certificate cannot be trusted)
    kwasm: https://SERVER (context `c`): the kubeconfig's certificate-authority (CN=the cluster) expired on 2024-02-29 00:00 UTC
    hint: ask the cluster's administrator to renew it
    ");
    let bundle = format!("{}{}", Authority::new("the cluster").pem(), lapsed.pem());
    let run = ask(&TlsServer::with(&keyed), &trusting(&bundle)).fails(1);
    assert!(run.stderr.contains("but by another key than"), "{}", run.shown());
}

#[test]
fn a_certificate_whose_time_has_not_come_is_told_with_this_machines_clock() {
    let root = Authority::new("the cluster");
    let mut params = server("api", LOOPBACK);
    params.not_before = date_time_ymd(2119, 1, 1);
    assert_snapshot!(without_clock(&refused(&root, &root.sign(&params))), @r"
    dials: TLS-certificate-error (the server's certificate cannot be trusted)
    kwasm: https://SERVER (context `c`): its certificate (CN=api) is not valid before 2119-01-01 00:00 UTC, and this machine's clock says NOW
    hint: check this machine's clock
    ");
}

#[test]
fn a_certificate_for_another_name_is_told_with_those_that_it_has() {
    let root = Authority::new("the cluster");
    let few = root.sign(&server("api", &["kubernetes.default.svc", "10.0.0.1", "2001:db8::1"]));
    assert_snapshot!(refused(&root, &few), @r"
    dials: TLS-certificate-error (the server's certificate cannot be trusted)
    kwasm: https://SERVER (context `c`): its certificate is not for `127.0.0.1`, but for `kubernetes.default.svc`, `10.0.0.1`, `2001:db8::1`
    hint: check server of this cluster in the kubeconfig, or name one of those as its tls-server-name
    ");
    let many: Vec<String> = (1..=10).map(|number| format!("api-{number}.example")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_snapshot!(refused(&root, &root.sign(&server("api", &many))), @r"
    dials: TLS-certificate-error (the server's certificate cannot be trusted)
    kwasm: https://SERVER (context `c`): its certificate is not for `127.0.0.1`, but for `api-1.example`, `api-2.example`, `api-3.example`, `api-4.example`, `api-5.example`, `api-6.example`, `api-7.example`, `api-8.example` and 2 others
    hint: check server of this cluster in the kubeconfig, or name one of those as its tls-server-name
    ");
    // What no client has read for years.
    assert_snapshot!(refused(&root, &root.sign(&server("127.0.0.1", &[]))), @r"
    dials: TLS-certificate-error (the server's certificate cannot be trusted)
    kwasm: https://SERVER (context `c`): its certificate names no host, so it is not for `127.0.0.1`: it has a subject (CN=127.0.0.1) and no subjectAltName
    hint: ask the cluster's administrator to give it a certificate with subjectAltName
    ");
}

#[test]
fn the_name_of_a_server_may_be_another_than_its_address() {
    let root = Authority::new("the cluster");
    let keyed = root.sign(&server("api", &["kubernetes.default.svc"]));
    let named = |name: &str| format!("{}, tls-server-name: {name}", trusting(root.pem()));
    accepted(&ask(&TlsServer::with(&keyed), &named("kubernetes.default.svc")));
    let run = ask(&TlsServer::with(&keyed), &named("other.example")).fails(1);
    assert_snapshot!(run.stderr, @r"
    dials: TLS-certificate-error (the server's certificate cannot be trusted)
    kwasm: https://SERVER (context `c`): its certificate is not for `other.example`, but for `kubernetes.default.svc`
    hint: check server of this cluster in the kubeconfig, or name one of those as its tls-server-name
    ");
    let run = ask(&TlsServer::with(&keyed), &named("'no name'")).fails(125);
    assert_snapshot!(run.stderr, @"kwasm: tls-server-name of context `c`: it is not a valid server name");
}

#[test]
fn an_issuer_that_nobody_vouches_for_is_told_by_name() {
    let (root, other) = (Authority::new("the cluster"), Authority::new("another"));
    let keyed = root.sign(&server("api", LOOPBACK));
    assert_snapshot!(refused(&other, &keyed), @r"
    dials: TLS-certificate-error (the server's certificate cannot be trusted)
    kwasm: https://SERVER (context `c`): its certificate is signed by `CN=the cluster`, which is not in the kubeconfig's certificate-authority
    hint: check certificate-authority of this cluster in the kubeconfig
    ");
    assert_snapshot!(ask(&TlsServer::with(&keyed), "").fails(1).stderr, @r"
    dials: TLS-certificate-error (the server's certificate cannot be trusted)
    kwasm: https://SERVER (context `c`): its certificate is signed by `CN=the cluster`, which this machine does not trust, and the kubeconfig names no certificate-authority
    hint: name the cluster's authority as certificate-authority of this cluster in the kubeconfig
    ");
}

#[test]
fn a_cluster_that_was_made_anew_is_told_from_a_strangers() {
    let (before, now) = (Authority::new("kubernetes"), Authority::new("kubernetes"));
    assert_snapshot!(refused(&before, &now.sign(&server("api", LOOPBACK))), @r"
    dials: TLS-certificate-error (the server's certificate cannot be trusted)
    kwasm: https://SERVER (context `c`): its certificate is signed by `CN=kubernetes`, but by another key than that of the kubeconfig's certificate-authority of this name
    hint: if the cluster was recreated, get its new kubeconfig
    ");
}

#[test]
fn a_certificate_that_signed_itself_is_told_and_is_taken_where_it_is_the_authority() {
    let other = Authority::new("another");
    for params in [server("api", LOOPBACK), authority("api", LOOPBACK)] {
        let keyed = self_signed(&params);
        insta::allow_duplicates! {
            assert_snapshot!(refused(&other, &keyed), @r"
            dials: TLS-certificate-error (the server's certificate cannot be trusted)
            kwasm: https://SERVER (context `c`): its certificate (CN=api) is signed by itself, and is not in the kubeconfig's certificate-authority
            hint: check certificate-authority of this cluster in the kubeconfig
            ");
            assert_snapshot!(ask(&TlsServer::with(&keyed), "").fails(1).stderr, @r"
            dials: TLS-certificate-error (the server's certificate cannot be trusted)
            kwasm: https://SERVER (context `c`): its certificate (CN=api) is signed by itself, and the kubeconfig names no certificate-authority
            hint: if it is the cluster's own, name it as certificate-authority of this cluster in the kubeconfig
            ");
        }
        accepted(&ask(&TlsServer::with(&keyed), &trusting(&keyed.pem)));
    }
    // Its name and its time still count.
    let keyed = self_signed(&authority("api", &["api.example"]));
    let run = ask(&TlsServer::with(&keyed), &trusting(&keyed.pem)).fails(1);
    assert!(run.stderr.contains("is not for `127.0.0.1`, but for `api.example`"), "{}", run.shown());
    let mut params = authority("api", LOOPBACK);
    params.not_after = date_time_ymd(2024, 2, 29);
    let keyed = self_signed(&params);
    let run = ask(&TlsServer::with(&keyed), &trusting(&keyed.pem)).fails(1);
    assert!(run.stderr.contains("expired on 2024-02-29 00:00 UTC"), "{}", run.shown());
}

#[test]
fn a_certificate_that_is_not_for_servers_is_told() {
    let root = Authority::new("the cluster");
    let mut params = server("jane", LOOPBACK);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    assert_snapshot!(refused(&root, &root.sign(&params)), @r"
    dials: TLS-certificate-error (the server's certificate cannot be trusted)
    kwasm: https://SERVER (context `c`): its certificate (CN=jane) is not for servers
    hint: ask the cluster's administrator to give the API server a certificate for servers
    ");
}

#[test]
fn a_hostile_certificate_does_not_drive_the_terminal() {
    let mut params = server("api\u{1b}[2J\nkwasm: all is well", &[]);
    params.distinguished_name.push(DnType::OrganizationName, "x".repeat(300));
    let name = "\u{1b}]0;owned\u{7}\nhint: run this".try_into().unwrap();
    params.subject_alt_names = vec![SanType::DnsName(name)];
    let root = Authority::new("the cluster");
    let said = refused(&root, &root.sign(&params));
    let other = refused(&Authority::new("another"), &self_signed(&params));
    for text in [said, other] {
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(!text.contains('\u{1b}') && !text.contains('\u{7}'), "{text}");
    }
}

#[test]
fn whoever_answers_is_believed_where_the_kubeconfig_says_so() {
    let mut params = server("api", &["elsewhere.example"]);
    params.not_after = date_time_ymd(2024, 2, 29);
    let insecure = "insecure-skip-tls-verify: true";
    accepted(&ask(&TlsServer::with(&self_signed(&params)), insecure));
    let version_1 = Authority::new("the cluster").sign_version_1(&params);
    for versions in VERSIONS {
        let spoken = Spoken { versions, ..Spoken::default() };
        accepted(&ask(&TlsServer::start(&version_1, &spoken), insecure));
    }
    // But not one who has no key to the certificate.
    let mut thief = self_signed(&params);
    thief.chain = version_1.chain;
    let run = ask(&TlsServer::with(&thief), insecure).fails(1);
    assert!(run.stderr.contains("it does not have the private key of its certificate"), "{}", run.shown());
}

#[test]
fn what_excludes_each_other_is_refused() {
    let root = Authority::new("the cluster");
    let server = TlsServer::with(&root.sign(&server("api", LOOPBACK)));
    let both = format!("{}, insecure-skip-tls-verify: true", trusting(root.pem()));
    assert_snapshot!(ask(&server, &both).fails(125).stderr, @r"
    kwasm: the certificate authority of context `c`: one is given together with insecure-skip-tls-verify, which excludes it
    hint: correct certificate-authority of this cluster in the kubeconfig, or log in again
    ");
    let both = format!("{}, certificate-authority: ca.crt", trusting(root.pem()));
    assert_snapshot!(ask(&server, &both).fails(125).stderr, @r"
    kwasm: the certificate authority of context `c`: certificate-authority and certificate-authority-data are both given
    hint: correct certificate-authority of this cluster in the kubeconfig, or log in again
    ");
    assert_snapshot!(ask(&server, &trusting("no certificate")).fails(1).stderr, @r"
    dials: configuration-error (the kubeconfig gave no usable credentials or certificates, see below)
    kwasm: the certificate authority of context `c`: it holds no certificate
    hint: correct certificate-authority of this cluster in the kubeconfig, or log in again
    ");
}

#[test]
fn a_server_that_wants_another_client_certificate_is_told() {
    let (root, other) = (Authority::new("the cluster"), Authority::new("another"));
    let keyed = root.sign(&server("api", LOOPBACK));
    for versions in VERSIONS {
        let asking = TlsServer::start(&keyed, &Spoken { versions, ..root.asked_of_clients() });
        let said = ask(&asking, &trusting(root.pem())).fails(1).stderr;
        assert!(said.contains("it requires a client certificate, and got none"), "{said}");
        let url = format!("https://{}", asking.address());
        let with = |authority: &Authority| {
            let mut params = server("jane", &[]);
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
            let Keyed { pem, key, .. } = authority.sign(&params);
            let (pem, key) = (STANDARD.encode(pem), STANDARD.encode(key.serialize_pem()));
            let user = format!("client-certificate-data: {pem}, client-key-data: {key}");
            ask_at(&url, &trusting(root.pem()), &user)
        };
        accepted(&with(&root));
        let said = with(&other).fails(1).stderr.replace(&url, "https://SERVER");
        let line = said.lines().find(|line| line.starts_with("kwasm: ")).unwrap_or_default();
        let unknown = "it does not trust the authority that signed the client certificate";
        assert_eq!(line, format!("kwasm: https://SERVER (context `c`): {unknown}"), "{said}");
    }
}

#[test]
fn a_client_certificate_whose_time_has_not_come_is_told_with_this_machines_clock() {
    let server = ApiServer::start().unwrap();
    let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::NotYetValidCertificate));
    let said = kwasm.run("dials", &[PATH]).stderr;
    let line = said.lines().find(|line| line.starts_with("kwasm: ")).unwrap_or_default();
    assert!(line.contains("the client certificate of user `not-yet-valid-certificate` (O=developers, O=shop-owners, CN=jane) is not valid before 20"), "{said}");
    assert!(said.contains("hint: check this machine's clock"), "{said}");
}

#[test]
fn a_server_that_speaks_no_tls_is_told_with_what_it_speaks() {
    let plain = TlsServer::saying(b"HTTP/1.0 400 Bad Request\r\n\r\nno TLS here");
    assert_snapshot!(ask(&plain, "").fails(1).stderr, @r"
    dials: TLS-protocol-error (the server does not speak TLS as it should)
    kwasm: https://SERVER (context `c`): it answers in plain HTTP, not in TLS
    hint: did you mean http:// ?
    ");
    let shell = TlsServer::saying(b"SSH-2.0-OpenSSH_10\r\n");
    assert_snapshot!(ask(&shell, "").fails(1).stderr, @r"
    dials: TLS-protocol-error (the server does not speak TLS as it should)
    kwasm: https://SERVER (context `c`): it does not speak TLS
    hint: check its address
    ");
    let mute = TlsServer::saying(b"");
    assert_snapshot!(ask(&mute, "").fails(1).stderr, @r"
    dials: connection-terminated (the connection broke)
    kwasm: https://SERVER (context `c`): it closed the connection instead of answering the TLS handshake
    hint: is it an API server? a firewall or a load balancer may refuse its name
    ");
    // And the other way around.
    let root = Authority::new("the cluster");
    let secure = TlsServer::with(&root.sign(&server("api", LOOPBACK)));
    let said = ask_at(&format!("http://{}", secure.address()), "", "").fails(1).stderr;
    assert!(said.contains("hint: did you mean https:// ?"), "{said}");
}

#[test]
fn a_server_that_has_no_tls_in_common_is_told() {
    // Alerts as they are on the wire: fatal, protocol_version and handshake_failure.
    let old = TlsServer::saying(b"\x15\x03\x01\x00\x02\x02\x46");
    assert_snapshot!(ask(&old, "").fails(1).stderr, @r"
    dials: TLS-alert-received (the server ended the TLS handshake: ProtocolVersion)
    kwasm: https://SERVER (context `c`): it has no TLS version in common with kwasm (ProtocolVersion)
    hint: ask its administrator to enable TLS 1.2 or 1.3, which kubectl requires too
    ");
    let strange = TlsServer::saying(b"\x15\x03\x03\x00\x02\x02\x28");
    assert_snapshot!(ask(&strange, "").fails(1).stderr, @r"
    dials: TLS-alert-received (the server ended the TLS handshake: HandshakeFailure)
    kwasm: https://SERVER (context `c`): it refuses the TLS handshake (HandshakeFailure): most likely it has no cipher in common with kwasm
    hint: kwasm supports TLS 1.3, and TLS 1.2 with ECDHE and AES-GCM or ChaCha20-Poly1305; kubectl supports older ciphers too (CBC): ask its administrator to allow one of the former
    ");
}

#[test]
fn a_certificate_for_any_purpose_is_one_for_servers() {
    let root = Authority::new("the cluster");
    let mut params = server("api", LOOPBACK);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::Any];
    accepted(&ask(&TlsServer::with(&root.sign(&params)), &trusting(root.pem())));
    // To this machine's authorities webpki alone is asked.
    let said = ask(&TlsServer::with(&root.sign(&params)), "").fails(1).stderr;
    assert!(!said.contains("Other("), "{said}");
}

#[test]
fn a_certificate_of_an_old_version_is_reported_as_one() {
    let root = Authority::new("the cluster");
    let keyed = root.sign_version_1(&server("api", LOOPBACK));
    assert_snapshot!(refused(&root, &keyed), @r"
    dials: TLS-certificate-error (the server's certificate cannot be trusted)
    kwasm: https://SERVER (context `c`): its certificate (CN=api) is one of X.509 version 1, which names no host
    hint: ask the cluster's administrator to give it a certificate with subjectAltName
    ");
}

#[test]
fn an_address_in_the_form_of_the_other_family_is_the_same_address() {
    let root = Authority::new("the cluster");
    let keyed = TlsServer::with(&root.sign(&server("api", LOOPBACK)));
    let url = format!("https://[::ffff:127.0.0.1]:{}", keyed.address().port());
    accepted(&ask_at(&url, &trusting(root.pem()), "token: t"));
}

#[test]
fn a_client_key_that_cannot_be_used_is_reported_with_what_it_is_and_what_helps() {
    let root = Authority::new("the cluster");
    let asking = TlsServer::start(&root.sign(&server("api", LOOPBACK)), &root.asked_of_clients());
    let url = format!("https://{}", asking.address());
    let with = |key: &str| {
        let mut params = server("jane", &[]);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let keyed = root.sign(&params);
        let key = key.replace("$KEY", &keyed.key.serialize_pem());
        let (pem, key) = (STANDARD.encode(&keyed.pem), STANDARD.encode(key));
        let user = format!("client-certificate-data: {pem}, client-key-data: {key}");
        ask_at(&url, &trusting(root.pem()), &user)
    };
    accepted(&with("$KEY"));
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n";
    assert_snapshot!(with(encrypted).fails(1).stderr, @r"
    dials: configuration-error (the kubeconfig gave no usable credentials or certificates, see below)
    kwasm: the client key of user `u`: it is encrypted, and neither kubectl nor kwasm asks for a passphrase
    hint: openssl pkey -in KEY -out NEW writes it without its passphrase
    ");
}
