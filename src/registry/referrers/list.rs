//! The list of a manifest's referrers, from any number of pages, or from the tag that replaces it.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::reference::Digest;
use crate::registry::host::Host;
use crate::registry::media_types::{DOCKER_MANIFEST, INDEX, LONGEST_MANIFEST, MANIFEST};
use crate::registry::server::Document;
use crate::registry::transfer::proven;
use crate::registry::{Error, signature, tags};

/// The largest number of referrers that are listed, of which far fewer are read.
const MOST: usize = 10_000;

/// The largest number of pages that are requested.
const MOST_PAGES: usize = 1_000;

/// The media types of configurations. Registries return them as the type of an artifact, some of them even if
/// it names its own.
const CONFIGS: [&str; 2] = ["application/vnd.oci.empty.v1+json", "application/vnd.oci.image.config.v1+json"];

/// A manifest that refers to another one.
pub(super) struct Referrer {
    pub(super) digest: Digest,
    /// Whether it may be a signature by its description in the registry.
    pub(super) may_sign: bool,
}

#[derive(Deserialize)]
struct Index {
    /// The manifests; `null` if there are none. Without this field it is an unrelated response.
    #[serde(deserialize_with = "Option::deserialize")]
    manifests: Option<Vec<Listed>>,
}

/// A list's entry for a referrer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    #[serde(default)]
    media_type: String,
    digest: String,
    artifact_type: Option<String>,
    #[serde(default)]
    annotations: Option<Annotations>,
}

#[derive(Deserialize)]
struct Annotations {
    /// The annotation that cosign adds to what it attaches.
    #[serde(rename = "dev.sigstore.bundle.predicateType")]
    predicate_type: Option<String>,
}

impl Listed {
    /// Returns the digest, if it is a manifest that can be named here: a signature is neither an index nor
    /// identified by another algorithm than its subject.
    fn manifest(&self) -> Result<Option<Digest>, crate::reference::DigestError> {
        let is_manifest = [MANIFEST, DOCKER_MANIFEST, ""].contains(&self.media_type.as_str());
        let is_other = self.digest.split_once(':').is_some_and(|(algorithm, _)| algorithm != "sha256");
        if !is_manifest || is_other { Ok(None) } else { self.digest.parse().map(Some) }
    }

    /// Returns whether it may be a signature. Only a description as something else excludes that; a missing
    /// or useless one does not.
    fn may_sign(&self) -> bool {
        let predicate =
            self.annotations.as_ref().and_then(|annotations| annotations.predicate_type.as_deref());
        let kind = self.artifact_type.as_deref().unwrap_or_default();
        let is_named = ["sigstore", "cosign"].iter().any(|name| kind.contains(name));
        let is_unknown = kind.is_empty() || CONFIGS.contains(&kind);
        predicate.is_none_or(|predicate| predicate == signature::PREDICATE_TYPE) && (is_named || is_unknown)
    }
}

/// Returns the manifests that refer to `subject` ([distribution specification][1]), possible signatures
/// first.
///
/// # Errors
/// If the list cannot be read completely.
///
/// [1]: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers
pub(super) async fn referrers(host: &Host, subject: Digest) -> Result<Vec<Referrer>, Error> {
    let mut found = BTreeMap::new();
    let mut seen = BTreeSet::new();
    let mut page = first_page(host, subject).await?;
    while let Some(document) = page.take() {
        let is_empty = !add(host, &document.bytes, &mut found)?;
        // It would lead to itself forever, and the rest stays unknown, unless there is none.
        if !seen.insert(Digest::of(&document.bytes)) || seen.len() > MOST_PAGES {
            if is_empty {
                break;
            }
            return Err(host.server.answer(format!("its list of referrers of {subject} does not end")));
        }
        if let Some(url) = tags::following(host, &document)? {
            let next = host.document(url, INDEX, LONGEST_MANIFEST).await?;
            page = Some(next.ok_or_else(|| {
                host.server.answer(format!("its list of referrers of {subject} ends before its last page"))
            })?);
        }
    }
    if found.is_empty()
        && let Some((bytes, digest)) = by_tag(host, &tag(subject)).await?
        && digest != subject
        && !is_manifest(&bytes)
    {
        add(host, &bytes, &mut found)?;
    }
    let all = found.into_iter().map(|(digest, may_sign)| Referrer { digest, may_sign });
    let (mut all, others): (Vec<_>, Vec<_>) = all.partition(|referrer| referrer.may_sign);
    all.extend(others);
    Ok(all)
}

/// Returns the first page of that list, or `None` at a registry without an API for it.
///
/// # Errors
/// The errors of [`Host::document`].
pub(super) async fn first_page(host: &Host, subject: Digest) -> Result<Option<Document>, Error> {
    let url = host.server.url(&format!("referrers/{subject}"))?;
    let path = url.path().to_owned();
    match host.document(url, INDEX, LONGEST_MANIFEST).await {
        Err(error) if is_unknown_address(&path, &error) => Ok(None),
        page => page,
    }
}

/// Returns whether a registry does not know the address of the API, or takes it for one of another API. Most
/// respond with 404, which is not an error.
fn is_unknown_address(path: &str, error: &Error) -> bool {
    let Error::Status { path: answered, status, .. } = error else { return false };
    answered == path && matches!(*status, StatusCode::BAD_REQUEST | StatusCode::METHOD_NOT_ALLOWED)
}

/// Returns whether bytes are a manifest and certainly not an index. Some registries read the tag as a digest
/// in another spelling and return the manifest itself, and other tools use tags freely.
fn is_manifest(bytes: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Form {
        manifests: Option<IgnoredAny>,
        layers: Option<IgnoredAny>,
        config: Option<IgnoredAny>,
    }
    serde_json::from_slice(bytes)
        .is_ok_and(|form: Form| form.manifests.is_none() && (form.layers.is_some() || form.config.is_some()))
}

/// Adds the manifests on a page, and returns whether there were any.
fn add(host: &Host, page: &[u8], found: &mut BTreeMap<Digest, bool>) -> Result<bool, Error> {
    let unreadable = |why: String| host.server.answer(format!("its list of referrers cannot be read: {why}"));
    let Index { manifests } = serde_json::from_slice(page).map_err(|error| unreadable(error.to_string()))?;
    let listed = manifests.unwrap_or_default();
    for one in &listed {
        if let Some(digest) = one.manifest().map_err(|error| unreadable(error.to_string()))? {
            found.insert(digest, one.may_sign());
        }
    }
    if found.len() > MOST {
        return Err(host.server.answer(format!("its list of referrers has more than {MOST} of them")));
    }
    Ok(!listed.is_empty())
}

/// Returns the tag that replaces the referrers of a manifest at registries without an API for them: the [tag
/// schema][1].
///
/// [1]: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#referrers-tag-schema
pub(in crate::registry) fn tag(subject: Digest) -> String {
    format!("sha256-{}", subject.hex())
}

pub(super) async fn by_tag(host: &Host, tag: &str) -> Result<Option<(Bytes, Digest)>, Error> {
    proven(host, &host.server.full_name(), host.server.url(&format!("manifests/{tag}"))?, None).await
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn listed(value: Value) -> Listed {
        serde_json::from_value(value).unwrap()
    }

    fn of_type(artifact_type: &str) -> Listed {
        listed(json!({"digest": Digest::of(b""), "artifactType": artifact_type}))
    }

    #[test]
    fn only_manifests_that_can_be_named_are_read() {
        let digest = Digest::of(b"");
        for media_type in [MANIFEST, DOCKER_MANIFEST] {
            let one = listed(json!({"mediaType": media_type, "digest": digest}));
            assert_eq!(one.manifest(), Ok(Some(digest)), "{media_type}");
        }
        assert_eq!(listed(json!({"mediaType": INDEX, "digest": digest})).manifest(), Ok(None));
        let longer = format!("sha512:{}", "0".repeat(128));
        assert_eq!(listed(json!({"mediaType": MANIFEST, "digest": longer})).manifest(), Ok(None));
        for page in ["{}", r#"{"errors": []}"#, "[]", r#"{"manifests": 1}"#] {
            assert!(serde_json::from_str::<Index>(page).is_err(), "{page}");
        }
        assert!(
            serde_json::from_str::<Index>(r#"{"manifests": null}"#).is_ok_and(|it| it.manifests.is_none())
        );
        for digest in ["sha256:0", "", "0"] {
            assert!(listed(json!({"mediaType": MANIFEST, "digest": digest})).manifest().is_err(), "{digest}");
        }
    }

    #[test]
    fn what_may_be_a_signature_is_told_from_what_says_that_it_is_none() {
        for unsure in [signature::MEDIA_TYPE, "application/vnd.dev.cosign.artifact.sig.v1+json", ""] {
            assert!(of_type(unsure).may_sign(), "{unsure}");
        }
        assert!(CONFIGS.iter().all(|config| of_type(config).may_sign()));
        assert!(listed(json!({"digest": Digest::of(b"")})).may_sign());
        assert!(!of_type("application/spdx+json").may_sign());
        let stated = |predicate: &str| {
            listed(json!({
                "digest": Digest::of(b""),
                "artifactType": signature::MEDIA_TYPE,
                "annotations": {"dev.sigstore.bundle.predicateType": predicate},
            }))
        };
        assert!(stated(signature::PREDICATE_TYPE).may_sign());
        assert!(!stated("https://cyclonedx.org/bom").may_sign());
    }

    #[test]
    fn a_manifest_is_distinguished_from_an_index_and_from_what_is_neither() {
        for manifest in [r#"{"config": {}, "layers": []}"#, r#"{"layers": []}"#, r#"{"config": {}}"#] {
            assert!(is_manifest(manifest.as_bytes()), "{manifest}");
        }
        for other in
            [r#"{"manifests": []}"#, r#"{"manifests": [], "layers": []}"#, "{}", r#"{"errors": []}"#, "{"]
        {
            assert!(!is_manifest(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn a_registry_says_in_its_status_that_it_has_no_such_api() {
        let path = "/v2/a/referrers/x";
        let is_unknown = |answered: &str, status| {
            let (host, path_of_it) = ("h.example".to_owned(), answered.to_owned());
            is_unknown_address(path, &Error::Status { host, path: path_of_it, status, said: String::new() })
        };
        assert!(is_unknown(path, StatusCode::BAD_REQUEST));
        assert!(is_unknown(path, StatusCode::METHOD_NOT_ALLOWED));
        assert!(!is_unknown(path, StatusCode::INTERNAL_SERVER_ERROR));
        assert!(!is_unknown("/elsewhere", StatusCode::BAD_REQUEST));
        assert!(!is_unknown_address(path, &Error::NotFound("400".to_owned())));
    }
}
