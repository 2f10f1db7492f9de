//! The files by which a node's programs are configured.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::{ADDRESS, NAME, REGISTRY};
use crate::error::Error;
use crate::folder::Folder;

/// The network of pods.
const PODS: &str = "10.22.0.0/24";
/// The image of a pod's first container, as `pause.tar` names it.
const PAUSE: &str = "localhost/pause:1";

/// Returns the socket at which containerd listens.
pub(super) fn socket(data: &Path) -> PathBuf {
    data.join("containerd.sock")
}

pub(super) fn write(folder: &Folder, programs: &Path, data: &Path, cgroup: &str) -> Result<(), Error> {
    folder.write("containerd.toml", containerd(folder, programs, data))?;
    folder.write("registry.json", registry(data).to_string())?;
    folder.write("kubelet.json", kubelet(folder, data, cgroup).to_string())?;
    folder.write("kube-proxy.json", kube_proxy().to_string())?;
    let hosts = folder.join("registries").join(REGISTRY);
    fs::create_dir_all(&hosts).map_err(Error::at(&hosts))?;
    let authority = folder.join("ca.crt");
    let trusted = format!("[host.\"https://{REGISTRY}\"]\nca = \"{}\"\n", authority.display());
    folder.write(&format!("registries/{REGISTRY}/hosts.toml"), trusted)?;
    let network = folder.join("network");
    fs::create_dir_all(&network).map_err(Error::at(&network))?;
    folder.write("network/pods.conflist", pods(data).to_string())?;
    Ok(())
}

fn containerd(folder: &Folder, programs: &Path, data: &Path) -> String {
    // A string of JSON is one of TOML, too.
    let quoted = |path: PathBuf| json!(path.to_string_lossy()).to_string();
    let (root, state, socket) =
        (quoted(data.join("images")), quoted(data.join("containers")), quoted(socket(data)));
    let program = |name: &str| quoted(programs.join(name));
    let (shim, runc, cni) = (program("containerd-shim-runc-v2"), program("runc"), program("cni"));
    let (registries, network) = (quoted(folder.join("registries")), quoted(folder.join("network")));
    format!(
        "\
version = 3
root = {root}
state = {state}
disabled_plugins = [\"io.containerd.nri.v1.nri\"]
[grpc]
address = {socket}
[plugins.\"io.containerd.cri.v1.images\".pinned_images]
sandbox = \"{PAUSE}\"
[plugins.\"io.containerd.cri.v1.images\".registry]
config_path = {registries}
[plugins.\"io.containerd.cri.v1.runtime\"]
# A process without CAP_SYS_RESOURCE cannot protect others from being chosen when memory runs out, and runc 1.1 then fails with
# `can't get final child's PID from pipe`.
restrict_oom_score_adj = true
[plugins.\"io.containerd.cri.v1.runtime\".cni]
bin_dirs = [{cni}]
conf_dir = {network}
[plugins.\"io.containerd.cri.v1.runtime\".containerd.runtimes.runc]
runtime_type = \"io.containerd.runc.v2\"
runtime_path = {shim}
[plugins.\"io.containerd.cri.v1.runtime\".containerd.runtimes.runc.options]
BinaryName = {runc}
"
    )
}

fn registry(data: &Path) -> serde_json::Value {
    json!({
        "version": 0.1,
        "log": {"level": "warn"},
        "storage": {"filesystem": {"rootdirectory": data.join("registry")}, "delete": {"enabled": true}},
        "http": {"addr": REGISTRY, "tls": {"certificate": "server.crt", "key": "server.key"}},
    })
}

/// Returns a network of pods on one bridge, which the node is on too.
fn pods(data: &Path) -> serde_json::Value {
    let addresses = json!({
        "type": "host-local", "dataDir": data.join("addresses"),
        "ranges": [[{"subnet": PODS}]], "routes": [{"dst": "0.0.0.0/0"}],
    });
    json!({
        "cniVersion": "1.0.0", "name": "pods",
        "plugins": [
            {"type": "bridge", "bridge": "pods", "isGateway": true, "hairpinMode": true, "ipam": addresses},
            {"type": "portmap", "capabilities": {"portMappings": true}},
        ],
    })
}

fn kubelet(folder: &Folder, data: &Path, cgroup: &str) -> serde_json::Value {
    let file = |name: &str| folder.join(name);
    json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
        "address": ADDRESS,
        "tlsCertFile": file("server.crt"), "tlsPrivateKeyFile": file("server.key"),
        "authentication": {
            "anonymous": {"enabled": false}, "webhook": {"enabled": true}, "x509": {"clientCAFile": file("ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "containerRuntimeEndpoint": format!("unix://{}", socket(data).display()),
        "podLogsDir": data.join("logs"),
        "cgroupRoot": format!("/{cgroup}"),
        "cgroupDriver": "cgroupfs",
        "failCgroupV1": false,
        "enforceNodeAllocatable": [],
        "failSwapOn": false,
        "localStorageCapacityIsolation": false,
        "makeIPTablesUtilChains": false,
        // Whatever else fills this machine's disk, pods stay, and so do their images.
        "evictionHard": {},
        "imageGCHighThresholdPercent": 100,
        "healthzPort": 0,
        "registryPullQPS": 0,
        // There is no DNS: a pod finds the API server by its variables.
        "resolvConf": "",
    })
}

fn kube_proxy() -> serde_json::Value {
    json!({
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": "kube-proxy.kubeconfig"},
        "hostnameOverride": NAME,
        "mode": "iptables",
        "clusterCIDR": PODS,
        // Pods are on one bridge: without it, one would answer another directly, from an address that was never asked.
        "iptables": {"masqueradeAll": true},
        // Settings of the machine, which it would change.
        "conntrack": {"maxPerCore": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    })
}
