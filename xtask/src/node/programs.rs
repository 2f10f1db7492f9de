//! The programs of a node, in a folder as `kwasm-cluster serve --node` takes it.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{go_module, image::Writer, places::Places, process, tools};

/// The release of Debian from which what is not built comes, and its packages with what they have here. Nothing is installed.
const SUITE: &str = "bookworm";
const PACKAGES: [(&str, &str, &str); 3] = [
    ("runc", "usr/sbin/runc", "runc"),
    ("containernetworking-plugins", "usr/lib/cni", "cni"),
    ("busybox-static", "bin/busybox", "busybox"),
];

/// The flags of the build. The version is the one that the programs report, which the API server compares.
const FLAGS: [&str; 8] = [
    "build",
    "-trimpath",
    "-buildvcs=false",
    "-tags=no_btrfs,no_devmapper,no_zfs",
    "-ldflags=-s -w -X k8s.io/component-base/version.gitVersion=v1.36.3 -X k8s.io/component-base/version.gitMajor=1 \
     -X k8s.io/component-base/version.gitMinor=36 -X k8s.io/client-go/pkg/version.gitVersion=v1.36.3",
    // The module's own program, and those of containerd, which it lists as tools.
    ".",
    "tool",
    "-o",
];

/// The names by which the module's own program is started.
const NAMES: [&str; 2] = ["kubelet", "kube-proxy"];

/// Returns the folder, and makes it if necessary, once for each version of what it is made of.
pub(super) fn folder(places: &Places, writer: &Writer) -> Result<PathBuf> {
    let nodes = places.cache.join("node");
    fs::create_dir_all(&nodes).with_context(|| format!("cannot create {}", nodes.display()))?;
    let module = places.root.join("tests/servers/node");
    let folder = nodes.join(go_module::key(&module, &(SUITE, PACKAGES, FLAGS, NAMES))?);
    // Two clones on one machine share it: the second waits for the first.
    let lock = File::create(nodes.join("lock"))?;
    lock.lock()?;
    if !folder.is_dir() {
        eprintln!("building a node once (5 minutes), into {}", folder.display());
        let unfinished = nodes.join("unfinished");
        remove(&unfinished)?;
        fs::create_dir(&unfinished)?;
        build(&module, &unfinished)?;
        for (package, content, name) in PACKAGES {
            unpack(places, package, content, &unfinished.join(name))?;
        }
        link(&tools::DOCKER_REGISTRY.find_or_build(places)?, &unfinished.join("docker-registry"))?;
        pause(writer, &unfinished)?;
        fs::rename(&unfinished, &folder)?;
    }
    Ok(folder)
}

fn build(module: &Path, folder: &Path) -> Result<()> {
    // Go wants a folder for several programs, and knows one by the slash at its end.
    let out = format!("{}/", folder.display());
    let (what, flags) = (&FLAGS[5..7], [&FLAGS[..5], &FLAGS[7..]].concat());
    // The machine is used for something else meanwhile.
    process::run(Command::new("nice").arg("go").args(flags).arg(out).args(what).current_dir(module))?;
    NAMES.iter().try_for_each(|name| link(Path::new("node"), &folder.join(name)))
}

fn unpack(places: &Places, package: &str, content: &str, to: &Path) -> Result<()> {
    let unpacked = to.with_extension("unpacked");
    let mut unpack = Command::new(places.root.join(".ci").join("debian-unpack"));
    process::run_for_reason(unpack.args([SUITE, package]).arg(&unpacked))?;
    fs::rename(unpacked.join(content), to)
        .with_context(|| format!("Debian's package {package} lacks {content}"))?;
    remove(&unpacked)
}

/// Writes the image of the container that holds a pod's namespaces: all that it does is to be there. Pods of tests use its busybox.
fn pause(writer: &Writer, folder: &Path) -> Result<()> {
    let options = [
        format!("--file=/bin/busybox={}", folder.join("busybox").display()),
        "--temporary=/tmp".to_owned(),
        "--entrypoint=/bin/busybox".to_owned(),
        "--entrypoint=sleep".to_owned(),
        "--entrypoint=2147483647".to_owned(),
        "--env=PATH=/bin".to_owned(),
        format!("--name={}", super::PAUSE),
    ];
    writer.write(&options, folder.join("pause.tar")).map(drop)
}

fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    Ok(())
}

#[cfg(unix)]
fn link(to: &Path, at: &Path) -> Result<()> {
    std::os::unix::fs::symlink(to, at).with_context(|| format!("cannot create {}", at.display()))
}

/// Nodes are of Linux.
#[cfg(not(unix))]
fn link(_: &Path, at: &Path) -> Result<()> {
    anyhow::bail!("cannot create {}", at.display())
}
