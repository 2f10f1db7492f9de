//! Rules for requests of single resources and paths, as few as possible without covering anything else.

use std::collections::{BTreeMap, BTreeSet};

use crate::policy::format::{METHODS, VERBS};
use crate::policy::rule::{NameSelector, ResourceRule, Rule, UrlRule};

/// What one request needs to be allowed.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Part {
    pub(super) group: String,
    /// With its subresource, e.g. `pods/log`.
    pub(super) resource: String,
    pub(super) place: Place,
    /// `None` for all names.
    pub(super) name: Option<String>,
    pub(super) verb: String,
}

/// Where a request takes place.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Place {
    /// Outside of namespaces, or in all of them.
    All,
    /// In the namespace that the user chose.
    Current,
    /// In another one.
    Named(String),
}

impl Part {
    /// Returns the parts of a rule without wildcards, in these places.
    pub(super) fn all(rule: &ResourceRule, places: &[Place]) -> Vec<Self> {
        let names: Vec<Option<String>> = match rule.resource_names.as_slice() {
            [] => vec![None],
            names => names.iter().cloned().map(Some).collect(),
        };
        let mut parts = Vec::new();
        for (group, resource) in
            rule.api_groups.iter().flat_map(|group| rule.resources.iter().map(move |of| (group, of)))
        {
            for (verb, name) in rule.verbs.iter().flat_map(|verb| names.iter().map(move |name| (verb, name)))
            {
                parts.extend(places.iter().map(|place| Self {
                    group: group.clone(),
                    resource: resource.clone(),
                    place: place.clone(),
                    name: name.clone(),
                    verb: verb.clone(),
                }));
            }
        }
        parts
    }

    /// Returns its size in bytes.
    pub(super) fn size(&self) -> usize {
        let place = if let Place::Named(name) = &self.place { name.len() } else { 0 };
        let name = self.name.as_ref().map_or(0, String::len);
        self.group.len() + self.resource.len() + self.verb.len() + place + name
    }

    /// Returns the other parts that would cover it.
    fn wider(&self) -> impl Iterator<Item = Self> {
        let anywhere = Self { place: Place::All, ..self.clone() };
        let any = Self { name: None, ..self.clone() };
        let both = Self { name: None, ..anywhere.clone() };
        [anywhere, any, both].into_iter().filter(move |wider| wider != self)
    }
}

/// The lists of a rule. Each is a set, since the order of a list means nothing.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Cell {
    groups: BTreeSet<String>,
    resources: BTreeSet<String>,
    places: BTreeSet<Place>,
    /// Empty for all names.
    names: BTreeSet<String>,
    verbs: BTreeSet<String>,
}

/// Returns rules that cover these parts.
pub(super) fn resources(parts: &BTreeSet<Part>) -> Vec<Rule> {
    let needed = parts.iter().filter(|part| !part.wider().any(|wider| parts.contains(&wider)));
    let mut cells: Vec<Cell> = needed
        .map(|part| Cell {
            groups: BTreeSet::from([part.group.clone()]),
            resources: BTreeSet::from([part.resource.clone()]),
            places: BTreeSet::from([part.place.clone()]),
            names: part.name.iter().cloned().collect(),
            verbs: BTreeSet::from([part.verb.clone()]),
        })
        .collect();
    // Parts that differ in nothing but a name, or the place, are never one of all and one of a certain one: the
    // latter is not needed then.
    cells = merged(cells, |cell| &mut cell.names);
    cells = merged(cells, |cell| &mut cell.verbs);
    cells = merged(cells, |cell| &mut cell.resources);
    cells = merged(cells, |cell| &mut cell.places);
    cells = merged(cells, |cell| &mut cell.groups);
    cells.sort();
    cells.into_iter().map(Cell::into_rule).collect()
}

/// Merges the cells that differ in one list only.
fn merged<T: Clone + Ord>(cells: Vec<Cell>, list: fn(&mut Cell) -> &mut BTreeSet<T>) -> Vec<Cell> {
    let mut by_others: BTreeMap<Cell, BTreeSet<T>> = BTreeMap::new();
    for mut cell in cells {
        let items = std::mem::take(list(&mut cell));
        by_others.entry(cell).or_default().extend(items);
    }
    let filled = |(mut cell, items): (Cell, BTreeSet<T>)| {
        *list(&mut cell) = items;
        cell
    };
    by_others.into_iter().map(filled).collect()
}

impl Cell {
    fn into_rule(self) -> Rule {
        let namespaces = if self.places.contains(&Place::All) {
            NameSelector::All
        } else {
            let current = self.places.contains(&Place::Current);
            let named = self.places.into_iter().filter_map(|place| match place {
                Place::Named(name) => Some(name),
                Place::All | Place::Current => None,
            });
            NameSelector::Some { current, names: named.collect() }
        };
        Rule::Resources(ResourceRule {
            verbs: in_order(self.verbs, VERBS),
            api_groups: self.groups.into_iter().collect(),
            resources: self.resources.into_iter().collect(),
            resource_names: self.names.into_iter().collect(),
            namespaces,
            except: Vec::new(),
        })
    }
}

/// Returns rules that cover these methods of paths.
pub(super) fn urls(parts: &BTreeSet<(String, String)>) -> Vec<Rule> {
    let is_needed = |(verb, url): &&(String, String)| {
        !parts.iter().any(|(other, prefix)| {
            let is_prefix = prefix.strip_suffix('*').is_some_and(|prefix| url.starts_with(prefix));
            verb == other && url != prefix && is_prefix
        })
    };
    let mut verbs_of: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (verb, url) in parts.iter().filter(is_needed) {
        verbs_of.entry(url).or_default().insert(verb);
    }
    let mut urls_of: BTreeMap<BTreeSet<&str>, Vec<String>> = BTreeMap::new();
    for (url, verbs) in verbs_of {
        urls_of.entry(verbs).or_default().push(url.to_owned());
    }
    let rule = |(verbs, urls): (BTreeSet<&str>, Vec<String>)| {
        let verbs = in_order(verbs.into_iter().map(str::to_owned).collect(), METHODS);
        Rule::Urls(UrlRule { verbs, urls })
    };
    urls_of.into_iter().map(rule).collect()
}

/// Returns verbs in the order in which everyone lists them.
fn in_order(verbs: BTreeSet<String>, order: &[&str]) -> Vec<String> {
    let mut verbs: Vec<String> = verbs.into_iter().collect();
    verbs.sort_by_key(|verb| order.iter().position(|known| known == verb));
    verbs
}
