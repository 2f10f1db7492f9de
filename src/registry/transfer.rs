//! Downloads a blob: resumed where the connection broke, proven by length and digest.

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE};

use super::host::{Host, TRIES, back_off};
use super::{Artifact, Error, Step, Watcher};
use crate::reference::{Digest, Hasher};

/// What of a blob is here already.
#[derive(Default)]
struct Received {
    bytes: Vec<u8>,
    hasher: Hasher,
}

impl Received {
    fn take(&mut self, piece: &[u8]) {
        self.hasher.update(piece);
        self.bytes.extend_from_slice(piece);
    }

    fn length(&self) -> u64 {
        self.bytes.len() as u64
    }
}

/// A blob as a manifest names it.
#[derive(Clone, Copy)]
pub(super) struct Named<'a> {
    /// The artifact, for messages.
    pub(super) reference: &'a str,
    pub(super) digest: Digest,
    /// In bytes.
    pub(super) size: u64,
}

/// How an attempt ended that did not fail for good.
enum Attempt {
    Complete,
    /// The connection broke, or the registry said less than it had.
    Broken(String),
}

/// Gets a blob. Nothing of it is on disk before it is whole and proven.
///
/// # Errors
/// [`Error::Length`], [`Error::Altered`], and when it could not be had in spite of several tries.
pub(super) async fn blob(host: &Host, named: Named<'_>, watcher: &dyn Watcher) -> Result<Artifact, Error> {
    let Named { reference, digest, size } = named;
    let url = host.url(&format!("blobs/{digest}"))?;
    let mut received = Received::default();
    let mut tries = 0;
    loop {
        let before = received.length();
        let broken = match attempt(host, url.clone(), named, &mut received, watcher).await? {
            Attempt::Complete => break,
            Attempt::Broken(what) => what,
        };
        // As long as it goes on, however slowly, it is worth going on.
        tries = if received.length() > before { 1 } else { tries + 1 };
        if tries == TRIES {
            let received = received.length();
            return Err(Error::CutOff { reference: reference.to_owned(), received, size, what: broken });
        }
        tokio::time::sleep(back_off(tries).min(Duration::from_secs(10))).await;
    }
    let is = received.hasher.finish();
    if is != digest {
        return Err(Error::Altered { reference: reference.to_owned(), named: digest, is });
    }
    Ok(Artifact { bytes: Bytes::from(received.bytes), digest })
}

async fn attempt(
    host: &Host,
    url: reqwest::Url,
    named: Named<'_>,
    received: &mut Received,
    watcher: &dyn Watcher,
) -> Result<Attempt, Error> {
    let Named { reference, size, .. } = named;
    let wrong = |found: u64| Error::Length { reference: reference.to_owned(), named: size, found };
    if received.length() == size && size > 0 {
        return Ok(Attempt::Complete);
    }
    let mut answer = host.blob(url, received.length()).await?;
    if answer.status() == StatusCode::OK {
        // It may know nothing of ranges, and begins anew.
        *received = Received::default();
        let length = answer.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        if let Some(length) = length.filter(|length| *length != size) {
            return Err(wrong(length));
        }
    } else if !continues(&answer, received.length()) {
        return Err(host.answer("it goes on with other bytes than it was asked for".to_owned()));
    }
    loop {
        match answer.chunk().await {
            Ok(Some(chunk)) if received.length() + chunk.len() as u64 > size => {
                return Err(wrong(received.length() + chunk.len() as u64));
            }
            Ok(Some(chunk)) => {
                received.take(&chunk);
                watcher.saw(Step::Received { bytes: received.length(), of: size });
            }
            // Whatever becomes of a connection that has brought everything.
            Ok(None) | Err(_) if received.length() == size => return Ok(Attempt::Complete),
            Ok(None) => return Ok(Attempt::Broken("it ended early".to_owned())),
            Err(error) => return Ok(Attempt::Broken(host.unreachable(&error).to_string())),
        }
    }
}

/// Whether a partial answer begins where the last one broke ([RFC 9110, section 14.4][1]).
///
/// [1]: https://www.rfc-editor.org/rfc/rfc9110#section-14.4
fn continues(answer: &reqwest::Response, offset: u64) -> bool {
    let range = answer.headers().get(CONTENT_RANGE).and_then(|value| value.to_str().ok());
    range.and_then(|range| range.strip_prefix("bytes ")?.split_once('-')?.0.parse::<u64>().ok())
        == Some(offset)
}
