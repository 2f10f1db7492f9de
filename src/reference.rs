//! Says exactly which plugin is meant: a name, a source, a digest.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The name a plugin is installed and called by: `[a-z0-9]([a-z0-9-]*[a-z0-9])?`, 63 characters at most.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct PluginName(String);

impl PluginName {
    /// The name as it is written after `kubectl`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The program that kubectl looks for: `my-plug` is `kubectl-my_plug`, since kubectl takes a dash for a space.
    #[must_use]
    pub fn program(&self) -> String {
        format!("kubectl-{}", self.0.replace('-', "_"))
    }

    /// The plugin that a program of this file name stands for; `None` for any other program.
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

/// Why a text is no plugin name.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
pub enum NameError {
    /// It breaks the pattern of [`PluginName`].
    #[error("`{0}` is no plugin name: use lower-case letters, digits and inner dashes, 63 at most")]
    Form(String),
    /// kubectl has a command of this name, which would always win.
    #[error("`{0}` is a command of kubectl or kwasm itself, which would always be run instead")]
    BuiltIn(String),
}

impl FromStr for PluginName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let fits = (1..=63).contains(&text.len())
            && text.chars().all(inner)
            && !text.starts_with('-')
            && !text.ends_with('-');
        if !fits {
            return Err(NameError::Form(text.to_owned()));
        }
        if KUBECTL_COMMANDS.contains(&text) {
            return Err(NameError::BuiltIn(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }
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

/// The commands of kubectl 1.36, its aliases too. `create` takes plugins as subcommands (`kubectl create foo` is
/// `kubectl-create-foo`), so only its bare name is taken. `kwasm` itself is one of ours.
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

/// Where a component comes from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Source {
    /// A file.
    Path(PathBuf),
    /// A plugin that was installed before.
    Installed(PluginName),
}

/// Why a text is no source.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
pub enum SourceError {
    /// A form that is known but not served yet.
    #[error("`{0}` names a registry, and only files and installed plugins are served so far")]
    Registry(String),
    /// None of the forms.
    #[error("`{0}` is no source: give a path (./x.wasm) or the name of an installed plugin")]
    Form(String),
}

impl FromStr for Source {
    type Err = SourceError;

    /// `./x.wasm`, `/a/x.wasm` and whatever ends in `.wasm` is a path; a bare word is an installed plugin.
    fn from_str(text: &str) -> Result<Self, SourceError> {
        let windows_path = cfg!(windows) && (text.contains('\\') || text.get(1..2) == Some(":"));
        let path = text.starts_with('/')
            || text.starts_with("./")
            || text.starts_with("../")
            || windows_path
            || (Path::new(text).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("wasm"))
                && !text.contains("://"));
        if path {
            return Ok(Self::Path(text.into()));
        }
        let host = text.split('/').next().unwrap_or_default();
        let has_host = text.contains('/') && (host.contains(['.', ':']) || host == "localhost");
        let is_package = !text.contains('/') && text.contains(':');
        if text.starts_with("oci://") || (has_host && !text.contains("://")) || is_package {
            return Err(SourceError::Registry(text.to_owned()));
        }
        text.parse().map(Self::Installed).map_err(|_| SourceError::Form(text.to_owned()))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(f, "{}", path.display()),
            Self::Installed(name) => write!(f, "{name}"),
        }
    }
}

/// The SHA-256 of some content, written `sha256:<hex>` as in OCI's image specification.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of `content`.
    #[must_use]
    pub fn of(content: &[u8]) -> Self {
        Self(Sha256::digest(content).into())
    }

    /// The 64 hexadecimal digits alone, as file names have them.
    #[must_use]
    pub fn hex(&self) -> String {
        use fmt::Write as _;
        self.0.iter().fold(String::with_capacity(64), |mut text, byte| {
            // Writing to a String cannot fail.
            let _: fmt::Result = write!(text, "{byte:02x}");
            text
        })
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text is no digest of the form `sha256:<64 hexadecimal digits>`.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{0}` is no digest of the form sha256:<64 hexadecimal digits>")]
pub struct DigestError(String);

impl TryFrom<String> for Digest {
    type Error = DigestError;

    fn try_from(text: String) -> Result<Self, DigestError> {
        let bytes = text.strip_prefix("sha256:").filter(|hex| hex.len() == 64).and_then(|hex| {
            let mut bytes = [0; 32];
            for (byte, pair) in bytes.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
                let digit = |c: u8| if c.is_ascii_uppercase() { None } else { char::from(c).to_digit(16) };
                *byte = u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok()?;
            }
            Some(bytes)
        });
        bytes.map(Self).ok_or(DigestError(text))
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

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
        assert!("a".repeat(63).parse::<PluginName>().is_ok());
    }

    #[test]
    fn a_source_is_a_path_or_a_name() {
        assert_eq!("./x".parse(), Ok(Source::Path("./x".into())));
        assert_eq!("x.wasm".parse(), Ok(Source::Path("x.wasm".into())));
        assert_eq!("decoder".parse(), Ok(Source::Installed("decoder".parse().unwrap())));
        assert!(matches!("ghcr.io/a/b:1".parse::<Source>(), Err(SourceError::Registry(_))));
        assert!(matches!("oci://h/x.wasm".parse::<Source>(), Err(SourceError::Registry(_))));
        assert!(matches!("ns:name@1.0.0".parse::<Source>(), Err(SourceError::Registry(_))));
        for text in ["Decoder", "folder/x", "https://host/x.wasm"] {
            assert!(matches!(text.parse::<Source>(), Err(SourceError::Form(_))), "{text}");
        }
    }

    #[test]
    fn a_digest_reads_back_as_it_was_written() {
        let digest = Digest::of(b"");
        assert_eq!(
            digest.to_string(),
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(Digest::try_from(digest.to_string()), Ok(digest));
        for text in ["", "sha256:", "sha512:00", &digest.to_string().to_uppercase(), &digest.hex()] {
            assert!(Digest::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
