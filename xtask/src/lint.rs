//! `cargo xtask lint`: what a reviewer should not have to say.

mod house;
mod street;

use std::{
    path::Path,
    process::{Command, ExitCode},
};

use anyhow::{Context, Result, bail};

use crate::{
    cargo, places,
    places::Places,
    process,
    report::Report,
    tools,
    wasm::{self, Toolchain},
};

pub(crate) fn run(places: &Places, advisories: bool) -> ExitCode {
    let mut report = Report::default();
    report.check("rules of the house", || house::check(places));
    report.check("street order of src", || street::check(places));
    report.check("formatting", || formatting(places));
    report.check("clippy", || clippy(&mut cargo::command(&places.root)));
    report.check("clippy of the guests", || guests(places));
    report.check("documentation", || documentation(places));
    report.check("go", || go(places));
    report.check("ring", || ring(places));
    report.check("cargo deny", || deny(places, &["bans", "licenses", "sources"]));
    if advisories {
        report.check("advisories", || deny(places, &["advisories"]));
    }
    report.print();
    if report.failed() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn formatting(places: &Places) -> Result<()> {
    let guests = places.guests();
    for folder in [&places.root, &guests, &guests.join("cargo-component-hello")] {
        process::run(cargo::command(folder).args(["fmt", "--all", "--check"]))
            .context("`cargo fmt --all` cures it (rustup component add rustfmt)")?;
    }
    Ok(())
}

fn clippy(cargo: &mut Command) -> Result<()> {
    process::run(cargo.args([
        "clippy",
        "--quiet",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "-Dwarnings",
    ]))
}

/// The guests' logic for this machine with its tests, and for WebAssembly where that toolchain has a clippy.
fn guests(places: &Places) -> Result<()> {
    let mut native = cargo::command(&places.guests());
    clippy(native.env("CARGO_TARGET_DIR", places.target.join("guests-native")))?;

    let toolchain = Toolchain::find(places, false)?;
    if !process::succeeds(toolchain.cargo().args(["clippy", "--version"])) {
        return unavailable(places, "clippy of the toolchain for WebAssembly");
    }
    let mut wasm = toolchain.cargo();
    wasm.current_dir(places.guests())
        .env("CARGO_TARGET_DIR", places.target.join("guests"))
        .args(["clippy", "--quiet", "--workspace", "--locked", "--target", wasm::COMPONENT])
        .args(["--", "-Dwarnings"]);
    process::run(&mut wasm)
}

fn documentation(places: &Places) -> Result<()> {
    let mut doc = cargo::command(&places.root);
    doc.args(["doc", "--quiet", "--workspace", "--no-deps", "--locked"]).env("RUSTDOCFLAGS", "-Dwarnings");
    process::run(&mut doc)
}

fn go(places: &Places) -> Result<()> {
    if places::on_path("go").is_none() {
        return unavailable(places, "Go");
    }
    let folder = places.root.join("tests").join("cluster");
    let unformatted = process::output(Command::new("gofmt").arg("-l").arg(&folder))?;
    if !unformatted.is_empty() {
        bail!("not formatted by gofmt:\n{unformatted}");
    }
    // The flag with which the control plane is built: without it Go would compile all of Kubernetes again.
    process::run(Command::new("go").args(["vet", "-trimpath", "./..."]).current_dir(folder))
}

/// One provider of cryptography: ring beside aws-lc-rs would make rustls's choice depend on features.
fn ring(places: &Places) -> Result<()> {
    let mut tree = cargo::command(&places.root);
    tree.args(["tree", "--workspace", "--locked", "--target=all", "--edges=normal,build", "--prefix=none"]);
    let crates = process::output(&mut tree)?;
    match crates.lines().find(|line| line.starts_with("ring v")) {
        Some(found) => bail!("{found} is in the tree: see `cargo tree --target all -i ring`"),
        None => Ok(()),
    }
}

fn deny(places: &Places, checks: &[&str]) -> Result<()> {
    let tool = tools::CARGO_DENY.find_or_build(places)?;
    for folder in [&places.root, &places.guests()] {
        process::run(&mut deny_command(places, &tool, folder, checks))?;
    }
    Ok(())
}

fn deny_command(places: &Places, tool: &Path, folder: &Path, checks: &[&str]) -> Command {
    let mut command = Command::new(tool);
    command
        .current_dir(folder)
        .args(["--workspace", "--locked", "--config"])
        .arg(places.root.join("deny.toml"))
        .args(["check", "--hide-inclusion-graph"])
        .args(checks);
    command
}

/// What cannot be checked here is said; continuous integration has it all.
fn unavailable(places: &Places, what: &str) -> Result<()> {
    if places.ci {
        bail!("{what} is not installed");
    }
    eprintln!("not checked: {what} is not installed");
    Ok(())
}
