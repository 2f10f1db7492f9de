//! The projects that `kwasm new` makes: in each language a plugin that lists pods and watches them, by that language's
//! ordinary client of Kubernetes.
//!
//! They are the files below `components/templates`, which are working projects themselves, of a plugin called
//! `PLACEHOLDER`.

mod files;
mod lock;

use std::path::Path;

use crate::build::Language;
use crate::platform::{PYTHON, VENV_PROGRAMS};
use crate::reference::PluginName;

/// The plugin's name in a template.
const PLACEHOLDER: &str = "plugin-name";

/// The release of kwasm in a template.
const RELEASE: &str = "kwasm-release";

/// Returns the files of a new project, by their paths in its folder.
#[must_use]
pub fn project(name: &PluginName, language: Language) -> Vec<(&'static str, String)> {
    let filled = |(path, text): &(&'static str, &str)| {
        let text = text.replace(RELEASE, env!("CARGO_PKG_VERSION")).replace(PLACEHOLDER, name.as_str());
        (*path, if *path == lock::FILE { lock::sorted(&text) } else { text })
    };
    files::of(language).chain(files::EVERY).map(filled).collect()
}

/// Returns the commands that prepare a new project for its first build.
#[must_use]
pub fn preparation(language: Language) -> Vec<String> {
    match language {
        Language::Go | Language::Rust => Vec::new(),
        Language::JavaScript => vec!["npm ci".to_owned()],
        Language::Python => {
            let pip = Path::new(".venv").join(VENV_PROGRAMS).join("pip");
            let install = format!("{} install --requirement requirements.txt", pip.display());
            vec![format!("{PYTHON} -m venv .venv"), install]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_project_is_left_to_fill_in() {
        let name: PluginName = "my-plug".parse().unwrap();
        for language in Language::ALL {
            let files = project(&name, language);
            for (path, text) in &files {
                assert!(!text.contains(PLACEHOLDER) && !text.contains(RELEASE), "{language}: {path}");
            }
            let paths: Vec<_> = files.iter().map(|(path, _)| *path).collect();
            for needed in ["README.md", ".gitignore", ".github/workflows/build.yaml", language.file()] {
                assert!(paths.contains(&needed), "{language}: {needed}");
            }
            let (_, manifest) = files.iter().find(|(path, _)| *path == language.file()).unwrap();
            assert!(manifest.contains("kubectl-my-plug"), "{language}: {manifest}");
        }
    }
}
