//! Tests of signatures: made by cosign and verified here, and made here and verified by cosign. Faulty
//! registries and hostile publishers are in the folder of this name.

mod author;
mod evidence;
mod lookup;
mod unknown_state;

use super::{only, publish, trust};
use crate::support::{Kwasm, Layout, RealRegistry, Run, component, registry, registry_with_referrers};

/// A registry, a kwasm, and the repository `greeter` with version 1.0.0 that was pushed by oras and signed by cosign with the
/// key `team`.
struct Signed {
    kwasm: Kwasm,
    repository: String,
    digest: String,
}

fn registries(test: &str) -> Vec<&'static RealRegistry> {
    let programs = ["oras", "cosign"];
    [registry(test, &programs), registry_with_referrers(test, &programs)].into_iter().flatten().collect()
}

fn signed(registry: &'static RealRegistry, layout: Layout) -> Signed {
    let kwasm = registry.kwasm();
    let repository = registry.repository(&kwasm, "greeter");
    let digest = registry.push(&kwasm, &format!("{repository}:1.0.0"), &component("hello"));
    let key = registry.key_pair(&kwasm, "team");
    registry.sign(&kwasm, &key, layout, &repository, &digest);
    registry.key_pair(&kwasm, "other");
    let folder = kwasm.home().join("config/kwasm");
    std::fs::create_dir_all(&folder).unwrap();
    for key in ["team.pub", "other.pub"] {
        std::fs::copy(kwasm.home().join(key), folder.join(key)).unwrap();
    }
    Signed { kwasm, repository, digest }
}

impl Signed {
    fn reference(&self) -> String {
        format!("{}:1.0.0", self.repository)
    }

    fn install(&self) -> Run {
        self.kwasm.call(["install", &self.reference()])
    }

    /// Returns the run of `kwasm verify` with a key.
    fn verify(&self, key: &str) -> Run {
        self.kwasm.call(["verify", &self.reference(), "--key", key])
    }
}

#[test]
fn what_cosign_signed_is_verified_in_both_layouts_and_either_registry() {
    for registry in registries("registries::what_cosign_signed") {
        for layout in [Layout::Bundle, Layout::Simple] {
            let signed = signed(registry, layout);
            let run = signed.verify("team.pub").success();
            assert!(run.stderr.contains("is signed by team.pub"), "{layout:?}: {}", run.shown());
            trust(&signed.kwasm, registry, "require", "{anyOf: [other.pub, team.pub]}");
            let run = signed.install().success();
            assert!(run.stderr.contains("is signed by team.pub"), "{layout:?}: {}", run.shown());
            let page = signed.kwasm.call(["inspect", "greeter"]).success().stdout;
            assert!(page.contains("signatures  verified: team.pub"), "{page}");
        }
    }
}

#[test]
fn the_wrong_key_a_missing_one_and_an_unsigned_artifact_each_have_their_sentence() {
    for registry in registries("registries::the_wrong_key") {
        let signed = signed(registry, Layout::Bundle);
        let said = |run: Run| {
            let said = run.fails(126).stderr;
            said.replace(&signed.repository, "GREETER").replace(registry.access().host(), "HOST")
        };
        insta::allow_duplicates! {
            insta::assert_snapshot!(said(signed.verify("other.pub")), @"kwasm: GREETER:1.0.0: its signature does not verify with `other.pub`");
        }
        let both =
            signed.kwasm.call(["verify", &signed.reference(), "--key", "team.pub", "--key", "other.pub"]);
        insta::allow_duplicates! {
            insta::assert_snapshot!(said(both), @"kwasm: GREETER:1.0.0: it is signed by `team.pub`, but not by `other.pub`");
        }
        trust(&signed.kwasm, registry, "require", "{anyOf: [other.pub]}");
        let refused = said(signed.install());
        assert!(refused.contains("its signature does not verify with `other.pub`"), "{refused}");
        let unsigned = format!("{}:2.0.0", signed.repository);
        registry.push(&signed.kwasm, &unsigned, &component("exits"));
        let refused = said(signed.kwasm.call(["install", &unsigned]));
        assert!(refused.contains("it is not signed"), "{refused}");
        assert_eq!(signed.kwasm.call(["list"]).stdout, "");
        trust(&signed.kwasm, registry, "warn", "{anyOf: [other.pub]}");
        let run = signed.install().success();
        assert!(run.stderr.contains("warning: "), "{}", run.shown());
    }
}

#[test]
fn an_altered_artifact_has_nobodys_signature() {
    for registry in registries("registries::an_altered_artifact") {
        let signed = signed(registry, Layout::Bundle);
        trust(&signed.kwasm, registry, "require", "{anyOf: [team.pub]}");
        // The tag leads to other content, which is signed by someone without the right to, or by no one.
        let altered = registry.push(&signed.kwasm, &signed.reference(), &component("exits"));
        assert_ne!(altered, signed.digest);
        let run = signed.install().fails(126);
        assert!(run.stderr.contains("it is not signed"), "{}", run.shown());
        let run = signed.verify("team.pub").fails(126);
        assert!(run.stderr.contains("it is not signed"), "{}", run.shown());
    }
}

#[test]
fn a_signature_that_is_gone_is_missed() {
    let Some(registry) = registry("registries::a_signature_that_is_gone", &["oras", "cosign"]) else {
        return;
    };
    let signed = signed(registry, Layout::Bundle);
    signed.install().success();
    let next = format!("{}:1.1.0", signed.repository);
    registry.push(&signed.kwasm, &next, &component("exits"));
    let run = signed.kwasm.call(["upgrade"]).fails(126);
    assert!(run.stderr.contains("1.1.0: it is not signed, and "), "{}", run.shown());
    assert_eq!(only(&signed.kwasm)["version"], "1.0.0");
    // The same place, requested by hand, has to meet the same requirements.
    signed.kwasm.call(["install", &next]).fails(126);
    signed.kwasm.call(["uninstall", "greeter"]).success();
    signed.kwasm.call(["install", &next]).success();
}

#[test]
fn what_kwasm_signs_cosign_verifies() {
    for registry in registries("registries::what_kwasm_signs") {
        let kwasm = registry.kwasm();
        let repository = registry.repository(&kwasm, "ours");
        let openssl = |arguments: &[&str]| Run::of(kwasm.program("openssl").args(arguments)).success();
        openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "our.key"]);
        openssl(&["pkey", "-in", "our.key", "-pubout", "-out", "our.pub"]);
        let file = component("hello");
        let target = format!("{repository}:1.0.0");
        kwasm.call(["publish", file.to_str().unwrap(), &target, "--sign", "our.key"]).success();
        kwasm.call(["verify", &target, "--key", "our.pub"]).success();
        let mut verify = registry.cosign(&kwasm);
        verify.args([
            "verify",
            "--insecure-ignore-tlog=true",
            "--private-infrastructure",
            "--key",
            "our.pub",
            &target,
        ]);
        Run::of(&mut verify).success();
        // A second signature is one more, and takes nothing from the first.
        let key = registry.key_pair(&kwasm, "team");
        let digest = publish(&kwasm, "hello", &target).success().stdout;
        let digest = digest.trim().split_once('@').unwrap().1.to_owned();
        registry.sign(&kwasm, &key, Layout::Bundle, &repository, &digest);
        kwasm.call(["verify", &target, "--key", "our.pub", "--key", "team.pub"]).success();
    }
}

#[test]
fn a_key_that_cannot_be_used_is_told_before_anything_is_sent() {
    let Some(registry) = registry("registries::a_key_that_cannot_be_used", &["cosign"]) else { return };
    let kwasm = registry.kwasm();
    registry.key_pair(&kwasm, "team");
    let target = format!("{}:1", registry.repository(&kwasm, "ours"));
    let file = component("hello");
    let run = kwasm.call(["publish", file.to_str().unwrap(), &target, "--sign", "team.key"]).fails(2);
    assert!(run.stderr.contains("a cosign key, which only cosign can decrypt"), "{}", run.shown());
    kwasm.call(["inspect", &target]).fails(127);
    let run = kwasm.call(["verify", &target, "--key", "team.key"]).fails(2);
    assert!(run.stderr.contains("it is not a public key"), "{}", run.shown());
}
