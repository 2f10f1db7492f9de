//! The guest's wall clock while a run is recorded or replayed.
//!
//! A plugin that prints ages prints the same in a replay only if its clock shows the same. So the clock stands at the
//! time at which the guest last received something, in both runs, and moves on in steps of [`STEP`] if nothing
//! arrives, so that a guest that waits for a time does not wait forever. A plugin that takes less than a step for what
//! it received cannot tell the two runs apart by it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use time::OffsetDateTime;

/// The step of the clock while nothing arrives. Long enough for a busy machine, since within it the clock stands.
const STEP: Duration = Duration::from_secs(5);

/// The wall clock of a guest. Clones are handles to the same clock.
#[derive(Clone, Debug)]
pub struct Clock {
    start: OffsetDateTime,
    shown: Arc<Mutex<Shown>>,
}

#[derive(Debug)]
struct Shown {
    /// The milliseconds since the start of the record.
    at: u64,
    since: Instant,
}

impl Clock {
    /// Returns a clock that stands at the time of its start.
    #[must_use]
    pub fn starting(start: OffsetDateTime) -> Self {
        Self { start, shown: Arc::new(Mutex::new(Shown { at: 0, since: Instant::now() })) }
    }

    /// Begins to count the time again: the guest starts now.
    pub(crate) fn restart(&self) {
        self.shown().since = Instant::now();
    }

    /// Returns the time since 1970 that the guest sees.
    #[must_use]
    pub fn now(&self) -> Duration {
        let (at, passed) = {
            let shown = self.shown();
            (shown.at, shown.since.elapsed())
        };
        let steps = u32::try_from(passed.as_secs() / STEP.as_secs()).unwrap_or(u32::MAX);
        let since_start = Duration::from_millis(at).saturating_add(STEP.saturating_mul(steps));
        let start = self.start.unix_timestamp_nanos();
        Duration::from_nanos_u128(u128::try_from(start).unwrap_or_default()).saturating_add(since_start)
    }

    /// Sets the clock to the time of something that the guest receives now, in milliseconds since the start.
    pub(super) fn set(&self, at: u64) {
        *self.shown() = Shown { at, since: Instant::now() };
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        // It is replaced as a whole.
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_stands_at_what_came_last() {
        let clock = Clock::starting(OffsetDateTime::UNIX_EPOCH + Duration::from_secs(1000));
        assert_eq!(clock.now(), Duration::from_secs(1000));
        clock.set(1500);
        assert_eq!(clock.clone().now(), Duration::from_millis(1_001_500));
    }

    #[test]
    fn the_clock_moves_on_in_steps_while_nothing_comes() {
        let clock = Clock::starting(OffsetDateTime::UNIX_EPOCH);
        let Some(before) = Instant::now().checked_sub(Duration::from_secs(11)) else { return };
        clock.shown().since = before;
        assert_eq!(clock.now(), Duration::from_secs(10));
    }
}
