//! Errors of the command line.

use std::ffi::OsString;

use crate::deploy::ResourceError;
use crate::environment::MissingValue;
use crate::message::Explain;
use crate::policy::AccountError;
use crate::reference::{ImageError, ListedError, NameError, PackageError, SourceError};

/// The reason why argv is not a valid command.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// clap's own message, without its prefix.
    #[error("{0}")]
    Usage(String),
    /// One name for several sources.
    #[error("--as names one plugin, and {0} sources were given")]
    OneName(usize),
    /// Several plugins, where the requests of one are shown.
    #[error("kwasm audit shows the requests of one plugin, and {0} were given")]
    OneAudit(usize),
    /// A connection flag without a value, at the end.
    #[error(transparent)]
    FlagValue(#[from] MissingValue),
    /// A source of no known form.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Not an index, or not a source of one.
    #[error(transparent)]
    Listed(#[from] ListedError),
    /// Not a valid reference in an OCI registry.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// Not a valid package.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// A target with a digest, which cannot be known before publication.
    #[error("`{0}` names a digest, which only the published content determines: give a tag")]
    Pinned(String),
    /// A package without a version, which publication requires.
    #[error("`{0}` has no version: publish it as NAMESPACE:NAME@1.2.3")]
    NoVersion(String),
    /// Not a service account.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// A plugin name of no known form.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A text that is not a resource of the API.
    #[error(transparent)]
    Resource(#[from] ResourceError),
    /// A name for a new plugin that none can have.
    #[error(transparent)]
    NewName(NameError),
    /// A link with a name that is not a valid plugin name.
    #[error("{0} is not the name of a plugin")]
    Link(String),
    /// An argument that cannot be passed to a guest, since WASI's strings are Unicode.
    #[error("the argument {0:?} is not Unicode, which plugins require")]
    NotUnicode(OsString),
}

impl Explain for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Name(error) => error.hint(),
            Self::NewName(NameError::BuiltIn(_) | NameError::Device(_)) => {
                Some("choose another name".to_owned())
            }
            Self::Account(error) => error.hint(),
            Self::Resource(error) => error.hint(),
            _ => None,
        }
    }
}

pub(super) fn unicode(argument: OsString) -> Result<String, Error> {
    argument.into_string().map_err(Error::NotUnicode)
}

/// Returns arguments as a plugin gets them.
pub(super) fn texts(arguments: Vec<OsString>) -> Result<Vec<String>, Error> {
    arguments.into_iter().map(unicode).collect()
}
