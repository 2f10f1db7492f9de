//! What is asked for.

use crate::pattern::Patterns;
use crate::{COLOR, CONDITIONS, GROUPS, RESOURCES};
use kube_guest::{Resource, for_terminal_line};
use plugin_kit::{Arguments, Failure, SELECTOR};

/// The command line.
#[derive(Debug)]
pub(crate) struct Options {
    /// The noun of the object's resource.
    pub(crate) kind: String,
    /// The object's name.
    pub(crate) name: String,
    /// Which dependents are looked for, by labels.
    pub(crate) selector: Option<String>,
    /// The types of conditions to show, of which the first that an object has counts.
    pub(crate) conditions: Vec<String>,
    /// Whether colours are wanted, whatever the output is.
    pub(crate) colour: Option<bool>,
    resources: Patterns,
    groups: Patterns,
}

impl Options {
    /// Reads the command line.
    pub(crate) fn read(arguments: &Arguments) -> Result<Self, Failure> {
        let (kind, name) = match arguments.words() {
            [one] => one.split_once('/').ok_or_else(|| Failure::usage("NAME: missing"))?,
            _ => arguments.exactly(["KIND", "NAME"])?.into(),
        };
        if kind.is_empty() || name.is_empty() || name.contains('/') {
            let why = format!("{}/{}: not KIND/NAME", for_terminal_line(kind), for_terminal_line(name));
            return Err(Failure::usage(why));
        }
        let patterns = |flag| Patterns::read(&arguments.values(flag).collect::<Vec<_>>().join(","));
        let conditions = arguments.values(&CONDITIONS).flat_map(|types| types.split(','));
        let conditions = conditions.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
        let mut conditions: Vec<String> = conditions.collect();
        if conditions.is_empty() {
            conditions.push("Ready".to_owned());
        }
        let colour = match arguments.value(&COLOR) {
            Some("always") => Some(true),
            Some("never") => Some(false),
            _ => None,
        };
        Ok(Self {
            kind: kind.to_owned(),
            name: name.to_owned(),
            selector: arguments.value(&SELECTOR).map(str::to_owned),
            conditions,
            colour,
            resources: patterns(&RESOURCES),
            groups: patterns(&GROUPS),
        })
    }

    /// Returns whether dependents of this resource are looked for.
    pub(crate) fn mean(&self, resource: &Resource) -> bool {
        let names = [&resource.name, &resource.singular, &resource.kind];
        let names = names.into_iter().chain(&resource.short).map(String::as_str);
        let group = if resource.group.is_empty() { "core" } else { &resource.group };
        resource.has("list") && self.groups.mean(&[group].into_iter()) && self.resources.mean(&names)
    }
}
