//! Requests, as `wasi:http` sends them.

use crate::{Error, Transport, for_terminal_line};
use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    Fields, FutureIncomingResponse, HeaderError, Method, OutgoingBody, OutgoingRequest, Scheme,
};

/// Begins a request. Its body is to be written, or finished, before an answer is to be expected.
pub(crate) fn start(
    scheme: &Scheme,
    authority: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> Result<(OutgoingBody, FutureIncomingResponse), Error> {
    let fields = Fields::new();
    for (name, value) in headers {
        fields.append(name, value.as_bytes()).map_err(|error| {
            let why = match error {
                HeaderError::Forbidden => "plugins may not set it",
                HeaderError::InvalidSyntax | HeaderError::Immutable => "not well-formed",
            };
            invalid(&format!("header `{}`", for_terminal_line(name)), why)
        })?;
    }
    let request = OutgoingRequest::new(fields);
    let malformed = |what: &str| invalid(what, "not well-formed");
    request.set_method(&method_of(method)).map_err(|()| malformed("method"))?;
    request.set_scheme(Some(scheme)).map_err(|()| malformed("scheme"))?;
    request.set_authority(Some(authority)).map_err(|()| malformed("server"))?;
    request.set_path_with_query(Some(path)).map_err(|()| malformed("path"))?;
    let body = request.body().map_err(|()| malformed("body"))?;
    let answer = outgoing_handler::handle(request, None).map_err(Transport::from)?;
    Ok((body, answer))
}

fn invalid(what: &str, why: &str) -> Error {
    Error::Request { what: what.to_owned(), why: why.to_owned() }
}

fn method_of(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "OPTIONS" => Method::Options,
        "PATCH" => Method::Patch,
        other => Method::Other(other.to_owned()),
    }
}
