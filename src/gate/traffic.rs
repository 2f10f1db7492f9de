//! Traffic that is recorded, or that comes from a record instead of the network.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderMap, Method, Response, StatusCode, header};
use bytes::Bytes;
use futures_util::stream::unfold;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use tokio::task::yield_now;

use super::body::{self, Body, BodyError, TooSlow};
use super::failure::Failure;
use super::headers::incoming;
use super::journal::Journal;
use super::{GuestBody, stream};
use crate::message::Message;
use crate::policy::Permit;
use crate::record::{Clock, Cut, Event, LARGEST_BODY, Missing, Playback, Record, Recorder, Replayed};

/// The record of a gate's traffic.
#[derive(Clone)]
pub enum Traffic {
    /// The traffic is recorded.
    Record(Arc<Recorder>),
    /// The record's answers take the place of the network's. Nothing is sent.
    Replay(Arc<Playback>),
}

/// The error of a body that is not complete in the record.
#[derive(Debug, thiserror::Error)]
#[error("the connection ended before the body was complete")]
struct Closed;

/// The error of a body that was left out of the record.
#[derive(Debug, thiserror::Error)]
#[error("the record leaves out this body")]
struct LeftOut;

impl Traffic {
    /// Returns the guest's clock.
    #[must_use]
    pub fn clock(&self) -> Clock {
        match self {
            Self::Record(recorder) => recorder.clock(),
            Self::Replay(playback) => playback.clock(),
        }
    }

    /// Returns the record that is replayed.
    #[must_use]
    pub fn replayed(&self) -> Option<&Record> {
        match self {
            Self::Record(_) => None,
            Self::Replay(playback) => Some(playback.record()),
        }
    }

    /// Returns the recorder, if the traffic is recorded.
    #[must_use]
    pub fn recorder(&self) -> Option<&Arc<Recorder>> {
        match self {
            Self::Record(recorder) => Some(recorder),
            Self::Replay(_) => None,
        }
    }
}

/// Answers a permitted request from a record.
pub(super) async fn replay(
    journal: &Arc<Journal>,
    playback: &Arc<Playback>,
    permit: Permit,
    request_headers: &HeaderMap,
    body: GuestBody,
) -> Result<Response<Body>, Failure> {
    let attempt = permit.attempt();
    let sent = sent(attempt.method(), request_headers, body).await?;
    let mut replayed = playback.find(attempt, request_headers, &sent).map_err(|Missing(message)| {
        journal.failed(message);
        Failure::Unrecorded
    })?;
    let (status, headers) = loop {
        match replayed.next().await {
            Some(Event::Answer { status, headers }) => break (status, headers),
            Some(Event::Message(message)) => journal.failed(message),
            Some(Event::Failure(name)) => return Err(Failure::named(&name).unwrap_or(Failure::Closed)),
            Some(Event::Data(_) | Event::End { .. }) => {}
            // The guest gave up.
            None => pending().await,
        }
    };
    if status == StatusCode::SWITCHING_PROTOCOLS {
        return Ok(stream::switched(request_headers, incoming(headers), replayed));
    }
    let length = replayed.length();
    let mut response = Response::new(received(replayed, Arc::clone(journal)));
    *response.status_mut() = status;
    *response.headers_mut() = incoming(headers);
    // What was left out or edited has another length.
    if attempt.method() != Method::HEAD
        && let Some(length) = length.filter(|length| *length > 0)
        && let Some(said) = response.headers_mut().get_mut(header::CONTENT_LENGTH)
    {
        *said = length.into();
    }
    Ok(response)
}

/// Reads the body that a guest sends, up to a byte more than a record has of one.
async fn sent(method: &Method, headers: &HeaderMap, body: GuestBody) -> Result<Vec<u8>, Failure> {
    let mut body = body.boxed_unsync();
    // As in `replay`: of these no body is sent, and so none was recorded.
    if matches!(*method, Method::GET | Method::HEAD) && !headers.contains_key(header::CONTENT_LENGTH) {
        tokio::spawn(body::drain(body));
        return Ok(Vec::new());
    }
    let mut sent = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Failure::Closed)?;
        if let Some(data) = frame.data_ref() {
            let room = (LARGEST_BODY + 1).saturating_sub(sent.len());
            sent.extend_from_slice(&data[..data.len().min(room)]);
        }
    }
    Ok(sent)
}

/// Returns the body of a recorded answer.
fn received(replayed: Replayed, journal: Arc<Journal>) -> Body {
    let frames = unfold(Some(replayed), move |replayed| {
        let journal = Arc::clone(&journal);
        async move {
            let mut replayed = replayed?;
            let frame = frame(&mut replayed, &journal).await?;
            let rest = frame.is_ok().then_some(replayed);
            Some((frame, rest))
        }
    });
    StreamBody::new(frames).boxed_unsync()
}

/// Returns the next frame of a body, or `None` at its end.
async fn frame(replayed: &mut Replayed, journal: &Journal) -> Option<Result<Frame<Bytes>, BodyError>> {
    loop {
        match replayed.next().await {
            Some(Event::Data(Some(bytes))) if bytes.is_empty() => {}
            Some(Event::Data(Some(bytes))) => return Some(Ok(Frame::data(bytes))),
            Some(Event::Data(None)) => {
                journal.failed(Message::hinted(
                    format!("{}: the record leaves out its answer", replayed.label()),
                    "kwasm run --record FILE --record-secrets records all of it",
                ));
                return Some(Err(LeftOut.into()));
            }
            Some(Event::End { cut: None }) => return None,
            Some(Event::End { cut: Some(Cut::Timeout) }) => {
                return Some(Err(TooSlow(Duration::ZERO).into()));
            }
            Some(Event::End { cut: Some(Cut::Closed) } | Event::Failure(_)) => {
                // What came before it is passed on first: hyper writes it only when it has to wait.
                yield_now().await;
                return Some(Err(Closed.into()));
            }
            Some(Event::Message(message)) => journal.failed(message),
            Some(Event::Answer { .. }) => {}
            // The recorded guest read no further.
            None => pending().await,
        }
    }
}
