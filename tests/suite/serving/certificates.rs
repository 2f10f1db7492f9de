//! TLS, and certificates that are renewed while a server runs.

use std::fs;
use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};

use super::{Server, ask, read};
use crate::support::Kwasm;
use crate::support::tls::{self, Authority, Keyed};

fn connect(
    server: &Server,
    trusted: &Authority,
) -> std::io::Result<StreamOwned<ClientConnection, TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(trusted.pem().as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let settings = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("shop.example").unwrap();
    let mut stream =
        StreamOwned::new(ClientConnection::new(Arc::new(settings), name).unwrap(), server.connect());
    stream.flush()?;
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock)?;
    }
    Ok(stream)
}

fn certificate(authority: &Authority) -> Keyed {
    authority.sign(&tls::server("a shop", &["shop.example"]))
}

#[test]
fn a_renewed_certificate_is_used_and_a_broken_one_is_told() {
    let kwasm = Kwasm::new();
    let [file, key] = ["tls.crt", "tls.key"].map(|name| kwasm.home().join(name));
    let put = |keyed: &Keyed| {
        fs::write(&file, &keyed.pem).unwrap();
        fs::write(&key, keyed.key.serialize_pem()).unwrap();
    };
    let (first, second) = (Authority::new("the first"), Authority::new("the second"));
    put(&certificate(&first));
    let files = ["--tls-cert", file.to_str().unwrap(), "--tls-key", key.to_str().unwrap()];
    let mut server = Server::of(&kwasm, "serves", &files);
    let mut stream = connect(&server, &first).unwrap();
    ask(&mut stream, "GET", "/request", b"");
    let answer = read(&mut BufReader::new(stream)).text();
    assert!(answer.starts_with("Some(Scheme::Https)"), "{answer}");
    assert!(connect(&server, &second).is_err());

    let renewed = certificate(&second);
    fs::write(&key, renewed.key.serialize_pem()).unwrap();
    let line = server.running.error_with("the certificate was not renewed");
    assert!(line.contains("it is not the key of"), "{line}");
    assert!(connect(&server, &first).is_ok(), "the last one that was whole stays");

    put(&renewed);
    server.running.error_with("the certificate was renewed");
    let mut stream = connect(&server, &second).unwrap();
    ask(&mut stream, "GET", "/", b"");
    assert_eq!(read(&mut BufReader::new(stream)).text(), "hello\n");
    assert!(connect(&server, &first).is_err());
}

#[test]
fn what_is_no_tls_is_let_go_of_and_the_next_client_served() {
    let kwasm = Kwasm::new();
    let [file, key] = ["tls.crt", "tls.key"].map(|name| kwasm.home().join(name));
    let authority = Authority::new("the first");
    let keyed = certificate(&authority);
    fs::write(&file, &keyed.pem).unwrap();
    fs::write(&key, keyed.key.serialize_pem()).unwrap();
    let files = ["--tls-cert", file.to_str().unwrap(), "--tls-key", key.to_str().unwrap()];
    let server = Server::of(&kwasm, "serves", &files);
    let mut plain = server.connect();
    plain.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    ask(&mut plain, "GET", "/", b"");
    let mut answer = Vec::new();
    drop(plain.read_to_end(&mut answer));
    assert!(!answer.starts_with(b"HTTP"), "{}", String::from_utf8_lossy(&answer));
    assert!(connect(&server, &Authority::new("another")).is_err());
    let mut stream = connect(&server, &authority).unwrap();
    ask(&mut stream, "GET", "/", b"");
    assert_eq!(read(&mut BufReader::new(stream)).text(), "hello\n");
}
