//! Lists, then watches, for as long as the user likes.

use crate::api::{Api, Watch};
use crate::event::{Change, Event};
use crate::ledger::Ledger;
use crate::listing;
use crate::printer::Printer;
use kube_guest::{Error, Timestamp, for_terminal_line};
use std::io::{self, Write};
use std::time::Duration;

/// A watch that ended sooner, and brought nothing, ended "immediately".
const IMMEDIATELY: Duration = Duration::from_secs(1);

/// The number of such ends in a row that are accepted without a pause.
const PATIENCE: u32 = 2;

/// The longest pause between two attempts.
const LONGEST: Duration = Duration::from_secs(30);

/// The number of failures in a row that are an error.
const FAILURES: u32 = 6;

/// The reason why the timeline ends before the user ends it.
#[derive(Debug)]
pub(crate) enum Stop {
    Output(io::Error),
    /// One line, `what: why`.
    Why(String),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// Prints the events of a list, but none older than `first`, and all later events as they arrive. It returns
/// only if it cannot continue.
pub(crate) fn follow<A: Api, W: Write>(
    api: &mut A,
    (events, version): (Vec<Event>, String),
    first: Option<Timestamp>,
    printer: Printer,
    out: W,
) -> Stop {
    let mut timeline = Timeline { printer, ledger: Ledger::default(), first, out };
    match timeline.run(api, events, version) {
        Err(stop) => stop,
        Ok(never) => match never {},
    }
}

enum Never {}

/// The ending of a watch.
enum End {
    /// By itself; it is resumed from where it was.
    Over,
    /// The cluster no longer knows the following events: list again.
    Expired,
    /// The watch could not be started.
    Failed(Error),
}

struct Timeline<W> {
    printer: Printer,
    ledger: Ledger,
    first: Option<Timestamp>,
    out: W,
}

impl<W: Write> Timeline<W> {
    fn run<A: Api>(&mut self, api: &mut A, events: Vec<Event>, version: String) -> Result<Never, Stop> {
        self.print_list(api, events)?;
        let mut version = version;
        let (mut ends, mut failures) = (0_u32, 0_u32);
        loop {
            let began = api.elapsed();
            let (end, brought) = self.watch(api, &mut version)?;
            let (end, brought) = match end {
                End::Expired => match listing::list(api) {
                    Ok((events, listed)) => {
                        version = listed;
                        (End::Expired, self.print_list(api, events)? || brought)
                    }
                    Err(error) => (retriable(error)?, brought),
                },
                other => (other, brought),
            };
            let immediate = !brought && api.elapsed().saturating_sub(began) < IMMEDIATELY;
            ends = if immediate { ends + 1 } else { 0 };
            failures = match end {
                End::Failed(error) if failures + 1 >= FAILURES => return Err(why(&error)),
                End::Failed(_) => failures + 1,
                End::Over | End::Expired => 0,
            };
            // A failure is worth a pause at once: it has shown that something is wrong.
            let step = ends.saturating_sub(PATIENCE).max(failures);
            if step > 0 {
                api.pause(Duration::from_secs(1 << (step - 1).min(5)).min(LONGEST));
            }
        }
    }

    /// Prints the new events of a list, and returns whether there were any.
    fn print_list(&mut self, api: &impl Api, events: Vec<Event>) -> Result<bool, Stop> {
        self.ledger.keep_only(&events);
        // Events too old to print are recorded too, since the next list would otherwise show them as new.
        let mut new: Vec<Event> = events.into_iter().filter(|event| self.ledger.note(event)).collect();
        new.retain(|event| event.is_since(self.first));
        self.printer.fit(&new, api.now());
        for event in &new {
            self.printer.print(event, api.now(), &mut self.out)?;
        }
        self.out.flush()?;
        Ok(!new.is_empty())
    }

    /// Watches until the watch ends; the second value is whether there were new events.
    fn watch(&mut self, api: &mut impl Api, version: &mut String) -> Result<(End, bool), Stop> {
        let mut brought = false;
        let mut watch = match api.watch(version) {
            Ok(watch) => watch,
            Err(error) if error.status() == Some(410) => return Ok((End::Expired, brought)),
            Err(error) => return Ok((retriable(error)?, brought)),
        };
        loop {
            if !watch.is_ready() {
                self.out.flush()?;
            }
            let change = match watch.next_line() {
                Ok(Some(b"")) => continue,
                Ok(Some(line)) => match serde_json::from_slice(line) {
                    Ok(change) => change,
                    Err(error) => {
                        let why = format!("watch: broken line: {}", for_terminal_line(&error.to_string()));
                        // A proxy that gives up may cut a line in two: the other half comes with the next watch.
                        return if watch.cut_off() { Ok((End::Over, brought)) } else { Err(Stop::Why(why)) };
                    }
                },
                // A broken connection is an end as well: nothing is lost, since `version` is the last printed
                // one.
                Ok(None) | Err(_) => return Ok((End::Over, brought)),
            };
            let event = match change {
                Change::Added(event) | Change::Modified(event) => {
                    if self.ledger.note(&event) {
                        brought = true;
                        self.printer.print(&event, api.now(), &mut self.out)?;
                    }
                    event
                }
                Change::Deleted(event) => {
                    self.ledger.forget(&event);
                    event
                }
                Change::Bookmark(event) => event,
                Change::Error(status) if status.code == 410 => return Ok((End::Expired, brought)),
                Change::Error(status) => return Err(Stop::Why(format!("watch: {status}"))),
            };
            if !event.metadata.resource_version.is_empty() {
                *version = event.metadata.resource_version;
            }
        }
    }
}

/// Returns a failure that may pass, or the error that ends the timeline.
fn retriable(error: Error) -> Result<End, Stop> {
    let passing = match &error {
        Error::Status(status) => status.code == 429 || status.code >= 500,
        Error::Transport(transport) => !transport.is_denied(),
        _ => false,
    };
    if passing { Ok(End::Failed(error)) } else { Err(why(&error)) }
}

fn why(error: &Error) -> Stop {
    Stop::Why(format!("watch: {error}"))
}
