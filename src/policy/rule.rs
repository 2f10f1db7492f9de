//! What a rule covers, as RBAC has it: k8s.io/kubernetes v1.36, `plugin/pkg/auth/authorizer/rbac/rbac.go`
//! (`RuleAllows`) and `pkg/apis/rbac/v1/evaluation_helpers.go`. `namespaces` and `except` are ours.

use std::fmt::{self, Write as _};

use super::attempt::Context;
use super::request_info::RequestInfo;
use crate::defence::{Defence, stands};

/// One rule of a policy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Rule {
    /// About resources.
    Resources(ResourceRule),
    /// About what is no resource: discovery, health and the like.
    Urls(UrlRule),
}

/// Covers resources.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ResourceRule {
    /// Verbs, or `*`.
    pub verbs: Vec<String>,
    /// API groups, the core group as the empty string, or `*`.
    pub api_groups: Vec<String>,
    /// `*` (subresources too), `pods`, `pods/log`, or `*/log`.
    pub resources: Vec<String>,
    /// Names; all of them where there is none.
    pub resource_names: Vec<String>,
    /// Where.
    pub namespaces: NameSelector,
    /// Resources, written as in `resources`, that are taken out of these, in whichever API group.
    pub except: Vec<String>,
}

/// Covers URLs.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct UrlRule {
    /// Methods in lower case, or `*`.
    pub verbs: Vec<String>,
    /// Paths; those that end with `*` are prefixes.
    pub urls: Vec<String>,
}

/// A choice of contexts or namespaces.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum NameSelector {
    /// `*`: any, and what is in none.
    #[default]
    All,
    /// Those of these names, and the one that the user chose.
    Some {
        /// Whether `current` is listed.
        current: bool,
        /// The names that are listed.
        names: Vec<String>,
    },
}

impl NameSelector {
    /// Nothing but the one that the user chose.
    #[must_use]
    pub fn current() -> Self {
        Self::Some { current: true, names: Vec::new() }
    }

    /// Whether it covers what the user chose, whatever that is called.
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

impl Rule {
    /// Whether it covers a request at a context. Allocates nothing.
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
        let subresource = if stands(Defence::Subresources) { subresource } else { "" };
        let named = |listed: &[String]| listed.iter().any(|listed| matches(listed, resource, subresource));
        // What is told soonest, and parts most rules from most requests, comes first.
        (self.namespaces.covers(namespace, current) || !stands(Defence::Namespaces))
            && !(named(&self.except) && stands(Defence::Except))
            && named(&self.resources)
            && has(&self.verbs, verb, Defence::Verbs)
            && has(&self.api_groups, api_group, Defence::Groups)
            && (self.resource_names.is_empty()
                || self.resource_names.contains(name)
                || !stands(Defence::Names))
    }
}

impl UrlRule {
    fn covers(&self, info: &RequestInfo) -> bool {
        let named = |listed: &String| match listed.strip_suffix('*') {
            // Go trims all of them.
            Some(prefix) => info.path.starts_with(prefix.trim_end_matches('*')),
            None => *listed == info.path,
        };
        has(&self.verbs, &info.verb, Defence::Verbs)
            && (self.urls.iter().any(named) || !stands(Defence::Urls))
    }
}

fn has(listed: &[String], value: &str, defence: Defence) -> bool {
    listed.iter().any(|listed| listed == "*" || listed == value) || !stands(defence)
}

/// Whether an entry of `resources` names a resource or, with a subresource, that one.
fn matches(listed: &str, resource: &str, subresource: &str) -> bool {
    if listed == "*" || subresource.is_empty() {
        // `*/` and nothing more would be no subresource; RBAC compares it with all that have none.
        return listed == "*" || listed == resource;
    }
    // From the end: to look for the slash in each entry would take longer than all else together.
    let of = listed.strip_suffix(subresource).and_then(|rest| rest.strip_suffix('/'));
    of.is_some_and(|of| of == "*" || of == resource)
}

/// As it stands in a policy, on one line.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resources(rule) => {
                write!(f, "{{apiGroups: {}, resources: {}", List(&rule.api_groups), List(&rule.resources))?;
                write!(f, ", verbs: {}", List(&rule.verbs))?;
                match &rule.namespaces {
                    NameSelector::All => {}
                    NameSelector::Some { current, names } => {
                        let current = current.then(|| "current".to_owned());
                        let listed: Vec<String> = current.into_iter().chain(names.iter().cloned()).collect();
                        write!(f, ", namespaces: {}", List(&listed))?;
                    }
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

/// A list in YAML's flow style.
struct List<'a>(&'a [String]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (index, item) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            // Words that YAML reads as something else than themselves are quoted, and all that is no plain word.
            let plain = item.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
                && item.chars().all(|c| c.is_ascii_alphanumeric() || "-./_".contains(c))
                && item.parse::<f64>().is_err()
                && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
                    .contains(&item.to_ascii_lowercase().as_str());
            f.write_str(comma)?;
            if plain { f.write_str(item)? } else { quote(f, item)? }
        }
        f.write_str("]")
    }
}

/// In YAML's double quotes, with escapes for all that cannot be seen.
fn quote(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for character in text.chars() {
        match character {
            '"' | '\\' => write!(f, "\\{character}")?,
            ' '..='~' => f.write_char(character)?,
            _ if character.is_alphanumeric() => f.write_char(character)?,
            '\0'..='\u{ff}' => write!(f, "\\x{:02x}", u32::from(character))?,
            '\u{100}'..='\u{ffff}' => write!(f, "\\u{:04x}", u32::from(character))?,
            _ => write!(f, "\\U{:08x}", u32::from(character))?,
        }
    }
    f.write_char('"')
}
