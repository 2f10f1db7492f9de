//! The descriptions of which an index is made: one YAML file a plugin.
//!
//! ```yaml
//! apiVersion: kwasm.dev/v1
//! kind: Plugin
//! name: tail
//! description: Follows the logs of many pods
//! source: ghcr.io/acme/tail            # or a file: ./tail.wasm
//! versions:
//!   - {version: 1.2.0, digest: "sha256:…"}
//! request: tail-request.yaml           # what its newest version asks for, a policy beside this file
//! homepage: https://example.com/tail
//! license: Apache-2.0
//! ```

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::error::Error;
use super::listing::{Listing, Place as Source, Release};
use crate::document::{Entries, Fault, Faults, Format, Node, Place};
use crate::inspect::Inspected;
use crate::platform::disk;
use crate::policy::Policy;
use crate::reference::Digest;
use crate::registry::Artifact;

/// The kind of the document, and its name in messages.
const FORMAT: Format = Format { kind: "Plugin", name: "a description of a plugin" };

/// The largest description or request, in bytes.
const LONGEST: u64 = 1 << 20;

/// A description in a folder.
struct Reader<'a> {
    folder: &'a Path,
    /// The requests that were read, by their file names.
    requests: &'a mut BTreeSet<PathBuf>,
}

/// Reads all descriptions in a folder: its YAML files, but for those that are requests of others. Files of
/// plugins get absolute paths.
///
/// # Errors
/// [`Error::Descriptions`] with all faults, [`Error::Empty`], [`Error::Unreadable`].
pub fn described(folder: &Path) -> Result<Vec<Listing>, Error> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::Unreadable { path, source }
    };
    // A missing folder has no entries, and is not what was meant.
    folder.metadata().map_err(unreadable(folder))?;
    let entries = disk::entries(folder).map_err(unreadable(folder))?;
    let is_yaml =
        |path: &Path| path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
    let mut paths: Vec<PathBuf> =
        entries.iter().map(std::fs::DirEntry::path).filter(|path| is_yaml(path)).collect();
    paths.sort();
    let mut requests = BTreeSet::new();
    let mut read = Vec::new();
    for path in paths {
        let text = text(&path).map_err(unreadable(&path))?;
        let mut reader = Reader { folder, requests: &mut requests };
        read.push((reader.description(&path, &text), path));
    }
    let (mut listings, mut faults) = (Vec::new(), Vec::new());
    for (description, path) in read {
        match description {
            _ if requests.contains(&path) => {}
            Ok(listing) => listings.push(listing),
            Err(found) => faults.extend(found),
        }
    }
    if !faults.is_empty() {
        return Err(Error::Descriptions(faults));
    }
    if listings.is_empty() { Err(Error::Empty(folder.to_owned())) } else { Ok(listings) }
}

impl Reader<'_> {
    fn description(&mut self, path: &Path, text: &str) -> Result<Listing, Vec<Fault>> {
        const KEYS: [&str; 7] =
            ["name", "description", "source", "versions", "request", "homepage", "license"];
        let file = path.display().to_string();
        let mut faults = Faults::of(&file, FORMAT);
        let listing = faults.document(text, &KEYS).and_then(|entries| self.listing(&mut faults, entries));
        faults.finish(listing)
    }

    fn listing(&mut self, faults: &mut Faults<'_>, mut entries: Entries) -> Option<Listing> {
        let root = entries.place.clone();
        let name = needed(faults, &mut entries, "name", "write e.g. `name: tail`");
        let name = name.and_then(|(place, text)| {
            text.parse().map_err(|error| faults.add(&place, format!("{error}"), "name the plugin")).ok()
        });
        let description = needed(faults, &mut entries, "description", "write one line about it");
        let source =
            needed(faults, &mut entries, "source", "write `source: HOST/REPOSITORY`, or a file: ./x.wasm");
        let source = source.and_then(|(place, text)| {
            let wrong = |what| faults.add(&place, what, "write HOST/REPOSITORY without a tag, or ./x.wasm");
            text.parse::<Source>().map_err(wrong).ok()
        });
        let content = match &source {
            Some(Source::File(path)) => Some(self.content(faults, &root, path)?),
            _ => None,
        };
        let versions = entries.take("versions");
        if versions.is_none() {
            faults.missing(
                &entries,
                "versions",
                "write e.g. `versions: [{version: 1.0.0, digest: \"sha256:…\"}]`",
            );
        }
        let versions = versions.map(|entry| releases(faults, entry, content.as_ref()));
        let request = entries.take("request");
        let request = request.map(|(place, node)| self.request(faults, &place, node, content.as_ref()));
        // A component carries its own.
        let embedded = || Some(Inspected::read(content.as_ref()?.bytes()).ok()?.request()?.to_owned());
        let request = if let Some(read) = request { Some(read?) } else { embedded() };
        let homepage = optional(faults, &mut entries, "homepage");
        let license = optional(faults, &mut entries, "license");
        let listing = Listing {
            name: name?,
            description: description?.1,
            source: match source? {
                Source::File(path) => Source::File(self.absolute(&path)),
                image @ Source::Image(_) => image,
            },
            versions: versions?,
            request,
            homepage,
            license,
        };
        if faults.number() > 0 {
            return None;
        }
        let wrong = |(key, what): (&str, String)| {
            faults.add(&Place { key: key.to_owned(), line: root.line }, what, "correct it");
        };
        listing.checked().map_err(wrong).ok()
    }

    fn absolute(&self, path: &Path) -> PathBuf {
        let path = self.folder.join(path);
        path.canonicalize().unwrap_or(path)
    }

    /// Reads the file of a plugin, which has to be one that can run.
    fn content(&self, faults: &mut Faults<'_>, root: &Place, path: &Path) -> Option<Artifact> {
        let place = Place { key: "source".to_owned(), line: root.line };
        let wrong = |what: String| faults.add(&place, what, "name a component beside this file: ./x.wasm");
        let content = Artifact::from_file(&self.folder.join(path)).map_err(|error| error.to_string());
        let content = content.and_then(|content| {
            Inspected::read(content.bytes())
                .map(|_| content)
                .map_err(|error| format!("{}: {error}", path.display()))
        });
        content.map_err(wrong).ok()
    }

    /// Reads a request: a valid policy beside the description, the one of the component if that is a file.
    fn request(
        &mut self,
        faults: &mut Faults<'_>,
        place: &Place,
        node: Node,
        content: Option<&Artifact>,
    ) -> Option<String> {
        const CURE: &str = "name a policy beside this file, as kwasm policy check accepts it";
        let path = self.folder.join(faults.text(place, node, CURE)?);
        let read = text(&path);
        self.requests.insert(path.clone());
        let text = match read {
            Ok(text) => text,
            Err(error) => {
                faults.add(place, format!("{} cannot be read: {error}", path.display()), CURE);
                return None;
            }
        };
        if let Err(wrong) = Policy::read(&path.display().to_string(), &text) {
            for fault in wrong {
                faults.add(place, fault.to_string(), fault.hint);
            }
            return None;
        }
        let own = content.and_then(|content| Inspected::read(content.bytes()).ok());
        if own.is_some_and(|own| own.request() != Some(text.as_str())) {
            faults.add(place, "it is not the request that is in the component", "remove `request`");
            return None;
        }
        Some(text)
    }
}

/// Reads the versions. The digest of a file need not be given.
fn releases(
    faults: &mut Faults<'_>,
    (place, node): (Place, Node),
    content: Option<&Artifact>,
) -> Vec<Release> {
    let items = faults.list(&place, node, "write it in brackets, or a dash before each item");
    items.into_iter().filter_map(|(place, node)| release(faults, place, node, content)).collect()
}

fn release(faults: &mut Faults<'_>, place: Place, node: Node, content: Option<&Artifact>) -> Option<Release> {
    const DIGEST: &str = "kwasm publish prints it, and kwasm inspect calls it the manifest";
    let mut entries = faults.map(place, node, &["version", "digest"]);
    let version = needed(faults, &mut entries, "version", "write e.g. `version: 1.0.0`");
    let version = version.and_then(|(place, text)| {
        let wrong = |error| faults.add(&place, format!("`{text}` is not a version: {error}"), "write 1.2.3");
        text.parse().map_err(wrong).ok()
    });
    let is = content.map(Artifact::digest);
    let digest: Option<Digest> = match (entries.take("digest"), is) {
        (None, Some(digest)) => Some(digest),
        (None, None) => {
            faults.missing(&entries, "digest", DIGEST);
            None
        }
        (Some((place, node)), is) => {
            let text = faults.text(&place, node, DIGEST)?;
            let digest = text.parse().map_err(|error| faults.add(&place, format!("{error}"), DIGEST)).ok()?;
            if let Some(is) = is.filter(|is| *is != digest) {
                faults.add(&place, format!("the file has the digest {is}"), "remove `digest`");
            }
            Some(digest)
        }
    };
    Some(Release { version: version?, digest: digest? })
}

/// Returns a text that has to be there.
fn needed(faults: &mut Faults<'_>, entries: &mut Entries, key: &str, cure: &str) -> Option<(Place, String)> {
    let Some((place, node)) = entries.take(key) else {
        faults.missing(entries, key, cure);
        return None;
    };
    let text = faults.text(&place, node, cure)?;
    Some((place, text))
}

fn optional(faults: &mut Faults<'_>, entries: &mut Entries, key: &str) -> Option<String> {
    let (place, node) = entries.take(key)?;
    faults.text(&place, node, "write it as a text")
}

/// Reads a short regular file as text.
fn text(path: &Path) -> io::Result<String> {
    if !path.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(LONGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is longer than 1 MiB"));
    }
    String::from_utf8(bytes).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "apiVersion: kwasm.dev/v1\nkind: Plugin\nname: tail\ndescription: Follows logs\n";

    fn read(files: &[(&str, &str)]) -> Result<Vec<Listing>, Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let disk = disk::replace_public(&folder.path().join(name), text.as_bytes());
            disk.unwrap();
        }
        let shown =
            |fault: &Fault| fault.to_string().replace(&folder.path().join("").display().to_string(), "");
        described(folder.path()).map_err(|error| match error {
            Error::Descriptions(faults) => faults.iter().map(shown).collect(),
            other => vec![other.to_string().replace(&folder.path().display().to_string(), "FOLDER")],
        })
    }

    fn in_registry(rest: &str) -> String {
        let digest = Digest::of(b"x");
        format!(
            "{HEAD}source: ghcr.io/acme/tail\nversions:\n- {{version: 1.0.0, digest: '{digest}'}}\n{rest}"
        )
    }

    #[test]
    fn a_folder_of_descriptions_and_their_requests_is_read() {
        let policy = "apiVersion: kwasm.dev/v1\nkind: Policy\nmetadata: {name: tail}\nspec: {}\n";
        let text = in_registry("request: asks.yaml\nhomepage: https://x.example\nlicense: MIT\n");
        let read = read(&[("tail.yaml", &text), ("asks.yaml", policy), ("notes.txt", "")]).unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].request.as_deref(), Some(policy));
        assert_eq!(read[0].versions[0].digest, Digest::of(b"x"));
    }

    #[test]
    fn each_fault_is_reported_with_its_line() {
        assert_eq!(read(&[]).unwrap_err(), ["FOLDER: it contains no descriptions of plugins"]);
        insta::assert_snapshot!(read(&[("a.yaml", HEAD)]).unwrap_err().join("\n"), @"
        a.yaml:1: source: it is missing
        a.yaml:1: versions: it is missing
        ");
        let wrong = in_registry("")
            .replace("name: tail", "nmae: tail")
            .replace("acme/tail", "acme/tail:1")
            .replace("1.0.0", "1.x")
            .replace("sha256", "sha1");
        let faults = read(&[("a.yaml", &wrong)]).unwrap_err();
        assert_eq!(faults.len(), 4, "{faults:#?}");
        let faults = read(&[("a.yaml", &in_registry("request: gone.yaml\n"))]).unwrap_err();
        assert!(faults[0].contains("request: ") && faults[0].contains("cannot be read"), "{faults:#?}");
        let faults = read(&[("a.yaml", &in_registry("homepage: ftp://x\n"))]).unwrap_err();
        assert!(faults[0].starts_with("a.yaml:1: homepage: "), "{faults:#?}");
    }

    #[test]
    fn the_digest_of_a_file_is_its_own() {
        let module =
            wat::parse_str("(module (memory (export \"memory\") 1) (func (export \"_start\")))").unwrap();
        let folder = tempfile::tempdir().unwrap();
        disk::replace_public(&folder.path().join("x.wasm"), &module).unwrap();
        let text = format!("{HEAD}source: ./x.wasm\nversions: [{{version: 1.0.0}}]\n");
        disk::replace_public(&folder.path().join("x.yaml"), text.as_bytes()).unwrap();
        let read = described(folder.path()).unwrap();
        assert_eq!(read[0].versions[0].digest, Digest::of(&module));
        assert!(matches!(&read[0].source, Source::File(path) if path.is_absolute()));
        let lie = text.replace("1.0.0}", &format!("1.0.0, digest: '{}'}}", Digest::of(b"x")));
        disk::replace_public(&folder.path().join("x.yaml"), lie.as_bytes()).unwrap();
        assert!(matches!(described(folder.path()), Err(Error::Descriptions(_))));
    }
}
