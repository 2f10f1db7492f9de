//! Everything that differs by operating system, and nothing else: the user's folders, the identity of files,
//! permissions of folders, links on `PATH`, terminals and signals.

#![expect(clippy::disallowed_methods, reason = "the disk is changed here, and nowhere else")]

pub(crate) mod background;
mod ceiling;
pub(crate) mod disk;
mod folder;
pub(crate) mod links;
mod owner;
pub(crate) mod shell;
pub(crate) mod stdio;
pub(crate) mod terminal;

use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub(crate) use self::ceiling::{ceiling, read_administrators};
pub(crate) use self::folder::OpenFolder;
pub(crate) use self::owner::{
    Owner, check_folder, check_private_file, is_closed_to_strangers, is_owners_to_write, owner,
};
#[cfg(unix)]
use crate::defence::Defence;

/// The program npm.
pub(crate) const NPM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };

/// The interpreter of Python.
pub(crate) const PYTHON: &str = if cfg!(windows) { "python" } else { "python3" };

/// The folder of programs in a virtual environment of Python.
pub(crate) const VENV_PROGRAMS: &str = if cfg!(windows) { "Scripts" } else { "bin" };

/// The folders that the platform gives to a user's programs.
pub(crate) struct Folders {
    /// Data that must not be lost, e.g. `~/.local/share`.
    pub(crate) data: PathBuf,
    /// Data that can be recreated, e.g. `~/.cache`.
    pub(crate) cache: PathBuf,
    /// Data of this machine that is not worth taking to another one, such as logs, e.g. `~/.local/state`.
    pub(crate) state: PathBuf,
    /// The user's configuration, e.g. `~/.config`.
    pub(crate) configuration: PathBuf,
    /// Links that a shell finds, e.g. `~/.local/bin`.
    pub(crate) links: PathBuf,
}

/// Finds the user's folders.
///
/// `variable` looks up the environment. Returns `None` if not even the home directory is known.
pub(crate) fn folders(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<Folders> {
    let absolute = |name: &str| variable(name).filter(|path| path.is_absolute());
    let home = home(&variable)?;
    let (data, cache, state) = if cfg!(windows) {
        let local = absolute("LOCALAPPDATA").unwrap_or_else(|| home.join("AppData").join("Local"));
        let roaming = absolute("APPDATA").unwrap_or_else(|| home.join("AppData").join("Roaming"));
        (roaming, local.clone(), local)
    } else if cfg!(target_os = "macos") {
        let data = home.join("Library/Application Support");
        (data.clone(), home.join("Library/Caches"), data)
    } else {
        // XDG Base Directory Specification: a relative path in these variables is to be ignored.
        (
            absolute("XDG_DATA_HOME").unwrap_or_else(|| home.join(".local/share")),
            absolute("XDG_CACHE_HOME").unwrap_or_else(|| home.join(".cache")),
            absolute("XDG_STATE_HOME").unwrap_or_else(|| home.join(".local/state")),
        )
    };
    // Not the platform's own on macOS: command-line tools keep to `~/.config` there, those that are configured beside too.
    let configuration = if cfg!(windows) { Some(data.clone()) } else { absolute("XDG_CONFIG_HOME") };
    let configuration = configuration.unwrap_or_else(|| home.join(".config"));
    Some(Folders { data, cache, state, configuration, links: home.join(".local").join("bin") })
}

/// Asks a process that this one started, and has not waited for, to end.
#[cfg(unix)]
pub(crate) fn terminate(id: u32) {
    let process = i32::try_from(id).ok().and_then(rustix::process::Pid::from_raw);
    if let Some(process) = process {
        // One that has ended needs no signal.
        let _ = rustix::process::kill_process(process, rustix::process::Signal::TERM);
    }
}

/// Does nothing: on Windows, a process without a window cannot be asked.
#[cfg(not(unix))]
pub(crate) fn terminate(_id: u32) {}

/// Returns the user's home directory, or `None` if it is not known.
pub(crate) fn home(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    variable(if cfg!(windows) { "USERPROFILE" } else { "HOME" }).filter(|path| path.is_absolute())
}

/// Returns the home directory that has kubectl's files, or `None` if it is not known.
pub(crate) fn home_of_kubectl(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    if cfg!(windows) { home_by_client_go(variable) } else { variable("HOME") }
}

/// As client-go finds it on Windows (`homedir.HomeDir`): the first home with a kubeconfig, or else the first that exists.
fn home_by_client_go(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let drive = variable("HOMEDRIVE").zip(variable("HOMEPATH")).map(|(drive, path)| {
        let mut home = drive.into_os_string();
        home.push(path);
        PathBuf::from(home)
    });
    let (home, profile) = (variable("HOME"), variable("USERPROFILE"));
    let has_config = |home: &&PathBuf| home.join(".kube").join("config").exists();
    let with_config = [&home, &drive, &profile].into_iter().flatten().find(has_config);
    let there = || [&home, &profile, &drive].into_iter().flatten().find(|home| home.exists());
    let set = || [&home, &profile, &drive].into_iter().flatten().next();
    with_config.or_else(there).or_else(set).cloned()
}

/// Returns the name of this user's cache if there is no home directory, distinct from those of other such
/// users.
#[cfg(unix)]
pub(crate) fn own_cache() -> String {
    format!("cache-{}", rustix::process::geteuid().as_raw())
}

/// Returns a name for form's sake: on Windows a profile always exists.
#[cfg(not(unix))]
pub(crate) fn own_cache() -> String {
    "cache".to_owned()
}

/// The properties of a file that stay the same as long as no one writes to it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct FileIdentity {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, u32),
    changed: (i64, u32),
}

impl FileIdentity {
    /// Returns a name for the file that does not depend on its content: device and inode.
    pub(crate) fn file(&self) -> String {
        format!("{:x}-{:x}", self.device, self.inode)
    }

    /// Returns when the file was last written or renamed, in nanoseconds since 1970.
    pub(crate) fn changed_at(&self) -> i128 {
        let (seconds, nanoseconds) = self.changed.max(self.modified);
        i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds)
    }
}

/// Returns the identity of a file's content without reading the file.
///
/// Returns `None` if the platform's standard library does not provide it (Windows): the caller reads the file
/// instead.
#[cfg(unix)]
pub(crate) fn identity(metadata: &Metadata) -> Option<FileIdentity> {
    use std::os::unix::fs::MetadataExt;
    let nanoseconds = |value: i64| u32::try_from(value).ok();
    Some(FileIdentity {
        device: metadata.dev(),
        inode: metadata.ino(),
        size: metadata.size(),
        modified: (metadata.mtime(), nanoseconds(metadata.mtime_nsec())?),
        changed: (metadata.ctime(), nanoseconds(metadata.ctime_nsec())?),
    })
}

#[cfg(not(unix))]
pub(crate) fn identity(_: &Metadata) -> Option<FileIdentity> {
    None
}

/// Normalises the name of an environment variable for lookup: on Windows `Path` is `PATH`.
#[cfg(not(windows))]
pub(crate) fn variable_name(name: OsString) -> OsString {
    name
}

#[cfg(windows)]
pub(crate) fn variable_name(mut name: OsString) -> OsString {
    name.make_ascii_uppercase();
    name
}

/// Returns whether two paths are the same. Windows does not distinguish capitals.
pub(crate) fn is_same_path(one: &Path, other: &Path) -> bool {
    if cfg!(windows) { one.as_os_str().eq_ignore_ascii_case(other) } else { one == other }
}

/// Creates a folder, with its ancestors, that only this user may enter.
///
/// # Errors
/// The errors of the file system, and `PermissionDenied` if the folder exists but belongs to another user, is open
/// to others, or is a link.
pub(crate) fn private_folder(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => return check_folder(&metadata),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    if let Some(parent) = path.parent() {
        disk::folders(parent)?;
    }
    disk::made(disk::folder(path, create_folder))?;
    check_folder(&fs::symlink_metadata(path)?)
}

#[cfg(unix)]
fn create_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().mode(0o700).create(path)
}

#[cfg(not(unix))]
fn create_folder(path: &Path) -> io::Result<()> {
    fs::create_dir(path)
}

/// Returns how many bytes of memory this process uses, or `None` if the system does not report it.
#[cfg(target_os = "linux")]
pub(crate) fn memory_in_use() -> Option<u64> {
    // proc(5): `VmRSS:    1234 kB`.
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    resident.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1 << 10)
}

/// Returns how many bytes of memory this process uses, or `None` if the system does not report it.
#[cfg(not(target_os = "linux"))]
pub(crate) fn memory_in_use() -> Option<u64> {
    memory_stats::memory_stats().and_then(|memory| u64::try_from(memory.physical_mem).ok())
}

/// Returns whether stdout is a pipe whose reader has closed it.
#[cfg(unix)]
pub(crate) fn is_stdout_closed() -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let stdout = io::stdout();
    let mut descriptors = [PollFd::new(&stdout, PollFlags::empty())];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    // poll(2) reports these even if they were not requested: of a pipe without a reader, Linux the first and macOS the second.
    let closed = PollFlags::ERR.union(PollFlags::HUP);
    poll(&mut descriptors, Some(&now)).is_ok() && descriptors[0].revents().intersects(closed)
}

/// Returns `false`: Windows has no way to find out.
#[cfg(not(unix))]
pub(crate) fn is_stdout_closed() -> bool {
    false
}

/// Makes the signals by which a user or the system ends a program (SIGINT and SIGTERM) end the process at
/// once, with the exit code `code`. The process ends in the handler, and no further code runs. SIGHUP does
/// the same by default, unless `nohup` has it ignored. Returns whether the system can do that.
#[cfg(unix)]
pub(crate) fn end_at_signals(code: u8) -> io::Result<bool> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    use std::sync::{Arc, atomic::AtomicBool};
    let ends = Arc::new(AtomicBool::new(Defence::Signals.stands()));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, code.into(), Arc::clone(&ends))?;
    }
    Ok(true)
}

/// Returns `false`: the console's events end a process at once by default, but with an exit code of Windows' own.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the signature is that of the Unix twin")]
pub(crate) fn end_at_signals(_code: u8) -> io::Result<bool> {
    Ok(false)
}

/// The signals by which a user or the system ends a program. SIGHUP is one of them only if it is known not to
/// be ignored, since listening for it would undo that.
#[cfg(unix)]
pub(crate) struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hangup: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    /// Starts to listen, so that none of the signals ends the process by itself. Must be called inside a
    /// runtime.
    pub(crate) fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: handles_hangup().then(|| signal(SignalKind::hangup())).transpose()?,
        })
    }

    /// Waits for the first of them.
    pub(crate) async fn came(&mut self) {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = hangup => {}
        }
    }
}

/// Returns whether SIGHUP ends this process, which `nohup` prevents. Only Linux reports it (proc(5),
/// `SigIgn`).
#[cfg(unix)]
fn handles_hangup() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // Its number is 1, and so is its bit.
    ignored.is_some_and(|mask| mask & 1 == 0)
}

/// The events by which a user or the system ends a program: Ctrl-C, Ctrl-Break, and that its console is closed, after which it has
/// five seconds.
#[cfg(not(unix))]
pub(crate) struct Signals {
    interrupt: tokio::signal::windows::CtrlC,
    r#break: tokio::signal::windows::CtrlBreak,
    close: tokio::signal::windows::CtrlClose,
}

#[cfg(not(unix))]
impl Signals {
    /// Starts to listen, so that none of the events ends the process by itself. Must be called inside a runtime.
    pub(crate) fn listen() -> io::Result<Self> {
        use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close};
        Ok(Self { interrupt: ctrl_c()?, r#break: ctrl_break()?, close: ctrl_close()? })
    }

    /// Waits for the first of them.
    pub(crate) async fn came(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.r#break.recv() => {}
            _ = self.close.recv() => {}
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_new_private_folder_is_closed_to_others() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("a/b");
        private_folder(&folder).unwrap();
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_private_folder_that_others_may_enter_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("open");
        private_folder(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(private_folder(&folder).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
    }

    #[test]
    fn a_private_folder_that_is_a_link_is_refused() {
        let root = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(root.path(), root.path().join("link")).unwrap();
        assert!(private_folder(&root.path().join("link")).is_err());
    }

    #[test]
    fn a_file_that_was_written_to_has_another_identity() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let before = identity(&file.path().metadata().unwrap());
        fs::write(file.path(), "x").unwrap();
        assert_ne!(before, identity(&file.path().metadata().unwrap()));
    }

    #[test]
    fn kubectls_home_on_windows_is_the_first_with_a_kubeconfig_or_the_first_that_is_there() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        let find = || {
            home_by_client_go(|name| match name {
                "HOME" => Some(at("absent")),
                "HOMEDRIVE" => Some(root.path().to_owned()),
                "HOMEPATH" => Some("/drive".into()),
                _ => Some(at("profile")),
            })
        };
        assert_eq!(find().unwrap(), at("absent"));
        fs::create_dir_all(at("drive")).unwrap();
        assert_eq!(find().unwrap(), at("drive"));
        fs::create_dir_all(at("profile")).unwrap();
        assert_eq!(find().unwrap(), at("profile"));
        fs::create_dir_all(at("drive/.kube")).unwrap();
        fs::write(at("drive/.kube/config"), "").unwrap();
        assert_eq!(find().unwrap(), at("drive"));
    }

    #[test]
    fn folders_follow_the_environment_and_ignore_relative_paths() {
        let found = folders(|name| match name {
            "HOME" => Some("/home/u".into()),
            "XDG_DATA_HOME" => Some("/data".into()),
            "XDG_CACHE_HOME" => Some("relative".into()),
            _ => None,
        })
        .unwrap();
        if cfg!(target_os = "linux") {
            assert_eq!(found.data, Path::new("/data"));
            assert_eq!(found.cache, Path::new("/home/u/.cache"));
            assert_eq!(found.state, Path::new("/home/u/.local/state"));
        }
        assert_eq!(found.links, Path::new("/home/u/.local/bin"));
    }
}
