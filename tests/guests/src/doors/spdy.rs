//! SPDY/3.1 to the cluster, as far as port-forward needs it: streams with headers, and their bytes. That is what kubectl
//! speaks inside of whatever carries it; the servers of it look at no windows.

use crate::doors::Message;
use crate::doors::connection::Connection;
use std::io;

const CONTROL: u32 = 0x8003_0000;
const SYN_STREAM: u32 = 1;
const PING: u32 = 6;

/// The beginning of a compressed stream: deflate, with the dictionary of SPDY/3, whose Adler-32 this is.
const ZLIB: [u8; 6] = [0x78, 0xbb, 0xe3, 0xc6, 0xa7, 0xc2];

/// An empty block, by which a reader knows that all there is has come.
const FLUSH: [u8; 5] = [0, 0, 0, 0xff, 0xff];

/// A connection that was switched.
#[derive(Debug)]
pub struct Spdy {
    connection: Connection,
    /// The frame to be sent, kept for its memory.
    frame: Vec<u8>,
    /// The number of streams.
    streams: u32,
    /// The stream of the frame that is being read.
    stream: u32,
    /// Bytes of it that are still to come.
    left: usize,
}

impl Spdy {
    /// Asks the cluster to switch protocols.
    ///
    /// # Errors
    ///
    /// When it does not.
    pub fn open(path: &str, protocol: &str) -> io::Result<Self> {
        let mut connection = Connection::open()?;
        let head = connection.ask(&format!(
            "POST {path} HTTP/1.1\r\nHost: kubernetes\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\
             X-Stream-Protocol-Version: {protocol}\r\nContent-Length: 0\r\n\r\n"
        ))?;
        head.expect(101)?;
        Ok(Self { connection, frame: Vec::new(), streams: 0, stream: 0, left: 0 })
    }

    /// Opens a stream, and returns its number. The names of its headers are in lower case.
    ///
    /// # Errors
    ///
    /// If the connection has ended.
    pub fn stream(&mut self, headers: &[(&str, &str)]) -> io::Result<u32> {
        // A client's streams have odd numbers.
        let stream = 2 * self.streams + 1;
        self.streams += 1;
        let block = block(headers);
        let compressed = stored(&block, stream == 1);
        self.frame.clear();
        self.frame.extend_from_slice(&(CONTROL | SYN_STREAM).to_be_bytes());
        self.frame.extend_from_slice(&size(10 + compressed.len()));
        self.frame.extend_from_slice(&stream.to_be_bytes());
        // Of no other stream, and of no priority.
        self.frame.extend_from_slice(&[0; 6]);
        self.frame.extend_from_slice(&compressed);
        self.connection.write(&self.frame)?;
        Ok(stream)
    }

    /// Sends bytes into a stream.
    ///
    /// # Errors
    ///
    /// When the connection has ended.
    pub fn send(&mut self, stream: u32, bytes: &[u8]) -> io::Result<()> {
        self.frame.clear();
        self.frame.extend_from_slice(&stream.to_be_bytes());
        self.frame.extend_from_slice(&size(bytes.len()));
        self.frame.extend_from_slice(bytes);
        self.connection.write(&self.frame)
    }

    /// Waits for what comes next.
    ///
    /// # Errors
    ///
    /// When the connection breaks off.
    pub fn receive(&mut self) -> io::Result<Message<'_>> {
        while self.left == 0 {
            let first = u32::from_be_bytes(self.connection.array()?);
            let [_flags, a, b, c] = self.connection.array()?;
            self.left = u32::from_be_bytes([0, a, b, c]) as usize;
            if first & 0x8000_0000 == 0 {
                self.stream = first;
            } else {
                self.control(first & 0xffff)?;
            }
        }
        let bytes = self.connection.some(self.left)?;
        self.left -= bytes.len();
        Ok(Message { channel: self.stream, bytes })
    }

    /// Skips a frame that contains no bytes of a stream, but answers a ping.
    fn control(&mut self, kind: u32) -> io::Result<()> {
        let mut frame = Vec::new();
        while self.left > 0 {
            let some = self.connection.some(self.left)?;
            self.left -= some.len();
            frame.extend_from_slice(some);
        }
        if kind == PING {
            self.frame.clear();
            self.frame.extend_from_slice(&(CONTROL | PING).to_be_bytes());
            self.frame.extend_from_slice(&size(frame.len()));
            self.frame.extend_from_slice(&frame);
            self.connection.write(&self.frame)?;
        }
        Ok(())
    }
}

/// Returns the field for no flags and a length.
fn size(length: usize) -> [u8; 4] {
    // The sent frames are far smaller than the 16 MiB that fit.
    let [_, a, b, c] = u32::try_from(length).unwrap_or(0).to_be_bytes();
    [0, a, b, c]
}

/// Returns names and values, each prefixed with its length.
fn block(headers: &[(&str, &str)]) -> Vec<u8> {
    let number = |length: usize| u32::try_from(length).unwrap_or(0).to_be_bytes();
    let mut block = number(headers.len()).to_vec();
    for text in headers.iter().flat_map(|(name, value)| [name, value]) {
        block.extend_from_slice(&number(text.len()));
        block.extend_from_slice(text.as_bytes());
    }
    block
}

/// Returns a stored block, which is compressed in name only (RFC 1951 §3.2.4).
fn stored(block: &[u8], first: bool) -> Vec<u8> {
    let length = u16::try_from(block.len()).unwrap_or(0);
    let mut compressed = if first { ZLIB.to_vec() } else { Vec::new() };
    compressed.push(0);
    compressed.extend_from_slice(&length.to_le_bytes());
    compressed.extend_from_slice(&(!length).to_le_bytes());
    compressed.extend_from_slice(block);
    compressed.extend_from_slice(&FLUSH);
    compressed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_stored_as_they_are() {
        let block = block(&[("port", "1")]);
        assert_eq!(block, b"\0\0\0\x01\0\0\0\x04port\0\0\0\x011");
        let compressed = stored(&block, true);
        assert_eq!(&compressed[..11], b"\x78\xbb\xe3\xc6\xa7\xc2\x00\x11\x00\xee\xff");
        assert!(compressed.ends_with(b"port\0\0\0\x011\0\0\0\xff\xff"));
        assert_eq!(stored(&block, false), compressed[6..]);
    }

    #[test]
    fn a_length_has_three_bytes() {
        assert_eq!(size(0x01_02_03), [0, 1, 2, 3]);
    }
}
