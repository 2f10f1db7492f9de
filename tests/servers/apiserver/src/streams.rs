//! Two endpoints that no cluster has, for bodies of any size: `/sink` counts and hashes an upload, `/source`
//! sends the requested number of bytes. Neither keeps more than a piece in memory.

use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;
use hyper::{Method, Response};
use serde_json::json;

use crate::body::{self, Reply};
use crate::log::{RequestBody, Sunk};
use crate::rest::{Failure, number};
use crate::routes::Query;
use crate::server::Shared;
use crate::status::Refused;

/// `/source` repeats the small letters from a to z.
const LETTERS: u64 = 26;

/// Receives an upload by `POST` or `PUT`: answers `{"bytes": N, "sha256": "…"}` when the whole body has
/// arrived.
pub(crate) async fn sink(
    shared: &Arc<Shared>,
    method: &Method,
    body: &mut RequestBody,
) -> Result<Response<Reply>, Failure> {
    if !matches!(*method, Method::POST | Method::PUT) {
        return Err(Refused::method_not_allowed().into());
    }
    let (mut digest, mut bytes) = (Context::new(&SHA256), 0);
    while let Some(data) = body.next().await? {
        digest.update(&data);
        bytes += data.len() as u64;
    }
    let sha256 = hexadecimal(digest.finish().as_ref());
    let answer = body::document(200, &json!({ "bytes": bytes, "sha256": sha256 }));
    shared.log.add_sunk(Sunk { bytes, sha256 });
    Ok(answer)
}

/// `GET ?bytes=N`: sends N bytes in pieces of `chunk` (64 KiB, 1 MiB at most), with `length=1` with a
/// `Content-Length`, otherwise chunked. They are generated only as fast as they are read.
pub(crate) fn source(method: &Method, query: &Query) -> Result<Response<Reply>, Refused> {
    if *method != Method::GET {
        return Err(Refused::method_not_allowed());
    }
    let bytes = number(query.get("bytes").unwrap_or("0"), "bytes")?;
    let chunk = number(query.get("chunk").unwrap_or("65536"), "chunk")?.clamp(1, 1 << 20);
    let letters: Bytes = (b'a'..=b'z').cycle().take(usize::try_from(chunk + LETTERS).unwrap_or(0)).collect();
    let mut sent = 0;
    let pieces = std::iter::from_fn(move || {
        let size = chunk.min(bytes - sent);
        let start = usize::try_from(sent % LETTERS).ok()?;
        sent += size;
        (size > 0).then(|| letters.slice(start..start + usize::try_from(size).unwrap_or(0)))
    });
    let length = query.flag("length").then_some(bytes);
    Ok(body::answer(200, "application/octet-stream", body::stream(pieces, length)))
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
