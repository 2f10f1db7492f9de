//! Sends kube-rs' requests through `wasi:http`, as a `tower::Service`.
//!
//! A request blocks the plugin in the host until its answer, or the next piece of it, is there. Bodies are sent and received
//! piece by piece, and never kept whole.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::request::Parts;
use http::response::Builder;
use http::{Method, Request, Response, header};
use http_body::{Body as _, Frame};
use http_body_util::BodyExt as _;
use kube::client::Body;
use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    self, ErrorCode, Fields, FutureIncomingResponse, HeaderError, IncomingBody, IncomingResponse,
    OutgoingBody, OutgoingRequest, Scheme,
};
use wasip2::io::error::Error as StreamFailure;
use wasip2::io::poll;
use wasip2::io::streams::{InputStream, OutputStream, StreamError};

/// The number of bytes read at a time: each read is a call to the host.
const CHUNK: u64 = 256 * 1024;

/// Sends each request to the host that its URI names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WasiHttp;

impl tower::Service<Request<Body>> for WasiHttp {
    type Response = Response<Incoming>;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Incoming>, Failure>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(exchange(request))
    }
}

async fn exchange(request: Request<Body>) -> Result<Response<Incoming>, Failure> {
    let (head, body) = request.into_parts();
    let outgoing = outgoing(&head, body.size_hint().exact())?;
    let sink = outgoing.body().map_err(|()| Failure::Part("body"))?;
    let answer = outgoing_handler::handle(outgoing, None)?;
    if let Some(early) = send(body, &sink, &answer).await? {
        return Ok(early);
    }
    OutgoingBody::finish(sink, None)?;
    wait(&answer)
}

fn outgoing(head: &Parts, length: Option<u64>) -> Result<OutgoingRequest, Failure> {
    let fields = Fields::new();
    let append = |name: &str, value: &[u8]| {
        fields.append(name, value).map_err(|error| Failure::Header(name.to_owned(), error))
    };
    for (name, value) in &head.headers {
        append(name.as_str(), value.as_bytes())?;
    }
    // As hyper does it: without a length the body goes in chunks.
    if let Some(length) = length.filter(|length| *length > 0) {
        append(header::CONTENT_LENGTH.as_str(), length.to_string().as_bytes())?;
    }
    let request = OutgoingRequest::new(fields);
    let scheme = if head.uri.scheme_str() == Some("https") { Scheme::Https } else { Scheme::Http };
    let authority = head.uri.authority().map(http::uri::Authority::as_str);
    let path = head.uri.path_and_query().map(http::uri::PathAndQuery::as_str);
    request.set_method(&method(&head.method)).map_err(|()| Failure::Part("method"))?;
    request.set_scheme(Some(&scheme)).map_err(|()| Failure::Part("scheme"))?;
    request.set_authority(authority).map_err(|()| Failure::Part("server"))?;
    request.set_path_with_query(path).map_err(|()| Failure::Part("path"))?;
    Ok(request)
}

fn method(method: &Method) -> types::Method {
    match *method {
        Method::DELETE => types::Method::Delete,
        Method::GET => types::Method::Get,
        Method::PATCH => types::Method::Patch,
        Method::POST => types::Method::Post,
        Method::PUT => types::Method::Put,
        _ => types::Method::Other(method.to_string()),
    }
}

/// Sends the body no faster than the server takes it. A server that has answered before its end wants no more of it.
async fn send(
    mut body: Body,
    sink: &OutgoingBody,
    answer: &FutureIncomingResponse,
) -> Result<Option<Response<Incoming>>, Failure> {
    let stream = sink.write().map_err(|()| Failure::Part("body"))?;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Failure::Body(error.to_string()))?;
        let Ok(data) = frame.into_data() else { continue };
        let mut rest = &data[..];
        while !rest.is_empty() {
            let written = room(&stream, answer).and_then(|room| {
                let (now, later) = rest.split_at(room.min(rest.len()));
                rest = later;
                if now.is_empty() { Ok(()) } else { stream.write(now) }
            });
            match written {
                Ok(()) => {}
                Err(error) => return stopped(error, answer).map(Some),
            }
        }
    }
    Ok(None)
}

/// Returns how much the server accepts now, waiting if that is nothing; `Closed` if it has answered already.
fn room(stream: &OutputStream, answer: &FutureIncomingResponse) -> Result<usize, StreamError> {
    loop {
        let room = stream.check_write()?;
        if room > 0 {
            return Ok(usize::try_from(room).unwrap_or(usize::MAX));
        }
        let (writable, answered) = (stream.subscribe(), answer.subscribe());
        if !poll::poll(&[&writable, &answered]).contains(&0) {
            return Err(StreamError::Closed);
        }
    }
}

/// Handles a server that takes no more. Its answer explains the reason better than the stream can.
fn stopped(error: StreamError, answer: &FutureIncomingResponse) -> Result<Response<Incoming>, Failure> {
    match error {
        StreamError::Closed => wait(answer),
        StreamError::LastOperationFailed(error) => poll_once(answer).unwrap_or_else(|| Err(error.into())),
    }
}

/// Waits for the answer.
fn wait(answer: &FutureIncomingResponse) -> Result<Response<Incoming>, Failure> {
    loop {
        if let Some(response) = poll_once(answer) {
            return response;
        }
        answer.subscribe().block();
    }
}

/// Returns the answer if it has arrived. It can be taken once.
fn poll_once(answer: &FutureIncomingResponse) -> Option<Result<Response<Incoming>, Failure>> {
    Some(match answer.get()? {
        Ok(Ok(response)) => open(response),
        Ok(Err(code)) => Err(code.into()),
        Err(()) => Err(Failure::Part("the answer")),
    })
}

fn open(response: IncomingResponse) -> Result<Response<Incoming>, Failure> {
    let headers = response.headers().entries();
    let head = Response::builder().status(response.status());
    let head = headers.into_iter().fold(head, |head: Builder, (name, value)| head.header(name, value));
    let body = response.consume().map_err(|()| Failure::Part("the answer's body"))?;
    let stream = body.stream().map_err(|()| Failure::Part("the answer's stream"))?;
    let body = Incoming { stream: Some(stream), _body: body, _response: response };
    head.body(body).map_err(|_| Failure::Part("the answer's head"))
}

/// The body of an answer, which comes as it is read.
#[derive(Debug)]
pub(crate) struct Incoming {
    // The order matters: a stream must be dropped before its body, a body before its response.
    stream: Option<InputStream>,
    _body: IncomingBody,
    _response: IncomingResponse,
}

impl http_body::Body for Incoming {
    type Data = Bytes;
    type Error = Failure;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Failure>>> {
        let Some(stream) = &self.stream else { return Poll::Ready(None) };
        let end = loop {
            match stream.blocking_read(CHUNK) {
                // A stream may wake without having anything to give.
                Ok(chunk) if chunk.is_empty() => {}
                Ok(chunk) => return Poll::Ready(Some(Ok(Frame::data(chunk.into())))),
                Err(StreamError::Closed) => break None,
                Err(StreamError::LastOperationFailed(error)) => break Some(Err(error.into())),
            }
        };
        self.stream = None;
        Poll::Ready(end)
    }
}

/// An exchange that failed below HTTP. The API server's own refusals are answers.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The request's own body broke off, in kube-rs' words.
    Body(String),
    /// `wasi:http`'s error code.
    Code(ErrorCode),
    /// A header that the host takes from no plugin.
    Header(String, HeaderError),
    /// A part of a request or of an answer that the host does not take, or that was taken already.
    Part(&'static str),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body(why) => write!(f, "request body: {why}"),
            // kwasm reports what was wrong, after the plugin's own last message.
            Self::Code(ErrorCode::HttpRequestDenied) => f.write_str("the policy does not allow this request"),
            Self::Code(ErrorCode::InternalError(Some(why))) => f.write_str(why),
            Self::Code(code) => write!(f, "no answer: {code:?}"),
            Self::Header(name, error) => write!(f, "header `{name}`: {error}"),
            Self::Part(part) => write!(f, "{part}: not taken by the host"),
        }
    }
}

impl std::error::Error for Failure {}

impl From<ErrorCode> for Failure {
    fn from(code: ErrorCode) -> Self {
        Self::Code(code)
    }
}

impl From<StreamFailure> for Failure {
    fn from(error: StreamFailure) -> Self {
        let code = types::http_error_code(&error);
        Self::Code(code.unwrap_or_else(|| ErrorCode::InternalError(Some(error.to_debug_string()))))
    }
}
