//! Writes archives. The same plugins always give the same bytes.

use std::collections::BTreeMap;
use std::io::{self, Write};

use bytes::Bytes;
use tar::{Builder, Header};

use super::form::{
    BLOBS, Descriptor, INDEX, INDEX_TYPE, Index, LAYOUT, Layout, MANIFEST_TYPE, MOST_BYTES, MOST_ENTRIES,
    Manifest, NAME, PLUGIN_VERSION, POLICY, REFERENCE, SIGNS, SOURCE,
};
use super::{Carried, Error};
use crate::reference::Digest;
use crate::registry::Artifact;

/// Writes plugins with all their parts.
///
/// # Errors
/// [`Error::TooMuch`] if no reader would accept it, and [`Error::Write`].
pub fn write(plugins: &[Carried], to: impl Write) -> Result<(), Error> {
    let mut sorted: Vec<&Carried> = plugins.iter().collect();
    sorted.sort_by_key(|plugin| &plugin.name);
    let mut blobs = BTreeMap::<Digest, Bytes>::new();
    let mut manifests = Vec::new();
    for plugin in sorted {
        let all = [&plugin.manifest, &plugin.config, &plugin.content];
        let signed =
            plugin.signatures.iter().flat_map(|signed| [&signed.manifest].into_iter().chain(&signed.blobs));
        blobs.extend(all.into_iter().chain(signed).map(|blob| (blob.digest(), blob.bytes().clone())));
        manifests.push(entry(plugin));
        for signed in &plugin.signatures {
            let signs = [(SIGNS, plugin.manifest.digest().to_string())];
            manifests.push(Descriptor::of(MANIFEST_TYPE, &signed.manifest).annotated(signs));
            blobs.extend(empty_config(&signed.manifest));
        }
    }
    let size: u64 = blobs.values().map(|blob| blob.len() as u64).sum();
    if size > MOST_BYTES || blobs.len() + 2 > MOST_ENTRIES {
        return Err(Error::TooMuch(format!("{} MiB, or {MOST_ENTRIES} files", MOST_BYTES >> 20)));
    }
    let index = Index { schema_version: 2, media_type: INDEX_TYPE.to_owned(), manifests };
    tar(&index, &blobs, to).map_err(Error::Write)
}

/// Returns a plugin's entry of the index.
fn entry(plugin: &Carried) -> Descriptor {
    let reference = plugin.reference.clone().unwrap_or_else(|| plugin.name.to_string());
    let known = [
        (NAME, Some(plugin.name.to_string())),
        (SOURCE, Some(plugin.source.clone())),
        (PLUGIN_VERSION, plugin.version.clone()),
        (POLICY, Some(plugin.policy.clone())),
        (REFERENCE, Some(reference)),
    ];
    let known = known.into_iter().filter_map(|(key, text)| Some((key, text?)));
    Descriptor::of(MANIFEST_TYPE, &plugin.manifest).annotated(known)
}

/// Returns the empty configuration for an artifact that has none, since the layout must contain everything
/// that it names.
fn empty_config(manifest: &Artifact) -> Option<(Digest, Bytes)> {
    const EMPTY: &[u8] = b"{}";
    let manifest: Manifest = serde_json::from_slice(manifest.bytes()).ok()?;
    (manifest.config.digest == Digest::of(EMPTY)).then(|| (Digest::of(EMPTY), Bytes::from_static(EMPTY)))
}

fn tar(index: &Index, blobs: &BTreeMap<Digest, Bytes>, to: impl Write) -> io::Result<()> {
    let mut tar = Builder::new(to);
    let mut add = |path: &str, content: &[u8]| {
        let mut header = Header::new_ustar();
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        tar.append_data(&mut header, path, content)
    };
    let layout = Layout { image_layout_version: "1.0.0".to_owned() };
    add(LAYOUT, &serde_json::to_vec(&layout)?)?;
    add(INDEX, &serde_json::to_vec(index)?)?;
    for (digest, content) in blobs {
        add(&format!("{BLOBS}{}", digest.hex()), content)?;
    }
    tar.into_inner()?.flush()
}
