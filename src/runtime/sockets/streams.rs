//! The two streams of a connected socket.

use bytes::Bytes;
use wasmtime_wasi::p2::{InputStream, OutputStream, Pollable, StreamError, StreamResult};

use crate::gate::GuestEnd;

/// The stream that a guest reads.
pub(super) struct Input(pub(super) GuestEnd);

/// The stream that a guest writes.
pub(super) struct Output {
    end: GuestEnd,
    /// Whether the guest waits for its bytes to be sent and has not yet been informed that they are.
    flushing: bool,
}

impl Output {
    pub(super) fn new(end: GuestEnd) -> Self {
        Self { end, flushing: false }
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Input {
    async fn ready(&mut self) {
        self.0.readable().await;
    }
}

impl InputStream for Input {
    fn read(&mut self, most: usize) -> StreamResult<Bytes> {
        self.0.read(most).ok_or(StreamError::Closed)
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {
        self.end.writable().await;
    }
}

impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        match self.end.room() {
            Ok(room) if bytes.len() > room => {
                Err(StreamError::trap("it wrote more than the stream had room for"))
            }
            // If the reader has closed its end, they are lost, as with TCP until the peer reports it.
            _ => {
                self.end.write(&bytes);
                Ok(())
            }
        }
    }

    /// Returns at once: bytes only wait in the pipe, whose other end is awake. As with TCP, this does not
    /// mean that they have arrived.
    fn flush(&mut self) -> StreamResult<()> {
        self.flushing = true;
        Ok(())
    }

    /// Returns how much may be written. After a flush, a closed reader is not an error yet: the other end may
    /// have read everything, answered and closed.
    fn check_write(&mut self) -> StreamResult<usize> {
        let flushed = std::mem::take(&mut self.flushing);
        self.end.room().or_else(|_| if flushed { Ok(1) } else { Err(StreamError::Closed) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::pipe_for_tests as pair;

    #[tokio::test]
    async fn what_was_written_is_written_even_if_the_other_end_has_closed_since() {
        let (guest, host) = pair();
        let mut output = Output::new(guest);
        output.check_write().unwrap();
        output.write(Bytes::from_static(b"last")).unwrap();
        drop(host);
        output.flush().unwrap();
        assert!(output.write_ready().await.is_ok());
        assert!(matches!(output.check_write(), Err(StreamError::Closed)));
    }

    #[test]
    fn a_guest_that_writes_more_than_there_is_room_for_traps() {
        let (guest, _host) = pair();
        let mut output = Output::new(guest);
        let room = output.check_write().unwrap();
        let flood = Bytes::from(vec![0; room + 1]);
        assert!(matches!(output.write(flood), Err(StreamError::Trap(_))));
    }
}
