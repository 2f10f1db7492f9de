//! Reads a node strictly: whatever is not understood is a fault that names file, line, key and cure. Reading goes on
//! after a fault, so that all of them are told at once.

use std::fmt;

use super::node::{Node, Shape};

/// What is wrong with a policy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fault {
    /// The file, as the user named it.
    pub file: String,
    /// The line, counted from 1. Of a key that is missing, that of the map in which it is.
    pub line: u64,
    /// The key, e.g. `spec.kubernetes.rules[0].verbs`; empty for the whole document, and for what is no YAML.
    pub key: String,
    /// What is wrong with it.
    pub what: String,
    /// What helps.
    pub hint: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)?;
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.what)
    }
}

/// The faults of one file.
pub(super) struct Faults<'a> {
    file: &'a str,
    found: Vec<Fault>,
}

/// A place in a document.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) key: String,
    pub(super) line: u64,
}

impl Place {
    /// The whole document.
    pub(super) fn root() -> Self {
        Self { key: String::new(), line: 1 }
    }

    fn below(&self, key: &str, line: u64) -> Self {
        let dot = if self.key.is_empty() { "" } else { "." };
        Self { key: format!("{}{dot}{key}", self.key), line }
    }
}

/// A map whose keys are being read.
pub(super) struct Entries {
    pub(super) place: Place,
    values: Vec<(String, u64, Node)>,
    is_map: bool,
    /// Keys that others were probably meant to be.
    meant: Vec<String>,
}

impl<'a> Faults<'a> {
    pub(super) fn of(file: &'a str) -> Self {
        Self { file, found: Vec::new() }
    }

    /// All of them, in the order of their lines.
    pub(super) fn into_found(mut self) -> Vec<Fault> {
        self.found.sort_by_key(|fault| fault.line);
        self.found
    }

    pub(super) fn add(&mut self, place: &Place, what: impl Into<String>, hint: impl Into<String>) {
        let Place { key, line } = place.clone();
        self.found.push(Fault {
            file: self.file.to_owned(),
            line,
            key,
            what: what.into(),
            hint: hint.into(),
        });
    }

    /// How many were found so far.
    pub(super) fn number(&self) -> usize {
        self.found.len()
    }

    /// A key that should be in a map is not.
    pub(super) fn missing(&mut self, map: &Entries, key: &str, cure: impl Into<String>) {
        // What is no map misses nothing but to be one, and of a misspelt key the right one is told already.
        if map.is_map && !map.meant.iter().any(|meant| meant == key) {
            self.add(&map.place.below(key, map.place.line), "it is missing", cure);
        }
    }

    /// The entries of a map that has no keys but these.
    pub(super) fn map(&mut self, place: Place, node: Node, known: &[&str]) -> Entries {
        self.map_with(place, node, known, &[])
    }

    /// The same, with keys of which there is something else to say than that there are none such.
    pub(super) fn map_with(
        &mut self,
        place: Place,
        node: Node,
        known: &[&str],
        later: &[(&str, &str)],
    ) -> Entries {
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
            let at = place.below(key, *line);
            if let Some(index) = known.iter().position(|known| known == key) {
                if seen[index] {
                    self.add(&at, "it is given twice", "remove one of them");
                }
                seen[index] = true;
            } else if let Some((_, why)) = later.iter().find(|(known, _)| known == key) {
                self.add(&at, *why, format!("take {key} out"));
            } else if let Some(near) = nearest(key, known) {
                self.add(&at, "there is no such key", format!("do you mean {near}?"));
                meant.push(near.to_owned());
            } else {
                self.add(&at, "there is no such key", keys(known));
            }
        }
        Entries { place, values: entries, is_map, meant }
    }

    /// The items of a list.
    pub(super) fn list(&mut self, place: &Place, node: Node, cure: &str) -> Vec<(Place, Node)> {
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

    /// A list of texts, each of which `check` takes or says why not.
    pub(super) fn texts(
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

    /// A text. What YAML takes for something else than one has to be quoted: it is not kept as it was written.
    pub(super) fn text(&mut self, place: &Place, node: Node, cure: &str) -> Option<String> {
        const QUOTE: &str = "put it in quotes";
        match node.shape {
            Shape::Number(_) => self.add(place, "YAML reads it as a number", QUOTE),
            Shape::Flag(_) => return self.value(place, node, QUOTE),
            _ => return self.value(place, node, cure),
        }
        None
    }

    /// A text or a number.
    pub(super) fn value(&mut self, place: &Place, node: Node, cure: &str) -> Option<String> {
        match node.shape {
            Shape::Scalar(text) | Shape::Number(text) => return Some(text),
            Shape::Flag(_) => self.add(place, "YAML reads it as true or false", cure),
            other => self.add(place, format!("it is {}, not a single value", other.kind()), cure),
        }
        None
    }

    /// True or false.
    pub(super) fn flag(&mut self, entry: Option<(Place, Node)>) -> bool {
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
    /// Takes the value of a key out.
    pub(super) fn take(&mut self, key: &str) -> Option<(Place, Node)> {
        let index = self.values.iter().position(|(known, ..)| known == key)?;
        let (key, line, node) = self.values.swap_remove(index);
        Some((self.place.below(&key, line), node))
    }
}

fn keys(known: &[&str]) -> String {
    match known {
        [one] => format!("its only key is {one}"),
        _ => format!("its keys are {}", known.join(", ")),
    }
}

/// The key that was probably meant.
fn nearest<'a>(key: &str, known: &[&'a str]) -> Option<&'a str> {
    // A long key is no typing error of any of these, and would take its time.
    let far = key.len() > 32;
    let distances = known.iter().filter(|_| !far).map(|known| (distance(key, known), known));
    let near = distances.filter(|(distance, known)| *distance <= known.len().div_ceil(3)).min();
    near.map(|(_, near)| *near)
}

/// How many letters have to be put in, taken out or changed (Levenshtein's distance), large or small.
fn distance(one: &str, other: &str) -> usize {
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
