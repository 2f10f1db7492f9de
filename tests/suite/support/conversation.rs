//! A program that is controlled by a terminal, at which the test reads and types.

use std::fs::File;
use std::io::{Read, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use nix::pty::{OpenptyResult, Winsize, openpty};

use super::Run;

/// A started program, in a session of its own whose terminal has 80 columns. Killed with the test, if it still runs
/// then.
pub(crate) struct Conversation {
    child: Child,
    terminal: File,
    pieces: Receiver<String>,
    /// What the terminal has shown, and how much of it was waited for.
    shown: String,
    seen: usize,
}

/// The timeout for something that has to come. Not a bar, only a way to notice a failure.
const PATIENCE: Duration = Duration::from_mins(1);

impl Conversation {
    /// Starts a program whose standard input and controlling terminal are a terminal. Its output is apart.
    pub(crate) fn start(command: &Command) -> Self {
        Self::begin(command, false)
    }

    /// Starts it with its output at the terminal too.
    pub(crate) fn start_whole(command: &Command) -> Self {
        Self::begin(command, true)
    }

    fn begin(command: &Command, whole: bool) -> Self {
        let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        let OpenptyResult { master, slave } = openpty(&size, None).unwrap();
        let mut session = Command::new("setsid");
        session.arg("--ctty").arg(command.get_program()).args(command.get_args()).env_clear();
        session.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        session.current_dir(command.get_current_dir().unwrap());
        if whole {
            session.stdout(slave.try_clone().unwrap()).stderr(slave.try_clone().unwrap());
        } else {
            session.stdout(Stdio::piped()).stderr(Stdio::piped());
        }
        let child = session.stdin(slave).spawn().unwrap();
        drop(session);
        let terminal = File::from(master);
        let mut reader = terminal.try_clone().unwrap();
        let (send, pieces) = channel();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            // When no one holds the other side any more, reading fails.
            while let Ok(length) = reader.read(&mut bytes) {
                let piece = String::from_utf8_lossy(&bytes[..length]).replace('\r', "");
                if length == 0 || send.send(piece).is_err() {
                    break;
                }
            }
        });
        Self { child, terminal, pieces, shown: String::new(), seen: 0 }
    }

    /// Types at the terminal.
    pub(crate) fn enter(&mut self, text: &str) {
        self.terminal.write_all(text.as_bytes()).unwrap();
    }

    /// Waits until the terminal shows a text, and returns what came before it since the last time.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, text: &str) -> String {
        let came = self.wait_for_or_end(text);
        came.unwrap_or_else(|| panic!("`{text}` did not come: {}", self.shown))
    }

    /// Waits for the same, and returns `None` if the terminal is closed instead.
    #[track_caller]
    pub(crate) fn wait_for_or_end(&mut self, text: &str) -> Option<String> {
        let start = Instant::now();
        loop {
            if let Some(at) = self.shown[self.seen..].find(text) {
                let before = self.shown[self.seen..self.seen + at].to_owned();
                self.seen += at + text.len();
                return Some(before);
            }
            match self.pieces.recv_timeout(PATIENCE.saturating_sub(start.elapsed())) {
                Ok(piece) => self.shown.push_str(&piece),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => panic!("`{text}` did not come: {}", self.shown),
            }
        }
    }

    /// Returns what the terminal shows within this time after what was waited for.
    pub(crate) fn shows_within(&mut self, time: Duration) -> &str {
        let start = Instant::now();
        while let Ok(piece) = self.pieces.recv_timeout(time.saturating_sub(start.elapsed())) {
            self.shown.push_str(&piece);
        }
        &self.shown[self.seen..]
    }

    /// Waits for the end, and returns it with all that the terminal has shown.
    pub(crate) fn end(mut self) -> (Run, String) {
        let read = |stream: Option<Box<dyn Read + Send>>| {
            thread::spawn(move || {
                let mut text = String::new();
                stream.map(|mut stream| stream.read_to_string(&mut text)).transpose().unwrap();
                text
            })
        };
        let stdout = read(self.child.stdout.take().map(|stream| Box::new(stream) as _));
        let stderr = read(self.child.stderr.take().map(|stream| Box::new(stream) as _));
        let code = self.child.wait().unwrap().code();
        let run = Run { code, stdout: stdout.join().unwrap(), stderr: stderr.join().unwrap() };
        self.shown.extend(self.pieces.iter());
        (run, std::mem::take(&mut self.shown))
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
