//! The flags of `kwasm deploy`.

use std::ffi::OsString;

use clap::ValueEnum;
use clap::builder::RangedU64ValueParser;

use super::command::{Command, Verbosity};
use super::deployment::{DeployedTask, Deployment, Via};
use super::error::{Error, texts};
use super::serve::Kind;
use crate::deploy::{FailurePolicy, Operation};
use crate::environment::Connection;

// The flags that say what runs in a cluster, and how it comes there.
#[derive(clap::Args)]
#[expect(clippy::doc_markdown, reason = "it is the help, as it is shown")]
pub(super) struct Deploying {
    /// A file (./x.wasm), an installed plugin, HOST/REPOSITORY:TAG or NAMESPACE:NAME[@VERSION]
    source: String,
    /// The policy that limits it, as for kwasm run
    #[arg(long, value_name = "NAME|FILE")]
    policy: Option<String>,
    #[command(flatten)]
    task: TaskFlags,
    /// How the component comes into the pod [default: install from a registry, configmap from a file]
    #[arg(long, value_name = "WAY")]
    via: Option<Via>,
    /// The image of kwasm
    #[arg(long, value_name = "IMAGE", default_value = IMAGE)]
    image: String,
    /// Another image with plugin.wasm in it than the one that kwasm publish --volume published, for --via image-volume
    #[arg(long, value_name = "IMAGE@DIGEST")]
    volume_image: Option<String>,
    /// Print the namespace, too
    #[arg(long)]
    create_namespace: bool,
    /// Split a job into as many parts; each has KWASM_SHARD, from 0, and KWASM_SHARDS
    #[arg(long, value_name = "NUMBER", value_parser = RangedU64ValueParser::<u32>::new().range(1..=1000), conflicts_with_all = ["serve", "webhook"])]
    shards: Option<u32>,
    /// The pods of a server or a webhook
    #[arg(long, value_name = "NUMBER", default_value = "2", value_parser = RangedU64ValueParser::<u32>::new().range(1..=100))]
    replicas: u32,
    /// The resources that a webhook reviews, e.g. pods,deployments.apps
    #[arg(long = "for", value_name = "RESOURCE", value_delimiter = ',', requires = "webhook")]
    resources: Vec<String>,
    /// The operations that it reviews
    #[arg(
        long,
        value_name = "OPERATION",
        value_delimiter = ',',
        default_value = "create,update",
        requires = "webhook"
    )]
    operations: Vec<OperationName>,
    /// What becomes of requests that it could not review
    #[arg(long, value_name = "POLICY", default_value = "fail", requires = "webhook")]
    failure_policy: FailurePolicyName,
    /// The seconds for a review
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = RangedU64ValueParser::<u8>::new().range(1..=30), requires = "webhook")]
    timeout: u8,
    /// Let cert-manager issue the webhook's certificate, instead of an authority made for it now
    #[arg(long, requires = "webhook")]
    cert_manager: bool,
    /// Let a shim of containerd run the component as it is, without kwasm and its policy
    #[arg(long, value_name = "CLASS", requires = "yes_unsandboxed", conflicts_with_all = ["via", "serve", "webhook"])]
    runtime_class: Option<String>,
    /// Accept that such a shim gives it the whole network and its container's root folder
    #[arg(long, requires = "runtime_class")]
    yes_unsandboxed: bool,
    #[command(flatten, next_help_heading = "kubectl's connection flags")]
    connection: Connection,
    /// The plugin's own arguments
    #[arg(last = true, value_name = "ARG")]
    arguments: Vec<OsString>,
}

#[derive(clap::Args)]
#[group(multiple = false)]
struct TaskFlags {
    /// Run it once [default]
    #[arg(long)]
    job: bool,
    /// Run it again and again, e.g. '0 * * * *'
    #[arg(long, value_name = "SCHEDULE")]
    cron: Option<String>,
    /// Answer requests with it
    #[arg(long)]
    serve: bool,
    /// Review admissions with it; a mutating webhook may change objects, too
    #[arg(long, value_name = "KIND", num_args = 0..=1, require_equals = true, default_missing_value = "validating", requires = "resources")]
    webhook: Option<Kind>,
}

/// The image of this release.
const IMAGE: &str = concat!("ghcr.io/kwasm-dev/kwasm:", env!("CARGO_PKG_VERSION"));

#[derive(Clone, Copy, ValueEnum)]
enum OperationName {
    Create,
    Update,
    Delete,
    Connect,
}

#[derive(Clone, Copy, ValueEnum)]
enum FailurePolicyName {
    Fail,
    Ignore,
}

impl Deploying {
    pub(super) fn command(self, verbosity: Verbosity) -> Result<Command, Error> {
        let task = match self.task {
            TaskFlags { webhook: Some(kind), .. } => DeployedTask::Webhook {
                replicas: self.replicas,
                mutates: matches!(kind, Kind::Mutating),
                resources: self.resources.iter().map(|text| text.parse()).collect::<Result<_, _>>()?,
                operations: self.operations.into_iter().map(Operation::from).collect(),
                failure_policy: match self.failure_policy {
                    FailurePolicyName::Fail => FailurePolicy::Fail,
                    FailurePolicyName::Ignore => FailurePolicy::Ignore,
                },
                timeout: self.timeout,
                cert_manager: self.cert_manager,
            },
            TaskFlags { serve: true, .. } => DeployedTask::Serve { replicas: self.replicas },
            TaskFlags { cron: Some(schedule), .. } => DeployedTask::Cron { schedule, shards: self.shards },
            TaskFlags { .. } => DeployedTask::Job { shards: self.shards },
        };
        let deployment = Deployment {
            task,
            via: self.via,
            image: self.image,
            volume: self.volume_image.map(|image| image.parse()).transpose()?,
            creates_namespace: self.create_namespace,
            shim: self.runtime_class,
        };
        Ok(Command::Deploy {
            source: self.source.parse()?,
            policy: self.policy,
            deployment: Box::new(deployment),
            connection: self.connection,
            verbosity,
            arguments: texts(self.arguments)?,
        })
    }
}

impl From<OperationName> for Operation {
    fn from(name: OperationName) -> Self {
        match name {
            OperationName::Create => Self::Create,
            OperationName::Update => Self::Update,
            OperationName::Delete => Self::Delete,
            OperationName::Connect => Self::Connect,
        }
    }
}
