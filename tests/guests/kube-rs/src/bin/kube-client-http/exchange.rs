//! One request through `wasi:http`, as a service that kube-rs takes.

use crate::answer::{self, Incoming};
use crate::failure::Failure;
use http::request::Parts;
use http::{Method, Request, Response, header};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use kube::client::Body;
use std::pin::Pin;
use std::task::{Context, Poll};
use wasip2::http::outgoing_handler;
use wasip2::http::types::{self, Fields, FutureIncomingResponse, OutgoingBody, OutgoingRequest, Scheme};
use wasip2::io::poll;
use wasip2::io::streams::{OutputStream, StreamError};

/// Sends each request to the host that its URI names. It blocks in the host, since the commands have one
/// request at a time. Bodies are sent and received piece by piece, and never kept whole.
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
    answer::wait(&answer)
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
        StreamError::Closed => answer::wait(answer),
        StreamError::LastOperationFailed(error) => answer::poll(answer).unwrap_or_else(|| Err(error.into())),
    }
}
