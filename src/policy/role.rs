//! The roles by which an API server enforces the rules of a policy, as manifests.
//!
//! RBAC has what our rules have but `namespaces`, for which it has bindings, and `except`, which is written out
//! ([`Inventory`]). A role never covers a request that the policy does not. Where it covers less, or the server
//! judges by something else, a comment of the manifests says so.

mod account;
mod differences;
mod manifest;

use std::collections::BTreeMap;
use std::fmt;

use textwrap::Options;

pub use self::account::{AccountError, ServiceAccount};
use self::manifest::Scope;
use super::format::REQUEST_VERBS;
use super::inventory::{Inventory, needs_inventory};
use super::judge::{Layers, Policy};
use super::rule::{NameSelector, ResourceRule, Rule, Stated};

/// The rules that an API server is to enforce, before it is known which resources it has.
#[derive(Clone, Debug)]
pub struct RoleRules<'a> {
    layers: &'a Layers,
    current: &'a str,
    rules: Vec<Rule>,
}

/// Roles and their bindings to a service account.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Roles {
    /// The name of the roles.
    name: String,
    account: ServiceAccount,
    /// Whether the account is a new one, which is part of the manifests.
    is_new: bool,
    rules: BTreeMap<Scope, Vec<Rule>>,
    /// The source of the roles, and their differences from it.
    comments: Vec<String>,
}

impl<'a> RoleRules<'a> {
    /// Returns what policies together allow where `current` is the current namespace.
    #[must_use]
    pub fn of(layers: &'a Layers, current: &'a str) -> Self {
        // First of all, since two policies may mean the same namespace by different words.
        let resolved = Layers {
            request: layers.request.as_ref().map(|policy| resolved(policy, current)),
            grant: resolved(&layers.grant, current),
            ceiling: layers.ceiling.as_ref().map(|policy| resolved(policy, current)),
            installed: None,
        };
        let rules = if resolved.all().count() == 1 {
            resolved.grant.rules().to_vec()
        } else {
            resolved.effective_rules().into_iter().map(|effective| effective.rule).collect()
        };
        Self { layers, current, rules }
    }

    /// Returns whether the roles depend on the resources that the server has.
    #[must_use]
    pub fn need_inventory(&self) -> bool {
        self.rules.iter().any(|rule| matches!(rule, Rule::Resources(rule) if needs_inventory(rule)))
    }

    /// Returns the roles. `name` is that of the plugin or policy; without an account, they are for a new one, in
    /// the current namespace. A rule for which an inventory is needed covers nothing that is not in it.
    #[must_use]
    pub fn roles(&self, name: &str, account: Option<ServiceAccount>, inventory: &Inventory) -> Roles {
        let mut rules: BTreeMap<Scope, Vec<Rule>> = BTreeMap::new();
        for rule in &self.rules {
            match rule {
                Rule::Urls(_) => rules.entry(Scope::Cluster).or_default().push(rule.clone()),
                Rule::Resources(rule) => {
                    let written: Vec<Rule> = written(rule, inventory).collect();
                    for scope in scopes(&rule.namespaces) {
                        rules.entry(scope).or_default().extend(written.iter().cloned());
                    }
                }
            }
        }
        rules.retain(|_, rules| !rules.is_empty());
        // Without the prefix, the role of the policy `view` would replace the cluster role of that name.
        let name = format!("kwasm-{name}");
        let new = || ServiceAccount { namespace: self.current.to_owned(), name: name.clone() };
        let comments = differences::describe(self.layers, &self.rules, self.current, inventory.unlisted());
        let is_new = account.is_none();
        Roles { account: account.unwrap_or_else(new), is_new, rules, comments, name }
    }
}

impl Roles {
    /// Returns whether they allow nothing.
    #[must_use]
    pub fn are_empty(&self) -> bool {
        self.rules.is_empty()
    }
}

/// Returns a policy's rules with the name of the current namespace in place of `current`.
fn resolved(policy: &Policy, current: &str) -> Policy {
    let mut resolved = Policy::named(policy.name());
    for (mut rule, words) in policy.stated().map(Stated::cloned) {
        if let Rule::Resources(ResourceRule {
            namespaces: NameSelector::Some { current: listed @ true, names },
            ..
        }) = &mut rule
        {
            *listed = false;
            if !names.iter().any(|name| name == current) {
                names.insert(0, current.to_owned());
            }
        }
        resolved.add(rule, words);
    }
    resolved
}

/// Returns a rule as RBAC has it: without `except`, and with the verbs of requests for `*`. RBAC's own `*` also
/// stands for verbs that no request has: `impersonate`, `bind`, `escalate` and the like, which the server asks for
/// before it does what a request wants. A policy's `*` gives none of them.
fn written(rule: &ResourceRule, inventory: &Inventory) -> impl Iterator<Item = Rule> {
    inventory.write_out(rule).into_iter().map(|mut rule| {
        if rule.verbs.iter().any(|verb| verb == "*") {
            rule.verbs = REQUEST_VERBS.iter().map(ToString::to_string).collect();
        }
        Rule::Resources(rule)
    })
}

/// Returns the scopes of a choice of namespaces, each once.
fn scopes(namespaces: &NameSelector) -> Vec<Scope> {
    let NameSelector::Some { names, .. } = namespaces else { return vec![Scope::Cluster] };
    let mut scopes: Vec<Scope> = names.iter().cloned().map(Scope::Namespace).collect();
    scopes.sort();
    scopes.dedup();
    scopes
}

/// The width of comments in columns.
const WIDTH: usize = 100;

/// Formats the manifests as YAML documents, the comments first.
impl fmt::Display for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wrapped = Options::new(WIDTH).initial_indent("# ").subsequent_indent("#   ").break_words(false);
        for comment in &self.comments {
            writeln!(f, "{}", textwrap::fill(comment, &wrapped))?;
        }
        if self.is_new && !self.are_empty() {
            manifest::account(f, &self.account)?;
        }
        for (scope, rules) in &self.rules {
            manifest::role(f, &self.name, scope, rules)?;
            manifest::binding(f, &self.name, scope, &self.account)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
