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
mod builtin;
mod document;
mod host;
mod limits;
mod quantity;
mod query;
mod refusal;
mod request_info;
mod rule;
mod upgrade;

use http::HeaderName;

pub use self::attempt::{Attempt, Context, Target};
pub use self::builtin::names as builtins;
pub use self::host::{Host, is_public};
pub use self::limits::{HEADERS, Limit, Limits};
pub(crate) use self::quantity::{Bytes, Quantity, bytes, duration};
pub use self::refusal::{CLUSTER, NAME_A_KUBECONFIG, Reason, Refusal};
pub use self::request_info::RequestInfo;
pub use self::rule::{NameSelector, ResourceRule, Rule, UrlRule};
pub use self::upgrade::Upgrade;
use crate::defence::{Defence, stands};
use crate::document::Fault;
use crate::inspect::Inspected;

/// What a plugin may do, before it is known which plugin.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Policy {
    name: String,
    contexts: NameSelector,
    impersonate: bool,
    rules: Vec<Rule>,
    hosts: Vec<Host>,
    own_flags: Vec<String>,
    limits: Limits,
}

/// The policy of a plugin for which none was chosen.
pub const DEFAULT: &str = "read-only";

impl Policy {
    /// Allows nothing.
    #[must_use]
    pub fn none() -> Self {
        Self {
            name: "none".to_owned(),
            contexts: NameSelector::current(),
            impersonate: false,
            rules: Vec::new(),
            hosts: Vec::new(),
            own_flags: Vec::new(),
            limits: Limits::default(),
        }
    }

    /// The built-in policy of this name; `None` when there is none.
    ///
    /// # Errors
    /// Never, as a test shows: the built-in ones are read as any other.
    #[must_use]
    pub fn builtin(name: &str) -> Option<Result<Self, Vec<Fault>>> {
        builtin::read(name)
    }

    /// Reads a policy file. `file` is its name in messages.
    ///
    /// # Errors
    /// All that is wrong with it, in the order in which it was found.
    pub fn read(file: &str, text: &str) -> Result<Self, Vec<Fault>> {
        document::read(file, text)
    }

    /// The same policy with one rule more.
    #[must_use]
    pub fn with_rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its rules, in their order.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The hosts beside the cluster that it grants.
    #[must_use]
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// Whether it grants the context `name` at all, where `selected` is the one that the user chose.
    #[must_use]
    pub fn grants(&self, name: &str, selected: &str) -> bool {
        // A server that flags alone name is selected and has no name.
        self.contexts.covers(name, selected) || (name == selected && self.contexts.has_current())
    }

    /// What of this policy a plugin gets.
    #[must_use]
    pub fn grant(self, inspected: &Inspected) -> Grant {
        // A component that imports no network has no use for a grant of it, and gets none.
        let policy = if inspected.uses_network() {
            self
        } else {
            let Self { name, own_flags, limits, .. } = self;
            Self { name, own_flags, limits, ..Self::none() }
        };
        Grant { policy }
    }

    /// All of this policy, for what is no plugin but kwasm itself.
    #[must_use]
    pub fn grant_whole(self) -> Grant {
        Grant { policy: self }
    }

    /// The first rule that covers an attempt at a cluster.
    ///
    /// # Errors
    /// Why none does.
    pub fn decide(&self, attempt: &Attempt) -> Result<Option<&Rule>, Reason> {
        let granted = |header: &HeaderName| self.impersonate && header.as_str().starts_with("impersonate-");
        if let Some(header) = attempt.claims().iter().find(|header| !granted(header))
            && stands(Defence::Claims)
        {
            return Err(Reason::SpeaksAs(header.clone()));
        }
        let context = match attempt.target() {
            Target::Context(context) => context,
            // What a granted host is asked for is not kwasm's to judge: it gets no credential.
            Target::Host(_) => return Ok(None),
        };
        if !self.grants(context.name(), context.selected()) {
            let (context, policy) = (context.name().to_owned(), self.name.clone());
            return Err(Reason::Context { context, policy });
        }
        let covering = |info: &RequestInfo| self.rules.iter().find(|rule| rule.covers(info, context));
        let uncovered = || Reason::Policy(self.name.clone());
        if let Some(info) = attempt.opens() {
            covering(&info).ok_or_else(uncovered)?;
        }
        covering(attempt.info()).map(Some).ok_or_else(uncovered)
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
        match self.policy.decide(&attempt) {
            Ok(_) => Ok(Permit { attempt }),
            Err(reason) => Err(Refusal::of(&attempt, reason)),
        }
    }

    /// Whether the context `name` may be reached at all, where `selected` is the one that the user chose.
    #[must_use]
    pub fn grants(&self, name: &str, selected: &str) -> bool {
        self.policy.grants(name, selected)
    }

    /// Those of kubectl's connection flags that the plugin has for itself, as it spells them.
    #[must_use]
    pub fn own_flags(&self) -> &[String] {
        &self.policy.own_flags
    }

    /// The hosts beside the cluster that may be reached.
    #[must_use]
    pub fn hosts(&self) -> &[Host] {
        &self.policy.hosts
    }

    /// How much one run may take.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.policy.limits
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
mod tests;
