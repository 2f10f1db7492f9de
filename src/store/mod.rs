//! Keeps proven artifacts on disk and remembers why they are believed.
//!
//! ```text
//! blobs/sha256/<hex>            immutable: what was fetched, or adapted from a core module
//! plugins/<name>/receipt.json   replaced by rename
//! lock                          held by the one who writes
//! ```

mod files;
mod places;
mod receipt;
mod seen;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;

pub use self::places::Places;
pub use self::receipt::Receipt;
use crate::inspect::{self, Inspected};
use crate::platform;
use crate::reference::{Digest, PluginName, Source};
use crate::registry::{self, Artifact};

/// The plugins on this machine.
#[derive(Clone, Debug)]
pub struct Store {
    places: Places,
}

/// Something to run whose digest and needs are known.
#[derive(Clone)]
pub struct Plugin {
    name: String,
    digest: Digest,
    inspected: Inspected,
    path: PathBuf,
    bytes: Option<Bytes>,
    granted: Option<Granted>,
}

/// The policy that an installed plugin was granted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Granted {
    /// Its name.
    pub name: String,
    /// Its text, where it was a file.
    pub text: Option<String>,
}

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no plugin of this name.
    #[error("no plugin `{0}` is installed")]
    Unknown(PluginName),
    /// A link's place is taken by something that is not ours.
    #[error("{}: it is there already and is no link to kwasm", .0.display())]
    LinkTaken(PathBuf),
    /// The receipt cannot be understood.
    #[error("{}: the receipt is broken", path.display())]
    Receipt {
        /// The receipt.
        path: PathBuf,
        /// The reason.
        source: serde_json::Error,
    },
    /// An installed plugin without its content.
    #[error("{0}: its component is gone from kwasm's folder")]
    Gone(String),
    /// A file no longer has the content it was proven to have.
    #[error("{}: its content has changed: it was {was} and is {is}", path.display())]
    Altered {
        /// The file.
        path: PathBuf,
        /// What it was.
        was: Digest,
        /// What it is.
        is: Digest,
    },
    /// Nothing that can run.
    #[error("{path}")]
    Unfit {
        /// The file.
        path: String,
        /// The reason.
        source: inspect::Error,
    },
    /// The bytes could not be had.
    #[error(transparent)]
    Fetch(#[from] registry::Error),
    /// The file system said no.
    #[error("{}: {what}", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// What was being done.
        what: &'static str,
        /// The reason.
        source: io::Error,
    },
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

impl Store {
    /// The store at `places`. Touches nothing until it is asked to.
    #[must_use]
    pub fn new(places: Places) -> Self {
        Self { places }
    }

    /// Where things are.
    #[must_use]
    pub fn places(&self) -> &Places {
        &self.places
    }

    /// Finds what is to be run, and what it needs. Neither reads nor hashes a file that was proven before.
    ///
    /// # Errors
    /// When there is no such plugin or file, or when it is nothing that can run.
    pub fn open(&self, source: &Source) -> Result<Plugin, Error> {
        match source {
            Source::Path(path) => self.open_file(path),
            Source::Installed(name) => self.find(name),
        }
    }

    fn open_file(&self, path: &Path) -> Result<Plugin, Error> {
        let name = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let plugin = |digest, inspected, bytes| Plugin {
            name,
            digest,
            inspected,
            path: path.into(),
            bytes,
            granted: None,
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
    /// [`Error::Unknown`], or [`Error::Receipt`] when what is remembered of it cannot be read.
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
        })
    }

    /// Reads the receipt of an installed plugin.
    ///
    /// # Errors
    /// As [`Store::find`].
    pub fn receipt(&self, name: &PluginName) -> Result<Receipt, Error> {
        let path = self.places.receipt(name);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Error::Unknown(name.clone()));
            }
            Err(source) => return Err(Error::Io { path, what: "the receipt cannot be read", source }),
        };
        serde_json::from_slice(&text).map_err(|source| Error::Receipt { path, source })
    }

    /// The names of all installed plugins, sorted.
    ///
    /// # Errors
    /// When the folder of plugins cannot be read.
    pub fn names(&self) -> Result<Vec<PluginName>, Error> {
        let path = self.places.plugins();
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => {
                return Err(Error::Io { path, what: "the folder of plugins cannot be read", source });
            }
        };
        let mut names: Vec<PluginName> = entries
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            // A folder without a receipt is what an interrupted install or uninstall left: not a plugin.
            .filter(|name| self.places.receipt(name).exists())
            .collect();
        names.sort();
        Ok(names)
    }

    /// Puts a plugin in place: its content, then its receipt, then its link. Gives the link.
    ///
    /// # Errors
    /// When the link's place is taken by something else, or a file cannot be written.
    pub fn put(&self, content: &Artifact, receipt: &Receipt) -> Result<PathBuf, Error> {
        let _lock = self.lock()?;
        self.claim(&receipt.name)?;
        let link = self.places.link(&receipt.name);
        let blob = self.places.blob(content.digest());
        // One that was damaged is mended by installing the plugin again.
        if !Artifact::from_file(&blob).is_ok_and(|kept| kept.digest() == content.digest()) {
            files::write(&blob, content.bytes())?;
        }
        let path = self.places.receipt(&receipt.name);
        let text = serde_json::to_vec_pretty(receipt)
            .map_err(|source| Error::Receipt { path: path.clone(), source })?;
        let previous = self.receipt(&receipt.name).ok();
        files::write(&path, &text)?;
        if let Err(source) = platform::link(self.places.program(), &link) {
            self.restore(&path, previous.as_ref(), receipt.digest);
            return Err(Error::Io { path: link, what: "the link cannot be made", source });
        }
        if let Some(previous) = previous.filter(|previous| previous.digest != receipt.digest) {
            self.sweep(previous.digest)?;
        }
        Ok(link)
    }

    /// Undoes a receipt whose link could not be made. That it cannot be undone is not told: the link is.
    fn restore(&self, path: &Path, previous: Option<&Receipt>, new: Digest) {
        let undone = match previous.map(serde_json::to_vec_pretty) {
            Some(Ok(text)) => files::write(path, &text),
            _ => files::remove(path),
        };
        drop(undone.and_then(|()| self.sweep(new)));
        // A folder that still holds a receipt stays.
        drop(path.parent().map(fs::remove_dir));
    }

    /// Finds out whether the place of a plugin's link is free, or has a link of ours.
    ///
    /// # Errors
    /// [`Error::LinkTaken`].
    pub fn claim(&self, name: &PluginName) -> Result<(), Error> {
        let link = self.places.link(name);
        match platform::is_link_to(&link, self.places.program()) {
            Some(false) => Err(Error::LinkTaken(link)),
            _ => Ok(()),
        }
    }

    /// Takes a plugin away: its link, its receipt, and its blob and compiled code if nothing else uses them.
    ///
    /// # Errors
    /// [`Error::Unknown`], or when a file cannot be removed.
    pub fn remove(&self, name: &PluginName) -> Result<(), Error> {
        let _lock = self.lock()?;
        let digest = match self.receipt(name) {
            Ok(receipt) => Some(receipt.digest),
            // A broken receipt must not keep its plugin on the machine for ever.
            Err(Error::Receipt { .. }) => None,
            Err(error) => return Err(error),
        };
        let link = self.places.link(name);
        if platform::is_link_to(&link, self.places.program()) == Some(true) {
            files::remove(&link)?;
        }
        files::remove(&self.places.receipt(name))?;
        let folder = self.places.plugin(name);
        fs::remove_dir_all(&folder).map_err(|source| Error::Io {
            path: folder,
            what: "the folder cannot be removed",
            source,
        })?;
        digest.map_or(Ok(()), |digest| self.sweep(digest))
    }

    /// Removes what belongs to `digest` unless a plugin still uses it.
    fn sweep(&self, digest: Digest) -> Result<(), Error> {
        for name in self.names()? {
            // Of one that cannot be read it is not known what it needs.
            if self.receipt(&name).map_or(true, |receipt| receipt.digest == digest) {
                return Ok(());
            }
        }
        files::remove(&self.places.blob(digest))?;
        let compiled = fs::read_dir(self.places.compiled()).into_iter().flatten().flatten();
        for entry in compiled.filter(|entry| entry.file_name().to_string_lossy().starts_with(&digest.hex())) {
            files::remove(&entry.path())?;
        }
        Ok(())
    }

    /// Waits until no other kwasm writes. Released when the file is dropped, or its process ends.
    fn lock(&self) -> Result<fs::File, Error> {
        let path = self.places.lock();
        let io = |what, source| Error::Io { path: path.clone(), what, source };
        fs::create_dir_all(self.places.root())
            .map_err(|source| io("the store's folder cannot be made", source))?;
        let file = fs::File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|source| io("the lock cannot be opened", source))?;
        file.lock().map_err(|source| io("the lock cannot be had", source))?;
        Ok(file)
    }
}
