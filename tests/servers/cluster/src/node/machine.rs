//! What a node would change of its machine, in namespaces of its own.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::ADDRESS;
use crate::error::Error;
use crate::folder::Folder;

/// The folders in which a node's programs leave something, whatever they are told.
const LEFT: [&str; 3] = ["/run", "/var/lib", "/var/log"];

/// The settings of the kernel that a kubelet changes for the whole machine, with the values that it wants.
const SETTINGS: [(&str, &str); 6] = [
    ("kernel/keys/root_maxbytes", "25000000"),
    ("kernel/keys/root_maxkeys", "1000000"),
    ("kernel/panic", "10"),
    ("kernel/panic_on_oops", "1"),
    ("vm/overcommit_memory", "1"),
    ("vm/panic_on_oom", "0"),
];

/// Covers what a node would write to: folders by empty ones, and settings by files, in which a kubelet finds what it wants and so changes
/// nothing.
pub(super) fn isolate(folder: &Folder) -> Result<(), Error> {
    let routes = Path::new("/proc/net/route");
    // Its first line has the names of the columns.
    if fs::read_to_string(routes).map_err(Error::at(routes))?.lines().count() > 1 {
        return Err(Error::Supervisor("a real node needs namespaces of its own: see unshare(1)".to_owned()));
    }
    for covered in LEFT {
        run("mount", &["-t", "tmpfs", "tmpfs", covered])?;
    }
    for (name, value) in SETTINGS {
        let file = folder.write(&format!("setting-{}", name.replace('/', "-")), format!("{value}\n"))?;
        run("mount", &["--bind", &file.display().to_string(), &format!("/proc/sys/{name}")])?;
    }
    Ok(())
}

/// Sets up the node's network. Its default route leads nowhere: programs look for one, and addresses of services are on it until kube-proxy's
/// rules change them to those of pods.
pub(super) fn connect() -> Result<(), Error> {
    let address = format!("{ADDRESS}/24");
    for words in [
        &["link", "set", "lo", "up"][..],
        &["link", "add", "node", "type", "bridge"],
        &["address", "add", &address, "dev", "node"],
        &["link", "set", "node", "up"],
        &["route", "add", "default", "via", "10.231.0.254", "dev", "node", "onlink"],
    ] {
        run("ip", words)?;
    }
    Ok(())
}

/// Makes a folder a mount of its own, with which all mounts in it can be taken away.
pub(super) fn mount_apart(folder: &Path) -> Result<(), Error> {
    fs::create_dir_all(folder).map_err(Error::at(folder))?;
    let path = folder.display().to_string();
    run("mount", &["--bind", &path, &path])
}

/// Takes all mounts in a folder away, even those that are in use, so that it can be removed.
pub(super) fn unmount(folder: &Path) {
    // If it fails, so does the removal, and the namespace goes with the supervisor.
    let _unmounted = run("umount", &["--recursive", "--lazy", &folder.display().to_string()]);
}

/// Runs a command that prepares the machine.
pub(super) fn run(program: &str, words: &[&str]) -> Result<(), Error> {
    let output =
        Command::new(program).args(words).stdin(Stdio::null()).output().map_err(Error::at(program))?;
    if output.status.success() {
        return Ok(());
    }
    let complaint = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(Error::Machine { command: format!("{program} {}", words.join(" ")), output: complaint })
}
