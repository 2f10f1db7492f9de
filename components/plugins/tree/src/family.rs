//! Who belongs to whom.

use std::collections::{HashMap, HashSet};

/// The depth below which nothing is shown: no real object is owned that deep.
const DEEPEST: usize = 100;

/// An object, as far as its place in the tree needs it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Object {
    pub(crate) uid: String,
    pub(crate) name: String,
    /// Empty if it is in none.
    pub(crate) namespace: String,
    pub(crate) kind: String,
    pub(crate) api_version: String,
    /// In RFC 3339.
    pub(crate) created: Option<String>,
    /// The UIDs of its owners.
    pub(crate) owners: Vec<String>,
    /// The index of its resource in the server's order.
    pub(crate) resource: usize,
}

/// A line of the tree.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Entry {
    /// The index of the object.
    pub(crate) object: usize,
    /// The number of its ancestors in the tree.
    pub(crate) depth: usize,
    /// The lines that lead to it.
    pub(crate) branch: String,
    /// Whether it has dependents that do not follow: they stand above, or too deep.
    pub(crate) cut: bool,
}

/// Returns the tree below an object, in the order of its lines. Dependents of an object that has several owners, or belongs to
/// itself by a circle, stand below its first line only.
pub(crate) fn walk(objects: &[Object], root: usize) -> Vec<Entry> {
    let mut dependents: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, object) in objects.iter().enumerate() {
        let mut owners: Vec<&str> = object.owners.iter().map(String::as_str).collect();
        owners.sort_unstable();
        owners.dedup();
        for owner in owners {
            dependents.entry(owner).or_default().push(index);
        }
    }
    let key = |index: &usize| {
        let object = &objects[*index];
        (&object.kind, &object.name, &object.namespace)
    };
    for below in dependents.values_mut() {
        below.sort_by(|one, other| key(one).cmp(&key(other)));
    }

    let mut entries = Vec::new();
    let mut seen = HashSet::new();
    let mut waiting = vec![(root, 0, String::new(), true)];
    while let Some((object, depth, before, last)) = waiting.pop() {
        let below = dependents.get(objects[object].uid.as_str()).map_or(&[][..], Vec::as_slice);
        let shown = depth < DEEPEST && seen.insert(object);
        let (twig, pipe) = match (depth, last) {
            (0, _) => ("", ""),
            (_, true) => ("└─", "  "),
            (_, false) => ("├─", "│ "),
        };
        if shown {
            // The last one comes first from the top of the stack, so that it goes in first.
            for (place, child) in below.iter().enumerate().rev() {
                waiting.push((*child, depth + 1, format!("{before}{pipe}"), place + 1 == below.len()));
            }
        }
        entries.push(Entry {
            object,
            depth,
            branch: format!("{before}{twig}"),
            cut: !shown && !below.is_empty(),
        });
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(name: &str, owners: &[&str]) -> Object {
        Object {
            uid: name.to_owned(),
            name: name.to_owned(),
            owners: owners.iter().map(|owner| (*owner).to_owned()).collect(),
            ..Object::default()
        }
    }

    fn drawn(objects: &[Object], root: usize) -> Vec<String> {
        let line = |entry: Entry| {
            let more = if entry.cut { "..." } else { "" };
            format!("{}{}{more}", entry.branch, objects[entry.object].name)
        };
        walk(objects, root).into_iter().map(line).collect()
    }

    #[test]
    fn dependents_stand_below_their_owners_in_the_order_of_their_names() {
        let objects = [
            object("web", &[]),
            object("new", &["web"]),
            object("pod-2", &["new"]),
            object("pod-1", &["new"]),
            object("old", &["web", "web"]),
            object("pod-0", &["old"]),
            object("other", &["gone"]),
        ];
        let expected = ["web", "├─new", "│ ├─pod-1", "│ └─pod-2", "└─old", "  └─pod-0"];
        assert_eq!(drawn(&objects, 0), expected);
        assert_eq!(drawn(&objects, 1), ["new", "├─pod-1", "└─pod-2"]);
        assert_eq!(drawn(&objects, 6), ["other"]);
    }

    #[test]
    fn a_circle_ends() {
        assert_eq!(drawn(&[object("a", &["b"]), object("b", &["a"])], 0), ["a", "└─b", "  └─a..."]);
        assert_eq!(drawn(&[object("a", &["a"])], 0), ["a", "└─a..."]);
    }

    #[test]
    fn who_has_two_owners_stands_below_both_and_has_dependents_below_one() {
        let objects = [
            object("a", &[]),
            object("b", &["a"]),
            object("c", &["a"]),
            object("d", &["b", "c"]),
            object("e", &["d"]),
        ];
        assert_eq!(drawn(&objects, 0), ["a", "├─b", "│ └─d", "│   └─e", "└─c", "  └─d..."]);
    }

    #[test]
    fn what_lies_too_deep_is_not_shown() {
        let name = |number: usize| format!("{number:04}");
        let mut objects = vec![object(&name(0), &[])];
        objects.extend((1..1000).map(|number| object(&name(number), &[&name(number - 1)])));
        let entries = walk(&objects, 0);
        assert_eq!(entries.len(), DEEPEST + 1);
        assert!(entries[DEEPEST].cut && !entries[DEEPEST - 1].cut);
    }
}
