//! Against what cosign 3.1.3 made (`tests/fixtures/signatures`), and against what an author of our own signs.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::*;
use crate::message::Explain as _;

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/fixtures/signatures/", $name)).as_slice()
    };
}

const BUNDLE: &[u8] = fixture!("ecdsa-bundle.json");
const PAYLOAD: &[u8] = fixture!("ecdsa-simple-payload.json");
const STATEMENT: &str = "https://in-toto.io/Statement/v1";
const SIGN: &str = "https://sigstore.dev/cosign/sign/v1";

/// The digest of the artifact that cosign signed.
fn manifest() -> Digest {
    Digest::of(fixture!("manifest.json"))
}

fn key(name: &str) -> Key {
    let pem = match name {
        "ecdsa.pub" => fixture!("ecdsa.pub"),
        "ed25519.pub" => fixture!("ed25519.pub"),
        "other.pub" => fixture!("other.pub"),
        _ => panic!("{name}"),
    };
    Key::from_pem(name, pem).unwrap()
}

fn any(names: &[&str]) -> KeySet {
    KeySet::any_of(names.iter().map(|name| key(name)).collect()).unwrap()
}

fn all(names: &[&str]) -> KeySet {
    KeySet::all_of(names.iter().map(|name| key(name)).collect()).unwrap()
}

fn bundle(content: &[u8]) -> Evidence {
    Evidence::Bundle(Bytes::copy_from_slice(content))
}

/// The evidence to which the older layout's manifest leads.
fn simple(manifest: &[u8], payloads: &[&'static [u8]]) -> Vec<Evidence> {
    let layers = layers(manifest).unwrap();
    assert_eq!(layers.len(), payloads.len());
    let pairs = layers.into_iter().zip(payloads);
    pairs
        .map(|(layer, payload)| {
            assert_eq!((layer.digest(), layer.size()), (Digest::of(payload), payload.len() as u64));
            layer.evidence(Bytes::from_static(payload))
        })
        .collect()
}

fn ecdsa_simple() -> Vec<Evidence> {
    simple(fixture!("ecdsa-simple-manifest.json"), &[PAYLOAD])
}

fn two_simple() -> Vec<Evidence> {
    let payloads = [fixture!("two-simple-payload-0.json"), fixture!("two-simple-payload-1.json")];
    simple(fixture!("two-simple-manifest.json"), &payloads)
}

#[track_caller]
fn signed_by(evidence: &[Evidence], keys: &KeySet, names: &[&str]) {
    let signers = verify(manifest(), evidence, keys).unwrap();
    assert_eq!(signers.iter().map(Signer::name).collect::<Vec<_>>(), names);
}

#[track_caller]
fn refused(evidence: &[Evidence], keys: &KeySet) -> String {
    verify(manifest(), evidence, keys).unwrap_err().to_string()
}

#[test]
fn what_cosign_signs_verifies_in_either_layout() {
    signed_by(&[bundle(BUNDLE)], &any(&["ecdsa.pub"]), &["ecdsa.pub"]);
    signed_by(&ecdsa_simple(), &any(&["other.pub", "ecdsa.pub"]), &["ecdsa.pub"]);
    let signers = verify(manifest(), &[bundle(BUNDLE)], &any(&["ecdsa.pub"])).unwrap();
    insta::assert_snapshot!(signers[0], @"ecdsa.pub (sha256:8fb49136b645d1d342366b86f02fbaf93f10c46977637aaf008194428f4d25d3)");
}

#[test]
fn ed25519_verifies_in_either_layout() {
    let simple = simple(fixture!("ed25519-simple-manifest.json"), &[fixture!("ed25519-simple-payload.json")]);
    signed_by(&[bundle(fixture!("ed25519-bundle.json"))], &any(&["ed25519.pub"]), &["ed25519.pub"]);
    signed_by(&simple, &any(&["ed25519.pub"]), &["ed25519.pub"]);
}

#[test]
fn cosigns_ed25519ph_is_refused_with_its_cure() {
    let payload = fixture!("ed25519ph-simple-payload.json");
    let mut evidence = simple(fixture!("ed25519ph-simple-manifest.json"), &[payload]);
    evidence.push(bundle(fixture!("ed25519ph-bundle.json")));
    let error = verify(manifest(), &evidence, &any(&["ed25519.pub"])).unwrap_err();
    insta::assert_snapshot!(error, @"its signature does not verify with `ed25519.pub`");
    insta::assert_snapshot!(error.hint().unwrap(), @"with Ed25519 keys cosign 3 signs by Ed25519ph, which its own `verify` refuses: use an ECDSA key");
    assert_eq!(verify(manifest(), &evidence, &any(&["ecdsa.pub"])).unwrap_err().hint(), None);
}

#[test]
fn all_of_several_keys_have_to_sign_where_all_are_asked_for() {
    signed_by(&two_simple(), &all(&["ecdsa.pub", "other.pub"]), &["ecdsa.pub", "other.pub"]);
    insta::assert_snapshot!(
        refused(&two_simple(), &all(&["ecdsa.pub", "ed25519.pub", "other.pub"])),
        @"it is signed by `ecdsa.pub`, `other.pub`, but not by `ed25519.pub`"
    );
    insta::assert_snapshot!(
        refused(&two_simple(), &all(&["ed25519.pub"])),
        @"its signature does not verify with `ed25519.pub`"
    );
    // The same signature twice does not count as two.
    let twice = [ecdsa_simple(), vec![bundle(BUNDLE)]].concat();
    insta::assert_snapshot!(
        refused(&twice, &all(&["ecdsa.pub", "other.pub"])),
        @"it is signed by `ecdsa.pub`, but not by `other.pub`"
    );
}

#[test]
fn a_key_is_not_in_a_set_twice_whatever_it_is_called() {
    let again = Key::from_pem("again.pub", fixture!("ecdsa.pub")).unwrap();
    let error = KeySet::all_of(vec![key("ecdsa.pub"), again]).unwrap_err();
    insta::assert_snapshot!(error, @"`ecdsa.pub` and `again.pub` are the same key");
    insta::assert_snapshot!(KeySet::any_of(Vec::new()).unwrap_err(), @"there is no key in it");
}

#[test]
fn each_way_not_to_be_signed_has_its_sentence() {
    let keys = any(&["ecdsa.pub", "other.pub"]);
    insta::assert_snapshot!(refused(&[], &keys), @"it is not signed");
    insta::assert_snapshot!(
        refused(&[bundle(BUNDLE)], &any(&["other.pub", "ed25519.pub"])),
        @"its signature does not verify with `other.pub`, `ed25519.pub`"
    );
    let elsewhere = verify(Digest::of(b"altered"), &[bundle(BUNDLE)], &keys).unwrap_err();
    insta::assert_snapshot!(elsewhere, @"its signature is for another artifact, sha256:840b7ab73ab656afd63ba4bec8b7b5bdb3a8423d810dbe54adf972c3faf20e19");
    assert_eq!(verify(Digest::of(b"altered"), &ecdsa_simple(), &keys).unwrap_err(), elsewhere);
    insta::assert_snapshot!(
        refused(&[bundle(fixture!("attestation-bundle.json"))], &keys),
        @"it is not signed: what is attached to it is an attestation, `https://cyclonedx.org/bom`"
    );
    insta::assert_snapshot!(
        refused(&[bundle(fixture!("blob-bundle.json"))], &keys),
        @"its signature is of a kind that is not supported: one of a file (messageSignature), not of an artifact"
    );
    insta::assert_snapshot!(refused(&vec![bundle(BUNDLE); 65], &keys), @"it has 65 signatures, and at most 64 are checked");
    signed_by(&vec![bundle(BUNDLE); 64], &keys, &["ecdsa.pub"]);
}

#[test]
fn what_is_malformed_is_told_with_its_place() {
    let keys = any(&["ecdsa.pub"]);
    let simple = |payload: &'static [u8], signature: &str| {
        refused(&[Evidence::Simple { payload: payload.into(), signature: signature.to_owned() }], &keys)
    };
    let altered = |pointer: &str, value: Value| {
        let mut altered: Value = serde_json::from_slice(BUNDLE).unwrap();
        *altered.pointer_mut(pointer).unwrap() = value;
        refused(&[bundle(altered.to_string().as_bytes())], &keys)
    };
    let envelope = |payload: &str| altered("/dsseEnvelope/payload", json!(BASE64_STANDARD.encode(payload)));
    let told = [
        refused(&[bundle(b"<html>")], &keys),
        refused(&[bundle(b"{}")], &keys),
        refused(&[bundle(&vec![b' '; LARGEST + 1])], &keys),
        altered("/mediaType", json!("application/vnd.dev.sigstore.bundle+json;version=0.1")),
        altered("/dsseEnvelope", Value::Null),
        altered("/dsseEnvelope/payloadType", json!("text/plain\n")),
        altered("/dsseEnvelope/payload", json!("%")),
        altered("/dsseEnvelope/signatures", json!([])),
        altered("/dsseEnvelope/signatures/0/sig", json!("A")),
        envelope("{}"),
        envelope(&format!(r#"{{"_type":"{STATEMENT}","_type":"x","subject":[],"predicateType":"{SIGN}"}}"#)),
        envelope(&format!(r#"{{"_type":"x","subject":[],"predicateType":"{SIGN}"}}"#)),
        envelope(&format!(r#"{{"_type":"{STATEMENT}","subject":[],"predicateType":"{SIGN}"}}"#)),
        envelope(&format!(
            r#"{{"_type":"{STATEMENT}","subject":[{{"digest":{{"sha256":"AB"}}}}],"predicateType":"{SIGN}"}}"#
        )),
        simple(PAYLOAD, ""),
        simple(PAYLOAD, "MEYC\n"),
        simple(
            b"{\"critical\":{\"type\":\"x\",\"image\":{\"docker-manifest-digest\":\"sha512:0\"}}}",
            "AAAA",
        ),
    ];
    insta::assert_snapshot!(told.join("\n"), @r"
    its signature is malformed: bundle: expected value at line 1 column 1
    its signature is malformed: bundle: missing field `mediaType` at line 1 column 2
    its signature is malformed: bundle: it has 1048577 bytes, and at most 1048576 are read
    its signature is of a kind that is not supported: a bundle of the media type `application/vnd.dev.sigstore.bundle+json;version=0.1`
    its signature is malformed: bundle: there is no dsseEnvelope in it
    its signature is of a kind that is not supported: an envelope of the type `text/plain�`
    its signature is malformed: dsseEnvelope.payload: it is not valid base64
    its signature is malformed: dsseEnvelope.signatures: there has to be one
    its signature is malformed: dsseEnvelope.signatures[0].sig: it is not valid base64
    its signature is malformed: dsseEnvelope.payload: missing field `_type` at line 1 column 2
    its signature is malformed: dsseEnvelope.payload: duplicate field `_type` at line 1 column 50
    its signature is of a kind that is not supported: a statement of the type `x`
    its signature is malformed: dsseEnvelope.payload: subject.digest.sha256: it is missing
    its signature is malformed: dsseEnvelope.payload: subject.digest.sha256: it is not a digest
    its signature is malformed: dev.cosignproject.cosign/signature: it is missing
    its signature is malformed: dev.cosignproject.cosign/signature: it is not valid base64
    its signature is malformed: payload: `sha512:0` is not a digest of the form sha256:<64 hexadecimal digits> at line 1 column 69
    ");
}

#[test]
fn evidence_that_proves_nothing_takes_nothing_from_evidence_that_does() {
    let junk = [
        bundle(b"junk"),
        bundle(fixture!("attestation-bundle.json")),
        Evidence::Simple { payload: Bytes::from_static(PAYLOAD), signature: "AAAA".to_owned() },
        bundle(BUNDLE),
    ];
    signed_by(&junk, &any(&["ecdsa.pub"]), &["ecdsa.pub"]);
}

#[test]
fn what_says_that_it_signs_an_artifact_is_its_signature_whoever_made_it() {
    let signatures = [vec![bundle(BUNDLE)], ecdsa_simple(), two_simple()].concat();
    assert!(signatures.iter().all(|evidence| is_about(manifest(), evidence)));
    let stranger = Author::new().states(&statement(SIGN, &[manifest()]), &json!({}));
    assert!(is_about(manifest(), &stranger), "without its key nobody knows one that is a stranger's");
    assert!(!signatures.iter().any(|evidence| is_about(Digest::of(b"another"), evidence)));
    let nearly = [
        bundle(b"junk"),
        bundle(fixture!("attestation-bundle.json")),
        bundle(fixture!("blob-bundle.json")),
        Evidence::Simple { payload: Bytes::from_static(PAYLOAD), signature: String::new() },
        Evidence::Simple { payload: Bytes::from_static(b"junk"), signature: "AAAA".to_owned() },
    ];
    assert!(!nearly.iter().any(|evidence| is_about(manifest(), evidence)));
}

/// An author who signs any statement.
struct Author(EcdsaKeyPair);

impl Author {
    fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap())
    }

    fn keys(&self) -> KeySet {
        let der = self.0.public_key().as_der().unwrap();
        let pem = pem("PUBLIC KEY", der.as_ref());
        KeySet::any_of(vec![Key::from_pem("author.pub", pem.as_bytes()).unwrap()]).unwrap()
    }

    fn sign(&self, message: &[u8]) -> String {
        BASE64_STANDARD.encode(self.0.sign(&SystemRandom::new(), message).unwrap())
    }

    /// Returns a bundle of the statement, with `material` to verify it.
    fn states(&self, statement: &Value, material: &Value) -> Evidence {
        let statement = statement.to_string();
        let kind = "application/vnd.in-toto+json";
        let signed = format!("DSSEv1 {} {kind} {} {statement}", kind.len(), statement.len());
        let bundle = json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": material,
            "dsseEnvelope": {
                "payload": BASE64_STANDARD.encode(&statement),
                "payloadType": kind,
                "signatures": [{"sig": self.sign(signed.as_bytes())}],
            },
        });
        Evidence::Bundle(bundle.to_string().into())
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}

fn statement(predicate: &str, digests: &[Digest]) -> Value {
    let subject: Vec<Value> =
        digests.iter().map(|digest| json!({"digest": {"sha256": digest.hex()}})).collect();
    json!({"_type": STATEMENT, "subject": subject, "predicateType": predicate, "predicate": {}})
}

#[test]
fn a_trusted_key_signs_what_it_says_and_nothing_else() {
    let author = Author::new();
    let of = |statement: &Value| verify(manifest(), &[author.states(statement, &json!({}))], &author.keys());
    let other = Digest::of(b"other");
    assert!(of(&statement(SIGN, &[manifest()])).is_ok());
    assert!(of(&statement(SIGN, &[other, manifest()])).is_ok());
    assert_eq!(of(&statement(SIGN, &[other])), Err(Error::AnotherArtifact(other)));
    assert!(matches!(of(&statement("https://spdx.dev/Document", &[manifest()])), Err(Error::Attested(_))));

    let of = |kind: &str| {
        let image = json!({"docker-manifest-digest": manifest().to_string()});
        let payload = json!({"critical": {"image": image, "type": kind}}).to_string();
        let signature = author.sign(payload.as_bytes());
        verify(manifest(), &[Evidence::Simple { payload: payload.into(), signature }], &author.keys())
    };
    assert!(of("cosign container image signature").is_ok());
    assert!(matches!(of("atomic container signature"), Err(Error::Unsupported(_))));
}

#[test]
fn what_a_bundle_says_of_its_key_decides_nothing() {
    let (author, stranger) = (Author::new(), Author::new());
    let hint = BASE64_STANDARD.encode(author.keys().keys()[0].fingerprint().to_string());
    for material in [
        json!({}),
        json!({"publicKey": {"hint": hint}}),
        json!({"certificate": {"rawBytes": "AAAA"}}),
        json!({"x509CertificateChain": {"certificates": []}}),
    ] {
        let evidence = [author.states(&statement(SIGN, &[manifest()]), &material)];
        assert!(verify(manifest(), &evidence, &author.keys()).is_ok(), "{material}");
        let evidence = [stranger.states(&statement(SIGN, &[manifest()]), &material)];
        let error = verify(manifest(), &evidence, &author.keys()).unwrap_err();
        if material.get("publicKey").is_some() || material == json!({}) {
            assert_eq!(error.to_string(), "its signature does not verify with `author.pub`");
        } else {
            let keyless = "its signature is of a kind that is not supported: one by a certificate (keyless), not by a key";
            assert_eq!(error.to_string(), keyless);
        }
    }
}

#[test]
fn a_payload_is_not_taken_from_one_layout_into_the_other() {
    let author = Author::new();
    let statement = statement(SIGN, &[manifest()]).to_string();
    let signature = author.sign(statement.as_bytes());
    // Signed, but not as an envelope: without the type before it.
    let bundle = json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "dsseEnvelope": {
            "payload": BASE64_STANDARD.encode(&statement),
            "payloadType": "application/vnd.in-toto+json",
            "signatures": [{"sig": signature}],
        },
    });
    let evidence = [Evidence::Bundle(bundle.to_string().into())];
    assert!(matches!(verify(manifest(), &evidence, &author.keys()), Err(Error::WrongKey { .. })));
    let evidence = [Evidence::Simple { payload: statement.into(), signature }];
    assert!(matches!(verify(manifest(), &evidence, &author.keys()), Err(Error::Malformed { .. })));
}

/// Returns all variants of a text with one bit of one byte changed.
fn altered(text: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..text.len() * 8).map(|bit| {
        let mut altered = text.to_vec();
        altered[bit / 8] ^= 1 << (bit % 8);
        altered
    })
}

#[test]
fn no_bit_of_a_payload_or_of_its_signature_can_be_changed() {
    let keys = any(&["ecdsa.pub"]);
    let Some(Evidence::Simple { payload, signature }) = ecdsa_simple().pop() else { panic!() };
    for altered in altered(&payload) {
        let evidence = Evidence::Simple { payload: altered.into(), signature: signature.clone() };
        assert!(verify(manifest(), std::slice::from_ref(&evidence), &keys).is_err(), "{evidence:?}");
    }
    for altered in altered(signature.as_bytes()).filter_map(|altered| String::from_utf8(altered).ok()) {
        let evidence = Evidence::Simple { payload: payload.clone(), signature: altered };
        assert!(verify(manifest(), std::slice::from_ref(&evidence), &keys).is_err(), "{evidence:?}");
    }
}

/// Returns the signed part of a bundle, or the signature. The rest may change: hints, and unknown keys.
fn signed_part(bundle: &[u8]) -> Option<Value> {
    let bundle: Value = serde_json::from_slice(bundle).ok()?;
    let envelope = &bundle["dsseEnvelope"];
    Some(json!([envelope["payload"], envelope["payloadType"], envelope["signatures"][0]["sig"]]))
}

#[test]
fn no_bit_of_a_bundle_can_be_changed_where_it_matters() {
    let keys = any(&["ecdsa.pub"]);
    let (mut refused, mut same) = (0, 0);
    for altered in altered(BUNDLE) {
        if verify(manifest(), &[bundle(&altered)], &keys).is_err() {
            refused += 1;
        } else {
            assert_eq!(signed_part(&altered), signed_part(BUNDLE), "{}", String::from_utf8_lossy(&altered));
            same += 1;
        }
    }
    // What may change are the characters of the hint, the names above it, and spaces.
    assert!(refused > 4_000 && same > 100, "{refused} {same}");
}

#[test]
fn layers_with_evidence_are_found_by_their_own_media_types() {
    let found = layers(fixture!("ecdsa-bundle-manifest.json")).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].digest(), Digest::of(BUNDLE));
    assert!(matches!(found[0].clone().evidence(Bytes::from_static(BUNDLE)), Evidence::Bundle(_)));
    assert_eq!(layers(fixture!("manifest.json")), Ok(Vec::new()), "an artifact is no evidence");
    assert_eq!(layers(fixture!("referrers-tag.json")), Ok(Vec::new()), "an index is none");
    insta::assert_snapshot!(
        layers(b"<html>").unwrap_err(),
        @"its signature is malformed: manifest: expected value at line 1 column 1"
    );
    insta::assert_snapshot!(
        layers(b"{}").unwrap_err(),
        @"its signature is malformed: manifest: there are no layers in it"
    );
    let odd =
        json!({"layers": [{"mediaType": simple::MEDIA_TYPE, "size": 1, "digest": "md5:0"}]}).to_string();
    insta::assert_snapshot!(layers(odd.as_bytes()).unwrap_err(), @"its signature is malformed: manifest: `md5:0` is not a digest of the form sha256:<64 hexadecimal digits>");
    assert_eq!(tag(Digest::of(b"")), format!("sha256-{}.sig", Digest::of(b"").hex()));
}

#[test]
fn a_layer_without_a_signature_is_evidence_that_proves_nothing() {
    let digest = Digest::of(PAYLOAD).to_string();
    let bare =
        json!({"layers": [{"mediaType": simple::MEDIA_TYPE, "size": 250, "digest": digest}]}).to_string();
    insta::assert_snapshot!(refused(&simple(bare.as_bytes(), &[PAYLOAD]), &any(&["ecdsa.pub"])), @"its signature is malformed: dev.cosignproject.cosign/signature: it is missing");
}
