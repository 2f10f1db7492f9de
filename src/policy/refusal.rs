//! Why a request was refused, in words for the user and for the guest.

use std::fmt;

use http::{HeaderName, Method};

use super::Attempt;

/// A request that was not let out, and why.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refusal {
    /// e.g. `GET https://example.com/`.
    request: String,
    reason: Reason,
}

/// The rule that a request broke.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reason {
    /// It goes to none of the endpoints that were granted.
    Destination,
    /// There is no cluster to go to; why.
    NoCluster(String),
    /// Its path, method or headers could be understood in two ways, or in none.
    Ambiguous(&'static str),
    /// It says who is asking, which is the host's to say.
    SpeaksAs(HeaderName),
    /// The policy of this name does not cover it.
    Policy(&'static str),
}

impl Refusal {
    /// Refuses a request that named no granted endpoint, or none at all.
    #[must_use]
    pub fn elsewhere(method: &Method, uri: impl fmt::Display, reason: Reason) -> Self {
        Self { request: short(&format!("{method} {uri}")), reason }
    }

    /// Refuses a request to a granted endpoint.
    #[must_use]
    pub fn of(attempt: &Attempt, reason: Reason) -> Self {
        Self { request: short(&format!("{} {}", attempt.method(), attempt.path())), reason }
    }

    /// The rule that was broken.
    #[must_use]
    pub fn reason(&self) -> &Reason {
        &self.reason
    }

    /// What would let such a request pass, if anything would.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match &self.reason {
            Reason::Policy(_) => Some(
                "kwasm run --policy cluster lets it do what you may do in the context's cluster; so does \
                 kwasm install --policy cluster",
            ),
            Reason::NoCluster(_) => Some(NAME_A_KUBECONFIG),
            Reason::Ambiguous(_) | Reason::Destination | Reason::SpeaksAs(_) => None,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.request)?;
        match &self.reason {
            Reason::Destination => f.write_str("plugins reach the context's cluster and nothing else"),
            Reason::NoCluster(why) => f.write_str(why),
            Reason::Ambiguous(what) => f.write_str(what),
            Reason::SpeaksAs(header) => {
                write!(f, "a plugin may not set `{header}`: kwasm says who is asking")
            }
            Reason::Policy(name) => write!(f, "the policy `{name}` does not allow it"),
        }
    }
}

/// What helps where no cluster is selected.
pub const NAME_A_KUBECONFIG: &str =
    "name a kubeconfig by KUBECONFIG or --kubeconfig, and a context in it by --context";

/// The longest request that a line shows whole.
const SHOWN: usize = 160;

/// A guest's text, not without end.
fn short(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_has_an_end() {
        let uri = format!("https://x/{}", "a".repeat(1000));
        let text = Refusal::elsewhere(&Method::GET, uri, Reason::Destination).to_string();
        assert!(text.chars().count() < 250);
    }
}
