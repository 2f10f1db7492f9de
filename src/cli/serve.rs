//! The flags of `kwasm serve`.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use clap::builder::RangedU64ValueParser;

use super::command::{Command, Verbosity};
use super::error::{Error, texts};
use crate::policy::duration;
use crate::server::{Options, Tls, Webhook};

// The flags that say where a server listens, and what it bounds.
#[derive(clap::Args)]
pub(super) struct Serving {
    /// A file (./x.wasm), an installed plugin, HOST/REPOSITORY:TAG or NAMESPACE:NAME[@VERSION]
    source: String,
    /// The policy that limits it, as for kwasm run
    #[arg(long, value_name = "NAME|FILE")]
    policy: Option<String>,
    /// Listen at this address; 0.0.0.0:8080 is all of this machine's
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    addr: SocketAddr,
    /// Listen at this address for /metrics, /healthz and /readyz [default: do not]
    #[arg(long, value_name = "ADDRESS:PORT")]
    metrics_addr: Option<SocketAddr>,
    /// Use TLS with this certificate in PEM, which is read again when it changes
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Answer the reviews of an admission webhook, and check its verdicts; a mutating one may change objects, too
    #[arg(long, value_name = "KIND", num_args = 0..=1, require_equals = true, default_missing_value = "validating")]
    webhook: Option<Kind>,
    /// The time for a whole answer, e.g. 10s or 5m
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = time)]
    deadline: Duration,
    /// The most requests at a time, each of which takes an instance; further ones are answered with 429
    #[arg(long, value_name = "NUMBER", default_value = "100", value_parser = RangedU64ValueParser::<u32>::new().range(1..=10_000))]
    max_requests: u32,
    /// The most connections at a time; further ones wait
    #[arg(long, value_name = "NUMBER", default_value = "1000", value_parser = RangedU64ValueParser::<u32>::new().range(1..=100_000))]
    max_connections: u32,
    /// The time for requests under way when the server is to end (SIGTERM, Ctrl-C)
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = time)]
    grace: Duration,
    /// The component's own arguments
    #[arg(last = true, value_name = "ARG")]
    arguments: Vec<OsString>,
}

impl Serving {
    pub(super) fn command(self, verbosity: Verbosity) -> Result<Command, Error> {
        let tls = self.tls_cert.zip(self.tls_key).map(|(certificate, key)| Tls { certificate, key });
        let options = Options {
            address: self.addr,
            metrics: self.metrics_addr,
            tls,
            webhook: self.webhook.map(Webhook::from),
            deadline: self.deadline,
            requests: self.max_requests,
            connections: self.max_connections,
            grace: self.grace,
        };
        Ok(Command::Serve {
            source: self.source.parse()?,
            policy: self.policy,
            options,
            verbosity,
            arguments: texts(self.arguments)?,
        })
    }
}

/// The kinds of webhooks.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Kind {
    Validating,
    Mutating,
}

impl From<Kind> for Webhook {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Validating => Self::Validating,
            Kind::Mutating => Self::Mutating,
        }
    }
}

fn time(text: &str) -> Result<Duration, &'static str> {
    duration(text).ok_or("not a time, such as 10s or 5m")
}
