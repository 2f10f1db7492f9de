//! What a command deploys into a cluster.

use clap::ValueEnum;

use crate::deploy::{FailurePolicy, Operation, Resource};
use crate::reference::Image;

/// What to deploy, and how.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Deployment {
    /// What it does in the cluster.
    pub task: DeployedTask,
    /// How the component comes into the pod; by its source if `None`.
    pub via: Option<Via>,
    /// The image of kwasm.
    pub image: String,
    /// The image that a volume is of, if it is not the one that was published beside the plugin.
    pub volume: Option<Image>,
    /// Whether the namespace is printed, too.
    pub creates_namespace: bool,
    /// The `RuntimeClass` whose shim runs it without kwasm.
    pub shim: Option<String>,
}

/// What a plugin does in a cluster.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum DeployedTask {
    /// It runs once.
    Job {
        /// The number of its parts.
        shards: Option<u32>,
    },
    /// It runs on a schedule.
    Cron {
        /// The schedule.
        schedule: String,
        /// The number of its parts.
        shards: Option<u32>,
    },
    /// It answers requests.
    Serve {
        /// The number of its pods.
        replicas: u32,
    },
    /// It reviews admissions.
    Webhook {
        /// The number of its pods.
        replicas: u32,
        /// Whether it may change objects.
        mutates: bool,
        /// The resources.
        resources: Vec<Resource>,
        /// The operations.
        operations: Vec<Operation>,
        /// What becomes of requests that it could not review.
        failure_policy: FailurePolicy,
        /// The seconds for a review.
        timeout: u8,
        /// Whether cert-manager issues its certificate.
        cert_manager: bool,
    },
}

/// The ways in which a component comes into a pod.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Via {
    /// An init container of kwasm installs it from its registry, by its digest
    Install,
    /// The kubelet mounts the image that kwasm publish --volume published beside it
    ImageVolume,
    /// A `ConfigMap` has it, of 1 MiB at most
    Configmap,
    /// A Secret has it, of 1 MiB at most
    Secret,
}
