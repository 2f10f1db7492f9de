//! The commands that argv can request.

use std::path::PathBuf;

use clap::ValueEnum;
use clap_complete::Shell;

use crate::environment::Connection;
use crate::reference::{Image, Package, PluginName, Source};

/// What is to be done.
#[derive(Debug, Eq, PartialEq)]
pub enum Command {
    /// Tell which cluster kwasm would talk to, and as whom.
    Cluster {
        /// What selects it.
        connection: Connection,
        /// Whether to ask the server who that is.
        check: bool,
        /// Whether to tell of each request.
        verbose: bool,
        /// How.
        output: Output,
    },
    /// Print what a shell needs to complete kwasm's own command line.
    Completion(Shell),
    /// Complete the command line of a plugin.
    Complete {
        /// The plugin.
        name: PluginName,
        /// What was typed behind its name; the last is what is being typed.
        arguments: Vec<String>,
    },
    /// Tell what is wrong on this machine.
    Doctor {
        /// What selects a cluster.
        connection: Connection,
        /// Whether to compare digests too.
        deep: bool,
        /// Whether to empty the caches first.
        clean: bool,
        /// How.
        output: Output,
    },
    /// Tell whether files are policies.
    CheckPolicy {
        /// The files.
        files: Vec<PathBuf>,
    },
    /// Tell what a request is, and whether a policy allows it.
    ExplainRequest {
        /// Its method.
        method: String,
        /// Its path and query.
        path: String,
        /// The policy.
        policy: Option<String>,
        /// The namespace that `current` means.
        namespace: Option<String>,
        /// How.
        output: Output,
    },
    /// Tell what a component is, running nothing.
    Inspect {
        /// The component.
        source: Source,
        /// How.
        output: Output,
    },
    /// Put plugins on this machine.
    Install {
        /// The components.
        sources: Vec<Source>,
        /// The name of the only one, when not that of its file or repository.
        name: Option<PluginName>,
        /// What they may do.
        policy: Option<String>,
    },
    /// Show what is installed.
    List {
        /// How.
        output: Output,
    },
    /// Install what `Save` carried here.
    Load {
        /// The archive.
        archive: PathBuf,
        /// What the plugins may do.
        policy: Option<String>,
    },
    /// Write the manual.
    Man {
        /// Into this folder, a page a command; else one page to stdout.
        folder: Option<PathBuf>,
        /// Of which command; of kwasm itself when of none.
        command: Option<String>,
    },
    /// Show what could be upgraded.
    Outdated {
        /// How.
        output: Output,
    },
    /// Put a component into a registry.
    Publish {
        /// The component.
        file: PathBuf,
        /// Where to.
        target: Target,
        /// The private key to sign with.
        key: Option<PathBuf>,
        /// Whether to make a component of a core module first.
        adapt: bool,
        /// How.
        output: Output,
    },
    /// Run a component.
    Run {
        /// The component.
        source: Source,
        /// What it may do, when not what was granted at install.
        policy: Option<String>,
        /// Whether to tell of each request.
        verbose: bool,
        /// Its own arguments.
        arguments: Vec<String>,
    },
    /// Put plugins into an archive.
    Save {
        /// Which ones.
        names: Vec<PluginName>,
        /// The archive.
        archive: PathBuf,
    },
    /// Show a text that was asked for: help or the version.
    Show(String),
    /// Take plugins off this machine.
    Uninstall {
        /// Which ones.
        names: Vec<PluginName>,
    },
    /// Bring plugins to their newest version.
    Upgrade {
        /// Which ones; all when none is named.
        names: Vec<PluginName>,
    },
    /// Tell whose signatures an artifact has.
    Verify {
        /// The artifact.
        source: Source,
        /// The public keys, each of which has to have signed.
        keys: Vec<PathBuf>,
        /// How.
        output: Output,
    },
}

/// Where a component is published.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Target {
    /// In an OCI registry.
    Image(Image),
    /// As a version of a package.
    Package(Package),
}

/// The form in which data is printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Output {
    /// One JSON document
    Json,
    /// Bare names, one per line
    Name,
    /// A table
    Table,
    /// A table with every column
    Wide,
    /// One YAML document
    Yaml,
}
