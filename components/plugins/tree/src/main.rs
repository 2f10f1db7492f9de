//! `kubectl tree`: an object, and what belongs to it, by owner references.

mod arguments;
mod family;
mod full;
mod listed;
mod pattern;
mod printing;
mod reading;
mod status;

use arguments::Options;
use kube_guest::{Cluster, Discovery, Error};
use plugin_kit::{
    ALL_NAMESPACES, Arguments, Command, Explain, Failure, Flag, NAMESPACE, OUTPUT, SELECTOR, Scope, Value,
};

static CONDITIONS: Flag =
    Flag::text("condition-types", None, "TYPES", "the conditions READY may be [default: Ready]");

static GROUPS: Flag = Flag::text("api-groups", None, "GROUPS", "only these API groups, such as core,*.io");

static RESOURCES: Flag =
    Flag::text("resources", None, "NAMES", "only these resources, such as rs,po* or !secrets");

static COLOR: Flag = Flag {
    long: "color",
    short: Some('c'),
    value: Value::OneOf("WHEN", &["always", "never", "auto"]),
    help: "whether to use colours [default: auto]",
};

static COMMAND: Command = Command {
    name: "tree",
    version: env!("CARGO_PKG_VERSION"),
    about: "Shows an object and what belongs to it, by owner references.",
    usage: &["KIND NAME [-n NAMESPACE | -A]", "KIND/NAME [-n NAMESPACE | -A]"],
    flags: &[&NAMESPACE, &ALL_NAMESPACES, &SELECTOR, &RESOURCES, &GROUPS, &CONDITIONS, &COLOR, &OUTPUT],
    notes: "
Objects of all resources are looked at, in the namespace of the object; with -A,
and for an object that is in no namespace, everywhere. Only their metadata is
listed; what is in the tree and may have conditions is read in full. Secrets
are only listed: --resources '!secrets' does without. A name that ends in \"...\"
has dependents that are shown above, or lie deeper than 100.",
    complete: Some(complete),
};

fn main() {
    plugin_kit::main(&COMMAND, run)
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    let options = Options::read(arguments)?;
    let cluster = Cluster::from_env()?;
    let scope = Scope::of(arguments, &cluster);
    let discovery = Discovery::load(&cluster).of("resources")?;
    let mut found = reading::read(&cluster, &discovery, &options, &scope)?;
    let entries = family::walk(&found.objects, 0);
    let healths = full::healths(&cluster, &discovery, &mut found, &entries, &options.conditions)?;
    printing::print(arguments, options.colour, &found.objects, &entries, &healths)?;
    discovery.failures().iter().for_each(|failure| found.missing.add_line(failure));
    found.missing.report(COMMAND.name)
}

/// Completes kinds, then names of that kind.
fn complete(cluster: &Cluster, arguments: &Arguments) -> Result<Vec<String>, Error> {
    match arguments.words() {
        [] => plugin_kit::kinds(cluster),
        [kind] => {
            let discovery = Discovery::load(cluster)?;
            let namespace = arguments.value(&NAMESPACE).unwrap_or(cluster.namespace());
            plugin_kit::names(cluster, discovery.find(kind)?, namespace)
        }
        _ => Ok(Vec::new()),
    }
}
