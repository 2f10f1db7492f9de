//! The time of a review, which ends before the API server's does: a webhook that gave no answer has denied nothing, where its
//! `failurePolicy` is `Ignore`.

use std::time::{Duration, Instant};

/// How long an API server waits that does not say so: the default of a webhook's `timeoutSeconds`.
const PATIENCE: u32 = 10;

/// The longest that it may wait.
const LONGEST: u32 = 30;

/// The share of that, in percent, that lookups may take. Of the rest are the way here and back, and kwasm's own end of the
/// component, at 90.
const SHARE: u32 = 70;

/// The end of a review's time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    since: Instant,
    time: Duration,
}

impl Deadline {
    /// Returns that of a review which comes now, as a request for `target`.
    pub(crate) fn of(target: &str) -> Self {
        Self::after(time(target))
    }

    /// Returns the one that is this far off.
    pub(crate) fn after(time: Duration) -> Self {
        Self { since: Instant::now(), time }
    }

    /// Returns how long the whole review may take.
    pub(crate) fn time(self) -> Duration {
        self.time
    }

    /// Returns how much of it is left; `None` if it is over.
    pub(crate) fn left(self) -> Option<Duration> {
        self.time.checked_sub(self.since.elapsed()).filter(|left| !left.is_zero())
    }
}

/// Reads a query as API servers write it, `timeout=10s`: they round up to whole seconds.
fn time(target: &str) -> Duration {
    let query = target.split_once('?').map_or("", |(_, query)| query);
    let said = query.split('&').find_map(|pair| pair.strip_prefix("timeout=")?.strip_suffix('s'));
    let seconds = said.and_then(|number| number.parse().ok()).filter(|seconds| *seconds > 0);
    Duration::from_secs(1) * seconds.unwrap_or(PATIENCE).min(LONGEST) * SHARE / 100
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lookups_have_seven_tenths_of_what_the_api_server_waits() {
        assert_eq!(time("/?timeout=10s"), Duration::from_secs(7));
        assert_eq!(time("/review?a=b&timeout=1s"), Duration::from_millis(700));
        assert_eq!(time("/?timeout=30s"), Duration::from_secs(21));
    }

    #[test]
    fn what_no_api_server_says_gives_the_default_and_no_more_than_the_longest() {
        for target in ["", "/", "/?timeout=", "/?timeout=0s", "/?timeout=-1s", "/?timeout=1", "/timeout=1s"] {
            assert_eq!(time(target), Duration::from_secs(7), "{target}");
        }
        assert_eq!(time("/?timeout=4000000000s"), Duration::from_secs(21));
    }

    #[test]
    fn a_time_is_over_when_it_has_passed_and_not_before() {
        assert!(Deadline::after(Duration::from_mins(1)).left().is_some());
        assert_eq!(Deadline::after(Duration::ZERO).left(), None);
    }
}
