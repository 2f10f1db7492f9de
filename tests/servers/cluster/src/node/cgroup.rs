//! The control groups of a node's containers, in every hierarchy: version 1 has one for each controller.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use crate::error::Error;
use crate::folder::{self, Folder};

const ROOT: &str = "/sys/fs/cgroup";
/// The file with the processes of a control group.
const PROCESSES: &str = "cgroup.procs";
/// The time that killed processes may take to be gone.
const PATIENCE: Duration = Duration::from_secs(10);

/// A control group, named after its cluster's folder, so that several nodes may share a machine.
pub(super) struct Cgroup {
    name: String,
    places: Vec<PathBuf>,
}

impl Cgroup {
    pub(super) fn new(folder: &Folder) -> Result<Self, Error> {
        let name = folder.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
        let hierarchies = hierarchies().map_err(Error::at(ROOT))?;
        for hierarchy in &hierarchies {
            remove_remnants(hierarchy);
        }
        let places: Vec<PathBuf> = hierarchies.iter().map(|hierarchy| hierarchy.join(&name)).collect();
        for place in &places {
            fs::create_dir(place).map_err(Error::at(place))?;
        }
        Ok(Self { name, places })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Kills all processes in it, and removes it.
    pub(super) fn end(&self) {
        let deadline = Instant::now() + PATIENCE;
        while self.places.iter().any(|place| place.exists()) && Instant::now() < deadline {
            for place in &self.places {
                kill(place);
                remove(place);
            }
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Returns the root of each hierarchy: in version 2 there is one.
fn hierarchies() -> std::io::Result<Vec<PathBuf>> {
    if Path::new(ROOT).join(PROCESSES).is_file() {
        return Ok(vec![ROOT.into()]);
    }
    let folders = fs::read_dir(ROOT)?.map(|entry| Ok(entry?.path()));
    folders.filter(|path| path.as_ref().map_or(true, |path| path.join(PROCESSES).is_file())).collect()
}

/// Removes the groups of supervisors that were killed.
fn remove_remnants(hierarchy: &Path) {
    for group in below(hierarchy) {
        let name = group.file_name().unwrap_or_default();
        if folder::is_ours(name) && !folder::is_held(&std::env::temp_dir().join(name)) {
            remove(&group);
        }
    }
}

fn kill(group: &Path) {
    for inner in below(group) {
        kill(&inner);
    }
    let processes = fs::read_to_string(group.join(PROCESSES)).unwrap_or_default();
    // Those of another namespace are 0 here.
    let processes: Vec<&str> = processes.lines().filter(|process| *process != "0").collect();
    if !processes.is_empty() {
        // What has ended meanwhile is not there to be killed.
        let _killed = Command::new("kill")
            .arg("-9")
            .args(processes)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .status();
    }
}

/// Removes a group and those in it. One with processes stays.
fn remove(group: &Path) {
    for inner in below(group) {
        remove(&inner);
    }
    let _removed = fs::remove_dir(group);
}

fn below(group: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(group).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}
