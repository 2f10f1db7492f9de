//! The requests that a rule covers, as in RBAC: k8s.io/kubernetes v1.36,
//! `plugin/pkg/auth/authorizer/rbac/rbac.go` (`RuleAllows`) and `pkg/apis/rbac/v1/evaluation_helpers.go`.
//! `namespaces` and `except` are additions.

use std::fmt;

use super::flow::List;
use super::request_info::RequestInfo;
use super::target::Context;
use crate::defence::Defence;

/// One rule of a policy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Rule {
    /// A rule about resources.
    Resources(ResourceRule),
    /// A rule about requests without resources: discovery, health checks and the like.
    Urls(UrlRule),
}

/// The words of a policy's author about a rule. They decide nothing about requests.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Words {
    /// The purpose of the rule.
    pub reason: Option<String>,
    /// Whether the plugin works without it, so that it may be declined alone.
    pub optional: bool,
}

/// A rule with the words of its author.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stated<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// The words.
    pub words: &'a Words,
}

impl Stated<'_> {
    /// Returns copies of the rule and of the words.
    #[must_use]
    pub fn cloned(self) -> (Rule, Words) {
        (self.rule.clone(), self.words.clone())
    }
}

/// A rule that covers resources.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ResourceRule {
    /// The verbs, or `*`.
    pub verbs: Vec<String>,
    /// The API groups, with the core group as the empty string, or `*`.
    pub api_groups: Vec<String>,
    /// The resources: `*` (including subresources), `pods`, `pods/log`, or `*/log`.
    pub resources: Vec<String>,
    /// The names of resources; empty for all.
    pub resource_names: Vec<String>,
    /// The namespaces.
    pub namespaces: NameSelector,
    /// The resources, written as in `resources`, that are excluded, in any API group.
    pub except: Vec<String>,
}

/// A rule that covers URLs.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct UrlRule {
    /// The methods in lower case, or `*`.
    pub verbs: Vec<String>,
    /// The paths; those that end with `*` are prefixes.
    pub urls: Vec<String>,
}

/// A choice of contexts or namespaces.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum NameSelector {
    /// `*`: all of them, and cluster-scoped requests.
    #[default]
    All,
    /// The listed ones, and the user's choice if `current` is listed.
    Some {
        /// Whether `current` is listed.
        current: bool,
        /// The listed names.
        names: Vec<String>,
    },
}

impl NameSelector {
    /// Returns a selection of the user's choice only.
    #[must_use]
    pub fn current() -> Self {
        Self::Some { current: true, names: Vec::new() }
    }

    /// Returns whether it covers the user's choice, whatever its name.
    pub(super) fn has_current(&self) -> bool {
        matches!(self, Self::All | Self::Some { current: true, .. })
    }

    pub(super) fn covers(&self, name: &str, current: &str) -> bool {
        match self {
            Self::All => true,
            // A rule for namespaces covers nothing that is in none.
            Self::Some { .. } if name.is_empty() => false,
            Self::Some { current: listed, names } => {
                (*listed && name == current) || names.iter().any(|listed| listed == name)
            }
        }
    }
}

/// Formats the choice as in a policy, on one line.
impl fmt::Display for NameSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("\"*\""),
            Self::Some { current, names } => {
                let current = current.then(|| "current".to_owned());
                let listed: Vec<String> = current.into_iter().chain(names.iter().cloned()).collect();
                write!(f, "{}", List(&listed))
            }
        }
    }
}

impl Rule {
    /// Returns whether it covers a request in a context. Does not allocate.
    #[must_use]
    pub fn covers(&self, info: &RequestInfo, context: &Context) -> bool {
        match self {
            Self::Resources(rule) => info.is_resource_request && rule.covers(info, context.namespace()),
            Self::Urls(rule) => !info.is_resource_request && rule.covers(info),
        }
    }
}

impl ResourceRule {
    fn covers(&self, info: &RequestInfo, current: &str) -> bool {
        let RequestInfo { verb, api_group, resource, subresource, name, namespace, .. } = info;
        let subresource = if Defence::Subresources.stands() { subresource } else { "" };
        let named = |listed: &[String]| listed.iter().any(|listed| matches(listed, resource, subresource));
        // The cheapest and most selective check comes first.
        Defence::Namespaces.passes(self.namespaces.covers(namespace, current))
            && !Defence::Except.stops(named(&self.except))
            && named(&self.resources)
            && Defence::Verbs.passes(has(&self.verbs, verb))
            && Defence::Groups.passes(has(&self.api_groups, api_group))
            && Defence::Names.passes(self.resource_names.is_empty() || self.resource_names.contains(name))
    }
}

impl ResourceRule {
    /// Returns whether it names a resource or, if there is one, its subresource, and does not take it out again.
    pub(super) fn names_resource(&self, resource: &str, subresource: &str) -> bool {
        let named = |listed: &[String]| listed.iter().any(|listed| matches(listed, resource, subresource));
        named(&self.resources) && !named(&self.except)
    }
}

impl UrlRule {
    fn covers(&self, info: &RequestInfo) -> bool {
        let named = |listed: &String| match listed.strip_suffix('*') {
            // Go trims all of them.
            Some(prefix) => info.path.starts_with(prefix.trim_end_matches('*')),
            None => *listed == info.path,
        };
        Defence::Verbs.passes(has(&self.verbs, &info.verb))
            && Defence::Urls.passes(self.urls.iter().any(named))
    }
}

fn has(listed: &[String], value: &str) -> bool {
    listed.iter().any(|listed| listed == "*" || listed == value)
}

/// Returns whether an entry of `resources` matches a resource or, if there is one, its subresource.
pub(super) fn matches(listed: &str, resource: &str, subresource: &str) -> bool {
    if listed == "*" || subresource.is_empty() {
        // `*/` and nothing more would be no subresource; RBAC compares it with all that have none.
        return listed == "*" || listed == resource;
    }
    // From the end: to look for the slash in each entry would take longer than all else together.
    let of = listed.strip_suffix(subresource).and_then(|rest| rest.strip_suffix('/'));
    of.is_some_and(|of| of == "*" || of == resource)
}

/// Formats the rule as in a policy, on one line.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resources(rule) => {
                write!(f, "{{apiGroups: {}, resources: {}", List(&rule.api_groups), List(&rule.resources))?;
                write!(f, ", verbs: {}", List(&rule.verbs))?;
                if rule.namespaces != NameSelector::All {
                    write!(f, ", namespaces: {}", rule.namespaces)?;
                }
                for (key, listed) in [("resourceNames", &rule.resource_names), ("except", &rule.except)] {
                    if !listed.is_empty() {
                        write!(f, ", {key}: {}", List(listed))?;
                    }
                }
            }
            Self::Urls(rule) => {
                write!(f, "{{nonResourceURLs: {}, verbs: {}", List(&rule.urls), List(&rule.verbs))?;
            }
        }
        f.write_str("}")
    }
}
