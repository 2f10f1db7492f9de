//! What a component says of itself, in the sections that [`wasm-metadata`][1] and `cargo component` write.
//!
//! [1]: https://docs.rs/wasm-metadata

use std::collections::BTreeMap;

use wasm_metadata::{Metadata, Payload};
use wasmparser::Encoding;

use super::{Error, Kind, Outline};

/// What there is to know of a component or core module, whether or not it can run.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Facts {
    /// Which of the two it is.
    pub kind: Option<Kind>,
    /// What it imports, by interface or module; of a module with the names that it imports from it.
    pub imports: BTreeMap<String, Vec<String>>,
    /// What it exports: interfaces, e.g. `wasi:cli/run@0.2.12`, or names.
    pub exports: Vec<String>,
    /// What it says, by the name that an OCI manifest gives it: `org.opencontainers.image.version` and the like.
    pub annotations: BTreeMap<String, String>,
}

impl Facts {
    /// Reads them from a component or core module.
    ///
    /// # Errors
    /// [`Error::Alien`] and [`Error::Broken`]; what cannot run is no error.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        if !bytes.starts_with(b"\0asm") {
            return Err(Error::Alien(super::guess(bytes)));
        }
        let outline = Outline::read(bytes)?;
        let kind = Some(if outline.encoding == Encoding::Component { Kind::Component } else { Kind::Core });
        // Sections that cannot be read say nothing.
        let annotations =
            Payload::from_binary(bytes).map(|payload| said(payload.metadata())).unwrap_or_default();
        Ok(Self { kind, imports: outline.imported(), exports: outline.exported(), annotations })
    }

    /// One of the annotations, without the `org.opencontainers.image.` that all begin with.
    #[must_use]
    pub fn said(&self, name: &str) -> Option<&str> {
        self.annotations.get(&format!("{PREFIX}{name}")).map(String::as_str)
    }
}

const PREFIX: &str = "org.opencontainers.image.";

/// The same names that `wkg publish` uses.
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
        // A custom section `version` whose content is no UTF-8.
        let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
        bytes.extend_from_slice(&[0, 10, 7]);
        bytes.extend_from_slice(b"version\xff\xff");
        assert_eq!(Facts::read(&bytes).unwrap().annotations, BTreeMap::new());
    }
}
