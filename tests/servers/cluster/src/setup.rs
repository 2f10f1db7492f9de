//! The files that the programs read, and the objects that make an empty cluster useful.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::assets::Assets;
use crate::certificates::{Authority, Pair};
use crate::error::Error;
use crate::folder::Folder;
use crate::hex::hex;
use crate::kubeconfig::{self, Credential, Trust, User};
use crate::node;
use crate::program::Program;

/// A day in the past, so that tests may know what `logs --timestamps` prints.
const POD_LOG: &str = "2026-01-01T00:00:00.000000000Z stdout F hello from a pod\n";

/// A program behind a port, which runs the command that it receives as its first line.
const TOLD: &str = "read -r command && eval \"$command\"";

/// A port at which nobody listens: that of a service that is long out of use (tcpmux).
const SILENT: u16 = 1;

const AUDIT_POLICY: &str = "\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules: [{level: Metadata}]
";

/// Certificates, keys and tokens. They depend on no port, so a second attempt keeps them.
pub(crate) struct Credentials {
    authority: String,
    token: String,
    carol: Pair,
}

impl Credentials {
    pub(crate) fn write(folder: &Folder) -> Result<Self, Error> {
        let authority = Authority::new()?;
        let save = |name: &str, pair: &Pair| {
            folder.write(&format!("{name}.crt"), &pair.certificate)?;
            folder.write(&format!("{name}.key"), &pair.key)
        };
        folder.write("ca.crt", authority.certificate())?;
        save("server", &authority.server()?)?;
        save("admin", &authority.client("admin", Some(User::Admin.group()))?)?;
        save("alice", &authority.client_v1("alice", Some(User::Alice.group()))?)?;
        save("manager", &authority.client("system:kube-controller-manager", None)?)?;
        save("scheduler", &authority.client("system:kube-scheduler", None)?)?;
        for (name, user, group) in node::USERS {
            save(name, &authority.client(user, group)?)?;
        }

        let service_accounts = rcgen::KeyPair::generate()?;
        folder.write("sa.key", service_accounts.serialize_pem())?;
        folder.write("sa.pub", service_accounts.public_key_pem())?;

        // A fresh key's digest is as hard to guess as the key.
        let token = hex(&Sha256::digest(rcgen::KeyPair::generate()?.serialized_der())[..16]);
        folder.write("tokens.csv", format!("{token},bob,1001,\"{}\"\n", User::Bob.group()))?;

        let carol = authority.client("carol", Some(User::Carol.group()))?;
        Ok(Self { authority: authority.certificate(), token, carol })
    }

    /// Writes a kubeconfig for each user and for the programs that are clients themselves.
    pub(crate) fn write_kubeconfigs(&self, folder: &Folder, server: &str) -> Result<(), Error> {
        let ca = folder.join("ca.crt");
        let by_file = |name: &str| {
            let (crt, key) = (folder.join(&format!("{name}.crt")), folder.join(&format!("{name}.key")));
            kubeconfig::text(server, &Trust::File(&ca), name, &Credential::Files(&crt, &key))
        };
        let of_node = node::USERS.map(|(name, ..)| name);
        for name in ["admin", "alice", "manager", "scheduler"].into_iter().chain(of_node) {
            folder.write(&file_of(name), by_file(name))?;
        }
        let bob = kubeconfig::text(server, &Trust::File(&ca), "bob", &Credential::Token(&self.token));
        folder.write(&file_of("bob"), bob)?;
        let inline = Trust::Inline(&self.authority);
        let carol = kubeconfig::text(server, &inline, "carol", &Credential::Inline(&self.carol));
        folder.write(&file_of("carol"), carol)?;
        Ok(())
    }
}

/// Returns the name of a kubeconfig in the cluster's folder, e.g. `alice.kubeconfig`.
pub(crate) fn file_of(user: &str) -> String {
    format!("{user}.kubeconfig")
}

/// Writes the audit policy, and the behaviour of pods. `etcd` is the port that forwarded ports lead
/// to: it answers HTTP (`GET /version`). But port 1 runs the command that it receives, and at port 2 nobody listens.
pub(crate) fn write_configuration(folder: &Folder, etcd: u16) -> Result<(), Error> {
    folder.write("audit.yaml", AUDIT_POLICY)?;
    folder.write("pod.log", POD_LOG)?;
    let log = folder.join("pod.log");
    let kubelet = [
        ("ClusterLogs", json!({ "logs": [{ "logsFile": log, "follow": true }] })),
        ("ClusterExec", json!({ "execs": [{ "local": { "workDir": folder.path() } }] })),
        ("ClusterAttach", json!({ "attaches": [{ "logsFile": log }] })),
        (
            "ClusterPortForward",
            json!({ "forwards": [
                { "ports": [1], "command": ["sh", "-c", TOLD] },
                { "ports": [2], "target": { "port": SILENT, "address": "127.0.0.1" } },
                { "target": { "port": etcd, "address": "127.0.0.1" } },
            ] }),
        ),
    ];
    let kubelet = kubelet.map(|(kind, spec)| {
        let api = "kwok.x-k8s.io/v1alpha1";
        json!({ "apiVersion": api, "kind": kind, "metadata": { "name": "all" }, "spec": spec }).to_string()
    });
    // Each document is JSON, which is YAML.
    folder.write("kubelet.yaml", kubelet.join("\n---\n"))?;
    Ok(())
}

/// Returns the objects that every cluster starts with, as a list for `kubectl create -f -`. A real node makes its own.
pub(crate) fn objects(assets: &Assets, is_simulated: bool) -> String {
    // The role `admin` is aggregated of these by a controller; without controllers it stays empty.
    let aggregated = ["system:aggregate-to-admin", "system:aggregate-to-edit", "system:aggregate-to-view"];
    let roles = match assets.program(Program::KubeControllerManager) {
        Some(_) => vec!["admin"],
        None => aggregated.to_vec(),
    };
    let api_group = "rbac.authorization.k8s.io";
    let bindings = roles.into_iter().map(|role| {
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": { "name": format!("dev-{}", role.replace(':', "-")) },
            "roleRef": { "apiGroup": api_group, "kind": "ClusterRole", "name": role },
            "subjects": [{ "apiGroup": api_group, "kind": "Group", "name": User::Alice.group() }],
        })
    });
    let node = json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": node::NAME } });
    let items: Vec<Value> = bindings.chain(is_simulated.then_some(node)).collect();
    json!({ "apiVersion": "v1", "kind": "List", "items": items }).to_string()
}

/// Returns the first part of the cluster that is not as tests expect it, read from `kubectl get -o json` of
/// [`AWAITED`].
pub(crate) fn lacks(state: &Value) -> Option<&'static str> {
    let items = state["items"].as_array().map_or(&[][..], Vec::as_slice);
    let find = |kind: &str| items.iter().find(|item| item["kind"] == kind).unwrap_or(&Value::Null);

    let node = find("Node");
    let conditions = node["status"]["conditions"].as_array().map_or(&[][..], Vec::as_slice);
    if !conditions.iter().any(|condition| condition["type"] == "Ready" && condition["status"] == "True") {
        return Some("node that is Ready");
    }
    // The scheduler goes by the taint, which a controller takes away some time after the node is Ready.
    if node["spec"]["taints"].as_array().is_some_and(|taints| !taints.is_empty()) {
        return Some("node without a taint");
    }
    if find("ClusterRole")["rules"].as_array().is_none_or(Vec::is_empty) {
        return Some("rule in the role admin");
    }
    if find("ServiceAccount").is_null() {
        return Some("service account for pods");
    }
    None
}

/// The objects that [`lacks`] inspects.
pub(crate) const AWAITED: [&str; 3] = ["node/node-1", "clusterrole/admin", "serviceaccount/default"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_ready_only_when_node_role_and_service_account_are() {
        let node = |status: &str, taints: Value| {
            json!({ "kind": "Node", "spec": { "taints": taints },
                "status": { "conditions": [{ "type": "Ready", "status": status }] } })
        };
        let role = |rules: Value| json!({ "kind": "ClusterRole", "rules": rules });
        let account = json!({ "kind": "ServiceAccount" });
        let rules = json!([{ "verbs": ["get"] }]);
        let taint = json!([{ "key": "node.kubernetes.io/not-ready" }]);
        let ready = node("True", Value::Null);
        for (items, lacked) in [
            (json!([]), Some("node that is Ready")),
            (json!([node("False", Value::Null)]), Some("node that is Ready")),
            (json!([node("True", taint)]), Some("node without a taint")),
            (json!([ready, role(Value::Null)]), Some("rule in the role admin")),
            (json!([ready, role(rules.clone())]), Some("service account for pods")),
            (json!([ready, role(rules), account]), None),
        ] {
            assert_eq!(lacks(&json!({ "items": items })), lacked, "{items}");
        }
    }
}
