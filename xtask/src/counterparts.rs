//! The programs with which registries, policies and traces are tested, in one folder.

use std::{
    env::consts::EXE_SUFFIX,
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{places, places::Places, process, report::Report, tools, tools::Tool};

/// A program and where it comes from.
enum Counterpart {
    /// A program of this version. If `PATH` does not have it, it is built or unpacked.
    Exactly {
        tool: &'static Tool,
        /// The argument that prints its version.
        asked: &'static str,
        /// The text before its version.
        before: &'static str,
    },
    /// A program of any version, from Debian's package of this name.
    Any(&'static str),
    /// A program of which one on `PATH` is not used: it does not report its version, or may lack a part.
    Own {
        tool: &'static Tool,
        /// What is tested with it.
        tested: &'static str,
    },
}

const ALL: [Counterpart; 8] = [
    Counterpart::Own { tool: &tools::AJV, tested: "policies" },
    Counterpart::Exactly { tool: &tools::COSIGN, asked: "version", before: "v" },
    Counterpart::Exactly { tool: &tools::DOCKER_REGISTRY, asked: "--version", before: " " },
    Counterpart::Own { tool: &tools::OTELCOL, tested: "traces" },
    Counterpart::Exactly { tool: &tools::ORAS, asked: "version", before: " " },
    Counterpart::Any("skopeo"),
    Counterpart::Exactly { tool: &tools::WASMTIME, asked: "--version", before: "wasmtime " },
    Counterpart::Exactly { tool: &tools::WKG, asked: "--version", before: "wkg " },
];

/// Finds or builds all programs. Returns a folder with a link to each, and the reasons why any is missing.
///
/// # Errors
/// In continuous integration, where none may be missing, the reason of the first that is.
pub(crate) fn gather(places: &Places, report: &mut Report) -> Result<(PathBuf, Vec<String>)> {
    let folder = places.target.join("counterparts");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let mut missing = Vec::new();
    for counterpart in &ALL {
        let name = counterpart.name();
        let place = || {
            let link = folder.join(format!("{name}{EXE_SUFFIX}"));
            // First of all, so that programs that are no longer available are not found.
            remove(&link).with_context(|| format!("cannot remove {}", link.display()))?;
            let program = counterpart.find_or_build(places)?;
            link_to(&program, &link).with_context(|| format!("cannot create {}", link.display()))
        };
        if places.ci {
            report.step(name, place)?;
        } else if let Some(why) = report.attempt(name, place) {
            missing.push(format!("{} with {name}: {why:#}", counterpart.tested()));
        }
    }
    Ok((folder, missing))
}

/// Returns a line for each program that is not on `PATH` and that nothing here could build.
pub(crate) fn lacking() -> impl Iterator<Item = String> {
    ALL.iter().filter_map(|counterpart| match counterpart {
        Counterpart::Any(program) if places::on_path(program).is_none() => Some(format!(
            "registries with {program}: it is not on PATH: install {program}: Debian has a package of this name"
        )),
        Counterpart::Any(_) | Counterpart::Exactly { .. } | Counterpart::Own { .. } => None,
    })
}

impl Counterpart {
    fn name(&self) -> &'static str {
        match self {
            Self::Exactly { tool, .. } | Self::Own { tool, .. } => tool.program(),
            Self::Any(program) => program,
        }
    }

    /// Returns what is tested with it.
    fn tested(&self) -> &'static str {
        match self {
            Self::Exactly { .. } | Self::Any(_) => "registries",
            Self::Own { tested, .. } => tested,
        }
    }

    fn find_or_build(&self, places: &Places) -> Result<PathBuf> {
        let found = places::on_path(self.name());
        match self {
            Self::Own { tool, .. } => tool.find_or_build(places),
            Self::Exactly { tool, asked, before } => {
                let version = format!("{before}{}", tool.version());
                match found.filter(|program| process::says(Command::new(program).arg(asked), &version)) {
                    Some(program) => Ok(program),
                    None => tool.find_or_build(places),
                }
            }
            Self::Any(program) => {
                found.with_context(|| format!("install {program}: Debian has a package of this name"))
            }
        }
    }
}

fn remove(link: &Path) -> io::Result<()> {
    match fs::remove_file(link) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

#[cfg(unix)]
fn link_to(program: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(program, link)
}

#[cfg(not(unix))]
fn link_to(program: &Path, link: &Path) -> io::Result<()> {
    // Symbolic links are a privilege on Windows.
    fs::copy(program, link).map(|_bytes| ())
}
