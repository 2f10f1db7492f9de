//! What package managers read of a release, and what a release consists of.

use std::{fs, process::Command};

use anyhow::{Context, Result};
use serde_json::json;

use super::{DOWNLOADS, Release, VERSION, target::Target};
use crate::{
    image,
    places::{self, Places},
    process, tools,
};

/// An archive of a release.
pub(super) struct Archive {
    pub(super) target: &'static Target,
    /// The folder that it unpacks to.
    pub(super) folder: String,
    pub(super) file: String,
    /// Its SHA-256 sum in hexadecimal digits.
    pub(super) sum: String,
}

impl Archive {
    /// Returns the folder that a target's archive unpacks to.
    pub(super) fn folder(target: &Target) -> String {
        format!("kwasm-{VERSION}-{}", target.triple)
    }

    /// Returns the name of a target's archive.
    pub(super) fn file(target: &Target) -> String {
        format!("{}.{}", Self::folder(target), target.extension())
    }

    fn url(&self) -> String {
        format!("{DOWNLOADS}/v{VERSION}/{}", self.file)
    }
}

impl Release {
    /// Writes the list of all that is in the program for a target, as `cargo-cyclonedx` does.
    pub(super) fn sbom(&self, places: &Places) -> Result<()> {
        let tool = tools::CARGO_CYCLONEDX.find_or_build(places)?;
        // It writes beside each Cargo.toml.
        let copy = self.scratch.path().join("sources");
        fs::create_dir_all(&copy)?;
        let archive = self.scratch.path().join("sources.tar");
        let mut git = Command::new("git");
        process::run(git.args(["archive", "--output"]).arg(&archive).arg("HEAD").current_dir(&self.root))?;
        process::run(Command::new("tar").arg("-xf").arg(&archive).arg("-C").arg(&copy))?;
        let mut command = Command::new(tool);
        command
            .args(["cyclonedx", "--quiet", "--format", "json", "--spec-version", "1.5", "--target", "all"])
            .args(["--no-build-deps", "--override-filename", "sbom", "--manifest-path"])
            .arg(copy.join("Cargo.toml"))
            .env("CARGO", places::cargo())
            .env("SOURCE_DATE_EPOCH", &self.time);
        process::run(&mut command)?;
        let written = fs::read_to_string(copy.join("sbom.json")).context("cargo-cyclonedx wrote nothing")?;
        // Its references to what is in the repository are paths of this machine.
        let written = written.replace(&copy.display().to_string(), "/kwasm");
        let file = self.folder.join(format!("kwasm-{VERSION}.cdx.json"));
        fs::write(&file, written).with_context(|| format!("cannot write {}", file.display()))
    }

    /// Writes the manifest for Krew, the formula for Homebrew, and the sums of all.
    pub(super) fn documents(&self, archives: &[Archive]) -> Result<()> {
        fs::write(self.folder.join("kwasm.yaml"), krew(archives).to_string() + "\n")?;
        fs::write(self.folder.join("kwasm.rb"), homebrew(archives))?;
        // A list of sums before it has none of its own.
        drop(fs::remove_file(self.folder.join("SHA256SUMS")));
        fs::write(self.folder.join("SHA256SUMS"), self.sums()?).context("cannot write SHA256SUMS")
    }
}

/// Returns the [manifest][1] by which `kubectl krew install kwasm` installs it. JSON is YAML.
///
/// [1]: https://krew.sigs.k8s.io/docs/developer-guide/plugin-manifest/
fn krew(archives: &[Archive]) -> serde_json::Value {
    let platform = |archive: &Archive| {
        let Archive { target, folder, sum, .. } = archive;
        json!({
            "selector": {"matchLabels": {"os": target.os, "arch": target.architecture}},
            "uri": archive.url(),
            "sha256": sum,
            "bin": target.program(),
            "files": [
                {"from": format!("{folder}/{}", target.program()), "to": "."},
                {"from": format!("{folder}/LICENSE"), "to": "."},
            ],
        })
    };
    json!({
        "apiVersion": "krew.googlecontainertools.github.com/v1alpha2",
        "kind": "Plugin",
        "metadata": {"name": "kwasm"},
        "spec": {
            "version": format!("v{VERSION}"),
            "homepage": image::SOURCE,
            "shortDescription": "Run plugins in a sandbox, as WebAssembly",
            "description": "Runs kubectl plugins that are WebAssembly components: one file for every operating system, which \
                never sees a credential, and reaches only what its policy grants.",
            "caveats": "What kwasm installs is found by kubectl in ~/.local/bin: kubectl kwasm doctor says whether it is on PATH.",
            "platforms": archives.iter().map(platform).collect::<Vec<_>>(),
        },
    })
}

/// Returns the formula by which `brew install` installs it.
fn homebrew(archives: &[Archive]) -> String {
    let mut blocks = String::new();
    for (system, os) in [("macos", "darwin"), ("linux", "linux")] {
        for (processor, architecture) in [("arm", "arm64"), ("intel", "amd64")] {
            let found =
                archives.iter().find(|it| it.target.os == os && it.target.architecture == architecture);
            let Some(archive) = found else { continue };
            let (url, sum) = (archive.url(), &archive.sum);
            let lines = [
                format!("  on_{system} do"),
                format!("    on_{processor} do"),
                format!("      url \"{url}\""),
                format!("      sha256 \"{sum}\""),
                "    end".to_owned(),
                "  end".to_owned(),
            ];
            blocks.extend(["\n".to_owned(), lines.join("\n"), "\n".to_owned()]);
        }
    }
    let head = [
        "class Kwasm < Formula".to_owned(),
        format!("  desc \"{}\"", image::DESCRIPTION),
        format!("  homepage \"{}\"", image::SOURCE),
        format!("  version \"{VERSION}\""),
        "  license \"Apache-2.0\"\n".to_owned(),
    ];
    head.join("\n") + &blocks + INSTALL
}

/// What Homebrew does with an archive, and how it tries it out.
const INSTALL: &str = r##"
  def install
    bin.install "kwasm"
    man1.install Dir["man/man1/*.1"]
    bash_completion.install "completions/kwasm.bash" => "kwasm"
    fish_completion.install "completions/kwasm.fish"
    zsh_completion.install "completions/_kwasm"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/kwasm --version")
  end
end
"##;
