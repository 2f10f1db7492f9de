//! Objects named after their number and time of creation, and programs that print these names.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, bail};

use super::measure::Samples;
use crate::process;

/// A timeout longer than any tick takes that arrives at all.
const PATIENCE: Duration = Duration::from_secs(30);

/// Returns the name of a tick created now. The embedded API server names its own ticks in the same way
/// (`/ticks`).
pub(crate) fn name(number: usize) -> String {
    format!("tick-{number}-{}", now().as_nanos())
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// A tick that arrived.
#[derive(Debug, PartialEq)]
struct Tick {
    number: usize,
    took: Duration,
}

impl Tick {
    /// Reads a line that begins with the tick's name.
    fn read(line: &str, now: Duration) -> Option<Self> {
        let (number, rest) = line.strip_prefix("tick-")?.split_once('-')?;
        let made = rest.split_whitespace().next()?.parse().ok()?;
        Some(Self { number: number.parse().ok()?, took: now.saturating_sub(Duration::from_nanos(made)) })
    }
}

/// A program that prints a line for each tick.
pub(crate) struct Watcher {
    child: Child,
    ticks: Receiver<Tick>,
}

impl Watcher {
    /// Starts the program and waits until it has printed tick 0, which exists already.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start `{}`", process::shown(command)))?;
        let stdout = BufReader::new(child.stdout.take().context("a watcher without output")?);
        let (sender, ticks) = mpsc::channel();
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let tick = Tick::read(&line, now());
                if tick.is_some_and(|tick| sender.send(tick).is_err()) {
                    break;
                }
            }
        });
        let watcher = Self { child, ticks };
        let first = watcher.ticks.recv_timeout(PATIENCE).context("a watcher shows nothing")?;
        if first.number != 0 {
            bail!("a watcher begins with tick {}", first.number);
        }
        Ok(watcher)
    }

    /// Returns the latencies of the ticks 1 to `count`. Fails if one is missing or came twice.
    pub(crate) fn times(&self, count: usize) -> Result<Samples> {
        let (mut seen, mut times) = (vec![false; count + 1], Vec::new());
        while times.len() < count {
            let tick = self
                .ticks
                .recv_timeout(PATIENCE)
                .with_context(|| format!("{} of {count} ticks did not arrive", count - times.len()))?;
            match seen.get_mut(tick.number) {
                Some(seen) if !*seen => *seen = true,
                _ => bail!("tick {} appears twice, or was never made", tick.number),
            }
            times.push(tick.took);
        }
        Ok(Samples::new(times))
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        process::end(&mut self.child);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_which_tick_it_is_and_when_it_was_made() {
        let read = |line| Tick::read(line, Duration::from_nanos(1500));
        let expected = Some(Tick { number: 7, took: Duration::from_nanos(500) });
        assert_eq!(read("tick-7-1000"), expected);
        assert_eq!(read("tick-7-1000   0      0s"), expected);
        assert_eq!(read("NAME   DATA   AGE"), None);
        assert_eq!(read("kube-root-ca.crt"), None);
        assert!(Tick::read(&name(3), now()).is_some_and(|tick| tick.number == 3));
    }
}
