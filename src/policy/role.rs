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
use super::format::VERBS;
use super::inventory::{Inventory, needs_inventory};
use super::judge::Policy;
use super::rule::{NameSelector, ResourceRule, Rule};

/// The roles for one policy, with their bindings to a service account.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Roles {
    /// The name of the roles and their bindings.
    name: String,
    account: ServiceAccount,
    /// Whether the account is a new one, which is part of the manifests.
    is_new: bool,
    rules: BTreeMap<Scope, Vec<Rule>>,
    /// What the roles are made of, and where they differ from it.
    comments: Vec<String>,
}

/// Where and for whom the rules of a policy are to hold.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// The name of the plugin or policy.
    pub name: &'a str,
    /// The service account; `None` for a new one.
    pub account: Option<ServiceAccount>,
    /// The namespace that `current` stands for.
    pub current: &'a str,
    /// The resources of the server, if they are needed.
    pub inventory: Option<&'a Inventory>,
}

impl Policy {
    /// Returns whether its roles depend on the resources that the server has.
    #[must_use]
    pub fn needs_inventory(&self) -> bool {
        self.rules().iter().any(|rule| matches!(rule, Rule::Resources(rule) if needs_inventory(rule)))
    }
}

impl Roles {
    /// Returns the roles for a policy. Without an inventory, a rule for which one is needed covers nothing.
    #[must_use]
    pub fn of(policy: &Policy, wanted: &Wanted<'_>) -> Self {
        let Wanted { name, account, current, inventory } = wanted;
        // Without the prefix, the role of the policy `view` would replace the cluster role of that name.
        let own = format!("kwasm-{name}");
        let new = || ServiceAccount { namespace: (*current).to_owned(), name: own.clone() };
        let mut rules: BTreeMap<Scope, Vec<Rule>> = BTreeMap::new();
        for rule in policy.rules() {
            match rule {
                Rule::Urls(_) => rules.entry(Scope::Cluster).or_default().push(rule.clone()),
                Rule::Resources(rule) => {
                    let written = written(rule, *inventory);
                    for scope in scopes(&rule.namespaces, current) {
                        rules.entry(scope).or_default().extend(written.iter().cloned().map(Rule::Resources));
                    }
                }
            }
        }
        rules.retain(|_, rules| !rules.is_empty());
        Self {
            account: account.clone().unwrap_or_else(new),
            is_new: account.is_none(),
            rules,
            comments: differences::describe(policy, current, inventory.map(Inventory::unlisted).unwrap_or_default()),
            name: own,
        }
    }

    /// Returns whether they allow nothing.
    #[must_use]
    pub fn are_empty(&self) -> bool {
        self.rules.is_empty()
    }
}

/// Returns a rule as RBAC has it: without `except`, and with the verbs of requests for `*`. RBAC's own `*` also
/// stands for verbs that no request has: `impersonate`, `bind`, `escalate` and the like, which the server asks for
/// before it does what a request wants. A policy's `*` gives none of them.
fn written(rule: &ResourceRule, inventory: Option<&Inventory>) -> Vec<ResourceRule> {
    let nothing = Inventory::default();
    let mut rules = inventory.unwrap_or(&nothing).write_out(rule);
    for rule in rules.iter_mut().filter(|rule| rule.verbs.iter().any(|verb| verb == "*")) {
        rule.verbs = VERBS.iter().filter(|verb| **verb != "*").map(ToString::to_string).collect();
    }
    rules
}

/// Returns the scopes of a choice of namespaces, each once.
fn scopes(namespaces: &NameSelector, current: &str) -> Vec<Scope> {
    let NameSelector::Some { current: listed, names } = namespaces else { return vec![Scope::Cluster] };
    let current = listed.then_some(current).into_iter();
    let mut scopes: Vec<Scope> =
        current.chain(names.iter().map(String::as_str)).map(|name| Scope::Namespace(name.to_owned())).collect();
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
