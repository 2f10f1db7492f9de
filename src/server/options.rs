//! What a server is told.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::admission::Webhook;

/// Where to listen, and what is bounded.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Options {
    /// The address for requests.
    pub address: SocketAddr,
    /// The address for metrics and health, which is not for everyone.
    pub metrics: Option<SocketAddr>,
    /// The certificate, without which there is no TLS.
    pub tls: Option<Tls>,
    /// The reviews that are answered, if it is an admission webhook, and nothing else is.
    pub webhook: Option<Webhook>,
    /// The time for a whole answer.
    pub deadline: Duration,
    /// The most requests at a time, each of which takes an instance.
    pub requests: u32,
    /// The most connections at a time.
    pub connections: u32,
    /// The time for what is under way when it is to end.
    pub grace: Duration,
}

/// The files of a certificate, as in a Secret of the type `kubernetes.io/tls`. They are read again when they change.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Tls {
    /// The certificate with those above it, in PEM.
    pub certificate: PathBuf,
    /// Its private key, in PEM.
    pub key: PathBuf,
}

/// Is told in words what operators should know.
pub type Log = Arc<dyn Fn(&str) + Send + Sync>;
