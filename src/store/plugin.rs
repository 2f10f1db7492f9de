//! Plugins that are ready to run.

use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::Error;
use crate::inspect::Inspected;
use crate::reference::{Digest, PluginName};
use crate::registry::{self, Artifact};

/// A plugin with known digest and requirements.
#[derive(Clone)]
pub struct Plugin {
    pub(super) name: String,
    pub(super) digest: Digest,
    pub(super) inspected: Inspected,
    pub(super) path: PathBuf,
    pub(super) bytes: Option<Bytes>,
    pub(super) granted: Option<Granted>,
    pub(super) audit: bool,
    pub(super) ask: bool,
}

/// The policy that an installed plugin was granted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Granted {
    /// The name of the policy.
    pub name: String,
    /// The text of the policy, if it came from a file.
    pub text: Option<String>,
}

impl Plugin {
    /// Returns a plugin whose content is in memory.
    #[must_use]
    pub fn new(name: &PluginName, content: &Artifact, inspected: Inspected) -> Self {
        Self {
            name: name.to_string(),
            digest: content.digest(),
            inspected,
            path: PathBuf::new(),
            bytes: Some(content.bytes().clone()),
            granted: None,
            audit: false,
            ask: false,
        }
    }

    /// Returns the name of the plugin, for messages and as its `argv[0]`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the file with its content; of a plugin that is not stored yet, it is empty.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the digest of its content.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Returns its requirements.
    #[must_use]
    pub fn inspected(&self) -> &Inspected {
        &self.inspected
    }

    /// Returns the policy granted at install; `None` for a plugin that is not installed.
    #[must_use]
    pub fn granted(&self) -> Option<&Granted> {
        self.granted.as_ref()
    }

    /// Returns whether each of its requests is recorded.
    #[must_use]
    pub fn is_audited(&self) -> bool {
        self.audit
    }

    /// Returns whether the user is asked about requests that its policy does not allow.
    #[must_use]
    pub fn asks(&self) -> bool {
        self.ask
    }

    /// Returns its content, proven by its digest.
    ///
    /// # Errors
    /// If the file is missing or its content has changed since it was installed or first seen.
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
