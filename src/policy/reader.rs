//! Reads a node strictly: whatever is not understood is a fault that names file, line, key and cure. Reading goes on
//! after a fault, so that all of them are told at once.

use std::fmt;

use super::node::{Node, Shape};

/// What is wrong with a policy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fault {
    /// The file, as the user named it.
    pub file: String,
    /// The line, counted from 1; 0 where there is none to name.
    pub line: u64,
    /// The key, e.g. `spec.kubernetes.rules[0].verbs`; empty for the whole document.
    pub key: String,
    /// What is wrong with it.
    pub what: String,
    /// What helps.
    pub hint: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
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
    fn below(&self, key: &str, line: u64) -> Self {
        let dot = if self.key.is_empty() { "" } else { "." };
        Self { key: format!("{}{dot}{key}", self.key), line }
    }
}

/// A map whose keys are being read.
pub(super) struct Entries {
    pub(super) place: Place,
    entries: Vec<(String, u64, Node)>,
}

impl<'a> Faults<'a> {
    pub(super) fn of(file: &'a str) -> Self {
        Self { file, found: Vec::new() }
    }

    pub(super) fn into_found(self) -> Vec<Fault> {
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

    /// Whether no fault was found in what lies below a key.
    pub(super) fn clean_below(&self, key: &str) -> bool {
        !self.found.iter().any(|fault| fault.key.starts_with(key))
    }

    /// The entries of a map that has no keys but these.
    pub(super) fn map(&mut self, place: Place, node: Node, known: &[&str]) -> Entries {
        let entries = match node.shape {
            Shape::Map(entries) => entries,
            other => {
                self.add(&place, format!("it is {}, not a map", other.kind()), keys(known));
                Vec::new()
            }
        };
        for (index, (key, line, _)) in entries.iter().enumerate() {
            let at = place.below(key, *line);
            if !known.contains(&key.as_str()) {
                self.add(&at, "there is no such key", nearest(key, known));
            } else if entries[..index].iter().any(|(earlier, ..)| earlier == key) {
                self.add(&at, "it is there twice", "leave one of them");
            }
        }
        Entries { place, entries }
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
        for (place, item) in self.list(&place, node, cure) {
            let Some(text) = self.text(&place, item, cure) else { continue };
            match check(&text) {
                Ok(()) => texts.push(text),
                Err(why) => self.add(&place, why, cure),
            }
        }
        texts
    }

    /// A text. What YAML takes for something else than one has to be quoted.
    pub(super) fn text(&mut self, place: &Place, node: Node, cure: &str) -> Option<String> {
        match node.shape {
            Shape::Scalar(text) => return Some(text),
            Shape::Flag(flag) => {
                self.add(place, "YAML reads it as true or false", format!("quote it if you mean \"{flag}\""));
            }
            other => self.add(place, format!("it is {}, not a text", other.kind()), cure),
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
        let index = self.entries.iter().position(|(known, ..)| known == key)?;
        let (key, line, node) = self.entries.swap_remove(index);
        Some((self.place.below(&key, line), node))
    }
}

fn keys(known: &[&str]) -> String {
    match known {
        [one] => format!("its only key is {one}"),
        _ => format!("its keys are {}", known.join(", ")),
    }
}

/// The key that was probably meant, or all that there are.
fn nearest(key: &str, known: &[&str]) -> String {
    let lower = key.to_ascii_lowercase();
    let near = known.iter().find(|known| {
        let known = known.to_ascii_lowercase();
        let (short, long) = if known.len() < lower.len() { (&known, &lower) } else { (&lower, &known) };
        // The same letters but one, or one more at the end: `rule`, `apigroups`, `verb`.
        known == lower
            || (long.starts_with(short.as_str()) && long.len() - short.len() <= 2)
            || (known.len() == lower.len()
                && known.bytes().zip(lower.bytes()).filter(|(a, b)| a != b).count() <= 2)
    });
    near.map_or_else(|| keys(known), |near| format!("do you mean {near}?"))
}
