//! The supervisor's report once its cluster is ready: one line of JSON.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The paths and addresses of a cluster. Paths are absolute.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ready {
    /// The cluster's folder, with a log for each program. It goes with the cluster.
    pub dir: PathBuf,
    /// The API server, e.g. `https://127.0.0.1:40123`.
    pub server: String,
    /// The certificate of the cluster's authority, in PEM.
    pub ca_file: PathBuf,
    /// The kubectl of the server's version.
    pub kubectl: PathBuf,
    /// The program that answers what the API server makes of a request, if the assets have it.
    pub oracle: Option<PathBuf>,
    /// The audit log: a line of JSON for each request, at level `Metadata`, written before the response ends.
    pub audit: PathBuf,
    /// The kubeconfig of each user.
    pub users: BTreeMap<String, PathBuf>,
    /// The log of every container, in CRI format. Lines appended to it are shown by `logs -f`.
    pub pod_log: PathBuf,
    /// The host and port of a registry, beside a real node. Its certificate is the API server's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
    /// The names of the programs that run.
    pub programs: Vec<String>,
}

/// The supervisor's line.
#[derive(Debug, Deserialize, Serialize)]
#[serde(untagged)]
pub(crate) enum Line {
    /// The cluster is ready.
    Ready(Box<Ready>),
    /// The cluster will not start.
    Failed {
        /// The reason, in words.
        error: String,
    },
}
