//! `kubectl get-all`: the objects of all resources, not only those of `kubectl get all`.

mod choice;
mod documents;
mod listing;

use choice::Choice;
use kube_guest::{Cluster, Discovery, Resource};
use plugin_kit::{
    ALL_NAMESPACES, Arguments, Command, Explain, Failure, Flag, Missing, NAMESPACE, NO_HEADERS, SELECTOR,
    Value,
};

static OUTPUT: Flag = Flag {
    long: "output",
    short: Some('o'),
    value: Value::OneOf("FORMAT", &["name", "json", "yaml"]),
    help: "prints names, json or yaml instead of a table",
};

static SCOPE: Flag = Flag {
    long: "only-scope",
    short: None,
    value: Value::OneOf("SCOPE", &["cluster", "namespace"]),
    help: "only what is outside of, or in, namespaces",
};

static SINCE: Flag = Flag::text("since", None, "DURATION", "only what is younger, such as 1h30m");

static EXCLUDE: Flag = Flag::text("exclude", None, "NAMES", "without these [default: Event,PodMetrics]");

static FIELDS: Flag = Flag::text("field-selector", None, "SELECTOR", "only objects with these fields");

static COMMAND: Command = Command {
    name: "get-all",
    version: env!("CARGO_PKG_VERSION"),
    about: "Lists the objects of all resources, in a namespace or everywhere.",
    usage: &["[-n NAMESPACE] [--only-scope SCOPE] [-l SELECTOR]"],
    flags: &[&NAMESPACE, &ALL_NAMESPACES, &SCOPE, &SELECTOR, &FIELDS, &SINCE, &EXCLUDE, &NO_HEADERS, &OUTPUT],
    notes: "
Without -n it lists what is in all namespaces, and outside of them. --exclude
takes names of resources or kinds; `--exclude=` leaves nothing out. Only names
and ages are read, but for json and yaml, which print secrets as they are.
What may not be listed is named, and the exit code is 1 then.",
    complete: None,
};

fn main() {
    plugin_kit::main(&COMMAND, run)
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    arguments.exactly([])?;
    let choice = Choice::read(arguments)?;
    let cluster = Cluster::from_env()?;
    let discovery = Discovery::load(&cluster).of("resources")?;
    let mut resources: Vec<&Resource> =
        discovery.resources().iter().filter(|resource| choice.means(resource)).collect();
    resources.sort_by(|one, other| (&one.group, &one.name).cmp(&(&other.group, &other.name)));

    let mut missing = Missing::default();
    match arguments.value(&OUTPUT) {
        Some("json" | "yaml") => {
            let form = plugin_kit::Output::of(arguments);
            documents::print(&cluster, &choice, &resources, form, &mut missing)?;
        }
        output => {
            let names = output == Some("name");
            let headings = !arguments.has(&NO_HEADERS);
            listing::print(&cluster, &choice, &resources, names, headings, &mut missing)?;
        }
    }
    discovery.failures().iter().for_each(|failure| missing.add_line(failure));
    missing.report(COMMAND.name)
}
