//! Where things are. Built once, from the environment; nothing else makes a path.

use std::path::{Path, PathBuf};

use crate::environment::Environment;
use crate::platform;
use crate::reference::{Digest, PluginName};

/// The folders that kwasm uses.
#[derive(Clone, Debug)]
pub struct Places {
    root: PathBuf,
    cache: PathBuf,
    links: PathBuf,
    configuration: PathBuf,
    program: PathBuf,
}

impl Places {
    /// Finds the folders: `KWASM_HOME` and `KWASM_BIN_DIR` before what the platform says.
    ///
    /// `None` when neither a home directory nor `KWASM_HOME` is known.
    #[must_use]
    pub fn of(environment: &Environment) -> Option<Self> {
        let folders = platform::folders(|name| environment.path(name));
        let root = environment.path("KWASM_HOME");
        let (data, cache, configuration, links) = match (folders, &root) {
            (Some(folders), _) => {
                let own = |folder: PathBuf| folder.join("kwasm");
                (own(folders.data), own(folders.cache), own(folders.configuration), folders.links)
            }
            // A store may be of all users; a cache never is.
            (None, Some(root)) => {
                (root.clone(), root.join(platform::own_cache()), root.join("config"), root.join("bin"))
            }
            (None, None) => return None,
        };
        Some(Self {
            root: root.unwrap_or(data),
            cache,
            configuration,
            links: environment.path("KWASM_BIN_DIR").unwrap_or(links),
            program: environment.program.clone(),
        })
    }

    /// e.g. `~/.local/share/kwasm`.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// e.g. `~/.local/bin`.
    #[must_use]
    pub fn links(&self) -> &Path {
        &self.links
    }

    /// e.g. `~/.cache/kwasm/compiled`: machine code, which only this user may write.
    #[must_use]
    pub fn compiled(&self) -> PathBuf {
        self.cache.join("compiled")
    }

    /// e.g. `~/.cache/kwasm/kubeconfigs`: what guests get to see as their kubeconfig; no secrets.
    #[must_use]
    pub fn kubeconfigs(&self) -> PathBuf {
        self.cache.join("kubeconfigs")
    }

    /// e.g. `~/.cache/kwasm/refreshes`: files that are only locked, by whoever refreshes a token of a kubeconfig.
    #[must_use]
    pub fn refreshes(&self) -> PathBuf {
        self.cache.join("refreshes")
    }

    /// e.g. `~/.cache/kwasm/fetched`: what was run from registries without being installed, by digest.
    #[must_use]
    pub fn fetched(&self) -> PathBuf {
        self.cache.join("fetched")
    }

    /// e.g. `~/.cache/kwasm/fetched/e3b0….wasm`.
    #[must_use]
    pub fn fetched_content(&self, digest: Digest) -> PathBuf {
        self.fetched().join(format!("{}.wasm", digest.hex()))
    }

    /// e.g. `~/.config/kwasm/trust.yaml`: whose signatures are asked for.
    #[must_use]
    pub fn trust(&self) -> PathBuf {
        self.configuration.join("trust.yaml")
    }

    /// e.g. `~/.cache/kwasm/seen`: the digests of files that were run before.
    #[must_use]
    pub fn seen(&self) -> PathBuf {
        self.cache.join("seen")
    }

    /// e.g. `/usr/local/bin/kwasm`: the program that links lead to.
    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// e.g. `~/.local/share/kwasm/blobs/sha256/e3b0…`.
    #[must_use]
    pub fn blob(&self, digest: Digest) -> PathBuf {
        self.blobs().join(digest.hex())
    }

    /// e.g. `~/.local/share/kwasm/plugins/decoder/receipt.json`.
    #[must_use]
    pub fn receipt(&self, name: &PluginName) -> PathBuf {
        self.plugin(name).join("receipt.json")
    }

    /// e.g. `~/.local/bin/kubectl-decoder`, which runs the plugin.
    #[must_use]
    pub fn link(&self, name: &PluginName) -> PathBuf {
        self.links.join(platform::program_file(&name.program()))
    }

    /// Both links of a plugin, e.g. `~/.local/bin/kubectl-decoder` and `~/.local/bin/kubectl_complete-decoder`, by which
    /// kubectl asks for completions.
    #[must_use]
    pub fn links_of(&self, name: &PluginName) -> [PathBuf; 2] {
        [self.link(name), self.links.join(platform::program_file(&name.completion()))]
    }

    pub(super) fn blobs(&self) -> PathBuf {
        self.root.join("blobs").join("sha256")
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
