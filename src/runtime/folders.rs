//! The folders of this machine that a guest gets, as WASI's preopens.
//!
//! A path is resolved once, before the guest starts. From there on wasmtime-wasi keeps the guest inside: no
//! `..` and no link leads out of a folder, and a folder that is only to be read cannot be changed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

use super::Error;
use super::error::FolderError;
use super::guards::Guards;
use crate::defence::Defence;
use crate::environment::Environment;
use crate::platform::{self, OpenFolder};
use crate::policy::{Access, Base, FileGrant};

/// The folders that a guest gets.
#[derive(Debug, Default)]
pub struct Folders(Vec<Folder>);

/// A folder under one of its names.
#[derive(Debug)]
struct Folder {
    /// Its path for the guest.
    name: String,
    /// Its path on this machine, without links.
    real: PathBuf,
    access: Access,
}

impl Folders {
    /// Finds the folders of a grant.
    ///
    /// # Errors
    /// If one of them does not exist, is not where its path says, or contains what no plugin gets.
    pub fn find(grants: &[FileGrant], environment: &Environment, guards: &Guards) -> Result<Self, Error> {
        let mut grants: Vec<&FileGrant> = grants.iter().collect();
        // The first folder is the working directory of programs that ask for one, such as those of Go.
        grants.sort_by_key(|grant| (grant.is_elsewhere(), grant.below().len()));
        let mut folders = Self::default();
        for grant in grants {
            let found = Bases(environment).find(grant, guards);
            let (real, names) = found.map_err(|source| Error::Folder { path: grant.path(), source })?;
            for name in names {
                folders.add(Folder { name, real: real.clone(), access: grant.access() });
            }
        }
        Ok(folders)
    }

    /// Adds a folder, unless it is known by this name already: which of two folders of one name a guest opens
    /// would depend on its library.
    fn add(&mut self, folder: Folder) {
        match self.0.iter_mut().find(|known| known.name == folder.name) {
            Some(known) if known.real == folder.real => known.access = known.access.max(folder.access),
            Some(_) => {}
            None => self.0.push(folder),
        }
    }

    /// Opens the folders for a guest.
    pub(super) fn give(&self, builder: &mut WasiCtxBuilder) -> wasmtime::Result<()> {
        #[cfg(feature = "faults")]
        if !self.0.is_empty() && !Defence::Folders.stands() {
            return super::holes::open_disk(builder);
        }
        for Folder { name, real, access } in &self.0 {
            let opened = OpenFolder::open(real)?;
            let writes = Defence::ReadOnlyFolders.passes(*access == Access::ReadWrite);
            let permissions = if writes { FsPerms::ReadWrite } else { FsPerms::ReadOnly };
            builder.preopened_dir(opened.path(), name, permissions)?;
        }
        Ok(())
    }
}

/// The folders at which paths begin.
struct Bases<'a>(&'a Environment);

impl Bases<'_> {
    /// Returns the real path of a folder, and the paths by which the guest finds it.
    fn find(&self, grant: &FileGrant, guards: &Guards) -> Result<(PathBuf, Vec<String>), FolderError> {
        let base = self.base(grant.base())?;
        let path = below(&base, grant);
        let real = fs::canonicalize(&path).map_err(|error| FolderError::of(error, &path))?;
        if !fs::metadata(&real).map_err(FolderError::Unreadable)?.is_dir() {
            return Err(FolderError::NotAFolder);
        }
        if Defence::FolderPlaces.stops(!self.is_place(grant.base(), &base, &real)) {
            return Err(FolderError::Elsewhere(real));
        }
        guards.check(&real, grant.access())?;
        let mut names = vec![grant.path(), absolute(&path)];
        if grant.base() == Base::WorkingDirectory {
            names.extend(self.working_directory(&base).map(|directory| absolute(&below(&directory, grant))));
        }
        // A path that is not UTF-8 has no name for a guest, nor has one with a drive.
        names.retain(|name| *name == grant.path() || name.starts_with('/'));
        Ok((real, names))
    }

    fn base(&self, base: Base) -> Result<PathBuf, FolderError> {
        match base {
            Base::WorkingDirectory => fs::canonicalize(".").map_err(FolderError::Unreadable),
            Base::Home => self.home(),
            Base::Xdg(xdg) => {
                // XDG Base Directory Specification: a relative path in these variables is to be ignored.
                let set = self.0.path(xdg.variable()).filter(|path| path.is_absolute());
                match (set, xdg.default()) {
                    (Some(folder), _) => Ok(folder),
                    (None, Some(default)) => Ok(self.home()?.join(default)),
                    (None, None) => Err(FolderError::NoBase(xdg.variable())),
                }
            }
            Base::Root => Ok(PathBuf::from("/")),
        }
    }

    fn home(&self) -> Result<PathBuf, FolderError> {
        platform::home(|name| self.0.path(name)).ok_or(FolderError::NoBase("HOME"))
    }

    /// Returns whether a folder is below the base of its path, or for the folders of programs below the home
    /// directory: someone who can make a link there, such as the author of a checked out project or another
    /// plugin, must not choose what a plugin gets.
    fn is_place(&self, base: Base, path: &Path, real: &Path) -> bool {
        let is_below = |folder: &Path| fs::canonicalize(folder).is_ok_and(|folder| real.starts_with(folder));
        match base {
            Base::Root => true,
            Base::Xdg(_) => is_below(path) || self.home().is_ok_and(|home| is_below(&home)),
            Base::WorkingDirectory | Base::Home => is_below(path),
        }
    }

    /// Returns the working directory as shells show it, if links lead there: paths in arguments begin so.
    fn working_directory(&self, real: &Path) -> Option<PathBuf> {
        let shown = self.0.path("PWD").filter(|path| path.is_absolute())?;
        fs::canonicalize(&shown).is_ok_and(|path| path == real).then_some(shown)
    }
}

/// Returns the path of a grant below its base.
fn below(base: &Path, grant: &FileGrant) -> PathBuf {
    if grant.below().is_empty() { base.to_owned() } else { base.join(grant.below()) }
}

/// Returns a path as a guest's name, or an empty one if it has none.
fn absolute(path: &Path) -> String {
    path.to_str().unwrap_or_default().to_owned()
}

impl FolderError {
    fn of(error: io::Error, path: &Path) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing(path.to_owned()),
            io::ErrorKind::NotADirectory => Self::NotAFolder,
            _ => Self::Unreadable(error),
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// A home with folders in it, and the environment that names it.
    struct Home {
        root: tempfile::TempDir,
        environment: Environment,
    }

    impl Home {
        fn with(folders: &[&str]) -> Self {
            let root = tempfile::tempdir().unwrap();
            for folder in folders {
                fs::create_dir_all(root.path().join(folder)).unwrap();
            }
            let variables = [("HOME".into(), root.path().join("home").into())].into();
            Self { environment: Environment { variables, ..Environment::default() }, root }
        }

        fn find(&self, path: &str) -> Result<Vec<String>, FolderError> {
            let grant = FileGrant::new(path, Access::ReadOnly).unwrap();
            let guards = Guards::default();
            Bases(&self.environment).find(&grant, &guards).map(|(_, names)| names)
        }
    }

    #[test]
    fn a_folder_has_the_path_of_the_policy_and_its_absolute_one() {
        let home = Home::with(&["home/x", "home/.config/x"]);
        let at = |path: &str| home.root.path().join(path).to_str().unwrap().to_owned();
        assert_eq!(home.find("~/x").unwrap(), ["~/x".to_owned(), at("home/x")]);
        let configuration = home.find("$XDG_CONFIG_HOME/x").unwrap();
        assert_eq!(configuration, ["$XDG_CONFIG_HOME/x".to_owned(), at("home/.config/x")]);
        let root = at("home");
        assert_eq!(home.find(&root).unwrap(), [root.clone(), root]);
        assert!(matches!(home.find("$XDG_RUNTIME_DIR/x"), Err(FolderError::NoBase("XDG_RUNTIME_DIR"))));
    }

    #[test]
    fn what_is_no_folder_is_not_given() {
        let home = Home::with(&["home"]);
        fs::write(home.root.path().join("home/file"), "").unwrap();
        assert!(matches!(home.find("~/file"), Err(FolderError::NotAFolder)));
        assert!(matches!(home.find("~/file/x"), Err(FolderError::NotAFolder)));
        assert!(matches!(home.find("~/x"), Err(FolderError::Missing(_))));
    }

    #[test]
    fn a_link_leads_nowhere_outside_the_base_of_its_path() {
        let home = Home::with(&["home/x", "outside/y", "home/.config", "home/dotfiles/x"]);
        let at = |path: &str| home.root.path().join(path);
        symlink(at("home/x"), at("home/inside")).unwrap();
        symlink(at("outside"), at("home/out")).unwrap();
        symlink(at("home/dotfiles/x"), at("home/.config/x")).unwrap();
        symlink(at("outside/y"), at("home/.config/y")).unwrap();
        assert!(home.find("~/inside").is_ok() && home.find("$XDG_CONFIG_HOME/x").is_ok());
        for path in ["~/out", "~/out/y", "$XDG_CONFIG_HOME/y"] {
            assert!(matches!(home.find(path), Err(FolderError::Elsewhere(_))), "{path}");
        }
        assert!(home.find(at("home/out").to_str().unwrap()).is_ok());
    }

    #[test]
    fn one_name_has_the_access_of_the_stronger_grant() {
        let mut folders = Folders::default();
        let folder = |access| Folder { name: "/x".to_owned(), real: "/x".into(), access };
        folders.add(folder(Access::ReadOnly));
        folders.add(folder(Access::ReadWrite));
        assert_eq!(folders.0.len(), 1);
        assert_eq!(folders.0[0].access, Access::ReadWrite);
    }
}
