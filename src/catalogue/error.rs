//! The errors of the catalogue.

use std::io;
use std::path::PathBuf;

use crate::document::Fault;
use crate::message::{Explain, Message};
use crate::reference::{IndexName, PluginName};
use crate::store;

/// The reason why an index cannot be made, kept or asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An index is kept under this name already.
    #[error("there is an index `{name}` already: {source_text}")]
    Added {
        /// The index.
        name: IndexName,
        /// Its source.
        source_text: String,
    },
    /// Several indexes have a plugin of this name.
    #[error("`{name}` is in several indexes: {}", listed(indexes, name))]
    Ambiguous {
        /// The plugin.
        name: PluginName,
        /// The indexes.
        indexes: Vec<IndexName>,
    },
    /// Descriptions that are not valid.
    #[error("these are not descriptions of plugins")]
    Descriptions(Vec<Fault>),
    /// The folder contains no descriptions.
    #[error("{}: it contains no descriptions of plugins", .0.display())]
    Empty(PathBuf),
    /// An index from a registry names a file.
    #[error("{of}: the plugin {name} is a file there, and only an index in a file may name files")]
    File {
        /// The index.
        of: String,
        /// The plugin.
        name: PluginName,
    },
    /// The index that is kept was written by another kwasm, or altered.
    #[error("the index `{0}` cannot be read here: it is damaged, or of another version of kwasm")]
    Form(IndexName),
    /// An index has no form in JSON, which none of its parts should lead to.
    #[error("an index cannot be written")]
    Json(#[from] serde_json::Error),
    /// Not an index.
    #[error("{of}: it is not a valid index of plugins: {what}")]
    Invalid {
        /// The file or artifact.
        of: String,
        /// The reason.
        what: String,
    },
    /// Too large for an index.
    #[error("{of}: it has {size} bytes, and an index has at most {}", crate::registry::LONGEST_INDEX)]
    Large {
        /// The file or artifact.
        of: String,
        /// The size in bytes.
        size: u64,
    },
    /// No index of this name is kept.
    #[error("there is no index `{0}`")]
    NoIndex(IndexName),
    /// No index has the plugin.
    #[error("{}", unlisted(name, index.as_ref(), *indexes))]
    Unlisted {
        /// The plugin.
        name: PluginName,
        /// The index that was named.
        index: Option<IndexName>,
        /// The number of indexes that could have it.
        indexes: usize,
        /// The plugins that were probably meant.
        nearest: Vec<String>,
    },
    /// The index has no such version of the plugin.
    #[error("{listed}: the index has no such version")]
    NoVersion {
        /// The plugin and the requested version.
        listed: String,
        /// Some of the versions that it has, newest first.
        known: Vec<String>,
    },
    /// An older edition than the one that is kept.
    #[error("{of}: it is older than the edition that is kept: revision {is}, and not {was} or later")]
    Older {
        /// The file or artifact.
        of: String,
        /// The index.
        name: IndexName,
        /// The revision that is kept.
        was: u64,
        /// Its revision.
        is: u64,
    },
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// Two descriptions have the same name.
    #[error("two descriptions are of the plugin `{0}`")]
    Twice(PluginName),
    /// A file or folder cannot be read.
    #[error("{}: it cannot be read", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
}

fn listed(indexes: &[IndexName], name: &PluginName) -> String {
    indexes.iter().map(|index| format!("{index}/{name}")).collect::<Vec<_>>().join(", ")
}

fn unlisted(name: &PluginName, index: Option<&IndexName>, indexes: usize) -> String {
    match (index, indexes) {
        (Some(index), _) => format!("the index `{index}` has no plugin `{name}`"),
        (None, 0) => format!("no plugin `{name}` is known: no index has been added"),
        (None, 1) => format!("no plugin `{name}` is known: the only index does not have it"),
        (None, number) => format!("no plugin `{name}` is known: none of {number} indexes has it"),
    }
}

impl Explain for Error {
    fn subject(&self) -> Option<String> {
        Some(match self {
            Self::Empty(path) | Self::Unreadable { path, .. } => path.display().to_string(),
            Self::File { of, .. }
            | Self::Invalid { of, .. }
            | Self::Large { of, .. }
            | Self::Older { of, .. } => of.clone(),
            Self::NoVersion { listed, .. } => listed.clone(),
            Self::Store(error) => return error.subject(),
            _ => return None,
        })
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Added { name, .. } => {
                format!("kwasm index update {name} renews it, kwasm index remove {name} makes room for another")
            }
            Self::Ambiguous { name, indexes } => {
                format!("name one of them: kwasm install {}/{name}", indexes.first()?)
            }
            Self::Empty(_) => "a description is a YAML file with `kind: Plugin`".to_owned(),
            Self::Form(name) => format!("remove it, and add it again: kwasm index remove {name}"),
            Self::NoIndex(_) => "kwasm index list shows all; a file is named ./FOLDER/FILE".to_owned(),
            Self::Unlisted { nearest, .. } if !nearest.is_empty() => {
                format!("do you mean {}?", nearest.join(" or "))
            }
            Self::Unlisted { indexes: 0, .. } => {
                "kwasm index add NAME SOURCE adds one; a file is named ./x.wasm, an artifact HOST/REPOSITORY:TAG".to_owned()
            }
            Self::Unlisted { .. } => {
                "kwasm index update fetches what is new; kwasm search WORD finds others".to_owned()
            }
            Self::NoVersion { known, .. } => format!("it has {}", known.join(", ")),
            Self::Older { name, .. } => format!(
                "ask its publisher; if they confirm it, kwasm index remove {name}, and add it again"
            ),
            Self::Store(error) => return error.hint(),
            _ => return None,
        })
    }

    fn messages(&self) -> Vec<Message> {
        match self {
            Self::Descriptions(faults) => Fault::messages(faults),
            error => vec![error.message()],
        }
    }
}
