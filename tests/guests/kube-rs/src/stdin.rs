//! The guest's own standard input, read while others speak.

use crate::error::Error;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use wasip2::cli::stdin::get_stdin;
use wasip2::io::streams::{InputStream, StreamError};

/// The number of bytes requested at a time.
const CHUNK: u64 = 64 * 1024;
/// The initial delay before the next request for input.
const SHORTEST: Duration = Duration::from_millis(1);
/// The delay while a person types, or no input comes.
const LONGEST: Duration = Duration::from_millis(16);

/// Standard input. tokio's reactor knows sockets alone on wasip2, and `std::io::stdin` would hold up the whole guest:
/// so the stream is asked what it has, and timers run between.
#[derive(Debug)]
struct Stdin(InputStream);

impl Stdin {
    /// Returns the available input, or `None` at the end.
    async fn chunk(&self) -> Result<Option<Vec<u8>>, Error> {
        let mut pause = SHORTEST;
        loop {
            match self.0.read(CHUNK) {
                Ok(chunk) if chunk.is_empty() => {}
                Ok(chunk) => return Ok(Some(chunk)),
                Err(StreamError::Closed) => return Ok(None),
                Err(StreamError::LastOperationFailed(error)) => {
                    return Err(Error::Stdin(io::Error::other(error.to_debug_string())));
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST);
        }
    }
}

/// Copies all input. Also ends if the reader accepts no more: its own stream reports the reason.
pub(crate) async fn copy(to: &mut (impl AsyncWrite + Unpin)) -> Result<(), Error> {
    let stdin = Stdin(get_stdin());
    while let Some(chunk) = stdin.chunk().await? {
        if to.write_all(&chunk).await.is_err() {
            break;
        }
    }
    Ok(())
}
