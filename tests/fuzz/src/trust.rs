//! The reader of trust files, fed with a file's text.

use std::io;
use std::path::Path;

use bytes::Bytes;
use kwasm::document::Fault;
use kwasm::reference::Digest;
use kwasm::registry::signature::Evidence;
use kwasm::registry::trust::Trust;

const FILE: &str = "/trust.yaml";
const MANIFEST: &[u8] = include_bytes!("../../fixtures/signatures/manifest.json");
const BUNDLE: &[u8] = include_bytes!("../../fixtures/signatures/ecdsa-bundle.json");

/// One repository in several spellings each.
const REPOSITORIES: &[&[&str]] = &[
    &["ghcr.io/a/b", "GHCR.io/a/b", "ghcr.io:443/a/b:1.0.0", "ghcr.io./a/b"],
    &["docker.io/a", "docker.io/library/a", "index.docker.io/a", "registry-1.docker.io:443/a"],
    &["192.0.2.1:5000/a", "[::ffff:c000:201]:5000/a"],
    &["localhost:5000/a/b/c", "LocalHost:5000/a/b/c:latest"],
];

/// Checks that a text means the same under every name and accepts no other's signature, or that its fault has
/// a position and a remedy.
pub(crate) fn holds(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Trust::read(Path::new(FILE), text, key) {
        Ok(trust) => {
            for namespace in [None, Some("acme")] {
                for spellings in REPOSITORIES {
                    asks_the_same(&trust, spellings, namespace);
                }
            }
        }
        Err(faults) => {
            assert!(!faults.is_empty());
            for fault in &faults {
                can_be_found_and_cured(fault, text);
            }
        }
    }
}

/// Returns one of two keys, one of which signed.
fn key(path: &Path) -> io::Result<Vec<u8>> {
    match path.to_str() {
        Some("/a.pub") => Ok(include_bytes!("../../fixtures/signatures/ecdsa.pub").into()),
        Some("/b.pub") => Ok(include_bytes!("../../fixtures/signatures/other.pub").into()),
        _ => Err(io::Error::new(io::ErrorKind::NotFound, "there is no such file")),
    }
}

fn asks_the_same(trust: &Trust, spellings: &[&str], namespace: Option<&str>) {
    let (manifest, signature) = (Digest::of(MANIFEST), Evidence::Bundle(Bytes::from_static(BUNDLE)));
    let mut results = spellings.iter().map(|repository| {
        let demand = trust.demand(repository, namespace);
        let unsigned = demand.judge(manifest, &[]);
        let signed = demand.judge(manifest, std::slice::from_ref(&signature));
        let altered = demand.judge(Digest::of(b"altered"), std::slice::from_ref(&signature));
        for verdict in [&unsigned, &altered].into_iter().flatten() {
            assert!(verdict.signers().is_empty(), "{verdict:?}");
            assert!(!demand.needs_evidence() || !verdict.warnings().is_empty(), "{demand:?}");
        }
        assert_eq!(unsigned.is_ok(), altered.is_ok());
        if let Ok(verdict) = &signed {
            let by_a = |name: &str| name == "a.pub" || name == "/a.pub" || name.starts_with("trust.yaml:");
            assert!(verdict.signers().iter().all(|signer| by_a(signer.name())), "{verdict:?}");
        }
        (unsigned.is_ok(), signed.is_ok(), demand.needs_evidence())
    });
    let first = results.next();
    assert!(results.all(|result| Some(result) == first), "{spellings:?}: {trust:?}");
}

fn can_be_found_and_cured(fault: &Fault, text: &str) {
    // YAML's lines end with either character, or with both.
    let lines = 1 + text.matches(['\n', '\r']).count() as u64;
    assert!(fault.line.is_some_and(|line| (1..=lines).contains(&line)), "{fault}: of {lines} lines");
    assert!(!fault.what.is_empty() && !fault.hint.is_empty() && fault.file == FILE, "{fault:?}");
}
