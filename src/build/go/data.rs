//! The changes of Go's standard library and of other modules, as embedded in kwasm.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::fault::Fault;

/// A place of a file whose text is replaced.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Edit {
    /// The file, below `GOROOT/src` or the root of a module.
    pub(super) file: String,
    /// The text, which is in the file exactly once.
    find: String,
    replace: String,
    /// The releases of Go that it is for; all if empty.
    #[serde(default)]
    releases: Vec<String>,
}

/// The changes of a module that does not compile for WASI.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StandIn {
    /// The path of the module.
    pub(super) module: String,
    /// The versions of the module that it is for; all if `None`.
    #[serde(default)]
    pub(super) versions: Option<String>,
    /// New files, below the root of the module, with the names of their contents.
    #[serde(default)]
    pub(super) add: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) edits: Vec<Edit>,
}

impl Edit {
    /// Returns whether it is for a release of Go.
    pub(super) fn is_for(&self, release: &str) -> bool {
        self.releases.is_empty() || self.releases.iter().any(|known| known == release)
    }

    /// Returns the changed text.
    ///
    /// # Errors
    /// How often the text to replace is there, if not once.
    pub(super) fn apply(&self, text: &str) -> Result<String, usize> {
        match text.matches(&self.find).count() {
            1 => Ok(text.replacen(&self.find, &self.replace, 1)),
            count => Err(count),
        }
    }
}

/// The files that are added to the standard library, or replace its own, by their paths below `GOROOT/src`.
pub(super) const ADDED: &[(&str, &str)] = &[
    ("net/tcpsockopt_stub.go", include_str!("overlay/net/tcpsockopt_stub.go")),
    ("net/wasi_wasip1.go", include_str!("overlay/net/wasi_wasip1.go")),
    ("os/exec/wasi_wasip1.go", include_str!("overlay/os/exec/wasi_wasip1.go")),
    ("runtime/netpoll_wasip1.go", include_str!("overlay/runtime/netpoll_wasip1.go")),
    ("runtime/wasi_imports_wasip1.go", include_str!("overlay/runtime/wasi_imports_wasip1.go")),
    ("runtime/wasi_process_wasip1.go", include_str!("overlay/runtime/wasi_process_wasip1.go")),
    ("runtime/wasi_sockets_wasip1.go", include_str!("overlay/runtime/wasi_sockets_wasip1.go")),
    ("syscall/wasi_wasip1.go", include_str!("overlay/syscall/wasi_wasip1.go")),
    ("time/zoneinfo_wasip1.go", include_str!("overlay/time/zoneinfo_wasip1.go")),
];

/// The files that are added to other modules, by their paths below `src/build/go/modules`.
const CONTENTS: &[(&str, &str)] = &[
    ("atotto_clipboard.go", include_str!("modules/atotto_clipboard.go")),
    ("bubbletea.go", include_str!("modules/bubbletea.go")),
    ("charm_term.go", include_str!("modules/charm_term.go")),
    ("creack_pty.go", include_str!("modules/creack_pty.go")),
    ("docker_term.go", include_str!("modules/docker_term.go")),
    ("go_isatty.go", include_str!("modules/go_isatty.go")),
    ("kubectl_resize.go", include_str!("modules/kubectl_resize.go")),
    ("kubectl_umask.go", include_str!("modules/kubectl_umask.go")),
    ("logrus.go", include_str!("modules/logrus.go")),
    ("moby_term.go", include_str!("modules/moby_term.go")),
    ("survey_terminal.go", include_str!("modules/survey_terminal.go")),
    ("x_crypto_terminal.go", include_str!("modules/x_crypto_terminal.go")),
    ("x_term.go", include_str!("modules/x_term.go")),
];

/// Returns the places of the standard library that are changed.
///
/// # Errors
/// [`Fault::Embedded`] in a kwasm that was built wrongly.
pub(super) fn edits() -> Result<Vec<Edit>, Fault> {
    parsed(include_str!("edits.yaml"))
}

/// Returns the modules that are changed.
///
/// # Errors
/// [`Fault::Embedded`] in a kwasm that was built wrongly.
pub(super) fn stand_ins() -> Result<Vec<StandIn>, Fault> {
    parsed(include_str!("modules.yaml"))
}

/// Returns the content of a file that is added to a module.
pub(super) fn content(name: &str) -> Option<&'static str> {
    CONTENTS.iter().find(|(known, _)| *known == name).map(|(_, content)| *content)
}

fn parsed<T: DeserializeOwned>(text: &str) -> Result<Vec<T>, Fault> {
    serde_saphyr::from_str(text).map_err(|error| Fault::Embedded { why: error.to_string() })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::process::Command;

    use semver::VersionReq;

    use super::super::release;
    use super::*;

    /// Returns the paths of the Go files below a folder of this one.
    fn files(folder: &str) -> BTreeSet<String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/build/go").join(folder);
        let mut found = BTreeSet::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let below = path.strip_prefix(&root).unwrap().to_str().unwrap();
                    found.insert(below.replace(std::path::MAIN_SEPARATOR, "/"));
                }
            }
        }
        found
    }

    fn names(embedded: &[(&str, &str)]) -> BTreeSet<String> {
        embedded.iter().map(|(name, _)| (*name).to_owned()).collect()
    }

    #[test]
    fn every_file_is_embedded_under_its_own_name() {
        assert_eq!(files("overlay"), names(ADDED));
        assert_eq!(files("modules"), names(CONTENTS));
        for (folder, embedded) in [("overlay", ADDED), ("modules", CONTENTS)] {
            for (name, content) in embedded {
                let path: PathBuf = ["src/build/go", folder, name].iter().collect();
                let file = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
                assert_eq!(file, *content, "{name}");
            }
        }
    }

    #[test]
    fn every_stand_in_names_files_and_versions_that_exist() {
        let mut used = BTreeSet::new();
        for stand_in in stand_ins().unwrap() {
            for name in stand_in.add.values() {
                assert!(content(name).is_some(), "{}: {name}", stand_in.module);
                used.insert(name.clone());
            }
            if let Some(versions) = &stand_in.versions {
                VersionReq::parse(versions).unwrap();
            }
            assert!(!stand_in.add.is_empty() || !stand_in.edits.is_empty(), "{}", stand_in.module);
        }
        assert_eq!(used, names(CONTENTS));
    }

    /// Returns the folders of the toolchains on this machine, with their releases: the installed one, and those
    /// that it has fetched.
    fn toolchains() -> Vec<(PathBuf, &'static str)> {
        let asked = |name: &str| {
            let said = Command::new("go").args(["env", name]).output().unwrap();
            String::from_utf8(said.stdout).unwrap().trim().to_owned()
        };
        let mut found = vec![(PathBuf::from(asked("GOROOT")), release::known(&asked("GOVERSION")).unwrap())];
        for entry in fs::read_dir(Path::new(&asked("GOMODCACHE")).join("golang.org")).into_iter().flatten() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let version = name.strip_prefix("toolchain@v0.0.1-").unwrap_or_default();
            found.extend(release::known(version).map(|release| (entry.path(), release)));
        }
        found
    }

    #[test]
    fn every_edit_fits_the_standard_libraries_of_this_machine_exactly_once() {
        for (root, release) in toolchains() {
            let mut changed = BTreeMap::<String, String>::new();
            for edit in edits().unwrap().into_iter().filter(|edit| edit.is_for(release)) {
                let read = || fs::read_to_string(root.join("src").join(&edit.file)).unwrap();
                let text = changed.entry(edit.file.clone()).or_insert_with(read);
                let times = |count| panic!("{}: {count} times: {edit:?}", root.display());
                *text = edit.apply(text).unwrap_or_else(times);
                assert!(edit.releases.iter().all(|release| release::RELEASES.contains(&release.as_str())));
            }
            assert!(!changed.is_empty());
        }
    }

    #[test]
    fn an_edit_fits_once_or_not_at_all() {
        let edit: Vec<Edit> = parsed("[{file: f, find: ab, replace: c, releases: [\"1.25\"]}]").unwrap();
        assert_eq!(edit[0].apply("xaby"), Ok("xcy".to_owned()));
        assert_eq!(edit[0].apply("x"), Err(0));
        assert_eq!(edit[0].apply("abab"), Err(2));
        assert!(edit[0].is_for("1.25") && !edit[0].is_for("1.26"));
    }
}
