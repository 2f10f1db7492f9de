//! One request: logged, authenticated, subjected to the faults, answered.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, CONTENT_LENGTH, HeaderName, HeaderValue};
use hyper::{Method, Request, Response};

use crate::body::{self, Logged, Reply, Shape, Shaped};
use crate::faults::{Action, Committed};
use crate::identity::{self, Identity};
use crate::log::{Answer, Entry, Received, RequestBody, Upload, pairs};
use crate::rest::{self, Asked, Failure};
use crate::routes::{self, Query, Route};
use crate::server::Shared;
use crate::status::Refused;
use crate::watch;
use crate::wire::Wire;

/// So much of a body is still read after an early answer, as in Go's `net/http`.
const DRAINED: u64 = 256 * 1024;

/// One connection as its requests see it.
pub(crate) struct Connection {
    pub(crate) number: u64,
    pub(crate) hello: Hello,
    pub(crate) certificate: Option<Identity>,
    pub(crate) wire: Arc<Wire>,
}

/// The client's server name and certificate subject, from the handshake.
#[derive(Default)]
pub(crate) struct Hello {
    pub(crate) server_name: Option<String>,
    pub(crate) subject: Option<String>,
}

/// Answers `request`; an error cuts the connection.
pub(crate) async fn serve(
    shared: Arc<Shared>,
    connection: Arc<Connection>,
    request: Request<Incoming>,
) -> Result<Response<Reply>, io::Error> {
    let (head, incoming) = request.into_parts();
    let target = head.uri.path_and_query().map_or_else(|| head.uri.to_string(), ToString::to_string);
    let identity = identity::of_request(connection.certificate.as_ref(), &head.headers, &shared.credentials);
    let entry = shared.log.begin(Received {
        connection: connection.number,
        server_name: connection.hello.server_name.clone(),
        certificate: connection.hello.subject.clone(),
        method: head.method.to_string(),
        target: target.clone(),
        headers: pairs(&head.headers),
        trailers: Vec::new(),
        user: identity.as_ref().ok().map(|identity| identity.user.clone()),
        bytes: 0,
        upload: Upload::Open,
        status: None,
        sent: 0,
        answer: Answer::Pending,
    });
    let identity =
        identity.or_else(|refused| if shared.takes_anybody { Ok(Identity::default()) } else { Err(refused) });
    let mut body = RequestBody::new(incoming, entry.clone());
    let (route, query) = (routes::route(&shared.base, &target), Query::of(&target));
    let path = routes::path_below(&shared.base, &target);
    let is_watch = is_watch(&head.method, &route, &query);
    let Committed { action, headers } = shared.faults.take(head.method.as_str(), &path, is_watch);
    // From here on, so that a release during the handling counts.
    let released = shared.faults.released();

    let early = early_answer(&action, is_watch, &connection.wire);
    let answered = match (early, identity) {
        (Some(early), _) => early.map_err(Failure::Refused),
        (None, Err(refused)) => Err(refused.into()),
        (None, Ok(identity)) => {
            let events = if let Action::EndWatch { after } = action { Some(after) } else { None };
            let asked = Asked { method: head.method, headers: head.headers, query, route, identity, events };
            rest::handle(&shared, asked, &mut body).await
        }
    };
    let mut response = match answered {
        Ok(response) => response,
        Err(Failure::Refused(refused)) => body::document(refused.code(), &refused.to_status()),
        Err(Failure::Aborted) => return Err(io::ErrorKind::ConnectionAborted.into()),
    };
    let aborted = |_| io::Error::from(io::ErrorKind::ConnectionAborted);
    if !body.drain(DRAINED).await.map_err(aborted)? {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response = with_headers(response, &headers);
    entry.update(|received| {
        // In these cases, something other than an answer with that status is sent.
        received.status =
            (!matches!(action, Action::CutHead(_) | Action::Raw(_))).then(|| response.status().as_u16());
    });
    let response = shape(response, action, released, &connection.wire).await?;
    Ok(logged(response, entry))
}

fn is_watch(method: &Method, route: &Route, query: &Query) -> bool {
    match route {
        Route::Collection { watch, .. } => *method == Method::GET && (*watch || query.flag("watch")),
        _ => false,
    }
}

/// Returns the answer of a fault that needs no handling of the request.
fn early_answer(action: &Action, is_watch: bool, wire: &Wire) -> Option<Result<Response<Reply>, Refused>> {
    match action {
        Action::Status { code, body } => {
            let known = (200..=599).contains(code);
            let code = if known { *code } else { 500 };
            let default = || Refused::new(code, "a fault of the test server").to_status();
            Some(Ok(body::document(code, &body.clone().unwrap_or_else(default))))
        }
        Action::Gone => {
            let refused = Refused::expired("too old resource version: 1 (2)");
            let line = is_watch.then(|| body::json(200, watch::error_line(&refused)));
            Some(line.ok_or(refused))
        }
        Action::Raw(bytes) => {
            wire.replace_answer(Bytes::from(bytes.clone()));
            Some(Ok(closing(body::json(200, Bytes::new()))))
        }
        Action::CutHead(_) => Some(Ok(body::json(200, Bytes::new()))),
        _ => None,
    }
}

async fn shape(
    response: Response<Reply>,
    action: Action,
    released: impl Future<Output = ()> + Send + 'static,
    wire: &Arc<Wire>,
) -> Result<Response<Reply>, io::Error> {
    let shape = match action {
        Action::StallHead => {
            released.await;
            return Ok(response);
        }
        Action::CutHead(how) => {
            wire.cut(how);
            return Err(io::Error::other("a fault cut the connection"));
        }
        Action::ContentLength(length) => return announce(response, length, wire).await,
        Action::StallBody { after } => Shape::Stall { after, release: Box::pin(released) },
        Action::CutBody { after, how } => Shape::Cut { after, how, wire: Arc::clone(wire) },
        Action::Slow { bytes, every } => Shape::slow(bytes, every),
        Action::None | Action::Status { .. } | Action::Raw(_) | Action::EndWatch { .. } | Action::Gone => {
            return Ok(response);
        }
    };
    Ok(response.map(|inner| Shaped::new(inner, shape).boxed_unsync()))
}

/// Sends the answer past the HTTP library, which would not announce a wrong length.
async fn announce(response: Response<Reply>, length: u64, wire: &Wire) -> Result<Response<Reply>, io::Error> {
    let (mut head, body) = response.into_parts();
    let body = body.collect().await?.to_bytes();
    head.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    let reason = head.status.canonical_reason().unwrap_or_default();
    let mut raw = format!("HTTP/1.1 {} {reason}\r\n", head.status.as_str()).into_bytes();
    for (name, value) in &head.headers {
        raw.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    raw.extend_from_slice(b"\r\n");
    raw.extend_from_slice(&body);
    wire.replace_answer(Bytes::from(raw));
    Ok(closing(Response::from_parts(head, body::whole(body))))
}

fn closing(mut response: Response<Reply>) -> Response<Reply> {
    response.headers_mut().remove(CONTENT_LENGTH);
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

fn with_headers(mut response: Response<Reply>, headers: &[(String, String)]) -> Response<Reply> {
    for (name, value) in headers {
        let parsed = (HeaderName::try_from(name), HeaderValue::try_from(value));
        let (Ok(name), Ok(value)) = parsed else {
            let refused = Refused::new(500, format!("the fault's header {name} is none that HTTP allows"));
            return body::document(500, &refused.to_status());
        };
        if response.headers_mut().try_append(name, value).is_err() {
            return body::document(500, &Refused::new(500, "the fault has too many headers").to_status());
        }
    }
    response
}

fn logged(response: Response<Reply>, entry: Entry) -> Response<Reply> {
    entry.update(|received| received.answer = Answer::Open);
    response.map(|inner| Logged::new(inner, entry).boxed_unsync())
}
