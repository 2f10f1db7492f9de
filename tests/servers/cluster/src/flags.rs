//! The command line of each program. Paths are relative: every program works in the cluster's folder.

use std::net::{Ipv4Addr, TcpListener};

use crate::error::Error;
use crate::node;

/// The ports of one cluster, all on 127.0.0.1.
#[derive(Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) api: u16,
    pub(crate) etcd: u16,
    pub(crate) kubelet: u16,
}

impl Ports {
    /// Asks the system for ports that are free now. Another process may be faster to take them.
    pub(crate) fn free() -> Result<Self, Error> {
        // All are held at once, so that they differ.
        let listen = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(Error::at("127.0.0.1:0"));
        let (api, etcd, kubelet) = (listen()?, listen()?, listen()?);
        let port = |listener: &TcpListener| {
            listener.local_addr().map(|address| address.port()).map_err(Error::at("127.0.0.1:0"))
        };
        Ok(Self { api: port(&api)?, etcd: port(&etcd)?, kubelet: port(&kubelet)? })
    }
}

pub(crate) fn etcd(ports: Ports) -> Vec<String> {
    let client = format!("http://127.0.0.1:{}", ports.etcd);
    let own = [
        format!("--listen-client-urls={client}"),
        format!("--advertise-client-urls={client}"),
        // The only member has no peer to announce the port to.
        "--listen-peer-urls=http://127.0.0.1:0".into(),
    ];
    // Losing data in a crash of the machine does not matter.
    with(own, &["--data-dir=etcd", "--unsafe-no-fsync", "--log-level=warn"])
}

/// Returns the arguments. `pods` states whether there are controllers to make the service account that a pod
/// needs, and `is_node_real` whether there is a real node, whose pods reach the server by its address.
pub(crate) fn kube_apiserver(ports: Ports, pods: bool, is_node_real: bool) -> Vec<String> {
    let (address, reached) = if is_node_real { (node::ADDRESS, NODE) } else { ("127.0.0.1", LOOPBACK) };
    let own = [
        format!("--etcd-servers=http://127.0.0.1:{}", ports.etcd),
        format!("--secure-port={}", ports.api),
        // Otherwise it looks for the machine's outward address, and fails without a network.
        format!("--advertise-address={address}"),
        format!("--disable-admission-plugins={}", if pods { "" } else { "ServiceAccount" }),
    ];
    let fixed = with(
        own,
        &[
            "--tls-cert-file=server.crt",
            "--tls-private-key-file=server.key",
            "--client-ca-file=ca.crt",
            "--token-auth-file=tokens.csv",
            "--allow-privileged",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--service-account-issuer=https://kubernetes.default.svc",
            "--service-account-key-file=sa.pub",
            "--service-account-signing-key-file=sa.key",
            "--kubelet-certificate-authority=ca.crt",
            "--kubelet-client-certificate=admin.crt",
            "--kubelet-client-key=admin.key",
            "--kubelet-preferred-address-types=InternalIP",
            "--audit-policy-file=audit.yaml",
            "--audit-log-path=audit.log",
        ],
    );
    fixed.into_iter().chain(reached.iter().map(ToString::to_string)).collect()
}

/// How an API server for this machine alone is reached.
const LOOPBACK: &[&str] =
    &["--bind-address=127.0.0.1", "--endpoint-reconciler-type=none", "--authorization-mode=RBAC"];

/// How one for pods is reached, and what keeps a kubelet to its own node.
const NODE: &[&str] = &[
    "--bind-address=0.0.0.0",
    "--authorization-mode=Node,RBAC",
    "--enable-admission-plugins=NodeRestriction",
];

pub(crate) fn kube_controller_manager() -> Vec<String> {
    with(
        [],
        &[
            "--kubeconfig=manager.kubeconfig",
            "--use-service-account-credentials",
            "--leader-elect=false",
            "--secure-port=0",
            "--service-account-private-key-file=sa.key",
            "--root-ca-file=ca.crt",
            "--kube-api-qps=500",
            "--kube-api-burst=1000",
        ],
    )
}

pub(crate) fn kube_scheduler() -> Vec<String> {
    with(
        [],
        &[
            "--kubeconfig=scheduler.kubeconfig",
            "--leader-elect=false",
            "--secure-port=0",
            "--kube-api-qps=500",
            "--kube-api-burst=1000",
        ],
    )
}

pub(crate) fn kwok(ports: Ports) -> Vec<String> {
    let own =
        [format!("--node-port={}", ports.kubelet), format!("--server-address=127.0.0.1:{}", ports.kubelet)];
    with(
        own,
        &[
            "--kubeconfig=admin.kubeconfig",
            "--config=stages.yaml",
            "--config=kubelet.yaml",
            "--manage-all-nodes",
            "--node-ip=127.0.0.1",
            "--node-lease-duration-seconds=40",
            "--tls-cert-file=server.crt",
            "--tls-private-key-file=server.key",
        ],
    )
}

fn with<const N: usize>(own: [String; N], fixed: &[&str]) -> Vec<String> {
    own.into_iter().chain(fixed.iter().map(ToString::to_string)).collect()
}
