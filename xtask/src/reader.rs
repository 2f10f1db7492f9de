//! A program in the background whose output is read.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

use crate::process;

/// A timeout longer than anything takes that arrives at all.
const PATIENCE: Duration = Duration::from_mins(1);

/// A program that prints what it receives. It ends when the value is dropped.
pub(crate) struct Reader {
    pub(crate) name: String,
    pub(crate) child: Child,
    lines: Receiver<(Instant, String)>,
}

impl Reader {
    pub(crate) fn start(name: &str, command: &mut Command) -> Result<Self> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let stdout = BufReader::new(child.stdout.take().context("a program without output")?);
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if sender.send((Instant::now(), line)).is_err() {
                    break;
                }
            }
        });
        Ok(Self { name: name.to_owned(), child, lines })
    }

    /// Waits for a line with this text, and returns when it came.
    pub(crate) fn wait_for(&self, text: &str) -> Result<Instant> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let next = self.lines.recv_timeout(left);
            let (at, line) = next.with_context(|| format!("{}: `{text}` did not come", self.name))?;
            if line.contains(text) {
                return Ok(at);
            }
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        process::end(&mut self.child);
    }
}
