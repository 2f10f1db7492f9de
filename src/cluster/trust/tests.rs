use std::path::PathBuf;

use super::*;

const SERVER: &str = "https://c";

fn entry(server: &str) -> ClusterEntry {
    ClusterEntry { server: Some(server.to_owned()), ..ClusterEntry::default() }
}

fn authority(name: &str) -> String {
    let mut params = rcgen::CertificateParams::default();
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().pem()
}

/// Makes it a minute later.
fn wait(trust: &Trust) {
    let mut known = trust.0.known.lock().unwrap();
    let known = known.as_mut().unwrap();
    known.read = known.read.checked_sub(FRESH).unwrap();
}

fn refused(entry: &ClusterEntry) -> String {
    Trust::of("x", entry).err().unwrap().to_string()
}

#[test]
fn authorities_are_told_by_where_they_are_from() {
    let data = ClusterEntry { certificate_authority_data: Some("eA==".to_owned()), ..entry(SERVER) };
    let file = ClusterEntry { certificate_authority: Some(PathBuf::from("/ca")), ..entry(SERVER) };
    let insecure = ClusterEntry { insecure_skip_tls_verify: Some(true), ..entry(SERVER) };
    for (entry, authority, text) in [
        (&data, Authority::Data, "\"data\""),
        (&file, Authority::File, "\"file\""),
        (&entry(SERVER), Authority::System, "\"system\""),
        (&insecure, Authority::None, "\"none\""),
        (&entry("http://c"), Authority::None, "\"none\""),
    ] {
        let trust = Trust::of("x", entry).ok().unwrap();
        assert_eq!(trust.authority(), authority);
        assert_eq!(serde_json::to_string(&authority).unwrap(), text);
        assert_eq!(trust.is_insecure(), entry.insecure_skip_tls_verify == Some(true));
    }
}

#[test]
fn what_excludes_each_other_is_an_error_where_there_is_tls() {
    let both = ClusterEntry {
        certificate_authority_data: Some("eA==".to_owned()),
        certificate_authority: Some(PathBuf::from("/ca")),
        ..entry(SERVER)
    };
    assert!(refused(&both).ends_with("certificate-authority and certificate-authority-data are both given"));
    let insecure = ClusterEntry {
        certificate_authority: Some(PathBuf::from("/ca")),
        insecure_skip_tls_verify: Some(true),
        ..entry(SERVER)
    };
    assert!(refused(&insecure).contains("together with insecure-skip-tls-verify"));
    assert!(Trust::of("x", &ClusterEntry { server: Some("http://c".to_owned()), ..insecure }).is_ok());
}

#[test]
fn a_name_of_a_server_is_a_name_or_an_address() {
    for (name, is_one) in
        [("api.example", true), ("10.0.0.1", true), ("::1", true), ("a b", false), ("-", false)]
    {
        let trust = Trust::of("x", &ClusterEntry { tls_server_name: Some(name.to_owned()), ..entry(SERVER) });
        assert_eq!(
            trust.ok().and_then(|trust| trust.server_name().map(str::to_owned)).is_some(),
            is_one,
            "{name}"
        );
    }
}

#[test]
fn authorities_in_a_file_are_read_again_after_a_minute() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.crt");
    let write = |text: &str| std::fs::write(&path, text).unwrap();
    let (first, second) = (authority("first"), authority("second"));
    write(&first);
    let trust = Trust::of("x", &ClusterEntry { certificate_authority: Some(path.clone()), ..entry(SERVER) })
        .ok()
        .unwrap();
    let config = || trust.client_config(None).ok().unwrap();
    let before = config();
    write(&second);
    assert!(Arc::ptr_eq(&before, &config()), "it was read a moment ago");
    wait(&trust);
    let after = config();
    assert!(!Arc::ptr_eq(&before, &after), "it has changed");
    wait(&trust);
    assert!(Arc::ptr_eq(&after, &config()), "it says what it said");
    for broken in ["", "-----BEGIN CERTIFICATE-----\n"] {
        write(broken);
        wait(&trust);
        assert!(Arc::ptr_eq(&after, &config()), "what was known still holds");
    }
    std::fs::remove_file(&path).unwrap();
    wait(&trust);
    assert!(Arc::ptr_eq(&after, &config()), "what was known still holds");
    write(&first);
    wait(&trust);
    assert!(!Arc::ptr_eq(&after, &config()), "it has changed again");
}

#[test]
fn a_file_that_cannot_be_read_at_first_is_an_error_and_is_read_once_it_can() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.crt");
    let trust = Trust::of("x", &ClusterEntry { certificate_authority: Some(path.clone()), ..entry(SERVER) })
        .ok()
        .unwrap();
    let error = trust.client_config(None).err().unwrap().to_string();
    assert!(
        error.starts_with("the certificate authority of context `x`: ") && error.contains("ca.crt"),
        "{error}"
    );
    std::fs::write(&path, "no certificate").unwrap();
    let error = trust.client_config(None).err().unwrap().to_string();
    assert_eq!(error, "the certificate authority of context `x`: it holds no certificate");
    std::fs::write(&path, authority("cluster")).unwrap();
    assert!(trust.client_config(None).is_ok());
}

#[test]
fn a_proxy_is_spoken_to_by_a_configuration_of_its_own() {
    let insecure = ClusterEntry { insecure_skip_tls_verify: Some(true), ..entry(SERVER) };
    let trust = Trust::of("x", &insecure).ok().unwrap();
    let (server, proxy) = (trust.client_config(None).ok().unwrap(), trust.proxy_config().ok().unwrap());
    assert!(!Arc::ptr_eq(&server, &proxy));
    assert!(Arc::ptr_eq(&proxy, &trust.proxy_config().ok().unwrap()));
    assert!(Arc::ptr_eq(&server, &trust.client_config(None).ok().unwrap()));
}

/// Servers made with Go since 1.24, as the API server is, prefer the hybrid with ML-KEM even where they have to ask for another
/// hello to get a key share of it: a round trip more for each connection.
#[test]
fn the_first_hello_has_a_key_share_of_the_group_that_servers_prefer() {
    let trust = Trust::of("x", &entry(SERVER)).ok().unwrap();
    let config = trust.client_config(None).ok().unwrap();
    let groups = &config.crypto_provider().kx_groups;
    assert_eq!(groups[0].name(), rustls::NamedGroup::X25519MLKEM768);
    // A server without it takes this one, of which the same hello has a share.
    assert_eq!(groups[1].name(), rustls::NamedGroup::X25519);
}
