//! The credential plugins that the user allows: `credentialPluginPolicy` and `credentialPluginAllowlist` of
//! kubectl's own preferences (kubectl, pkg/kuberc; client-go, plugin/pkg/client/auth/exec).
//!
//! kubectl warns of preferences that it cannot read, and then runs any plugin. Here none is run, since the
//! user intended a restriction.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::file;
use super::lookup::clean;
use crate::environment::Environment;
use crate::platform;

/// The file of the preferences, if any apply.
pub(super) struct Kuberc {
    file: Option<PathBuf>,
    /// Whether the user named the file, which then has to exist.
    named: bool,
}

/// The credential plugins that may run.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Policy {
    AllowAll,
    DenyAll,
    Allowlist(Vec<String>),
}

/// The reason why the allowed plugins are not known.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("it is not run, since {} cannot be read: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The file is not valid.
    #[error("it is not run, since {} may forbid it: {why}", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// The reason.
        why: String,
    },
}

/// An entry of the allowlist. `name` is the name of `command` before kubectl 1.36.
#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    command: Option<String>,
}

impl Kuberc {
    /// Returns `$KUBERC`, or else `~/.kube/kuberc`, or none if one of kubectl's switches is off.
    pub(super) fn of(environment: &Environment) -> Self {
        let off = |name, value| environment.variable(name).is_some_and(|set| set.eq_ignore_ascii_case(value));
        if environment.variable("KUBERC") == Some(OsStr::new("off")) || off("KUBECTL_KUBERC", "false") {
            return Self { file: None, named: false };
        }
        if let Some(file) = environment.path("KUBERC") {
            return Self { file: Some(file), named: true };
        }
        let home = platform::home_of_kubectl(|name| environment.path(name));
        Self { file: home.map(|home| home.join(".kube").join("kuberc")), named: false }
    }

    /// Returns the file, for messages.
    pub(super) fn file(&self) -> &Path {
        self.file.as_deref().unwrap_or(Path::new("kuberc"))
    }

    /// Reads the policy.
    pub(super) fn policy(&self) -> Result<Policy, Error> {
        let Some(path) = &self.file else { return Ok(Policy::AllowAll) };
        let text = match file::read_text(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && !self.named => {
                return Ok(Policy::AllowAll);
            }
            Err(source) => return Err(Error::File { path: path.clone(), source }),
            Ok(text) => text,
        };
        read(&text).map_err(|why| Error::Broken { path: path.clone(), why })
    }
}

/// Returns the policy of the first document that is kubectl's.
fn read(text: &str) -> Result<Policy, String> {
    let documents: Vec<Value> =
        serde_saphyr::from_multiple(text).map_err(|_| "it is not valid YAML".to_owned())?;
    let documents: Vec<Value> = documents.into_iter().filter(|document| !document.is_null()).collect();
    for document in &documents {
        let Value::Object(document) = document else { continue };
        let text = |key| document.get(key).and_then(Value::as_str).unwrap_or_default();
        match (text("apiVersion"), text("kind")) {
            ("kubectl.config.k8s.io/v1beta1", "Preference") => return policy(document),
            ("kubectl.config.k8s.io/v1alpha1", "Preference") => {
                return match document.keys().find(|key| is_meant(key)) {
                    Some(key) => {
                        Err(format!("its apiVersion has no {key}: it needs kubectl.config.k8s.io/v1beta1"))
                    }
                    None => Ok(Policy::AllowAll),
                };
            }
            _ => {}
        }
    }
    if documents.is_empty() {
        return Ok(Policy::AllowAll);
    }
    Err("it is not a Preference of kubectl.config.k8s.io/v1beta1".to_owned())
}

/// Returns whether a key is one of the two, or may be a misspelling of one.
fn is_meant(key: &str) -> bool {
    let key = key.to_lowercase();
    key.contains("credential") || key.contains("plugin") || key.contains("allowlist")
}

fn policy(document: &Map<String, Value>) -> Result<Policy, String> {
    const KEYS: [&str; 2] = ["credentialPluginPolicy", "credentialPluginAllowlist"];
    if let Some(key) = document.keys().find(|key| is_meant(key) && !KEYS.contains(&key.as_str())) {
        return Err(format!("it has no key {key}"));
    }
    let [named, list] = KEYS.map(|key| document.get(key).filter(|value| !value.is_null()));
    let list = list.map(Vec::<Entry>::deserialize).transpose();
    let list = list.map_err(|_| "credentialPluginAllowlist is not a list of commands".to_owned())?;
    let named = match named {
        None => "",
        Some(value) => value.as_str().ok_or("credentialPluginPolicy is not a string")?,
    };
    match (named, list) {
        ("" | "AllowAll", None) => Ok(Policy::AllowAll),
        ("DenyAll", None) => Ok(Policy::DenyAll),
        ("" | "AllowAll" | "DenyAll", Some(_)) => {
            Err("there is an allowlist, and credentialPluginPolicy is not Allowlist".to_owned())
        }
        ("Allowlist", None) => Err("credentialPluginPolicy is Allowlist, and there is none".to_owned()),
        ("Allowlist", Some(list)) if list.is_empty() => {
            Err("its allowlist is empty; DenyAll denies all".to_owned())
        }
        ("Allowlist", Some(list)) => {
            list.into_iter().map(Entry::command).collect::<Result<_, _>>().map(Policy::Allowlist)
        }
        (other, _) => {
            Err(format!("there is no credentialPluginPolicy `{other}`: AllowAll, DenyAll, Allowlist"))
        }
    }
}

impl Entry {
    fn command(self) -> Result<String, String> {
        let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
        let command = match (filled(self.command), filled(self.name)) {
            (Some(command), Some(name)) if command != name => {
                return Err("an entry of its allowlist has a command and another name".to_owned());
            }
            (Some(command), _) | (None, Some(command)) => command,
            (None, None) => return Err("an entry of its allowlist is empty".to_owned()),
        };
        let cleaned = clean(&command);
        if cleaned != command {
            return Err(format!("`{command}` in its allowlist has to be `{cleaned}`"));
        }
        Ok(command)
    }
}

impl Policy {
    /// Returns whether `command` may run, or the reason why not. `found` is its path, and `find` looks up
    /// others.
    pub(super) fn allows(
        &self,
        command: &str,
        found: Option<&Path>,
        find: impl Fn(&str) -> Option<PathBuf>,
    ) -> Result<(), String> {
        let list = match self {
            Self::AllowAll => return Ok(()),
            Self::DenyAll => return Err("credentialPluginPolicy is DenyAll".to_owned()),
            Self::Allowlist(list) => list,
        };
        let is_listed = |path: &Path| list.iter().any(|entry| Path::new(entry) == path);
        if is_listed(Path::new(command)) {
            return Ok(());
        }
        let Some(found) = found else {
            return Err("it is not in the allowlist, and cannot be found".to_owned());
        };
        // An entry without a folder matches the program found on PATH by its name.
        let mut like = list.iter().filter(|entry| Path::new(entry).file_name() == found.file_name());
        if is_listed(found) || like.any(|entry| find(entry).as_deref() == Some(found)) {
            return Ok(());
        }
        Err(format!("{} is not in the allowlist", found.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn beta(rest: &str) -> Result<Policy, String> {
        read(&format!("{{apiVersion: kubectl.config.k8s.io/v1beta1, kind: Preference, {rest}}}"))
    }

    fn list(entries: &[&str]) -> Policy {
        Policy::Allowlist(entries.iter().map(|entry| (*entry).to_owned()).collect())
    }

    #[test]
    fn a_policy_is_read_as_kubectl_reads_it() {
        for (text, policy) in [
            ("", Policy::AllowAll),
            ("aliases: [], defaults: []", Policy::AllowAll),
            ("credentialPluginPolicy: ''", Policy::AllowAll),
            ("credentialPluginPolicy: AllowAll, credentialPluginAllowlist: null", Policy::AllowAll),
            ("credentialPluginPolicy: DenyAll", Policy::DenyAll),
            // Windows' spelling of it is another.
            #[cfg(unix)]
            (
                "credentialPluginPolicy: Allowlist, credentialPluginAllowlist: [{name: a}, {command: /b}]",
                list(&["a", "/b"]),
            ),
            (
                "credentialPluginPolicy: Allowlist, credentialPluginAllowlist: [{name: a, command: a}]",
                list(&["a"]),
            ),
        ] {
            assert_eq!(beta(text), Ok(policy), "{text}");
        }
        for text in [
            "credentialPluginPolicy: denyall",
            "credentialPluginPolicy: 1",
            "credentialpluginpolicy: DenyAll",
            "credentialPluginPolicies: DenyAll",
            "credentialPluginAllowlist: []",
            "credentialPluginPolicy: DenyAll, credentialPluginAllowlist: [{name: a}]",
            "credentialPluginPolicy: Allowlist",
            "credentialPluginPolicy: Allowlist, credentialPluginAllowlist: []",
            "credentialPluginPolicy: Allowlist, credentialPluginAllowlist: [{}]",
            "credentialPluginPolicy: Allowlist, credentialPluginAllowlist: [a]",
            "credentialPluginPolicy: Allowlist, credentialPluginAllowlist: [{name: a/../b}]",
            "credentialPluginPolicy: Allowlist, credentialPluginAllowlist: [{name: a, command: b}]",
        ] {
            assert!(beta(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_first_document_of_a_known_version_counts() {
        assert_eq!(read(""), Ok(Policy::AllowAll));
        assert_eq!(read("# nothing\n---\n"), Ok(Policy::AllowAll));
        let alpha = "{apiVersion: kubectl.config.k8s.io/v1alpha1, kind: Preference}";
        let deny =
            "{apiVersion: kubectl.config.k8s.io/v1beta1, kind: Preference, credentialPluginPolicy: DenyAll}";
        assert_eq!(read(&format!("{alpha}\n---\n{deny}")), Ok(Policy::AllowAll));
        assert_eq!(read(&format!("{{kind: Other}}\n---\n{deny}")), Ok(Policy::DenyAll));
        for text in [
            "{kind: Other}",
            "- a",
            "{",
            &deny.replace("v1beta1", "v1alpha1"),
            &deny.replace("v1beta1", "v2"),
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_entry_allows_its_path_and_what_its_name_is_found_as() {
        let find = |name: &str| (name == "aws").then(|| PathBuf::from("/usr/bin/aws"));
        let allows = |policy: &Policy, command: &str, found: &str| {
            policy.allows(command, Some(Path::new(found)).filter(|path| path.has_root()), find).is_ok()
        };
        assert!(allows(&list(&["aws"]), "aws", "/usr/bin/aws"));
        assert!(allows(&list(&["aws"]), "/usr/bin/aws", "/usr/bin/aws"));
        assert!(allows(&list(&["/usr/bin/aws"]), "aws", "/usr/bin/aws"));
        assert!(!allows(&list(&["aws"]), "/tmp/aws", "/tmp/aws"));
        assert!(!allows(&list(&["/usr/bin/aws"]), "aws", "/tmp/aws"));
        assert!(!allows(&list(&["gcloud"]), "aws", "/usr/bin/aws"));
        assert!(!allows(&list(&["gcloud"]), "aws", "nowhere"));
        assert!(allows(&Policy::AllowAll, "aws", "/tmp/aws"));
        assert!(!allows(&Policy::DenyAll, "aws", "/usr/bin/aws"));
    }

    #[test]
    fn a_file_that_was_named_has_to_be_there() {
        let folder = tempfile::tempdir().unwrap();
        let policy = |name: &str, value: &str| {
            let variables = [("HOME", folder.path().to_str().unwrap()), (name, value)];
            let variables = variables.map(|(name, value)| (name.into(), value.into())).into();
            Kuberc::of(&Environment { variables, ..Environment::default() }).policy()
        };
        assert_eq!(policy("X", "").unwrap(), Policy::AllowAll);
        assert!(policy("KUBERC", "/nowhere/kuberc").is_err());
        let kuberc = folder.path().join(".kube/kuberc");
        fs::create_dir(kuberc.parent().unwrap()).unwrap();
        fs::write(kuberc, "garbage").unwrap();
        assert!(policy("X", "").is_err());
        for (name, value) in [("KUBERC", "off"), ("KUBECTL_KUBERC", "False")] {
            assert_eq!(policy(name, value).unwrap(), Policy::AllowAll);
        }
    }
}
