//! The two streams of a connected socket.

use bytes::Bytes;
use wasmtime_wasi::p2::{InputStream, OutputStream, Pollable, StreamError, StreamResult};

use crate::gate::GuestEnd;

/// What a guest reads.
pub(super) struct Input(pub(super) GuestEnd);

/// What it writes.
pub(super) struct Output(pub(super) GuestEnd);

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
        self.0.writable().await;
    }
}

impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let room = self.check_write()?;
        if bytes.len() > room {
            return Err(StreamError::trap("it wrote more than there is room for"));
        }
        self.0.write(&bytes);
        Ok(())
    }

    /// Nothing waits but in the pipe, whose other end is awake: as with TCP, that says nothing of what has arrived.
    fn flush(&mut self) -> StreamResult<()> {
        self.check_write().map(drop)
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.0.room().map_err(|_| StreamError::Closed)
    }
}
