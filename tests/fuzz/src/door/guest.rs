//! A guest that does with a socket what its script says.
//!
//! A script is what it writes; the byte 0xFE begins a direction, which is the next byte.

use std::time::{Duration, Instant};

use kwasm::gate::{Gate, GuestEnd};

use super::script::pattern;
use super::upstream::Upstream;

/// Begins a direction.
const DIRECTION: u8 = 0xFE;

/// The most bytes that wait in either direction (`src/gate/pipe.rs`).
const CAPACITY: usize = 256 << 10;

/// The most bytes that one script writes.
const MOST: usize = 1 << 20;

/// Turns without an event after which nothing more is to be expected.
const QUIET: usize = 16;

/// The timeout for something that has to happen.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) struct Guest<'a> {
    gate: &'a Gate,
    upstream: &'a Upstream,
    pub(super) socket: GuestEnd,
    /// The written bytes that the gate accepted.
    pub(super) wrote: Vec<u8>,
    pub(super) got: Vec<u8>,
    /// Whether it has read to the end.
    pub(super) heard_all: bool,
    /// Whether the run was over before that.
    pub(super) interrupted: bool,
    deaf: bool,
}

impl<'a> Guest<'a> {
    pub(super) fn new(gate: &'a Gate, upstream: &'a Upstream, socket: GuestEnd) -> Self {
        let (wrote, got) = (Vec::new(), Vec::new());
        Self { gate, upstream, socket, wrote, got, heard_all: false, interrupted: false, deaf: false }
    }

    /// Plays a script. It ends when everything written was read and answered, or when the guest closes the
    /// connection.
    pub(super) async fn play(&mut self, script: &[u8]) {
        let mut parts = script.split(|byte| *byte == DIRECTION);
        self.write(parts.next().unwrap_or_default()).await;
        for part in parts {
            let (direction, text) = part.split_first().unwrap_or((&DIRECTION, part));
            match direction {
                b'.' => self.settle().await,
                b',' => tokio::task::yield_now().await,
                b'r' | b'R' => {
                    self.read(if *direction == b'R' { 100 } else { usize::MAX });
                }
                b'h' => self.socket.finish(),
                b'd' => return,
                b'e' => self.interrupt(),
                b's' => self.stop_reading(),
                b'0'..=b'7' => self.write(&pattern(2048 << (direction - b'0'))).await,
                _ => self.write(&[DIRECTION]).await,
            }
            self.write(text).await;
        }
        self.socket.finish();
        self.read_all().await;
    }

    async fn write(&mut self, bytes: &[u8]) {
        let mut left = &bytes[..bytes.len().min(MOST - self.wrote.len())];
        let mut tries = 0;
        while !left.is_empty() && tries < 3 {
            let Ok(room) = self.socket.room() else { return };
            assert!(room <= CAPACITY);
            let taken = self.socket.write(left);
            assert_eq!(taken, room.min(left.len()));
            assert_eq!(self.socket.room().ok(), Some(room - taken));
            self.wrote.extend_from_slice(&left[..taken]);
            left = &left[taken..];
            if !left.is_empty() {
                // The other end may be waiting for this one.
                self.settle().await;
                tries = if self.read(usize::MAX) || taken > 0 { 0 } else { tries + 1 };
            }
        }
    }

    /// Reads once, and says whether that was anything.
    fn read(&mut self, most: usize) -> bool {
        let read = self.socket.read(most);
        self.heard_all |= read.is_none() && !self.deaf;
        let bytes = read.unwrap_or_default();
        assert!(bytes.len() <= CAPACITY.min(most), "{} bytes waited", bytes.len());
        self.got.extend_from_slice(&bytes);
        !bytes.is_empty()
    }

    /// Reads to the end, if one is to come.
    async fn read_all(&mut self) {
        let (begin, mut idle) = (Instant::now(), 0);
        while !self.heard_all {
            idle = if self.read(usize::MAX) { 0 } else { idle + 1 };
            if idle > QUIET && (self.deaf || self.upstream.log().holds) {
                return;
            }
            assert!(begin.elapsed() < PATIENCE, "its answer never ends");
            turn(idle).await;
        }
    }

    fn interrupt(&mut self) {
        self.interrupted = true;
        self.gate.end();
    }

    fn stop_reading(&mut self) {
        self.deaf = true;
        self.socket.stop_reading();
    }

    /// Waits until nothing happens any more.
    async fn settle(&self) {
        let (mut steps, mut quiet) = (0, 0);
        while quiet < QUIET {
            tokio::task::yield_now().await;
            let now = self.upstream.log().steps;
            quiet = if now == steps { quiet + 1 } else { 0 };
            steps = now;
        }
    }
}

/// Lets the others go on, and does not burn the processor while they wait for the kernel.
async fn turn(idle: usize) {
    if idle < 1000 {
        tokio::task::yield_now().await;
    } else {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Waits until no task is left but one.
///
/// # Panics
/// Where that does not happen.
pub(super) async fn until_idle() {
    let metrics = tokio::runtime::Handle::current().metrics();
    let (begin, mut idle) = (Instant::now(), 0);
    while metrics.num_alive_tasks() > 1 {
        let late = begin.elapsed() > PATIENCE;
        assert!(!late, "{} tasks outlive their connection", metrics.num_alive_tasks() - 1);
        idle += 1;
        turn(idle).await;
    }
}
