//! A policy, the grant of one plugin, and the permit of one request: each is made of the one before, and of nothing else.

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

/// What a plugin may do, before it is known which plugin.
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
            && Defence::Claims.stands()
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
            Err(reason) => Err(attempt.refused(reason)),
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
