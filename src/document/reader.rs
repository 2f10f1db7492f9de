//! Reads a node strictly: everything that is not understood is a fault, with file, line, key and hint.
//! Reading continues after a fault, so that all of them are reported together.

use super::fault::{Faults, Format, Place};
use super::node::{Broken, Node, Shape};

/// The `apiVersion` of every document.
pub(crate) const API_VERSION: &str = "kwasm.dev/v1";

/// The largest document, in bytes.
const LONGEST: usize = 1 << 20;

/// A map whose keys are being read.
pub(crate) struct Entries {
    pub(crate) place: Place,
    values: Vec<(String, u64, Node)>,
    is_map: bool,
    /// Keys that other keys were probably meant to be.
    meant: Vec<String>,
}

impl Format {
    /// Returns the beginning of a document of this kind.
    fn beginning(self) -> String {
        format!("{} begins with `apiVersion: {API_VERSION}` and `kind: {}`", self.name, self.kind)
    }
}

impl Faults<'_> {
    /// Reads a document, and returns the entries of its root, which may only have `apiVersion`, `kind` and
    /// these keys.
    pub(crate) fn document(&mut self, text: &str, known: &[&str]) -> Option<Entries> {
        let format = self.format;
        let (root, node) = self.node(text)?;
        if matches!(node.shape, Shape::Nothing) {
            self.add(&root, "it is empty", format.beginning());
            return None;
        }
        // Of a file of another purpose nothing more is reported: it may hold secrets.
        if let Some(line) = kind_of_another(&node, format) {
            let place = Place { key: "kind".to_owned(), line };
            self.add(&place, format!("this is not {}", format.name), format.beginning());
            return None;
        }
        let mut entries = self.map(root, node, &[&["apiVersion", "kind"], known].concat());
        for (key, wanted) in [("apiVersion", API_VERSION), ("kind", format.kind)] {
            let cure = format!("write `{key}: {wanted}`");
            match entries.take(key) {
                Some((place, node)) => {
                    if self.text(&place, node, &cure).is_some_and(|text| text != wanted) {
                        self.add(&place, format!("this version of kwasm supports only {wanted}"), cure);
                    }
                }
                None => self.missing(&entries, key, cure),
            }
        }
        Some(entries)
    }

    /// Reads YAML that is only a part of a document.
    pub(crate) fn node(&mut self, text: &str) -> Option<(Place, Node)> {
        if text.len() > LONGEST {
            let hint = format!("{} is a short YAML file", self.format.name);
            self.add(&Place::root(1), "it is longer than 1 MiB", hint);
            return None;
        }
        match Node::read(text, self.format) {
            Ok(node) => Some((Place::root(node.line), node)),
            Err(Broken { line, what, hint }) => {
                self.add(&Place::root(line), what, hint);
                None
            }
        }
    }

    /// Reports that a map lacks a key.
    pub(crate) fn missing(&mut self, map: &Entries, key: &str, cure: impl Into<String>) {
        if map.lacks(key) {
            self.add(&map.place.below(key, map.place.line), "it is missing", cure);
        }
    }

    /// Returns the entries of a map that may only have these keys.
    pub(crate) fn map(&mut self, place: Place, node: Node, known: &[&str]) -> Entries {
        let (entries, is_map) = match node.shape {
            Shape::Map(entries) => (entries, true),
            other => {
                self.add(&place, format!("it is {}, not a map", other.kind()), keys(known));
                (Vec::new(), false)
            }
        };
        let mut seen = vec![false; known.len()];
        let mut meant = Vec::new();
        for (key, line, _) in &entries {
            let at = place.below(shown(key), *line);
            if let Some(index) = known.iter().position(|known| known == key) {
                if seen[index] {
                    self.add(&at, "it is given twice", "remove one of them");
                }
                seen[index] = true;
            } else if let Some(near) = nearest(key, known) {
                self.add(&at, "there is no such key", format!("do you mean {near}?"));
                meant.push(near.to_owned());
            } else {
                self.add(&at, "there is no such key", keys(known));
            }
        }
        Entries { place, values: entries, is_map, meant }
    }

    /// Returns the items of a list.
    pub(crate) fn list(&mut self, place: &Place, node: Node, cure: &str) -> Vec<(Place, Node)> {
        match node.shape {
            Shape::List(items) => {
                let numbered = items.into_iter().enumerate();
                let at = |index, line| Place { key: format!("{}[{index}]", place.key), line };
                numbered.map(|(index, item)| (at(index, item.line), item)).collect()
            }
            other => {
                self.add(place, format!("it is {}, not a list", other.kind()), cure);
                Vec::new()
            }
        }
    }

    /// Returns a list of texts, each accepted by `check` or rejected with a reason.
    pub(crate) fn texts(
        &mut self,
        entry: Option<(Place, Node)>,
        cure: &str,
        check: impl Fn(&str) -> Result<(), String>,
    ) -> Vec<String> {
        let Some((place, node)) = entry else { return Vec::new() };
        let mut texts = Vec::new();
        for (place, item) in self.list(&place, node, "write it as a list: in brackets, with commas") {
            let Some(text) = self.text(&place, item, cure) else { continue };
            match check(&text) {
                Ok(()) => texts.push(text),
                Err(why) => self.add(&place, why, cure),
            }
        }
        texts
    }

    /// Returns a text. A scalar that YAML reads as something else has to be quoted, since its spelling is not
    /// kept.
    pub(crate) fn text(&mut self, place: &Place, node: Node, cure: &str) -> Option<String> {
        const QUOTE: &str = "put it in quotes";
        match node.shape {
            Shape::Number(_) => self.add(place, "YAML reads it as a number", QUOTE),
            Shape::Flag(_) => return self.value(place, node, QUOTE),
            _ => return self.value(place, node, cure),
        }
        None
    }

    /// Returns a text or a number.
    pub(crate) fn value(&mut self, place: &Place, node: Node, cure: &str) -> Option<String> {
        match node.shape {
            Shape::Scalar(text) | Shape::Number(text) => return Some(text),
            Shape::Flag(_) => self.add(place, "YAML reads it as true or false", cure),
            other => self.add(place, format!("it is {}, not a single value", other.kind()), cure),
        }
        None
    }

    /// Returns a boolean.
    pub(crate) fn flag(&mut self, entry: Option<(Place, Node)>) -> bool {
        match entry {
            Some((_, Node { shape: Shape::Flag(flag), .. })) => flag,
            Some((place, node)) => {
                let what = format!("it is {}, and neither true nor false", node.shape.kind());
                self.add(&place, what, "write true or false");
                false
            }
            None => false,
        }
    }
}

impl Entries {
    /// Returns whether a key is missing. A node that is not a map lacks nothing else, and the right key of a
    /// misspelt one has been reported already.
    pub(crate) fn lacks(&self, key: &str) -> bool {
        let is_there = self.values.iter().any(|(known, ..)| known == key);
        self.is_map && !is_there && !self.meant.iter().any(|meant| meant == key)
    }

    /// Removes and returns the value of a key.
    pub(crate) fn take(&mut self, key: &str) -> Option<(Place, Node)> {
        let index = self.values.iter().position(|(known, ..)| known == key)?;
        let (key, line, node) = self.values.swap_remove(index);
        Some((self.place.below(&key, line), node))
    }
}

/// Returns the line at which a document states that it is of another kind.
fn kind_of_another(node: &Node, format: Format) -> Option<u64> {
    let Shape::Map(entries) = &node.shape else { return None };
    entries.iter().find_map(|(key, line, node)| match &node.shape {
        Shape::Scalar(kind) if key == "kind" && !kind.eq_ignore_ascii_case(format.kind) => Some(*line),
        _ => None,
    })
}

/// Returns a key for messages. One that is longer than any known key is not shown, since it may be a line of
/// a private key.
fn shown(key: &str) -> &str {
    if key.len() > 40 { "…" } else { key }
}

fn keys(known: &[&str]) -> String {
    match known {
        [one] => format!("its only key is {one}"),
        _ => format!("its keys are {}", known.join(", ")),
    }
}

/// Returns the key that was probably meant.
fn nearest<'a>(key: &str, known: &[&'a str]) -> Option<&'a str> {
    // A long key is not a typing error of any of these, and comparing it would take long.
    let far = key.len() > 32;
    let distances = known.iter().filter(|_| !far).map(|known| (distance(key, known), known));
    let near = distances.filter(|(distance, known)| *distance <= known.len().div_ceil(3)).min();
    near.map(|(_, near)| *near)
}

/// Returns the Levenshtein distance: the number of insertions, deletions and changes of letters, ignoring
/// case.
pub(crate) fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, one) in one.bytes().enumerate() {
        let mut before = index;
        row[0] = index + 1;
        for (at, other) in other.bytes().enumerate() {
            let changed = before + usize::from(!one.eq_ignore_ascii_case(&other));
            before = row[at + 1];
            row[at + 1] = changed.min(row[at] + 1).min(before + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_nearly_right_is_proposed_and_no_other() {
        let known = ["apiGroups", "resources", "verbs", "namespaces", "host", "port"];
        for (written, meant) in [
            ("apigroups", "apiGroups"),
            ("resource", "resources"),
            ("reosurces", "resources"),
            ("resurces", "resources"),
            ("verb", "verbs"),
            ("namespace", "namespaces"),
            ("ports", "port"),
            ("Host", "host"),
        ] {
            assert_eq!(nearest(written, &known), Some(meant), "{written}");
        }
        for written in ["", "x", "names", "group", "ünicode", &"verbs".repeat(1000)] {
            assert_eq!(nearest(written, &known), None, "{written}");
        }
    }
}
