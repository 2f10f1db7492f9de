//! The cluster of a pod without a kubeconfig, by its service account (client-go, `rest/config.go`,
//! `InClusterConfig`; `tools/clientcmd/client_config.go`, `inClusterClientConfig`).

use std::fs;
use std::path::{Path, PathBuf};

use super::document::{ClusterEntry, UserEntry};
use super::file;
use crate::environment::Environment;

/// The folder in which the kubelet mounts a service account: the same path on every system.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Returns the cluster, the user and the namespace of the service account, or `None` outside of a cluster.
pub(super) fn entries(environment: &Environment) -> Option<(ClusterEntry, UserEntry, String)> {
    let folder = Path::new(SERVICE_ACCOUNT);
    let token = folder.join("token");
    let variable = |name| environment.variable(name)?.to_str();
    let (host, port) = (variable("KUBERNETES_SERVICE_HOST")?, variable("KUBERNETES_SERVICE_PORT")?);
    if !fs::metadata(&token).ok()?.is_file() {
        return None;
    }
    let server = if host.contains(':') {
        format!("https://[{host}]:{port}")
    } else {
        format!("https://{host}:{port}")
    };
    let cluster = ClusterEntry {
        server: Some(server),
        certificate_authority: Some(folder.join("ca.crt")).filter(|path| path.exists()),
        ..ClusterEntry::default()
    };
    // The token is read again every minute, like any token in a file: the kubelet renews it.
    let user = UserEntry { token_file: Some(token), origin: PathBuf::new(), ..UserEntry::default() };
    Some((cluster, user, namespace(environment, folder)))
}

fn namespace(environment: &Environment, folder: &Path) -> String {
    if let Some(name) = environment.variable("POD_NAMESPACE").and_then(|name| name.to_str()) {
        return name.to_owned();
    }
    let written = file::read_text(&folder.join("namespace")).unwrap_or_default();
    match written.trim() {
        "" => "default".to_owned(),
        name => name.to_owned(),
    }
}
