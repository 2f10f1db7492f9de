//! `cargo xtask lint`: the checks that spare a reviewer remarks.

mod catalogue;
mod house;
mod prose;
mod street;
mod wording;

use std::{
    fs,
    path::PathBuf,
    process::{Command, ExitCode},
    str::FromStr,
};

use anyhow::{Context, Result, bail};

use crate::{
    cargo, places,
    places::Places,
    platforms, process,
    report::Report,
    tools,
    wasm::{self, Need, Toolchain},
};

pub(crate) const HELP: &str = "\
Checks formatting, clippy, documentation, Go code, dependencies and the house rules.

Usage: cargo xtask lint [--advisories] [CHECK…]

Checks (all of them unless named):
  house      length and names of files, wording of texts for users, guests untested or checked in
  street     each room in src/ uses only those above it in src/lib.rs
  format     rustfmt, of host and guests
  clippy     clippy of the host, its tests and tools
  platforms  clippy of the host for macOS and for Windows
  guests     clippy of the guests, natively and, where its toolchain has a clippy, as WebAssembly
  doc        rustdoc without a warning
  go         gofmt and go vet of the control plane and of the registry, gofmt of the node
  ring       not in the tree
  deny       cargo deny: bans, licences, sources

Options:
  --advisories  check the RustSec database too (requires github.com)";

/// The options of the command.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Options {
    /// The checks to run; empty for all.
    pub(crate) checks: Vec<Check>,
    /// Whether to check the advisories too, which needs the network.
    pub(crate) advisories: bool,
}

/// A check and its name on the command line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Check {
    name: &'static str,
    run: fn(&Places) -> Result<()>,
}

const CHECKS: [Check; 11] = [
    Check { name: "house", run: house::check },
    Check { name: "prose", run: prose::check },
    Check { name: "street", run: street::check },
    Check { name: "format", run: format },
    Check { name: "clippy", run: clippy },
    Check { name: "platforms", run: platforms::check },
    Check { name: "guests", run: guests },
    Check { name: "doc", run: doc },
    Check { name: "go", run: go },
    Check { name: "ring", run: ring },
    Check { name: "deny", run: deny },
];

impl PartialEq for Check {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl FromStr for Check {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> Result<Self> {
        CHECKS.iter().find(|check| check.name == name).copied().with_context(|| {
            let names: Vec<_> = CHECKS.iter().map(|check| check.name).collect();
            format!("no check `{name}`; there are {}", names.join(", "))
        })
    }
}

pub(crate) fn run(places: &Places, options: &Options) -> ExitCode {
    let mut report = Report::default();
    for check in CHECKS {
        if options.checks.is_empty() || options.checks.contains(&check) {
            report.check(check.name, || (check.run)(places));
        }
    }
    if options.advisories {
        report.check("advisories", || advisories(places));
    }
    report.print();
    if report.failed() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn format(places: &Places) -> Result<()> {
    let adapted = places.plugins().join("examples").join("cargo-component-hello");
    for folder in [places.root.clone(), adapted].iter().chain(&places.wasm_workspaces()) {
        process::run(cargo::command(folder).args(["fmt", "--all", "--check"]))
            .context("`cargo fmt --all` fixes it (rustup component add rustfmt)")?;
    }
    Ok(())
}

/// Checks the workspace as it is shipped, and with the feature `faults`.
fn clippy(places: &Places) -> Result<()> {
    clippy_of_workspace(&mut cargo::command(&places.root), &[])?;
    clippy_of_workspace(&mut cargo::command(&places.root), &["--features", "kwasm/faults"])
}

fn clippy_of_workspace(cargo: &mut Command, options: &[&str]) -> Result<()> {
    cargo.args(["clippy", "--quiet", "--workspace", "--all-targets", "--locked"]).args(options);
    process::run(cargo.args(["--", "-Dwarnings"]))
}

/// Checks the guests' logic and tests for this machine, and the guests for WebAssembly if that toolchain has
/// clippy.
fn guests(places: &Places) -> Result<()> {
    for workspace in places.wasm_workspaces() {
        let mut native = cargo::command(&workspace);
        clippy_of_workspace(native.env("CARGO_TARGET_DIR", places.target.join("guests-native")), &[])?;
    }
    let toolchain = Toolchain::find(places, Need::Everything, false)?;
    if !process::succeeds(toolchain.cargo().args(["clippy", "--version"])) {
        return unavailable(places, "clippy of the toolchain for WebAssembly");
    }
    for workspace in places.wasm_workspaces() {
        let mut wasm = toolchain.cargo();
        wasm.current_dir(workspace)
            .env("CARGO_TARGET_DIR", places.target.join("guests"))
            .args(["clippy", "--quiet", "--workspace", "--locked", "--target", wasm::COMPONENT])
            .args(["--", "-Dwarnings"]);
        process::run(&mut wasm)?;
    }
    Ok(())
}

fn doc(places: &Places) -> Result<()> {
    let mut doc = cargo::command(&places.root);
    doc.args(["doc", "--quiet", "--workspace", "--no-deps", "--locked"]).env("RUSTDOCFLAGS", "-Dwarnings");
    process::run(&mut doc)
}

fn go(places: &Places) -> Result<()> {
    if places::on_path("go").is_none() {
        return unavailable(places, "Go");
    }
    for module in ["cluster", "node", "registry"] {
        let folder = places.root.join("tests/servers").join(module);
        let unformatted = process::output(Command::new("gofmt").arg("-l").arg(&folder))?;
        if !unformatted.is_empty() {
            bail!("not formatted by gofmt:\n{unformatted}");
        }
        if module == "node" {
            // Go would compile a kubelet, for twenty lines that nothing here runs.
            continue;
        }
        // The flag with which it is built: without it Go would compile all of Kubernetes again.
        process::run(Command::new("go").args(["vet", "-trimpath", "./..."]).current_dir(folder))?;
    }
    // Programs of a file each.
    for file in go_guests(places)? {
        let unformatted = process::output(Command::new("gofmt").arg("-l").arg(&file))?;
        if !unformatted.is_empty() {
            bail!("not formatted by gofmt: {unformatted}");
        }
        process::run(
            Command::new("go").arg("vet").arg(&file).envs([("GOOS", "wasip1"), ("GOARCH", "wasm")]),
        )?;
    }
    Ok(())
}

fn go_guests(places: &Places) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(places.root.join("tests/suite/formats"))?;
    let files = entries.map(|entry| Ok(entry?.path()));
    files
        .filter(|file| file.as_ref().map_or(true, |file| file.extension().is_some_and(|end| end == "go")))
        .collect()
}

/// Checks that there is only one provider of cryptography: with ring beside aws-lc-rs, rustls's choice would
/// depend on features.
fn ring(places: &Places) -> Result<()> {
    let mut tree = cargo::command(&places.root);
    tree.args(["tree", "--workspace", "--locked", "--target=all", "--edges=normal,build", "--prefix=none"]);
    let crates = process::output(&mut tree)?;
    match crates.lines().find(|line| line.starts_with("ring v")) {
        Some(found) => bail!("{found} is in the tree: see `cargo tree --target all -i ring`"),
        None => Ok(()),
    }
}

fn deny(places: &Places) -> Result<()> {
    cargo_deny(places, &["bans", "licenses", "sources"])
}

fn advisories(places: &Places) -> Result<()> {
    cargo_deny(places, &["advisories"])
}

/// Checks both the host and the guests. They share one list of crates that may be there twice: an entry that is not
/// needed is an error for the host's tree, and guests have fewer.
fn cargo_deny(places: &Places, checks: &[&str]) -> Result<()> {
    let tool = tools::CARGO_DENY.find_or_build(places)?;
    let host = (places.root.clone(), "--deny");
    let guests = places.wasm_workspaces().map(|folder| (folder, "--allow"));
    for (folder, skip) in [host].into_iter().chain(guests) {
        let mut command = Command::new(&tool);
        command
            .current_dir(folder)
            .args(["--workspace", "--locked", "--config"])
            .arg(places.root.join("deny.toml"))
            .args(["check", "--hide-inclusion-graph"])
            .args([skip, "unmatched-skip", skip, "unnecessary-skip"])
            .args(checks);
        process::run(&mut command)?;
    }
    Ok(())
}

/// Reports a check that this machine cannot run. In continuous integration that is an error.
fn unavailable(places: &Places, what: &str) -> Result<()> {
    if places.ci {
        bail!("{what} is not installed");
    }
    eprintln!("not checked: {what} is not installed");
    Ok(())
}
