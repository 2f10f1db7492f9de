//! How often each user may ask: the [generic cell rate algorithm][1], which needs one point in time for each of them.
//!
//! [1]: https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm

use std::collections::HashMap;
use std::time::Duration;

/// The most users that are remembered at a time.
const MOST: usize = 10_000;

/// So many in a second over time, of which so many may come at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    pub(crate) second: u32,
    pub(crate) burst: u32,
}

/// A share that is taken from. Times are since any fixed point.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Share {
    /// When whoever takes from it would have waited for all so far, had they come one by one.
    due: Duration,
}

/// What users have taken of their shares.
#[derive(Debug, Default)]
pub(crate) struct Limiter {
    shares: HashMap<String, Share>,
}

impl Rate {
    fn interval(self) -> Duration {
        Duration::from_secs(1) / self.second.max(1)
    }
}

impl Share {
    /// Takes one.
    ///
    /// # Errors
    /// How long there is to wait.
    pub(crate) fn take(&mut self, now: Duration, rate: Rate) -> Result<(), Duration> {
        let due = self.due.max(now) + rate.interval();
        let earliest = due.saturating_sub(rate.interval() * rate.burst);
        if let Some(wait) = earliest.checked_sub(now).filter(|wait| !wait.is_zero()) {
            return Err(wait);
        }
        self.due = due;
        Ok(())
    }
}

impl Limiter {
    /// Takes a request out of a user's share.
    ///
    /// # Errors
    /// How long the user has to wait.
    pub(crate) fn take(&mut self, user: &str, now: Duration, rate: Rate) -> Result<(), Duration> {
        if let Some(share) = self.shares.get_mut(user) {
            return share.take(now, rate);
        }
        if self.shares.len() >= MOST {
            // Who has waited long enough is as good as new.
            self.shares.retain(|_, share| share.due > now);
            if self.shares.len() >= MOST {
                return Err(rate.interval());
            }
        }
        self.shares.entry(user.to_owned()).or_default().take(now, rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { second: 10, burst: 20 };

    /// Returns how many of so many requests at once pass.
    fn passed(limiter: &mut Limiter, user: &str, at: u64, asked: u32) -> u32 {
        let now = Duration::from_millis(at);
        (0..asked).filter(|_| limiter.take(user, now, RATE).is_ok()).count().try_into().unwrap()
    }

    #[test]
    fn a_burst_passes_and_then_as_many_as_the_rate() {
        let mut limiter = Limiter::default();
        assert_eq!(passed(&mut limiter, "carol", 0, 100), 20);
        assert_eq!(passed(&mut limiter, "carol", 99, 100), 0);
        assert_eq!(passed(&mut limiter, "carol", 100, 100), 1);
        assert_eq!(passed(&mut limiter, "carol", 1_100, 100), 10);
        assert_eq!(passed(&mut limiter, "carol", 60_000, 100), 20);
        assert_eq!(passed(&mut limiter, "dave", 60_000, 100), 20, "each user has a share of their own");
        let wait = limiter.take("dave", Duration::from_mins(1), RATE);
        assert_eq!(wait, Err(Duration::from_millis(100)));
    }

    #[test]
    fn there_are_no_more_users_than_memory_is_for_and_those_who_waited_make_room() {
        let mut limiter = Limiter::default();
        for number in 0..MOST {
            assert!(limiter.take(&number.to_string(), Duration::ZERO, RATE).is_ok());
        }
        assert!(limiter.take("one more", Duration::ZERO, RATE).is_err());
        assert!(limiter.take("0", Duration::ZERO, RATE).is_ok());
        assert!(limiter.take("one more", Duration::from_secs(1), RATE).is_ok());
        assert_eq!(limiter.shares.len(), 1);
    }
}
