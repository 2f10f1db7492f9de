//! `kwasm policy grant NAME` and `kwasm policy revoke NAME`: changes what an installed plugin is granted.

use crate::message::one_line;
use crate::policy::{Policy, Rule, Words};
use crate::reference::PluginName;
use crate::store::{Receipt, Store};

use super::consent::Choice;
use super::policy::{Chosen, granted, request};
use super::{Ending, Error, Reporter};

/// Adds rules to the grant, or replaces it by another policy.
pub(super) fn grant(
    store: &Store,
    reporter: Reporter,
    name: &PluginName,
    rules: &[String],
    policy: Option<&str>,
) -> Result<Ending, Error> {
    let choice = policy.map(Choice::read).transpose()?;
    let rules = parsed(rules)?;
    store.amend(name, |receipt| {
        if let Some(choice) = choice {
            let chosen = choice.grant(name.as_str(), &receipt.inspected)?;
            reporter.note(&format!("granted {name} the policy `{}`", chosen.policy.name()));
            set(receipt, chosen);
            return Ok(());
        }
        let requested = request(name.as_str(), &receipt.inspected)?;
        let mut policy = granted(&receipt.granted())?.policy;
        for rule in rules {
            if let Some(requested) = requested.as_ref().filter(|requested| !rule.is_within(requested.rules())) {
                reporter.note(&format!(
                    "warning: its request `{}` does not include all of {rule}, and it may do no more than it requests",
                    requested.name()
                ));
            }
            if rule.is_within(policy.rules()) {
                reporter.note(&format!("{name} is granted {rule} already"));
                continue;
            }
            reporter.note(&format!("granted {name} {rule}"));
            policy.add(rule, Words::default());
            set(receipt, own(policy.clone()));
        }
        Ok::<(), Error>(())
    })?;
    Ok(Ending::Done)
}

/// Removes rules from the grant; if none is named, all of it: folders, variables and hosts too.
pub(super) fn revoke(
    store: &Store,
    reporter: Reporter,
    name: &PluginName,
    rules: &[String],
) -> Result<Ending, Error> {
    let rules = parsed(rules)?;
    store.amend(name, |receipt| {
        let policy = granted(&receipt.granted())?.policy;
        if rules.is_empty() {
            reporter.note(&format!("revoked from {name} all that it was granted"));
            set(receipt, own(Policy::none()));
            return Ok(());
        }
        if let Some(rule) = rules.iter().find(|rule| !policy.rules().contains(rule)) {
            let known = policy.rules().iter().map(ToString::to_string).collect();
            return Err(Error::NoSuchRule { name: name.clone(), rule: rule.to_string(), known });
        }
        for rule in &rules {
            reporter.note(&format!("revoked from {name} {rule}"));
        }
        set(receipt, own(policy.only(|stated| !rules.contains(stated.rule))));
        Ok(())
    })?;
    Ok(Ending::Done)
}

/// The name of a grant that was changed. It is no longer the policy that it was, whose name would mislead.
const CUSTOM: &str = "custom";

/// Returns a policy that is only one plugin's.
pub(super) fn own(policy: Policy) -> Chosen {
    let policy = policy.renamed(CUSTOM);
    let text = Some(policy.to_string());
    Chosen { policy, text }
}

/// Reads rules as they are in a policy, on one line each.
fn parsed(rules: &[String]) -> Result<Vec<Rule>, Error> {
    let mut parsed = Vec::new();
    for rule in rules {
        let file = format!("the rule {}", one_line(rule));
        parsed.push(Rule::read(&file, rule).map_err(Error::Policy)?);
    }
    Ok(parsed)
}

/// Grants this policy.
pub(super) fn set(receipt: &mut Receipt, Chosen { policy, text }: Chosen) {
    policy.name().clone_into(&mut receipt.policy);
    receipt.policy_text = text;
}
