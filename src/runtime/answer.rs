//! Answers of a plugin, whose bodies it may still be writing when their heads are sent.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::StatusCode;
use http::header::CONTENT_LENGTH;
use http::response::Parts;
use http_body::{Body, Frame, SizeHint};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use wasmtime_wasi_http::{Error as HttpError, WasiBody};

use super::fault::Fault;

type Run = Pin<Box<dyn Future<Output = Result<(), Fault>> + Send>>;

/// A guest that answers. One whose instance may answer further requests goes on to its end, or that of its time, when it is
/// dropped: else each client that goes away would take what the instance knows along.
pub(super) struct Guest {
    run: Option<Run>,
    is_kept: bool,
}

impl Guest {
    pub(super) fn new(run: impl Future<Output = Result<(), Fault>> + Send + 'static, is_kept: bool) -> Self {
        Self { run: Some(Box::pin(run)), is_kept }
    }

    /// Lets the guest go on, unless it has ended.
    pub(super) fn step(&mut self, ended: &mut Option<Result<(), Fault>>, context: &mut Context<'_>) {
        if let Some(run) = &mut self.run
            && let Poll::Ready(how) = run.as_mut().poll(context)
        {
            self.run = None;
            *ended = Some(how);
        }
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        if let Some(run) = self.run.take().filter(|_| self.is_kept)
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(run);
        }
    }
}

/// The bytes of a body that are taken before anything is sent: a short answer is sent whole, and needs no task of its own.
const BEGINNING: u64 = 64 << 10;

/// What a guest has written of its body, as far as it comes at once.
#[derive(Default)]
pub(super) struct Beginning {
    frames: VecDeque<Frame<Bytes>>,
    bytes: u64,
    /// Whether that is all of it.
    is_whole: bool,
    error: Option<HttpError>,
}

impl Beginning {
    /// Takes what comes at once, while the guest goes on.
    pub(super) async fn of(
        guest: &mut Guest,
        ended: &mut Option<Result<(), Fault>>,
        body: &mut WasiBody,
    ) -> Self {
        let mut begun = Self::default();
        poll_fn(|context| {
            while begun.bytes < BEGINNING {
                guest.step(ended, context);
                match Pin::new(&mut *body).poll_frame(context) {
                    Poll::Ready(Some(Ok(frame))) => {
                        begun.bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
                        begun.frames.push_back(frame);
                    }
                    Poll::Ready(Some(Err(error))) => {
                        begun.error = Some(error);
                        break;
                    }
                    Poll::Ready(None) => {
                        begun.is_whole = true;
                        // What it does afterwards may be nothing.
                        guest.step(ended, context);
                        break;
                    }
                    Poll::Pending => break,
                }
            }
            Poll::Ready(())
        })
        .await;
        begun
    }
}

/// The task in which a guest goes on, so that its time passes even if nobody reads its answer. It ends with this value, unless
/// its instance is kept.
pub(super) struct Driver(Option<JoinHandle<Result<(), Fault>>>);

impl Driver {
    /// Lets a guest go on, which has not ended.
    pub(super) fn of(mut guest: Guest) -> Option<Self> {
        let task = guest.run.take().map(tokio::spawn)?;
        Some(Self(Some(task).filter(|_| !guest.is_kept)))
    }

    /// Lets the guest go on to its own end, or that of its time.
    fn let_go(mut self) {
        drop(self.0.take());
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

/// Returns the length of an answer's body, if it is known beforehand.
pub(super) fn length(parts: &Parts, is_head: bool) -> Option<u64> {
    if is_head || matches!(parts.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
        return Some(0);
    }
    parts.headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The body of an answer, which its guest may still be writing.
pub struct Answer {
    begun: Beginning,
    body: WasiBody,
    /// Whether its guest failed before it had written all of it.
    broken: Arc<AtomicBool>,
    driver: Option<Driver>,
    /// The bytes that are still to come, if that is known.
    left: Option<u64>,
}

impl Answer {
    pub(super) fn new(
        begun: Beginning,
        body: WasiBody,
        broken: Arc<AtomicBool>,
        driver: Option<Driver>,
        left: Option<u64>,
    ) -> Self {
        Self { begun, body, broken, driver, left }
    }

    fn passed(&mut self, frame: Frame<Bytes>) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        if let (Some(left), Some(data)) = (&mut self.left, frame.data_ref()) {
            *left = left.saturating_sub(data.len() as u64);
        }
        Poll::Ready(Some(Ok(frame)))
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        if let Some(frame) = self.begun.frames.pop_front() {
            return self.passed(frame);
        }
        if let Some(error) = self.begun.error.take() {
            return Poll::Ready(Some(Err(error)));
        }
        if self.begun.is_whole {
            return Poll::Ready(None);
        }
        match ready!(Pin::new(&mut self.body).poll_frame(context)) {
            Some(Ok(frame)) => self.passed(frame),
            Some(Err(error)) => Poll::Ready(Some(Err(error))),
            // What was written is sent, but never with an end that looks like that of a whole answer.
            None if self.broken.swap(false, Ordering::AcqRel) => {
                Poll::Ready(Some(Err(HttpError::HttpResponseIncomplete)))
            }
            None => {
                self.begun.is_whole = true;
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.begun.is_whole && self.begun.frames.is_empty()
    }

    /// Says nothing but of a whole answer whose head says nothing: what a hint leaves out would be cut off, and a length in the
    /// head is held by whoever writes it.
    fn size_hint(&self) -> SizeHint {
        let frames = &self.begun.frames;
        if self.begun.is_whole && self.left.is_none() && frames.iter().all(Frame::is_data) {
            let bytes = frames.iter().filter_map(Frame::data_ref).map(|data| data.len() as u64);
            return SizeHint::with_exact(bytes.sum());
        }
        SizeHint::default()
    }
}

impl Drop for Answer {
    /// Lets a guest that has answered do what it does afterwards. One whose answer nobody reads to its end is given up.
    fn drop(&mut self) {
        let is_answered = self.begun.is_whole || self.left == Some(0);
        if let Some(driver) = self.driver.take().filter(|_| is_answered) {
            driver.let_go();
        }
    }
}
