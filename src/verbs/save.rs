//! `kwasm save NAME… -f TAR`.

use std::io::Write as _;
use std::path::Path;

use crate::environment::Environment;
use crate::platform::disk;
use crate::platform::stdio::Stdout;
use crate::reference::{Digest, PluginName};
use crate::registry::Artifact;
use crate::store::layout::{self, Carried, Signed};
use crate::store::{self, Receipt, Store};

use super::release::release;
use super::{Ending, Error, Reporter};

/// The name of the archive that is standard output or input.
pub(super) const STREAM: &str = "-";

pub(super) fn save(
    store: &Store,
    environment: &Environment,
    reporter: Reporter,
    names: &[PluginName],
    archive: &Path,
) -> Result<Ending, Error> {
    let mut names = names.to_vec();
    names.sort();
    names.dedup();
    let plugins: Vec<Carried> =
        names.iter().map(|name| carried(store, &store.receipt(name)?)).collect::<Result<_, Error>>()?;
    if archive == Path::new(STREAM) && environment.terminal {
        return Err(Error::Terminal { what: "an archive", command: "kwasm save NAME -f FILE" });
    }
    // Collected before anything is written, so that a problem of a plugin damages no file.
    let mut content = Vec::new();
    layout::write(&plugins, &mut content)
        .map_err(|source| Error::Archive { archive: archive.display().to_string(), source })?;
    if archive == Path::new(STREAM) {
        return Stdout.write_all(&content).map_err(Error::Stdout).map(|()| Ending::Done);
    }
    disk::output(archive, &content).map_err(|source| Error::Unwritten { path: archive.into(), source })?;
    let list: Vec<&str> = names.iter().map(PluginName::as_str).collect();
    reporter.note(&format!("saved {} to {}", list.join(", "), archive.display()));
    Ok(Ending::Done)
}

/// Collects all parts of an installed plugin.
fn carried(store: &Store, receipt: &Receipt) -> Result<Carried, Error> {
    let blob = |digest| kept(store, &receipt.name, digest);
    let content = blob(receipt.fetched)?;
    let mut signatures = Vec::new();
    let (manifest, config) = if let Some(artifact) = &receipt.artifact {
        for digest in &artifact.signatures {
            let manifest = blob(*digest)?;
            // Which of the evidence a signature's manifest names, that manifest says.
            let named = layout::layers(&manifest);
            let evidence = artifact.evidence.iter().filter(|digest| named.contains(digest));
            let blobs = evidence.map(|digest| blob(*digest)).collect::<Result<_, _>>()?;
            signatures.push(Signed { manifest, blobs });
        }
        (blob(artifact.manifest)?, blob(artifact.config)?)
    } else {
        let title = format!("{}.wasm", receipt.name);
        let release = release(content.clone(), &title, receipt.version.as_deref())
            .map_err(|source| Error::Inspect { path: receipt.source.clone(), source })?;
        let (config, manifest) = release.artifact();
        (manifest, config)
    };
    Ok(Carried {
        name: receipt.name.clone(),
        source: receipt.source.clone(),
        version: receipt.version.clone(),
        description: receipt.description.clone(),
        policy: receipt.policy.clone(),
        reference: receipt.artifact.as_ref().map(|artifact| artifact.reference.clone()),
        manifest,
        config,
        content,
        signatures,
    })
}

/// Returns a blob that a plugin needs, proven to be unaltered.
fn kept(store: &Store, name: &PluginName, digest: Digest) -> Result<Artifact, Error> {
    let path = store.places().blob(digest);
    let kept = match Artifact::from_file(&path) {
        Err(crate::registry::Error::Missing(_)) => return Err(store::Error::Gone(name.to_string()).into()),
        kept => kept?,
    };
    if kept.digest() != digest {
        return Err(store::Error::Altered { path, was: digest, is: kept.digest() }.into());
    }
    Ok(kept)
}
