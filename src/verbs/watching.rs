//! The lines of `-v`: one for each request when it has ended.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::gate::{Ending, Observer, Trace};
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

    /// Returns an observer that reports each request.
    pub(super) fn observer(&self) -> Observer {
        let lines = self.clone();
        Arc::new(move |trace| {
            lines.say(text(trace));
            Ok(())
        })
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
