//! Tests of the fuzzers' corpora: each is run through the same checks as by its fuzzer.

#[path = "../fuzz/src/artifact.rs"]
mod artifact;
#[path = "../fuzz/src/attributes.rs"]
mod attributes;
#[path = "../fuzz/src/door/mod.rs"]
mod door;
#[path = "../fuzz/src/headers.rs"]
mod headers;
#[path = "../fuzz/src/kubeconfig.rs"]
mod kubeconfig;
#[path = "../fuzz/src/normalise.rs"]
mod normalise;
#[path = "../fuzz/src/percent.rs"]
mod percent;
#[path = "../fuzz/src/policy.rs"]
mod policy;
#[path = "../fuzz/src/signature.rs"]
mod signature;
#[path = "../fuzz/src/trust.rs"]
mod trust;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Runs each file of a corpus, and names the one for which something does not hold.
#[track_caller]
fn replay(target: &str, holds: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(target);
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut number = 0;
    for file in files {
        let data = std::fs::read(&file).unwrap();
        let held = catch_unwind(AssertUnwindSafe(|| holds(&data)));
        assert!(held.is_ok(), "{}: {:?}", file.display(), String::from_utf8_lossy(&data));
        number += 1;
    }
    assert!(number > 20, "{target} has {number} files only");
}

#[test]
fn the_corpus_of_artifacts_and_sources_holds() {
    replay("artifact", artifact::holds);
}

#[test]
fn the_corpus_of_attributes_holds() {
    replay("attributes", attributes::holds);
}

#[test]
fn the_corpus_of_the_socket_door_holds() {
    replay("door", door::holds);
}

#[test]
fn the_corpus_of_the_doors_of_wasi_0_3_holds() {
    replay("door-wasi3", door::wasi3::holds);
}

#[test]
fn the_corpus_of_headers_holds() {
    replay("headers", headers::holds);
}

#[test]
fn the_corpus_of_kubeconfigs_holds() {
    replay("kubeconfig", kubeconfig::holds);
}

#[test]
fn the_corpus_of_the_normaliser_holds() {
    replay("normalise", normalise::holds);
}

#[test]
fn the_corpus_of_policies_holds() {
    replay("policy", policy::holds);
}

#[test]
fn the_corpus_of_signatures_holds() {
    replay("signature", signature::holds);
}

#[test]
fn the_corpus_of_trust_files_holds() {
    replay("trust", trust::holds);
}
