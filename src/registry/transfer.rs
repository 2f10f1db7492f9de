//! Downloads blobs: resumed after a broken connection, and proven by length and digest.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, TRANSFER_ENCODING};
use http::{StatusCode, Version};
use reqwest::Url;

use super::host::Host;
use super::media_types::{DOCKER_INDEX, DOCKER_MANIFEST, INDEX, LONGEST_MANIFEST, MANIFEST};
use super::server::{TRIES, back_off};
use super::{Artifact, Error, Step, Watcher};
use crate::reference::{Digest, Hasher};

/// The part of a blob that has arrived.
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
    /// The size in bytes.
    pub(super) size: u64,
}

/// The result of an attempt that did not fail permanently.
enum Attempt {
    Complete,
    /// The connection broke, or the response was shorter than announced.
    Broken(String),
}

/// The largest number of attempts for one blob, however much each of them transfers.
const MOST_ATTEMPTS: u32 = 100;

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Decides how long to continue a transfer.
#[derive(Default)]
struct RetryBudget {
    /// The largest number of bytes at the end of an attempt. A registry without ranges starts again each
    /// time, which is progress only beyond this number.
    best: u64,
    /// The number of failures since the last progress.
    tries: u32,
    attempts: u32,
}

impl RetryBudget {
    /// Returns the delay before the next attempt after one that ended with this many bytes, or `None` to give
    /// up.
    fn after(&mut self, received: u64) -> Option<Duration> {
        self.attempts += 1;
        // As long as it goes on, however slowly, it is worth going on.
        self.tries = if received > self.best { 1 } else { self.tries + 1 };
        self.best = self.best.max(received);
        (self.tries < TRIES && self.attempts < MOST_ATTEMPTS).then(|| back_off(self.tries).min(LONGEST_PAUSE))
    }
}

/// Gets a blob. Nothing is written to disk before it is complete and proven.
///
/// # Errors
/// [`Error::Length`], [`Error::Altered`], or an error if it could not be fetched after several tries.
pub(super) async fn blob(host: &Host, named: Named<'_>, watcher: &dyn Watcher) -> Result<Artifact, Error> {
    let Named { reference, digest, size } = named;
    let url = host.server.url(&format!("blobs/{digest}"))?;
    let mut received = Received::default();
    let mut budget = RetryBudget::default();
    loop {
        let broken = match attempt(host, url.clone(), named, &mut received, watcher).await? {
            Attempt::Complete => break,
            Attempt::Broken(what) => what,
        };
        let Some(pause) = budget.after(received.length()) else {
            let received = received.length();
            return Err(Error::CutOff { reference: reference.to_owned(), received, size, what: broken });
        };
        tokio::time::sleep(pause).await;
    }
    let is = received.hasher.finish();
    if is != digest {
        return Err(Error::Altered { reference: reference.to_owned(), named: digest, is });
    }
    Ok(Artifact::with_digest(received.bytes, digest))
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
        // It may not support ranges, and start from the beginning.
        *received = Received::default();
        let length = answer.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        if let Some(length) = length.filter(|length| *length != size) {
            return Err(wrong(length));
        }
    } else if !continues(&answer, received.length()) {
        return Err(host.server.answer("it continues with bytes other than those requested".to_owned()));
    }
    let is_whole = answer.status() == StatusCode::OK && is_delimited(&answer);
    // No more than [`super::LIMIT`]; a promise that is not kept takes no memory.
    received.bytes.reserve_exact(usize::try_from(size - received.length()).unwrap_or(0));
    loop {
        match answer.chunk().await {
            Ok(Some(chunk)) if received.length() + chunk.len() as u64 > size => {
                return Err(wrong(received.length() + chunk.len() as u64));
            }
            Ok(Some(chunk)) => {
                received.take(&chunk);
                watcher.saw(Step::Received { bytes: received.length(), of: size });
            }
            // The connection may end in any way once all bytes have arrived.
            Ok(None) | Err(_) if received.length() == size => return Ok(Attempt::Complete),
            Ok(None) if is_whole => return Err(wrong(received.length())),
            Ok(None) => return Ok(Attempt::Broken("it ended early".to_owned())),
            Err(error) => return Ok(Attempt::Broken(host.server.unreachable(&error).to_string())),
        }
    }
}

/// Returns whether the end of a response is marked, so that a cut connection is recognised. If the end of the
/// connection is the end of the response, it may as well have been cut ([RFC 9112, section 6.3][1]). A
/// response with a length is marked anyway.
///
/// [1]: https://www.rfc-editor.org/rfc/rfc9112#section-6.3
fn is_delimited(answer: &reqwest::Response) -> bool {
    answer.version() >= Version::HTTP_2 || answer.headers().contains_key(TRANSFER_ENCODING)
}

/// Returns whether a partial response begins where the last one ended ([RFC 9110, section 14.4][1]).
///
/// [1]: https://www.rfc-editor.org/rfc/rfc9110#section-14.4
fn continues(answer: &reqwest::Response, offset: u64) -> bool {
    let range = answer.headers().get(CONTENT_RANGE).and_then(|value| value.to_str().ok());
    range.and_then(|range| range.strip_prefix("bytes ")?.split_once('-')?.0.parse::<u64>().ok())
        == Some(offset)
}

/// Gets a manifest or an index, and proves its digest: the requested one, and the one that its registry
/// names.
pub(super) async fn proven(
    host: &Host,
    reference: &str,
    url: Url,
    digest: Option<Digest>,
) -> Result<Option<(Bytes, Digest)>, Error> {
    let accept = [MANIFEST, DOCKER_MANIFEST, INDEX, DOCKER_INDEX].join(", ");
    let Some(document) = host.document(url, &accept, LONGEST_MANIFEST).await? else { return Ok(None) };
    let is = Digest::of(&document.bytes);
    let said =
        document.headers.get("docker-content-digest").and_then(|value| value.to_str().ok()?.parse().ok());
    match [digest, said].into_iter().flatten().find(|named| *named != is) {
        Some(named) => Err(Error::Altered { reference: reference.to_owned(), named, is }),
        None => Ok(Some((document.bytes, is))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transfer_that_goes_on_is_gone_on_with_until_it_is_one_attempt_too_many() {
        let mut budget = RetryBudget::default();
        assert!((1..u64::from(MOST_ATTEMPTS)).all(|received| budget.after(received).is_some()));
        assert_eq!(budget.after(u64::from(MOST_ATTEMPTS)), None);
    }

    #[test]
    fn a_transfer_that_breaks_here_and_there_is_given_up_unless_it_gets_further_than_ever() {
        let mut budget = RetryBudget::default();
        for received in [20, 10, 19, 20] {
            assert!(budget.after(received).is_some(), "{received}");
        }
        assert_eq!(budget.after(15), None);
        let mut budget = RetryBudget::default();
        assert!([20, 10, 19, 20, 21, 5, 5, 5].iter().all(|received| budget.after(*received).is_some()));
        assert_eq!(budget.after(5), None);
    }

    #[test]
    fn the_pause_grows_only_as_long_as_nothing_comes() {
        let mut budget = RetryBudget::default();
        let pauses: Vec<_> = [5, 5, 5, 6].iter().map(|received| budget.after(*received)).collect();
        assert_eq!(pauses[0], pauses[3]);
        assert!(pauses[0] < pauses[1] && pauses[1] < pauses[2]);
    }
}
