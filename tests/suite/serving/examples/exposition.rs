//! The text of `OpenMetrics` 1.0, read strictly: what Prometheus would warn about is an error here.

use std::collections::{BTreeMap, BTreeSet};

/// The labels of a sample.
pub(super) type Labels = BTreeMap<String, String>;

/// The samples of an exposition, by name and labels.
#[derive(Debug, Default)]
pub(super) struct Exposition {
    pub(super) samples: BTreeMap<(String, Labels), f64>,
}

impl Exposition {
    /// Reads a text.
    ///
    /// # Panics
    /// If a line of it is none of the standard's: metadata behind samples, a family in two places, a sample twice or of no family,
    /// a name or an escape that there is not, or anything after the end.
    pub(super) fn read(text: &str) -> Self {
        let body = text.strip_suffix("# EOF\n").expect("it ends with # EOF");
        let (mut exposition, mut families, mut family) = (Self::default(), BTreeSet::new(), String::new());
        for line in body.strip_suffix('\n').expect("lines end").split('\n') {
            if let Some(metadata) = line.strip_prefix("# ") {
                let [kind, name, value] = metadata
                    .splitn(3, ' ')
                    .collect::<Vec<_>>()
                    .try_into()
                    .unwrap_or_else(|_| panic!("{line}"));
                assert!(is_name(name), "{line}");
                if name != family {
                    assert!(families.insert(name.to_owned()), "the family is in two places: {line}");
                    name.clone_into(&mut family);
                }
                let has_samples = exposition.samples.keys().any(|(sample, _)| sample == name);
                assert!(!has_samples, "metadata behind samples: {line}");
                match kind {
                    "TYPE" => assert!(["counter", "gauge", "histogram", "info"].contains(&value), "{line}"),
                    "HELP" => assert!(!value.is_empty(), "{line}"),
                    _ => panic!("{line}"),
                }
            } else {
                let (name, labels, value) = sample(line);
                assert_eq!(name, family, "a gauge is called as its family: {line}");
                let old = exposition.samples.insert((name, labels), value);
                assert_eq!(old, None, "a sample is there twice: {line}");
            }
        }
        exposition
    }

    /// Returns the number of a sample.
    pub(super) fn get(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.samples.get(&(name.to_owned(), labels)).copied()
    }
}

fn sample(line: &str) -> (String, Labels, f64) {
    let (name, mut rest) = line.split_at(line.find(['{', ' ']).unwrap_or_else(|| panic!("{line}")));
    let mut labels = Labels::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        while !rest.starts_with('}') {
            let (label, after) = rest.split_once("=\"").unwrap_or_else(|| panic!("{line}"));
            let (value, after) = quoted(after).unwrap_or_else(|| panic!("{line}"));
            assert!(is_name(label) && !label.contains(':'), "{line}");
            assert_eq!(labels.insert(label.to_owned(), value), None, "a label is there twice: {line}");
            rest = after.strip_prefix(',').unwrap_or(after);
            assert!(after.starts_with('}') || !rest.starts_with('}'), "{line}");
        }
        rest = &rest[1..];
    }
    assert!(is_name(name), "{line}");
    let value = rest.strip_prefix(' ').and_then(|value| value.parse().ok());
    (name.to_owned(), labels, value.unwrap_or_else(|| panic!("{line}")))
}

/// Splits a text after the quote that ends it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let (mut value, mut characters) = (String::new(), text.chars());
    loop {
        match characters.next()? {
            '"' => return Some((value, characters.as_str())),
            '\\' => value.push(match characters.next()? {
                'n' => '\n',
                escaped @ ('\\' | '"') => escaped,
                _ => return None,
            }),
            character => value.push(character),
        }
    }
}

fn is_name(name: &str) -> bool {
    let is_first = |character: char| character.is_ascii_alphabetic() || matches!(character, '_' | ':');
    name.starts_with(is_first)
        && name.chars().all(|character| is_first(character) || character.is_ascii_digit())
}
