//! The server's end of an upgraded connection: a real one, one that is recorded, or one from a record.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use ::http::{Extensions, HeaderMap, HeaderValue, Response, StatusCode, header};
use aws_lc_rs::digest::{Context as Digest, SHA1_FOR_LEGACY_USE_ONLY};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Buf as _, Bytes};
use http_body_util::{BodyExt, Empty};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Body;
use crate::record::{Cut, Event, Exchange, Replayed, Sending};

/// The server's end of a connection that is to be upgraded.
#[derive(Clone)]
pub(super) enum Server {
    /// A server.
    Live(OnUpgrade),
    /// A server whose bytes are recorded.
    Recorded(OnUpgrade, Arc<Exchange>),
    /// A record. It can be taken once.
    Replayed(Arc<Mutex<Option<Replayed>>>),
}

/// The bytes of a server.
trait Bidirectional: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Bidirectional for T {}

impl Server {
    /// Returns the server's end from an answer.
    pub(super) fn of(extensions: &mut Extensions) -> Option<Self> {
        extensions.remove().or_else(|| extensions.remove().map(Self::Live))
    }

    /// Records the bytes of the server that answered.
    pub(super) fn record(extensions: &mut Extensions, exchange: Arc<Exchange>) {
        if let Some(server) = extensions.remove() {
            extensions.insert(Self::Recorded(server, exchange));
        }
    }

    /// Waits for the bytes after the answer.
    pub(super) async fn stream(self) -> Option<impl AsyncRead + AsyncWrite> {
        let stream: Box<dyn Bidirectional> = match self {
            Self::Live(server) => Box::new(TokioIo::new(server.await.ok()?)),
            Self::Recorded(server, exchange) => {
                Box::new(RecordedStream { inner: TokioIo::new(server.await.ok()?), exchange })
            }
            Self::Replayed(replayed) => {
                let replayed = replayed.lock().unwrap_or_else(PoisonError::into_inner).take()?;
                Box::new(ReplayedStream::of(replayed))
            }
        };
        Some(stream)
    }
}

/// Returns a recorded answer that upgrades the connection.
pub(super) fn switched(request: &HeaderMap, headers: HeaderMap, replayed: Replayed) -> Response<Body> {
    let mut response = Response::new(Empty::new().map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    *response.headers_mut() = headers;
    if let Some(accept) = request.get(header::SEC_WEBSOCKET_KEY).and_then(accept) {
        response.headers_mut().insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    response.extensions_mut().insert(Server::Replayed(Arc::new(Mutex::new(Some(replayed)))));
    response
}

/// Returns the answer to a key of a WebSocket, which is another one in each run (RFC 6455 §4.2.2).
fn accept(key: &HeaderValue) -> Option<HeaderValue> {
    let mut digest = Digest::new(&SHA1_FOR_LEGACY_USE_ONLY);
    digest.update(key.as_bytes());
    digest.update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    HeaderValue::from_str(&STANDARD.encode(digest.finish())).ok()
}

/// A server's bytes, which are recorded as they pass.
struct RecordedStream<S> {
    inner: S,
    exchange: Arc<Exchange>,
}

impl<S: AsyncRead + Unpin> AsyncRead for RecordedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = ready!(Pin::new(&mut self.inner).poll_read(context, buffer));
        let bytes = &buffer.filled()[before..];
        match &read {
            Ok(()) if bytes.is_empty() => self.exchange.ended(None),
            Ok(()) => self.exchange.received(bytes),
            Err(_) => self.exchange.ended(Some(Cut::Closed)),
        }
        Poll::Ready(read)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for RecordedStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.inner).poll_write(context, bytes))?;
        self.exchange.sent_through(written);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

/// The next part of a recorded answer, and the rest of it.
type Next = Pin<Box<dyn Future<Output = (Replayed, Option<Event>)> + Send>>;

/// A server's bytes from a record. The guest's bytes are only counted.
struct ReplayedStream {
    next: Option<Next>,
    waiting: Bytes,
    sending: Sending,
    /// Whether the guest sends no more.
    is_shut: bool,
    reader: Option<Waker>,
}

impl ReplayedStream {
    fn of(replayed: Replayed) -> Self {
        let sending = replayed.sending();
        Self { next: Some(following(replayed)), waiting: Bytes::new(), sending, is_shut: false, reader: None }
    }
}

fn following(mut replayed: Replayed) -> Next {
    Box::pin(async move {
        let event = replayed.next().await;
        (replayed, event)
    })
}

impl AsyncRead for ReplayedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { next, waiting, is_shut, reader, .. } = &mut *self;
        while waiting.is_empty() {
            let Some(coming) = next else {
                // The record has no more, and not the end either: the guest ended the connection.
                if *is_shut {
                    return Poll::Ready(Ok(()));
                }
                *reader = Some(context.waker().clone());
                return Poll::Pending;
            };
            let (replayed, event) = ready!(coming.as_mut().poll(context));
            *next = None;
            match event {
                Some(Event::Data(Some(bytes))) => {
                    *waiting = bytes;
                    *next = Some(following(replayed));
                }
                Some(Event::End { cut: Some(_) } | Event::Failure(_) | Event::Data(None)) => {
                    *is_shut = true;
                    return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
                }
                Some(Event::End { cut: None }) => *is_shut = true,
                Some(Event::Answer { .. } | Event::Message(_)) => *next = Some(following(replayed)),
                None => {}
            }
        }
        let length = waiting.len().min(buffer.remaining());
        buffer.put_slice(&waiting[..length]);
        waiting.advance(length);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ReplayedStream {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.sending.sent(bytes.len());
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.is_shut = true;
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_a_websocket_is_answered_as_in_its_rfc() {
        let key = HeaderValue::from_static("dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(accept(&key).unwrap(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
