//! `kwasm index build FOLDER -o FILE` and `kwasm index publish FILE IMAGE`.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde::Serialize;
use time::OffsetDateTime;

use crate::catalogue::{Index, Listing, Place, described};
use crate::cli::Output;
use crate::environment::Environment;
use crate::platform::disk;
use crate::platform::stdio::Stdout;
use crate::reference::{Digest, Image};
use crate::registry::{self, Artifact, LONGEST_INDEX, Registries};
use crate::verbs::fetch::report_logins;
use crate::verbs::publish::private_key;
use crate::verbs::save::STREAM;
use crate::verbs::{Ending, Error, Reporter, print, table};

/// The options of `kwasm index build`.
pub(super) struct Wish {
    pub(super) folder: PathBuf,
    pub(super) output: PathBuf,
    pub(super) revision: Option<u64>,
}

/// A published index in `-o json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    reference: String,
    digest: Digest,
    revision: u64,
    plugins: usize,
    signed: bool,
}

pub(super) fn build(environment: &Environment, reporter: Reporter, wish: &Wish) -> Result<Ending, Error> {
    let Wish { folder, output, revision } = wish;
    let is_stream = output == Path::new(STREAM);
    if is_stream && environment.terminal {
        return Err(Error::Terminal { what: "an index", command: "kwasm index build FOLDER -o FILE" });
    }
    let beside = if is_stream { None } else { output.parent().map(Path::to_owned) };
    let plugins =
        described(folder)?.into_iter().map(|listing| relative(listing, beside.as_deref())).collect();
    // Seconds grow from edition to edition without anyone counting.
    let seconds = || u64::try_from(OffsetDateTime::now_utc().unix_timestamp()).unwrap_or_default();
    let index = Index::new(revision.unwrap_or_else(seconds), plugins)?;
    let text = index.text()?;
    // What would be refused where it is added is not written.
    Index::read(&output.display().to_string(), &text, true)?;
    if is_stream {
        return Stdout.write_all(&text).map_err(Error::Stdout).map(|()| Ending::Done);
    }
    disk::output(output, &text).map_err(|source| Error::Unwritten { path: output.clone(), source })?;
    let (number, revision) = (index.plugins.len(), index.revision);
    let plural = if number == 1 { "" } else { "s" };
    reporter.note(&format!("wrote {number} plugin{plural} to {}: revision {revision}", output.display()));
    Ok(Ending::Done)
}

/// Makes the path of a plugin relative, if it is below the folder of the index: both can be moved then.
fn relative(listing: Listing, folder: Option<&Path>) -> Listing {
    let folder = folder.map(|folder| if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
    let folder = folder.and_then(|folder| folder.canonicalize().ok());
    let source = match (listing.source, folder) {
        (Place::File(path), Some(folder)) => Place::File(
            path.strip_prefix(folder).map_or_else(|_| path.clone(), |below| Path::new(".").join(below)),
        ),
        (source, _) => source,
    };
    Listing { source, ..listing }
}

pub(super) fn publish(
    environment: &Environment,
    reporter: Reporter,
    file: &Path,
    image: &Image,
    key: Option<&Path>,
    output: Output,
) -> Result<Ending, Error> {
    // Checked before anything is pushed, so that nothing is pushed unsigned by mistake.
    let key = key.map(private_key).transpose()?;
    let text = content(file)?;
    // What no one could add is not published, nor are paths of this machine.
    let index = Index::read(&file.display().to_string(), &text, false)?;
    let registries = Registries::open(environment)?;
    let published = registries.publish_index(&Artifact::from_bytes(text), image, key.as_ref());
    report_logins(reporter, &registries, &published, &mut BTreeSet::new());
    let published = published?;
    let pinned = format!("{}@{}", image.full_name(), published.digest);
    let signed = if key.is_some() { ", signed" } else { "" };
    reporter.note(&format!("published {} ({}){signed}", published.image, published.digest.short()));
    let row = Row {
        reference: published.image.to_string(),
        digest: published.digest,
        revision: index.revision,
        plugins: index.plugins.len(),
        signed: key.is_some(),
    };
    print(&table::one(&row, output, || format!("{pinned}\n"), || pinned.clone()))?;
    Ok(Ending::Done)
}

/// Reads the file of an index, of at most the size that one may have.
pub(super) fn content(path: &Path) -> Result<Vec<u8>, Error> {
    let unreadable = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => registry::Error::Missing(path.into()),
        _ => registry::Error::Unreadable { path: path.into(), source },
    };
    if !path.metadata().map_err(unreadable)?.is_file() {
        return Err(unreadable(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file")).into());
    }
    let mut text = Vec::new();
    // One byte more shows that it is too large.
    File::open(path)
        .and_then(|file| file.take(LONGEST_INDEX + 1).read_to_end(&mut text))
        .map_err(unreadable)?;
    Ok(text)
}
