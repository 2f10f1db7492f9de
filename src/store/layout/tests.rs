//! Tests of archives: those that are restored unchanged, and malicious ones.

use insta::assert_snapshot;
use serde_json::json;
use tar::{Builder, EntryType, Header};

use super::form::{Descriptor, MANIFEST_TYPE, Manifest, NAME};
use super::*;
use crate::reference::Digest;
use crate::registry::Release;

fn hello() -> Carried {
    let content = Artifact::from_bytes("a component");
    let annotations = [("version", "1.2.3"), ("description", "Greets")];
    let annotations =
        annotations.map(|(key, text)| (format!("org.opencontainers.image.{key}"), text.to_owned()));
    let release = Release {
        content: content.clone(),
        title: "hello.wasm".to_owned(),
        system: "wasip2",
        interface: None,
        annotations: annotations.into_iter().collect(),
    };
    let (config, manifest) = release.artifact();
    Carried {
        name: "hello".parse().unwrap(),
        source: "/a/hello.wasm".to_owned(),
        version: Some("1.2.3".to_owned()),
        description: Some("Greets".to_owned()),
        policy: "cluster".to_owned(),
        reference: None,
        manifest,
        config,
        content,
        signatures: Vec::new(),
    }
}

/// Returns a signed plugin from a registry.
fn signed() -> Carried {
    let payload = Artifact::from_bytes("a signature");
    let manifest = Manifest {
        schema_version: 2,
        media_type: MANIFEST_TYPE.to_owned(),
        config: Descriptor::of("application/vnd.oci.empty.v1+json", &Artifact::from_bytes("{}")),
        layers: vec![Descriptor::of("application/vnd.dev.sigstore.bundle.v0.3+json", &payload)],
        annotations: std::collections::BTreeMap::new(),
    };
    let manifest = Artifact::from_bytes(serde_json::to_vec(&manifest).unwrap());
    Carried {
        name: "signed".parse().unwrap(),
        source: "registry.example.com/hello:1".to_owned(),
        reference: Some("registry.example.com/hello:1".to_owned()),
        signatures: vec![Signed { manifest, blobs: vec![payload] }],
        ..hello()
    }
}

fn archive(plugins: &[Carried]) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(plugins, &mut bytes).unwrap();
    bytes
}

/// Returns the files of an archive, for modification.
fn unpacked() -> Vec<(String, EntryType, Vec<u8>)> {
    let bytes = archive(&[hello()]);
    let mut archive = tar::Archive::new(bytes.as_slice());
    let files = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let mut content = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut content).unwrap();
        (entry.path().unwrap().to_str().unwrap().to_owned(), EntryType::Regular, content)
    });
    files.collect()
}

/// Packs arbitrary files, as no tar program would.
fn packed(files: &[(String, EntryType, Vec<u8>)]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (path, kind, content) in files {
        let mut header = Header::new_ustar();
        header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
        header.set_entry_type(*kind);
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        builder.append(&header, content.as_slice()).unwrap();
    }
    builder.into_inner().unwrap()
}

/// Returns the reason why an archive is refused.
fn refused(bytes: &[u8]) -> String {
    let error = read(bytes).err().unwrap();
    let source = std::error::Error::source(&error).map(|source| format!(": {source}"));
    format!("{error}{}", source.unwrap_or_default())
}

/// Returns the reason after a change to its files.
fn changed(change: impl FnOnce(&mut Vec<(String, EntryType, Vec<u8>)>)) -> String {
    let mut files = unpacked();
    change(&mut files);
    refused(&packed(&files))
}

/// Returns the reason after a change to its index.
fn reindexed(change: impl FnOnce(&mut serde_json::Value)) -> String {
    changed(|files| {
        let mut index = serde_json::from_slice(&files[1].2).unwrap();
        change(&mut index);
        files[1].2 = serde_json::to_vec(&index).unwrap();
    })
}

#[test]
fn what_is_written_is_read_as_it_was() {
    let bytes = archive(&[signed(), hello()]);
    let read = read(bytes.as_slice()).unwrap();
    assert_eq!(read.iter().map(|plugin| plugin.name.as_str()).collect::<Vec<_>>(), ["hello", "signed"]);
    for (read, written) in read.iter().zip([hello(), signed()]) {
        assert_eq!(read.source, written.source);
        assert_eq!((&read.version, &read.description), (&written.version, &written.description));
        assert_eq!((&read.policy, &read.reference), (&written.policy, &written.reference));
        assert_eq!(read.content.bytes(), written.content.bytes());
        assert_eq!(read.manifest.digest(), written.manifest.digest());
        assert_eq!(read.origin(), written.origin());
        assert_eq!(read.parts().len(), written.parts().len());
    }
    assert_eq!(read[1].origin().unwrap().evidence, [Digest::of(b"a signature")]);
    assert_eq!(read[1].parts().len(), 4);
}

#[test]
fn the_same_plugins_are_the_same_bytes() {
    assert!(archive(&[hello(), signed()]) == archive(&[signed(), hello()]));
    assert!(read(packed(&unpacked()).as_slice()).is_ok());
}

#[test]
fn what_is_no_archive_is_told_what_it_is() {
    assert_snapshot!(refused(b""), @"it is not an OCI layout: it has no oci-layout");
    assert_snapshot!(refused(b"text"), @"it is not a tar, or is cut short: failed to read entire block");
    assert_snapshot!(refused(&[b'x'; 4096]), @"it is not a tar, or is cut short: numeric field was not a number: xxxxxxxx when getting cksum for xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    assert_snapshot!(refused(&[0x1f, 0x8b, 8, 0, 0]), @"it is compressed, and kwasm reads a plain tar");
    assert_snapshot!(refused(&[0x28, 0xb5, 0x2f, 0xfd, 0]), @"it is compressed, and kwasm reads a plain tar");
}

#[test]
fn an_archive_that_is_cut_short_anywhere_is_refused() {
    let bytes = archive(&[hello(), signed()]);
    // What follows the last file is padding.
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    for length in (0..end).step_by(97) {
        assert!(read(&bytes[..length]).is_err(), "{length} of {}", bytes.len());
    }
}

#[test]
fn no_bit_of_an_archive_can_be_flipped_unseen() {
    let bytes = archive(&[hello()]);
    let facts = |plugins: Vec<Carried>| {
        let facts = |plugin: Carried| {
            (plugin.name, plugin.manifest.digest(), plugin.config.digest(), plugin.content.digest())
        };
        plugins.into_iter().map(facts).collect::<Vec<_>>()
    };
    let expected = facts(read(bytes.as_slice()).unwrap());
    for position in (0..bytes.len()).step_by(13) {
        let mut flipped = bytes.clone();
        flipped[position] ^= 4;
        if let Ok(plugins) = read(flipped.as_slice()) {
            // Padding, or what the index says in words: never another content.
            let now = facts(plugins);
            assert!(
                now.iter().all(|fact| expected.iter().any(|known| known.1 == fact.1 && known.3 == fact.3))
            );
        }
    }
}

#[test]
fn files_that_no_layout_has_are_refused() {
    let link = |kind| move |files: &mut Vec<_>| files.push(("blobs/sha256/x".to_owned(), kind, Vec::new()));
    assert_snapshot!(changed(link(EntryType::Symlink)), @"`blobs/sha256/x` is a link, which no layout has");
    assert_snapshot!(changed(link(EntryType::Link)), @"`blobs/sha256/x` is a link, which no layout has");
    assert_snapshot!(changed(link(EntryType::Fifo)), @"`blobs/sha256/x` is not a regular file");
    assert_snapshot!(changed(link(EntryType::GNUSparse)), @"`blobs/sha256/x` is not a regular file");
    assert_snapshot!(changed(link(EntryType::GNULongName)), @"`blobs/sha256/x` is not a regular file");
    for path in
        ["../x", "/etc/passwd", "blobs/sha256/../../x", "blobs/sha512/00", "blobs/sha256/UP", "manifest.json"]
    {
        let refused = changed(|files| files.push((path.to_owned(), EntryType::Regular, Vec::new())));
        assert_eq!(refused, format!("`{path}` is not a file of a layout"));
    }
    assert_snapshot!(changed(|files| files.push(files[0].clone())), @"`oci-layout` appears twice");
    assert_snapshot!(changed(|files| files.push(files[3].clone())), @"`blobs/sha256/626d0ce33ca550dc06351c3ea7b698be557ff5d35bf25edc44221b561838594c` appears twice");
    assert_snapshot!(changed(|files| files[3].2.push(0)), @"`blobs/sha256/626d0ce33ca550dc06351c3ea7b698be557ff5d35bf25edc44221b561838594c` has other content: it is sha256:46ccb0da924665cb87173fb4a7086563f0555fc553dec41937391537bc92ace9");
    assert_snapshot!(changed(|files| files[1].2 = vec![b' '; 5 << 20]), @"`index.json` has 5242880 bytes, of 4194304 at most");
    assert_snapshot!(
        changed(|files| files.extend((0..5000).map(|_| ("d".to_owned(), EntryType::Directory, Vec::new())))),
        @"it has more than 4096 files"
    );
}

#[test]
fn a_size_that_a_header_only_claims_takes_no_memory() {
    let mut header = Header::new_ustar();
    header.as_mut_bytes()[..10].copy_from_slice(b"index.json");
    header.set_size(3 << 20);
    header.set_cksum();
    assert!(refused(header.as_bytes()).starts_with("it is not a tar, or is cut short"));
    header.set_size(u64::MAX >> 1);
    header.set_cksum();
    assert_snapshot!(refused(header.as_bytes()), @"`index.json` has 9223372036854775807 bytes, of 4194304 at most");
}

#[test]
fn a_layout_that_lacks_something_is_told_what() {
    assert_snapshot!(changed(|files| drop(files.remove(0))), @"it is not an OCI layout: it has no oci-layout");
    assert_snapshot!(changed(|files| drop(files.remove(1))), @"it is not an OCI layout: it has no index.json");
    for lost in 2..5 {
        let refused = changed(|files| drop(files.remove(lost)));
        assert!(
            refused.starts_with("hello: sha256:") && refused.ends_with("is missing from the archive"),
            "{refused}"
        );
    }
    assert_snapshot!(changed(|files| files[0].2 = b"{\"imageLayoutVersion\": \"2\"}".to_vec()), @"oci-layout: it is of version 2, and kwasm reads 1.0.0");
    assert_snapshot!(changed(|files| files[1].2 = b"<html>".to_vec()), @"index.json cannot be read: expected value at line 1 column 1");
}

#[test]
fn an_index_that_says_something_else_is_refused() {
    assert_snapshot!(reindexed(|index| index["manifests"] = json!([])), @"it has no plugin that kwasm saved");
    assert_snapshot!(reindexed(|index| index["schemaVersion"] = json!(1)), @"index.json: it has schema version 1, and not 2");
    assert_snapshot!(reindexed(|index| index["manifests"][0]["size"] = json!(1)), @"hello: sha256:c8c6edb9ef55ebe7d45b8ad073af071bf80c3ef20999d9b9eda6b07dfdf2b621 has 537 bytes, and should have 1");
    assert_snapshot!(reindexed(|index| index["manifests"][0]["size"] = json!(5 << 20)), @"hello: its manifest has 5242880 bytes, of 4194304 at most");
    assert_snapshot!(reindexed(|index| index["manifests"][0]["annotations"][NAME] = json!("../x")), @"index.json: `../x` is not a valid plugin name: use lower-case letters, digits and inner dashes, 63 at most");
    assert_snapshot!(reindexed(|index| index["manifests"][0]["annotations"][NAME] = json!("get")), @"index.json: `get` is a command of kubectl or kwasm itself, which would always be run instead");
    assert_snapshot!(
        reindexed(|index| {
            let twin = index["manifests"][0].clone();
            index["manifests"].as_array_mut().unwrap().push(twin);
        }),
        @"index.json: two plugins in it are called `hello`"
    );
}

#[test]
fn a_manifest_with_two_layers_is_no_plugins() {
    let mut plugin = hello();
    let mut manifest: serde_json::Value = serde_json::from_slice(plugin.manifest.bytes()).unwrap();
    let layer = manifest["layers"][0].clone();
    manifest["layers"].as_array_mut().unwrap().push(layer);
    plugin.manifest = Artifact::from_bytes(manifest.to_string());
    assert_snapshot!(refused(&archive(&[plugin])), @"hello: it has 2 layers, and a plugin is exactly one");
}
