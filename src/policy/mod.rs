//! Decides what a plugin gets. Pure: no clock, file, socket or environment, and no wasmtime.
//!
//! The seam is [`Grant::judge`]: an [`Attempt`] becomes a [`Permit`] or a [`Refusal`]. A permit is made nowhere
//! else, and the sender takes nothing else:
//!
//! ```compile_fail,E0451
//! fn forge(attempt: kwasm::policy::Attempt) -> kwasm::policy::Permit {
//!     kwasm::policy::Permit { attempt }
//! }
//! ```
//!
//! Nor is a grant made but from a policy and what was inspected:
//!
//! ```compile_fail,E0451
//! fn forge(policy: kwasm::policy::Policy) -> kwasm::policy::Grant {
//!     kwasm::policy::Grant { policy }
//! }
//! ```

mod attempt;
mod limits;
mod query;
mod refusal;
mod request_info;

use std::str::FromStr;

pub use self::attempt::{Attempt, Target};
pub use self::limits::{HEADERS, Limit, Limits};
pub use self::refusal::{NAME_A_KUBECONFIG, Reason, Refusal};
pub use self::request_info::RequestInfo;
use crate::inspect::Inspected;

/// What a plugin may do, before it is known which plugin.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Policy {
    name: &'static str,
    scope: Scope,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Scope {
    /// No request at all.
    Nothing,
    /// Whatever the user may do at the selected context's endpoint.
    Cluster,
}

/// There is no policy of this name.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
#[error("there is no policy `{0}`: the built-in ones are none and cluster")]
pub struct UnknownPolicy(String);

impl Policy {
    /// Allows nothing.
    #[must_use]
    pub fn none() -> Self {
        Self { name: "none", scope: Scope::Nothing }
    }

    /// Allows whatever the user may do at the endpoint of the selected context.
    #[must_use]
    pub fn cluster() -> Self {
        Self { name: "cluster", scope: Scope::Cluster }
    }

    /// The name by which it is chosen.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What of this policy a plugin gets.
    #[must_use]
    pub fn grant(self, inspected: &Inspected) -> Grant {
        // A component that imports no network has no use for a grant of it, and gets none.
        let policy = if inspected.uses_network() { self } else { Self::none() };
        Grant { policy }
    }
}

impl FromStr for Policy {
    type Err = UnknownPolicy;

    fn from_str(name: &str) -> Result<Self, UnknownPolicy> {
        match name {
            "none" => Ok(Self::none()),
            "cluster" => Ok(Self::cluster()),
            _ => Err(UnknownPolicy(name.to_owned())),
        }
    }
}

/// What one plugin may do in one run.
#[derive(Clone, Debug)]
pub struct Grant {
    policy: Policy,
}

/// One request that was judged and found to be granted.
#[derive(Debug)]
pub struct Permit {
    attempt: Attempt,
}

impl Grant {
    /// Judges one request.
    ///
    /// # Errors
    /// The refusal, when nothing that was granted covers the request.
    pub fn judge(&self, attempt: Attempt) -> Result<Permit, Refusal> {
        if let Some(header) = attempt.claim() {
            let reason = Reason::SpeaksAs(header.clone());
            return Err(Refusal::of(&attempt, reason));
        }
        match self.policy.scope {
            Scope::Cluster => Ok(Permit { attempt }),
            Scope::Nothing => Err(Refusal::of(&attempt, Reason::Policy(self.policy.name))),
        }
    }
}

impl Permit {
    /// What was permitted.
    #[must_use]
    pub fn attempt(&self) -> &Attempt {
        &self.attempt
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderMap, Method, Uri};

    fn attempt(headers: &HeaderMap) -> Attempt {
        let uri = Uri::from_static("/api/v1/namespaces/shop/secrets/db");
        let target = Target::Context("test".to_owned());
        Attempt::read(target, Method::GET, uri.path_and_query(), headers).unwrap()
    }

    fn grant(policy: Policy) -> Grant {
        Grant { policy }
    }

    #[test]
    fn cluster_permits_what_none_refuses() {
        let headers = HeaderMap::new();
        assert!(grant(Policy::cluster()).judge(attempt(&headers)).is_ok());
        let refusal = grant(Policy::none()).judge(attempt(&headers)).unwrap_err();
        assert_eq!(refusal.reason(), &Reason::Policy("none"));
    }

    #[test]
    fn nobody_speaks_as_somebody() {
        for name in ["authorization", "impersonate-user", "impersonate-extra-x", "x-remote-user"] {
            let mut headers = HeaderMap::new();
            headers.insert(name, "x".parse().unwrap());
            let refusal = grant(Policy::cluster()).judge(attempt(&headers)).unwrap_err();
            assert!(matches!(refusal.reason(), Reason::SpeaksAs(found) if found.as_str() == name));
        }
    }

    #[test]
    fn an_empty_authorization_counts_as_none() {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", " ".parse().unwrap());
        assert!(grant(Policy::cluster()).judge(attempt(&headers)).is_ok());
        headers.append("authorization", "Bearer x".parse().unwrap());
        assert!(grant(Policy::cluster()).judge(attempt(&headers)).is_err());
    }

    #[test]
    fn a_policy_that_is_not_there_is_an_error() {
        assert!("Cluster".parse::<Policy>().is_err());
        assert_eq!("none".parse(), Ok(Policy::none()));
    }
}
