//! The events at the gate that are reported to the user at the end of the run.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::defence::Defence;
use crate::message::{Explain, Message};
use crate::policy::{Limit, Reason, Refusal};

/// Distinct lines in the order of their occurrence, and whether there were more than are kept.
#[derive(Default)]
pub(super) struct Journal(Mutex<(Vec<Message>, bool)>);

/// The largest number of lines. A hostile guest can make any number of distinct requests, and more lines
/// would not help anyone.
const KEPT: usize = 20;

impl Journal {
    pub(super) fn refused(&self, refusal: &Refusal) {
        match refusal.reason() {
            // One line for all of them, whatever the requests.
            Reason::Limit(limit) => self.limited(limit),
            // The reason for all of them is reported by itself.
            Reason::Unrecorded => {}
            _ => self.add(refusal.message().about("refused")),
        }
    }

    pub(super) fn limited(&self, limit: &Limit) {
        self.add(limit.report());
    }

    pub(super) fn failed(&self, line: Message) {
        self.add(line);
    }

    pub(super) fn lines(&self) -> Vec<Message> {
        let (mut lines, left_out) = self.locked().clone();
        if left_out {
            lines.push(Message::plain(format!("and more: these are the first {KEPT}")));
        }
        lines
    }

    fn add(&self, line: Message) {
        let (lines, left_out) = &mut *self.locked();
        if lines.contains(&line) {
            return;
        }
        if Defence::JournalLimit.passes(lines.len() < KEPT) { lines.push(line) } else { *left_out = true }
    }

    fn locked(&self) -> MutexGuard<'_, (Vec<Message>, bool)> {
        // A list of lines cannot be left half-changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
                journal.failed(Message::plain(number.to_string()));
            }
        }
        let lines = journal.lines();
        assert_eq!(lines.len(), KEPT + 1);
        assert_eq!(lines.last().unwrap().text, "and more: these are the first 20");
    }
}
