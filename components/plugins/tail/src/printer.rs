//! The output: whole lines, many at a time.

use crate::json::write_message;
use crate::options::Lines;
use crate::position::{self, Position};
use crate::splitter::Part;
use crate::template::Line;
use crate::terminal;
use plugin_kit::{Colour, Style};
use std::io::{self, Write};

/// The size from which on the output is written.
const FULL: usize = 64 * 1024;

/// Prints the lines that are wanted, and notes about them on standard error.
#[derive(Debug)]
pub(crate) struct Printer<'a> {
    lines: &'a Lines,
    style: Style,
    notes: bool,
    buffer: Vec<u8>,
    /// A message with its time.
    timed: Vec<u8>,
}

impl<'a> Printer<'a> {
    pub(crate) fn new(lines: &'a Lines, style: Style, notes: bool) -> Self {
        Self { lines, style, notes, buffer: Vec::with_capacity(FULL + 8 * 1024), timed: Vec::new() }
    }

    /// Takes a line of a log, or a part of one. `skipped` is whether the parts of the current line are not wanted. Returns
    /// whether it is new.
    pub(crate) fn take(
        &mut self,
        (part, bytes): (Part, &[u8]),
        position: &mut Position,
        skipped: &mut bool,
        line: &Line,
    ) -> bool {
        let (time, message) = match part {
            Part::Start => position::split(bytes),
            Part::Rest if *skipped => return false,
            Part::Rest => (None, bytes),
        };
        if part == Part::Start {
            let new = time.is_none_or(|time| position.is_new(time));
            let Lines { include, exclude, .. } = self.lines;
            *skipped =
                !new || exclude.match_any(message) || !(include.is_empty() || include.match_any(message));
            if *skipped {
                return new;
            }
        }
        match time.filter(|_| self.lines.timestamps) {
            None => self.write(message, line),
            Some(time) => {
                let mut timed = std::mem::take(&mut self.timed);
                timed.clear();
                timed.extend_from_slice(time.as_bytes());
                timed.push(b' ');
                timed.extend_from_slice(message);
                self.write(&timed, line);
                self.timed = timed;
            }
        }
        true
    }

    fn write(&mut self, message: &[u8], line: &Line) {
        if self.style.terminal {
            let shown = terminal::message(message, self.style, self.lines.marks.as_ref());
            write_message(line, message, &shown, &mut self.buffer);
        } else {
            write_message(line, message, message, &mut self.buffer);
        }
    }

    /// Returns whether it is time to write.
    pub(crate) fn is_full(&self) -> bool {
        self.buffer.len() >= FULL
    }

    /// Writes what was taken.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let mut out = io::stdout().lock();
        out.write_all(&self.buffer)?;
        out.flush()?;
        self.buffer.clear();
        self.buffer.shrink_to(2 * FULL);
        Ok(())
    }

    /// Notes on standard error that a log begins (`+`) or ends (`-`).
    pub(crate) fn note(&mut self, sign: &str, label: &str) -> io::Result<()> {
        if !self.notes {
            return Ok(());
        }
        let colour = if sign == "+" { Colour::Good } else { Colour::Bad };
        self.say(&format!("{} {label}", self.style.paint(colour, sign)))
    }

    /// Writes a line to standard error, after all lines before it.
    pub(crate) fn say(&mut self, text: &str) -> io::Result<()> {
        self.flush()?;
        // Nobody reads it, perhaps; the logs matter more.
        drop(writeln!(io::stderr(), "{text}"));
        Ok(())
    }
}
