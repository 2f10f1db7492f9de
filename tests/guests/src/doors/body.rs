//! The body of an answer: in chunks, or of a length that its head says (RFC 9112 §6.3).

use crate::doors::connection::{Connection, Head};
use std::io::{self, Error, ErrorKind};

/// A body that is read piece by piece.
#[derive(Debug)]
pub(crate) struct Body {
    connection: Connection,
    /// Bytes that are still to come, of the chunk or of all.
    left: u64,
    framing: Framing,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Framing {
    Length,
    /// Before the first chunk.
    FirstChunk,
    /// A line end follows each chunk.
    Chunks,
    Over,
}

impl Body {
    pub(crate) fn of(head: &Head, connection: Connection) -> io::Result<Self> {
        if let Some(length) = head.header("content-length") {
            let left = length.parse().map_err(|_| bad(length))?;
            return Ok(Self { connection, left, framing: Framing::Length });
        }
        match head.header("transfer-encoding") {
            Some("chunked") => Ok(Self { connection, left: 0, framing: Framing::FirstChunk }),
            other => Err(bad(other.unwrap_or("no length"))),
        }
    }

    /// Returns up to `most` bytes, as soon as there are any; `None` at the end.
    pub(crate) fn piece(&mut self, most: usize) -> io::Result<Option<&[u8]>> {
        if self.left == 0 && !self.next_chunk()? {
            return Ok(None);
        }
        let most = most.min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let piece = self.connection.some(most)?;
        self.left -= piece.len() as u64;
        Ok(Some(piece))
    }

    fn next_chunk(&mut self) -> io::Result<bool> {
        match self.framing {
            Framing::Length | Framing::Over => return Ok(false),
            Framing::FirstChunk => self.framing = Framing::Chunks,
            Framing::Chunks => self.empty_line()?,
        }
        let line = self.connection.line()?;
        self.left = u64::from_str_radix(&line, 16).map_err(|_| bad(&line))?;
        if self.left == 0 {
            self.framing = Framing::Over;
        }
        Ok(self.left > 0)
    }

    fn empty_line(&mut self) -> io::Result<()> {
        let line = self.connection.line()?;
        if line.is_empty() { Ok(()) } else { Err(bad(&line)) }
    }
}

fn bad(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, format!("a body that cannot be read: {what}"))
}
