//! The programs of a control plane, and how they are called on disk.

use std::env::consts::EXE_SUFFIX;
use std::fmt;

/// One program of the control plane, or one of the tools that come with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// The store behind the API server.
    Etcd,
    /// The API server.
    KubeApiserver,
    /// The controllers: deployments, service accounts, garbage collection, aggregated roles.
    KubeControllerManager,
    /// Answers what the API server makes of a request, without a server: JSON lines in, JSON lines out.
    KubeOracle,
    /// Binds pods to nodes.
    KubeScheduler,
    /// The client.
    Kubectl,
    /// The kubelet of every node, simulated.
    Kwok,
    /// Prints the stages that kwok plays: how a node becomes Ready and a pod Running.
    KwokStages,
}

impl Program {
    /// Every program.
    pub const ALL: [Self; 8] = [
        Self::Etcd,
        Self::KubeApiserver,
        Self::KubeControllerManager,
        Self::KubeOracle,
        Self::KubeScheduler,
        Self::Kubectl,
        Self::Kwok,
        Self::KwokStages,
    ];

    /// The programs without which there is no cluster: those that `setup-envtest` installs.
    pub const REQUIRED: [Self; 3] = [Self::Etcd, Self::KubeApiserver, Self::Kubectl];

    /// Returns the name by which the program is started, e.g. `kube-apiserver`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::KubeApiserver => "kube-apiserver",
            Self::KubeControllerManager => "kube-controller-manager",
            Self::KubeOracle => "kube-oracle",
            Self::KubeScheduler => "kube-scheduler",
            Self::Kubectl => "kubectl",
            Self::Kwok => "kwok",
            Self::KwokStages => "kwok-stages",
        }
    }

    /// Returns the name of the program's file on this platform, e.g. `etcd.exe`.
    #[must_use]
    pub fn file(self) -> String {
        format!("{}{EXE_SUFFIX}", self.name())
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
