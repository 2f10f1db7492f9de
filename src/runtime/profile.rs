//! Profiles of a plugin's run: which functions it computed in, sampled once a millisecond, for the Firefox profiler.
//!
//! A sample is taken where the plugin's code looks at the epoch, which is at the beginning of each function and loop.
//! That code is the same in each run, so a profiled one differs only by the thread that advances the epoch. wasmtime's
//! own `GuestProfiler` is not used: it demangles all names of a plugin without a bound, keeps stacks of any depth,
//! and would bring Intel's ITT API, in C.

mod firefox;
mod recording;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use wasmtime::{AsContext, Engine, Store, UpdateDeadline, WasmBacktrace};

pub(super) use self::recording::CALLS;
use self::recording::Recording;
use super::calls::within;
use super::error::Error;

/// The time between two samples.
const INTERVAL: Duration = Duration::from_millis(1);

/// The time for writing a profile down. Only one with hostile names takes longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A recorder of one run. Clones are handles to the same one.
#[derive(Clone)]
pub struct Profiler(Arc<Inner>);

struct Inner {
    name: String,
    recording: Mutex<Recording>,
    /// Whether the run has ended.
    ended: AtomicBool,
}

/// A finished profile.
pub struct Profile {
    /// The file: JSON in the Firefox profiler's [processed format][1].
    ///
    /// [1]: https://github.com/firefox-devtools/profiler/blob/main/docs-developer/processed-profile-format.md
    pub json: Vec<u8>,
    /// The number of samples.
    pub samples: usize,
    /// Whether it lacks the end of the run, since no more samples were kept.
    pub is_cut: bool,
}

/// Advances the epoch until it is dropped.
pub(super) struct Clock(#[expect(dead_code, reason = "dropped, not read")] Sender<()>);

impl Profiler {
    /// Returns a recorder of a plugin's run.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let (recording, ended) = (Mutex::new(Recording::new()), AtomicBool::new(false));
        Self(Arc::new(Inner { name: name.to_owned(), recording, ended }))
    }

    /// Takes samples of a guest from now on, until it ends or [`Profiler::stop`] is called.
    ///
    /// # Errors
    /// If there can be no further thread.
    pub(super) fn watch<T: 'static>(&self, engine: &Engine, store: &mut Store<T>) -> Result<Clock, Error> {
        let profiler = self.clone();
        store.epoch_deadline_callback(move |context| {
            if profiler.0.ended.load(Ordering::Acquire) {
                return Ok(UpdateDeadline::Interrupt);
            }
            profiler.sample(context.as_context());
            Ok(UpdateDeadline::Continue(1))
        });
        self.recording().begin();
        let (clock, ended) = mpsc::channel::<()>();
        let engine = engine.clone();
        let tick = move || {
            while ended.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                engine.increment_epoch();
            }
        };
        thread::Builder::new().name("profiler".to_owned()).spawn(tick).map_err(Error::system)?;
        Ok(Clock(clock))
    }

    /// Makes the guest end where it looks at the epoch next.
    pub(super) fn stop(&self) {
        self.0.ended.store(true, Ordering::Release);
    }

    fn sample(&self, context: impl AsContext) {
        let mut recording = self.recording();
        if !recording.is_full() {
            recording.add(WasmBacktrace::force_capture(context).frames());
        }
    }

    /// Returns what was recorded so far, or `None` if it cannot be written down in time.
    #[must_use]
    pub fn finish(&self) -> Option<Profile> {
        self.stop();
        let (profiler, recording) =
            (self.clone(), std::mem::replace(&mut *self.recording(), Recording::new()));
        within(PATIENCE, move || {
            let (samples, is_cut) = (recording.samples(), recording.is_full());
            let json = recording.write(&profiler.0.name, INTERVAL)?;
            Some(Profile { json, samples, is_cut })
        })?
    }

    fn recording(&self) -> MutexGuard<'_, Recording> {
        // A sample is added as a whole.
        self.0.recording.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
