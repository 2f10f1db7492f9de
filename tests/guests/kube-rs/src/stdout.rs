//! Standard output, where what came is seen at once.

use crate::error::Error;
use futures::{AsyncBufRead, AsyncBufReadExt as _};
use kube_guest::for_terminal_line;
use std::io::{self, Write};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// The number of bytes copied at a time.
const CHUNK: usize = 64 * 1024;

/// Prints one line, whatever is in the text.
pub(crate) fn line(text: &str) -> Result<(), Error> {
    writeln!(io::stdout(), "{}", for_terminal_line(text)).map_err(Error::Output)
}

/// Copies an answer to its end.
pub(crate) async fn copy_answer(answer: impl AsyncBufRead) -> Result<(), Error> {
    let mut answer = std::pin::pin!(answer);
    loop {
        let piece = answer.fill_buf().await.map_err(Error::Read)?;
        if piece.is_empty() {
            return Ok(());
        }
        let length = piece.len();
        write(&mut io::stdout(), piece)?;
        answer.as_mut().consume(length);
    }
}

/// Copies one stream of a process or of a port to its end.
pub(crate) async fn copy(mut from: impl AsyncRead + Unpin, mut to: impl Write) -> Result<(), Error> {
    let mut buffer = vec![0; CHUNK];
    loop {
        match from.read(&mut buffer).await.map_err(Error::Read)? {
            0 => return Ok(()),
            length => write(&mut to, &buffer[..length])?,
        }
    }
}

fn write(to: &mut impl Write, piece: &[u8]) -> Result<(), Error> {
    to.write_all(piece).and_then(|()| to.flush()).map_err(Error::Output)
}
