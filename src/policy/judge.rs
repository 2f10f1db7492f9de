//! A policy, the grant of one plugin, and the permit of one request: each is made only from the one before.

use http::HeaderName;

use super::attempt::Attempt;
use super::host::Host;
use super::limits::Limits;
use super::refusal::{Reason, Refusal};
use super::request_info::RequestInfo;
use super::rule::{NameSelector, Rule};
use super::target::Target;
use crate::defence::Defence;
use crate::inspect::Inspected;

/// The permissions of any plugin, before it is known which one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Policy {
    pub(super) name: String,
    pub(super) contexts: NameSelector,
    pub(super) impersonate: bool,
    pub(super) rules: Vec<Rule>,
    pub(super) hosts: Vec<Host>,
    pub(super) own_flags: Vec<String>,
    pub(super) limits: Limits,
}

/// The policy of a plugin for which the user chose none.
pub const DEFAULT: &str = "read-only";

impl Policy {
    /// Returns a policy that allows nothing.
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

    /// Returns the name of the policy.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the rules in their order.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Returns the hosts outside the cluster that it grants.
    #[must_use]
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// Returns whether it grants the context `name` at all; `selected` is the one that the user chose.
    #[must_use]
    pub fn grants(&self, name: &str, selected: &str) -> bool {
        // A server that flags alone name is selected and has no name.
        self.contexts.covers(name, selected) || (name == selected && self.contexts.has_current())
    }

    /// Returns the part of this policy that a plugin gets.
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

    /// Returns all of this policy, for requests of kwasm itself.
    #[must_use]
    pub fn grant_whole(self) -> Grant {
        Grant { policy: self }
    }

    /// Returns the first rule that covers a request to a cluster.
    ///
    /// # Errors
    /// The reason why none does.
    pub fn decide(&self, attempt: &Attempt) -> Result<Option<&Rule>, Reason> {
        let granted = |header: &HeaderName| self.impersonate && header.as_str().starts_with("impersonate-");
        if let Some(header) = attempt.claims().iter().find(|header| !granted(header))
            && Defence::Claims.stands()
        {
            return Err(Reason::SpeaksAs(header.clone()));
        }
        let context = match attempt.target() {
            Target::Context(context) => context,
            // Requests to a granted host are not judged by kwasm, since they get no credential.
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

/// The permissions of one plugin in one run.
#[derive(Clone, Debug)]
pub struct Grant {
    policy: Policy,
}

/// A request that was judged and found to be granted.
#[derive(Debug)]
pub struct Permit {
    attempt: Attempt,
}

impl Grant {
    /// Judges one request.
    ///
    /// # Errors
    /// The refusal, if no grant covers the request.
    pub fn judge(&self, attempt: Attempt) -> Result<Permit, Refusal> {
        match self.policy.decide(&attempt) {
            Ok(_) => Ok(Permit { attempt }),
            Err(reason) => Err(attempt.refused(reason)),
        }
    }

    /// Returns whether the context `name` may be reached at all; `selected` is the one that the user chose.
    #[must_use]
    pub fn grants(&self, name: &str, selected: &str) -> bool {
        self.policy.grants(name, selected)
    }

    /// Returns kubectl's connection flags that the plugin defines itself, in its spelling.
    #[must_use]
    pub fn own_flags(&self) -> &[String] {
        &self.policy.own_flags
    }

    /// Returns the hosts outside the cluster that may be reached.
    #[must_use]
    pub fn hosts(&self) -> &[Host] {
        &self.policy.hosts
    }

    /// Returns the limits of a run.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.policy.limits
    }
}

impl Permit {
    /// Returns the permitted request.
    #[must_use]
    pub fn attempt(&self) -> &Attempt {
        &self.attempt
    }
}
