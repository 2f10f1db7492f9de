//! `kubectl resource-capacity`: what nodes have, what pods request of it, and what they use.

mod capacity;
mod document;
mod figures;
mod nodes;
mod order;
mod reading;
mod rows;
mod taints;

use kube_guest::Cluster;
use plugin_kit::{Arguments, Command, Failure, Flag, Output, Style, Value};
use std::io;

static PODS: Flag = Flag::switch("pods", Some('p'), "shows pods too");
static CONTAINERS: Flag = Flag::switch("containers", Some('c'), "shows pods and their containers too");
static UTIL: Flag = Flag::switch("util", Some('u'), "shows what is used (by metrics-server)");
static POD_COUNT: Flag = Flag::switch("pod-count", None, "shows the number of pods of each node");
static AVAILABLE: Flag = Flag::switch("available", Some('a'), "shows what is left instead of percentages");
static HIDE_REQUESTS: Flag = Flag::switch("hide-requests", None, "hides requests");
static HIDE_LIMITS: Flag = Flag::switch("hide-limits", None, "hides limits");
static NAMESPACE: Flag = Flag {
    long: "namespace",
    short: Some('n'),
    value: Value::Namespace,
    help: "only pods of this namespace [default: all]",
};
static POD_LABELS: Flag = Flag::text("pod-labels", Some('l'), "SELECTOR", "only pods with these labels");
static NODE_LABELS: Flag = Flag::text("node-labels", None, "SELECTOR", "only nodes with these labels");
static NAMESPACE_LABELS: Flag =
    Flag::text("namespace-labels", None, "SELECTOR", "only namespaces with these labels");
static NO_TAINT: Flag = Flag::switch("no-taint", None, "only nodes without taints");
static NODE_TAINTS: Flag =
    Flag::text("node-taints", Some('t'), "TAINTS", "only nodes with a taint, or (!) without it");
static SORT: Flag = Flag {
    long: "sort",
    short: None,
    value: Value::OneOf("ATTRIBUTE", order::ATTRIBUTES),
    help: "the greatest first, such as by cpu.request",
};
static OUTPUT: Flag = Flag {
    long: "output",
    short: Some('o'),
    value: Value::OneOf("FORMAT", &["table", "csv", "tsv", "json", "yaml"]),
    help: "table, csv, tsv, json or yaml",
};

static COMMAND: Command = Command {
    name: "resource-capacity",
    version: env!("CARGO_PKG_VERSION"),
    about: "Shows what nodes have, what pods request of it, and what they use.",
    usage: &["[-p | -c] [-u] [-n NAMESPACE] [-o FORMAT]"],
    flags: &[
        &PODS,
        &CONTAINERS,
        &UTIL,
        &POD_COUNT,
        &AVAILABLE,
        &HIDE_REQUESTS,
        &HIDE_LIMITS,
        &NAMESPACE,
        &POD_LABELS,
        &NODE_LABELS,
        &NAMESPACE_LABELS,
        &NO_TAINT,
        &NODE_TAINTS,
        &SORT,
        &OUTPUT,
    ],
    notes: "
--sort knows {cpu,mem}.{util,request,limit}, the same with .percentage,
pod.count and name.",
    complete: None,
};

/// What is shown.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Shown {
    pub(crate) pods: bool,
    pub(crate) containers: bool,
    pub(crate) all_namespaces: bool,
    pub(crate) requests: bool,
    pub(crate) limits: bool,
    pub(crate) used: bool,
    pub(crate) count: bool,
    /// What is left instead of percentages.
    pub(crate) available: bool,
}

fn main() {
    plugin_kit::main(&COMMAND, run)
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    arguments.exactly([])?;
    let wanted = reading::Wanted::of(arguments)?;
    let shown = Shown {
        pods: arguments.has(&PODS) || arguments.has(&CONTAINERS),
        containers: arguments.has(&CONTAINERS),
        all_namespaces: wanted.namespace.is_none(),
        requests: !arguments.has(&HIDE_REQUESTS),
        limits: !arguments.has(&HIDE_LIMITS),
        used: wanted.used,
        count: arguments.has(&POD_COUNT),
        available: arguments.has(&AVAILABLE),
    };
    let format = arguments.value(&OUTPUT).unwrap_or("table");
    if format == "table" && !(shown.requests || shown.limits || shown.used || shown.count) {
        return Err(Failure::usage("--hide-requests: nothing is left to show; add --util or --pod-count"));
    }
    let mut capacity = reading::read(&Cluster::from_env()?, &wanted)?;
    order::sort(&mut capacity, arguments.value(&SORT).unwrap_or("name"));
    if Output::of(arguments).print(&document::document(&capacity, shown))? {
        return Ok(());
    }
    let (style, mut out) = (Style::stdout(), io::BufWriter::new(io::stdout().lock()));
    match format {
        "csv" => rows::separated(&capacity, shown, (",", style), &mut out)?,
        "tsv" => rows::separated(&capacity, shown, ("\t", style), &mut out)?,
        _ => rows::table(&capacity, shown, style, &mut out)?,
    }
    Ok(io::Write::flush(&mut out)?)
}
