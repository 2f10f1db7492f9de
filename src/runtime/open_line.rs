//! Tracks whether a guest left a line unfinished where kwasm writes too, so that kwasm's next message begins
//! on a line of its own.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// A stream to which a guest writes lines.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub(super) enum Writer {
    Stdout = 1,
    Stderr = 2,
}

/// The stream with an unfinished line, if any: the last one that was written to.
#[derive(Clone, Default)]
pub struct OpenLine(Arc<AtomicU8>);

impl OpenLine {
    /// Records written bytes.
    pub(super) fn note(&self, writer: Writer, bytes: &[u8]) {
        match bytes.last() {
            None => {}
            Some(b'\n') if writer == Writer::Stderr => self.0.store(0, Ordering::Relaxed),
            // Where the two are not the same, it does not end the other's line.
            Some(b'\n') => {
                let own = Writer::Stdout as u8;
                // That it is another's is not an error.
                let _ = self.0.compare_exchange(own, 0, Ordering::Relaxed, Ordering::Relaxed);
            }
            Some(_) => self.0.store(writer as u8, Ordering::Relaxed),
        }
    }

    /// Returns whether a line has to be ended before writing to stderr. From then on, it counts as ended.
    #[must_use]
    pub fn close(&self) -> bool {
        let open = self.0.swap(0, Ordering::Relaxed);
        let on_one_terminal = || io::stdout().is_terminal() && io::stderr().is_terminal();
        open == Writer::Stderr as u8 || open == Writer::Stdout as u8 && on_one_terminal()
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
}
