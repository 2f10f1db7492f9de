//! Reads archives. They are untrusted: nothing is written anywhere before all of an archive is read and
//! proven.

use std::collections::BTreeMap;
use std::io::{self, Read};

use tar::{Entry, EntryType};

use super::form::{
    BLOBS, DESCRIPTION, Descriptor, INDEX, Index, LAYOUT, LONGEST, Layout, MOST_BYTES, MOST_ENTRIES,
    Manifest, NAME, PLUGIN_VERSION, POLICY, REFERENCE, SIGNS, SOURCE,
};
use super::{Carried, Error, Signed};
use crate::reference::{Digest, PluginName};
use crate::registry::{Artifact, LIMIT};

/// Reads the plugins of an archive, and proves each piece by the digest that names it.
///
/// # Errors
/// If it is not an archive, or any part of it is invalid.
pub fn read(mut from: impl Read) -> Result<Vec<Carried>, Error> {
    let mut magic = [0; 4];
    let length = read_up_to(&mut from, &mut magic).map_err(Error::Tar)?;
    if magic.starts_with(&[0x1f, 0x8b]) || magic == [0x28, 0xb5, 0x2f, 0xfd] {
        return Err(Error::Compressed);
    }
    // One byte more, to distinguish an archive of the largest size from a longer one.
    let limited = magic[..length].chain(from).take(MOST_BYTES + HEADERS + 1);
    let mut files = Files::default();
    let mut archive = tar::Archive::new(limited);
    // Raw: what an extension says of the entry behind it (a longer name, a link) is nothing that a layout needs.
    for (number, entry) in archive.entries().map_err(Error::Tar)?.raw(true).enumerate() {
        if number >= MOST_ENTRIES {
            return Err(Error::TooMuch(format!("{MOST_ENTRIES} files")));
        }
        files.take(entry.map_err(Error::Tar)?)?;
    }
    files.plugins()
}

/// Returns the digests of a manifest's layers; none if it is not a manifest.
#[must_use]
pub fn layers(manifest: &Artifact) -> Vec<Digest> {
    let manifest: Option<Manifest> = serde_json::from_slice(manifest.bytes()).ok();
    manifest.iter().flat_map(|manifest| &manifest.layers).map(|layer| layer.digest).collect()
}

/// The bytes that headers and padding of the largest number of files take.
const HEADERS: u64 = 2 * 512 * MOST_ENTRIES as u64;

/// Fills as much of `buffer` as can be read.
fn read_up_to(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match from.read(&mut buffer[length..]) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

/// The files of a layout.
#[derive(Default)]
struct Files {
    layout: Option<Vec<u8>>,
    index: Option<Vec<u8>>,
    blobs: BTreeMap<Digest, Artifact>,
    bytes: u64,
}

impl Files {
    fn take(&mut self, mut entry: Entry<'_, impl Read>) -> Result<(), Error> {
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let error = |what: &str| Error::Entry { path: path.clone(), what: what.to_owned() };
        match entry.header().entry_type() {
            // Times and the like, of the entry behind it.
            EntryType::XHeader | EntryType::XGlobalHeader | EntryType::Directory => return Ok(()),
            EntryType::Regular => {}
            EntryType::Link | EntryType::Symlink => return Err(error("is a link, which no layout has")),
            _ => return Err(error("is not a regular file")),
        }
        let name = path.strip_prefix("./").unwrap_or(&path);
        let digest = name.strip_prefix(BLOBS).map(|hex| format!("sha256:{hex}").parse::<Digest>());
        let most = if digest.is_some() { LIMIT } else { LONGEST };
        let size = entry.size();
        if size > most {
            return Err(error(&format!("has {size} bytes, of {most} at most")));
        }
        self.bytes += size;
        if self.bytes > MOST_BYTES {
            return Err(Error::TooMuch(format!("{} MiB: load fewer plugins at a time", MOST_BYTES >> 20)));
        }
        let mut content = Vec::new();
        entry.read_to_end(&mut content).map_err(Error::Tar)?;
        if content.len() as u64 != size {
            return Err(Error::Tar(io::ErrorKind::UnexpectedEof.into()));
        }
        let twice = match (name, digest) {
            (LAYOUT, _) => self.layout.replace(content).is_some(),
            (INDEX, _) => self.index.replace(content).is_some(),
            (_, Some(Ok(digest))) => {
                let blob = Artifact::from_bytes(content);
                if blob.digest() != digest {
                    return Err(error(&format!("has other content: it is {}", blob.digest())));
                }
                self.blobs.insert(digest, blob).is_some()
            }
            _ => return Err(error("is not a file of a layout")),
        };
        if twice { Err(error("appears twice")) } else { Ok(()) }
    }

    fn plugins(&self) -> Result<Vec<Carried>, Error> {
        let layout = self.layout.as_ref().ok_or(Error::NoLayout(LAYOUT))?;
        let layout: Layout = json(LAYOUT, layout)?;
        if layout.image_layout_version != "1.0.0" {
            let why = format!("it is of version {}, and kwasm reads 1.0.0", layout.image_layout_version);
            return Err(Error::Part { what: LAYOUT.to_owned(), why });
        }
        let index: Index = json(INDEX, self.index.as_ref().ok_or(Error::NoLayout(INDEX))?)?;
        if index.schema_version != 2 {
            let why = format!("it has schema version {}, and not 2", index.schema_version);
            return Err(Error::Part { what: INDEX.to_owned(), why });
        }
        let mut plugins: Vec<Carried> = Vec::new();
        for entry in index.manifests.iter().filter(|entry| entry.annotations.contains_key(NAME)) {
            let plugin = self.plugin(entry, &index)?;
            if plugins.iter().any(|known| known.name == plugin.name) {
                let why = format!("two plugins in it are called `{}`", plugin.name);
                return Err(Error::Part { what: INDEX.to_owned(), why });
            }
            plugins.push(plugin);
        }
        if plugins.is_empty() { Err(Error::Empty) } else { Ok(plugins) }
    }

    fn plugin(&self, entry: &Descriptor, index: &Index) -> Result<Carried, Error> {
        let said = |key: &str| entry.annotations.get(key).cloned();
        let name: PluginName = said(NAME)
            .unwrap_or_default()
            .parse()
            .map_err(|error| Error::Part { what: INDEX.to_owned(), why: format!("{error}") })?;
        let part = |why: String| Error::Part { what: name.to_string(), why };
        let (artifact, manifest) = self.manifest(name.as_str(), entry)?;
        let [layer] = manifest.layers.as_slice() else {
            return Err(part(format!(
                "it has {} layers, and a plugin is exactly one",
                manifest.layers.len()
            )));
        };
        let source = said(SOURCE).unwrap_or_default();
        // A file has its own name for a reference, and no place in a registry.
        let reference =
            said(REFERENCE).filter(|reference| reference.parse::<crate::reference::Image>().is_ok());
        let mut signatures = Vec::new();
        let signs = artifact.digest().to_string();
        for signed in index.manifests.iter().filter(|other| other.annotations.get(SIGNS) == Some(&signs)) {
            let (artifact, manifest) = self.manifest(name.as_str(), signed)?;
            let blobs = manifest.layers.iter().map(|layer| self.blob(name.as_str(), layer));
            signatures.push(Signed { manifest: artifact, blobs: blobs.collect::<Result<_, _>>()? });
        }
        Ok(Carried {
            source: if source.is_empty() { reference.clone().unwrap_or_default() } else { source },
            version: said(PLUGIN_VERSION),
            description: manifest.annotations.get(DESCRIPTION).cloned(),
            policy: said(POLICY).unwrap_or_default(),
            config: self.blob(name.as_str(), &manifest.config)?,
            content: self.blob(name.as_str(), layer)?,
            manifest: artifact,
            reference,
            signatures,
            name,
        })
    }

    /// Returns a manifest, raw and parsed.
    fn manifest(&self, plugin: &str, descriptor: &Descriptor) -> Result<(Artifact, Manifest), Error> {
        if descriptor.size > LONGEST {
            let why = format!("its manifest has {} bytes, of {LONGEST} at most", descriptor.size);
            return Err(Error::Part { what: plugin.to_owned(), why });
        }
        let artifact = self.blob(plugin, descriptor)?;
        let manifest = json(&format!("the manifest of {plugin}"), artifact.bytes())?;
        Ok((artifact, manifest))
    }

    /// Returns the content that a descriptor names.
    fn blob(&self, plugin: &str, descriptor: &Descriptor) -> Result<Artifact, Error> {
        let part = |why| Error::Part { what: plugin.to_owned(), why };
        let Some(blob) = self.blobs.get(&descriptor.digest) else {
            return Err(part(format!("{} is missing from the archive", descriptor.digest)));
        };
        let size = blob.bytes().len() as u64;
        if size != descriptor.size {
            return Err(part(format!(
                "{} has {size} bytes, and should have {}",
                blob.digest(),
                descriptor.size
            )));
        }
        Ok(blob.clone())
    }
}

fn json<T: serde::de::DeserializeOwned>(what: &str, text: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(text).map_err(|source| Error::Json { what: what.to_owned(), source })
}
