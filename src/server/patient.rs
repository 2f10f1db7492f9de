//! Connections whose clients do not begin to speak.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// The bytes by which HTTP/2 begins. Before these, hyper does not know which protocol it is, and keeps no time.
const PREFACE: usize = 24;

/// A connection that ends with an error if its client has not begun to speak in time.
pub(super) struct Patient<S> {
    stream: S,
    /// The time that is left, until it has begun.
    time: Option<Pin<Box<Sleep>>>,
    read: usize,
}

impl<S> Patient<S> {
    pub(super) fn new(stream: S, time: Duration) -> Self {
        Self { stream, time: Some(Box::pin(tokio::time::sleep(time))), read: 0 }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.read = self.read.saturating_add(buffer.filled().len() - before);
        if self.read >= PREFACE {
            self.time = None;
        }
        match &mut self.time {
            Some(time) if read.is_pending() => {
                time.as_mut().poll(context).map(|()| Err(ErrorKind::TimedOut.into()))
            }
            _ => read,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    const TIME: Duration = Duration::from_millis(50);

    #[tokio::test]
    async fn who_says_nothing_or_too_little_is_let_go_of() {
        for words in ["", "PRI * HTTP"] {
            let (mut client, server) = tokio::io::duplex(100);
            client.write_all(words.as_bytes()).await.unwrap();
            let mut heard = Vec::new();
            let error = Patient::new(server, TIME).read_to_end(&mut heard).await.unwrap_err();
            assert_eq!((error.kind(), heard.as_slice()), (ErrorKind::TimedOut, words.as_bytes()));
        }
    }

    #[tokio::test]
    async fn who_has_begun_has_all_the_time() {
        let (mut client, server) = tokio::io::duplex(100);
        let mut server = Patient::new(server, TIME);
        client.write_all(&[b'x'; PREFACE]).await.unwrap();
        server.read_exact(&mut [0; PREFACE]).await.unwrap();
        tokio::time::sleep(TIME * 2).await;
        client.write_all(b"y").await.unwrap();
        assert_eq!(server.read_u8().await.unwrap(), b'y');
    }
}
