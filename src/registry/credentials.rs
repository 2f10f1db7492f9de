//! The user's credentials for a registry: from `docker login`, `podman login`, a credential helper or the
//! configuration of package registries.

mod file;
mod files;

use std::io;
use std::sync::Arc;

use zeroize::Zeroizing;

pub use self::files::logins;
use super::Error;

/// The credentials for a registry. No `Debug`, since they are secret.
#[derive(Clone)]
pub(super) enum Credentials {
    /// No credentials.
    Anonymous,
    /// A user name and a password.
    Basic { user: String, password: Zeroizing<String> },
    /// A token that the registry itself accepts.
    Bearer(Zeroizing<String>),
    /// A token to be exchanged for one that the registry accepts. `az acr login` and similar commands store
    /// one.
    Identity(Zeroizing<String>),
    /// No credentials, because a file or a helper that should have them could not be read, for this reason.
    Unknown(Arc<Error>),
}

impl Credentials {
    /// Returns the user, for messages.
    pub(super) fn who(&self) -> String {
        match self {
            Self::Anonymous => "you are not logged in".to_owned(),
            Self::Basic { user, .. } => format!("as the user `{user}`"),
            Self::Bearer(_) | Self::Identity(_) => "with the token that you have for it".to_owned(),
            Self::Unknown(why) => {
                let cause = std::error::Error::source(&**why);
                let cause = cause.map_or_else(String::new, |cause| format!(": {cause}"));
                format!("the request had no login ({why}{cause})")
            }
        }
    }

    /// Returns whether no credentials are sent.
    pub(super) fn is_none(&self) -> bool {
        matches!(self, Self::Anonymous | Self::Unknown(_))
    }

    /// Returns why the credentials are missing, if they should be known.
    pub(super) fn unknown(&self) -> Option<&Arc<Error>> {
        match self {
            Self::Unknown(why) => Some(why),
            _ => None,
        }
    }
}

/// Returns whether an error means that there is no file. /dev/null and similar files count as missing.
fn is_none(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
