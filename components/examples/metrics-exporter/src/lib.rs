//! `kwasm serve metrics-exporter.wasm`: what there is in a cluster, as numbers in the format of `OpenMetrics` at `/metrics`.
//!
//! The objects are listed when the numbers are asked for, page by page, and nothing is kept between two scrapes: what a scrape
//! costs the API server is a list of pods, of deployments and of nodes.

mod collect;
mod metrics;

use collect::Collected;
use kube_guest::Cluster;
use plugin_kit::{Arguments, Command, Failure, Flag};
use serve_kit::{Answer, Request, Serve};

/// The media type of the format, with its version.
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The most numbers of one answer, if nothing else is said.
const MOST: usize = 10_000;

static MAX_SERIES: Flag = Flag::text(
    "max-series",
    None,
    "NUMBER",
    "answers with an error instead of more numbers [default: 10000]",
);

static COMMAND: Command = Command {
    name: "metrics-exporter",
    version: env!("CARGO_PKG_VERSION"),
    about: "Exports numbers of the cluster's pods, deployments and nodes.",
    usage: &["[--max-series NUMBER]"],
    flags: &[&MAX_SERIES],
    notes: "",
    complete: None,
};

struct Exporter;

impl Serve for Exporter {
    fn serve(request: &Request, answer: Answer) {
        match (&*request.method(), request.path()) {
            ("GET", "/metrics") => match metrics() {
                Ok(text) => answer.whole(200, &[("content-type", OPENMETRICS)], text.as_bytes()),
                Err(why) => {
                    eprintln!("metrics-exporter: {why}");
                    answer.text(503, &format!("{why}\n"));
                }
            },
            (_, "/metrics") => answer.text(405, "metrics are read by GET\n"),
            _ => answer.text(404, "there is nothing but /metrics\n"),
        }
    }
}

serve_kit::export!(Exporter);

fn metrics() -> Result<String, Failure> {
    let arguments = Arguments::of(&COMMAND)?;
    arguments.exactly([])?;
    let most = arguments.parsed(&MAX_SERIES, "a number")?.unwrap_or(MOST);
    let collected = Collected::of(&Cluster::from_env()?)?;
    for (resource, why) in collected.failures() {
        eprintln!("metrics-exporter: {resource}: {why}");
    }
    if collected.failures().count() == collect::RESOURCES.len() {
        return Err(Failure::message("nothing could be listed: stderr says why"));
    }
    let series = collected.series();
    if series > most {
        return Err(Failure::message(format!("there are {series} numbers, and --max-series is {most}")));
    }
    metrics::text(&collected).map_err(|_| Failure::message("the numbers could not be written"))
}
