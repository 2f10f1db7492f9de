//! The names of plugins.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::message::Explain;

/// The name a plugin is installed and called by: `[a-z0-9]([a-z0-9-]*[a-z0-9])?`, 63 characters at most.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct PluginName(String);

impl PluginName {
    /// Returns the name as written after `kubectl`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the program that kubectl looks for: `my-plug` is `kubectl-my_plug`, since kubectl treats a
    /// dash as a space.
    #[must_use]
    pub fn program(&self) -> String {
        format!("kubectl-{}", self.0.replace('-', "_"))
    }

    /// Returns the program that kubectl runs to complete the plugin's arguments.
    #[must_use]
    pub fn completion(&self) -> String {
        format!("kubectl_complete-{}", self.0.replace('-', "_"))
    }

    /// Returns the plugin whose [`Self::completion`] has this file name.
    #[must_use]
    pub fn from_completion(file_name: &str) -> Option<Self> {
        let stem = file_name.strip_suffix(".exe").unwrap_or(file_name);
        stem.strip_prefix("kubectl_complete-")?.replace('_', "-").parse().ok()
    }

    /// Returns the plugin that a program of this file name stands for, or `None` for any other program.
    #[must_use]
    pub fn from_program(file_name: &str) -> Option<Self> {
        let stem = file_name.strip_suffix(".exe").unwrap_or(file_name);
        stem.strip_prefix("kubectl-")?.replace('_', "-").parse().ok()
    }
}

impl fmt::Display for PluginName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The reason why a text is not a valid plugin name.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
pub enum NameError {
    /// Does not match the pattern of [`PluginName`].
    #[error("`{0}` is not a valid plugin name: use lower-case letters, digits and inner dashes, 63 at most")]
    Form(String),
    /// A device of Windows, whose name no file can have there.
    #[error("`{0}` is a device on Windows, where no file can have its name")]
    Device(String),
    /// A command of kubectl, which would always take precedence.
    #[error("`{0}` is a command of kubectl or kwasm itself, which would always be run instead")]
    BuiltIn(String),
}

impl Explain for NameError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::BuiltIn(_) | Self::Device(_) => {
                Some("choose another name: kwasm install FILE --as NAME".to_owned())
            }
            Self::Form(_) => None,
        }
    }
}

impl FromStr for PluginName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if !has_form(text) {
            return Err(NameError::Form(text.to_owned()));
        }
        if is_device(text) {
            return Err(NameError::Device(text.to_owned()));
        }
        if KUBECTL_COMMANDS.contains(&text) {
            return Err(NameError::BuiltIn(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }
}

/// Returns whether Windows has a device of this name (Naming Files, Paths, and Namespaces). What is named by it here is to be so on
/// every system.
pub(super) fn is_device(text: &str) -> bool {
    let numbered = ["com", "lpt"].iter().find_map(|device| text.strip_prefix(device));
    matches!(text, "aux" | "con" | "nul" | "prn")
        || numbered.is_some_and(|number| number.len() == 1 && number.chars().all(|c| c.is_ascii_digit()))
}

/// Returns whether a text matches the pattern of [`PluginName`].
pub(super) fn has_form(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=63).contains(&text.len())
        && text.chars().all(inner)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

impl TryFrom<String> for PluginName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<PluginName> for String {
    fn from(name: PluginName) -> Self {
        name.0
    }
}

/// The commands of kubectl 1.36, including aliases. `create` accepts plugins as subcommands (`kubectl create
/// foo` is `kubectl-create-foo`), so only its bare name is reserved. `kwasm` itself is reserved by us.
const KUBECTL_COMMANDS: &[&str] = &[
    "alpha",
    "annotate",
    "api-resources",
    "api-versions",
    "apply",
    "attach",
    "auth",
    "autoscale",
    "certificate",
    "cluster-info",
    "completion",
    "config",
    "cordon",
    "cp",
    "create",
    "debug",
    "delete",
    "describe",
    "diff",
    "drain",
    "edit",
    "events",
    "exec",
    "explain",
    "expose",
    "get",
    "help",
    "kubectl",
    "kuberc",
    "kustomize",
    "kwasm",
    "label",
    "logs",
    "options",
    "patch",
    "plugin",
    "port-forward",
    "proxy",
    "replace",
    "rollout",
    "run",
    "scale",
    "set",
    "taint",
    "top",
    "uncordon",
    "version",
    "wait",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dash_in_a_name_is_an_underscore_in_its_program_and_back() {
        let name: PluginName = "my-plug".parse().unwrap();
        assert_eq!(name.program(), "kubectl-my_plug");
        assert_eq!(PluginName::from_program("kubectl-my_plug"), Some(name.clone()));
        assert_eq!(PluginName::from_program("kubectl-my_plug.exe"), Some(name));
    }

    #[test]
    fn names_that_kubectl_or_a_file_system_would_trip_over_are_refused() {
        for text in ["", "-a", "a-", "A", "a_b", "a/b", "..", "a b", "\u{e9}", &"a".repeat(64)] {
            assert_eq!(text.parse::<PluginName>(), Err(NameError::Form(text.to_owned())), "{text}");
        }
        assert_eq!("top".parse::<PluginName>(), Err(NameError::BuiltIn("top".to_owned())));
        for text in ["nul", "com1", "lpt9"] {
            assert_eq!(text.parse::<PluginName>(), Err(NameError::Device(text.to_owned())), "{text}");
        }
        assert!(["nulls", "com", "com10", "comx"].iter().all(|text| text.parse::<PluginName>().is_ok()));
        assert!("a".repeat(63).parse::<PluginName>().is_ok());
    }
}
