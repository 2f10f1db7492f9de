//! Tries out what was made, as its users would.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use super::{Release, documents::Archive};
use crate::{
    components,
    places::{self, Places},
    process,
    tools::{KREW, VALIDATE_KREW_MANIFEST},
};

/// What the guest `hello` says.
const HELLO: &str = "hello from kwasm";

impl Release {
    /// Runs the program of an archive in a root folder that has nothing but the archive's content and a plugin: no library, no
    /// shell, no `/tmp`, no `/proc`, no authorities.
    ///
    /// # Errors
    /// If it does not print what it should, or this system gives nobody a root folder of their own.
    pub(super) fn runs_alone(&self, places: &Places, archive: &Archive) -> Result<()> {
        let root = self.unpacked(archive, "root")?;
        fs::copy(hello(places), root.join("hello.wasm"))?;
        let program = format!("/{}/{}", archive.folder, archive.target.program());
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--root"]).arg(&root).args([&program, "run", "/hello.wasm"]);
        // The variables of this machine's user name folders that are not there.
        says(command.env_clear().env("HOME", "/home"), HELLO)
    }

    /// Lets Krew's own program judge the manifest, and Krew install kwasm by it; then runs a plugin that this installs.
    ///
    /// # Errors
    /// If the manifest is not valid, or what is installed does not work.
    pub(super) fn krew_installs(&self, places: &Places, archive: &Archive) -> Result<()> {
        let manifest = self.folder.join("kwasm.yaml");
        let mut validate = Command::new(VALIDATE_KREW_MANIFEST.find_or_build(places)?);
        // It would install by the address, where nothing may be yet.
        process::run(validate.args(["-skip-install", "-manifest"]).arg(&manifest))?;
        let home = self.scratch.path().join("krew");
        let krew = home.join(".krew");
        fs::create_dir_all(&home)?;
        let user = |command: &mut Command| -> Result<()> {
            let path = places::path_with(&krew.join("bin"))?;
            for name in ["XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "KWASM_HOME", "KUBECONFIG"] {
                command.env_remove(name);
            }
            command.env("HOME", &home).env("KREW_ROOT", &krew).env("PATH", path).env_remove("KWASM_BIN_DIR");
            Ok(())
        };
        let mut install = Command::new(KREW.find_or_build(places)?);
        let file = self.folder.join(&archive.file);
        install.arg("install").arg(option("--manifest=", &manifest)).arg(option("--archive=", &file));
        user(&mut install)?;
        process::run(&mut install)?;
        let kubectl = |words: &[&str]| -> Result<Command> {
            // kubectl runs a program of this name.
            let mut command = match places::on_path("kubectl") {
                Some(kubectl) => {
                    let mut command = Command::new(kubectl);
                    command.arg("kwasm");
                    command
                }
                None => Command::new(krew.join("bin").join("kubectl-kwasm")),
            };
            command.args(words);
            user(&mut command)?;
            Ok(command)
        };
        let plugin = hello(places).display().to_string();
        says(&mut kubectl(&["--version"])?, super::VERSION)?;
        process::run(&mut kubectl(&["install", &plugin, "--policy", "none"])?)?;
        let link = home.join(".local").join("bin").join("kubectl-hello");
        let mut run = Command::new(&link);
        user(&mut run)?;
        says(&mut run, HELLO)?;
        // An upgrade by Krew removes the folder of the version before.
        let target = fs::read_link(&link).with_context(|| format!("{}: not a link", link.display()))?;
        ensure!(!target.starts_with(krew.join("store")), "{} leads into a version's folder", link.display());
        Ok(())
    }

    fn unpacked(&self, archive: &Archive, name: &str) -> Result<PathBuf> {
        let folder = self.scratch.path().join(name);
        fs::create_dir_all(&folder)?;
        let file = self.folder.join(&archive.file);
        process::run(Command::new("tar").arg("-xzf").arg(file).arg("-C").arg(&folder))?;
        Ok(folder)
    }
}

fn hello(places: &Places) -> PathBuf {
    places.components().join("hello.wasm")
}

/// Compiles the plugin by which all is tried out.
pub(super) fn prepare(places: &Places) -> Result<()> {
    components::build(places, components::Scope::Some(&["hello"]))
}

fn option(name: &str, path: &Path) -> std::ffi::OsString {
    let mut option = std::ffi::OsString::from(name);
    option.push(path);
    option
}

/// Runs a command that has to print a text.
fn says(command: &mut Command, text: &str) -> Result<()> {
    let output = process::output(command)?;
    ensure!(output.contains(text), "`{}` said {output:?}, without {text:?}", process::shown(command));
    Ok(())
}
