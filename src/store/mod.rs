//! Keeps proven artifacts on disk and records why they are trusted.
//!
//! ```text
//! blobs/sha256/<hex>            immutable: the fetched content
//! plugins/<name>/receipt.json   replaced by rename: the installed plugin, from which all else follows
//! plugins/<name>/audit.jsonl    appended to: its requests, if it is audited
//! indexes/<name>.index          replaced by rename: an index of plugins, to be searched without a network
//! pending                       present during a change: its description
//! lock                          held by the writer
//! ```

mod audit;
mod change;
mod error;
mod fetched;
mod files;
mod indexes;
pub mod layout;
mod pending;
mod places;
mod plugin;
mod receipt;
mod seen;

use std::fs;
use std::io;
use std::path::Path;

use serde::de::Error as _;

pub use self::audit::{AuditLine, AuditLog, AuditRecord};
pub use self::change::StagedPlugin;
pub use self::error::Error;
pub(crate) use self::error::{folder_of, for_room};
pub use self::places::Places;
pub use self::plugin::{Granted, Plugin};
pub use self::receipt::{Origin, Receipt, Signer};
use crate::inspect::{Inspected, Kind};
use crate::platform;
use crate::platform::disk;
use crate::reference::PluginName;
use crate::registry::Artifact;

/// The plugins on this machine.
#[derive(Clone, Debug)]
pub struct Store {
    places: Places,
}

impl Store {
    /// Returns the store at `places`. Does not access the disk yet.
    #[must_use]
    pub fn new(places: Places) -> Self {
        Self { places }
    }

    /// Returns the folders that it uses.
    #[must_use]
    pub fn places(&self) -> &Places {
        &self.places
    }

    /// Finds out what a file needs to run. Neither reads nor hashes one that was proven before.
    ///
    /// # Errors
    /// If the file does not exist or cannot run.
    pub fn open_file(&self, path: &Path) -> Result<Plugin, Error> {
        let name = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let plugin = |digest, inspected, bytes| Plugin {
            name,
            digest,
            inspected,
            path: path.into(),
            bytes,
            granted: None,
            audit: false,
            ask: false,
        };
        let identity = fs::metadata(path).ok().as_ref().and_then(platform::identity);
        if let Some(seen) = identity.as_ref().and_then(|identity| seen::recall(&self.places, identity)) {
            return Ok(plugin(seen.digest, seen.inspected, None));
        }
        let artifact = Artifact::from_file(path)?;
        let inspected = Inspected::read(artifact.bytes())
            .map_err(|source| Error::Unfit { path: path.display().to_string(), source })?;
        if let Some(identity) = identity {
            seen::remember(&self.places, identity, artifact.digest(), &inspected);
        }
        Ok(plugin(artifact.digest(), inspected, Some(artifact.bytes().clone())))
    }

    /// Finds an installed plugin.
    ///
    /// # Errors
    /// [`Error::Unknown`], or [`Error::Receipt`] if its receipt cannot be read.
    pub fn find(&self, name: &PluginName) -> Result<Plugin, Error> {
        let receipt = self.receipt(name)?;
        let granted = receipt.granted();
        Ok(Plugin {
            name: name.to_string(),
            digest: receipt.digest,
            path: self.places.blob(receipt.digest),
            inspected: receipt.inspected,
            bytes: None,
            granted: Some(granted),
            audit: receipt.audit,
            ask: receipt.ask,
        })
    }

    /// Reads the receipt of an installed plugin.
    ///
    /// # Errors
    /// The same as [`Store::find`].
    pub fn receipt(&self, name: &PluginName) -> Result<Receipt, Error> {
        let path = self.places.receipt(name);
        let broken = |source| Error::Receipt { path: path.clone(), source };
        let text = match files::read(&path, receipt::LONGEST) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Error::Unknown(name.clone()));
            }
            Err(error)
                if matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) =>
            {
                return Err(broken(serde_json::Error::custom(error)));
            }
            Err(source) => return Err(files::read_failed(&path)(source)),
        };
        let mut receipt: Receipt = serde_json::from_slice(&text).map_err(broken)?;
        // An earlier kwasm made a component from a core module, which is not sound: the fetched content runs
        // unchanged.
        if receipt.kind == Kind::Core && receipt.digest != receipt.fetched {
            receipt.digest = receipt.fetched;
            receipt.size = fs::metadata(self.places.blob(receipt.fetched)).map_or(0, |content| content.len());
            receipt.inspected = Inspected::core();
        }
        if receipt.name != *name {
            return Err(broken(serde_json::Error::custom(format!("it is that of `{}`", receipt.name))));
        }
        Ok(receipt)
    }

    /// Returns the names of all installed plugins, sorted.
    ///
    /// # Errors
    /// If the folder of plugins cannot be read.
    pub fn names(&self) -> Result<Vec<PluginName>, Error> {
        let path = self.places.plugins();
        let entries = disk::entries(&path).map_err(files::read_failed(&path))?;
        let mut names: Vec<PluginName> = entries
            .iter()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            // A folder without a receipt is what an interrupted install or uninstall left: not a plugin.
            .filter(|name| self.places.receipt(name).exists())
            .collect();
        names.sort();
        Ok(names)
    }
}
