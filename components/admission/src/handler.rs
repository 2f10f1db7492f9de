//! A review over HTTP, by `wasi:http` 0.2.

use wasip2::http::types::{
    Fields, IncomingBody, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam,
};

use crate::{Admit, Request};

const PLAIN: &str = "text/plain; charset=utf-8";

/// Answers a review by the verdict of `A`. What [`export!`](crate::export) calls.
pub fn handle<A: Admit>(request: &IncomingRequest, out: ResponseOutparam) {
    match read(request).and_then(|text| Request::read(&text)) {
        Ok(request) => match A::admit(&request) {
            Ok(verdict) => {
                let review = verdict.review(&request.uid).to_string();
                answer(out, 200, "application/json", review.as_bytes());
            }
            Err(why) => answer(out, 500, PLAIN, format!("{why}\n").as_bytes()),
        },
        Err(why) => answer(out, 400, PLAIN, format!("{why}\n").as_bytes()),
    }
}

/// Reads the whole body.
fn read(request: &IncomingRequest) -> Result<Vec<u8>, String> {
    const CHUNK: u64 = 64 << 10;
    let body = request.consume().map_err(|()| "the request has no body")?;
    let stream = body.stream().map_err(|()| "the request's body is read already")?;
    let mut text = Vec::new();
    // It ends with an error, too.
    while let Ok(chunk) = stream.blocking_read(CHUNK) {
        text.extend_from_slice(&chunk);
    }
    drop(stream);
    drop(IncomingBody::finish(body));
    Ok(text)
}

/// Answers whole. What cannot be sent leaves no answer, which the host tells.
fn answer(out: ResponseOutparam, status: u16, kind: &str, content: &[u8]) {
    const CHUNK: usize = 4096;
    let fields = [("content-type", kind), ("content-length", &content.len().to_string())]
        .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
    let Ok(fields) = Fields::from_list(&fields) else { return };
    let response = OutgoingResponse::new(fields);
    let Ok(body) = response.set_status_code(status).and_then(|()| response.body()) else { return };
    ResponseOutparam::set(out, Ok(response));
    let Ok(stream) = body.write() else { return };
    let sent = content.chunks(CHUNK).try_for_each(|chunk| stream.blocking_write_and_flush(chunk));
    drop(stream);
    if sent.is_ok() {
        drop(OutgoingBody::finish(body, None));
    }
}
