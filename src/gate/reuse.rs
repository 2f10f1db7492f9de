//! Kept-alive connections, and which of them died when they were reused: a server may close one at any time,
//! and has most likely not read a request that was in flight then. The gate repeats a request in the same
//! cases as Go's net/http (transport.go, `shouldRetryRequest`; request.go, `isReplayable`).

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use ::http::{Extensions, HeaderMap, Method, Uri, header};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::Error;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tower_service::Service;

/// The traffic of one connection. Clones share the same counters.
#[derive(Clone, Default)]
pub(super) struct Meter(Arc<Passed>);

#[derive(Default)]
struct Passed {
    /// The number of answered requests.
    answers: AtomicUsize,
    /// The number of the request that was begun last.
    begun: AtomicUsize,
    /// Whether a byte was received since then.
    heard: AtomicBool,
}

impl Meter {
    /// Counts an answer whose head has arrived.
    pub(super) fn answered(&self) {
        self.0.answers.fetch_add(1, Ordering::Relaxed);
    }

    /// Records that something was written: after an answer, that begins the next request.
    fn wrote(&self) {
        let next = self.0.answers.load(Ordering::Relaxed) + 1;
        if self.0.begun.swap(next, Ordering::Relaxed) != next {
            self.0.heard.store(false, Ordering::Relaxed);
        }
    }

    fn heard(&self) {
        self.0.heard.store(true, Ordering::Relaxed);
    }

    /// Returns whether it answered before, but has not begun to answer the last request.
    fn died_as_reused(&self) -> bool {
        self.0.answers.load(Ordering::Relaxed) > 0 && !self.0.heard.load(Ordering::Relaxed)
    }
}

/// Returns whether a request may be sent again although a server may have read it, if its body is available.
///
/// Never one that requests an upgrade: in client-go those have connections of their own.
pub(super) fn is_replayable(method: &Method, headers: &HeaderMap) -> bool {
    let safe = [Method::GET, Method::HEAD, Method::OPTIONS, Method::TRACE].contains(method);
    let keyed = ["idempotency-key", "x-idempotency-key"].iter().any(|key| headers.contains_key(*key));
    (safe || keyed) && !headers.contains_key(header::UPGRADE)
}

/// Returns whether a request failed because its kept-alive connection died before a byte of an answer.
pub(super) fn died_as_reused(error: &Error) -> bool {
    let mut extras = Extensions::new();
    if let Some(connected) = error.connect_info() {
        connected.get_extras(&mut extras);
    }
    extras.get().is_some_and(Meter::died_as_reused)
}

/// A connector whose connections have a [`Meter`], which is attached to each answer.
#[derive(Clone)]
pub(super) struct Metered<C>(pub(super) C);

/// A connection with its meter.
pub(super) struct Counted<T>(TokioIo<Tap<T>>);

/// The layer at which the meter counts, where the number of received bytes is known.
struct Tap<T> {
    stream: TokioIo<T>,
    meter: Meter,
}

type Connecting<T, E> = Pin<Box<dyn Future<Output = Result<Counted<T>, E>> + Send>>;

impl<C> Service<Uri> for Metered<C>
where
    C: Service<Uri>,
    C::Future: Send + 'static,
{
    type Response = Counted<C::Response>;
    type Error = C::Error;
    type Future = Connecting<C::Response, C::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, address: Uri) -> Self::Future {
        let connecting = self.0.call(address);
        Box::pin(async move {
            let stream = TokioIo::new(connecting.await?);
            Ok(Counted(TokioIo::new(Tap { stream, meter: Meter::default() })))
        })
    }
}

impl<T: Connection> Connection for Counted<T> {
    fn connected(&self) -> Connected {
        let Tap { stream, meter } = self.0.inner();
        stream.inner().connected().extra(meter.clone())
    }
}

impl<T: Read + Unpin> Read for Counted<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl<T: Write + Unpin> Write for Counted<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(context, buffers)
    }
}

impl<T: Read + Unpin> AsyncRead for Tap<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.meter.heard();
        }
        polled
    }
}

impl<T: Write + Unpin> AsyncWrite for Tap<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.meter.wrote();
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.meter.wrote();
        Pin::new(&mut self.stream).poll_write_vectored(context, buffers)
    }
}

#[cfg(test)]
mod tests;
