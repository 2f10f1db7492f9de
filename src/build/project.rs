//! Finds an author's project, and its language.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Error, Language};

/// The file of a project with the policy that its plugin asks for.
pub const REQUEST: &str = "kwasm.yaml";

/// An author's project.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Project {
    /// The folder with the language's project file, by its real path.
    pub(super) root: PathBuf,
    pub(super) language: Language,
}

impl Project {
    /// Finds the project that a folder belongs to: the nearest of it and its parents with a project file, as
    /// the languages' own tools do. With `wanted`, only that language's files count.
    ///
    /// # Errors
    /// [`Error::NoFolder`]; [`Error::NoProject`]; [`Error::SeveralProjects`] if the nearest has files of
    /// several languages.
    pub(super) fn find(folder: &Path, wanted: Option<Language>) -> Result<Self, Error> {
        let no_folder = |source| Error::NoFolder { path: folder.to_owned(), source };
        let real = fs::canonicalize(folder).map_err(no_folder)?;
        // The error of a file is that it is not a folder.
        fs::read_dir(&real).map_err(no_folder)?;
        for root in real.ancestors() {
            let is_there = |language: &Language| root.join(language.file()).is_file();
            let counts = |language: &Language| wanted.is_none_or(|wanted| wanted == *language);
            let found: Vec<_> = Language::ALL.into_iter().filter(counts).filter(is_there).collect();
            match found.as_slice() {
                [] => {}
                [language] => return Ok(Self { root: root.to_owned(), language: *language }),
                _ => return Err(Error::SeveralProjects { root: root.to_owned(), languages: found }),
            }
        }
        Err(Error::NoProject { folder: folder.to_owned(), wanted })
    }

    /// Finds the nearest [`REQUEST`], from a folder up to the root of its project.
    ///
    /// # Errors
    /// As for [`Project::find`].
    pub(super) fn request(folder: &Path, wanted: Option<Language>) -> Result<Option<PathBuf>, Error> {
        let Self { root, .. } = Self::find(folder, wanted)?;
        // The path that the user knows it by, where it is that short.
        if folder.join(REQUEST).is_file() {
            return Ok(Some(folder.join(REQUEST)));
        }
        let no_folder = |source| Error::NoFolder { path: folder.to_owned(), source };
        let real = fs::canonicalize(folder).map_err(no_folder)?;
        let inside = real.ancestors().take_while(|above| above.starts_with(&root));
        Ok(inside.map(|above| above.join(REQUEST)).find(|file| file.is_file()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a folder with these files.
    fn folder(files: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for file in files {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        root
    }

    #[test]
    fn a_project_is_found_by_its_file_from_any_folder_of_it() {
        for (language, name) in Language::ALL.into_iter().zip(Language::NAMES) {
            let root = folder(&[language.file(), "cmd/x/main"]);
            for below in ["", "cmd", "cmd/x"] {
                let found = Project::find(&root.path().join(below), None).unwrap();
                assert_eq!(found.language, language);
                assert_eq!(found.root, fs::canonicalize(root.path()).unwrap());
            }
            assert_eq!(name.parse(), Ok(language));
        }
    }

    #[test]
    fn the_nearest_project_counts() {
        let root = folder(&["go.mod", "site/package.json"]);
        let find = |below: &str, wanted| Project::find(&root.path().join(below), wanted).unwrap().language;
        assert_eq!(find("site", None), Language::JavaScript);
        assert_eq!(find("site", Some(Language::Go)), Language::Go);
        assert_eq!(find("", None), Language::Go);
    }

    #[test]
    fn the_nearest_request_inside_of_the_project_counts() {
        let root = folder(&["kwasm.yaml", "p/go.mod", "p/cmd/x/main.go", "p/cmd/y/kwasm.yaml"]);
        let request = |below: &str| Project::request(&root.path().join(below), None).unwrap();
        assert_eq!(request("p/cmd/x"), None, "one above of the project is not the project's");
        assert_eq!(request("p/cmd/y"), Some(root.path().join("p/cmd/y/kwasm.yaml")));
        fs::write(root.path().join("p/kwasm.yaml"), "").unwrap();
        assert!(request("p/cmd/x").unwrap().ends_with("p/kwasm.yaml"));
        assert!(request("p/cmd/y").unwrap().ends_with("p/cmd/y/kwasm.yaml"));
    }

    #[test]
    fn a_folder_without_a_project_or_with_several_is_refused() {
        let none = folder(&["main.go"]);
        // A project of the machine's own may be above the temporary folder; none is expected there.
        assert!(matches!(Project::find(none.path(), None), Err(Error::NoProject { wanted: None, .. })));
        let both = folder(&["go.mod", "package.json"]);
        let error = Project::find(both.path(), None).unwrap_err().to_string();
        assert!(
            error.ends_with("it is a project of Go (go.mod) and of JavaScript (package.json)"),
            "{error}"
        );
        assert_eq!(Project::find(both.path(), Some(Language::Go)).unwrap().language, Language::Go);
        assert!(matches!(Project::find(&none.path().join("gone"), None), Err(Error::NoFolder { .. })));
        assert!(matches!(Project::find(&none.path().join("main.go"), None), Err(Error::NoFolder { .. })));
    }
}
