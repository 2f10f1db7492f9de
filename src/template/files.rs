//! The files below `components/templates`.

use crate::build::{Language, REQUEST};

/// A file's path in a project, and its text.
type File = (&'static str, &'static str);

macro_rules! files {
    ($folder:literal: $($path:literal),+ $(,)?) => {
        &[$(($path, include_str!(concat!("../../components/templates/", $folder, "/", $path)))),+]
    };
}

/// The files of every project.
pub(super) const EVERY: &[File] = &[(REQUEST, include_str!("../../components/templates/kwasm.yaml"))];

const GO: &[File] = files!(
    "go": ".github/workflows/build.yaml", ".gitignore", "README.md", "go.mod", "go.sum", "main.go", "pods.go", "pods_test.go",
);

const JAVASCRIPT: &[File] = files!(
    "js": ".github/workflows/build.yaml", ".gitignore", "README.md", "build.js", "package-lock.json", "package.json",
    "src/cluster.js", "src/flags.js", "src/plugin.js", "src/pods.js", "src/web.js", "test/pods.test.js",
);

const PYTHON: &[File] = files!(
    "python": ".github/workflows/build.yaml", ".gitignore", "README.md", "plugin/__init__.py", "plugin/cluster.py",
    "plugin/flags.py", "plugin/main.py", "plugin/pods.py", "pyproject.toml", "requirements.txt", "tests/__init__.py",
    "tests/test_pods.py",
);

const RUST: &[File] = files!(
    "rust": ".cargo/config.toml", ".github/workflows/build.yaml", ".gitignore", "Cargo.lock", "Cargo.toml", "README.md",
    "rust-toolchain.toml", "rustfmt.toml", "src/cluster.rs", "src/flags.rs", "src/main.rs", "src/pods.rs", "src/wasi_http.rs",
);

/// Returns the files of a language's project.
pub(super) fn of(language: Language) -> impl Iterator<Item = &'static File> {
    let files = match language {
        Language::Go => GO,
        Language::JavaScript => JAVASCRIPT,
        Language::Python => PYTHON,
        Language::Rust => RUST,
    };
    files.iter()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    /// What a build in the template's own folder leaves there, which git ignores.
    const BUILT: [&str; 5] = [".venv", "__pycache__", "build", "node_modules", "target"];

    fn collect(folder: &Path, root: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if BUILT.contains(&name) || path.extension().is_some_and(|extension| extension == "wasm") {
                continue;
            }
            if path.is_dir() {
                collect(&path, root, found);
            } else {
                let below = path.strip_prefix(root).unwrap();
                found.insert(below.to_str().unwrap().replace('\\', "/"));
            }
        }
    }

    #[test]
    fn every_file_of_the_templates_is_embedded() {
        let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("components/templates");
        let mut embedded: BTreeSet<String> = EVERY.iter().map(|(path, _)| (*path).to_owned()).collect();
        for language in Language::ALL {
            embedded.extend(of(language).map(|(path, _)| format!("{}/{path}", language.name())));
        }
        let mut found = BTreeSet::new();
        collect(&templates, &templates, &mut found);
        assert_eq!(found, embedded);
    }
}
