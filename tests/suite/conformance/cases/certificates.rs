//! Client certificates.

use super::super::case::{Case, case};

/// Returns a case with certificates and keys in files too.
fn with_files(name: &'static str) -> Case {
    case(name)
        .file("alice.crt", "$ALICE_PEM")
        .file("alice.key", "$ALICE_KEY_PEM")
        .file("bob.crt", "$BOB_PEM")
        .file("bob.key", "$BOB_KEY_PEM")
}

const ALICE: &str = "{$PAIR}";

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("a certificate as data").user(ALICE).asks("tls certificate=alice"),
        with_files("a certificate in files")
            .user("{client-certificate: alice.crt, client-key: alice.key}")
            .asks("tls certificate=alice"),
        with_files("a certificate's data over its file")
            .user("{client-certificate: bob.crt, $PAIR}")
            .fails("client-cert-data and client-cert are both specified for main"),
        with_files("a key's data over its file")
            .user("{client-certificate-data: $ALICE, client-key: bob.key, client-key-data: $ALICE_KEY}")
            .fails("client-key-data and client-key are both specified for main"),
        with_files("data over files that are missing")
            .user("{client-certificate: absent, client-key: absent, $PAIR}")
            .fails("client-cert-data and client-cert are both specified for main"),
        with_files("a certificate as data, its key in a file")
            .user("{client-certificate-data: $ALICE, client-key: alice.key}")
            .asks("tls certificate=alice"),
        with_files("a certificate in a file, its key as data")
            .user("{client-certificate: alice.crt, client-key-data: $ALICE_KEY}")
            .asks("tls certificate=alice"),
        case("a certificate without a key")
            .user("{client-certificate-data: $ALICE}")
            .fails("client-key-data or client-key must be specified for main"),
        case("a key without a certificate").user("{client-key-data: $ALICE_KEY}").fails("EOF"),
        with_files("a key's file without a certificate").user("{client-key: alice.key}").fails("EOF"),
        with_files("a key's file without a certificate, and a token")
            .user("{client-key: alice.key, token: $TOKEN}")
            .asks("tls token=$TOKEN"),
        case("a missing key's file without a certificate")
            .user("{client-key: absent, token: $TOKEN}")
            .asks("tls token=$TOKEN"),
        with_files("a certificate's file that is missing")
            .user("{client-certificate: absent, client-key: alice.key}")
            .fails("unable to read client-cert $DIR/absent for main"),
        with_files("a key's file that is missing")
            .user("{client-certificate: alice.crt, client-key: absent}")
            .fails("unable to read client-key $DIR/absent for main"),
        case("another's key")
            .user("{client-certificate-data: $ALICE, client-key-data: $BOB_KEY}")
            .fails("tls: private key does not match public key"),
        case("a certificate that is none")
            .user("{client-certificate-data: bm90aGluZw==, client-key-data: $ALICE_KEY}")
            .fails("tls: failed to find any PEM data in certificate input"),
        case("a key that is none")
            .user("{client-certificate-data: $ALICE, client-key-data: bm90aGluZw==}")
            .fails("tls: failed to find any PEM data in key input"),
        case("a certificate that is no base64")
            .user("{client-certificate-data: '!', client-key-data: $ALICE_KEY}")
            .fails("illegal base64 data at input byte 0"),
        case("a key that is no base64")
            .user("{client-certificate-data: $ALICE, client-key-data: '!'}")
            .fails("illegal base64 data at input byte 0"),
        case("a token for a key's file")
            .user("{client-certificate-data: $ALICE, client-key: token}")
            .file("token", "$TOKEN")
            .fails("tls: failed to find any PEM data in key input"),
        case("a key in PKCS #8 that is called one in PKCS #1")
            .file("alice.key", "$ALICE_KEY_AS_RSA_PEM")
            .user("{client-certificate-data: $ALICE, client-key: alice.key}")
            .asks("tls certificate=alice"),
        case("a key in SEC 1 that is called one in PKCS #8")
            .file("alice.key", "$ALICE_SEC1_KEY_PEM")
            .user("{client-certificate-data: $ALICE, client-key: alice.key}")
            .asks("tls certificate=alice"),
        case("a key behind one that is no base64")
            .file("alice.key", "-----BEGIN PRIVATE KEY-----\n?\n-----END PRIVATE KEY-----\n$ALICE_KEY_PEM")
            .user("{client-certificate-data: $ALICE, client-key: alice.key}")
            .asks("tls certificate=alice"),
        case("a key that is encrypted")
            .file(
                "alice.key",
                "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n",
            )
            .user("{client-certificate-data: $ALICE, client-key: alice.key}")
            .fails("tls: failed to parse private key"),
        case("certificate and key in one file")
            .file("both.pem", "$ALICE_PEM$ALICE_KEY_PEM")
            .user("{client-certificate: both.pem, client-key: both.pem}")
            .asks("tls certificate=alice"),
        case("certificate and key in one file, the key first")
            .file("both.pem", "$ALICE_KEY_PEM$ALICE_PEM")
            .user("{client-certificate: both.pem, client-key: both.pem}")
            .asks("tls certificate=alice"),
        case("a chain of two certificates")
            .file("chain.pem", "$ALICE_PEM$BOB_PEM")
            .user("{client-certificate: chain.pem, client-key-data: $ALICE_KEY}")
            .asks("tls certificate=alice"),
        case("a certificate and a token")
            .user("{$PAIR, token: $TOKEN}")
            .asks("tls certificate=alice token=$TOKEN"),
        case("a certificate and a password")
            .user("{$PAIR, $LOGIN}")
            .asks("tls certificate=alice password=jane:$PASSWORD"),
        with_files("a certificate by flags")
            .flags("--client-certificate=alice.crt --client-key=alice.key")
            .user("{}")
            .asks("tls certificate=alice"),
        with_files("a certificate by flags, over another's data")
            .flags("--client-certificate=bob.crt --client-key bob.key")
            .user(ALICE)
            .asks("tls certificate=bob"),
        with_files("a certificate by flags, beside a token")
            .flags("--client-certificate alice.crt --client-key alice.key")
            .asks("tls certificate=alice token=$TOKEN"),
        with_files("a certificate by flag without its key")
            .flags("--client-certificate=bob.crt")
            .user(ALICE)
            .fails("tls: private key does not match public key"),
        with_files("a certificate by flag without any key")
            .flags("--client-certificate=bob.crt")
            .user("{}")
            .fails("client-key-data or client-key must be specified for main"),
        with_files("a key by flag without its certificate")
            .flags("--client-key=bob.key")
            .user(ALICE)
            .fails("tls: private key does not match public key"),
        with_files("a key by flag for the certificate of the kubeconfig")
            .flags("--client-key=alice.key")
            .user("{client-certificate-data: $ALICE}")
            .asks("tls certificate=alice"),
        case("a certificate by flag that is missing")
            .flags("--client-certificate absent --client-key absent")
            .fails("unable to read client-cert absent for main"),
        with_files("empty flags are none")
            .flag("--client-certificate=")
            .flag("--client-key=")
            .user(ALICE)
            .asks("tls certificate=alice"),
    ]
}
