//! A program that runs while the test looks at it.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use super::Run;

/// A started program. Killed with the test, if it still runs then.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
    errors: Receiver<String>,
    seen: Vec<String>,
    seen_errors: Vec<String>,
}

/// The timeout for something that has to come. Not a bar, only a way to notice a failure.
const PATIENCE: Duration = Duration::from_mins(1);

impl Running {
    pub(crate) fn of(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = read(child.stdout.take().unwrap());
        let errors = read(child.stderr.take().unwrap());
        Self { child, lines, errors, seen: Vec::new(), seen_errors: Vec::new() }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn stdin(&mut self) -> ChildStdin {
        self.child.stdin.take().unwrap()
    }

    /// Waits for the next line on stdout.
    #[track_caller]
    pub(crate) fn line(&mut self) -> String {
        let Ok(line) = self.lines.recv_timeout(PATIENCE) else {
            panic!("no further line came; stdout was {:#?}", self.seen);
        };
        self.seen.push(line.clone());
        line
    }

    /// Waits for a line on stderr with this text in it.
    #[track_caller]
    pub(crate) fn error_with(&mut self, text: &str) -> String {
        loop {
            let Ok(line) = self.errors.recv_timeout(PATIENCE) else {
                panic!("no line with `{text}` came; stderr was {:#?}", self.seen_errors);
            };
            self.seen_errors.push(line.clone());
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Waits for a line with this text in it.
    #[track_caller]
    pub(crate) fn line_with(&mut self, text: &str) -> String {
        loop {
            let line = self.line();
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Returns the next line, if it comes within this time.
    pub(crate) fn line_within(&mut self, time: Duration) -> Option<String> {
        let line = self.lines.recv_timeout(time).ok()?;
        self.seen.push(line.clone());
        Some(line)
    }

    /// Makes sure that for this long nothing comes and the program goes on.
    #[track_caller]
    pub(crate) fn silent_for(&mut self, time: Duration) {
        match self.lines.recv_timeout(time) {
            Err(RecvTimeoutError::Timeout) => {}
            other => panic!("it was to be silent: {other:?}"),
        }
        assert!(self.child.try_wait().unwrap().is_none(), "it was to go on");
    }

    /// Sends a signal, as `kill -NAME` does.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args([format!("-{name}"), self.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Waits for the end.
    pub(crate) fn end(mut self) -> Run {
        drop(self.child.stdin.take());
        let status = self.child.wait().unwrap();
        self.seen.extend(self.lines.iter());
        self.seen_errors.extend(self.errors.iter());
        let text = |lines: &[String]| lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
        Run { code: status.code(), stdout: text(&self.seen), stderr: text(&self.seen_errors) }
    }

    /// Returns the peak resident memory so far, in bytes. Linux counts it for each process (`VmHWM`
    /// of proc(5)).
    pub(crate) fn peak_memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
    }

    /// Returns the peak of its memory, watched until it ends.
    pub(crate) fn peak_until_end(&mut self) -> u64 {
        let mut peak = 0;
        while !self.has_ended() {
            peak = self.peak_memory().unwrap_or(0).max(peak);
            thread::sleep(Duration::from_millis(5));
        }
        peak
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }
}

/// Returns the lines of a stream, as they come.
fn read(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (send, lines) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if send.send(line).is_err() {
                break;
            }
        }
    });
    lines
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
