//! Builds a JavaScript program: bundled by the project's own script `build`, if it has one, and made a component by the
//! project's own componentize-js.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::job::{Built, Job};
use super::tools::Call;
use super::{Error, Language, manifest, wit};
use crate::platform::NPM;
use crate::platform::disk::Scratch;

/// The package that makes components of JavaScript, and the program in it.
const TOOL: &str = "@bytecodealliance/componentize-js";
const PROGRAM: &str = "src/cli.js";

/// The command that adds the package to a project, in the version that kwasm is tested with.
const ADD: &str = "npm install --save-dev --save-exact @bytecodealliance/componentize-js@0.23.0";

/// The parts of `package.json` that say what to build.
///
/// <https://docs.npmjs.com/cli/configuring-npm/package-json>
#[derive(Deserialize)]
struct Package {
    name: Option<String>,
    main: Option<PathBuf>,
    #[serde(default)]
    scripts: BTreeMap<String, String>,
    #[serde(default)]
    dependencies: BTreeMap<String, String>,
    #[serde(default, rename = "devDependencies")]
    dev_dependencies: BTreeMap<String, String>,
}

/// Builds the program whose module is the `main` of a `package.json`.
pub(super) fn build(job: &Job<'_>) -> Result<Built, Error> {
    if let Some(package) = job.package {
        return Err(Error::Argument {
            tool: "npm",
            argument: package.to_owned(),
            why: "a JavaScript project is named by its folder",
            cure: "kwasm build ./FOLDER",
        });
    }
    let path = job.folder.join(Language::JavaScript.file());
    let package: Package =
        serde_json::from_str(&manifest::read(&path)?).map_err(|error| Error::Manifest {
            path: path.clone(),
            why: error.to_string(),
            cure: "npm pkg fix corrects the most common mistakes",
        })?;
    let tool = find_tool(&job.folder, &package)?;
    if package.scripts.contains_key("build") {
        let npm = Call::new(NPM, &job.folder).args(["run", "build", "--silent"]);
        job.tools.show(&npm)?.ok_or_else(|| no_tool("npm"))?;
    }
    let main = main(&job.folder, &path, &package)?;
    let unwritten = |source| Error::Temporary { path: env::temp_dir(), source };
    let scratch = Scratch::new().map_err(unwritten)?;
    let wit = wit::write(&scratch).map_err(unwritten)?;
    let output = scratch.join("plugin.wasm");
    let node = Call::new("node", &job.folder)
        .args([&tool, &main])
        .args([Path::new("--wit"), &wit, Path::new("--world-name"), Path::new(wit::NAME)])
        .args([Path::new("--out"), &output])
        .args(job.arguments);
    job.tools.show(&node)?.ok_or_else(|| no_tool("node"))?;
    Built::read(program_name(package.name.as_deref(), &job.folder), &output)
}

fn no_tool(tool: &'static str) -> Error {
    let cure = "install Node.js 20 or newer, with npm: https://nodejs.org";
    Error::NoTool { tool, language: Language::JavaScript, cure }
}

/// Finds componentize-js as Node.js finds packages: in the nearest `node_modules` that has it.
fn find_tool(root: &Path, package: &Package) -> Result<PathBuf, Error> {
    let places = root.ancestors().map(|folder| folder.join("node_modules").join(TOOL).join(PROGRAM));
    if let Some(found) = places.into_iter().find(|place| place.is_file()) {
        return Ok(found);
    }
    let is_listed = package.dependencies.contains_key(TOOL) || package.dev_dependencies.contains_key(TOOL);
    let cure = if !is_listed {
        ADD
    } else if root.join("package-lock.json").is_file() {
        "npm ci"
    } else {
        "npm install"
    };
    Err(Error::Lacking {
        what: TOOL.to_owned(),
        why: format!("it is not in {}", root.join("node_modules").display()),
        cure: format!("run this in the project: {cure}"),
    })
}

/// Returns the module that exports `run`.
fn main(root: &Path, path: &Path, package: &Package) -> Result<PathBuf, Error> {
    let main = package.main.clone().unwrap_or_else(|| "index.js".into());
    if root.join(&main).is_file() {
        return Ok(main);
    }
    Err(Error::Manifest {
        path: path.to_owned(),
        why: format!("its main, {}, is not there", main.display()),
        cure: "main names the module that exports run; a script called build may make it",
    })
}

/// Returns the program's name: that of the package without its scope, or of the folder.
fn program_name(package: Option<&str>, root: &Path) -> String {
    let name = package.and_then(|name| name.rsplit('/').next()).filter(|name| !name.is_empty());
    name.map_or_else(|| root.file_name().unwrap_or_default().to_string_lossy().into_owned(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn package(text: &str) -> Package {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_program_is_named_after_its_package_or_its_folder() {
        let name = |package| program_name(package, Path::new("/work/pods"));
        assert_eq!(name(Some("kubectl-hello")), "kubectl-hello");
        assert_eq!(name(Some("@acme/hello")), "hello");
        assert_eq!(name(None), "pods");
    }

    #[test]
    fn a_missing_tool_is_installed_by_the_command_that_fits_the_project() {
        let root = tempfile::tempdir().unwrap();
        let cure = |text: &str| match find_tool(root.path(), &package(text)) {
            Err(Error::Lacking { cure, .. }) => cure,
            other => panic!("{other:?}"),
        };
        let listed = r#"{"devDependencies": {"@bytecodealliance/componentize-js": "0.23.0"}}"#;
        assert!(cure("{}").ends_with(ADD));
        assert!(cure(listed).ends_with(": npm install"));
        fs::write(root.path().join("package-lock.json"), "{}").unwrap();
        assert!(cure(listed).ends_with(": npm ci"));
        let program = root.path().join("node_modules").join(TOOL).join(PROGRAM);
        fs::create_dir_all(program.parent().unwrap()).unwrap();
        fs::write(&program, "").unwrap();
        assert_eq!(find_tool(root.path(), &package("{}")).unwrap(), program);
    }

    #[test]
    fn the_main_module_has_to_be_there() {
        let root = tempfile::tempdir().unwrap();
        let find = |text: &str| main(root.path(), Path::new("package.json"), &package(text));
        let error = find(r#"{"main": "build/plugin.js"}"#).unwrap_err().to_string();
        assert_eq!(error, "package.json: its main, build/plugin.js, is not there");
        fs::write(root.path().join("index.js"), "").unwrap();
        assert_eq!(find("{}").unwrap(), Path::new("index.js"));
    }
}
