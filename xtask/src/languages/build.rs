//! Builds components with the tools of other languages. These are installed into the target directory, at the
//! version and with the checksum given in the plugin's folder.

use std::{
    env::consts::EXE_SUFFIX,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::{fresh, places::Places, process, tools::NPM};

/// The folder of programs in a Python virtual environment.
const PROGRAMS: &str = if cfg!(windows) { "Scripts" } else { "bin" };

/// Builds `components/examples/javascript`.
pub(crate) fn javascript(places: &Places) -> Result<PathBuf> {
    let (source, folder) = folders(places, "javascript");
    if !answers("node") || !answers(NPM) {
        bail!("node and npm are not on PATH: componentize-js needs Node.js 20 or newer");
    }
    install(&folder, &source.join("package-lock.json"), || {
        for file in ["package.json", "package-lock.json"] {
            fs::copy(source.join(file), folder.join(file)).with_context(|| format!("cannot copy {file}"))?;
        }
        process::run(Command::new(NPM).arg("ci").current_dir(&folder))
    })?;
    let component = folder.join("pods.wasm");
    let tool = folder.join("node_modules/@bytecodealliance/componentize-js/src/cli.js");
    let mut node = Command::new("node");
    node.arg(tool).arg(source.join("pods.js"));
    node.arg("--wit").arg(places.root.join("wit")).args(["--world-name", "plugin"]);
    process::run(node.arg("--out").arg(&component))?;
    Ok(component)
}

/// Builds `components/examples/python`.
pub(crate) fn python(places: &Places) -> Result<PathBuf> {
    let (source, folder) = folders(places, "python");
    let Some(python) = ["python3", "python"].into_iter().find(|name| answers(name)) else {
        bail!("python3 is not on PATH: componentize-py needs Python 3.10 or newer");
    };
    let requirements = source.join("requirements.txt");
    let environment = folder.join("venv");
    let program = |name: &str| environment.join(PROGRAMS).join(format!("{name}{EXE_SUFFIX}"));
    install(&folder, &requirements, || {
        process::run(Command::new(python).args(["-m", "venv", "--clear"]).arg(&environment))?;
        let mut pip = Command::new(program("python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]);
        process::run(pip.arg("--requirement").arg(&requirements))
    })?;
    let component = folder.join("pods.wasm");
    let mut tool = Command::new(program("componentize-py"));
    // Else it would take what packages this machine happens to have.
    tool.env("VIRTUAL_ENV", &environment);
    tool.arg("--wit-path").arg(places.root.join("wit")).args(["--world", "plugin", "componentize", "pods"]);
    process::run(tool.arg("--python-path").arg(&source).arg("--output").arg(&component))?;
    Ok(component)
}

/// Returns the folder of a plugin's source, and the one for its tools and its component.
fn folders(places: &Places, language: &str) -> (PathBuf, PathBuf) {
    (places.plugins().join("examples").join(language), places.target.join("languages").join(language))
}

fn answers(program: &str) -> bool {
    process::succeeds(Command::new(program).arg("--version"))
}

/// Installs tools into a folder, unless they are there in the versions of `lock`.
fn install(folder: &Path, lock: &Path, work: impl FnOnce() -> Result<()>) -> Result<()> {
    let wanted = fs::read_to_string(lock).with_context(|| format!("cannot read {}", lock.display()))?;
    fresh::unless(folder, &wanted, work)
}
