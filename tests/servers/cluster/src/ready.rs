//! What the supervisor says once its cluster is ready: one line of JSON.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Where everything of a cluster is. Paths are absolute.
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
    /// What every container logs, in CRI format. Append to it, and `logs -f` shows it.
    pub pod_log: PathBuf,
    /// The names of the programs that run.
    pub programs: Vec<String>,
}

/// The supervisor's line.
#[derive(Debug, Deserialize, Serialize)]
#[serde(untagged)]
pub(crate) enum Line {
    /// The cluster is ready.
    Ready(Ready),
    /// There will be none.
    Failed {
        /// Why, in words.
        error: String,
    },
}
