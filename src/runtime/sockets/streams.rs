//! The two streams of a connected socket.

use bytes::Bytes;
use wasmtime_wasi::p2::{InputStream, OutputStream, Pollable, StreamError, StreamResult};

use crate::gate::GuestEnd;

/// What a guest reads.
pub(super) struct Input(pub(super) GuestEnd);

/// What it writes.
pub(super) struct Output {
    end: GuestEnd,
    /// Whether the guest waits for what it wrote to be gone, and has not been told yet that it is.
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
            // Where nobody takes them any more they are lost, as with TCP until the other end has said so.
            _ => {
                self.end.write(&bytes);
                Ok(())
            }
        }
    }

    /// Nothing waits but in the pipe, whose other end is awake. As with TCP that says nothing of what has arrived.
    fn flush(&mut self) -> StreamResult<()> {
        self.flushing = true;
        Ok(())
    }

    /// After a flush that nobody takes any more is no error yet: the other end may have taken all, answered and closed.
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
