//! `kwasm policy show NAME`: what an installed plugin may do, and which policy each line comes from.

use serde::Serialize;

use crate::cli::Output;
use crate::policy::{Layer, Layers};
use crate::reference::PluginName;
use crate::store::Store;

use super::ceiling::ceiling;
use super::policy::{granted, request};
use super::table::{Table, one};
use super::{Ending, Error, print};

/// What a plugin may do.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PluginPolicy {
    name: String,
    /// The names of the policies that limit it.
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<String>,
    grant: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ceiling: Option<String>,
    /// What it may do.
    effective: Vec<Item>,
    /// What it requests and may not do.
    withheld: Vec<Item>,
}

/// One thing that a plugin may do, or may not.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    /// The thing, as in a policy on one line.
    line: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The policies from which it comes, or which do not allow it.
    policies: Vec<String>,
}

pub(super) fn show(store: &Store, name: &PluginName, output: Output) -> Result<Ending, Error> {
    let receipt = store.receipt(name)?;
    let layers = Layers {
        request: request(name.as_str(), &receipt.inspected)?,
        grant: granted(&receipt.granted())?.policy,
        ceiling: ceiling()?,
        installed: Some(name.to_string()),
    };
    let shown = PluginPolicy {
        name: name.to_string(),
        request: layers.request.as_ref().map(|policy| policy.name().to_owned()),
        grant: layers.grant.name().to_owned(),
        ceiling: layers.ceiling.as_ref().map(|policy| policy.name().to_owned()),
        effective: effective(&layers),
        withheld: withheld(&layers),
    };
    print(&one(&shown, output, || table(&shown), || shown.grant.clone()))?;
    Ok(Ending::Done)
}

/// Returns the lines of what policies together allow.
fn effective(layers: &Layers) -> Vec<Item> {
    let present: Vec<Layer> = layers.all().map(|(layer, _)| layer).collect();
    let mut lines: Vec<Item> = layers
        .effective_rules()
        .into_iter()
        .map(|effective| {
            // What none of them says in these words is what all of them have in common.
            let from = if effective.from.is_empty() { &present } else { &effective.from };
            Item {
                line: effective.rule.to_string(),
                reason: effective.words.reason,
                policies: from.iter().map(ToString::to_string).collect(),
            }
        })
        .collect();
    lines.extend(layers.effective_rest().into_iter().map(|(line, from)| Item {
        line,
        reason: None,
        policies: from.iter().map(ToString::to_string).collect(),
    }));
    lines
}

fn withheld(layers: &Layers) -> Vec<Item> {
    let rules = layers.withheld().into_iter().map(|withheld| Item {
        line: withheld.rule.to_string(),
        reason: withheld.words.reason,
        policies: withheld.by.iter().map(ToString::to_string).collect(),
    });
    let rest = layers.withheld_rest().into_iter().map(|(line, by)| Item {
        line,
        reason: None,
        policies: by.iter().map(ToString::to_string).collect(),
    });
    rules.chain(rest).collect()
}

fn table(shown: &PluginPolicy) -> String {
    let request = shown.request.as_ref().map(|request| format!(", and requests `{request}`"));
    let ceiling = shown.ceiling.as_ref().map(|ceiling| format!(", under the ceiling {ceiling}"));
    let (request, ceiling) = (request.unwrap_or_default(), ceiling.unwrap_or_default());
    let mut text = format!("{} is granted `{}`{request}{ceiling}\n", shown.name, shown.grant);
    let rows = |lines: &[Item], head: &[&str]| {
        let mut table = Table::new(head);
        for Item { line, policies, .. } in lines {
            table.row(vec![policies.join(", "), line.clone()]);
        }
        table.text()
    };
    if shown.effective.is_empty() {
        text.push_str("It may do nothing at a cluster or another host.\n");
    } else {
        text.push_str(&rows(&shown.effective, &["FROM", "IT MAY"]));
    }
    if !shown.withheld.is_empty() {
        text.push('\n');
        text.push_str(&rows(&shown.withheld, &["NOT IN", "IT REQUESTS, AND MAY NOT (ALL OF)"]));
    }
    text
}
