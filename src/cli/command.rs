//! The commands that argv can request.

use std::path::PathBuf;

use clap::ValueEnum;
use clap_complete::Shell;

use super::deployment::Deployment;
use crate::build::{Language, Wish as Project};
use crate::environment::Connection;
use crate::policy::ServiceAccount;
use crate::reference::{Digest, Image, IndexName, IndexSource, Package, PluginName, Source};

/// The parsed command line.
#[derive(Debug, Eq, PartialEq)]
pub enum Command {
    /// Show the recorded requests of a plugin's past runs.
    Audit {
        /// The plugin.
        name: PluginName,
        /// The output format.
        output: Output,
    },
    /// Build a component of a project.
    Build {
        /// The project.
        project: Project,
        /// The file to write; named as the program if `None`.
        output: Option<PathBuf>,
        /// The file with the request to write into it.
        request: Option<PathBuf>,
    },
    /// Show the cluster that plugins reach, and the user.
    Cluster {
        /// The flags that select it.
        connection: Connection,
        /// Whether to ask the server for the user's identity.
        check: bool,
        /// How much is reported of each request.
        verbosity: Verbosity,
        /// The output format.
        output: Output,
    },
    /// Turn the recording of plugins' requests on or off.
    ConfigureAudit {
        /// The plugins.
        names: Vec<PluginName>,
        /// Whether their requests are recorded.
        on: bool,
    },
    /// Print a shell script for completing kwasm's own command line.
    Completion(Shell),
    /// Complete the command line of a plugin.
    Complete {
        /// The plugin.
        name: PluginName,
        /// The arguments so far; the last one is being typed.
        arguments: Vec<String>,
    },
    /// Print manifests by which a cluster runs a component.
    Deploy {
        /// The component.
        source: Source,
        /// The policy, unless it is the one granted at install.
        policy: Option<String>,
        /// What it does there, and how it comes there.
        deployment: Box<Deployment>,
        /// The flags that select the namespace.
        connection: Connection,
        /// How much is reported of each request of kwasm's own.
        verbosity: Verbosity,
        /// The component's own arguments.
        arguments: Vec<String>,
    },
    /// Report the problems on this machine.
    Doctor {
        /// The flags that select a cluster.
        connection: Connection,
        /// Whether to compare digests too.
        deep: bool,
        /// Whether to empty the caches first.
        clean: bool,
        /// The output format.
        output: Output,
    },
    /// Add, make and list indexes of plugins.
    Index(IndexCommand),
    /// Describe a component without running it.
    Inspect {
        /// The component.
        source: Source,
        /// The output format.
        output: Output,
    },
    /// Install plugins.
    Install {
        /// The components.
        sources: Vec<Source>,
        /// The name of a single plugin, unless it is that of its file or repository.
        name: Option<PluginName>,
        /// The policy to grant.
        policy: Option<String>,
        /// Whether to ask about requests that the policy does not allow.
        ask: bool,
    },
    /// List the installed plugins.
    List {
        /// The output format.
        output: Output,
    },
    /// Install plugins from an archive written by `Save`.
    Load {
        /// The archive.
        archive: PathBuf,
        /// The policy to grant.
        policy: Option<String>,
    },
    /// Write the manual.
    Man {
        /// The folder for one page per command; if `None`, one page goes to stdout.
        folder: Option<PathBuf>,
        /// The command to describe; kwasm itself if `None`.
        command: Option<String>,
    },
    /// Create the project of a plugin.
    New {
        /// The plugin's name.
        name: PluginName,
        /// The language.
        language: Language,
    },
    /// Compile a component with all optimizations.
    Optimize {
        /// The component.
        file: PathBuf,
        /// Its digest, without which nothing is done.
        digest: Digest,
    },
    /// List the available upgrades.
    Outdated {
        /// The output format.
        output: Output,
    },
    /// Show, change and explain policies.
    Policy(PolicyCommand),
    /// Publish a component to a registry.
    Publish {
        /// The component.
        file: PathBuf,
        /// The target.
        target: Target,
        /// The file with the request to write into it first.
        request: Option<PathBuf>,
        /// The private key to sign with.
        key: Option<PathBuf>,
        /// Whether to make a component from a core module first.
        adapt: bool,
        /// Whether to publish an image for volumes beside it.
        volume: bool,
        /// The output format.
        output: Output,
    },
    /// Run a component.
    Run {
        /// The component.
        source: Source,
        /// The policy, unless it is the one granted at install.
        policy: Option<String>,
        /// Whether to ask about requests that the policy does not allow; `None` for what was said at install.
        ask: Option<bool>,
        /// The record to make of its traffic, or to answer it from.
        traffic: Option<Traffic>,
        /// The file for a profile of the run, if there is to be one.
        profile: Option<PathBuf>,
        /// How much is reported of each request.
        verbosity: Verbosity,
        /// The plugin's own arguments.
        arguments: Vec<String>,
    },
    /// Answer requests with a component.
    Serve {
        /// The component.
        source: Source,
        /// The policy, unless it is the one granted at install.
        policy: Option<String>,
        /// Where to listen, and what is bounded.
        options: crate::server::Options,
        /// How much is reported of each of its own requests.
        verbosity: Verbosity,
        /// The component's own arguments.
        arguments: Vec<String>,
    },
    /// Write plugins to an archive.
    Save {
        /// The plugins.
        names: Vec<PluginName>,
        /// The archive.
        archive: PathBuf,
    },
    /// Search the indexes for plugins.
    Search {
        /// The words.
        words: Vec<String>,
        /// The output format.
        output: Output,
    },
    /// Print a requested text: help or the version.
    Show(String),
    /// Uninstall plugins.
    Uninstall {
        /// The plugins.
        names: Vec<PluginName>,
    },
    /// Upgrade plugins to their newest version.
    Upgrade {
        /// The plugins; all if empty.
        names: Vec<PluginName>,
        /// The policy to grant, if the new versions request more.
        policy: Option<String>,
    },
    /// Verify the signatures of an artifact.
    Verify {
        /// The artifact.
        source: Source,
        /// The public keys, each of which has to have signed.
        keys: Vec<PathBuf>,
        /// The output format.
        output: Output,
    },
}

/// The commands about indexes of plugins.
#[derive(Debug, Eq, PartialEq)]
pub enum IndexCommand {
    /// Add an index.
    Add {
        /// The name on this machine.
        name: IndexName,
        /// The source.
        source: IndexSource,
    },
    /// Make an index of descriptions.
    Build {
        /// The folder of the descriptions.
        folder: PathBuf,
        /// The file to write.
        output: PathBuf,
        /// The revision; the time if `None`.
        revision: Option<u64>,
    },
    /// List the indexes.
    List {
        /// The output format.
        output: Output,
    },
    /// Publish an index to a registry.
    Publish {
        /// The index.
        file: PathBuf,
        /// The target.
        image: Image,
        /// The private key to sign with.
        key: Option<PathBuf>,
        /// The output format.
        output: Output,
    },
    /// Remove indexes.
    Remove {
        /// The indexes.
        names: Vec<IndexName>,
    },
    /// Fetch the newest editions.
    Update {
        /// The indexes; all if empty.
        names: Vec<IndexName>,
    },
}

/// The commands about policies.
#[derive(Debug, Eq, PartialEq)]
pub enum PolicyCommand {
    /// Check whether files are valid policies.
    Check {
        /// The files.
        files: Vec<PathBuf>,
    },
    /// Write a request into a component.
    Embed {
        /// The component.
        file: PathBuf,
        /// The file with the request.
        request: PathBuf,
        /// The file to write; the component itself if `None`.
        output: Option<PathBuf>,
    },
    /// Explain a request, and whether a policy allows it.
    Explain {
        /// The method.
        method: String,
        /// The path and query.
        path: String,
        /// The policy.
        policy: Option<String>,
        /// The policy that a plugin requests.
        request: Option<String>,
        /// The namespace that `current` denotes.
        namespace: Option<String>,
        /// The output format.
        output: Output,
    },
    /// Add rules to what a plugin is granted, or grant it another policy.
    Grant {
        /// The plugin.
        name: PluginName,
        /// The rules, each as in a policy on one line.
        rules: Vec<String>,
        /// The policy that replaces its grant.
        policy: Option<String>,
    },
    /// Run a component, and write a policy for it.
    Learn {
        /// The component.
        source: Source,
        /// Whether it may do more than read.
        allow_writes: bool,
        /// Whether the policy names the objects that it used.
        keep_names: bool,
        /// The file to write.
        output: Option<PathBuf>,
        /// How much is reported of each request.
        verbosity: Verbosity,
        /// The plugin's own arguments.
        arguments: Vec<String>,
    },
    /// Remove rules from what a plugin is granted.
    Revoke {
        /// The plugin.
        name: PluginName,
        /// The rules, each as in a policy on one line; all if empty.
        rules: Vec<String>,
    },
    /// Print the roles for a policy.
    Role {
        /// A plugin's or policy's name, or a file.
        subject: String,
        /// The service account; `None` for a new one.
        account: Option<ServiceAccount>,
        /// The flags that select the cluster and the current namespace.
        connection: Connection,
        /// How much is reported of each request.
        verbosity: Verbosity,
    },
    /// Print the JSON schema of policies.
    Schema,
    /// Show what a plugin may do.
    Show {
        /// The plugin.
        name: PluginName,
        /// The output format.
        output: Output,
    },
}

/// What is done with the traffic of a run.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Traffic {
    /// Record it.
    Record {
        /// The file.
        file: PathBuf,
        /// Whether values of secrets, tokens, and requests to other servers are recorded.
        secrets: bool,
    },
    /// Answer from a record.
    Replay {
        /// The file.
        file: PathBuf,
        /// Whether answers take as long as they did.
        timing: bool,
    },
}

/// The target of a publication.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Target {
    /// A reference in an OCI registry.
    Image(Image),
    /// A version of a package.
    Package(Package),
}

/// How much is reported of each request, and of a plugin that was stopped.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub enum Verbosity {
    /// Only what went wrong.
    #[default]
    Faults,
    /// Each request with its result (`-v`), and all calls of a plugin that was stopped.
    Requests,
    /// Each request with its headers too (`-vv`).
    Headers,
}

impl Verbosity {
    /// Returns the verbosity for a number of flags `-v`.
    pub(super) fn of(flags: u8) -> Self {
        match flags {
            0 => Self::Faults,
            1 => Self::Requests,
            _ => Self::Headers,
        }
    }
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
