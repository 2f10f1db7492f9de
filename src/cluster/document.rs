//! The contents of a kubeconfig file (client-go, tools/clientcmd/api/v1/types.go). Keys that are not listed
//! here are for other programs.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::de::{DeserializeOwned, Deserializer, Visitor};
use serde::{Deserialize, Serialize};
use serde_saphyr::Options;
use serde_saphyr::options::DuplicateKeyPolicy;

use super::secret::Secret;

/// Parses the text of a file. As in client-go, the first of several documents and the last of several
/// duplicate keys count, and an empty file has no entries.
pub(super) fn first<T: Default + DeserializeOwned>(text: &str) -> Result<T, serde_saphyr::Error> {
    let text = text.trim_start_matches(BYTE_ORDER_MARK);
    // Nearly every file is one document without duplicate keys, for which nothing is copied to be read twice:
    // a large file is read in a fraction of the time. Errors in any other are reported by the second reading
    // alone.
    if let Ok(Some(only)) = serde_saphyr::from_str_with_options(text, options(DuplicateKeyPolicy::Error)) {
        return Ok(only);
    }
    let mut reader = text.as_bytes();
    let first = serde_saphyr::read_with_options(&mut reader, options(DuplicateKeyPolicy::LastWins)).next();
    Ok(first.transpose()?.unwrap_or_default())
}

/// Returns the options of the parser. A kubeconfig is only limited by its length.
fn options(duplicate_keys: DuplicateKeyPolicy) -> Options {
    serde_saphyr::options! {
        duplicate_keys: duplicate_keys,
        budget: serde_saphyr::budget! { max_events: usize::MAX, max_nodes: usize::MAX },
        with_snippet: false,
    }
}

/// The character with which editors on Windows begin a file.
pub(super) const BYTE_ORDER_MARK: char = '\u{feff}';

/// A kubeconfig file.
#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Document {
    #[serde(default, rename = "apiVersion", deserialize_with = "text")]
    pub(super) api_version: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub(super) kind: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub(super) current_context: Option<String>,
    pub(super) clusters: Option<Vec<NamedCluster>>,
    pub(super) contexts: Option<Vec<NamedContext>>,
    pub(super) users: Option<Vec<NamedUser>>,
}

#[derive(Deserialize)]
pub(super) struct NamedCluster {
    #[serde(default, deserialize_with = "name")]
    pub(super) name: String,
    #[serde(default, deserialize_with = "entry")]
    pub(super) cluster: ClusterEntry,
}

#[derive(Deserialize)]
pub(super) struct NamedContext {
    #[serde(default, deserialize_with = "name")]
    pub(super) name: String,
    #[serde(default, deserialize_with = "entry")]
    pub(super) context: ContextEntry,
}

#[derive(Deserialize)]
pub(super) struct NamedUser {
    #[serde(default, deserialize_with = "name")]
    pub(super) name: String,
    #[serde(default, deserialize_with = "entry")]
    pub(super) user: UserEntry,
}

#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(super) struct ClusterEntry {
    #[serde(deserialize_with = "text")]
    pub(super) server: Option<String>,
    #[serde(deserialize_with = "path")]
    pub(super) certificate_authority: Option<PathBuf>,
    #[serde(deserialize_with = "text")]
    pub(super) certificate_authority_data: Option<String>,
    #[serde(deserialize_with = "truth")]
    pub(super) insecure_skip_tls_verify: Option<bool>,
    #[serde(deserialize_with = "text")]
    pub(super) tls_server_name: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(super) proxy_url: Option<String>,
    #[serde(deserialize_with = "truth")]
    pub(super) disable_compression: Option<bool>,
    pub(super) extensions: Option<Vec<NamedExtension>>,
}

/// An extension of a cluster, for other programs. All but one are ignored.
#[derive(Clone, Deserialize)]
pub(super) struct NamedExtension {
    #[serde(default, deserialize_with = "name")]
    pub(super) name: String,
    #[serde(default)]
    pub(super) extension: serde_json::Value,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct ContextEntry {
    #[serde(deserialize_with = "text")]
    pub(super) cluster: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(super) user: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(super) namespace: Option<String>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(super) struct UserEntry {
    #[serde(deserialize_with = "path")]
    pub(super) client_certificate: Option<PathBuf>,
    #[serde(deserialize_with = "text")]
    pub(super) client_certificate_data: Option<String>,
    #[serde(deserialize_with = "path")]
    pub(super) client_key: Option<PathBuf>,
    pub(super) client_key_data: Option<Secret>,
    pub(super) token: Option<Secret>,
    #[serde(rename = "tokenFile", deserialize_with = "path")]
    pub(super) token_file: Option<PathBuf>,
    #[serde(deserialize_with = "text")]
    pub(super) username: Option<String>,
    pub(super) password: Option<Secret>,
    pub(super) exec: Option<ExecEntry>,
    pub(super) auth_provider: Option<AuthProviderEntry>,
    #[serde(rename = "as", deserialize_with = "text")]
    pub(super) impersonate: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(super) as_uid: Option<String>,
    pub(super) as_groups: Option<Vec<Text>>,
    pub(super) as_user_extra: Option<BTreeMap<String, Option<Vec<Text>>>>,
    /// The file that this was read from, in which a renewed credential is stored.
    #[serde(skip)]
    pub(super) origin: PathBuf,
}

/// A credential plugin: a program that prints credentials.
#[derive(Clone, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ExecEntry {
    #[serde(deserialize_with = "name")]
    pub(super) command: String,
    pub(super) args: Option<Vec<Text>>,
    pub(super) env: Option<Vec<ExecVariable>>,
    #[serde(deserialize_with = "text")]
    pub(super) api_version: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(super) install_hint: Option<String>,
    #[serde(deserialize_with = "truth")]
    pub(super) provide_cluster_info: Option<bool>,
    #[serde(deserialize_with = "text")]
    pub(super) interactive_mode: Option<String>,
}

/// An environment variable of a credential plugin. Its value may be a secret.
#[derive(Clone, Default, Deserialize, Eq, PartialEq)]
#[serde(default)]
pub(super) struct ExecVariable {
    #[serde(deserialize_with = "name")]
    pub(super) name: String,
    pub(super) value: Option<Secret>,
}

/// A built-in authentication method from before credential plugins, of which only `oidc` is left.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct AuthProviderEntry {
    #[serde(deserialize_with = "name")]
    pub(super) name: String,
    pub(super) config: Option<BTreeMap<String, Option<Secret>>>,
}

/// A text that is one in YAML too: client-go does not accept `token: 123` as a token, or `namespace: on` as a
/// name.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub(super) struct Text(pub(super) String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Expected;
        impl Visitor<'_> for Expected {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_str<E>(self, text: &str) -> Result<Text, E> {
                Ok(Text(text.to_owned()))
            }

            // As for client-go, null in a list is a text without letters.
            fn visit_unit<E>(self) -> Result<Text, E> {
                Ok(Text(String::new()))
            }
        }
        deserializer.deserialize_any(Expected)
    }
}

/// Deserialises a boolean that is one in YAML too, and not a text.
fn truth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    struct Expected;
    impl Visitor<'_> for Expected {
        type Value = Option<bool>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("true or false")
        }

        fn visit_bool<E>(self, truth: bool) -> Result<Option<bool>, E> {
            Ok(Some(truth))
        }

        fn visit_unit<E>(self) -> Result<Option<bool>, E> {
            Ok(None)
        }
    }
    deserializer.deserialize_any(Expected)
}

/// Deserialises a text that may be absent or null.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<Text>::deserialize(deserializer)?.map(|Text(text)| text))
}

/// Deserialises a text. If absent or null, it is empty.
fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(text(deserializer)?.unwrap_or_default())
}

/// Deserialises a path that may be absent or null.
fn path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PathBuf>, D::Error> {
    Ok(text(deserializer)?.map(PathBuf::from))
}

/// Deserialises an entry. If null, it is empty.
fn entry<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}
