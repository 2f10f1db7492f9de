//! The reader of policy files. It is strict, since an ignored part of a policy would be a hole in it.

use std::time::Duration;

use super::files;
use super::format::{
    AT_A_TIME, DOCUMENT, EXCEPTED, FLAGS, FORMAT, GROUP, HEADERS, HOST, KUBERNETES, LABEL, LIMITS, MEMORY,
    METADATA, METHODS, NAMESPACE, NETWORK, PORT, RESOURCE, RESOURCE_RULE, REUSE, Range, SPEC, STACK, URL,
    URL_RULE, VERBS,
};
use super::host::Host;
use super::judge::Policy;
use super::limits::StatedLimits;
use super::quantity;
use super::rule::{NameSelector, ResourceRule, Rule, UrlRule, Words};
use super::variables;
use crate::document::{Entries, Fault, Faults, Format, Node, Place, Shape};
use crate::environment::CONNECTION_FLAGS;

impl Policy {
    /// Reads a policy file. `file` is its name in messages.
    ///
    /// # Errors
    /// All of its faults, in the order in which they were found.
    pub fn read(file: &str, text: &str) -> Result<Self, Vec<Fault>> {
        let mut faults = Faults::of(file, FORMAT);
        let policy = document(&mut faults, text);
        faults.finish(policy)
    }
}

impl Rule {
    /// Reads a single rule, as it is in a policy. `file` is its name in messages.
    ///
    /// # Errors
    /// All of its faults, in the order in which they were found.
    pub fn read(file: &str, text: &str) -> Result<Self, Vec<Fault>> {
        let mut faults = Faults::of(file, Format { kind: "Rule", name: "a rule" });
        let read = faults.node(text).map(|(place, node)| rule(&mut faults, place, node).0);
        faults.finish(read)
    }
}

fn document(faults: &mut Faults<'_>, text: &str) -> Option<Policy> {
    let mut entries = faults.document(text, &DOCUMENT.names())?;
    let name = metadata(faults, &mut entries);
    let Some((place, node)) = entries.take("spec") else {
        faults.missing(&entries, "spec", "`spec: {}` allows nothing");
        return None;
    };
    spec(faults, &name.unwrap_or_default(), place, node)
}

fn metadata(faults: &mut Faults<'_>, root: &mut Entries) -> Option<String> {
    const CURE: &str = "write `metadata: {name: NAME}`";
    let Some((place, node)) = root.take("metadata") else {
        faults.missing(root, "metadata", CURE);
        return None;
    };
    let mut entries = faults.map(place, node, &METADATA.names());
    let Some((place, node)) = entries.take("name") else {
        faults.missing(&entries, "name", CURE);
        return None;
    };
    let name = faults.text(&place, node, CURE)?;
    if !LABEL.fits(&name) {
        faults.add(
            &place,
            format!("`{name}` is not a valid name"),
            "a name is up to 63 lower-case letters, digits and dashes",
        );
        return None;
    }
    Some(name)
}

fn spec(faults: &mut Faults<'_>, name: &str, place: Place, node: Node) -> Option<Policy> {
    let mut policy = Policy::named(name);
    if matches!(node.shape, Shape::Nothing) {
        faults.add(&place, "it is nothing", "`spec: {}` allows nothing");
        return None;
    }
    let mut entries = faults.map(place, node, &SPEC.names());
    if let Some((place, node)) = entries.take("description") {
        policy.description = faults.text(&place, node, "write one sentence");
    }
    if let Some((place, node)) = entries.take("kubernetes") {
        let mut entries = faults.map(place, node, &KUBERNETES.names());
        policy.contexts = entries
            .take("contexts")
            .map_or_else(NameSelector::current, |entry| among(faults, entry, "context"));
        policy.impersonate = faults.flag(entries.take("impersonate"));
        if let Some((place, node)) = entries.take("rules") {
            for (place, node) in faults.list(&place, node, "each rule begins with a dash") {
                let (rule, words) = rule(faults, place, node);
                policy.add(rule, words);
            }
        }
    }
    policy.stable_only = faults.flag(entries.take("stableOnly"));
    if let Some((place, node)) = entries.take("files") {
        policy.files = files::read(faults, &place, node);
    }
    if let Some((place, node)) = entries.take("environment") {
        policy.variables = variables::read(faults, &place, node);
    }
    if let Some((place, node)) = entries.take("network") {
        for (place, node) in faults.list(&place, node, "each host begins with a dash") {
            policy.hosts.extend(host(faults, place, node));
        }
    }
    if let Some((place, node)) = entries.take("flags") {
        let mut entries = faults.map(place, node, &FLAGS.names());
        policy.own_flags =
            faults.texts(entries.take("own"), "write only flags that kubectl has too, e.g. \"-s\"", flag);
    }
    if let Some((place, node)) = entries.take("limits") {
        policy.limits = limits(faults, place, node);
    }
    Some(policy)
}

/// Checks a connection flag of kubectl that a plugin defines itself, in one of its spellings.
fn flag(text: &str) -> Result<(), String> {
    let is_known = CONNECTION_FLAGS.iter().any(|flag| flag.long == text || flag.short == Some(text));
    if is_known {
        Ok(())
    } else {
        Err("it is not one of kubectl's connection flags, so the plugin gets it anyway".to_owned())
    }
}

fn rule(faults: &mut Faults<'_>, place: Place, node: Node) -> (Rule, Words) {
    let known = [RESOURCE_RULE.names(), URL_RULE.names_beyond(&RESOURCE_RULE)].concat();
    let mut entries = faults.map(place, node, &known);
    let reason =
        entries.take("reason").and_then(|(place, node)| faults.text(&place, node, "write one sentence"));
    let words = Words { reason, optional: faults.flag(entries.take("optional")) };
    if let Some((place, node)) = entries.take("nonResourceURLs") {
        for key in RESOURCE_RULE.names_beyond(&URL_RULE) {
            if let Some((place, _)) = entries.take(key) {
                faults.add(&place, "it says nothing about nonResourceURLs", "make two rules of it");
            }
        }
        let cure = "write a path such as /version, or a prefix such as \"/openapi/*\"";
        let urls = some(faults, (place, node), "URLs", cure, url);
        return (Rule::Urls(UrlRule { verbs: verbs(faults, &mut entries, METHODS), urls }), words);
    }
    let groups = "the core group is \"\", the others are listed by kubectl api-versions";
    let api_groups = required(faults, &mut entries, "apiGroups", groups, group);
    let names = "write it as kubectl api-resources does, with a subresource as in pods/log or \"*/scale\"";
    let resources = required(faults, &mut entries, "resources", names, resource);
    let verbs = verbs(faults, &mut entries, VERBS);
    let resource_names = faults.texts(entries.take("resourceNames"), "write the names of objects", object);
    let namespaces =
        entries.take("namespaces").map_or(NameSelector::All, |entry| among(faults, entry, "namespace"));
    let except = entries.take("except");
    let place = except.as_ref().map(|(place, _)| place.clone());
    let except = faults.texts(except, names, resource);
    if let Some(place) = place.filter(|_| except.iter().any(|excepted| !EXCEPTED.fits(excepted))) {
        faults.add(&place, "it excludes all that the rule covers", "name the resources, or remove the rule");
    }
    let rule = ResourceRule { verbs, api_groups, resources, resource_names, namespaces, except };
    (Rule::Resources(rule), words)
}

fn required(
    faults: &mut Faults<'_>,
    entries: &mut Entries,
    key: &str,
    cure: &str,
    check: impl Fn(&str) -> Result<(), String>,
) -> Vec<String> {
    let Some(entry) = entries.take(key) else {
        faults.missing(entries, key, cure);
        return Vec::new();
    };
    some(faults, entry, key, cure, check)
}

/// Returns the texts of a list. An empty list covers nothing, which is certainly a mistake.
fn some(
    faults: &mut Faults<'_>,
    (place, node): (Place, Node),
    what: &str,
    cure: &str,
    check: impl Fn(&str) -> Result<(), String>,
) -> Vec<String> {
    let before = faults.number();
    let texts = faults.texts(Some((place.clone(), node)), cure, check);
    // Where an item was refused, there was one.
    if texts.is_empty() && faults.number() == before {
        faults.add(&place, format!("without {what} it covers nothing"), cure);
    }
    texts
}

fn verbs(faults: &mut Faults<'_>, entries: &mut Entries, known: &[&str]) -> Vec<String> {
    let cure = format!("the verbs are {}, and \"*\" for all", known[1..].join(", "));
    required(faults, entries, "verbs", &cure, |verb| {
        if known.contains(&verb) { Ok(()) } else { Err(format!("no request has the verb `{verb}`")) }
    })
}

/// Reads `"*"`, or a list of names in which `current` stands for the user's choice.
fn among(faults: &mut Faults<'_>, (place, node): (Place, Node), what: &str) -> NameSelector {
    let cure = format!("write \"*\" for all, or a list: [current], or {what} names");
    if matches!(&node.shape, Shape::Scalar(text) if text == "*") {
        return NameSelector::All;
    }
    let check = |name: &str| if what == "namespace" { namespace(name) } else { Ok(()) };
    let mut names = some(faults, (place, node), &format!("{what}s"), &cure, check);
    if names.iter().any(|name| name == "*") {
        return NameSelector::All;
    }
    let current = names.iter().any(|name| name == "current");
    names.retain(|name| name != "current");
    NameSelector::Some { current, names }
}

fn host(faults: &mut Faults<'_>, place: Place, node: Node) -> Option<Host> {
    const CURE: &str = "write the host alone, in lower case, e.g. api.github.com";
    let mut entries = faults.map(place, node, &NETWORK.names());
    let port = match entries.take("port") {
        Some((place, node)) => {
            number(faults, &place, node, PORT).and_then(|port| u16::try_from(port).ok())?
        }
        None => 443,
    };
    let private = faults.flag(entries.take("private"));
    let Some((place, node)) = entries.take("host") else {
        faults.missing(&entries, "host", CURE);
        return None;
    };
    // Of the numbers that YAML knows none is a host.
    let name = faults.value(&place, node, CURE)?;
    let host = Host { name, port, private };
    let is_name = HOST.fits(&host.name);
    let is_v6 = host.name.starts_with('[') && host.address().is_some_and(|address| address.is_ipv6());
    if !(is_name || is_v6) {
        faults.add(&place, format!("`{}` is not a valid host", host.name), CURE);
        return None;
    }
    // `127.1` and `2130706433` are spellings of addresses to some resolvers.
    let is_number =
        host.name.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
    if is_number && host.address().is_none() {
        faults.add(
            &place,
            format!("`{}` is an unusual spelling of an address", host.name),
            "write all four numbers",
        );
        return None;
    }
    if host.address().is_some_and(|address| !super::is_public(address)) && !private {
        faults.add(
            &place,
            format!("{} is a private address", host.name),
            "add `private: true` if that is intended",
        );
        return None;
    }
    Some(host)
}

fn limits(faults: &mut Faults<'_>, place: Place, node: Node) -> StatedLimits {
    let mut limits = StatedLimits::default();
    let mut entries = faults.map(place, node, &LIMITS.names());
    let mut size = |key: &str, range: Range| {
        let (place, node) = entries.take(key)?;
        bytes(faults, &place, node, range)
    };
    limits.memory = size("memory", MEMORY);
    limits.headers = size("headers", HEADERS);
    limits.stack = size("stack", STACK);
    if let Some((place, node)) = entries.take("timeout") {
        limits.timeout = Some(timeout(faults, &place, node));
    }
    for (key, range, limit) in [
        ("requests", AT_A_TIME, &mut limits.requests),
        ("sockets", AT_A_TIME, &mut limits.sockets),
        ("reuse", REUSE, &mut limits.reuse),
    ] {
        if let Some((place, node)) = entries.take(key) {
            let number = number(faults, &place, node, range);
            *limit = number.and_then(|number| u32::try_from(number).ok());
        }
    }
    limits
}

fn bytes(faults: &mut Faults<'_>, place: &Place, node: Node, range: Range) -> Option<u64> {
    let cure = format!("write {} to {}", quantity::Quantity(range.least), quantity::Quantity(range.most));
    let text = faults.value(place, node, &cure)?;
    match quantity::bytes(&text) {
        Some(bytes) if range.contains(bytes) => return Some(bytes),
        Some(_) => faults.add(place, format!("{text} is out of range"), cure),
        None => faults.add(place, format!("`{text}` is not a number of bytes"), cure),
    }
    None
}

fn timeout(faults: &mut Faults<'_>, place: &Place, node: Node) -> Option<Duration> {
    const CURE: &str = "write none, or e.g. 30s, 5m, 1h30m";
    let text = faults.value(place, node, CURE)?;
    let timeout = quantity::duration(&text);
    if text != "none" && timeout.is_none() {
        faults.add(place, format!("`{text}` is not a duration"), CURE);
    }
    timeout
}

fn number(faults: &mut Faults<'_>, place: &Place, node: Node, range: Range) -> Option<u64> {
    let cure = format!("write a number from {} to {}", range.least, range.most);
    let text = faults.value(place, node, &cure)?;
    let number = text.parse().ok().filter(|number| range.contains(*number));
    if number.is_none() {
        faults.add(place, format!("`{text}` is not a number in its range"), cure);
    }
    number
}

/// Checks a name, or `*`.
fn namespace(name: &str) -> Result<(), String> {
    if NAMESPACE.fits(name) { Ok(()) } else { Err(format!("`{name}` is not a valid name")) }
}

/// Checks the name of an object. An empty one is refused, since a rule about it would cover collections.
fn object(name: &str) -> Result<(), String> {
    if name.is_empty() { Err("no object has an empty name".to_owned()) } else { Ok(()) }
}

fn group(group: &str) -> Result<(), String> {
    if GROUP.fits(group) { Ok(()) } else { Err(format!("`{group}` is not an API group")) }
}

fn resource(resource: &str) -> Result<(), String> {
    let fits = RESOURCE.fits(resource);
    if fits { Ok(()) } else { Err(format!("`{resource}` is not a resource as RBAC names them")) }
}

fn url(url: &str) -> Result<(), String> {
    if URL.fits(url) { Ok(()) } else { Err(format!("`{url}` is not a path")) }
}
