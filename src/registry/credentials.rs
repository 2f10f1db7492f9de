//! Who the user is at a registry: what `docker login`, `podman login`, a credential helper or the configuration of package
//! registries knows.

mod file;
mod files;

use std::io;
use std::sync::Arc;

use zeroize::Zeroizing;

pub use self::files::logins;
use super::Error;

/// What a registry is shown. No `Debug`: it is secret.
#[derive(Clone)]
pub(super) enum Credentials {
    /// Nothing.
    Anonymous,
    /// A user's name and password.
    Basic { user: String, password: Zeroizing<String> },
    /// A token that the registry itself takes.
    Bearer(Zeroizing<String>),
    /// A token that is exchanged for one that the registry takes: `az acr login` and its like leave one.
    Identity(Zeroizing<String>),
    /// Nothing, since a file or a helper that should know the user could not be read: why.
    Unknown(Arc<Error>),
}

impl Credentials {
    /// For messages: who this is.
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

    /// Returns whether a registry is shown nothing.
    pub(super) fn is_none(&self) -> bool {
        matches!(self, Self::Anonymous | Self::Unknown(_))
    }

    /// Why no more is known of the user, where more should be.
    pub(super) fn unknown(&self) -> Option<&Arc<Error>> {
        match self {
            Self::Unknown(why) => Some(why),
            _ => None,
        }
    }
}

/// Returns whether an error says that there is no file. /dev/null and the like stand for none.
fn is_none(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
