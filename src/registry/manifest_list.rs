//! Lists of manifests, which OCI calls image indexes: a manifest for each platform, of which one may be a plugin's.

use bytes::Bytes;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::Error;
use super::host::Host;
use super::media_types::{CONFIG, DOCKER_INDEX, DOCKER_MANIFEST, INDEX, MANIFEST};
use super::spelling::mistakable;
use super::transfer::proven;
use crate::reference::Digest;

/// The largest number of manifests in a list that is read. An image for all platforms of Go, each with an attestation,
/// has fewer.
const MOST: usize = 128;

/// A list of manifests, proven by its digest, in which exactly one manifest can be a plugin's.
#[derive(Clone)]
pub(super) struct ManifestList {
    digest: Digest,
    plugin: Listed,
    others: Vec<Listed>,
}

/// A list's entry for a manifest. Only what is fetched has to have a valid digest and a size.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Listed {
    #[serde(default)]
    media_type: String,
    digest: String,
    size: Option<u64>,
    artifact_type: Option<String>,
    platform: Option<Platform>,
    annotations: Option<Annotations>,
}

#[derive(Clone, Deserialize)]
struct Platform {
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    os: String,
}

#[derive(Clone, Deserialize)]
struct Annotations {
    /// The annotation of an attestation, which buildx adds to what it builds.
    #[serde(rename = "vnd.docker.reference.type")]
    reference_type: Option<IgnoredAny>,
}

/// The fields of a list that are read. Others are ignored.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    schema_version: u64,
    media_type: Option<String>,
    manifests: Vec<Listed>,
}

/// The fields by which lists and manifests are told apart.
#[derive(Deserialize)]
struct Form {
    manifests: Option<IgnoredAny>,
    layers: Option<IgnoredAny>,
    config: Option<IgnoredAny>,
}

impl ManifestList {
    /// Reads a list, or returns `None` if the bytes are none.
    ///
    /// What could be read as a list and as a manifest is refused, since others might take it for the one that
    /// kwasm does not ([OCI's own advice][1]).
    ///
    /// # Errors
    /// [`Error::Manifest`], if it is a list in which no manifest, or more than one, can be a plugin's.
    ///
    /// [1]: https://github.com/opencontainers/image-spec/security/advisories/GHSA-77vh-xpmg-72qh
    pub(super) fn read(reference: &str, bytes: &[u8]) -> Result<Option<Self>, Error> {
        let error = |what: String| Error::Manifest { reference: reference.to_owned(), what };
        let Ok(Form { manifests: Some(_), layers, config }) = serde_json::from_slice(bytes) else {
            return Ok(None);
        };
        if layers.is_some() || config.is_some() {
            return Err(error("it is a list of manifests and a manifest at the same time".to_owned()));
        }
        if let Some((name, known)) = mistakable(bytes) {
            return Err(error(format!("its field `{name}` may be taken for `{known}`")));
        }
        let Document { schema_version, media_type, manifests } = serde_json::from_slice(bytes)
            .map_err(|cause| error(format!("its list of manifests cannot be read: {cause}")))?;
        if schema_version != 2 {
            return Err(error(format!(
                "its list of manifests has schema version {schema_version}, and not 2"
            )));
        }
        if let Some(other) = media_type.filter(|it| it != INDEX && it != DOCKER_INDEX) {
            return Err(error(format!(
                "its media type is {other}, which is not that of a list of manifests"
            )));
        }
        if manifests.len() > MOST {
            return Err(error(format!(
                "it is a list of {} manifests, and at most {MOST} are read",
                manifests.len()
            )));
        }
        let (plugin, others) = split(manifests).map_err(error)?;
        Ok(Some(Self { digest: Digest::of(bytes), plugin, others }))
    }

    /// Returns the digest.
    pub(super) fn digest(&self) -> Digest {
        self.digest
    }

    /// Returns the entry for the plugin.
    pub(super) fn plugin(&self) -> &Listed {
        &self.plugin
    }

    /// Returns the other entries that some node may choose.
    pub(super) fn others(&self) -> impl Iterator<Item = &Listed> {
        self.others.iter().filter(|listed| !listed.is_for_none())
    }
}

/// Returns the only entry that can be a plugin's, and the others: it is the only one for WebAssembly, or the only one
/// that is not an attestation.
fn split(mut manifests: Vec<Listed>) -> Result<(Listed, Vec<Listed>), String> {
    let places = |fits: fn(&Listed) -> bool| -> Vec<usize> {
        manifests.iter().enumerate().filter(|(_, listed)| fits(listed)).map(|(place, _)| place).collect()
    };
    let (all, wasm) = (places(Listed::may_run), places(|listed| listed.may_run() && listed.is_wasm()));
    if let ([only], _) | (_, [only]) = (&all[..], &wasm[..]) {
        let plugin = manifests.remove(*only);
        return Ok((plugin, manifests));
    }
    let count = match manifests.len() {
        0 => return Err("it is an empty list of manifests".to_owned()),
        1 => "1 manifest".to_owned(),
        several => format!("{several} manifests"),
    };
    Err(match wasm.len() {
        0 => format!("it is a list of {count}, and none is for WebAssembly"),
        several => {
            format!(
                "it is a list of {count}, {several} of which are for WebAssembly, and a plugin is exactly one"
            )
        }
    })
}

impl Listed {
    /// Fetches the manifest, and proves that it is the one that the list names: by digest and size.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Altered`], [`Error::Length`], and [`Error::Manifest`] if the entry has no valid
    /// digest or no size.
    pub(super) async fn fetch(&self, host: &Host) -> Result<Bytes, Error> {
        let reference = format!("{}@{}", host.server.full_name(), self.digest);
        let error = |what: &str| Error::Manifest { reference: reference.clone(), what: what.to_owned() };
        let digest: Digest = self
            .digest
            .parse()
            .map_err(|_| error("its list names it by something other than sha256:<64 hexadecimal digits>"))?;
        let named = self.size.ok_or_else(|| error("its list does not say how long its manifest is"))?;
        let url = host.server.url(&format!("manifests/{digest}"))?;
        let there = proven(host, &reference, url, Some(digest)).await?;
        let (bytes, _) = there.ok_or_else(|| Error::NotFound(reference.clone()))?;
        let found = bytes.len() as u64;
        if found == named { Ok(bytes) } else { Err(Error::Length { reference, named, found }) }
    }

    /// Returns the digest as it is written.
    pub(super) fn digest(&self) -> &str {
        &self.digest
    }

    /// Returns the system that it is for, if that is stated.
    pub(super) fn system(&self) -> Option<&str> {
        self.platform.as_ref().map(|platform| platform.os.as_str())
    }

    /// Returns its platform for a message.
    pub(super) fn platform(&self) -> String {
        match &self.platform {
            Some(Platform { architecture, os }) => format!("{os}/{architecture}"),
            None => "any platform".to_owned(),
        }
    }

    /// Returns whether no node chooses it for itself: its architecture is WebAssembly's.
    pub(super) fn is_for_no_node(&self) -> bool {
        self.platform.as_ref().is_some_and(|platform| platform.architecture.starts_with("wasm"))
    }

    /// Returns whether it may be a plugin: a manifest, and not an attestation, which buildx adds to what it builds.
    fn may_run(&self) -> bool {
        let is_about_another =
            self.annotations.as_ref().is_some_and(|annotations| annotations.reference_type.is_some());
        let is_manifest = [MANIFEST, DOCKER_MANIFEST, ""].contains(&self.media_type.as_str());
        is_manifest && !is_about_another && !self.is_for_none()
    }

    /// Returns whether it is for no platform at all, as buildx writes it, so that no node chooses it.
    fn is_for_none(&self) -> bool {
        self.platform.as_ref().is_some_and(|it| it.os == "unknown" && it.architecture == "unknown")
    }

    fn is_wasm(&self) -> bool {
        self.artifact_type.as_deref() == Some(CONFIG) || self.is_for_no_node()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn listed(name: &str, platform: &str) -> Value {
        let (os, architecture) = platform.split_once('/').unwrap();
        json!({"mediaType": MANIFEST, "digest": Digest::of(name.as_bytes()), "size": 5,
            "platform": {"os": os, "architecture": architecture}})
    }

    fn read(list: &Value) -> Result<Option<ManifestList>, String> {
        ManifestList::read("h.example/a:1", list.to_string().as_bytes()).map_err(|error| error.to_string())
    }

    fn list(manifests: &[Value]) -> Value {
        json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests})
    }

    #[test]
    fn the_one_plugin_is_found_among_what_is_none() {
        let only = |manifests: &[Value]| read(&list(manifests)).map(|list| list.unwrap().plugin.digest);
        let one = Ok(Digest::of(b"one").to_string());
        let plain = json!({"digest": Digest::of(b"one"), "size": 5});
        let attestation = json!({"mediaType": MANIFEST, "digest": Digest::of(b"other"), "size": 5,
            "annotations": {"vnd.docker.reference.type": "attestation-manifest"}});
        assert_eq!(only(std::slice::from_ref(&plain)), one);
        assert_eq!(only(&[attestation.clone(), plain.clone()]), one);
        assert_eq!(only(&[plain, listed("other", "unknown/unknown")]), one);
        assert_eq!(only(&[listed("other", "linux/amd64"), listed("one", "wasi/wasm")]), one);
        let mut typed = listed("one", "any/any");
        typed["artifactType"] = CONFIG.into();
        assert_eq!(only(&[listed("other", "linux/amd64"), typed]), one);
        for manifests in [
            &[listed("one", "wasip1/wasm"), listed("other", "wasip2/wasm")][..],
            &[listed("one", "linux/arm64"), listed("other", "linux/amd64")],
            &[attestation],
            &[json!({"mediaType": INDEX, "digest": Digest::of(b"one"), "size": 5})],
        ] {
            assert!(only(manifests).is_err(), "{manifests:?}");
        }
    }

    #[test]
    fn what_is_no_list_of_one_plugin_is_told_apart() {
        let refused = |value: &Value| read(value).err().unwrap();
        insta::assert_snapshot!(refused(&list(&[])), @"h.example/a:1: it is an empty list of manifests");
        insta::assert_snapshot!(refused(&list(&[listed("a", "unknown/unknown")])), @"h.example/a:1: it is a list of 1 manifest, and none is for WebAssembly");
        insta::assert_snapshot!(refused(&list(&[listed("a", "linux/arm64"), listed("a", "linux/amd64")])), @"h.example/a:1: it is a list of 2 manifests, and none is for WebAssembly");
        insta::assert_snapshot!(refused(&list(&[listed("a", "wasip1/wasm"), listed("b", "wasip2/wasm")])), @"h.example/a:1: it is a list of 2 manifests, 2 of which are for WebAssembly, and a plugin is exactly one");
        insta::assert_snapshot!(refused(&list(&[json!({})])), @"h.example/a:1: its list of manifests cannot be read: missing field `digest` at line 1 column 16");
        insta::assert_snapshot!(refused(&list(&vec![listed("a", "linux/amd64"); MOST + 1])), @"h.example/a:1: it is a list of 129 manifests, and at most 128 are read");
        let with = |name: &str, value: Value| {
            let mut list = list(&[listed("a", "wasip2/wasm")]);
            list[name] = value;
            list
        };
        insta::assert_snapshot!(refused(&with("layers", json!([]))), @"h.example/a:1: it is a list of manifests and a manifest at the same time");
        insta::assert_snapshot!(refused(&with("config", json!({}))), @"h.example/a:1: it is a list of manifests and a manifest at the same time");
        insta::assert_snapshot!(refused(&with("schemaVersion", json!(1))), @"h.example/a:1: its list of manifests has schema version 1, and not 2");
        insta::assert_snapshot!(refused(&with("mediaType", json!(MANIFEST))), @"h.example/a:1: its media type is application/vnd.oci.image.manifest.v1+json, which is not that of a list of manifests");
        insta::assert_snapshot!(refused(&with("Manifests", json!([]))), @"h.example/a:1: its field `Manifests` may be taken for `manifests`");
        assert!(read(&with("mediaType", json!(DOCKER_INDEX))).unwrap().is_some());
        let mut full = vec![listed("a", "linux/amd64"); MOST - 1];
        full.push(listed("b", "wasip2/wasm"));
        assert!(read(&list(&full)).unwrap().is_some());
        assert!(read(&json!({"schemaVersion": 2, "layers": []})).unwrap().is_none());
        assert!(read(&json!([])).unwrap().is_none());
    }

    #[test]
    fn what_no_node_chooses_is_none_of_the_others() {
        let mut disguised = listed("b", "linux/amd64");
        disguised["annotations"] = json!({"vnd.docker.reference.type": "attestation-manifest"});
        let all = [listed("a", "wasip2/wasm"), disguised, listed("c", "unknown/unknown")];
        let list = read(&list(&all)).unwrap().unwrap();
        let others: Vec<&str> = list.others().map(Listed::digest).collect();
        assert_eq!(others, [Digest::of(b"b").to_string()]);
    }
}
