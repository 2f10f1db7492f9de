//! Something to run.

use std::path::PathBuf;

use bytes::Bytes;

use super::Error;
use crate::inspect::Inspected;
use crate::reference::{Digest, PluginName};
use crate::registry::{self, Artifact};

/// Something to run whose digest and needs are known.
#[derive(Clone)]
pub struct Plugin {
    pub(super) name: String,
    pub(super) digest: Digest,
    pub(super) inspected: Inspected,
    pub(super) path: PathBuf,
    pub(super) bytes: Option<Bytes>,
    pub(super) granted: Option<Granted>,
}

/// The policy that an installed plugin was granted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Granted {
    /// Its name.
    pub name: String,
    /// Its text, where it was a file.
    pub text: Option<String>,
}

impl Plugin {
    /// A plugin whose content is in memory.
    #[must_use]
    pub fn new(name: &PluginName, content: &Artifact, inspected: Inspected) -> Self {
        Self {
            name: name.to_string(),
            digest: content.digest(),
            inspected,
            path: PathBuf::new(),
            bytes: Some(content.bytes().clone()),
            granted: None,
        }
    }

    /// What the plugin is called, for messages and as its `argv[0]`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The digest of its content.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// What it asks for.
    #[must_use]
    pub fn inspected(&self) -> &Inspected {
        &self.inspected
    }

    /// The policy it was granted at install; `None` for one that is not installed.
    #[must_use]
    pub fn granted(&self) -> Option<&Granted> {
        self.granted.as_ref()
    }

    /// Its content, proven to have its digest.
    ///
    /// # Errors
    /// When the file is gone or has other content than at install, or than when it was first seen.
    pub fn content(&self) -> Result<Bytes, Error> {
        if let Some(bytes) = &self.bytes {
            return Ok(bytes.clone());
        }
        let artifact = match Artifact::from_file(&self.path) {
            Err(registry::Error::Missing(_)) if self.granted.is_some() => {
                return Err(Error::Gone(self.name.clone()));
            }
            artifact => artifact?,
        };
        if artifact.digest() != self.digest {
            return Err(Error::Altered { path: self.path.clone(), was: self.digest, is: artifact.digest() });
        }
        Ok(artifact.bytes().clone())
    }
}
