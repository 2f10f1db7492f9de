//! Metadata of components, from the sections that [`wasm-metadata`][1] and `cargo component` write.
//!
//! [1]: https://docs.rs/wasm-metadata

use std::collections::BTreeMap;

use wasm_metadata::{Metadata, Payload};
use wasmparser::Encoding;

use super::{Error, Kind, Outline, RequestError};

/// The facts about a component or core module, whether or not it can run.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Facts {
    /// The form of the binary.
    pub kind: Option<Kind>,
    /// The imports by interface or module; for a core module, with the names imported from each.
    pub imports: BTreeMap<String, Vec<String>>,
    /// The exports: interfaces, e.g. `wasi:cli/run@0.2.12`, or names.
    pub exports: Vec<String>,
    /// The annotations, by their names in an OCI manifest, such as `org.opencontainers.image.version`.
    pub annotations: BTreeMap<String, String>,
    /// The text of its request, if it has one, or the reason why it cannot be read.
    pub request: Option<Result<String, RequestError>>,
}

impl Facts {
    /// Reads the facts from a component or core module.
    ///
    /// # Errors
    /// [`Error::Alien`] and [`Error::Broken`]; a binary that cannot run is not an error.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        if !bytes.starts_with(b"\0asm") {
            return Err(Error::Alien(super::guess(bytes)));
        }
        let outline = Outline::read(bytes)?;
        let kind = Some(if outline.encoding == Encoding::Component { Kind::Component } else { Kind::Core });
        // Sections that cannot be read say nothing.
        let annotations =
            Payload::from_binary(bytes).map(|payload| said(payload.metadata())).unwrap_or_default();
        let (imports, exports) = (outline.imported(), outline.exported());
        Ok(Self { kind, imports, exports, annotations, request: outline.request.transpose() })
    }

    /// Returns an annotation by its name without the prefix `org.opencontainers.image.`.
    #[must_use]
    pub fn said(&self, name: &str) -> Option<&str> {
        self.annotations.get(&format!("{PREFIX}{name}")).map(String::as_str)
    }
}

const PREFIX: &str = "org.opencontainers.image.";

/// Reads the annotations under the same names that `wkg publish` uses.
fn said(metadata: &Metadata) -> BTreeMap<String, String> {
    let text = |value: Option<String>| value.filter(|text| !text.trim().is_empty());
    let pairs = [
        ("authors", text(metadata.authors.as_ref().map(ToString::to_string))),
        ("description", text(metadata.description.as_ref().map(ToString::to_string))),
        ("licenses", text(metadata.licenses.as_ref().map(ToString::to_string))),
        ("source", text(metadata.source.as_ref().map(ToString::to_string))),
        ("url", text(metadata.homepage.as_ref().map(ToString::to_string))),
        ("version", text(metadata.version.as_ref().map(ToString::to_string))),
    ];
    pairs.into_iter().filter_map(|(name, value)| Some((format!("{PREFIX}{name}"), value?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_says_what_was_written_into_it() {
        let empty = b"\0asm\x0d\0\x01\0";
        let nothing = Facts { kind: Some(Kind::Component), ..Facts::default() };
        assert_eq!(Facts::read(empty).unwrap(), nothing);
        let mut add = wasm_metadata::AddMetadata::default();
        add.version = wasm_metadata::AddMetadataField::Set("1.2.3".parse().unwrap());
        add.description = wasm_metadata::AddMetadataField::Set("Decodes secrets".parse().unwrap());
        let facts = Facts::read(&add.to_wasm(empty).unwrap()).unwrap();
        assert_eq!(
            (facts.said("version"), facts.said("description")),
            (Some("1.2.3"), Some("Decodes secrets"))
        );
        assert_eq!(facts.said("authors"), None);
    }

    #[test]
    fn sections_that_cannot_be_read_say_nothing() {
        // A custom section `version` whose content is not UTF-8.
        let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
        bytes.extend_from_slice(&[0, 10, 7]);
        bytes.extend_from_slice(b"version\xff\xff");
        assert_eq!(Facts::read(&bytes).unwrap().annotations, BTreeMap::new());
    }
}
