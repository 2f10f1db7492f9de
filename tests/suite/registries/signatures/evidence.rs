//! Tests of attached artifacts that sign another, that do not, or that no longer do.

use std::path::Path;

use kwasm_registry::{Artifact, Kind, Wrong};

use super::author::{Attached, Author, attach};
use crate::registries::{at, bytes, call, only};
use crate::support::{Kwasm, Run};

const ATTESTATION: &[u8] = include_bytes!("../../../fixtures/signatures/attestation-bundle.json");

/// `acme/hello:1.0.0` in a registry of its own, its digest, and a signer with the key `team.pub`.
pub(super) struct Plugin {
    pub(super) registry: Wrong,
    pub(super) kwasm: Kwasm,
    pub(super) digest: String,
    pub(super) team: Author,
}

impl Plugin {
    pub(super) fn new(registry: Wrong) -> Self {
        let digest = registry.push("acme/hello", "1.0.0", &Artifact::component(bytes("hello")));
        let kwasm = at(&registry);
        let team = Author::new();
        team.write_key(&kwasm, "team.pub");
        Self { registry, kwasm, digest, team }
    }

    fn signed(attached: Attached) -> (Self, String) {
        let plugin = Self::new(attached.registry());
        let signature = plugin.team.sign(&plugin.registry, &plugin.digest, attached);
        (plugin, signature)
    }

    pub(super) fn reference(&self) -> String {
        format!("{}/acme/hello:1.0.0", self.registry.host())
    }

    pub(super) fn install(&self) -> Run {
        self.kwasm.call(["install", &self.reference()])
    }

    pub(super) fn verify(&self) -> Run {
        self.kwasm.call(["verify", &self.reference(), "--key", "team.pub"])
    }

    /// Writes trust.yaml.
    pub(super) fn ask(&self, asked: &str, keys: &str) {
        let host = self.registry.host();
        let rule = format!("- registry: {host}\n  signatures: {asked}\n  keys: {keys}\n");
        let text = format!("apiVersion: kwasm.dev/v1\nkind: Trust\nrules:\n{rule}");
        std::fs::write(self.trust(), text).unwrap();
    }

    pub(super) fn ask_nothing(&self) {
        std::fs::remove_file(self.trust()).unwrap();
    }

    fn trust(&self) -> std::path::PathBuf {
        let folder = self.kwasm.home().join("config/kwasm");
        assert!(Path::new(&folder).is_dir());
        folder.join("trust.yaml")
    }

    /// Checks that `verify` and a rule both refuse it for this reason, and that nothing is installed.
    #[track_caller]
    pub(super) fn is_refused(&self, why: &str) {
        let run = self.verify().fails(126);
        assert!(run.stderr.contains(why), "{}", run.shown());
        self.ask("require", "{anyOf: [team.pub]}");
        let run = self.install().fails(126);
        assert!(run.stderr.contains(why), "{}", run.shown());
        assert_eq!(self.kwasm.call(["list"]).success().stdout, "");
        self.ask_nothing();
    }

    /// Checks the reports about the artifact's signatures, by `inspect` and at its installation, where no
    /// rule covers it.
    #[track_caller]
    fn is_not_signed(&self) {
        let page = self.kwasm.call(["inspect", &self.reference()]).success().stdout;
        assert!(page.contains("signatures  none"), "{page}");
        let run = self.install().success();
        assert!(run.stderr.contains("hello:1.0.0 is not signed"), "{}", run.shown());
        self.kwasm.call(["uninstall", "hello"]).success();
    }
}

#[test]
fn a_signature_is_found_wherever_it_is_attached() {
    for attached in Attached::ALL {
        let (plugin, _) = Plugin::signed(attached);
        let run = plugin.verify().success();
        assert!(run.stderr.contains("is signed by team.pub"), "{attached:?}: {}", run.shown());
        let run = plugin.install().success();
        assert!(run.stderr.contains("is signed, but by an unknown key"), "{attached:?}: {}", run.shown());
        plugin.ask("require", "{anyOf: [team.pub]}");
        plugin.install().success();
        assert_eq!(only(&plugin.kwasm)["signers"][0], "team.pub", "{attached:?}");
    }
}

#[test]
fn the_signature_of_another_artifact_is_none_of_this_one() {
    for attached in [Attached::Referrer, Attached::Index] {
        let plugin = Plugin::new(attached.registry());
        let other = plugin.registry.push("acme/other", "1", &Artifact::component(bytes("exits")));
        attach(&plugin.registry, &plugin.digest, attached, &plugin.team.bundle(&other));
        plugin.is_refused(&format!("its signature is for another artifact, {other}"));
        plugin.is_not_signed();
    }
}

#[test]
fn an_attestation_alone_is_no_signature() {
    for attached in [Attached::Referrer, Attached::Index] {
        let plugin = Plugin::new(attached.registry());
        attach(&plugin.registry, &plugin.digest, attached, ATTESTATION);
        plugin.is_refused("it is not signed: what is attached to it is an attestation");
        plugin.is_not_signed();
    }
}

#[test]
fn junk_in_the_place_of_a_signature_is_none() {
    let plugin = Plugin::new(Attached::Referrer.registry());
    attach(&plugin.registry, &plugin.digest, Attached::Referrer, b"junk");
    plugin.is_refused("its signature is malformed: bundle: ");
    plugin.is_not_signed();
}

#[test]
fn a_signature_that_is_taken_away_is_missed() {
    for attached in Attached::ALL {
        let (plugin, signature) = Plugin::signed(attached);
        plugin.install().success();
        let before = only(&plugin.kwasm);
        attached.detach(&plugin.registry, &plugin.digest, &signature);
        let missed = |why: &str| {
            let run = plugin.install().fails(126);
            assert!(run.stderr.contains(why), "{attached:?}: {}", run.shown());
            assert_eq!(only(&plugin.kwasm), before, "{attached:?}");
        };
        missed("1.0.0: it is not signed, and ");
        // An artifact that is not a signature does not replace it.
        if attached != Attached::Simple {
            for other in [ATTESTATION, b"junk"] {
                let other = attach(&plugin.registry, &plugin.digest, attached, other);
                missed("1.0.0: it is not signed, and ");
                attached.detach(&plugin.registry, &plugin.digest, &other);
            }
        }
        let run = plugin.verify().fails(126);
        assert!(run.stderr.contains("it is not signed"), "{attached:?}: {}", run.shown());
        plugin.ask("require", "{anyOf: [team.pub]}");
        missed("requires a signature");
    }
}

#[test]
fn a_signature_that_was_verified_gives_way_to_no_strangers() {
    let (plugin, signature) = Plugin::signed(Attached::Referrer);
    plugin.ask("warn", "{anyOf: [team.pub]}");
    plugin.install().success();
    plugin.registry.remove(&signature);
    let stranger = Author::new();
    stranger.sign(&plugin.registry, &plugin.digest, Attached::Referrer);
    let newer = plugin.registry.push("acme/hello", "1.1.0", &Artifact::component(bytes("exits")));
    stranger.sign(&plugin.registry, &newer, Attached::Referrer);
    let lost = |verb: &[&str]| {
        let run = plugin.kwasm.call(verb).fails(126);
        let said = run.stderr.replace(plugin.registry.host(), "HOST");
        assert!(
            said.contains("no signature of team.pub can be verified, and HOST/acme/hello:1.0.0 had one"),
            "{said}"
        );
        assert_eq!(call(&plugin.kwasm, "hello").success().stdout, "hello from kwasm: x\n");
    };
    let reference = plugin.reference();
    lost(&["install", &reference]);
    lost(&["upgrade"]);
    // Without the key, it cannot be distinguished from a stranger's.
    plugin.ask_nothing();
    lost(&["install", &reference]);
    lost(&["upgrade"]);
    plugin.team.sign(&plugin.registry, &newer, Attached::Referrer);
    lost(&["upgrade"]);
    plugin.ask("warn", "{anyOf: [team.pub]}");
    plugin.kwasm.call(["upgrade"]).success();
    assert_eq!(
        (&only(&plugin.kwasm)["version"], &only(&plugin.kwasm)["signers"][0]),
        (&"1.1.0".into(), &"team.pub".into())
    );
}

#[test]
fn a_key_is_rotated_by_whoever_writes_the_rule() {
    let (plugin, signature) = Plugin::signed(Attached::Referrer);
    plugin.ask("require", "{anyOf: [team.pub]}");
    plugin.install().success();
    plugin.registry.remove(&signature);
    let next = Author::new();
    next.write_key(&plugin.kwasm, "next.pub");
    next.sign(&plugin.registry, &plugin.digest, Attached::Referrer);
    plugin.install().fails(126);
    plugin.ask("require", "{anyOf: [team.pub, next.pub]}");
    let run = plugin.install().success();
    assert!(
        run.stderr
            .contains("is signed by next.pub, which trust.yaml names, and no longer by team.pub as before"),
        "{}",
        run.shown()
    );
    assert_eq!(only(&plugin.kwasm)["signers"][0], "next.pub");
    // The same key under another name is the same.
    next.write_key(&plugin.kwasm, "renamed.pub");
    plugin.ask("require", "{anyOf: [renamed.pub]}");
    assert!(!plugin.install().success().stderr.contains("as before"));
}

#[test]
fn where_signatures_are_ignored_none_is_missed() {
    let (plugin, signature) = Plugin::signed(Attached::Referrer);
    plugin.ask("warn", "{anyOf: [team.pub]}");
    plugin.install().success();
    plugin.registry.remove(&signature);
    plugin.install().fails(126);
    plugin.ask("ignore", "{anyOf: [team.pub]}");
    let asked = plugin.registry.requests_for(Kind::Referrers).len();
    plugin.install().success();
    assert_eq!(plugin.registry.requests_for(Kind::Referrers).len(), asked);
}
