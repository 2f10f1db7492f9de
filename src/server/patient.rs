//! Connections whose clients do not begin to speak, or do not read what they asked for.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// The bytes by which HTTP/2 begins. Before these, hyper does not know which protocol it is, and keeps no time.
const PREFACE: usize = 24;

/// A connection that ends with an error if its client has not begun to speak in time, or takes nothing for as long.
pub(super) struct Patient<S> {
    stream: S,
    /// The time that is left, until it has begun.
    time: Option<Pin<Box<Sleep>>>,
    read: usize,
    /// The time for a write that waits.
    writing: Option<Pin<Box<Sleep>>>,
    stall: Duration,
}

impl<S> Patient<S> {
    /// Gives a client this time to begin, and that one for each write to go on.
    pub(super) fn new(stream: S, begin: Duration, stall: Duration) -> Self {
        let time = Some(Box::pin(tokio::time::sleep(begin)));
        Self { stream, time, read: 0, writing: None, stall }
    }

    /// Ends a write that has waited for too long.
    fn bounded<T>(&mut self, written: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.writing = None;
            return written;
        }
        let stall = self.stall;
        let time = self.writing.get_or_insert_with(|| Box::pin(tokio::time::sleep(stall)));
        time.as_mut().poll(context).map(|()| Err(ErrorKind::TimedOut.into()))
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
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.bounded(written, context)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.bounded(flushed, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(context);
        self.bounded(shut, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.bounded(written, context)
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
            let error = Patient::new(server, TIME, TIME).read_to_end(&mut heard).await.unwrap_err();
            assert_eq!((error.kind(), heard.as_slice()), (ErrorKind::TimedOut, words.as_bytes()));
        }
    }

    #[tokio::test]
    async fn who_has_begun_has_all_the_time() {
        let (mut client, server) = tokio::io::duplex(100);
        let mut server = Patient::new(server, TIME, TIME);
        client.write_all(&[b'x'; PREFACE]).await.unwrap();
        server.read_exact(&mut [0; PREFACE]).await.unwrap();
        tokio::time::sleep(TIME * 2).await;
        client.write_all(b"y").await.unwrap();
        assert_eq!(server.read_u8().await.unwrap(), b'y');
    }

    #[tokio::test]
    async fn who_reads_nothing_is_let_go_of_and_who_reads_slowly_is_not() {
        let (mut client, server) = tokio::io::duplex(10);
        let mut server = Patient::new(server, TIME, TIME * 2);
        let reader = tokio::spawn(async move {
            for _ in 0..4 {
                tokio::time::sleep(TIME).await;
                client.read_exact(&mut [0; 10]).await.unwrap();
            }
            client
        });
        server.write_all(&[0; 40]).await.unwrap();
        let _client = reader.await.unwrap();
        server.write_all(&[0; 10]).await.unwrap();
        assert_eq!(server.write_all(&[0; 10]).await.unwrap_err().kind(), ErrorKind::TimedOut);
    }
}
