//! Work that goes on after this process has ended, and makes way for all other work.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::links;

/// Starts kwasm in a process that outlives this one: neither Ctrl-C nor the end of the terminal ends it. It has no streams, and
/// its working directory is that of the program, which keeps no folder of the user's in use.
pub(crate) fn start<S: AsRef<OsStr>>(
    program: &Path,
    arguments: impl IntoIterator<Item = S>,
) -> io::Result<Child> {
    let mut command = links::command(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if let Some(folder) = program.parent() {
        command.current_dir(folder);
    }
    detach(&mut command);
    command.spawn()
}

/// In a process group of its own, which gets no signal of the terminal. It stays in its session: Linux weighs sessions against
/// each other whatever the priorities of their processes (`autogroup`, sched(7)).
#[cfg(unix)]
fn detach(command: &mut Command) {
    use std::os::unix::process::CommandExt as _;
    command.process_group(0);
}

/// Process creation flags of the Windows API: `CREATE_NEW_PROCESS_GROUP`, `CREATE_NO_WINDOW` and `IDLE_PRIORITY_CLASS`.
#[cfg(windows)]
fn detach(command: &mut Command) {
    std::os::windows::process::CommandExt::creation_flags(command, 0x0000_0200 | 0x0800_0000 | 0x0000_0040);
}

#[cfg(not(any(unix, windows)))]
fn detach(_: &mut Command) {}

/// Gives this process the lowest priority. On Windows, it was started with it.
pub(crate) fn make_way() {
    #[cfg(unix)]
    // It works without, too.
    let _ = rustix::process::nice(19);
}
