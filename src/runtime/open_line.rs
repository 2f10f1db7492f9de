//! Who may write to the terminal: tracks whether a guest left a line unfinished where kwasm writes too, so that
//! kwasm's next message begins on a line of its own, and keeps a guest silent while the user is asked.

use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A stream to which a guest writes lines.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub(super) enum Writer {
    Stdout = 1,
    Stderr = 2,
}

/// The stream with an unfinished line, if any: the last one that was written to.
#[derive(Clone, Default)]
pub struct OpenLine(Arc<Shared>);

#[derive(Default)]
struct Shared {
    open: AtomicU8,
    /// Whether the user may be asked. Only then a guest takes turns.
    takes_turns: AtomicBool,
    /// Whether kwasm has the terminal now.
    held: AtomicBool,
    turn: Mutex<()>,
}

/// A turn at the terminal. Others wait until it is dropped.
pub struct Turn<'a> {
    shared: &'a Shared,
    _turn: MutexGuard<'a, ()>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.shared.held.store(false, Ordering::Release);
    }
}

impl OpenLine {
    /// Records written bytes.
    pub(super) fn note(&self, writer: Writer, bytes: &[u8]) {
        let open = &self.0.open;
        match bytes.last() {
            None => {}
            Some(b'\n') if writer == Writer::Stderr => open.store(0, Ordering::Relaxed),
            // Where the two are not the same, it does not end the other's line.
            Some(b'\n') => {
                let own = Writer::Stdout as u8;
                // That it is another's is not an error.
                let _ = open.compare_exchange(own, 0, Ordering::Relaxed, Ordering::Relaxed);
            }
            Some(_) => open.store(writer as u8, Ordering::Relaxed),
        }
    }

    /// Returns whether a line has to be ended before writing to stderr. From then on, it counts as ended.
    #[must_use]
    pub fn close(&self) -> bool {
        let open = self.0.open.swap(0, Ordering::Relaxed);
        let on_one_terminal = || io::stdout().is_terminal() && io::stderr().is_terminal();
        open == Writer::Stderr as u8 || open == Writer::Stdout as u8 && on_one_terminal()
    }

    /// Returns whether a line has to be ended before writing to the terminal. From then on, it counts as ended.
    #[must_use]
    pub fn close_at_terminal(&self) -> bool {
        let open = self.0.open.load(Ordering::Relaxed);
        let is_there = open == Writer::Stderr as u8 && io::stderr().is_terminal()
            || open == Writer::Stdout as u8 && io::stdout().is_terminal();
        if is_there {
            self.0.open.store(0, Ordering::Relaxed);
        }
        is_there
    }

    /// Records that kwasm has left a line unfinished at the terminal, if stderr leads there.
    pub fn leave_open(&self) {
        if io::stderr().is_terminal() {
            self.0.open.store(Writer::Stderr as u8, Ordering::Relaxed);
        }
    }

    /// Makes the guest take turns at the terminal from now on.
    pub fn share(&self) {
        self.0.takes_turns.store(true, Ordering::Release);
    }

    /// Takes the terminal, after the guest's write that is under way. Until the turn ends, the guest can neither
    /// write there, over the question or below it, nor read there what the user answers.
    #[must_use]
    pub fn hold(&self) -> Turn<'_> {
        let turn = Turn { shared: &self.0, _turn: self.locked() };
        self.0.held.store(true, Ordering::Release);
        turn
    }

    /// Returns whether kwasm has the terminal, so that its own lines have to wait too.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.0.held.load(Ordering::Acquire)
    }

    /// Takes a turn for the guest. `None`: the user is never asked, or the stream is not a terminal.
    pub(super) fn turn(&self, is_terminal: impl FnOnce() -> bool) -> Option<MutexGuard<'_, ()>> {
        let is_shared = self.0.takes_turns.load(Ordering::Acquire);
        (is_shared && is_terminal()).then(|| self.locked())
    }

    fn locked(&self) -> MutexGuard<'_, ()> {
        // It guards no data.
        self.0.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_open_until_its_writer_ends_it() {
        let line = OpenLine::default();
        assert!(!line.close());
        line.note(Writer::Stderr, b"a\nb");
        line.note(Writer::Stderr, b"");
        assert!(line.close());
        assert!(!line.close());
        line.note(Writer::Stderr, b"b");
        // Of another stream, which may be a file.
        line.note(Writer::Stdout, b"c\n");
        assert!(line.close());
        line.note(Writer::Stderr, b"b");
        line.note(Writer::Stderr, b"c\n");
        assert!(!line.close());
    }

    #[test]
    fn a_guest_waits_for_its_turn_only_where_the_user_may_be_asked() {
        let line = OpenLine::default();
        assert!(line.turn(|| true).is_none());
        line.share();
        assert!(line.turn(|| false).is_none());
        assert!(line.turn(|| true).is_some());
        let turn = line.hold();
        assert!(line.is_held() && line.0.turn.try_lock().is_err());
        drop(turn);
        assert!(!line.is_held() && line.turn(|| true).is_some());
    }
}
