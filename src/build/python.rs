//! Builds a Python program by componentize-py: the console script of a `pyproject.toml`.
//!
//! The script is called as pip's own launcher calls it, so that a plugin needs to know nothing of components: its arguments are
//! in `sys.argv`, and its exit code is what it returns or gives to `sys.exit`.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::job::{Built, Job};
use super::tools::Call;
use super::{Error, Language, manifest, wit};
use crate::platform::disk::Scratch;
use crate::platform::links::program_file;
use crate::platform::{PYTHON, VENV_PROGRAMS};

/// The tool that makes components of Python.
const TOOL: &str = "componentize-py";

/// The release of it that kwasm is tested with.
const RELEASE: &str = "0.25.1";

/// The module that calls the script, whose name no project has.
const ENTRY: &str = "kwasm_build_entry";

/// The text of that module, with places for the script's module and function.
const ENTRY_TEXT: &str = include_str!("python/entry.py");

const SCRIPTS_CURE: &str = "write what the plugin calls, with a function that takes no arguments: [project.scripts] NAME = \"MODULE:FUNCTION\"";

/// The parts of `pyproject.toml` that say what to build.
///
/// <https://packaging.python.org/en/latest/specifications/pyproject-toml/>
#[derive(Deserialize)]
struct Manifest {
    project: Option<Metadata>,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    scripts: BTreeMap<String, String>,
}

/// Builds a console script: the one that is named, or the only one.
pub(super) fn build(job: &Job<'_>) -> Result<Built, Error> {
    let path = job.folder.join(Language::Python.file());
    let manifest: Manifest = toml::from_str(&manifest::read(&path)?).map_err(|error| Error::Manifest {
        path: path.clone(),
        why: error.to_string().lines().next().unwrap_or("it is not TOML").to_owned(),
        cure: "https://packaging.python.org/en/latest/specifications/pyproject-toml/ describes it",
    })?;
    let (name, script) = script(&path, manifest, job.package)?;
    let venv = venv(job);
    let unwritten = |source| Error::Temporary { path: env::temp_dir(), source };
    let scratch = Scratch::new().map_err(unwritten)?;
    let wit = wit::write(&scratch).map_err(unwritten)?;
    let (modules, output) = (scratch.join("modules"), scratch.join("plugin.wasm"));
    let entry = script.entry();
    scratch.write(format!("modules/{ENTRY}.py"), entry.as_bytes()).map_err(unwritten)?;
    let mut call = Call::new(TOOL, &job.folder)
        .args([Path::new("--wit-path"), &wit, Path::new("--world"), Path::new(wit::NAME)])
        .args([Path::new("componentize"), Path::new(ENTRY), Path::new("--output"), &output]);
    for folder in [modules, job.folder.join("src"), job.folder.clone()] {
        if folder.is_dir() {
            call = call.args([Path::new("--python-path"), &folder]);
        }
    }
    if let Some(venv) = &venv {
        // Its packages come along, and no others that this machine happens to have.
        call = call.env("VIRTUAL_ENV", venv).env("PATH", path_with(job, &venv.join(VENV_PROGRAMS)));
    }
    job.tools.show(&call.args(job.arguments))?.ok_or_else(|| lacking(&job.folder))?;
    Built::read(name, &output)
}

/// A function that a script calls: the name of its module, and its own.
#[derive(Debug, Eq, PartialEq)]
struct Script {
    module: String,
    function: String,
}

/// Returns the script that is named, or the only one, with its name.
fn script(path: &Path, manifest: Manifest, wanted: Option<&str>) -> Result<(String, Script), Error> {
    let wrong = |why: String| Error::Manifest { path: path.to_owned(), why, cure: SCRIPTS_CURE };
    let mut scripts = manifest.project.map(|project| project.scripts).unwrap_or_default();
    if let Some(wanted) = wanted {
        scripts.retain(|name, _| name == wanted);
    }
    let names: Vec<String> = scripts.keys().cloned().collect();
    match (scripts.pop_first(), scripts.is_empty()) {
        (Some((name, target)), true) => {
            let script = Script::read(&target);
            Ok((name, script.ok_or_else(|| wrong(format!("its script `{target}` is not MODULE:FUNCTION")))?))
        }
        (Some(_), false) => Err(Error::Programs {
            path: path.to_owned(),
            programs: names,
            cure: "name one of its scripts: kwasm build NAME",
        }),
        (None, _) => Err(wrong(match wanted {
            Some(wanted) => format!("it has no script `{wanted}`"),
            None => "it has no script".to_owned(),
        })),
    }
}

impl Script {
    /// Reads an [object reference][1], without extras.
    ///
    /// [1]: https://packaging.python.org/en/latest/specifications/entry-points/
    fn read(target: &str) -> Option<Self> {
        let (module, function) = target.split_once(':')?;
        let (module, function) = (module.trim(), function.trim());
        (is_dotted(module) && is_dotted(function))
            .then(|| Self { module: module.to_owned(), function: function.to_owned() })
    }

    /// Returns the text of the module that calls it.
    fn entry(&self) -> String {
        ENTRY_TEXT.replace("MODULE", &self.module).replace("FUNCTION", &self.function)
    }
}

/// Returns whether a text consists of identifiers, separated by dots. It becomes a part of a program.
fn is_dotted(text: &str) -> bool {
    let is_identifier = |part: &str| {
        let inner = |c: char| c == '_' || c.is_alphanumeric();
        part.starts_with(|c: char| inner(c) && !c.is_numeric()) && part.chars().all(inner)
    };
    text.split('.').all(is_identifier)
}

/// Returns the virtual environment of the project, or else the active one.
fn venv(job: &Job<'_>) -> Option<PathBuf> {
    let own = job.folder.join(".venv");
    let has_tool = |venv: &PathBuf| venv.join(VENV_PROGRAMS).join(program_file(TOOL)).is_file();
    let active = job.tools.variable("VIRTUAL_ENV").map(PathBuf::from);
    Some(own).filter(has_tool).or(active)
}

/// Returns `PATH` with a folder before all others.
fn path_with(job: &Job<'_>, folder: &Path) -> std::ffi::OsString {
    let path = job.tools.variable("PATH").unwrap_or_default();
    let folders = std::iter::once(folder.to_owned()).chain(env::split_paths(path));
    // A folder whose name `PATH` cannot contain leaves it as it is.
    env::join_paths(folders).unwrap_or_else(|_| path.to_owned())
}

fn lacking(root: &Path) -> Error {
    let what = if root.join("requirements.txt").is_file() {
        "--requirement requirements.txt".to_owned()
    } else {
        format!("{TOOL}=={RELEASE}")
    };
    let pip = Path::new(".venv").join(VENV_PROGRAMS).join("pip");
    Error::Lacking {
        what: TOOL.to_owned(),
        why: "it is neither in the project's .venv nor on PATH".to_owned(),
        cure: format!("run this in the project: {PYTHON} -m venv .venv && {} install {what}", pip.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, wanted: Option<&str>) -> Result<(String, Script), String> {
        let manifest = toml::from_str(text).unwrap();
        script(Path::new("pyproject.toml"), manifest, wanted).map_err(|error| error.to_string())
    }

    #[test]
    fn the_only_script_is_built_or_the_one_that_is_named() {
        let one = "[project.scripts]\nkubectl-a = 'plugin.main:main'\n";
        let two = &format!("{one}b = 'x:App.run'\n");
        let main = Script { module: "plugin.main".to_owned(), function: "main".to_owned() };
        assert_eq!(read(one, None).unwrap(), ("kubectl-a".to_owned(), main));
        let run = Script { module: "x".to_owned(), function: "App.run".to_owned() };
        assert_eq!(read(two, Some("b")).unwrap(), ("b".to_owned(), run));
        assert_eq!(
            read(two, None).unwrap_err(),
            "pyproject.toml: it has 2 programs, and kwasm builds one: b, kubectl-a"
        );
        assert_eq!(read(one, Some("c")).unwrap_err(), "pyproject.toml: it has no script `c`");
        assert_eq!(read("[tool.x]\n", None).unwrap_err(), "pyproject.toml: it has no script");
    }

    #[test]
    fn a_script_is_a_function_of_a_module_and_nothing_else() {
        for target in ["plugin", "a:", ":b", "a b:c", "a:b; import os", "a:b()", "1a:b", "a..b:c", "a:b [x]"]
        {
            assert_eq!(Script::read(target), None, "{target}");
        }
        assert!(Script::read("größe.main : main").is_some());
    }
}
