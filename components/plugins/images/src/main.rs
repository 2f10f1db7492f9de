//! `kubectl images`: which container images are in use.

mod columns;
mod image;
mod nodes;
mod printing;

use columns::Columns;
use image::{Image, Pod};
use kube_guest::{Cluster, Error, List, Path};
use plugin_kit::{
    ALL_NAMESPACES, Arguments, Command, Explain, Failure, Flag, Missing, NAMESPACE, NO_HEADERS, OUTPUT,
    SELECTOR, Scope,
};
use regex_lite::Regex;

static COLUMNS: Flag =
    Flag::text("columns", Some('c'), "NUMBERS", "the columns [default: 1,2,3; -A: 0,1,2,3]");

static UNIQUE: Flag = Flag::switch("unique", Some('u'), "each container and image of a namespace once");

static COMMAND: Command = Command {
    name: "images",
    version: env!("CARGO_PKG_VERSION"),
    about: "Shows the container images of pods.",
    usage: &["[REGEX] [-n NAMESPACE | -A] [-c 0,1,2,3,4,5] [-u]"],
    flags: &[&NAMESPACE, &ALL_NAMESPACES, &SELECTOR, &COLUMNS, &UNIQUE, &NO_HEADERS, &OUTPUT],
    notes: "
REGEX selects pods by their names. The columns are 0 namespace, 1 pod,
2 container, 3 image, 4 pull policy, 5 the size that nodes report of the image,
for which the nodes are read. Rows that look the same are shown once.",
    complete: None,
};

fn main() {
    plugin_kit::main(&COMMAND, run)
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    let name = match arguments.words() {
        [] => None,
        _ => Some(pattern(arguments.exactly(["REGEX"])?[0])?),
    };
    let cluster = Cluster::from_env()?;
    let scope = Scope::of(arguments, &cluster);
    let columns = Columns::read(arguments.value(&COLUMNS), scope == Scope::All)?;
    let mut missing = Missing::default();

    // Nodes are asked for beside the pods.
    let nodes = columns.need_sizes().then(|| nodes::begin(&cluster)).transpose()?;
    let pods: List<Pod> = cluster.list(pods(&scope, arguments)?).of("pods")?;
    let mut images: Vec<Image> = Vec::with_capacity(pods.items.len() * 2);
    for pod in pods.items {
        if name.as_ref().is_none_or(|name| name.is_match(pod.name())) {
            pod.add_to(&mut images);
        }
    }
    if let Some(nodes) = nodes {
        match nodes.finish_one() {
            Ok(nodes) => nodes::set_sizes(&mut images, nodes.items),
            Err(error) => missing.add("nodes", &error),
        }
    }
    if arguments.has(&UNIQUE) {
        image::keep_different(&mut images);
    }
    printing::print(arguments, &columns, &images)?;
    missing.report(COMMAND.name)
}

fn pattern(text: &str) -> Result<Regex, Failure> {
    let bad = |error| {
        Failure::usage(format!("{}: no regular expression: {error}", kube_guest::for_terminal_line(text)))
    };
    Regex::new(text).map_err(bad)
}

fn pods(scope: &Scope, arguments: &Arguments) -> Result<Path, Error> {
    let path = match scope.namespace() {
        Some(namespace) => Path::new(["api", "v1", "namespaces", namespace, "pods"])?,
        None => Path::new(["api", "v1", "pods"])?,
    };
    Ok(match arguments.value(&SELECTOR) {
        Some(selector) => path.query("labelSelector", selector),
        None => path,
    })
}
