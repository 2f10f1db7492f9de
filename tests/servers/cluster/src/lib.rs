//! A real Kubernetes control plane on loopback, for tests.
//!
//! etcd, kube-apiserver (RBAC, audit log), kube-controller-manager, kube-scheduler, and kwok as the kubelet
//! of `node-1`: pods become Running, and `logs`, `exec`, `attach` and `port-forward` work through the API
//! server.
//!
//! ```no_run
//! use kwasm_cluster::{Assets, Cluster, User};
//! let assets = Assets::find_or_build(&kwasm_cluster::default_cache())?;
//! let cluster = Cluster::start(&assets)?;
//! let pods = cluster.kubectl().args(["get", "pods"]).output()?;
//! let alice = cluster.kubeconfig(User::Alice);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A cluster belongs to a process of its own, the supervisor (`kwasm-cluster serve`), which ends it when its
//! standard input closes. So a killed test leaves nothing running, since its end of the pipe closes with it.
//! The programs depend on the supervisor in the same way, so that a killed supervisor leaves nothing either.

#![expect(clippy::disallowed_methods, reason = "the bans are for the host; this runs beside it, in tests")]

mod assets;
mod certificates;
mod cluster;
mod der;
mod environment;
mod error;
mod fill;
pub mod filled;
mod flags;
mod folder;
mod go_module;
mod hex;
mod kubeconfig;
mod node;
mod plane;
mod process;
mod program;
mod ready;
mod setup;
pub mod standing;
pub mod supervisor;

pub use assets::{Assets, Unavailable, default_cache};
pub use cluster::Cluster;
pub use der::without_extensions;
pub use error::{Error, chain};
pub use kubeconfig::User;
pub use program::Program;
pub use ready::Ready;
