//! The links on `PATH` by which kubectl finds plugins. Each leads to kwasm, and its name says which plugin is meant.
//!
//! On Unix, a link is a symbolic link. Most users of Windows may not make those; there it is a hard link ([`hard`]).

#![cfg_attr(unix, cfg_attr(not(test), expect(dead_code, reason = "hard links are for Windows")))]

mod hard;

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::disk;

/// Returns the file name under which a shell finds a program called `name`.
pub(crate) fn program_file(name: &str) -> String {
    if cfg!(windows) { format!("{name}.exe") } else { name.to_owned() }
}

/// Returns the name by which a program was called, without the ending of programs. Windows does not distinguish capitals.
pub(crate) fn called(file_name: &str) -> String {
    let name = if cfg!(windows) { file_name.to_ascii_lowercase() } else { file_name.to_owned() };
    name.strip_suffix(".exe").map_or_else(|| name.clone(), str::to_owned)
}

/// The names under which kwasm is itself: its own, and that of the plugin of kubectl that Krew installs.
pub(crate) const OWN: [&str; 2] = ["kwasm", "kubectl-kwasm"];

/// Returns whether kubectl looks for plugins, or for their completions, under this name. `kubectl kwasm` is kwasm itself.
pub(crate) fn is_link_name(called: &str) -> bool {
    !OWN.contains(&called) && (called.starts_with("kubectl-") || called.starts_with("kubectl_"))
}

/// Returns the path of kwasm itself, given the path that the system has for the program of this process. That is the link by which
/// it was started, on macOS and Windows.
pub(crate) fn itself(started: PathBuf) -> PathBuf {
    let name = started.file_name().and_then(|name| name.to_str()).map(called);
    if !name.is_some_and(|name| is_link_name(&name)) {
        return started;
    }
    if cfg!(windows) { hard::program_of(&started) } else { fs::canonicalize(&started).unwrap_or(started) }
}

/// Returns a command that runs kwasm as kwasm, whatever link led to this process.
pub(crate) fn command(program: &Path) -> Command {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "on Windows a program is called by its own name"))]
    let mut command = Command::new(program);
    #[cfg(unix)]
    std::os::unix::process::CommandExt::arg0(&mut command, "kwasm");
    command
}

/// Returns whether a shell would run this file.
#[cfg(unix)]
pub(crate) fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// Returns whether a shell would run this file, which on Windows depends on its name.
#[cfg(not(unix))]
pub(crate) fn is_program(path: &Path) -> bool {
    path.is_file()
}

/// Creates `link`, in an existing folder, so that it starts `program`. Replaces an existing link.
pub(crate) fn link(program: &Path, link: &Path) -> io::Result<()> {
    #[cfg(unix)]
    return disk::link(link, |temporary| std::os::unix::fs::symlink(program, temporary));
    #[cfg(not(unix))]
    hard::make(program, link)
}

/// Removes a link.
pub(crate) fn remove(link: &Path) -> io::Result<()> {
    if cfg!(windows) { hard::remove(link) } else { disk::remove(link) }
}

/// Removes from a folder of links what no link needs.
pub(crate) fn tidy(folder: &Path) -> io::Result<()> {
    if cfg!(windows) { hard::tidy(folder, |name| is_link_name(&called(name))) } else { Ok(()) }
}

/// Returns whether the file at `link` is a link to kwasm, of whichever release: to a program with the name of `program` or one
/// by which package managers have kwasm, or on Windows to one that has kwasm's mark.
///
/// Returns `None` if there is no file at `link`.
pub(crate) fn is_link_to(link: &Path, program: &Path) -> Option<bool> {
    let metadata = fs::symlink_metadata(link).ok()?;
    if cfg!(windows) {
        return Some(hard::is_ours(link));
    }
    let is_kwasm = |name: &OsStr| Some(name) == program.file_name() || OWN.iter().any(|own| name == *own);
    let names = || fs::read_link(link).is_ok_and(|target| target.file_name().is_some_and(is_kwasm));
    Some(metadata.is_symlink() && names())
}

/// Returns whether the file at `link` is a link to this very `program`.
pub(crate) fn leads_to(link: &Path, program: &Path) -> bool {
    if cfg!(windows) {
        hard::leads_to(link, program)
    } else {
        fs::read_link(link).is_ok_and(|target| target == program)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_a_link_started_knows_where_kwasm_is() {
        let folder = tempfile::tempdir().unwrap();
        let kwasm = folder.path().canonicalize().unwrap().join("kwasm");
        fs::write(&kwasm, "").unwrap();
        for name in ["kubectl-x", "kubectl_complete-x"] {
            let link = folder.path().join(program_file(name));
            super::link(&kwasm, &link).unwrap();
            let expected = if cfg!(windows) { hard::program_of(&link) } else { kwasm.clone() };
            assert_eq!(itself(link), expected);
        }
        for own in ["kwasm", "kubectl-kwasm"] {
            assert_eq!(itself(folder.path().join(own)), folder.path().join(own));
        }
    }
}
