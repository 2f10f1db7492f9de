//! Bodies of answers: whole, generated lazily, fed by a task, logged, or shaped by a fault.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::Response;
use hyper::body::{Body, Frame, SizeHint};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::{Interval, MissedTickBehavior};

use crate::log::{Answer, Entry};
use crate::wire::{Cut, Wire};

/// The body of any answer.
pub(crate) type Reply = UnsyncBoxBody<Bytes, io::Error>;

type Polled = Poll<Option<Result<Frame<Bytes>, io::Error>>>;

pub(crate) fn whole(bytes: impl Into<Bytes>) -> Reply {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// Returns an answer with this status and JSON text.
pub(crate) fn json(status: u16, text: impl Into<Bytes>) -> Response<Reply> {
    answer(status, "application/json", whole(text))
}

/// Returns an answer with this status and JSON document.
pub(crate) fn document(status: u16, value: &Value) -> Response<Reply> {
    json(status, value.to_string())
}

pub(crate) fn answer(status: u16, media_type: &'static str, body: Reply) -> Response<Reply> {
    let mut response = Response::new(body);
    // A status that HTTP does not know can't come from this server's own code, and a fault's was checked.
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

/// Returns a body made of `pieces` only as fast as the connection takes them; without `length` it is sent
/// chunked.
pub(crate) fn stream(
    pieces: impl Iterator<Item = Bytes> + Send + Unpin + 'static,
    length: Option<u64>,
) -> Reply {
    Pieces { pieces, length }.boxed_unsync()
}

/// Returns a body fed through `pieces`; it ends when the sender is dropped.
pub(crate) fn fed(pieces: mpsc::Receiver<Bytes>) -> Reply {
    Fed(pieces).boxed_unsync()
}

struct Pieces<I> {
    pieces: I,
    length: Option<u64>,
}

impl<I: Iterator<Item = Bytes> + Unpin> Body for Pieces<I> {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Polled {
        Poll::Ready(self.pieces.next().map(|piece| Ok(Frame::data(piece))))
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

struct Fed(mpsc::Receiver<Bytes>);

impl Body for Fed {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
        Poll::Ready(ready!(self.0.poll_recv(cx)).map(|piece| Ok(Frame::data(piece))))
    }
}

/// Writes into the log how much of `inner` was sent and whether it came to its end.
pub(crate) struct Logged {
    inner: Reply,
    entry: Entry,
    length: Option<u64>,
    sent: u64,
    ended: bool,
}

impl Logged {
    pub(crate) fn new(inner: Reply, entry: Entry) -> Self {
        let length = inner.size_hint().exact();
        Self { inner, entry, length, sent: 0, ended: false }
    }
}

impl Body for Logged {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
        let polled = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        match &polled {
            None => self.ended = true,
            Some(Ok(frame)) => {
                let sent = frame.data_ref().map_or(0, Bytes::len) as u64;
                self.sent += sent;
                self.entry.update(|received| received.sent += sent);
            }
            Some(Err(_)) => {}
        }
        Poll::Ready(polled)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for Logged {
    fn drop(&mut self) {
        // HTTP stops asking as soon as it has the announced length.
        let complete = self.ended || self.inner.is_end_stream() || self.length == Some(self.sent);
        let answer = if complete { Answer::Complete } else { Answer::Cut };
        self.entry.update(|received| received.answer = answer);
    }
}

/// A change to an answer's body at some point.
pub(crate) enum Shape {
    /// The body pauses until `release` is ready.
    Stall { after: u64, release: Pin<Box<dyn Future<Output = ()> + Send>> },
    /// The connection is cut once all bytes before that point have left.
    Cut { after: u64, how: Cut, wire: Arc<Wire> },
    /// At most `bytes` at each tick of the clock.
    Slow { bytes: usize, ticks: Interval },
}

impl Shape {
    pub(crate) fn slow(bytes: usize, every: Duration) -> Self {
        let mut ticks = tokio::time::interval(every.max(Duration::from_millis(1)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self::Slow { bytes: bytes.max(1), ticks }
    }
}

/// A body under a [`Shape`].
pub(crate) struct Shaped {
    inner: Reply,
    /// Taken from `inner`, but not yet allowed out.
    held: Bytes,
    sent: u64,
    shape: Option<Shape>,
    /// The number of flushes when the point of the cut was reached.
    flushes: Option<u64>,
}

impl Shaped {
    pub(crate) fn new(inner: Reply, shape: Shape) -> Self {
        Self { inner, held: Bytes::new(), sent: 0, shape: Some(shape), flushes: None }
    }

    /// Returns how many bytes may be sent now. If none, performs the change.
    fn poll_allowed(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<u64>> {
        let sent = self.sent;
        match &mut self.shape {
            None => Poll::Ready(Ok(u64::MAX)),
            Some(Shape::Stall { after, release }) => {
                if sent >= *after {
                    ready!(release.as_mut().poll(cx));
                    self.shape = None;
                    return Poll::Ready(Ok(u64::MAX));
                }
                Poll::Ready(Ok(*after - sent))
            }
            Some(Shape::Cut { after, .. }) if sent < *after => Poll::Ready(Ok(*after - sent)),
            Some(Shape::Cut { how, wire, .. }) => {
                let seen = *self.flushes.get_or_insert_with(|| wire.flushes());
                ready!(wire.poll_flushed(cx, seen));
                wire.cut(*how);
                Poll::Ready(Err(io::Error::other("a fault cut the connection")))
            }
            Some(Shape::Slow { bytes, .. }) => Poll::Ready(Ok(*bytes as u64)),
        }
    }
}

impl Body for Shaped {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
        let allowed = match ready!(self.poll_allowed(cx)) {
            Ok(allowed) => allowed,
            Err(error) => return Poll::Ready(Some(Err(error))),
        };
        if self.held.is_empty() {
            match ready!(Pin::new(&mut self.inner).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.held = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                None if matches!(self.shape, Some(Shape::Cut { .. })) => {
                    // Shorter than the point of the cut: cut where its end would be announced.
                    self.sent = u64::MAX;
                    return self.poll_frame(cx);
                }
                end => return Poll::Ready(end),
            }
        }
        if let Some(Shape::Slow { ticks, .. }) = &mut self.shape {
            ready!(ticks.poll_tick(cx));
        }
        let most = usize::try_from(allowed).unwrap_or(usize::MAX).min(self.held.len());
        let piece = self.held.split_to(most);
        self.sent += piece.len() as u64;
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = self.inner.size_hint();
        if let Some(exact) = hint.exact() {
            hint.set_exact(exact + self.held.len() as u64);
        }
        hint
    }
}
