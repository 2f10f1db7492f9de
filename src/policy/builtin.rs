//! The policies of `policies/`, compiled in.

use super::judge::Policy;
use crate::document::Fault;

/// A built-in policy.
struct Builtin {
    name: &'static str,
    text: &'static str,
}

macro_rules! builtins {
    ($($name:literal),+) => {
        &[$(Builtin { name: $name, text: include_str!(concat!("../../policies/", $name, ".yaml")) }),+]
    };
}

const BUILTINS: &[Builtin] = builtins![
    "none",
    "read-only",
    "view",
    "cluster",
    "access-matrix",
    "decoder",
    "get-all",
    "images",
    "kubewarden",
    "neat",
    "outdated-api",
    "policy-check",
    "resource-capacity",
    "tail",
    "timeline",
    "tree",
    "view-secret",
    "who-can",
    "whoami"
];

/// Returns the names of the built-in policies, the most useful first.
pub fn names() -> impl Iterator<Item = &'static str> {
    BUILTINS.iter().map(|builtin| builtin.name)
}

impl Policy {
    /// Returns the built-in policy of this name, or `None` if there is none.
    ///
    /// # Errors
    /// Never, as a test shows: the built-in policies are read like any other.
    #[must_use]
    pub fn builtin(name: &str) -> Option<Result<Self, Vec<Fault>>> {
        let builtin = BUILTINS.iter().find(|builtin| builtin.name == name)?;
        Some(Self::read(name, builtin.text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_a_policy_of_its_own_name_and_each_file_is_one_of_them() {
        for name in names() {
            let policy = Policy::builtin(name).unwrap().unwrap();
            assert_eq!(policy.name(), name);
            // `verbs::run` does not read one for a plugin without network.
            assert!(policy.files().is_empty() && policy.variables().is_empty());
        }
        let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/policies")).unwrap();
        let yaml =
            files.filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|end| end == "yaml"));
        assert_eq!(yaml.count(), BUILTINS.len());
    }
}
