//! The tools of new projects, as their lock files name them: what npm and pip install beside a project that `kwasm new` made.

use std::{
    env::consts::EXE_SUFFIX,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::{fresh, places::Places, process, report::Report, tools::NPM};

/// A language whose projects have a folder of tools.
pub(crate) struct Language {
    /// Its name, for `kwasm new --lang`.
    pub(crate) name: &'static str,
    /// The folder of tools in a project.
    pub(crate) tools: &'static str,
    /// The file of the template that names their versions and checksums.
    lock: &'static str,
    /// The programs that install them, of which any one suffices, and where they come from.
    needs: (&'static [&'static str], &'static str),
    install: fn(&Work) -> Result<()>,
}

/// The folders of an installation.
struct Work {
    /// The template.
    template: PathBuf,
    /// The folder that becomes [`Language::tools`].
    tools: PathBuf,
}

/// All languages that have one; Go and Rust fetch what a project names by themselves.
pub(crate) const ALL: [Language; 2] = [
    Language {
        name: "js",
        tools: "node_modules",
        lock: "package-lock.json",
        needs: (&[NPM], "Node.js 20 or newer, with npm"),
        install: node_modules,
    },
    Language {
        name: "python",
        tools: ".venv",
        lock: "requirements.txt",
        needs: (&["python3", "python"], "Python 3.10 or newer, with venv"),
        install: venv,
    },
];

/// The folder of programs in a Python virtual environment.
const PROGRAMS: &str = if cfg!(windows) { "Scripts" } else { "bin" };

/// Installs what is not fresh. Returns the folder with `LANGUAGE/TOOLS` for each, and the reasons why any is missing.
///
/// # Errors
/// In continuous integration, where none may be missing, the reason of the first that is.
pub(crate) fn gather(places: &Places, report: &mut Report) -> Result<(PathBuf, Vec<String>)> {
    let mut missing = Vec::new();
    for language in &ALL {
        let step = format!("tools of projects in {}", language.name);
        let install = || language.install(places).map(drop);
        if places.ci {
            report.step(&step, install)?;
        } else if let Some(why) = report.attempt(&step, install) {
            missing.push(format!("{step}: {why:#}"));
        }
    }
    Ok((folder(places), missing))
}

/// Returns a line for each language whose tools nothing here can install.
pub(crate) fn lacking() -> impl Iterator<Item = String> {
    ALL.iter().filter(|language| language.program().is_none()).map(|language| {
        let (programs, package) = language.needs;
        format!("projects in {}: `{}` is not on PATH: install {package}", language.name, programs[0])
    })
}

fn folder(places: &Places) -> PathBuf {
    places.target.join("projects")
}

impl Language {
    /// Returns the first of its programs that can be started.
    fn program(&self) -> Option<&'static str> {
        let starts = |program: &&&str| process::succeeds(Command::new(program).arg("--version"));
        self.needs.0.iter().find(starts).copied()
    }

    /// Installs its tools, unless they are there in the versions of the lock file, and returns their folder.
    pub(crate) fn install(&self, places: &Places) -> Result<PathBuf> {
        let template = places.plugins().join("templates").join(self.name);
        let home = folder(places).join(self.name);
        let lock = template.join(self.lock);
        let wanted = fs::read_to_string(&lock).with_context(|| format!("cannot read {}", lock.display()))?;
        let work = Work { template, tools: home.join(self.tools) };
        let done = fresh::unless(&home, &wanted, || (self.install)(&work));
        if done.is_err() {
            // A part of them must not be found.
            drop(fs::remove_dir_all(&home));
        }
        done.map(|()| work.tools)
    }
}

fn node_modules(work: &Work) -> Result<()> {
    let folder = work.tools.parent().context("a folder of tools without a parent")?;
    for file in ["package.json", "package-lock.json"] {
        fs::copy(work.template.join(file), folder.join(file))
            .with_context(|| format!("cannot copy {file}"))?;
    }
    process::run_for_reason(Command::new(NPM).args(["ci", "--no-audit", "--no-fund"]).current_dir(folder))
}

/// Installs the tools of Python projects, unless they are there, and returns one of them.
///
/// # Errors
/// If they cannot be installed.
pub(crate) fn python_program(places: &Places, name: &str) -> Result<PathBuf> {
    let [_, python] = &ALL;
    Ok(program_of(&python.install(places)?, name))
}

fn venv(work: &Work) -> Result<()> {
    let [_, python] = &ALL;
    let Some(program) = python.program() else { bail!("python3 is not on PATH: install {}", python.needs.1) };
    process::run_for_reason(Command::new(program).args(["-m", "venv", "--clear"]).arg(&work.tools))?;
    let mut pip = Command::new(program_of(&work.tools, "python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]);
    process::run_for_reason(pip.arg("--requirement").arg(work.template.join("requirements.txt")))
}

fn program_of(venv: &Path, name: &str) -> PathBuf {
    venv.join(PROGRAMS).join(format!("{name}{EXE_SUFFIX}"))
}
