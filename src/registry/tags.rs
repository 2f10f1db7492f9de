//! The tags of a repository, from any number of pages.

use std::collections::BTreeSet;

use http::header::LINK;
use reqwest::Url;
use serde::Deserialize;

use super::Error;
use super::host::Host;
use super::server::Document;

/// The largest page that is read, in bytes.
const LONGEST: u64 = 8 << 20;

/// The largest number of tags that are read. A repository with more is not a plugin's.
const MOST: usize = 100_000;

/// The largest number of pages that are requested.
const MOST_PAGES: usize = 1_000;

/// The largest length of a [tag][1] in characters. A longer text is not a tag, and is dropped.
///
/// [1]: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests
const LONGEST_TAG: usize = 128;

/// The number of tags from which a registry that names no next page may still have one: most pages are of 100
/// or 1,000.
const PAGE: usize = 100;

#[derive(Deserialize)]
struct Page {
    /// The tags; `null` if there are none.
    tags: Option<Vec<String>>,
}

/// Returns the tags of a repository, or `None` if it does not exist.
///
/// The next page is named by the `Link` of the previous one ([distribution specification][1]). If a registry
/// names none, the tags after the last one are requested as long as the response contains new ones.
///
/// # Errors
/// The errors of [`Host::document`], and an error if a page is invalid or there are too many.
///
/// [1]: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-tags
pub(super) async fn all(host: &Host) -> Result<Option<Vec<String>>, Error> {
    let first = host.server.url("tags/list?n=1000")?;
    let mut next = Some(first.clone());
    let mut tags = BTreeSet::new();
    let mut pages = 0;
    while let Some(url) = next.take() {
        let Some(document) = host.document(url, "application/json", LONGEST).await? else {
            return Ok((pages > 0).then(|| tags.into_iter().collect()));
        };
        pages += 1;
        if pages > MOST_PAGES {
            return Err(host.server.answer(format!("its list of tags has more than {MOST_PAGES} pages")));
        }
        let Page { tags: page } = serde_json::from_slice(&document.bytes)
            .map_err(|error| host.server.answer(format!("its list of tags cannot be read: {error}")))?;
        let page = page.unwrap_or_default();
        let (last, before) = (page.last().cloned(), tags.len());
        let length = page.len();
        tags.extend(page.into_iter().filter(|tag| tag.len() <= LONGEST_TAG));
        if tags.len() > MOST {
            return Err(host.server.answer(format!("it lists more than {MOST} tags")));
        }
        // A page without new tags would be followed by itself forever.
        if tags.len() == before {
            break;
        }
        next = following(host, &document)?.or_else(|| {
            let last = last.filter(|_| length >= PAGE)?;
            let mut url = first.clone();
            url.query_pairs_mut().append_pair("last", &last);
            Some(url)
        });
    }
    Ok(Some(tags.into_iter().collect()))
}

/// Returns the address of the next page, in the notation of [RFC 8288][1]: `</v2/…>; rel="next"`.
///
/// # Errors
/// If it leads to another host, for which the login is not meant.
///
/// [1]: https://www.rfc-editor.org/rfc/rfc8288
pub(super) fn following(host: &Host, document: &Document) -> Result<Option<Url>, Error> {
    let links = document.headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok());
    let next = links.flat_map(|value| value.split(",<")).find(|link| {
        let parameters = link.split_once('>').map_or("", |(_, parameters)| parameters);
        parameters.replace([' ', '"'], "").to_ascii_lowercase().split(';').any(|one| one == "rel=next")
    });
    let Some(target) = next.and_then(|link| link.trim().trim_start_matches('<').split_once('>')) else {
        return Ok(None);
    };
    let url = document
        .url
        .join(target.0)
        .map_err(|_| host.server.answer("the address of its next page is not valid".to_owned()))?;
    if !host.server.owns(&url) {
        return Err(host
            .server
            .answer(format!("its next page is at another host, {}", url.host_str().unwrap_or_default())));
    }
    Ok(Some(url))
}
