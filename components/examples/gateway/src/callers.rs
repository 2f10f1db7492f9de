//! Who asks: what the API server said of tokens, and how much of their shares has been taken.
//!
//! A share is taken from before the API server is asked, so that whoever is refused is bounded as well as who is not: a user's own
//! for each request of theirs, and for a token that has been nobody's so far one that all such tokens have together.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use kube_guest::Error;
use sha2::{Digest, Sha256};

use crate::identity::{Reviews, User};
use crate::limiter::{Limiter, Rate, Share};

/// How long an answer of the API server is good for, whatever it is, as with its own authenticators.
const FRESH: Duration = Duration::from_secs(10);

/// The most tokens that are remembered.
const MOST: usize = 10_000;

/// The reason why a request is not passed on.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The token is nobody's.
    Unknown,
    /// Its user may not reach the service.
    Forbidden,
    /// Its user, or whoever sends tokens that are not known, has to wait this long.
    TooOften(Duration),
    /// The API server could not be asked.
    Unasked(Error),
}

/// The bounds of shares.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rates {
    /// Requests of a user.
    pub(crate) user: Rate,
    /// Tokens that are not known, of all callers together.
    pub(crate) unknown: Rate,
}

/// What is remembered of callers.
#[derive(Default)]
pub(crate) struct Callers {
    /// By their hashes.
    tokens: HashMap<[u8; 32], Token>,
    users: Limiter,
    unknown: Share,
}

/// What the API server said of a token.
struct Token {
    /// Until when that is good.
    until: Duration,
    /// Whose it is, if it is anybody's. It stays when that is old: to ask again is then the user's to pay for, whom a flood of
    /// other tokens must not lock out.
    user: Option<Arc<User>>,
    /// Whether the user may use a verb on the service, and until when that is good.
    verbs: HashMap<&'static str, (Duration, bool)>,
}

impl Callers {
    /// Returns the user of a token, who may use a verb on the service, and takes the request out of their share.
    ///
    /// # Errors
    /// [`Refused`].
    pub(crate) fn admit(
        &mut self,
        api: &impl Reviews,
        rates: Rates,
        token: &str,
        verb: &'static str,
        now: Duration,
    ) -> Result<String, Refused> {
        let hash = <[u8; 32]>::from(Sha256::digest(token.as_bytes()));
        let user = self.identify(api, rates, token, hash, now)?;
        if self.may(api, &user, hash, verb, now)? {
            Ok(user.username.clone())
        } else {
            Err(Refused::Forbidden)
        }
    }

    fn identify(
        &mut self,
        api: &impl Reviews,
        rates: Rates,
        token: &str,
        hash: [u8; 32],
        now: Duration,
    ) -> Result<Arc<User>, Refused> {
        let known = self.tokens.get(&hash);
        let is_fresh = known.is_some_and(|token| token.until > now);
        let user = known.and_then(|token| token.user.clone());
        match &user {
            Some(user) => self.take(user, rates, now)?,
            None if is_fresh => return Err(Refused::Unknown),
            None => self.unknown.take(now, rates.unknown).map_err(Refused::TooOften)?,
        }
        if let (Some(user), true) = (&user, is_fresh) {
            return Ok(Arc::clone(user));
        }
        let found = api.identify(token).map_err(Refused::Unasked)?.map(Arc::new);
        self.keep(hash, found.clone(), now);
        let found = found.ok_or(Refused::Unknown)?;
        if user.is_none() {
            self.take(&found, rates, now)?;
        }
        Ok(found)
    }

    fn take(&mut self, user: &User, rates: Rates, now: Duration) -> Result<(), Refused> {
        self.users.take(&user.username, now, rates.user).map_err(Refused::TooOften)
    }

    fn may(
        &mut self,
        api: &impl Reviews,
        user: &User,
        hash: [u8; 32],
        verb: &'static str,
        now: Duration,
    ) -> Result<bool, Refused> {
        let known = self.tokens.get(&hash).and_then(|token| token.verbs.get(verb));
        if let Some((_, allowed)) = known.filter(|(until, _)| *until > now) {
            return Ok(*allowed);
        }
        let allowed = api.may(user, verb).map_err(Refused::Unasked)?;
        if let Some(token) = self.tokens.get_mut(&hash) {
            token.verbs.insert(verb, (now + FRESH, allowed));
        }
        Ok(allowed)
    }

    fn keep(&mut self, hash: [u8; 32], user: Option<Arc<User>>, now: Duration) {
        if self.tokens.len() >= MOST {
            self.tokens.retain(|_, token| token.until > now || token.user.is_some());
        }
        if self.tokens.len() >= MOST {
            self.tokens.retain(|_, token| token.until > now);
        }
        // With too many the API server is asked again.
        if self.tokens.len() < MOST {
            self.tokens.insert(hash, Token { until: now + FRESH, user, verbs: HashMap::new() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    /// An API server to which tokens are known that begin with a user's name, who may get, but for `stranger`. It counts what it
    /// is asked.
    #[derive(Default)]
    struct Fake {
        identified: Cell<u32>,
        judged: Cell<u32>,
        is_revoked: Cell<bool>,
    }

    impl Reviews for Fake {
        fn identify(&self, token: &str) -> Result<Option<User>, Error> {
            self.identified.set(self.identified.get() + 1);
            let user = token.split_once('/').filter(|_| !self.is_revoked.get());
            Ok(user.map(|(name, _)| User { username: name.to_owned(), ..User::default() }))
        }

        fn may(&self, user: &User, verb: &str) -> Result<bool, Error> {
            self.judged.set(self.judged.get() + 1);
            Ok(verb == "get" && user.username != "stranger")
        }
    }

    impl Fake {
        fn asked(&self) -> (u32, u32) {
            (self.identified.get(), self.judged.get())
        }
    }

    const RATES: Rates =
        Rates { user: Rate { second: 10, burst: 20 }, unknown: Rate { second: 5, burst: 10 } };

    /// Asks, and returns the status of the answer.
    fn status(callers: &mut Callers, api: &Fake, token: &str, verb: &'static str, seconds: u64) -> u16 {
        match callers.admit(api, RATES, token, verb, Duration::from_secs(seconds)) {
            Ok(user) => {
                assert!(token.starts_with(&user));
                200
            }
            Err(Refused::Unknown) => 401,
            Err(Refused::Forbidden) => 403,
            Err(Refused::TooOften(_)) => 429,
            Err(Refused::Unasked(why)) => panic!("{why}"),
        }
    }

    #[test]
    fn an_answer_is_remembered_for_its_token_and_verb_until_it_is_old() {
        let (mut callers, api) = (Callers::default(), Fake::default());
        let mut ask = |token, verb, seconds| (status(&mut callers, &api, token, verb, seconds), api.asked());
        assert_eq!(ask("carol/1", "get", 0), (200, (1, 1)));
        assert_eq!(ask("carol/1", "get", 9), (200, (1, 1)));
        assert_eq!(ask("carol/1", "delete", 9), (403, (1, 2)), "another verb is judged, of the same user");
        assert_eq!(
            ask("carol/2", "get", 9),
            (200, (2, 3)),
            "another token is somebody else's until it is known"
        );
        assert_eq!(ask("carol/1", "get", 10), (200, (3, 4)));
    }

    #[test]
    fn who_is_refused_is_remembered_as_well_as_who_is_not() {
        let (mut callers, api) = (Callers::default(), Fake::default());
        for _ in 0..10 {
            assert_eq!(status(&mut callers, &api, "nobody's", "get", 0), 401);
            assert_eq!(status(&mut callers, &api, "stranger/1", "get", 0), 403);
        }
        assert_eq!(api.asked(), (2, 1));
        assert_eq!(status(&mut callers, &api, "nobody's", "get", 10), 401);
        assert_eq!(status(&mut callers, &api, "stranger/1", "get", 10), 403);
        assert_eq!(api.asked(), (4, 2), "what is old is asked again");
    }

    #[test]
    fn a_user_who_may_not_reach_the_service_has_no_larger_share_than_one_who_may() {
        let (mut callers, api) = (Callers::default(), Fake::default());
        for (token, first) in [("carol/1", 200), ("stranger/1", 403)] {
            let statuses: Vec<u16> = (0..25).map(|_| status(&mut callers, &api, token, "get", 0)).collect();
            assert_eq!(statuses, [[first; 20].as_slice(), &[429; 5]].concat());
        }
    }

    #[test]
    fn a_flood_of_unknown_tokens_is_no_flood_of_reviews_and_locks_out_no_user_who_is_known() {
        let (mut callers, api) = (Callers::default(), Fake::default());
        assert_eq!(status(&mut callers, &api, "carol/1", "get", 0), 200);
        for seconds in 1..=40 {
            let random: Vec<u16> = (0..1_000)
                .map(|number| status(&mut callers, &api, &format!("{seconds}-{number}"), "get", seconds))
                .collect();
            let looked_up = random.iter().filter(|status| **status == 401).count();
            assert_eq!(looked_up, if seconds == 1 { 10 } else { 5 });
            assert!(random.iter().all(|status| [401, 429].contains(status)));
            // Whoever is new waits with the flood.
            assert_eq!(status(&mut callers, &api, &format!("dave/{seconds}"), "get", seconds), 429);
            assert_eq!(status(&mut callers, &api, "carol/1", "get", seconds), 200);
        }
        // The flood's, and one of the known user every ten seconds.
        assert_eq!(api.identified.get(), 1 + 10 + 39 * 5 + 4);
    }

    #[test]
    fn a_token_that_is_nobodys_any_more_is_found_out_and_then_unknown_as_others_are() {
        let (mut callers, api) = (Callers::default(), Fake::default());
        assert_eq!(status(&mut callers, &api, "carol/1", "get", 0), 200);
        api.is_revoked.set(true);
        assert_eq!(status(&mut callers, &api, "carol/1", "get", 9), 200);
        assert_eq!(status(&mut callers, &api, "carol/1", "get", 10), 401);
        for number in 0..10 {
            assert_eq!(status(&mut callers, &api, &number.to_string(), "get", 20), 401);
        }
        assert_eq!(status(&mut callers, &api, "carol/1", "get", 20), 429);
    }

    #[test]
    fn no_more_is_remembered_than_memory_is_for_and_users_longer_than_what_is_unknown() {
        let mut callers = Callers::default();
        let hash = |number: usize| {
            let mut hash = [0; 32];
            hash[..8].copy_from_slice(&number.to_le_bytes());
            hash
        };
        callers.keep(hash(0), Some(Arc::default()), Duration::ZERO);
        for number in 1..=MOST {
            callers.keep(hash(number), None, Duration::ZERO);
        }
        assert_eq!(callers.tokens.len(), MOST);
        callers.keep(hash(MOST), None, FRESH);
        assert_eq!(callers.tokens.len(), 2);
        assert!(callers.tokens.contains_key(&hash(0)));
    }
}
