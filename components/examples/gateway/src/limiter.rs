//! How often each user may ask: the [generic cell rate algorithm][1], which needs one point in time for each of them.
//!
//! [1]: https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm

use std::collections::HashMap;
use std::time::Duration;

/// The most users that are remembered at a time.
const MOST: usize = 10_000;

/// What users have taken of their shares.
#[derive(Debug, Default)]
pub(crate) struct Limiter {
    /// When a user would have waited for all requests so far, had they come one by one.
    due: HashMap<String, Duration>,
}

impl Limiter {
    /// Takes a request out of a user's share of so many in a second, of which so many may come at once. Times are since any fixed
    /// point.
    ///
    /// # Errors
    /// How long the user has to wait.
    pub(crate) fn take(&mut self, user: &str, now: Duration, rate: u32, burst: u32) -> Result<(), Duration> {
        let interval = Duration::from_secs(1) / rate.max(1);
        let due = self.due.get(user).copied().unwrap_or(now).max(now) + interval;
        let earliest = due.saturating_sub(interval * burst);
        if let Some(wait) = earliest.checked_sub(now).filter(|wait| !wait.is_zero()) {
            return Err(wait);
        }
        if self.due.len() >= MOST && !self.due.contains_key(user) {
            // Who has waited long enough is as good as new.
            self.due.retain(|_, due| *due > now);
            if self.due.len() >= MOST {
                return Err(interval);
            }
        }
        self.due.insert(user.to_owned(), due);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns how many of so many requests at once pass.
    fn passed(limiter: &mut Limiter, user: &str, at: u64, asked: u32) -> u32 {
        let now = Duration::from_millis(at);
        (0..asked).filter(|_| limiter.take(user, now, 10, 20).is_ok()).count().try_into().unwrap()
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
        let wait = limiter.take("dave", Duration::from_mins(1), 10, 20);
        assert_eq!(wait, Err(Duration::from_millis(100)));
    }

    #[test]
    fn there_are_no_more_users_than_memory_is_for_and_those_who_waited_make_room() {
        let mut limiter = Limiter::default();
        for number in 0..MOST {
            assert!(limiter.take(&number.to_string(), Duration::ZERO, 10, 20).is_ok());
        }
        assert!(limiter.take("one more", Duration::ZERO, 10, 20).is_err());
        assert!(limiter.take("0", Duration::ZERO, 10, 20).is_ok());
        assert!(limiter.take("one more", Duration::from_secs(1), 10, 20).is_ok());
        assert_eq!(limiter.due.len(), 1);
    }
}
