//! Tests of the trust in a server.

use super::super::case::{Case, case};

/// Returns a case with the authorities in a file too.
fn with_file(name: &'static str) -> Case {
    case(name).file("ca.crt", "$CA_PEM")
}

pub(super) fn cases() -> Vec<Case> {
    vec![
        with_file("an authority in a file")
            .cluster("{server: '$TLS', certificate-authority: ca.crt}")
            .asks("tls token=$TOKEN"),
        case("no authority: the machine's do not know the server")
            .cluster("{server: '$TLS'}")
            .fails("tls: failed to verify certificate: x509: certificate signed by unknown authority"),
        case("another authority")
            .cluster("{server: '$TLS', certificate-authority-data: $STRANGE_CA}")
            .fails("tls: failed to verify certificate: x509: certificate signed by unknown authority"),
        with_file("data over a file")
            .cluster("{server: '$TLS', certificate-authority: absent, certificate-authority-data: $CA}")
            .fails("certificate-authority-data and certificate-authority are both specified for main"),
        with_file("other data over a file")
            .cluster("{server: '$TLS', certificate-authority: ca.crt, certificate-authority-data: $STRANGE_CA}")
            .fails("certificate-authority-data and certificate-authority are both specified for main"),
        with_file("empty data beside a file")
            .cluster("{server: '$TLS', certificate-authority: ca.crt, certificate-authority-data: ''}")
            .asks("tls token=$TOKEN"),
        case("an empty file name is none")
            .cluster("{server: '$TLS', certificate-authority: '', certificate-authority-data: $CA}")
            .asks("tls token=$TOKEN"),
        case("a file that is missing")
            .cluster("{server: '$TLS', certificate-authority: absent}")
            .fails("unable to read certificate-authority $DIR/absent for main"),
        case("a file that is a directory")
            .cluster("{server: '$TLS', certificate-authority: home}")
            .fails("read $DIR/home: is a directory"),
        case("a file without a certificate")
            .file("ca.crt", "nothing\n")
            .cluster("{server: '$TLS', certificate-authority: ca.crt}")
            .fails("unable to load root certificates: unable to parse bytes as PEM block"),
        case("an empty file of authorities")
            .file("ca.crt", "")
            .cluster("{server: '$TLS', certificate-authority: ca.crt}")
            .fails("tls: failed to verify certificate: x509: certificate signed by unknown authority"),
        case("a file with text around the certificates")
            .file("ca.crt", "# ours\n$CA_PEM\n# end\n")
            .cluster("{server: '$TLS', certificate-authority: ca.crt}")
            .asks("tls token=$TOKEN"),
        case("a file with something else before the certificates")
            .file("ca.crt", "$ALICE_KEY_PEM$CA_PEM")
            .cluster("{server: '$TLS', certificate-authority: ca.crt}")
            .asks("tls token=$TOKEN"),
        case("a file with a broken certificate behind a good one")
            .file("ca.crt", "$CA_PEM-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
            .cluster("{server: '$TLS', certificate-authority: ca.crt}")
            .asks("tls token=$TOKEN"),
        case("data that is no base64")
            .cluster("{server: '$TLS', certificate-authority-data: 'no base64!'}")
            .fails("illegal base64 data at input byte 2"),
        case("data that is no PEM")
            .cluster("{server: '$TLS', certificate-authority-data: bm90aGluZw==}")
            .fails("unable to load root certificates: unable to parse bytes as PEM block"),
        case("data without its padding")
            .cluster("{server: '$TLS', certificate-authority-data: bm90aGluZw}")
            .fails("illegal base64 data at input byte 8"),
        case("data of another alphabet")
            .cluster("{server: '$TLS', certificate-authority-data: '-_-_'}")
            .fails("illegal base64 data at input byte 0"),
        case("data that is a certificate and no base64")
            .cluster("{server: '$TLS', certificate-authority-data: '-----BEGIN CERTIFICATE-----'}")
            .fails("illegal base64 data at input byte 0"),
        case("insecure")
            .cluster("{server: '$TLS', insecure-skip-tls-verify: true}")
            .asks("tls token=$TOKEN"),
        case("insecure, with an authority")
            .cluster("{server: '$TLS', insecure-skip-tls-verify: true, certificate-authority-data: $CA}")
            .fails("specifying a root certificates file with the insecure flag is not allowed"),
        with_file("insecure, with an authority in a file")
            .cluster("{server: '$TLS', insecure-skip-tls-verify: true, certificate-authority: ca.crt}")
            .fails("specifying a root certificates file with the insecure flag is not allowed"),
        case("insecure is false")
            .cluster("{server: '$TLS', insecure-skip-tls-verify: false, certificate-authority-data: $CA}")
            .asks("tls token=$TOKEN"),
        case("insecure by flag")
            .cluster("{server: '$TLS'}")
            .flags("--insecure-skip-tls-verify")
            .asks("tls token=$TOKEN"),
        case("insecure by flag, over an authority")
            .flags("--insecure-skip-tls-verify")
            .asks("tls token=$TOKEN"),
        with_file("insecure by flag, over an authority in a file")
            .cluster("{server: '$TLS', certificate-authority: ca.crt}")
            .flags("--insecure-skip-tls-verify=true")
            .asks("tls token=$TOKEN"),
        case("secure by flag")
            .cluster("{server: '$TLS', insecure-skip-tls-verify: true}")
            .flags("--insecure-skip-tls-verify=false")
            .asks("tls token=$TOKEN"),
        case("secure by flag, with an authority")
            .flags("--insecure-skip-tls-verify=false")
            .asks("tls token=$TOKEN"),
        case("insecure by a letter")
            .cluster("{server: '$TLS'}")
            .flags("--insecure-skip-tls-verify=t")
            .asks("tls token=$TOKEN"),
        case("insecure by a word that is none")
            .flags("--insecure-skip-tls-verify=maybe")
            .fails("invalid argument \"maybe\" for \"--insecure-skip-tls-verify\""),
        case("insecure does not take the next word")
            .cluster("{server: '$TLS', insecure-skip-tls-verify: true}")
            .flags("--insecure-skip-tls-verify --namespace x")
            .asks("tls token=$TOKEN namespace=x"),
        with_file("an authority by flag")
            .cluster("{server: '$TLS'}")
            .flags("--certificate-authority=ca.crt")
            .asks("tls token=$TOKEN"),
        with_file("an authority by flag, over another's data")
            .cluster("{server: '$TLS', certificate-authority-data: $STRANGE_CA}")
            .flags("--certificate-authority ca.crt")
            .asks("tls token=$TOKEN"),
        with_file("an authority by flag, over insecure")
            .cluster("{server: '$TLS', insecure-skip-tls-verify: true}")
            .flags("--certificate-authority ca.crt")
            .asks("tls token=$TOKEN"),
        with_file("an authority by flag, and insecure by flag")
            .flags("--certificate-authority ca.crt --insecure-skip-tls-verify")
            .fails("specifying a root certificates file with the insecure flag is not allowed"),
        case("an authority by flag that is missing")
            .flags("--certificate-authority absent")
            .fails("unable to read certificate-authority absent for main"),
        case("an empty authority by flag is none")
            .flag("--certificate-authority=")
            .asks("tls token=$TOKEN"),
        case("a server name")
            .cluster("{$TRUSTED, tls-server-name: kubernetes.default.svc}")
            .asks("tls sni=kubernetes.default.svc token=$TOKEN"),
        case("a server name that the server has not")
            .cluster("{$TRUSTED, tls-server-name: other.example.test}")
            .fails("x509: certificate is valid for kubernetes.default.svc, localhost, not other.example.test"),
        case("a server name that the server has not, insecure")
            .cluster("{server: '$TLS', insecure-skip-tls-verify: true, tls-server-name: other.example.test}")
            .asks("tls sni=other.example.test token=$TOKEN"),
        case("an address for a server name")
            .cluster("{server: 'https://localhost:$PORT', certificate-authority-data: $CA, tls-server-name: 127.0.0.1}")
            .asks("tls token=$TOKEN"),
        case("an empty server name is none")
            .cluster("{$TRUSTED, tls-server-name: ''}")
            .asks("tls token=$TOKEN"),
        case("a server name by flag")
            .flags("--tls-server-name localhost")
            .asks("tls sni=localhost token=$TOKEN"),
        case("a server name by flag, over another")
            .cluster("{$TRUSTED, tls-server-name: other.example.test}")
            .flags("--tls-server-name=localhost")
            .asks("tls sni=localhost token=$TOKEN"),
        case("a server name and a server by flag")
            .cluster("{server: 'https://127.0.0.1:1', certificate-authority-data: $CA, tls-server-name: other.example.test}")
            .flags("--server=$TLS --tls-server-name=localhost")
            .asks("tls sni=localhost token=$TOKEN"),
        case("an empty server name by flag is none")
            .cluster("{$TRUSTED, tls-server-name: localhost}")
            .flag("--tls-server-name=")
            .asks("tls sni=localhost token=$TOKEN"),
    ]
}
