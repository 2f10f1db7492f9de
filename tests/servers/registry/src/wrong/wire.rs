//! The connection below HTTP: knows when what was written has left.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A connection, with or without TLS.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Counts how often all that was written has reached the operating system.
#[derive(Clone, Default)]
pub(crate) struct Wire(Arc<Mutex<Flushes>>);

#[derive(Default)]
struct Flushes {
    count: u64,
    waiting: Vec<Waker>,
}

impl Wire {
    pub(crate) fn flushes(&self) -> u64 {
        self.lock().count
    }

    /// Is ready when [`Wire::flushes`] has passed `seen`.
    pub(crate) fn poll_flushed(&self, cx: &Context<'_>, seen: u64) -> Poll<()> {
        let mut flushes = self.lock();
        if flushes.count > seen {
            return Poll::Ready(());
        }
        flushes.waiting.push(cx.waker().clone());
        Poll::Pending
    }

    fn flushed(&self) {
        let mut flushes = self.lock();
        flushes.count += 1;
        flushes.waiting.drain(..).for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, Flushes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection under the eyes of its [`Wire`].
pub(crate) struct Watched {
    stream: Box<dyn Stream>,
    wire: Wire,
}

impl Watched {
    pub(crate) fn new(stream: impl Stream + 'static, wire: Wire) -> Self {
        Self { stream: Box::new(stream), wire }
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        if let Poll::Ready(Ok(())) = flushed {
            self.wire.flushed();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
