//! PEM in a kubeconfig: base64 in the file itself, else a file of its own.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::file;
use super::secret::Secret;

/// Where some PEM is.
#[derive(Clone)]
pub(super) enum Pem {
    /// In the kubeconfig, as base64.
    Data(Secret),
    /// In this file.
    File(PathBuf),
}

impl Pem {
    /// The PEM of an entry that may have both: what is in the kubeconfig itself, as client-go prefers it.
    pub(super) fn of(data: Option<&str>, file: Option<&Path>) -> Option<Self> {
        let data = data.filter(|data| !data.is_empty()).map(|data| Self::Data(Secret::from(data.to_owned())));
        data.or_else(|| file.map(|path| Self::File(path.to_owned())))
    }

    /// The file, if it is one.
    pub(super) fn file(&self) -> Option<&Path> {
        match self {
            Self::Data(_) => None,
            Self::File(path) => Some(path),
        }
    }

    /// The text; why there is none.
    pub(super) fn read(&self) -> Result<Zeroizing<Vec<u8>>, String> {
        match self {
            Self::Data(data) => {
                let clean = Zeroizing::new(data.reveal().split_ascii_whitespace().collect::<String>());
                STANDARD
                    .decode(clean.as_bytes())
                    .map(Zeroizing::new)
                    .map_err(|_| "it is no base64".to_owned())
            }
            Self::File(path) => file::read(path).map_err(|error| format!("{}: {error}", path.display())),
        }
    }
}
