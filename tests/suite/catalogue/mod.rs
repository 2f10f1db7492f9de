//! Indexes of plugins: made, published, added, searched, installed from, updated, and wrong ones refused.

mod hostile;
mod life;
mod lists;
mod offline;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use kwasm::inspect::embed;
use serde_json::Value;

use crate::registries::bytes;
use crate::support::{Kwasm, RealRegistry, Run};

/// The request of `greeter`, and what is shown of it.
const ASKS: &str = "apiVersion: kwasm.dev/v1
kind: Policy
metadata: {name: greeter}
spec:
  kubernetes:
    rules:
      - {apiGroups: [''], resources: [pods], verbs: [get, list], namespaces: [current]}
";
const IN_WORDS: &str = "get, list pods in the current namespace";

/// Writes a file into the home.
fn write(kwasm: &Kwasm, path: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = kwasm.home().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    path
}

/// Writes a guest that carries [`ASKS`], and returns its path.
fn asking(kwasm: &Kwasm, guest: &str) -> String {
    let path = write(kwasm, &format!("{guest}-asking.wasm"), embed(&bytes(guest), ASKS).unwrap());
    path.to_str().unwrap().to_owned()
}

/// Publishes a file, and returns the digest of its manifest.
fn publish(kwasm: &Kwasm, file: &str, target: &str) -> String {
    let shown = kwasm.call(["publish", file, target]).success().stdout;
    shown.trim().rsplit_once('@').unwrap().1.to_owned()
}

/// Describes a plugin in the folder `descriptions`, at these versions with their digests.
fn describe(kwasm: &Kwasm, name: &str, source: &str, versions: &[(&str, &str)], more: &str) {
    let line = |(version, digest): &(&str, &str)| format!("- {{version: {version}, digest: '{digest}'}}\n");
    let versions = versions.iter().map(line).collect::<Vec<_>>().concat();
    let text = format!(
        "apiVersion: kwasm.dev/v1\nkind: Plugin\nname: {name}\ndescription: Greets whoever is there\nsource: {source}\nversions:\n{versions}{more}"
    );
    write(kwasm, &format!("descriptions/{name}.yaml"), text);
}

/// Makes the index `index.json` of all that is described.
#[track_caller]
fn build(kwasm: &Kwasm, revision: u64) {
    let revision = revision.to_string();
    kwasm.call(["index", "build", "descriptions", "-o", "index.json", "--revision", &revision]).success();
}

/// Returns what `kwasm search WORD… -o json` prints.
#[track_caller]
fn search(kwasm: &Kwasm, words: &[&str]) -> Vec<Value> {
    let arguments = [&["search", "-o", "json"], words].concat();
    serde_json::from_str(&kwasm.call(arguments).success().stdout).unwrap()
}

/// Runs an installed plugin through its link.
fn call(kwasm: &Kwasm, name: &str) -> Run {
    Run::of(kwasm.program(kwasm.links().join(format!("kubectl-{name}"))).arg("x"))
}

/// Checks that nothing is installed.
#[track_caller]
fn nothing_installed(kwasm: &Kwasm) {
    assert_eq!(kwasm.call(["list"]).success().stdout, "");
}

/// A registry with version 1.0.0 of `greeter`, which asks for [`ASKS`], described with that.
struct Published {
    registry: &'static RealRegistry,
    kwasm: Kwasm,
    repository: String,
    first: String,
}

impl Published {
    fn new(registry: &'static RealRegistry) -> Self {
        let kwasm = registry.kwasm();
        let repository = registry.repository(&kwasm, "greeter");
        let first = publish(&kwasm, &asking(&kwasm, "hello"), &format!("{repository}:1.0.0"));
        write(&kwasm, "descriptions/asks.yaml", ASKS);
        Self { registry, kwasm, repository, first }
    }

    /// Describes it in these versions.
    fn describe(&self, versions: &[(&str, &str)]) {
        describe(&self.kwasm, "greeter", &self.repository, versions, "request: asks.yaml\nlicense: MIT\n");
    }

    /// Returns where its index is published.
    fn index(&self) -> String {
        format!("{}:latest", self.registry.repository(&self.kwasm, "index"))
    }

    /// Makes an index with version 1.0.0, publishes it, and adds it as `acme`.
    #[track_caller]
    fn added(self) -> Self {
        self.describe(&[("1.0.0", &self.first)]);
        build(&self.kwasm, 1);
        self.kwasm.call(["index", "publish", "index.json", &self.index()]).success();
        self.kwasm.call(["index", "add", "acme", &self.index()]).success();
        self
    }
}

/// Makes a key pair that kwasm signs with, `team.key` in the home and `team.pub` beside trust.yaml. Returns
/// `None` if there is no openssl.
fn key_pair(kwasm: &Kwasm) -> Option<()> {
    let private = kwasm.home().join("team.key");
    let public = write(kwasm, "config/kwasm/team.pub", "");
    let mut make: Command = kwasm.program("openssl");
    make.args(["genpkey", "-algorithm", "ed25519", "-out"]).arg(&private).output().ok()?;
    let mut show: Command = kwasm.program("openssl");
    Run::of(show.args(["pkey", "-pubout", "-in"]).arg(&private).arg("-out").arg(public)).success();
    Some(())
}
