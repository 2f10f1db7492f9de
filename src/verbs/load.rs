//! `kwasm load TAR [--policy NAME|FILE]`.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use crate::environment::Environment;
use crate::inspect::Inspected;
use crate::platform::stdio::Stdin;
use crate::reference::{Image, Source};
use crate::registry::{self, Manifest, Signature};
use crate::store::layout::{self, Carried};
use crate::store::{Origin, Receipt, Store};

use super::consent::{Choice, Consent};
use super::declared::prove_request;
use super::fetch::{Candidate, Fetched, Fetcher};
use super::install::{is_same_origin, prepare, put};
use super::save::STREAM;
use super::{Ending, Error, Reporter};

/// Installs all of them or none. Their permissions are the user's choice, not the archive's, which anyone can
/// write.
pub(super) fn load(
    store: &Store,
    environment: &Environment,
    reporter: Reporter,
    archive: &Path,
    policy: Option<&str>,
) -> Result<Ending, Error> {
    let fetcher = Fetcher::new(environment, store.places(), reporter);
    let (mut staged_plugins, mut hints, mut troubles) = (Vec::new(), Vec::new(), Vec::new());
    let plugins = read(archive)?;
    let choice = policy.map(Choice::read).transpose()?;
    let consent = Consent { environment, reporter, choice, only_growth: false };
    for plugin in plugins {
        let (name, saved_policy) = (plugin.name.clone(), plugin.policy.clone());
        let linkable = store.check_links(&name).map_err(Error::from);
        let prepared = linkable.and_then(|()| fetched(store, &fetcher, plugin)).and_then(|content| {
            let same = |kept: &Receipt| {
                content.source.parse().is_ok_and(|source| is_same_origin(&kept.source, &source))
            };
            let previous = store.receipt(&name).ok().filter(same);
            prepare(store, &consent, name.clone(), content, previous.as_ref())
        });
        match prepared {
            Ok(staged) => {
                if saved_policy != staged.receipt.policy {
                    hints.push(format!(
                        "{name} had the policy `{saved_policy}` where it was saved: kwasm load {} --policy NAME|FILE gives it another",
                        archive.display()
                    ));
                }
                staged_plugins.push(staged);
            }
            Err(error) => troubles.push((name.to_string(), error)),
        }
    }
    Error::of_several(troubles)?;
    put(store, environment, reporter, &staged_plugins)?;
    for hint in hints {
        reporter.hint(&hint);
    }
    Ok(Ending::Done)
}

fn read(archive: &Path) -> Result<Vec<Carried>, Error> {
    let name = archive.display().to_string();
    let read = if archive == Path::new(STREAM) {
        layout::read(BufReader::new(Stdin))
    } else {
        let file = File::open(archive).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => registry::Error::Missing(archive.into()),
            _ => registry::Error::Unreadable { path: archive.into(), source },
        })?;
        layout::read(BufReader::new(file))
    };
    read.map_err(|source| Error::Archive { archive: name, source })
}

/// Returns a plugin of the archive in the form of one fetched from a registry. Its signatures and its request
/// are judged in the same way, but without the registry.
///
/// # Errors
/// If it lacks a signature that trust.yaml requires, or that the plugin had which it replaces, or the request
/// that its manifest states.
fn fetched(store: &Store, fetcher: &Fetcher<'_>, mut plugin: Carried) -> Result<Fetched, Error> {
    let mut signers = Vec::new();
    if let Some(reference) = plugin.reference.clone() {
        let image: Image = reference.parse().map_err(crate::cli::Error::Image)?;
        let source = plugin.source.parse().unwrap_or(Source::Image(image.clone()));
        let previous = store.receipt(&plugin.name).ok().filter(|kept| is_same_origin(&kept.source, &source));
        let before = previous.as_ref().and_then(|receipt| receipt.artifact.as_ref());
        let manifest = plugin.manifest.digest();
        let repositories = &[image.full_name()];
        let artifact = Candidate { reference: &reference, repositories, manifest, list: None };
        let signatures = signatures(&plugin)?;
        signers = fetcher.signers(&source, &artifact, &signatures, before)?;
        let signs =
            |digest| signatures.iter().any(|it| it.manifest().digest() == digest && it.signs(manifest));
        plugin.signatures.retain(|signed| signs(signed.manifest.digest()));
    }
    let reference = plugin.reference.as_deref().unwrap_or(plugin.name.as_str());
    let manifest = Manifest::read(reference, plugin.manifest.bytes().clone())?;
    // Whether it can run is reported later.
    if let Ok(inspected) = Inspected::read(plugin.content.bytes()) {
        prove_request(reference, Some(&manifest), &inspected)?;
    }
    let (origin, parts) = (plugin.origin().map(|origin| Origin { signers, ..origin }), plugin.parts());
    let Carried { source, version, description, content, .. } = plugin;
    Ok(Fetched { source, version, description, content, origin, parts, object: None })
}

fn signatures(plugin: &Carried) -> Result<Vec<Signature>, Error> {
    let mut found = Vec::new();
    for signed in &plugin.signatures {
        let blob = |digest| {
            let blob = signed.blobs.iter().find(|blob| blob.digest() == digest).cloned();
            blob.ok_or_else(|| {
                registry::Error::NotFound(format!("{digest}, of a signature of {}", plugin.name))
            })
        };
        found.extend(Signature::read(signed.manifest.clone(), blob)?);
    }
    Ok(found)
}
