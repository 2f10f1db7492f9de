//! Errors of what cannot be deployed.

use crate::message::Explain;

/// The reason why there are no manifests.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No certificate can be made, for this reason.
    #[error("cannot make a certificate: {0}")]
    Certificate(String),
    /// The reference of an installed plugin leads elsewhere meanwhile.
    #[error("{name}: {reference} leads to another artifact now than when it was installed")]
    Moved {
        /// The plugin.
        name: String,
        /// The reference.
        reference: String,
    },
    /// The source is not in a registry.
    #[error("{0}: it is not in a registry, from which a pod could get it")]
    NoReference(String),
    /// The image of a volume is not named by a digest.
    #[error("--volume-image: it has no digest, and what a tag means may change")]
    NoVolumeDigest,
    /// The component is too large for an object.
    #[error("{name}: its {size} bytes are more than the 1048576 that a ConfigMap or a Secret holds")]
    TooLarge {
        /// The plugin.
        name: String,
        /// The component's size in bytes.
        size: usize,
    },
}

impl Explain for Error {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Certificate(_) => return None,
            Self::Moved { name, reference } => {
                return Some(format!("kwasm upgrade {name} installs that; or deploy {reference} itself"));
            }
            Self::NoReference(_) => {
                "publish it (kwasm publish; with --volume for --via image-volume) and deploy that, or take --via configmap, up to 1 MiB"
            }
            Self::NoVolumeDigest => "write it as HOST/REPOSITORY@sha256:…",
            Self::TooLarge { .. } => "publish it (kwasm publish) and deploy that",
        };
        Some(hint.to_owned())
    }
}
