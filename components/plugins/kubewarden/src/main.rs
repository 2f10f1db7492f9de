//! `kubectl kubewarden events`: what the policies of Kubewarden rejected, by the events that its audit and its policy servers
//! leave.

mod event;
mod layout;

use event::{Event, Row};
use kube_guest::{Cluster, Path, Timestamp, for_terminal_line};
use plugin_kit::{
    ALL_NAMESPACES, Arguments, Command, Explain, Failure, NAMESPACE, NO_HEADERS, OUTPUT, Output, Style,
};
use std::io::{self, BufWriter, Write};

/// The reason that events of rejections have.
const REASON: &str = "reason=ValidationRejection";

static COMMAND: Command = Command {
    name: "kubewarden",
    version: env!("CARGO_PKG_VERSION"),
    about: "Shows what the policies of Kubewarden rejected.",
    usage: &["events [-n NAMESPACE] [-o json|yaml]"],
    flags: &[&NAMESPACE, &ALL_NAMESPACES, &OUTPUT, &NO_HEADERS],
    notes: "Without -n the events of all namespaces are shown, sorted by when they were last\nseen.",
    complete: Some(complete),
};

fn main() {
    plugin_kit::main(&COMMAND, run)
}

#[expect(clippy::unnecessary_wraps, reason = "completions that ask the cluster may fail")]
fn complete(_: &Cluster, arguments: &Arguments) -> Result<Vec<String>, kube_guest::Error> {
    let first = arguments.words().is_empty();
    Ok(if first { vec!["events\tshow what was rejected".to_owned()] } else { Vec::new() })
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    let [command] = arguments.exactly(["events"])?;
    if command != "events" {
        return Err(Failure::usage(format!("{}: the only command is `events`", for_terminal_line(command))));
    }
    let namespace =
        arguments.value(&NAMESPACE).filter(|name| !name.is_empty() && !arguments.has(&ALL_NAMESPACES));
    let rows = rejected(namespace)?;
    if Output::of(arguments).print(&rows)? {
        return Ok(());
    }
    let mut out = BufWriter::new(io::stdout().lock());
    layout::print(&rows, Timestamp::now(), !arguments.has(&NO_HEADERS), Style::stdout(), &mut out)?;
    Ok(out.flush()?)
}

/// Returns the events of a namespace, or of all, the last seen last.
fn rejected(namespace: Option<&str>) -> Result<Vec<Row>, Failure> {
    let cluster = Cluster::from_env()?;
    let path = match namespace {
        Some(namespace) => Path::new(["api", "v1", "namespaces", namespace, "events"])?,
        None => Path::new(["api", "v1", "events"])?,
    };
    let events = cluster.list::<Event>(path.query("fieldSelector", REASON)).of("events")?;
    let mut rows: Vec<Row> = events.items.into_iter().map(Row::from).collect();
    rows.sort_by_cached_key(Row::last);
    Ok(rows)
}
