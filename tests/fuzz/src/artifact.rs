//! Untrusted input from registries, archives and users: manifests, archives, components, sources.

use bytes::Bytes;
use kwasm::inspect::{Facts, Inspected, embed};
use kwasm::reference::{Digest, Source};
use kwasm::registry::{LIMIT, Manifest};
use kwasm::store::layout;

/// Checks what is read from bytes, by their first: what it says is proven by what was read, and reads back.
pub(crate) fn holds(data: &[u8]) {
    let Some((kind, data)) = data.split_first() else { return };
    match kind % 4 {
        0 => an_archive(data),
        1 => a_manifest(data),
        2 => a_component(data),
        _ => a_source(data),
    }
}

fn an_archive(data: &[u8]) {
    let Ok(plugins) = layout::read(data) else { return };
    assert!(!plugins.is_empty(), "an archive without a plugin is none");
    for plugin in plugins {
        let manifest = Manifest::read("plugin", plugin.manifest.bytes().clone()).unwrap();
        assert_eq!(manifest.digest(), plugin.manifest.digest());
        assert_eq!(manifest.config().digest(), plugin.config.digest());
        assert_eq!(manifest.layer().digest(), plugin.content.digest());
        assert_eq!(manifest.layer().size(), plugin.content.bytes().len() as u64);
        let signed =
            plugin.signatures.iter().flat_map(|signed| [&signed.manifest].into_iter().chain(&signed.blobs));
        for part in [&plugin.manifest, &plugin.config, &plugin.content].into_iter().chain(signed) {
            assert_eq!(Digest::of(part.bytes()), part.digest());
        }
    }
}

fn a_manifest(data: &[u8]) {
    let bytes = Bytes::copy_from_slice(data);
    let Ok(manifest) = Manifest::read("manifest", bytes.clone()) else { return };
    assert_eq!(manifest.digest(), Digest::of(data));
    assert_eq!(*manifest.bytes(), bytes);
    assert!(manifest.layer().size() <= LIMIT);
}

fn a_component(data: &[u8]) {
    // Everything that can run has readable metadata.
    if let Ok(inspected) = Inspected::read(data) {
        let facts = Facts::read(data).unwrap();
        assert_eq!(facts.request, inspected.request().map(|text| Ok(text.to_owned())));
    }
    // A request is written wherever it would be the only one, and is read as it was written.
    let Ok(facts) = Facts::read(data) else {
        assert!(embed(data, REQUEST).is_err());
        return;
    };
    if let Ok(asking) = embed(data, REQUEST) {
        let described = Facts::read(&asking).unwrap();
        assert_eq!(described, Facts { request: Some(Ok(REQUEST.to_owned())), ..facts });
        assert_eq!(embed(&asking, REQUEST).unwrap(), asking);
    } else {
        assert!(matches!(facts.request, Some(Err(_))), "there is one inside");
    }
}

/// A text that is written into components.
const REQUEST: &str = "apiVersion: kwasm.dev/v1\n";

fn a_source(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(source) = text.parse::<Source>() else { return };
    assert_eq!(source.to_string().parse::<Source>().as_ref(), Ok(&source), "{text:?}");
    if let Source::Image(image) = &source {
        assert!(image.host().chars().all(|c| c.is_ascii_alphanumeric() || ".-:[]".contains(c)), "{image}");
        assert!(!image.full_name().contains(char::is_whitespace), "{image}");
        assert!(image.with_digest(Digest::of(b"")).digest().is_some());
    }
}
