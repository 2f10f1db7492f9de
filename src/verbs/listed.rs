//! Plugins of indexes: what an index says of a plugin, proven against what is there.

use crate::catalogue::{Catalogue, Offer};
use crate::inspect::Inspected;
use crate::reference::{Listed, Source};
use crate::registry::{self, Artifact, Found};
use crate::store::{Receipt, Store};

use super::Error;
use super::fetch::{Fetched, Fetcher, from_file};

/// The annotation with the version of an artifact.
const VERSION: &str = "org.opencontainers.image.version";

/// Returns what an index says of a plugin to be installed, or `None` if the source is not one of an index. A
/// bare name is looked up in all indexes, unless a plugin of that name is installed.
///
/// # Errors
/// [`Error::NotFetched`] for the name of an installed plugin, and the errors of [`Catalogue::find`].
pub(super) fn offer(store: &Store, source: &Source) -> Result<Option<Offer>, Error> {
    let listed = match source {
        Source::Installed(name) if store.receipt(name).is_ok() => {
            return Err(Error::NotFetched(name.clone()));
        }
        Source::Installed(name) => Listed::newest(name.clone()),
        Source::Listed(listed) => listed.clone(),
        Source::Image(_) | Source::Object(_) | Source::Package(_) | Source::Path(_) => return Ok(None),
    };
    Ok(Some(Catalogue::find(store, &listed)?))
}

/// Returns the source as a receipt records it: with its index.
pub(super) fn named(source: &Source, offer: &Offer) -> Source {
    let listed = match source {
        Source::Listed(listed) => listed.clone(),
        _ => Listed::newest(offer.listing.name.clone()),
    };
    Source::Listed(Listed { index: Some(offer.index.clone()), ..listed })
}

/// Returns the artifact or the file of a plugin of an index.
///
/// # Errors
/// The same as [`Catalogue::find`], and [`Error::ListedDigest`] for a file that is another one.
pub(super) fn located(store: &Store, listed: &Listed) -> Result<Source, Error> {
    let offer = Catalogue::find(store, listed)?;
    let source = offer.source();
    if let Source::Path(path) = &source {
        check_file(&offer, &Artifact::from_file(path)?)?;
    }
    Ok(source)
}

/// Fetches a plugin of an index: the artifact or file with the digest that the index names, and with the
/// request that it states.
///
/// # Errors
/// [`Error::ListedDigest`], [`Error::ListedVersion`], [`Error::ListedRequest`], and the errors of
/// [`Fetcher::download`].
pub(super) fn fetch(
    fetcher: &Fetcher<'_>,
    source: &Source,
    offer: &Offer,
    previous: Option<&Receipt>,
) -> Result<Fetched, Error> {
    let brought = match offer.source() {
        Source::Path(path) => {
            let read = from_file(&path)?;
            check_file(offer, &read.content)?;
            let version = Some(offer.release.version.to_string());
            Fetched { source: source.to_string(), version, ..read }
        }
        artifact => {
            let found = found(fetcher, offer, &artifact)?;
            fetcher.download(source, &found, previous)?
        }
    };
    // An index describes its newest version.
    if let Some(stated) = offer.listing.request.as_deref().filter(|_| offer.is_newest()) {
        // Whether it can run is reported later.
        let inspected = Inspected::read(brought.content.bytes()).ok();
        if inspected.is_some_and(|inspected| inspected.request() != Some(stated)) {
            return Err(Error::ListedRequest { listed: offer.name() });
        }
    }
    Ok(brought)
}

/// Resolves the artifact that an index names.
fn found(fetcher: &Fetcher<'_>, offer: &Offer, artifact: &Source) -> Result<Found, Error> {
    let found = fetcher.find(artifact).map_err(|error| match error {
        Error::Registry(registry::Error::NotFound(_)) => {
            let there = format!("{} does not have it", offer.listing.source);
            Error::ListedDigest { listed: offer.name(), digest: offer.release.digest, there }
        }
        error => error,
    })?;
    // A digest that is there may be that of another version, with a known hole for example.
    let stated = found.manifest().and_then(|manifest| manifest.annotation(VERSION));
    let stated = stated.and_then(|text| text.strip_prefix('v').unwrap_or(text).parse().ok());
    match stated.filter(|version: &semver::Version| *version != offer.release.version) {
        Some(is) => Err(Error::ListedVersion { listed: offer.name(), is }),
        None => Ok(found),
    }
}

fn check_file(offer: &Offer, content: &Artifact) -> Result<(), Error> {
    let (named, is) = (offer.release.digest, content.digest());
    if is == named {
        return Ok(());
    }
    let there = format!("{} is {is}", offer.source());
    Err(Error::ListedDigest { listed: offer.name(), digest: named, there })
}
