//! Sends kube-rs' requests through `wasi:http/client` of WASI 0.3, as a `tower::Service`.
//!
//! What the host gives cannot be sent to another thread, which kube-rs asks for: it stays in a task of its own, and
//! channels lead there.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::channel::{mpsc, oneshot};
use futures::{SinkExt as _, StreamExt as _};
use http::{Request, Response, header};
use http_body::{Body as _, Frame};
use http_body_util::StreamBody;
use kube::client::Body;
use wasip3::http::client;
use wasip3::http::types::{ErrorCode, Response as Answer};
use wasip3::http_compat::http_into_wasi_request;
use wasip3::wit_bindgen::{StreamResult, spawn_local};
use wasip3::wit_future;

/// As much as one read asks for.
const CHUNK: usize = 256 * 1024;

/// Sends each request to the host that its URI names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WasiHttp;

/// A request that did not lead to an answer, or an answer that broke off.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("no answer: {0:?}")]
    Code(ErrorCode),
    #[error("no answer: its task ended")]
    Ended,
}

type Pieces = Pin<Box<dyn futures::Stream<Item = Result<Frame<Bytes>, Failure>> + Send>>;
type Incoming = StreamBody<Pieces>;

impl tower::Service<Request<Body>> for WasiHttp {
    type Response = Response<Incoming>;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Incoming>, Failure>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (tell, told) = oneshot::channel();
        spawn_local(async move {
            drop(tell.send(exchange(request).await));
        });
        Box::pin(async move { told.await.unwrap_or(Err(Failure::Ended)) })
    }
}

async fn exchange(mut request: Request<Body>) -> Result<Response<Incoming>, Failure> {
    // As hyper does it: without a length the body goes in chunks.
    if let Some(length) = request.body().size_hint().exact().filter(|length| *length > 0) {
        request.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    }
    let request = http_into_wasi_request(request).map_err(Failure::Code)?;
    let answer = client::send(request).await.map_err(Failure::Code)?;
    let mut builder = Response::builder().status(answer.get_status_code());
    for (name, value) in answer.get_headers().copy_all() {
        builder = builder.header(name, value);
    }
    let (sender, receiver) = mpsc::channel(0);
    spawn_local(async move {
        // Of a reader that wants no more there is no one to tell.
        drop(copy(answer, sender).await);
    });
    let pieces: Pieces = Box::pin(receiver.map(|piece: Result<Bytes, Failure>| piece.map(Frame::data)));
    builder.body(StreamBody::new(pieces)).map_err(|_| Failure::Ended)
}

/// Copies an answer to its end, no faster than it is read.
async fn copy(answer: Answer, mut to: mpsc::Sender<Result<Bytes, Failure>>) -> Result<(), mpsc::SendError> {
    let (read, read_reader) = wit_future::new(|| Ok(()));
    let (mut body, ended) = Answer::consume_body(answer, read_reader);
    // Its default says that it is read.
    drop(read);
    loop {
        let (result, bytes) = body.read(Vec::with_capacity(CHUNK)).await;
        match result {
            StreamResult::Complete(_) => to.send(Ok(bytes.into())).await?,
            StreamResult::Dropped | StreamResult::Cancelled => break,
        }
    }
    drop(body);
    match ended.await {
        Ok(_) => Ok(()),
        Err(code) => to.send(Err(Failure::Code(code))).await,
    }
}
