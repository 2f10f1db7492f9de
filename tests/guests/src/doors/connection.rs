//! A connection to the cluster, and the heads of its answers.

use std::io::{self, Error, ErrorKind, Read, Write};
use std::net::TcpStream;

/// The `server` of the guest's kubeconfig, with the port that `http` means.
const SERVER: &str = "192.0.2.1:80";

/// The number of bytes requested at a time. Each read is a call to the host, so small ones are slow.
const CHUNK: usize = 256 << 10;

/// A connection, and what was read from it and not yet used.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

/// The head of an answer.
#[derive(Debug)]
pub(crate) struct Head(String);

impl Connection {
    pub(crate) fn open() -> io::Result<Self> {
        let stream = TcpStream::connect(SERVER)?;
        Ok(Self { stream, buffer: vec![0; CHUNK], start: 0, end: 0 })
    }

    /// Sends the head of a request without a body, and reads that of its answer.
    pub(crate) fn ask(&mut self, request: &str) -> io::Result<Head> {
        self.write(request.as_bytes())?;
        let mut head = String::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Ok(Head(head));
            }
            head.push_str(&line);
            head.push('\n');
        }
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Returns a line, without its `\r\n`.
    pub(crate) fn line(&mut self) -> io::Result<String> {
        let mut searched = 0;
        loop {
            let unused = &self.buffer[self.start..self.end];
            if let Some(found) = memchr::memchr(b'\n', &unused[searched..]) {
                let line = &unused[..searched + found];
                let line = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned();
                self.start += searched + found + 1;
                return Ok(line);
            }
            searched = unused.len();
            self.fill()?;
        }
    }

    /// Returns exactly `N` bytes.
    pub(crate) fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        while self.end - self.start < N {
            self.fill()?;
        }
        let mut array = [0; N];
        array.copy_from_slice(&self.buffer[self.start..self.start + N]);
        self.start += N;
        Ok(array)
    }

    /// Returns up to `most` bytes, as soon as there are any.
    pub(crate) fn some(&mut self, most: usize) -> io::Result<&[u8]> {
        if self.start == self.end {
            self.fill()?;
        }
        let start = self.start;
        self.start = self.end.min(start.saturating_add(most));
        Ok(&self.buffer[start..self.start])
    }

    /// Reads more after the unused bytes. The end is an error, since the caller knows whether there is more
    /// to come.
    fn fill(&mut self) -> io::Result<()> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.end == self.buffer.len() {
            if self.start == 0 {
                return Err(Error::new(ErrorKind::InvalidData, "a line that is longer than a chunk"));
            }
            self.buffer.copy_within(self.start.., 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        match self.stream.read(&mut self.buffer[self.end..])? {
            0 => Err(Error::new(ErrorKind::UnexpectedEof, "the connection ended")),
            length => {
                self.end += length;
                Ok(())
            }
        }
    }
}

impl Head {
    /// Returns it if it has this status, otherwise an error that shows it.
    pub(crate) fn expect(self, status: u16) -> io::Result<Self> {
        let first = self.0.lines().next().unwrap_or_default();
        if first.split(' ').nth(1) == Some(&status.to_string()) {
            return Ok(self);
        }
        Err(Error::other(format!("the cluster answers: {first}")))
    }

    /// Returns a header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.0.lines().skip(1).filter_map(|line| line.split_once(':'));
        let (_, value) = headers.find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(value.trim())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_has_a_status_and_headers_of_any_case() {
        let head = || Head("HTTP/1.1 200 OK\nContent-Length: 5\n".to_owned());
        assert_eq!(head().expect(200).unwrap().header("content-length"), Some("5"));
        assert_eq!(head().header("x"), None);
        assert_eq!(head().expect(101).unwrap_err().to_string(), "the cluster answers: HTTP/1.1 200 OK");
    }
}
