//! All tags of a repository, over however many pages a registry gives them.

use std::collections::BTreeSet;

use http::header::LINK;
use reqwest::Url;
use serde::Deserialize;

use super::Error;
use super::host::{Document, Host};

/// The longest page that is read, in bytes.
const LONGEST: u64 = 8 << 20;

/// The most tags that are looked at. What has more is no plugin's repository.
const MOST: usize = 100_000;

/// The most pages that are asked for.
const MOST_PAGES: usize = 1_000;

/// The longest that a [tag][1] may be, in characters. What is longer is none, and is not kept.
///
/// [1]: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests
const LONGEST_TAG: usize = 128;

/// From this many tags on a registry that names no next page may still have one: most pages are of 100 or 1,000.
const PAGE: usize = 100;

#[derive(Deserialize)]
struct Page {
    /// `null` where there are none.
    tags: Option<Vec<String>>,
}

/// The tags of a repository; `None` when there is no such repository.
///
/// A next page is named by the `Link` of the last one ([distribution specification][1]). A registry that names none is asked
/// for what comes behind the last tag, as long as it has anything new to say.
///
/// # Errors
/// Those of [`Host::document`], and when a page is none, or there are more than anybody has.
///
/// [1]: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-tags
pub(super) async fn all(host: &Host) -> Result<Option<Vec<String>>, Error> {
    let first = host.url("tags/list?n=1000")?;
    let mut next = Some(first.clone());
    let mut tags = BTreeSet::new();
    let mut pages = 0;
    while let Some(url) = next.take() {
        let Some(document) = host.document(url, "application/json", LONGEST).await? else {
            return Ok((pages > 0).then(|| tags.into_iter().collect()));
        };
        pages += 1;
        if pages > MOST_PAGES {
            return Err(host.answer(format!("its list of tags has more than {MOST_PAGES} pages")));
        }
        let Page { tags: page } = serde_json::from_slice(&document.bytes)
            .map_err(|error| host.answer(format!("its list of tags cannot be read: {error}")))?;
        let page = page.unwrap_or_default();
        let (last, before) = (page.last().cloned(), tags.len());
        let length = page.len();
        tags.extend(page.into_iter().filter(|tag| tag.len() <= LONGEST_TAG));
        if tags.len() > MOST {
            return Err(host.answer(format!("it lists more than {MOST} tags")));
        }
        // A page with nothing new would be followed by itself for ever.
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

/// The address of the next page, as [RFC 8288][1] writes it: `</v2/…>; rel="next"`.
///
/// # Errors
/// When it leads to another host: nobody's login is for that one.
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
        .map_err(|_| host.answer("the address of its next page is not valid".to_owned()))?;
    if !host.owns(&url) {
        return Err(
            host.answer(format!("its next page is at another host, {}", url.host_str().unwrap_or_default()))
        );
    }
    Ok(Some(url))
}
