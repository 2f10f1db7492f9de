//! The folders of the store and the caches. Built once, from the environment; no other code makes a path.

use std::path::{Path, PathBuf};

use crate::environment::Environment;
use crate::platform;
use crate::reference::{Digest, IndexName, PluginName};

/// The folders that kwasm uses.
#[derive(Clone, Debug)]
pub struct Places {
    root: PathBuf,
    cache: PathBuf,
    state: PathBuf,
    links: PathBuf,
    configuration: PathBuf,
    program: PathBuf,
}

impl Places {
    /// Finds the folders: `KWASM_HOME` and `KWASM_BIN_DIR` take precedence over the platform's.
    ///
    /// Returns `None` if neither a home directory nor `KWASM_HOME` is known.
    #[must_use]
    pub fn of(environment: &Environment) -> Option<Self> {
        let folders = platform::folders(|name| environment.path(name));
        let root = environment.path("KWASM_HOME");
        let own = |folder: PathBuf| folder.join("kwasm");
        let (data, cache, state, configuration, links) = match (folders, &root) {
            (Some(folders), _) => (
                own(folders.data),
                own(folders.cache),
                own(folders.state),
                own(folders.configuration),
                folders.links,
            ),
            // A store may be of all users; a cache and logs never are.
            (None, Some(root)) => {
                let cache = root.join(platform::own_cache());
                (root.clone(), cache.clone(), cache, root.join("config"), root.join("bin"))
            }
            (None, None) => return None,
        };
        Some(Self {
            root: root.unwrap_or(data),
            cache,
            state,
            configuration,
            links: environment.path("KWASM_BIN_DIR").unwrap_or(links),
            program: environment.program_as_called(),
        })
    }

    /// Returns the root of the store, e.g. `~/.local/share/kwasm`.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the folder of links, e.g. `~/.local/bin`.
    #[must_use]
    pub fn links(&self) -> &Path {
        &self.links
    }

    /// Returns the folders that contain all of kwasm's own files.
    #[must_use]
    pub fn own(&self) -> [&Path; 3] {
        [&self.root, &self.cache, &self.configuration]
    }

    /// Returns the cache of machine code, which only this user may write, e.g. `~/.cache/kwasm/compiled`.
    #[must_use]
    pub fn compiled(&self) -> PathBuf {
        self.cache.join("compiled")
    }

    /// Returns the folder of the kubeconfigs shown to guests, which contain no secrets, e.g.
    /// `~/.cache/kwasm/kubeconfigs`.
    #[must_use]
    pub fn kubeconfigs(&self) -> PathBuf {
        self.cache.join("kubeconfigs")
    }

    /// Returns the folder of the lock files held while a token of a kubeconfig is refreshed, e.g.
    /// `~/.cache/kwasm/refreshes`.
    #[must_use]
    pub fn refreshes(&self) -> PathBuf {
        self.cache.join("refreshes")
    }

    /// Returns the cache, by digest, of plugins that ran from registries without being installed, e.g.
    /// `~/.cache/kwasm/fetched`.
    #[must_use]
    pub fn fetched(&self) -> PathBuf {
        self.cache.join("fetched")
    }

    /// Returns the file of cached content, e.g. `~/.cache/kwasm/fetched/e3b0….wasm`.
    #[must_use]
    pub fn fetched_content(&self, digest: Digest) -> PathBuf {
        self.fetched().join(format!("{}.wasm", digest.hex()))
    }

    /// Returns the file that names the required signers, e.g. `~/.config/kwasm/trust.yaml`.
    #[must_use]
    pub fn trust(&self) -> PathBuf {
        self.configuration.join("trust.yaml")
    }

    /// Returns the cache of the digests of files that ran before, e.g. `~/.cache/kwasm/seen`.
    #[must_use]
    pub fn seen(&self) -> PathBuf {
        self.cache.join("seen")
    }

    /// Returns the folder of this user's audit log of a plugin in a store that belongs to another user, e.g.
    /// `~/.local/state/kwasm/audit/decoder`. In the user's own store, the log is beside the receipt.
    #[must_use]
    pub fn audit(&self, name: &PluginName) -> PathBuf {
        self.state.join("audit").join(name.as_str())
    }

    /// Returns the program that links lead to, e.g. `/usr/local/bin/kwasm`.
    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Returns the file of a blob, e.g. `~/.local/share/kwasm/blobs/sha256/e3b0…`.
    #[must_use]
    pub fn blob(&self, digest: Digest) -> PathBuf {
        self.blobs().join(digest.hex())
    }

    /// Returns the file of an index of plugins, e.g. `~/.local/share/kwasm/indexes/acme.index`.
    #[must_use]
    pub fn index(&self, name: &IndexName) -> PathBuf {
        self.indexes().join(format!("{name}.index"))
    }

    /// Returns the file of a receipt, e.g. `~/.local/share/kwasm/plugins/decoder/receipt.json`.
    #[must_use]
    pub fn receipt(&self, name: &PluginName) -> PathBuf {
        self.plugin(name).join("receipt.json")
    }

    /// Returns the link that runs a plugin, e.g. `~/.local/bin/kubectl-decoder`.
    #[must_use]
    pub fn link(&self, name: &PluginName) -> PathBuf {
        self.links.join(platform::links::program_file(&name.program()))
    }

    /// Returns both links of a plugin, e.g. `~/.local/bin/kubectl-decoder`, and
    /// `~/.local/bin/kubectl_complete-decoder`, which kubectl runs for completions.
    #[must_use]
    pub fn links_of(&self, name: &PluginName) -> [PathBuf; 2] {
        [self.link(name), self.links.join(platform::links::program_file(&name.completion()))]
    }

    pub(super) fn blobs(&self) -> PathBuf {
        self.root.join("blobs").join("sha256")
    }

    pub(super) fn indexes(&self) -> PathBuf {
        self.root.join("indexes")
    }

    pub(super) fn lock(&self) -> PathBuf {
        self.root.join("lock")
    }

    pub(super) fn pending(&self) -> PathBuf {
        self.root.join("pending")
    }

    pub(super) fn plugin(&self, name: &PluginName) -> PathBuf {
        self.plugins().join(name.as_str())
    }

    pub(super) fn plugins(&self) -> PathBuf {
        self.root.join("plugins")
    }
}
