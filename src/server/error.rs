//! Errors of a server that cannot begin.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::message::Explain;

/// The reason why no requests are answered.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address cannot be listened at.
    #[error("cannot listen at {address}")]
    Address {
        /// The address.
        address: SocketAddr,
        /// The reason.
        source: io::Error,
    },
    /// A file of the certificate cannot be read.
    #[error("{}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The files are no certificate with its key.
    #[error("{}: {reason}", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// What the environment says of a collector of traces cannot be used.
    #[error("cannot send traces: {0}")]
    Collector(String),
    /// The system lacks what a server requires.
    #[error("cannot set up the server")]
    System(#[source] io::Error),
}

impl Explain for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Address { source, .. } if source.kind() == io::ErrorKind::AddrInUse => {
                Some("another program listens there: choose another port with --addr".to_owned())
            }
            Self::Address { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                Some("ports below 1024 are the system's: choose another one with --addr".to_owned())
            }
            Self::Collector(_) => Some(
                "OTEL_EXPORTER_OTLP_ENDPOINT is the collector's URL for OTLP over HTTP, e.g. http://localhost:4318"
                    .to_owned(),
            ),
            Self::Address { .. } | Self::Unreadable { .. } | Self::Certificate { .. } | Self::System(_) => {
                None
            }
        }
    }
}
