//! A policy, the grant of one plugin, and the permit of one request: each is made only from the one before.

use http::HeaderName;

use super::attempt::Attempt;
use super::files::{self, FileGrant};
use super::host::{self, Host};
use super::layer::Layer;
use super::limits::{Limits, StatedLimits};
use super::namespace_filter::NamespaceFilter;
use super::refusal::{Reason, Refusal};
use super::request_info::RequestInfo;
use super::rule::{NameSelector, Rule, Stated, Words};
use super::target::Target;
use super::variables::{self, VariablePattern};
use crate::defence::Defence;
use crate::inspect::Inspected;

/// The permissions of any plugin, before it is known which one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Policy {
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) contexts: NameSelector,
    pub(super) impersonate: bool,
    pub(super) files: Vec<FileGrant>,
    pub(super) variables: Vec<VariablePattern>,
    pub(super) hosts: Vec<Host>,
    pub(super) own_flags: Vec<String>,
    pub(super) limits: StatedLimits,
    pub(super) stable_only: bool,
    rules: Vec<Rule>,
    /// As many as rules. Apart from them, since the judge does not read these.
    words: Vec<Words>,
    /// As many as rules. Apart from them, since the judge reads all of these and few of the rules.
    filters: Vec<NamespaceFilter>,
}

/// The policy of a plugin for which the user chose none.
pub const DEFAULT: &str = "read-only";

impl Policy {
    /// Returns a policy that allows nothing.
    #[must_use]
    pub fn none() -> Self {
        Self::named("none")
    }

    /// Returns a policy of this name that allows nothing.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            description: None,
            contexts: NameSelector::current(),
            impersonate: false,
            files: Vec::new(),
            variables: Vec::new(),
            hosts: Vec::new(),
            own_flags: Vec::new(),
            limits: StatedLimits::default(),
            stable_only: false,
            rules: Vec::new(),
            words: Vec::new(),
            filters: Vec::new(),
        }
    }

    /// Returns the name of the policy.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the same policy under another name.
    #[must_use]
    pub fn renamed(self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self }
    }

    /// Returns its author's description.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// Returns the rules in their order.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Returns the rules with the words of their author, in their order.
    pub fn stated(&self) -> impl Iterator<Item = Stated<'_>> {
        self.rules.iter().zip(&self.words).map(|(rule, words)| Stated { rule, words })
    }

    /// Adds a rule behind the others.
    pub fn add(&mut self, rule: Rule, words: Words) {
        self.filters.push(NamespaceFilter::of_rule(&rule));
        self.rules.push(rule);
        self.words.push(words);
    }

    /// Returns the policy with only those rules for which `keep` returns `true`.
    #[must_use]
    pub fn only(mut self, keep: impl Fn(Stated<'_>) -> bool) -> Self {
        let kept: Vec<_> = self.stated().filter(|stated| keep(*stated)).map(Stated::cloned).collect();
        (self.rules, self.words, self.filters) = Default::default();
        for (rule, words) in kept {
            self.add(rule, words);
        }
        self
    }

    /// Returns the contexts that it grants.
    #[must_use]
    pub fn contexts(&self) -> &NameSelector {
        &self.contexts
    }

    /// Returns whether it lets a plugin act as another user.
    #[must_use]
    pub fn impersonates(&self) -> bool {
        self.impersonate
    }

    /// Returns the folders that it grants.
    #[must_use]
    pub fn files(&self) -> &[FileGrant] {
        &self.files
    }

    /// Returns the environment variables that it grants.
    #[must_use]
    pub fn variables(&self) -> &[VariablePattern] {
        &self.variables
    }

    /// Returns the hosts outside the cluster that it grants.
    #[must_use]
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// Returns whether it keeps a plugin from running that uses what upstream calls unstable.
    #[must_use]
    pub fn is_stable_only(&self) -> bool {
        self.stable_only
    }

    /// Returns the limits that it states.
    #[must_use]
    pub fn limits(&self) -> StatedLimits {
        self.limits
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
        Layers::of(self).for_plugin(inspected)
    }

    /// Returns all of this policy, for requests of kwasm itself.
    #[must_use]
    pub fn grant_whole(self) -> Grant {
        Layers::of(self).whole()
    }

    /// Returns the first rule that covers a request to a cluster.
    ///
    /// # Errors
    /// The reason why none does.
    pub fn decide(&self, attempt: &Attempt) -> Result<Option<&Rule>, Reason> {
        let found = self.find(Layer::Grant, attempt)?;
        Ok(found.and_then(|position| self.rules.get(position)))
    }

    /// Returns the position of the first rule that covers a request to a cluster.
    fn find(&self, layer: Layer, attempt: &Attempt) -> Result<Option<usize>, Reason> {
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
        let covering = |info: &RequestInfo| {
            let wanted = NamespaceFilter::of_request(info, context);
            self.rules.iter().zip(&self.filters).position(|(rule, filter)| {
                Defence::Namespaces.passes(filter.meets(wanted)) && rule.covers(info, context)
            })
        };
        let uncovered = || Reason::Policy { layer, name: self.name.clone() };
        if let Some(info) = attempt.opens() {
            covering(&info).ok_or_else(uncovered)?;
        }
        covering(attempt.info()).map(Some).ok_or_else(uncovered)
    }
}

/// The policies that together limit a plugin. A request is allowed if each of them allows it.
#[derive(Clone, Debug)]
pub struct Layers {
    /// The plugin's own request, if it carries one.
    pub request: Option<Policy>,
    /// The policy that the user granted.
    pub grant: Policy,
    /// The policy of this machine's administrator, if there is one.
    pub ceiling: Option<Policy>,
    /// The name of the plugin, if it is installed, so that its grant can be changed.
    pub installed: Option<String>,
}

impl Layers {
    /// Returns a grant that nothing else limits.
    #[must_use]
    pub fn of(grant: Policy) -> Self {
        Self { request: None, grant, ceiling: None, installed: None }
    }

    /// Returns the policies that there are, the plugin's request first: what it does not include, no one can
    /// grant.
    pub fn all(&self) -> impl Iterator<Item = (Layer, &Policy)> {
        let request = self.request.iter().map(|policy| (Layer::Request, policy));
        let ceiling = self.ceiling.iter().map(|policy| (Layer::Ceiling, policy));
        request.chain([(Layer::Grant, &self.grant)]).chain(ceiling)
    }

    /// Returns the name of the policy that keeps this plugin from running, if one does.
    #[must_use]
    pub fn forbids(&self, inspected: &Inspected) -> Option<(Layer, &str)> {
        let unstable = inspected.is_unstable() && Defence::StableOnly.stands();
        let mut forbidding = self.all().filter(|(_, policy)| unstable && policy.is_stable_only());
        forbidding.next().map(|(layer, policy)| (layer, policy.name()))
    }

    /// Returns the folders that all of them grant. None of them is below another one with the same access.
    #[must_use]
    pub fn files(&self) -> Vec<FileGrant> {
        let others =
            self.all().filter(|(layer, _)| *layer != Layer::Grant && Defence::RequestedFiles.stands());
        let granted = files::distinct(self.grant.files.clone());
        others.fold(granted, |granted, (_, policy)| files::both(&granted, &policy.files))
    }

    /// Returns the environment variables that all of them grant, as far as patterns express them.
    #[must_use]
    pub fn variables(&self) -> Vec<VariablePattern> {
        let others = self.all().filter(|(layer, _)| *layer != Layer::Grant);
        others.fold(self.grant.variables.clone(), |granted, (_, policy)| {
            variables::both(&granted, &policy.variables)
        })
    }

    /// Returns all that these policies together allow, for no particular plugin.
    #[must_use]
    pub fn whole(self) -> Grant {
        Grant::new(self)
    }

    /// Returns the permissions that a plugin gets.
    #[must_use]
    pub fn for_plugin(self, inspected: &Inspected) -> Grant {
        // A plugin has no use for a grant of what it does not import, and gets none.
        let (network, files) = (inspected.uses_network(), inspected.uses_files());
        let used = |mut policy: Policy| {
            if !files {
                policy.files.clear();
            }
            if network {
                return policy;
            }
            let Policy { name, files, variables, own_flags, limits, .. } = policy;
            Policy { files, variables, own_flags, limits, ..Policy::named(&name) }
        };
        Grant::new(Self {
            request: self.request.map(used),
            grant: used(self.grant),
            ceiling: self.ceiling.map(used),
            installed: self.installed,
        })
    }
}

/// The permissions of one plugin in one run.
#[derive(Clone, Debug)]
pub struct Grant {
    layers: Layers,
    files: Vec<FileGrant>,
    /// Whether the plugin's request says the same as the grant, and need not be asked too.
    is_as_requested: bool,
    hosts: Vec<Host>,
    own_flags: Vec<String>,
    limits: Limits,
}

/// A request that was judged and found to be granted.
#[derive(Debug)]
pub struct Permit {
    attempt: Attempt,
    /// The position of the grant's rule that covers it.
    rule: Option<usize>,
}

impl Grant {
    fn new(layers: Layers) -> Self {
        let is_as_requested = layers.request.as_ref() == Some(&layers.grant);
        let others = || layers.all().filter(|(layer, _)| *layer != Layer::Grant).map(|(_, policy)| policy);
        let limits = layers.grant.limits.within(others().map(|policy| &policy.limits));
        let mut hosts = layers.grant.hosts.clone();
        for policy in others().filter(|_| Defence::RequestedHosts.stands()) {
            hosts = host::both(&hosts, &policy.hosts);
        }
        let files = layers.files();
        // These are no permission: they say which of its own arguments a plugin reads itself.
        let mut own_flags = layers.grant.own_flags.clone();
        own_flags.extend(layers.request.iter().flat_map(|request| request.own_flags.iter().cloned()));
        Self { layers, files, is_as_requested, hosts, own_flags, limits }
    }

    /// Returns a grant with one more rule of the user's. The plugin's request and the ceiling still limit it.
    #[must_use]
    pub fn with(&self, rule: Rule) -> Self {
        let mut layers = self.layers.clone();
        layers.grant.add(rule, Words::default());
        Self::new(layers)
    }

    /// Judges one request.
    ///
    /// # Errors
    /// The refusal, if one of the policies does not cover the request.
    pub fn judge(&self, attempt: Attempt) -> Result<Permit, Refusal> {
        match self.find(&attempt) {
            Ok(rule) => Ok(Permit { attempt, rule }),
            Err(reason) => Err(attempt.refused(reason).of_installed(self.layers.installed.as_deref())),
        }
    }

    /// Returns the first rule of the user's grant that covers a request to a cluster.
    ///
    /// # Errors
    /// The reason why one of the policies does not cover it.
    pub fn decide(&self, attempt: &Attempt) -> Result<Option<&Rule>, Reason> {
        let found = self.find(attempt)?;
        Ok(found.and_then(|position| self.layers.grant.rules.get(position)))
    }

    /// Returns the rule of the user's grant because of which it permitted a request; `None` for another host.
    #[must_use]
    pub fn rule(&self, permit: &Permit) -> Option<&Rule> {
        self.layers.grant.rules.get(permit.rule?)
    }

    fn find(&self, attempt: &Attempt) -> Result<Option<usize>, Reason> {
        let request = self.layers.request.as_ref().filter(|_| !self.is_as_requested);
        if let Some(request) = request.filter(|_| Defence::RequestedRules.stands()) {
            request.find(Layer::Request, attempt)?;
        }
        if let Some(ceiling) = self.layers.ceiling.as_ref().filter(|_| Defence::CeilingRules.stands()) {
            ceiling.find(Layer::Ceiling, attempt)?;
        }
        if !Defence::GrantedRules.stands() {
            return Ok(None);
        }
        self.layers.grant.find(Layer::Grant, attempt)
    }

    /// Returns the policies from which it is made.
    #[must_use]
    pub fn layers(&self) -> &Layers {
        &self.layers
    }

    /// Returns whether the context `name` may be reached at all; `selected` is the one that the user chose.
    #[must_use]
    pub fn grants(&self, name: &str, selected: &str) -> bool {
        self.layers.all().all(|(_, policy)| policy.grants(name, selected))
    }

    /// Returns kubectl's connection flags that the plugin defines itself, in its spelling.
    #[must_use]
    pub fn own_flags(&self) -> &[String] {
        &self.own_flags
    }

    /// Returns the folders that the plugin gets. None of them is below another one with the same access.
    #[must_use]
    pub fn files(&self) -> &[FileGrant] {
        &self.files
    }

    /// Returns the environment variables that it gets, as far as patterns express them.
    #[must_use]
    pub fn variables(&self) -> Vec<VariablePattern> {
        self.layers.variables()
    }

    /// Returns whether the plugin gets an environment variable: each of the policies has to pass it.
    #[must_use]
    pub fn passes(&self, name: &str, value: &str) -> bool {
        self.layers.all().all(|(layer, policy)| {
            let passes = || policy.variables.iter().any(|pattern| pattern.passes(name, value));
            (layer != Layer::Grant && !Defence::RequestedVariables.stands()) || passes()
        })
    }

    /// Returns the hosts outside the cluster that may be reached.
    #[must_use]
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// Returns the limits of a run.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
    }
}

impl Permit {
    /// Returns the permitted request.
    #[must_use]
    pub fn attempt(&self) -> &Attempt {
        &self.attempt
    }
}
