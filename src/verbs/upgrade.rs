//! `kwasm upgrade [NAME…]` and `kwasm outdated`.

use semver::Version;
use serde::Serialize;

use crate::catalogue::{Catalogue, Offer};
use crate::cli::Output;
use crate::environment::Environment;
use crate::reference::{Digest, Listed, PluginName, Source};
use crate::registry::{Found, Manifest};
use crate::store::{Receipt, Store};

use super::consent::{Choice, Consent};
use super::fetch::{Fetched, Fetcher};
use super::install::{prepare, put};
use super::listed;
use super::table::Table;
use super::{Ending, Error, Reporter, print};

/// The news about a plugin at its source.
enum News {
    /// The plugin is the newest.
    None,
    /// The plugin came from a file or is pinned by its digest, so there is never a newer one.
    Pinned,
    /// Another artifact.
    Newer(Box<Newer>),
}

/// A newer artifact.
struct Newer {
    source: Source,
    place: Place,
}

/// Where a newer artifact is.
enum Place {
    /// At the source itself.
    There(Found),
    /// Where the source's index says.
    Listed(Offer),
    /// Fetched already, from an object of a cluster.
    Here(Fetched),
}

impl Newer {
    fn version(&self) -> Option<String> {
        match &self.place {
            Place::There(found) => found.version().map(ToString::to_string),
            Place::Listed(offer) => Some(offer.release.version.to_string()),
            Place::Here(fetched) => fetched.version.clone(),
        }
    }

    fn digest(&self) -> Digest {
        match &self.place {
            Place::There(found) => found.manifest().map_or(found.content(), Manifest::digest),
            Place::Listed(offer) => offer.release.digest,
            Place::Here(fetched) => fetched.content.digest(),
        }
    }

    /// Returns whether the tag leads to another artifact than at install.
    fn tag_moved(&self, receipt: &Receipt) -> bool {
        matches!(&self.place, Place::There(found) if tag_moved(receipt, found))
    }
}

/// A newer artifact in `-o json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    name: PluginName,
    version: Option<String>,
    newest: Option<String>,
    digest: Digest,
    newest_digest: Digest,
    source: String,
    /// Whether the same tag leads to another artifact now.
    tag_moved: bool,
}

pub(super) fn upgrade(
    store: &Store,
    environment: &Environment,
    reporter: Reporter,
    names: &[PluginName],
    policy: Option<&str>,
) -> Result<Ending, Error> {
    let choice = policy.map(Choice::read).transpose()?;
    let consent = Consent { environment, reporter, choice, only_growth: true };
    let fetcher = Fetcher::new(environment, store.places(), reporter);
    let all = names.is_empty();
    let mut names = if all { store.names()? } else { names.to_vec() };
    names.sort();
    names.dedup();
    // One plugin's trouble keeps no other from being upgraded.
    let mut troubles = Vec::new();
    for name in names {
        if let Err(error) = upgrade_one(store, &consent, &fetcher, &name, all) {
            troubles.push((name.to_string(), error));
        }
    }
    Error::of_several(troubles).map(|()| Ending::Done)
}

fn upgrade_one(
    store: &Store,
    consent: &Consent<'_>,
    fetcher: &Fetcher<'_>,
    name: &PluginName,
    all: bool,
) -> Result<(), Error> {
    let (receipt, reporter) = (store.receipt(name)?, fetcher.reporter());
    match news(store, fetcher, &receipt)? {
        News::None => reporter.note(&format!("{name}{} is the newest", spaced(receipt.version.as_deref()))),
        News::Pinned if all => {}
        News::Pinned => {
            reporter.note(&format!("{name} is unchanged: {} names no other version", receipt.source));
        }
        News::Newer(newer) => {
            reporter.note(&change(&receipt, &newer));
            let Newer { source, place } = *newer;
            let newest = match place {
                Place::There(found) => fetcher.download(&source, &found, Some(&receipt))?,
                Place::Listed(offer) => listed::fetch(fetcher, &source, &offer, Some(&receipt))?,
                Place::Here(brought) => brought,
            };
            let mut staged = prepare(store, consent, name.clone(), newest, Some(&receipt))?;
            staged.receipt.ask = receipt.ask;
            put(store, consent.environment, reporter, &[staged])?;
        }
    }
    Ok(())
}

pub(super) fn outdated(
    store: &Store,
    environment: &Environment,
    reporter: Reporter,
    output: Output,
) -> Result<Ending, Error> {
    let fetcher = Fetcher::new(environment, store.places(), reporter);
    let (mut rows, mut troubles) = (Vec::new(), Vec::new());
    for name in store.names()? {
        let receipt = store.receipt(&name).map_err(Error::from);
        match receipt.and_then(|receipt| Ok((news(store, &fetcher, &receipt)?, receipt))) {
            Ok((News::Newer(newer), receipt)) => rows.push(row(receipt, &newer)),
            Ok(_) => {}
            Err(error) => troubles.push((name.to_string(), error)),
        }
    }
    if rows.is_empty() && matches!(output, Output::Table | Output::Wide) {
        if troubles.is_empty() {
            reporter.note("every plugin is up to date");
        }
        return Error::of_several(troubles).map(|()| Ending::Done);
    }
    print(&super::table::shown(&rows, output, |wide| table(&rows, wide), |row| row.name.to_string()))?;
    Error::of_several(troubles).map(|()| Ending::Done)
}

fn table(rows: &[Row], wide: bool) -> Table {
    let mut table = Table::new(&["NAME", "VERSION", "NEWEST", "SOURCE"]);
    if wide {
        table = Table::new(&["NAME", "VERSION", "NEWEST", "SOURCE", "DIGEST", "NEWEST DIGEST"]);
    }
    for row in rows {
        let newest = match (&row.newest, row.tag_moved) {
            (_, true) => "same tag, other content".to_owned(),
            (Some(version), false) => version.clone(),
            (None, false) => row.newest_digest.short(),
        };
        let version = row.version.clone().unwrap_or_else(|| row.digest.short());
        let mut cells = vec![row.name.to_string(), version, newest, row.source.clone()];
        if wide {
            cells.extend([row.digest.to_string(), row.newest_digest.to_string()]);
        }
        table.row(cells);
    }
    table
}

fn row(receipt: Receipt, newer: &Newer) -> Row {
    Row {
        tag_moved: newer.tag_moved(&receipt),
        digest: digest(&receipt),
        newest: newer.version(),
        newest_digest: newer.digest(),
        source: receipt.source,
        version: receipt.version,
        name: receipt.name,
    }
}

/// Returns whether the tag leads to another artifact than at install.
fn tag_moved(receipt: &Receipt, found: &Found) -> bool {
    receipt.artifact.as_ref().is_some_and(|artifact| artifact.reference == found.reference())
}

/// Returns the digest by which an installed plugin is pinned.
fn digest(receipt: &Receipt) -> Digest {
    receipt.artifact.as_ref().map_or(receipt.fetched, |artifact| artifact.manifest)
}

fn news(store: &Store, fetcher: &Fetcher<'_>, receipt: &Receipt) -> Result<News, Error> {
    let Ok(source) = receipt.source.parse::<Source>() else { return Ok(News::Pinned) };
    if let Source::Listed(listed) = source {
        return listed_news(store, receipt, &listed);
    }
    if matches!(source, Source::Path(_) | Source::Installed(_)) {
        return Ok(News::Pinned);
    }
    if let Source::Object(_) = source {
        let brought = fetcher.fetch(&source, Some(receipt))?;
        if brought.object != receipt.object {
            let why = "it is not the one that was installed: its uid differs".to_owned();
            return Err(Error::Object { object: source.to_string(), why });
        }
        let is_same = brought.content.digest() == receipt.fetched;
        let newer = || Newer { source, place: Place::Here(brought) };
        return Ok(if is_same { News::None } else { News::Newer(Box::new(newer())) });
    }
    let Some(found) = fetcher.newest(&source)? else { return Ok(News::Pinned) };
    let is_same = match (&receipt.artifact, found.manifest()) {
        (Some(artifact), Some(manifest)) => artifact.manifest == manifest.digest(),
        _ => receipt.fetched == found.content(),
    };
    let is_older = || found.version().is_some_and(|version| is_older(receipt, version));
    let source = match (&source, found.image()) {
        (Source::Image(_), Some(image)) => Source::Image(image.clone()),
        _ => source,
    };
    // A moved tag is reported, whatever the version there.
    let moved = tag_moved(receipt, &found);
    if is_same || (!moved && is_older()) {
        return Ok(News::None);
    }
    Ok(News::Newer(Box::new(Newer { source, place: Place::There(found) })))
}

/// Returns the news about a plugin in the index that it came from, as that is kept: no registry is asked.
fn listed_news(store: &Store, receipt: &Receipt, listed: &Listed) -> Result<News, Error> {
    let offer = Catalogue::find(store, &listed.unpinned())?;
    let named = offer.release.digest;
    // What the index names may be a list, in which the manifest of the plugin is the only one.
    let was_pinned = || {
        let artifact = receipt.artifact.as_ref();
        artifact.is_some_and(|artifact| artifact.reference.ends_with(&format!("@{named}")))
    };
    if digest(receipt) == named || was_pinned() || is_older(receipt, &offer.release.version) {
        return Ok(News::None);
    }
    Ok(News::Newer(Box::new(Newer {
        source: Source::Listed(listed.unpinned()),
        place: Place::Listed(offer),
    })))
}

/// Returns whether a version is older than the installed one: that was withdrawn then, which is not a reason to
/// go back.
fn is_older(receipt: &Receipt, version: &Version) -> bool {
    let installed = receipt.version.as_ref().and_then(|version| version.parse::<Version>().ok());
    installed.is_some_and(|installed| *version < installed)
}

/// Describes a change.
fn change(receipt: &Receipt, newer: &Newer) -> String {
    let name = &receipt.name;
    let (is, becomes, version) = (digest(receipt), newer.digest(), newer.version());
    let (from, to) = (spaced(receipt.version.as_deref()), spaced(version.as_deref()));
    format!("{name}: from{from} ({}) to{to} ({})", is.short(), becomes.short())
}

fn spaced(version: Option<&str>) -> String {
    version.map_or_else(String::new, |version| format!(" {version}"))
}
