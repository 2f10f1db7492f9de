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
mod table;

use api::Events;
use arguments::{Command, Scope, Wanted};
use event::Event;
use follow::Stop;
use kube_guest::{Cluster, Timestamp, for_terminal_line};
use std::io::{self, BufWriter, Write};
use table::Table;

fn main() {
    let stop = match arguments::parse(std::env::args().skip(1)) {
        Ok(Command::Help) => {
            io::stdout().write_all(format!("{}\n", arguments::HELP).as_bytes()).map_err(Stop::Output)
        }
        Ok(Command::Version) => {
            writeln!(io::stdout(), "timeline {}", env!("CARGO_PKG_VERSION")).map_err(Stop::Output)
        }
        Ok(Command::Show(wanted)) => show(&wanted),
        Err(why) => fail(&format!("{}\n{}", for_terminal_line(&why), arguments::USAGE), 2),
    };
    match stop {
        Ok(()) => kube_guest::finish("timeline", Ok(())),
        Err(Stop::Output(error)) => kube_guest::finish("timeline", Err(error)),
        Err(Stop::Why(why)) => fail(&why, 1),
    }
}

fn show(wanted: &Wanted) -> Result<(), Stop> {
    let why = |error: kube_guest::Error| Stop::Why(error.to_string());
    let cluster = Cluster::from_env().map_err(why)?;
    let namespace = match &wanted.scope {
        Scope::AllNamespaces => None,
        Scope::Namespace(namespace) => Some(namespace.clone()),
        Scope::ContextsNamespace => Some(cluster.namespace().to_owned()),
    };
    let mut api = Events::new(cluster, namespace.as_deref()).map_err(why)?;
    let (mut events, version) =
        listing::list(&mut api).map_err(|error| Stop::Why(format!("events: {error}")))?;
    let now = Timestamp::now();
    let first = wanted.since.map(|since| Timestamp::from_seconds(now.seconds().saturating_sub(since)));
    let table = Table::new(namespace.is_none(), wanted.age);
    let out = BufWriter::with_capacity(64 * 1024, io::stdout().lock());
    if wanted.watch {
        return Err(follow::follow(&mut api, (events, version), first, table, out));
    }
    events.retain(|event| event.is_since(first));
    if events.is_empty() {
        eprintln!(
            "no events in {}",
            namespace.map_or("the cluster".to_owned(), |name| format!("namespace `{name}`"))
        );
    }
    print(&events, now, table, out).map_err(Stop::Output)
}

fn print(events: &[Event], now: Timestamp, mut table: Table, mut out: impl Write) -> io::Result<()> {
    table.fit(events, now);
    for event in events {
        table.print(event, now, &mut out)?;
    }
    out.flush()
}

fn fail(why: &str, code: u8) -> ! {
    eprintln!("timeline: {why}");
    kube_guest::exit(code)
}
