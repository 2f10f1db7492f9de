//! `kubectl timeline`: the events of a namespace in the order of time, and on request each new one as it happens. It
//! needs to list events, and for `--watch` to watch them.

mod api;
mod arguments;
mod event;
mod follow;
#[cfg(test)]
mod follow_tests;
mod ledger;
mod listing;
mod printer;
mod table;

use api::Events;
use arguments::{COMMAND, Wanted};
use event::{Event, Row};
use follow::Stop;
use kube_guest::{Cluster, Timestamp};
use plugin_kit::{Arguments, Explain, Failure, Output, Scope};
use printer::Printer;
use std::io::{self, BufWriter, Write};
use table::Table;

fn main() {
    plugin_kit::main(&COMMAND, run)
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    let wanted = Wanted::of(arguments)?;
    let cluster = Cluster::from_env()?;
    let scope = Scope::of(arguments, &cluster);
    let mut api = Events::new(cluster, scope.namespace())?;
    let (mut events, version) = listing::list(&mut api).of("events")?;
    let now = Timestamp::now();
    let first = wanted.since.map(|since| Timestamp::from_seconds(now.seconds().saturating_sub(since)));
    let table = Table::new(scope.namespace().is_none(), wanted.age);
    let out = BufWriter::with_capacity(64 * 1024, io::stdout().lock());
    if wanted.watch {
        let printer = match wanted.output {
            Output::Table => Printer::Table(table),
            Output::Json => Printer::Json,
            Output::Yaml => Printer::Yaml,
        };
        return Err(match follow::follow(&mut api, (events, version), first, printer, out) {
            Stop::Output(error) => Failure::Output(error),
            Stop::Why(why) => Failure::message(why),
        });
    }
    events.retain(|event| event.is_since(first));
    print(&events, now, wanted.output, table, out)?;
    if events.is_empty() && wanted.output == Output::Table {
        eprintln!("no events in {}", scope.words());
    }
    Ok(())
}

fn print(
    events: &[Event],
    now: Timestamp,
    output: Output,
    mut table: Table,
    mut out: impl Write,
) -> Result<(), Failure> {
    match output {
        Output::Table => {
            table.fit(events, now);
            for event in events {
                table.print(event, now, &mut out)?;
            }
        }
        Output::Json => out.write_all(plugin_kit::json(&rows(events))?.as_bytes())?,
        Output::Yaml => out.write_all(plugin_kit::yaml(&rows(events))?.as_bytes())?,
    }
    Ok(out.flush()?)
}

fn rows(events: &[Event]) -> Vec<Row<'_>> {
    events.iter().map(Row::of).collect()
}
