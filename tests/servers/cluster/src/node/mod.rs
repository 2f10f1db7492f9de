//! A real node in place of the simulated one: containerd, the kubelet, kube-proxy, and a registry for their images.
//!
//! Its supervisor has to be in a network, a mount and a process namespace of its own, which xtask makes. So whatever a node does to its
//! machine is seen there alone, and the system undoes it when the supervisor goes, even by a kill: processes, mounts,
//! interfaces, firewall rules. Only control groups are left by a kill; the next node removes them.

mod cgroup;
mod configuration;
mod machine;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::assets::Origin;
use crate::error::Error;
use crate::folder::Folder;
use crate::process::Launch;
use cgroup::Cgroup;

/// The node's address, to which its programs listen as pods see it. Pods are in another network, 10.22.0.0/24.
pub(crate) const ADDRESS: &str = "10.231.0.1";
/// The registry, at the node's address.
pub(crate) const REGISTRY: &str = "10.231.0.1:5000";
/// The name of the node, the same as that of the simulated one.
pub(crate) const NAME: &str = "node-1";
/// The users of a node's programs: the name of the kubeconfig, the user and the group.
pub(crate) const USERS: [(&str, &str, Option<&str>); 2] =
    [("kubelet", "system:node:node-1", Some("system:nodes")), ("kube-proxy", "system:kube-proxy", None)];

/// A machine that is ready to be a node. Dropping it ends all containers, and removes what they have left, after the node's programs have
/// ended.
pub(crate) struct Node {
    programs: PathBuf,
    /// Everything that its programs keep.
    data: PathBuf,
    cgroup: Cgroup,
}

impl Node {
    /// Prepares the namespaces for the programs of a folder: `containerd`, `containerd-shim-runc-v2`, `ctr`, `docker-registry`, `kubelet`,
    /// `kube-proxy`, `runc`, the plugins of a network in `cni`, and `pause.tar`, the image whose container holds the namespaces of a pod.
    ///
    /// # Errors
    /// If it is not in namespaces of its own, or may not change them.
    pub(crate) fn prepare(programs: &Path, folder: &Folder) -> Result<Self, Error> {
        let programs = std::path::absolute(programs).map_err(Error::at(programs))?;
        machine::isolate(folder)?;
        machine::connect()?;
        let cgroup = Cgroup::new(folder)?;
        let data = folder.join("node");
        machine::mount_apart(&data)?;
        configuration::write(folder, &programs, &data, cgroup.name())?;
        Ok(Self { programs, data, cgroup })
    }

    /// Returns what containers need, with arguments: a registry and containerd.
    pub(crate) fn runtime(&self) -> [(Launch, Vec<String>); 2] {
        [
            self.launch("docker-registry", &["serve", "registry.json"]),
            self.launch("containerd", &["--config", "containerd.toml"]),
        ]
    }

    /// Returns what makes a node of it, with arguments. A kubelet ends if containerd does not listen.
    pub(crate) fn agents(&self) -> [(Launch, Vec<String>); 2] {
        let kept = |name: &str| self.data.join(name).display().to_string();
        [
            self.launch(
                "kubelet",
                &[
                    "--config=kubelet.json",
                    "--kubeconfig=kubelet.kubeconfig",
                    &format!("--root-dir={}", kept("kubelet")),
                    &format!("--cert-dir={}", kept("certificates")),
                    &format!("--hostname-override={NAME}"),
                    &format!("--node-ip={ADDRESS}"),
                ],
            ),
            self.launch("kube-proxy", &["--config=kube-proxy.json"]),
        ]
    }

    fn launch(&self, name: &'static str, arguments: &[&str]) -> (Launch, Vec<String>) {
        let launch = Launch { name, path: self.programs.join(name), origin: Origin::Given };
        (launch, arguments.iter().map(ToString::to_string).collect())
    }

    /// Returns the command that gives containerd the image of a pod's first container, which fails until containerd listens.
    pub(crate) fn import(&self) -> Command {
        let mut command = Command::new(self.programs.join("ctr"));
        command.arg("--address").arg(configuration::socket(&self.data));
        command.args(["--namespace", "k8s.io", "images", "import"]).arg(self.programs.join("pause.tar"));
        command
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.cgroup.end();
        machine::unmount(&self.data);
    }
}
