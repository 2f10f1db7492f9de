//! The table, and the nested document.

use crate::family::{Entry, Object};
use crate::status::Health;
use kube_guest::Timestamp;
use plugin_kit::{Arguments, Cell, Colour, Failure, Output, Style, Table};
use serde::Serialize;
use std::collections::HashMap;
use std::io;

/// An object of the document, with those that belong to it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Node<'a> {
    api_version: &'a str,
    kind: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    namespace: &'a str,
    name: &'a str,
    uid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    creation_timestamp: Option<&'a str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    ready: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    reason: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    status: &'a str,
    /// Dependents are left out: they stand above, or too deep.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    cut: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dependents: Vec<Node<'a>>,
}

/// Prints the tree. `colour` overrides what the output suggests.
pub(crate) fn print(
    arguments: &Arguments,
    colour: Option<bool>,
    objects: &[Object],
    entries: &[Entry],
    healths: &HashMap<usize, Health>,
) -> Result<(), Failure> {
    let none = Health::default();
    let health = |entry: &Entry| healths.get(&entry.object).unwrap_or(&none);
    let output = Output::of(arguments);
    if output != Output::Table {
        if let Some(root) = nested(objects, entries, &health) {
            output.print(&root)?;
        }
        return Ok(());
    }
    let mut out = io::stdout().lock();
    if entries.len() == 1 {
        use io::Write;
        return Ok(writeln!(out, "No resources are owned by this object through ownerReferences.")?);
    }
    let mut style = Style::stdout();
    if let Some(colours) = colour {
        style = Style { colours, terminal: style.terminal || colours, ..style };
    }
    let mut table = Table::new(["NAMESPACE", "NAME", "READY", "REASON", "STATUS", "AGE"]);
    let now = Timestamp::now();
    for entry in entries {
        table.row(row(&objects[entry.object], entry, health(entry), now));
    }
    Ok(table.print(style, true, &mut out)?)
}

fn row(object: &Object, entry: &Entry, health: &Health, now: Timestamp) -> [Cell; 6] {
    let ready = match health.ready.as_str() {
        "True" => Colour::Good,
        "False" | "Unknown" => Colour::Bad,
        _ => Colour::Aside,
    };
    let status = match health.status {
        "Current" => Colour::Good,
        "InProgress" => Colour::Soon,
        "Failed" | "Terminating" => Colour::Bad,
        _ => Colour::Aside,
    };
    let or_dash = |text: &str| Cell::new(if text.is_empty() { "-" } else { text });
    let created = object.created.as_deref().and_then(Timestamp::parse);
    let age = created.map_or_else(|| "<unknown>".to_owned(), |created| created.age(now));
    let more = if entry.cut { "..." } else { "" };
    [
        Cell::new(&object.namespace),
        Cell::new(format!("{}{}/{}{more}", entry.branch, object.kind, object.name)),
        or_dash(&health.ready).in_colour(ready),
        Cell::new(&health.reason).in_colour(ready),
        or_dash(health.status).in_colour(status),
        Cell::new(age),
    ]
}

/// Returns the first entry with all others below it.
fn nested<'a>(
    objects: &'a [Object],
    entries: &[Entry],
    health: &impl Fn(&Entry) -> &'a Health,
) -> Option<Node<'a>> {
    // The ancestors of the next entry, each of which gets its dependents once they are whole.
    let mut open: Vec<Node<'a>> = Vec::new();
    let close = |open: &mut Vec<Node<'a>>, depth: usize| {
        while open.len() > depth.max(1)
            && let Some(whole) = open.pop()
            && let Some(owner) = open.last_mut()
        {
            owner.dependents.push(whole);
        }
    };
    for entry in entries {
        close(&mut open, entry.depth);
        let (object, health) = (&objects[entry.object], health(entry));
        open.push(Node {
            api_version: &object.api_version,
            kind: &object.kind,
            namespace: &object.namespace,
            name: &object.name,
            uid: &object.uid,
            creation_timestamp: object.created.as_deref(),
            ready: &health.ready,
            reason: &health.reason,
            status: health.status,
            cut: entry.cut,
            dependents: Vec::new(),
        });
    }
    close(&mut open, 1);
    open.pop()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::family::walk;

    fn object(name: &str, owners: &[&str]) -> Object {
        Object {
            uid: name.to_owned(),
            name: name.to_owned(),
            kind: "Pod".to_owned(),
            owners: owners.iter().map(|owner| (*owner).to_owned()).collect(),
            created: Some("2026-01-01T00:00:00Z".to_owned()),
            ..Object::default()
        }
    }

    #[test]
    fn the_document_is_nested_as_the_tree_is() {
        let objects = [object("a", &[]), object("b", &["a"]), object("c", &["b"]), object("d", &["a"])];
        let none = Health::default();
        let root = nested(&objects, &walk(&objects, 0), &|_| &none).unwrap();
        let names = |node: &Node| node.dependents.iter().map(|node| node.name.to_owned()).collect::<Vec<_>>();
        assert_eq!((root.name, names(&root)), ("a", vec!["b".to_owned(), "d".to_owned()]));
        assert_eq!(names(&root.dependents[0]), ["c"]);
        assert!(nested(&objects, &[], &|_| &none).is_none());
    }

    #[test]
    fn an_object_without_health_has_dashes() {
        let entry = Entry { object: 0, depth: 0, branch: "└─".to_owned(), cut: true };
        let now = Timestamp::parse("2026-01-01T00:00:30Z").unwrap();
        let cells = row(&object("a\x1b", &[]), &entry, &Health::default(), now);
        assert_eq!(cells[1], Cell::new("└─Pod/a\x1b..."));
        assert_eq!(cells[2], Cell::new("-").in_colour(Colour::Aside));
        assert_eq!(cells[5], Cell::new("30s"));
    }
}
