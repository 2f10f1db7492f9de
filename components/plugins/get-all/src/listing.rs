//! The table, and the list of names.

use crate::choice::Choice;
use kube_guest::{Cluster, List, Lists, METADATA, Path, Resource, Timestamp, for_terminal_line};
use plugin_kit::{Cell, Failure, Missing, Style, Table};
use serde::Deserialize;
use std::io::{self, Write};

/// The number of lists that may be under way at once: most are short, so that the way takes the time.
const AT_ONCE: usize = 16;

#[derive(Default, Deserialize)]
struct Object {
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    #[serde(default)]
    name: String,
    #[serde(default)]
    namespace: String,
    creation_timestamp: Option<String>,
}

/// Prints what there is of all resources.
pub(crate) fn print(
    cluster: &Cluster,
    choice: &Choice,
    resources: &[&Resource],
    names: bool,
    headings: bool,
    missing: &mut Missing,
) -> Result<(), Failure> {
    let paths: Result<Vec<Path>, Failure> = resources.iter().map(|resource| choice.path(resource)).collect();
    let lists: Lists<Object> = cluster.begin_lists(paths?, METADATA).at_once(AT_ONCE);
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut table = Table::new(["NAME", "NAMESPACE", "AGE"]);
    let (now, style) = (Timestamp::now(), Style::stdout());
    let mut found = false;
    for (resource, list) in resources.iter().zip(lists.finish()) {
        let list: List<Object> = match list {
            Ok(list) => list,
            Err(error) => {
                missing.add(resource.full_name(), &error);
                continue;
            }
        };
        let kind = prefix(resource);
        for Object { metadata } in list.items {
            let created = metadata.creation_timestamp.as_deref();
            if !choice.includes(created) {
                continue;
            }
            found = true;
            let name = format!("{kind}/{}", metadata.name);
            if names {
                writeln!(out, "{}", style.value(&for_terminal_line(&name)))?;
                continue;
            }
            let age = created.and_then(Timestamp::parse).map(|created| created.age(now));
            table.row([
                Cell::new(name),
                Cell::new(metadata.namespace),
                Cell::new(age.as_deref().unwrap_or("<unknown>")),
            ]);
        }
    }
    if !found {
        eprintln!("No resources found.");
    } else if !names {
        table.print(style, headings, &mut out)?;
    }
    Ok(out.flush()?)
}

/// Returns what stands before the name of an object: its kind and group, such as `deployment.apps`.
fn prefix(resource: &Resource) -> String {
    let kind = resource.kind.to_lowercase();
    if resource.group.is_empty() { kind } else { format!("{kind}.{}", resource.group) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_named_with_its_kind_and_group() {
        let resource = |group: &str| Resource {
            group: group.to_owned(),
            kind: "ReplicaSet".to_owned(),
            ..Resource::default()
        };
        assert_eq!(prefix(&resource("")), "replicaset");
        assert_eq!(prefix(&resource("apps")), "replicaset.apps");
    }

    #[test]
    fn an_object_may_lack_anything() {
        for text in ["{}", r#"{"metadata": {"creationTimestamp": null}}"#] {
            let object: Object = serde_json::from_str(text).unwrap();
            assert_eq!(object.metadata.name, "", "{text}");
        }
    }
}
