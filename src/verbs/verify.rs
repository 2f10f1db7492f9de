//! `kwasm verify SOURCE --key FILE…`.

use std::fs;
use std::path::PathBuf;

use serde::Serialize;

use crate::cli::Output;
use crate::environment::Environment;
use crate::reference::{Digest, Image, Source};
use crate::registry::Signature;
use crate::registry::signature::{self, Evidence, Key, KeySet};
use crate::store::{Signer, Store};

use super::fetch::Fetcher;
use super::listed::located;
use super::{Ending, Error, Reporter, print, table};

/// A verified artifact in `-o json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    reference: String,
    digest: Digest,
    signers: Vec<Signer>,
}

pub(super) fn verify(
    store: &Store,
    environment: &Environment,
    reporter: Reporter,
    source: &Source,
    keys: &[PathBuf],
    output: Output,
) -> Result<Ending, Error> {
    let keys = keys.iter().map(key).collect::<Result<Vec<_>, _>>()?;
    let keys = KeySet::all_of(keys).map_err(Error::Keys)?;
    let source = &artifact(store, source)?;
    let fetcher = Fetcher::new(environment, store.places(), reporter);
    let registries = fetcher.registries()?;
    let found = fetcher.find(source)?;
    let reference = found.reference();
    let manifest = found.manifest().ok_or_else(|| Error::NoArtifact(reference.clone()))?.digest();
    let signatures = registries
        .signatures(&found)
        .map_err(|source| Error::SignatureLookup { reference: reference.clone(), source })?;
    let evidence: Vec<Evidence> = signatures.iter().flat_map(Signature::evidence).cloned().collect();
    let signers = signature::verify(manifest, &evidence, &keys).map_err(|source| Error::Unsigned {
        reference: reference.clone(),
        list: found.list(),
        source,
    })?;
    let signers: Vec<Signer> = signers.iter().map(Signer::from).collect();
    let names: Vec<&str> = signers.iter().map(|signer| signer.key.as_str()).collect();
    reporter.note(&format!("{reference} ({manifest}) is signed by {}", names.join(", ")));
    let row = Row { reference, digest: manifest, signers };
    // Beside data it is all said already.
    if matches!(output, Output::Json | Output::Yaml) {
        print(&table::one(&row, output, String::new, String::new))?;
    }
    Ok(Ending::Done)
}

/// Returns the artifact to verify: for an installed plugin, exactly the one that it was in.
fn artifact(store: &Store, source: &Source) -> Result<Source, Error> {
    let name = match source {
        Source::Installed(name) => name,
        Source::Listed(listed) => return located(store, listed),
        source => return Ok(source.clone()),
    };
    let receipt = store.receipt(name)?;
    let artifact = receipt.artifact.ok_or_else(|| Error::NoArtifact(name.to_string()))?;
    let image: Image = artifact.reference.parse().map_err(crate::cli::Error::Image)?;
    Ok(Source::Image(image.with_digest(artifact.manifest)))
}

fn key(path: &PathBuf) -> Result<Key, Error> {
    let unreadable = |source| crate::registry::Error::Unreadable { path: path.clone(), source };
    let pem = fs::read(path).map_err(unreadable)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Key::from_pem(&name, &pem).map_err(|source| Error::Key { path: path.clone(), source })
}
