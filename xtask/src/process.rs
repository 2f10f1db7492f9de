//! Runs other programs.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};

/// Runs a program to its end, with its output on the terminal.
///
/// # Errors
/// If it cannot be started or exits with another code than 0.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| cannot_start(command))?;
    if !status.success() {
        bail!("`{}` failed: {status}", shown(command));
    }
    Ok(())
}

/// Runs a program to its end and returns its standard output. Its standard error goes to the terminal.
///
/// # Errors
/// The same as [`run`], and if the output is not UTF-8.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command.stderr(Stdio::inherit()).output().with_context(|| cannot_start(command))?;
    if !output.status.success() {
        bail!("`{}` failed: {}", shown(command), output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{}` wrote no UTF-8", shown(command)))
}

/// Runs a program like [`run`], but the error is the last line of its standard error.
pub(crate) fn run_for_reason(command: &mut Command) -> Result<()> {
    let mut child = command.stderr(Stdio::piped()).spawn().with_context(|| cannot_start(command))?;
    let mut last = String::new();
    if let Some(stderr) = child.stderr.take() {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            eprintln!("{line}");
            last = line;
        }
    }
    let status = child.wait()?;
    if status.success() {
        return Ok(());
    }
    if last.is_empty() {
        bail!("`{}` failed: {status}", shown(command));
    }
    bail!("{last}")
}

/// Returns whether a program can be started and exits with 0. Its output is dropped.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Ends a program, which may have ended by itself, and waits for it.
pub(crate) fn end(child: &mut Child) {
    drop(child.kill());
    drop(child.wait());
}

/// Returns the resident memory in bytes, if the system reports it (proc(5)).
pub(crate) fn memory(id: u32) -> Option<u64> {
    of_status(id, "VmRSS:")
}

/// Returns the peak of the resident memory.
pub(crate) fn peak_memory(id: u32) -> Option<u64> {
    of_status(id, "VmHWM:")
}

/// Returns how long all programs that this one has started and waited for had a processor (proc(5)), in hundredths of a second.
pub(crate) fn time_of_children() -> Option<Duration> {
    const TICK: Duration = Duration::from_millis(10);
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The program's name, in brackets, may contain spaces. `cutime` and `cstime` are the 16th and 17th fields.
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ').skip(13);
    let (user, system): (u32, u32) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(TICK * (user + system))
}

fn of_status(id: u32, name: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}

/// Returns whether a program can be started and its standard output contains this text.
pub(crate) fn says(command: &mut Command, text: &str) -> bool {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output();
    output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains(text))
}

/// Returns a command as one would type it.
pub(crate) fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(command.get_program());
    let words: Vec<_> = std::iter::once(name)
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .map(
            |word| {
                if word.contains(' ') || word.is_empty() { format!("'{word}'") } else { word.into_owned() }
            },
        )
        .collect();
    words.join(" ")
}

fn cannot_start(command: &Command) -> String {
    format!("cannot start `{}`", command.get_program().display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_one_would_type_it() {
        let mut command = Command::new("/opt/tools/kwasm");
        command.args(["run", "dials.wasm", "--", "two words", ""]);
        assert_eq!(shown(&command), "kwasm run dials.wasm -- 'two words' ''");
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = run(&mut Command::new("kwasm-has-no-such-program")).unwrap_err();
        assert_eq!(error.to_string(), "cannot start `kwasm-has-no-such-program`");
    }
}
