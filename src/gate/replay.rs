//! Bodies that can be sent a second time, after the server refused the credentials.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;

use super::body::{Body, BodyError, Hook, Hooked, Polled};

/// The longest body that is kept while it is sent, in bytes. Objects that plugins change are shorter; longer
/// bodies are streams, and keeping those would cost memory.
const LONGEST: usize = 64 << 10;

/// The part of a body sent so far. When dropped, nothing more is kept.
pub(super) struct Record(Arc<Mutex<Sent>>);

#[derive(Default)]
struct Sent {
    /// A copy of the data: a passing frame may be a byte of a large buffer, which would be kept with it.
    data: BytesMut,
    trailers: Option<HeaderMap>,
    /// The length stated by its request.
    said: Option<u64>,
    /// Whether its end was seen.
    ended: bool,
    /// Whether it was too long.
    lost: bool,
    hint: SizeHint,
}

/// Keeps a body while it is sent.
struct Recorder(Weak<Mutex<Sent>>);

/// A body that is sent a second time.
struct Replayed {
    data: Bytes,
    trailers: Option<HeaderMap>,
    hint: SizeHint,
}

/// Keeps the body of a request with this method while it is sent. The request may have stated its length,
/// `said`.
pub(super) fn record(inner: Body, method: &Method, said: Option<u64>) -> (Body, Record) {
    let hint = inner.size_hint();
    // Without a stated length, hyper sends no body with these methods (proto/h1/role.rs), and so never polls
    // its end.
    let unsent = matches!(*method, Method::GET | Method::HEAD) && said.is_none() && hint.exact().is_none();
    let sent = Sent { said, ended: unsent || inner.is_end_stream(), hint, ..Sent::default() };
    let record = Record(Arc::new(Mutex::new(sent)));
    let hook = Recorder(Arc::downgrade(&record.0));
    (Hooked { hook, inner }.boxed_unsync(), record)
}

impl Record {
    /// Returns the same body again, if all of it was sent and kept.
    pub(super) fn replayed(self) -> Option<Body> {
        let mut sent = locked(&self.0);
        // hyper does not poll beyond the stated length.
        let whole = sent.ended || sent.said == Some(sent.data.len() as u64);
        (whole && !sent.lost).then(|| {
            let data = std::mem::take(&mut sent.data).freeze();
            Replayed { data, trailers: sent.trailers.take(), hint: sent.hint }.boxed_unsync()
        })
    }
}

impl Sent {
    fn keep(&mut self, frame: &Frame<Bytes>) {
        if self.lost {
            return;
        }
        if let Some(data) = frame.data_ref() {
            if self.data.len() + data.len() > LONGEST {
                self.lost = true;
                self.data = BytesMut::new();
            } else {
                self.data.extend_from_slice(data);
            }
        } else if let Some(trailers) = frame.trailers_ref() {
            self.trailers = Some(trailers.clone());
        }
    }
}

fn locked(sent: &Mutex<Sent>) -> MutexGuard<'_, Sent> {
    // A partly kept frame does not count as kept.
    sent.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Hook for Recorder {
    fn polled(&mut self, polled: Polled, inner: &impl http_body::Body, _: &mut Context<'_>) -> Polled {
        if let Some(record) = self.0.upgrade() {
            let mut sent = locked(&record);
            match &polled {
                Poll::Ready(Some(Ok(frame))) => {
                    sent.keep(frame);
                    sent.ended = inner.is_end_stream();
                }
                Poll::Ready(Some(Err(_))) => sent.lost = true,
                Poll::Ready(None) => sent.ended = true,
                Poll::Pending => {}
            }
        }
        polled
    }
}

impl http_body::Body for Replayed {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        // What it said of its length was of all of it.
        self.hint = SizeHint::default();
        let data = std::mem::take(&mut self.data);
        let frame =
            if data.is_empty() { self.trailers.take().map(Frame::trailers) } else { Some(Frame::data(data)) };
        Poll::Ready(frame.map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_empty() && self.trailers.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.hint
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::{Empty, Full, StreamBody};

    fn full(text: &str) -> Body {
        Full::new(Bytes::from(text.to_owned())).map_err(|never| match never {}).boxed_unsync()
    }

    fn frames(frames: Vec<Frame<Bytes>>) -> Body {
        StreamBody::new(futures_util::stream::iter(frames.into_iter().map(Ok))).boxed_unsync()
    }

    /// Returns a body that ends with an error.
    fn cut() -> Body {
        let frames: Vec<Result<_, BodyError>> = vec![Ok(data(1)), Err("cut".into())];
        StreamBody::new(futures_util::stream::iter(frames)).boxed_unsync()
    }

    fn post(body: Body, said: Option<u64>) -> (Body, Record) {
        record(body, &Method::POST, said)
    }

    fn data(length: usize) -> Frame<Bytes> {
        Frame::data(Bytes::from(vec![b'x'; length]))
    }

    #[tokio::test]
    async fn a_body_that_was_sent_is_had_once_more_with_its_trailers() {
        let mut trailers = HeaderMap::new();
        trailers.insert("x-sum", "7".parse().unwrap());
        let (body, record) = post(frames(vec![data(2), data(1), Frame::trailers(trailers)]), None);
        let first = body.collect().await.unwrap();
        let again = record.replayed().unwrap().collect().await.unwrap();
        assert_eq!(again.trailers().unwrap(), first.trailers().unwrap());
        assert_eq!(again.to_bytes(), "xxx");
    }

    #[tokio::test]
    async fn a_body_says_the_second_time_what_it_said_the_first() {
        let (body, record) = post(full("abc"), None);
        assert_eq!(body.size_hint().exact(), Some(3));
        drop(body.collect().await.unwrap());
        assert_eq!(record.replayed().unwrap().size_hint().exact(), Some(3));
    }

    #[tokio::test]
    async fn what_was_not_sent_to_its_end_is_not_had_again() {
        let (mut body, unfinished) = post(frames(vec![data(1), data(1)]), None);
        body.frame().await.unwrap().unwrap();
        assert!(unfinished.replayed().is_none());
        let (mut body, said) = post(frames(vec![data(1), data(1)]), Some(1));
        body.frame().await.unwrap().unwrap();
        assert!(said.replayed().is_some(), "all that was said is there");
        let (body, broken) = post(cut(), None);
        assert!(body.collect().await.is_err());
        assert!(broken.replayed().is_none());
    }

    #[tokio::test]
    async fn what_is_longer_than_is_kept_is_not_had_again() {
        for (length, kept) in [(LONGEST, true), (LONGEST + 1, false)] {
            let (body, record) = post(frames(vec![data(1), data(length - 1)]), None);
            drop(body.collect().await.unwrap());
            assert_eq!(record.replayed().is_some(), kept, "{length}");
        }
    }

    #[test]
    fn no_body_is_had_again_without_being_asked_for() {
        let (_body, empty) = post(Empty::new().map_err(|never| match never {}).boxed_unsync(), None);
        assert!(empty.replayed().unwrap().is_end_stream());
        // wasi:http never states beforehand that there is no body.
        let (_body, get) = record(frames(vec![]), &Method::GET, None);
        assert!(get.replayed().unwrap().is_end_stream());
        let (_body, get) = record(frames(vec![]), &Method::GET, Some(1));
        assert!(get.replayed().is_none());
    }
}
