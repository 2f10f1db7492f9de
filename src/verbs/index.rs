//! `kwasm index add|build|list|publish|remove|update`.

mod changed;
mod make;

use std::env;

use serde::Serialize;

use crate::catalogue::{Catalogue, Head, Index, Kept};
use crate::cli::{IndexCommand, Output};
use crate::environment::Environment;
use crate::reference::{Digest, IndexName, IndexSource, PluginName, Source};
use crate::store::{Origin, Store};

use super::fetch::Fetcher;
use super::install::{now, signed};
use super::progress::Progress;
use super::table::{Table, shown};
use super::{Ending, Error, Reporter, print};

/// An index in `-o json`. All keys are always present.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    name: IndexName,
    source: String,
    plugins: usize,
    revision: u64,
    /// The digest of the index itself.
    digest: Digest,
    /// The digest of its artifact's manifest, if it came from a registry.
    manifest: Option<Digest>,
    signed: bool,
    /// The keys by which signatures were verified.
    signers: Vec<String>,
    updated_at: String,
}

/// An edition of an index that was fetched.
struct Edition {
    /// Its name in messages.
    of: String,
    index: Index,
    text: Vec<u8>,
    artifact: Option<Origin>,
}

pub(super) fn perform(
    store: impl Fn() -> Result<Store, Error>,
    environment: &Environment,
    reporter: Reporter,
    command: IndexCommand,
) -> Result<Ending, Error> {
    match command {
        IndexCommand::Add { name, source } => {
            let store = store()?;
            add(&store, &Fetcher::new(environment, store.places(), reporter), name, source)
        }
        IndexCommand::Build { folder, output, revision } => {
            make::build(environment, reporter, &make::Wish { folder, output, revision })
        }
        IndexCommand::List { output } => list(&store()?, reporter, output),
        IndexCommand::Publish { file, image, key, output } => {
            make::publish(environment, reporter, &file, &image, key.as_deref(), output)
        }
        IndexCommand::Remove { names } => remove(&store()?, reporter, &names),
        IndexCommand::Update { names } => {
            let store = store()?;
            update(&store, &Fetcher::new(environment, store.places(), reporter), &names)
        }
    }
}

fn add(store: &Store, fetcher: &Fetcher<'_>, name: IndexName, source: IndexSource) -> Result<Ending, Error> {
    match Catalogue::one(store, &name) {
        Ok(kept) => {
            let source_text = kept.head().source()?.to_string();
            return Err(crate::catalogue::Error::Added { name, source_text }.into());
        }
        // One that cannot be read has no source any more, and is replaced by this one.
        Err(crate::catalogue::Error::NoIndex(_) | crate::catalogue::Error::Form(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let source = match source {
        IndexSource::File(path) => {
            let path = env::current_dir().unwrap_or_default().join(path);
            // Without `.` in between, as it is listed.
            IndexSource::File(path.components().collect())
        }
        image @ IndexSource::Image(_) => image,
    };
    let edition = fetch(fetcher, &source, None)?;
    keep(store, fetcher.reporter(), name, &source, edition, "added")?;
    Ok(Ending::Done)
}

fn update(store: &Store, fetcher: &Fetcher<'_>, names: &[IndexName]) -> Result<Ending, Error> {
    let names = if names.is_empty() { store.index_names()? } else { names.to_vec() };
    if names.is_empty() {
        fetcher.reporter().note("there is no index to update: kwasm index add NAME SOURCE");
    }
    // One index's trouble keeps no other from being updated.
    let mut troubles = Vec::new();
    for name in names {
        if let Err(error) = update_one(store, fetcher, &name) {
            troubles.push((name.to_string(), error));
        }
    }
    Error::of_several(troubles).map(|()| Ending::Done)
}

fn update_one(store: &Store, fetcher: &Fetcher<'_>, name: &IndexName) -> Result<(), Error> {
    let kept = Catalogue::one(store, name)?;
    let head = kept.head();
    let source = head.source()?;
    let edition = fetch(fetcher, &source, head.artifact.as_ref())?;
    head.precedes(&edition.of, &edition.index)?;
    let reporter = fetcher.reporter();
    let is_same = Digest::of(&edition.text) == head.digest;
    // What cannot be read any more is replaced, and compared with nothing.
    if let Ok(before) = kept.index() {
        changed::report(reporter, name, &before, &edition.index);
    }
    // Its signatures may be others now, and so is the time.
    keep(
        store,
        reporter,
        name.clone(),
        &source,
        edition,
        if is_same { "found no news in" } else { "updated" },
    )
}

/// Fetches an index, whose signatures are judged as those of plugins. `before` is the edition that it replaces.
fn fetch(fetcher: &Fetcher<'_>, source: &IndexSource, before: Option<&Origin>) -> Result<Edition, Error> {
    let image = match source {
        IndexSource::File(path) => {
            let of = path.display().to_string();
            let text = make::content(path)?;
            let index = Index::read(&of, &text, true)?;
            return Ok(Edition { of, index, text, artifact: None });
        }
        IndexSource::Image(image) => image,
    };
    let found = fetcher.find_index(image)?;
    let judged = fetcher.judge(&Source::Image(image.clone()), &found, before)?;
    let progress = Progress::download(fetcher.reporter(), image.repository());
    let content = fetcher.registries()?.fetch(&found, &progress)?;
    drop(progress);
    let of = found.reference();
    let index = Index::read(&of, content.bytes(), false)?;
    Ok(Edition { of, index, text: content.bytes().to_vec(), artifact: judged.origin(&found) })
}

/// Keeps an edition, and reports it.
fn keep(
    store: &Store,
    reporter: Reporter,
    name: IndexName,
    source: &IndexSource,
    edition: Edition,
    done: &str,
) -> Result<(), Error> {
    let Edition { index, text, artifact, .. } = edition;
    let kept = Kept::new(name, source, artifact, (&index, &text), now())?;
    let head = kept.head();
    store.keep_index(&head.name, kept.content())?;
    let Head { name, plugins, revision, .. } = head;
    let plural = if *plugins == 1 { "" } else { "s" };
    reporter.note(&format!("{done} the index {name}: {plugins} plugin{plural}, revision {revision}"));
    if let Some(artifact) = &head.artifact {
        reporter.note(&signed(artifact));
    }
    Ok(())
}

fn remove(store: &Store, reporter: Reporter, names: &[IndexName]) -> Result<Ending, Error> {
    let known = store.index_names()?;
    let mut troubles = Vec::new();
    for name in names {
        if !known.contains(name) {
            troubles.push((name.to_string(), crate::catalogue::Error::NoIndex(name.clone()).into()));
            continue;
        }
        match store.remove_index(name) {
            Ok(()) => {
                reporter.note(&format!("removed the index {name}"));
                match plugins_of(store, name) {
                    Ok(left) if left.is_empty() => {}
                    Ok(left) => reporter.note(&format!(
                        "still installed from it, without upgrades until it is added again: {}",
                        left.join(", ")
                    )),
                    Err(error) => troubles.push((name.to_string(), error)),
                }
            }
            Err(error) => troubles.push((name.to_string(), error.into())),
        }
    }
    Error::of_several(troubles).map(|()| Ending::Done)
}

/// Returns the installed plugins that follow an index. A receipt that cannot be read is for `doctor` to tell.
fn plugins_of(store: &Store, index: &IndexName) -> Result<Vec<String>, Error> {
    let follows = |name: &PluginName| {
        let source = store.receipt(name).ok().and_then(|receipt| receipt.source.parse().ok());
        matches!(source, Some(Source::Listed(listed)) if listed.index.as_ref() == Some(index))
    };
    Ok(store.names()?.iter().filter(|name| follows(name)).map(ToString::to_string).collect())
}

fn list(store: &Store, reporter: Reporter, output: Output) -> Result<Ending, Error> {
    let mut catalogue = Catalogue::open(store)?;
    let broken = catalogue.take_broken();
    let rows = catalogue.indexes().iter().map(|kept| row(kept.head())).collect::<Result<Vec<_>, _>>()?;
    if rows.is_empty() && matches!(output, Output::Table | Output::Wide) {
        if broken.is_empty() {
            reporter.note("there is no index: kwasm index add NAME SOURCE");
        }
    } else {
        print(&shown(&rows, output, |wide| table(&rows, wide), |row| row.name.to_string()))?;
    }
    let troubles = broken.into_iter().map(|(name, error)| (name.to_string(), Error::from(error))).collect();
    Error::of_several(troubles).map(|()| Ending::Done)
}

fn row(head: &Head) -> Result<Row, Error> {
    let artifact = head.artifact.as_ref();
    let signers = artifact.into_iter().flat_map(|artifact| &artifact.signers);
    Ok(Row {
        name: head.name.clone(),
        source: head.source()?.to_string(),
        plugins: head.plugins,
        revision: head.revision,
        digest: head.digest,
        manifest: artifact.map(|artifact| artifact.manifest),
        signed: artifact.is_some_and(|artifact| !artifact.signatures.is_empty()),
        signers: signers.map(|signer| signer.key.clone()).collect(),
        updated_at: head.updated_at.clone(),
    })
}

fn table(rows: &[Row], wide: bool) -> Table {
    let mut heads = vec!["NAME", "PLUGINS", "UPDATED", "SIGNED", "SOURCE"];
    if wide {
        heads.extend(["REVISION", "DIGEST"]);
    }
    let mut table = Table::new(&heads);
    for row in rows {
        let signature = match (row.signed, row.signers.is_empty()) {
            (true, true) => "unverified".to_owned(),
            (_, _) => row.signers.join(","),
        };
        let mut cells = vec![
            row.name.to_string(),
            row.plugins.to_string(),
            row.updated_at.clone(),
            signature,
            row.source.clone(),
        ];
        if wide {
            cells.extend([row.revision.to_string(), row.digest.to_string()]);
        }
        table.row(cells);
    }
    table
}
