//! `dials URL [--method M] [--header 'N: V']… [--body TEXT]`: sends one request, exactly as it is written, and prints
//! `status N`, the headers and the body of the answer. A failure prints its `error-code` to standard error and ends
//! with 1.
//!
//! The URL goes to wasi:http untouched: scheme up to `://`, authority up to the first `/` or `?`, the rest as it is.

mod request;

use request::Request;
use std::io::{self, Write};
use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    Fields, HeaderError, IncomingResponse, Method, OutgoingBody, OutgoingRequest, Scheme,
};
use wasip2::io::streams::StreamError;

fn main() {
    let Some(request) = Request::parse(std::env::args().skip(1)) else {
        eprintln!("usage: dials URL [--method M] [--header 'N: V']... [--body TEXT]");
        kube_guest::exit(2)
    };
    match dial(&request).and_then(|response| print(&response)) {
        Ok(()) => {}
        Err(why) => {
            eprintln!("dials: {why}");
            kube_guest::exit(1)
        }
    }
}

fn dial(request: &Request) -> Result<IncomingResponse, String> {
    let fields = Fields::new();
    for (name, value) in &request.headers {
        fields
            .append(name, value.as_bytes())
            .map_err(|error| format!("header {name}: {}", header_error(error)))?;
    }
    let outgoing = OutgoingRequest::new(fields);
    let refused = |what: &'static str| move |()| format!("{what}: not well-formed");
    outgoing.set_method(&method(&request.method)).map_err(refused("method"))?;
    outgoing.set_scheme(request.scheme.as_deref().map(scheme).as_ref()).map_err(refused("scheme"))?;
    outgoing.set_authority(request.authority.as_deref()).map_err(refused("authority"))?;
    outgoing.set_path_with_query(request.path.as_deref()).map_err(refused("path"))?;
    let body = outgoing.body().map_err(refused("body"))?;
    let answer = outgoing_handler::handle(outgoing, None).map_err(name)?;
    if let Some(text) = &request.body {
        let stream = body.write().map_err(refused("body"))?;
        // As much as one such call may carry, says wasi:io.
        for piece in text.as_bytes().chunks(4096) {
            stream.blocking_write_and_flush(piece).map_err(|error| format!("body: {error}"))?;
        }
    }
    OutgoingBody::finish(body, None).map_err(name)?;
    answer.subscribe().block();
    match answer.get() {
        Some(Ok(Ok(response))) => Ok(response),
        Some(Ok(Err(code))) => Err(name(code)),
        Some(Err(())) | None => Err("no answer".to_owned()),
    }
}

fn print(response: &IncomingResponse) -> Result<(), String> {
    let mut out = io::stdout().lock();
    let text = |error: io::Error| error.to_string();
    writeln!(out, "status {}", response.status()).map_err(text)?;
    for (name, value) in response.headers().entries() {
        writeln!(out, "{name}: {}", String::from_utf8_lossy(&value)).map_err(text)?;
    }
    writeln!(out).map_err(text)?;
    let body = response.consume().map_err(|()| "no body".to_owned())?;
    let stream = body.stream().map_err(|()| "no stream".to_owned())?;
    loop {
        match stream.blocking_read(kube_guest::CHUNK) {
            Ok(chunk) => out.write_all(&chunk).map_err(text)?,
            Err(StreamError::Closed) => return out.flush().map_err(text),
            Err(StreamError::LastOperationFailed(error)) => {
                let code = wasip2::http::types::http_error_code(&error);
                return Err(code.map_or_else(|| error.to_debug_string(), name));
            }
        }
    }
}

/// `HTTP-request-denied`, with what the host added.
fn name(code: wasip2::http::types::ErrorCode) -> String {
    let transport = kube_guest::Transport::from(code);
    format!("{} ({transport})", transport.code())
}

fn header_error(error: HeaderError) -> &'static str {
    match error {
        HeaderError::InvalidSyntax => "invalid-syntax",
        HeaderError::Forbidden => "forbidden",
        HeaderError::Immutable => "immutable",
    }
}

fn method(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "CONNECT" => Method::Connect,
        "OPTIONS" => Method::Options,
        "TRACE" => Method::Trace,
        "PATCH" => Method::Patch,
        other => Method::Other(other.to_owned()),
    }
}

fn scheme(name: &str) -> Scheme {
    match name {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.to_owned()),
    }
}
