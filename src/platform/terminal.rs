//! The controlling terminal, whatever the standard streams are. A user is asked there, since neither a pipe nor a
//! file can consent to anything.

use std::fs::File;
use std::io::{self, PipeReader, PipeWriter, Read, Write};

/// The longest line that is read, in bytes. A longer one is not an answer to anything.
const LONGEST: usize = 256;

/// The terminal by which the user controls this process.
pub(crate) struct Terminal {
    input: File,
    output: File,
}

/// A question that stands until this is dropped.
pub(crate) struct Standing(#[expect(dead_code, reason = "held, not written to")] PipeWriter);

/// The other side of a question, which is seen to be withdrawn.
#[cfg_attr(
    not(any(test, unix)),
    expect(dead_code, reason = "a console cannot be read and waited for at once")
)]
pub(crate) struct Withdrawal(PipeReader);

/// Returns both sides of a question.
pub(crate) fn question() -> io::Result<(Standing, Withdrawal)> {
    let (reader, writer) = io::pipe()?;
    Ok((Standing(writer), Withdrawal(reader)))
}

impl Terminal {
    /// Opens the terminal.
    ///
    /// # Errors
    /// If the process has none, or is in the background, where reading would stop it.
    #[cfg(unix)]
    pub(crate) fn open() -> io::Result<Self> {
        let output = File::options().read(true).write(true).open("/dev/tty")?;
        if rustix::termios::tcgetpgrp(&output)? != rustix::process::getpgrp() {
            return Err(io::Error::other("the process is in the background"));
        }
        Ok(Self { input: output.try_clone()?, output })
    }

    /// Opens the console.
    ///
    /// # Errors
    /// If the process has none.
    #[cfg(not(unix))]
    pub(crate) fn open() -> io::Result<Self> {
        let open = |name| File::options().read(true).write(true).open(name);
        Ok(Self { input: open("CONIN$")?, output: open("CONOUT$")? })
    }

    /// Returns the width in columns, if it is known.
    pub(crate) fn columns(&self) -> Option<usize> {
        terminal_size::terminal_size_of(&self.output).map(|(width, _)| usize::from(width.0))
    }

    /// Writes a text as it is.
    pub(crate) fn write(&mut self, text: &str) -> io::Result<()> {
        self.output.write_all(text.as_bytes())
    }

    /// Discards what was typed before the user could know the question.
    #[cfg(unix)]
    pub(crate) fn discard_input(&self) -> io::Result<()> {
        Ok(rustix::termios::tcflush(&self.input, rustix::termios::QueueSelector::IFlush)?)
    }

    /// Does nothing: the standard library has no such call for a console.
    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "the Unix twin's signature")]
    pub(crate) fn discard_input(&self) -> io::Result<()> {
        Ok(())
    }

    /// Reads a line without its end. Returns `None` if the terminal is closed, if the user ends the input, or if the
    /// question is withdrawn.
    #[cfg(unix)]
    pub(crate) fn line(&mut self, withdrawal: &Withdrawal) -> io::Result<Option<String>> {
        use rustix::event::{PollFd, PollFlags, poll};
        use rustix::io::Errno;
        let mut line = Vec::new();
        loop {
            let mut waiting =
                [PollFd::new(&self.input, PollFlags::IN), PollFd::new(&withdrawal.0, PollFlags::IN)];
            match poll(&mut waiting, None) {
                Err(Errno::INTR) => continue,
                result => result?,
            };
            // macOS does not wait for terminals, and reports an invalid one at once: then reading waits.
            if !waiting[1].revents().is_empty() {
                return Ok(None);
            }
            match read_some(&mut self.input, &mut line)? {
                Piece::Part => {}
                Piece::Line(line) => return Ok(Some(line)),
                Piece::End => return Ok(None),
            }
        }
    }

    /// Reads a line without its end. Returns `None` if the console is closed or the user ends the input. A
    /// withdrawn question ends with the line that is typed next.
    #[cfg(not(unix))]
    pub(crate) fn line(&mut self, _: &Withdrawal) -> io::Result<Option<String>> {
        let mut line = Vec::new();
        loop {
            match read_some(&mut self.input, &mut line)? {
                Piece::Part => {}
                Piece::Line(line) => return Ok(Some(line)),
                Piece::End => return Ok(None),
            }
        }
    }
}

/// The result of reading once.
#[derive(Debug, Eq, PartialEq)]
enum Piece {
    /// The line is not complete.
    Part,
    /// A line, without its end.
    Line(String),
    /// There is nothing more to read.
    End,
}

/// Reads what there is of a line.
fn read_some(input: &mut impl Read, line: &mut Vec<u8>) -> io::Result<Piece> {
    let mut bytes = [0; LONGEST];
    let length = match input.read(&mut bytes) {
        Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(Piece::Part),
        result => result?,
    };
    if length == 0 {
        return Ok(Piece::End);
    }
    line.extend_from_slice(&bytes[..length]);
    // A terminal that another program switched to single keys ends a line by a carriage return.
    let is_complete = line.contains(&b'\n') || line.contains(&b'\r') || line.len() > LONGEST;
    if !is_complete {
        return Ok(Piece::Part);
    }
    Ok(Piece::Line(String::from_utf8_lossy(line).trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[&str]) -> Option<String> {
        let mut line = Vec::new();
        for piece in pieces {
            match read_some(&mut piece.as_bytes(), &mut line).unwrap() {
                Piece::Part => {}
                Piece::Line(line) => return Some(line),
                Piece::End => return None,
            }
        }
        panic!("the line is not complete: {pieces:?}");
    }

    #[test]
    fn a_line_is_read_to_its_end_and_has_one() {
        assert_eq!(read(&["on", "ce\n"]).as_deref(), Some("once"));
        assert_eq!(read(&["once\r"]).as_deref(), Some("once"));
        assert_eq!(read(&["\n"]).as_deref(), Some(""));
        assert_eq!(read(&["on", ""]), None);
        assert!(read(&["x".repeat(LONGEST).as_str(), "y"]).unwrap().len() > LONGEST);
    }

    #[test]
    fn a_question_is_withdrawn_when_it_no_longer_stands() {
        let (standing, mut withdrawal) = question().unwrap();
        drop(standing);
        assert_eq!(withdrawal.0.read(&mut [0]).unwrap(), 0);
    }
}
