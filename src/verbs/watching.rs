//! The lines of `-v`: one for each request when it has ended, and with `-vv` its headers below.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::cli::Verbosity;
use crate::gate::{Ending, Exchange, Observer, Trace};
use crate::runtime::OpenLine;

use super::Reporter;

/// The largest number of lines that wait for the end of a question.
const WAITING: usize = 1000;

/// Lines about requests. Each begins on a line of its own, and waits while the user is asked something.
#[derive(Clone)]
pub(super) struct Lines {
    reporter: Reporter,
    line: OpenLine,
    waiting: Arc<Mutex<Vec<String>>>,
}

impl Lines {
    pub(super) fn new(reporter: Reporter, line: OpenLine) -> Self {
        Self { reporter, line, waiting: Arc::default() }
    }

    /// Returns an observer that reports each request, or `None` if the user does not want that.
    pub(super) fn observer(&self, verbosity: Verbosity) -> Option<Observer> {
        if verbosity < Verbosity::Requests {
            return None;
        }
        let lines = self.clone();
        Some(Arc::new(move |trace| {
            lines.say(text(trace));
            if verbosity >= Verbosity::Headers {
                for line in heads(&trace.exchange, &trace.ending) {
                    lines.say(line);
                }
            }
            Ok(())
        }))
    }

    /// Reports what has waited.
    pub(super) fn flush(&self) {
        for text in mem::take(&mut *self.waiting()) {
            self.print(&text);
        }
    }

    fn say(&self, text: String) {
        if self.line.is_held() {
            let mut waiting = self.waiting();
            if waiting.len() < WAITING {
                waiting.push(text);
            }
            return;
        }
        self.flush();
        self.print(&text);
    }

    fn print(&self, text: &str) {
        if self.line.close() {
            Reporter::end_line();
        }
        self.reporter.note(text);
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<String>> {
        // A list of lines cannot be left half-changed.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn text(Trace { request, ending, time, .. }: &Trace) -> String {
    let milliseconds = time.as_millis();
    match ending {
        Ending::Answered { status, bytes } => {
            let status = status.as_u16();
            format!("allowed: {request}: {status}, {bytes} bytes, {milliseconds} ms")
        }
        Ending::Failed => format!("allowed: {request}: no answer, {milliseconds} ms"),
        Ending::Refused(_) => format!("refused: {request}"),
    }
}

/// Returns the lines about the heads of a request and its answer, in curl's notation.
fn heads(Exchange { request, sent, response }: &Exchange, ending: &Ending) -> Vec<String> {
    let mut lines: Vec<String> = request.lines().iter().map(|line| format!("  > {line}")).collect();
    if let Ending::Refused(_) = ending {
        return lines;
    }
    lines.push(format!("  > ({sent} bytes)"));
    if let (Some(response), Ending::Answered { bytes, .. }) = (response, ending) {
        lines.extend(response.lines().iter().map(|line| format!("  < {line}")));
        lines.push(format!("  < ({bytes} bytes)"));
    }
    lines
}
