//! What happened at the gate that the user should know of when the run is over.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::defence::Defence;
use crate::policy::{Limit, Reason, Refusal};

/// One thing to say, with what helps.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Line {
    /// What happened, e.g. `refused: GET https://example.com/: …`.
    pub text: String,
    /// What helps.
    pub hint: Option<String>,
}

/// Distinct lines, in the order they came, and whether there were more than are kept.
#[derive(Default)]
pub(super) struct Journal(Mutex<(Vec<Line>, bool)>);

/// A hostile guest can think of any number of distinct requests: more lines than this tell nobody more.
const KEPT: usize = 20;

impl Journal {
    pub(super) fn refused(&self, refusal: &Refusal) {
        match refusal.reason() {
            // One line for all of them, whatever was asked.
            Reason::Limit(limit) => self.limited(limit),
            _ => self.add(Line { text: format!("refused: {refusal}"), hint: refusal.hint() }),
        }
    }

    pub(super) fn limited(&self, limit: &Limit) {
        self.add(Line { text: format!("the plugin ran into a limit: {limit}"), hint: limit.hint() });
    }

    pub(super) fn failed(&self, line: Line) {
        self.add(line);
    }

    pub(super) fn lines(&self) -> Vec<Line> {
        let (mut lines, left_out) = self.locked().clone();
        if left_out {
            lines.push(Line { text: format!("and more: these are the first {KEPT}"), hint: None });
        }
        lines
    }

    fn add(&self, line: Line) {
        let (lines, left_out) = &mut *self.locked();
        if lines.contains(&line) {
            return;
        }
        if Defence::JournalLimit.passes(lines.len() < KEPT) { lines.push(line) } else { *left_out = true }
    }

    fn locked(&self) -> MutexGuard<'_, (Vec<Line>, bool)> {
        // A list of lines cannot be left half-changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_kept_once_and_their_number_has_an_end() {
        let journal = Journal::default();
        for number in 0..100 {
            for _ in 0..2 {
                journal.failed(Line { text: number.to_string(), hint: None });
            }
        }
        let lines = journal.lines();
        assert_eq!(lines.len(), KEPT + 1);
        assert_eq!(lines.last().unwrap().text, "and more: these are the first 20");
    }
}
