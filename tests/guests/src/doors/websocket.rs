//! A WebSocket to the cluster (RFC 6455), as exec has it: the first byte of each message names a channel.

use crate::doors::Message;
use crate::doors::connection::Connection;
use std::io;

const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

const FINAL: u8 = 0x80;
const MASKED: u8 = 0x80;
const OPCODE: u8 = 0x0f;
const LENGTH: u8 = 0x7f;
/// The length field for a length that does not fit into seven bits: it follows in two bytes, or in eight.
const TWO_BYTES: u8 = 0x7e;
const EIGHT_BYTES: u8 = 0x7f;

/// A connection that was switched.
#[derive(Debug)]
pub struct WebSocket {
    connection: Connection,
    /// The frame to be sent, kept for its memory.
    frame: Vec<u8>,
    /// The channel of the message that is being read.
    channel: u8,
    /// Bytes of it that are still to come.
    left: u64,
    /// Changes with each frame.
    key: u64,
}

impl WebSocket {
    /// Asks the cluster to switch protocols.
    ///
    /// # Errors
    ///
    /// When it does not.
    pub fn open(path: &str, protocol: &str) -> io::Result<Self> {
        let mut connection = Connection::open()?;
        // The key proves nothing to this client, which does not look at the answer to it.
        let head = connection.ask(&format!(
            "GET {path} HTTP/1.1\r\nHost: kubernetes\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\
             Sec-WebSocket-Protocol: {protocol}\r\n\r\n"
        ))?;
        head.expect(101)?;
        Ok(Self { connection, frame: Vec::new(), channel: 0, left: 0, key: 0x9e37_79b9_7f4a_7c15 })
    }

    /// Sends a message.
    ///
    /// # Errors
    ///
    /// When the connection has ended.
    pub fn send(&mut self, channel: u8, bytes: &[u8]) -> io::Result<()> {
        self.send_frame(BINARY, Some(channel), bytes)
    }

    /// Waits for what comes next; `None` when the other side has closed.
    ///
    /// # Errors
    ///
    /// When the connection breaks off.
    pub fn receive(&mut self) -> io::Result<Option<Message<'_>>> {
        while self.left == 0 {
            let [first, second] = self.connection.array()?;
            self.left = match second & LENGTH {
                TWO_BYTES => u64::from(u16::from_be_bytes(self.connection.array()?)),
                EIGHT_BYTES => u64::from_be_bytes(self.connection.array()?),
                length => u64::from(length),
            };
            match first & OPCODE {
                CLOSE => return Ok(None),
                PING => self.answer_ping()?,
                PONG => drop(self.control()?),
                // An empty message says that the stream is there.
                BINARY if self.left > 0 => {
                    [self.channel] = self.connection.array()?;
                    self.left -= 1;
                }
                _ => {}
            }
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX);
        let bytes = self.connection.some(most)?;
        self.left -= bytes.len() as u64;
        Ok(Some(Message { channel: u32::from(self.channel), bytes }))
    }

    fn answer_ping(&mut self) -> io::Result<()> {
        let bytes = self.control()?;
        self.send_frame(PONG, None, &bytes)
    }

    /// Returns the payload of a control frame, at most 125 bytes.
    fn control(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        while self.left > 0 {
            let [byte] = self.connection.array()?;
            bytes.push(byte);
            self.left -= 1;
        }
        Ok(bytes)
    }

    fn send_frame(&mut self, opcode: u8, channel: Option<u8>, bytes: &[u8]) -> io::Result<()> {
        // A generator that is good enough: the masks are there for proxies that take frames for requests.
        self.key = self.key.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        let [a, b, c, d, ..] = self.key.to_be_bytes();
        head(&mut self.frame, opcode, bytes.len() + usize::from(channel.is_some()), [a, b, c, d]);
        match channel {
            // It is the first of the masked bytes.
            Some(channel) => {
                self.frame.push(channel ^ a);
                mask(&mut self.frame, bytes, [b, c, d, a]);
            }
            None => mask(&mut self.frame, bytes, [a, b, c, d]),
        }
        self.connection.write(&self.frame)
    }
}

/// Begins a frame.
fn head(frame: &mut Vec<u8>, opcode: u8, length: usize, mask: [u8; 4]) {
    frame.clear();
    frame.push(FINAL | opcode);
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(length), _) if length < TWO_BYTES => frame.push(MASKED | length),
        (_, Ok(length)) => {
            frame.push(MASKED | TWO_BYTES);
            frame.extend_from_slice(&length.to_be_bytes());
        }
        _ => {
            frame.push(MASKED | EIGHT_BYTES);
            frame.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(&mask);
}

/// Appends the bytes, masked, eight at a time.
fn mask(frame: &mut Vec<u8>, bytes: &[u8], [a, b, c, d]: [u8; 4]) {
    let start = frame.len();
    frame.extend_from_slice(bytes);
    let key = u64::from_le_bytes([a, b, c, d, a, b, c, d]);
    let (eights, rest) = frame[start..].as_chunks_mut::<8>();
    for eight in eights {
        *eight = (u64::from_le_bytes(*eight) ^ key).to_le_bytes();
    }
    for (byte, key) in rest.iter_mut().zip([a, b, c, d, a, b, c, d]) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masking_twice_gives_what_it_was() {
        for length in [0, 1, 7, 8, 9, 1000] {
            let bytes: Vec<u8> = (0..=255).cycle().take(length).collect();
            let (mut once, mut twice) = (Vec::new(), Vec::new());
            mask(&mut once, &bytes, [1, 2, 3, 4]);
            let expected: Vec<u8> =
                bytes.iter().zip([1, 2, 3, 4].iter().cycle()).map(|(b, k)| b ^ k).collect();
            assert_eq!(once, expected);
            mask(&mut twice, &once, [1, 2, 3, 4]);
            assert_eq!(twice, bytes);
        }
    }

    #[test]
    fn a_length_is_said_in_as_few_bytes_as_it_takes() {
        for (length, expected) in [(125, 2 + 4), (126, 4 + 4), (65_535, 4 + 4), (65_536, 10 + 4)] {
            let mut frame = vec![9];
            head(&mut frame, BINARY, length, [0; 4]);
            assert_eq!(frame.len(), expected, "{length}");
            assert_eq!(frame[0], 0x82);
        }
    }
}
