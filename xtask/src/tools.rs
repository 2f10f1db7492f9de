//! Published programs, built or unpacked once for each version, outside of the clone.

use std::{
    env::consts::EXE_SUFFIX,
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{cargo, go_module, places::Places, process};

/// npm's program.
pub(crate) const NPM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };

/// The flags of Go's builds.
const GO_FLAGS: [&str; 3] = ["-trimpath", "-buildvcs=false", "-ldflags=-s -w"];

/// A program of a published package.
#[derive(Debug)]
pub(crate) struct Tool {
    package: &'static str,
    version: &'static str,
    program: &'static str,
    source: Source,
}

/// The publisher of a package.
#[derive(Debug)]
enum Source {
    /// crates.io, with options for `cargo install`.
    Crates(&'static [&'static str]),
    /// A suite of Debian, which may differ from this machine's.
    Debian(&'static str),
    /// Go's module proxy, with the path of the program's package.
    Go(&'static str),
    /// Go's module proxy, as a library of a module in this folder of the repository, which has the program.
    GoModule(&'static str),
    /// The npm registry.
    Npm,
    /// The Python package index, with the folder of the program in the package.
    PyPi(&'static str),
}

/// Validates documents by a JSON schema.
pub(crate) const AJV: Tool =
    Tool { package: "ajv-cli", version: "5.0.0", program: "ajv", source: Source::Npm };

/// Checks licences, bans and sources of dependencies.
pub(crate) const CARGO_DENY: Tool = Tool {
    package: "cargo-deny",
    version: "0.20.2",
    program: "cargo-deny",
    source: Source::Crates(&["--debug"]),
};

/// Lists what is in a program.
pub(crate) const CARGO_CYCLONEDX: Tool = Tool {
    package: "cargo-cyclonedx",
    version: "0.5.9",
    program: "cargo-cyclonedx",
    source: Source::Crates(&["--debug"]),
};

/// Makes components from core modules with an adapter, like many plugins in the wild.
pub(crate) const CARGO_COMPONENT: Tool = Tool {
    package: "cargo-component",
    version: "0.21.1",
    program: "cargo-component",
    source: Source::Crates(&["--debug"]),
};

/// Signs artifacts.
pub(crate) const COSIGN: Tool = Tool {
    package: "cosign",
    version: "3.1.3",
    program: "cosign",
    source: Source::Go("github.com/sigstore/cosign/v3/cmd/cosign"),
};

/// A registry (distribution) without the referrers API. Not installed, since Debian's package would start a
/// server.
pub(crate) const DOCKER_REGISTRY: Tool = Tool {
    package: "docker-registry",
    version: "2.8",
    program: "docker-registry",
    source: Source::Debian("bookworm"),
};

/// Installs plugins of kubectl.
pub(crate) const KREW: Tool = Tool {
    package: "krew",
    version: "0.5.0",
    program: "krew",
    source: Source::Go("sigs.k8s.io/krew/cmd/krew"),
};

/// Judges the manifests of its plugins.
pub(crate) const VALIDATE_KREW_MANIFEST: Tool = Tool {
    package: "validate-krew-manifest",
    version: "0.5.0",
    program: "validate-krew-manifest",
    source: Source::Go("sigs.k8s.io/krew/cmd/validate-krew-manifest"),
};

/// Collects spans. Its own program is no library's: what is to be in it is for each to say.
pub(crate) const OTELCOL: Tool = Tool {
    package: "opentelemetry-collector",
    version: "0.165.0",
    program: "otelcol",
    source: Source::GoModule("tests/servers/collector"),
};

/// Pushes and pulls artifacts of any kind.
pub(crate) const ORAS: Tool =
    Tool { package: "oras", version: "1.2", program: "oras", source: Source::Debian("trixie") };

/// The peer of the start-up benchmarks, in the version that kwasm embeds, as published.
pub(crate) const WASMTIME: Tool =
    Tool { package: "wasmtime-cli", version: "48.0.8", program: "wasmtime", source: Source::Crates(&[]) };

/// Publishes and fetches WebAssembly packages.
pub(crate) const WKG: Tool =
    Tool { package: "wkg", version: "0.16.1", program: "wkg", source: Source::Crates(&["--debug"]) };

/// Compiles C for macOS.
pub(crate) const ZIG: Tool =
    Tool { package: "ziglang", version: "0.17.1", program: "zig", source: Source::PyPi("ziglang") };

impl Tool {
    /// Returns the name of the program.
    pub(crate) fn program(&self) -> &'static str {
        self.program
    }

    /// Returns the version, or a prefix of it.
    pub(crate) fn version(&self) -> &'static str {
        self.version
    }

    /// Returns the path of the program, and builds it if necessary.
    pub(crate) fn find_or_build(&self, places: &Places) -> Result<PathBuf> {
        let tools = places.cache.join("tools");
        let home = tools.join(format!("{}-{}", self.package, self.key(places)?));
        let program = home.join("bin").join(format!("{}{EXE_SUFFIX}", self.program));
        if program.is_file() {
            return Ok(program);
        }
        fs::create_dir_all(&tools).with_context(|| format!("cannot create {}", tools.display()))?;
        // Two clones on one machine share the tools: the second waits for the first.
        let lock = File::create(tools.join(format!("{}.lock", self.package)))?;
        lock.lock()?;
        if !program.is_file() {
            eprintln!("building {} {} once (minutes), into {}", self.package, self.version, home.display());
            match self.source {
                Source::Crates(options) => {
                    self.install(places, options, &home, &tools.join("build").join(self.package))?;
                }
                Source::Debian(suite) => self.unpack(places, suite, &home)?,
                Source::Go(package) => self.go_install(package, &home)?,
                Source::GoModule(folder) => self.go_build(&places.root.join(folder), &home)?,
                Source::Npm => self.npm_install(&home)?,
                Source::PyPi(folder) => self.pip_install(folder, &home)?,
            }
        }
        Ok(program)
    }

    /// Returns a name for what the program is made of.
    fn key(&self, places: &Places) -> Result<String> {
        match self.source {
            Source::GoModule(folder) => {
                let key = go_module::key(&places.root.join(folder), &GO_FLAGS)?;
                Ok(format!("{}-{key}", self.version))
            }
            _ => Ok(self.version.to_owned()),
        }
    }

    fn install(&self, places: &Places, options: &[&str], home: &Path, work: &Path) -> Result<()> {
        let mut install = cargo::command(&places.root);
        install
            .args(["install", "--quiet", "--locked", self.package, "--version", self.version])
            .args(options)
            .arg("--root")
            .arg(home)
            // Kept until it is done: an interrupted build goes on where it was.
            .env("CARGO_TARGET_DIR", work)
            // They are not debugged, and a third of the time would be spent on debug information.
            .env("CARGO_PROFILE_DEV_DEBUG", "false")
            .env_remove("CARGO_BUILD_TARGET");
        process::run(&mut install)?;
        fs::remove_dir_all(work).with_context(|| format!("cannot remove {}", work.display()))
    }

    /// Unpacks only the package's programs: their dependencies have to be on the machine.
    fn unpack(&self, places: &Places, suite: &str, home: &Path) -> Result<()> {
        let unpacked = home.with_file_name(format!("{}.new", self.package));
        let mut unpack = Command::new(places.root.join(".ci").join("debian-unpack"));
        process::run_for_reason(unpack.args([suite, self.package]).arg(&unpacked))?;
        fs::rename(unpacked.join("usr"), home)?;
        fs::remove_dir_all(&unpacked).with_context(|| format!("cannot remove {}", unpacked.display()))
    }

    fn npm_install(&self, home: &Path) -> Result<()> {
        let mut install = Command::new(NPM);
        install
            .args([
                "install",
                "--global",
                "--ignore-scripts",
                "--no-audit",
                "--no-fund",
                "--silent",
                "--prefix",
            ])
            .arg(home)
            .arg(format!("{}@{}", self.package, self.version));
        process::run(&mut install)
    }

    /// Takes the folder of the program from the package, with all that it finds beside itself.
    fn pip_install(&self, folder: &str, home: &Path) -> Result<()> {
        let unpacked = home.with_file_name(format!("{}.new", self.package));
        // Debian's own Python has no pip, but one for virtual environments.
        let environment = unpacked.join("environment");
        process::run(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
        let mut install = Command::new(environment.join("bin").join("python"));
        install
            .args(["-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check"])
            .args(["--upgrade", "--target"])
            .arg(unpacked.join("packages"))
            .arg(format!("{}=={}", self.package, self.version));
        process::run(&mut install)?;
        fs::create_dir_all(home)?;
        fs::rename(unpacked.join("packages").join(folder), home.join("bin"))?;
        fs::remove_dir_all(&unpacked).with_context(|| format!("cannot remove {}", unpacked.display()))
    }

    fn go_install(&self, package: &str, home: &Path) -> Result<()> {
        let mut install = Command::new("go");
        install
            .arg("install")
            .args(GO_FLAGS)
            .arg(format!("{package}@v{}", self.version))
            .env("GOBIN", home.join("bin"));
        process::run(&mut install)
    }

    fn go_build(&self, module: &Path, home: &Path) -> Result<()> {
        let program = home.join("bin").join(format!("{}{EXE_SUFFIX}", self.program));
        let mut build = Command::new("go");
        build.arg("build").args(GO_FLAGS).arg("-o").arg(program).arg(".").current_dir(module);
        process::run(&mut build)
    }
}
