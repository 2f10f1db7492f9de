//! The ending of a command: success, or the error of a room.

use std::io;
use std::path::PathBuf;

use crate::catalogue;
use crate::cli;
use crate::document::Fault;
use crate::inspect::REQUEST_SECTION;
use crate::reference::{Digest, NameError, PluginName};
use crate::registry::{self, REQUEST, signature, trust};
use crate::runtime::{self, Outcome};
use crate::server;
use crate::store::{self, layout};

/// The successful endings of a command.
#[derive(Debug, Eq, PartialEq)]
pub enum Ending {
    /// Completed as requested.
    Done,
    /// Completed, and reported problems.
    Faulty,
    /// Interrupted by the user.
    Interrupted,
    /// A plugin ran.
    Ran(Outcome),
}

/// The reason why a command failed: the errors of the rooms, unchanged.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each is the error of the room it is named after")]
pub enum Error {
    #[error("{}: the administrator's ceiling cannot be used", path.display())]
    Ceiling { path: PathBuf, source: io::Error },
    #[error("`{plugin}` uses WASI 0.3, and the policy {by} allows only what wasmtime calls stable")]
    Unstable { plugin: String, by: String },
    #[error("{archive}")]
    Archive { archive: String, source: layout::Error },
    #[error(transparent)]
    Build(#[from] crate::build::Error),
    #[error(transparent)]
    Catalogue(#[from] catalogue::Error),
    #[error(transparent)]
    Cli(#[from] cli::Error),
    #[error(transparent)]
    Cluster(#[from] crate::cluster::Error),
    #[error("{}: it is already there, and kwasm new overwrites nothing", .0.display())]
    Exists(PathBuf),
    #[error("{path}")]
    Inspect { path: String, source: crate::inspect::Error },
    #[error(transparent)]
    Name(#[from] NameError),
    #[error("{0}")]
    NoCluster(String),
    #[error("there is no home directory to keep plugins in")]
    NoHome,
    #[error("there is no policy `{0}`")]
    NoPolicy(String),
    #[error("there is neither an installed plugin nor a policy `{0}`")]
    NoSubject(String),
    #[error("stdout is the plugin's, and not a terminal: the policy would be mixed with its output")]
    NoPlaceForPolicy,
    #[error("it is not a policy")]
    Policy(Vec<Fault>),
    #[error("{}: it cannot be read", path.display())]
    PolicyFile { path: PathBuf, source: io::Error },
    #[error("{0}: it was not installed from a registry, so it has no signatures")]
    NoArtifact(String),
    #[error("there is no command `{0}`, so there is no page about it")]
    NoPage(String),
    #[error("`{0}` is an installed plugin, not a source to install from")]
    NotFetched(PluginName),
    #[error("{}: it is not a public key", path.display())]
    Key { path: PathBuf, source: signature::KeyError },
    #[error("{}: it cannot be used to sign", path.display())]
    PrivateKey { path: PathBuf, source: signature::PrivateKeyError },
    #[error("these keys cannot be used together")]
    Keys(#[source] signature::KeySetError),
    #[error("{reference}: it is in a folder, which holds no signatures")]
    InFolder { reference: String, source: trust::Refusal },
    #[error("{reference}: cannot determine whether it is signed")]
    SignatureLookup { reference: String, source: registry::Error },
    #[error("{reference}: its configuration does not mention {package}, which it imports")]
    Hidden { reference: String, package: &'static str },
    #[error("{listed}: the index names {digest}, and {there}")]
    ListedDigest { listed: String, digest: Digest, there: String },
    #[error("{listed}: what the index says it asks for is not what the plugin itself requests")]
    ListedRequest { listed: String },
    #[error("{listed}: what the index names is version {is}")]
    ListedVersion { listed: String, is: semver::Version },
    #[error("{0}: you declined what it requests")]
    Declined(PluginName),
    #[error("{0}: it has no request, so `--policy request` grants nothing")]
    NoRequest(String),
    #[error("{name}: its grant has no rule {rule}")]
    NoSuchRule { name: PluginName, rule: String, known: Vec<String> },
    #[error("{name}: it is not decided what it may do")]
    Undecided { name: PluginName, requests: bool },
    #[error("{name}: it requests more, so the installed version stays: {}", lines.join("; "))]
    Wider { name: PluginName, lines: Vec<String> },
    #[error("the plugin's request is not a policy")]
    Request(Vec<Fault>),
    #[error(
        "{reference}: the request in its manifest (annotation `{REQUEST}`) is not the one in its component (section `{REQUEST_SECTION}`)"
    )]
    RequestDiffers { reference: String },
    #[error(
        "{reference}: its manifest has a request (annotation `{REQUEST}`), and its component has none (section `{REQUEST_SECTION}`)"
    )]
    RequestMissing { reference: String },
    #[error("{reference}: it is not signed, and {before} was, which it would replace")]
    SignatureLost { reference: String, before: String },
    #[error(
        "{reference}: no signature of {signers} can be verified, and {before} had one, which it would replace"
    )]
    SignerLost { reference: String, before: String, signers: String },
    #[error("it is not a valid trust file")]
    Trust(Vec<Fault>),
    #[error("several things went wrong")]
    Several(Vec<(String, Self)>),
    #[error("two of these would be called `{0}`")]
    Twice(PluginName),
    #[error("{reference}")]
    Unsigned { reference: String, list: Option<Digest>, source: signature::Error },
    #[error("{reference}")]
    Untrusted { reference: String, list: Option<Digest>, source: Box<trust::Refusal> },
    #[error("{what} is not written to a terminal")]
    Terminal { what: &'static str, command: &'static str },
    #[error("{}: it cannot be written to", path.display())]
    Unwritten { path: PathBuf, source: io::Error },
    /// The profile of a run, after it.
    #[error("{}: it cannot be written to", path.display())]
    Profile { path: PathBuf, source: io::Error },
    #[error("{name}: {} is not absolute", path.display())]
    Relative { name: &'static str, path: PathBuf },
    #[error(transparent)]
    Record(#[from] crate::record::Error),
    #[error(transparent)]
    Registry(#[from] registry::Error),
    #[error(transparent)]
    Runtime(#[from] runtime::Error),
    #[error(transparent)]
    Server(#[from] server::Error),
    #[error(transparent)]
    Deploy(#[from] crate::deploy::Error),
    #[error("{object}: {why}")]
    Object { object: String, why: String },
    #[error("{0}: it answers no requests")]
    NoServer(String),
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("stdout cannot be written to")]
    Stdout(#[source] io::Error),
}
