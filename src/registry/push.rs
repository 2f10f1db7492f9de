//! Pushes blobs and manifests, by the [distribution specification][1].
//!
//! [1]: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#push

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use reqwest::{Response, Url};
use serde_json::Value;

use super::host::{Host, Request};
use super::manifest::descriptor;
use super::media_types::{CREATED, EMPTY, INDEX, MANIFEST};
use super::server::{self, Actions};
use super::signature::{self, PrivateKey};
use super::transfer::proven;
use super::{Artifact, Error, referrers};

/// A repository to push to.
pub(super) struct Push<'a> {
    host: &'a Host,
}

impl<'a> Push<'a> {
    pub(super) fn to(host: &'a Host) -> Self {
        Self { host }
    }

    /// Pushes a blob, unless it exists already.
    ///
    /// # Errors
    /// [`Error::Push`], [`Error::Denied`].
    pub(super) async fn blob(&self, blob: &Artifact) -> Result<(), Error> {
        // An upload that broke is started again: the registry's state is not known, and may be complete.
        let answer = self.host.server.persist(async || self.upload(blob).await).await?;
        self.accepted(answer, &[StatusCode::CREATED, StatusCode::OK]).await.map(drop)
    }

    /// Pushes a manifest or a list of manifests under its own digest, and with a key a signature of it.
    ///
    /// # Errors
    /// The same as [`Self::put`] and [`Self::sign`].
    pub(super) async fn untagged(
        &self,
        media_type: &'static str,
        manifest: &Artifact,
        key: Option<&PrivateKey>,
    ) -> Result<(), Error> {
        self.put(&manifest.digest().to_string(), media_type, manifest).await?;
        match key {
            Some(key) => self.sign(media_type, manifest, key).await,
            None => Ok(()),
        }
    }

    /// Attaches a signature, in form of a bundle, to an existing manifest or list of manifests.
    ///
    /// # Errors
    /// The same as [`Self::blob`], and an error if it cannot be signed.
    async fn sign(&self, media_type: &str, subject: &Artifact, key: &PrivateKey) -> Result<(), Error> {
        let bundle = key
            .sign(subject.digest())
            .map_err(|error| self.failed(format!("it cannot be signed: {error}")))?;
        let (bundle, empty) = (Artifact::from_bytes(bundle), Artifact::from_bytes(&b"{}"[..]));
        let manifest = referrer(&descriptor(media_type, subject), &empty, &bundle);
        self.blob(&empty).await?;
        self.blob(&bundle).await?;
        self.put(&manifest.digest().to_string(), MANIFEST, &manifest).await?;
        // A registry without the referrers API finds it by this tag alone.
        match referrers::index_with(self.host, subject.digest(), &manifest).await? {
            Some(index) => self.put(&referrers::tag(subject.digest()), INDEX, &index).await,
            None => Ok(()),
        }
    }

    /// Pushes a manifest or an index under a tag or its own digest.
    ///
    /// # Errors
    /// The same as [`Self::blob`], and an error if different content is there afterwards.
    pub(super) async fn put(
        &self,
        name: &str,
        media_type: &'static str,
        manifest: &Artifact,
    ) -> Result<(), Error> {
        let url = self.host.server.url(&format!("manifests/{name}"))?;
        let request = request(Method::PUT, url.clone(), Some((media_type, manifest.bytes().clone())));
        let answer = self.host.send(&request).await?;
        self.accepted(answer, &[StatusCode::CREATED]).await?;
        let repository = self.host.server.full_name();
        // The sent content must now be there, unchanged.
        match proven(self.host, &repository, url, None).await? {
            Some((_, there)) if there == manifest.digest() => Ok(()),
            _ => Err(Error::Push {
                reference: format!("{repository}:{name}"),
                what: "the registry accepted it, but now has something else there".to_owned(),
            }),
        }
    }

    /// Sends a whole blob to the location that the registry names, or finds that it exists already.
    async fn upload(&self, blob: &Artifact) -> Result<reqwest::Result<Response>, Error> {
        let digest = blob.digest().to_string();
        let head = request(Method::HEAD, self.host.server.url(&format!("blobs/{digest}"))?, None);
        let there = self.host.send(&head).await?;
        if there.status() == StatusCode::OK {
            return Ok(Ok(there));
        }
        let post = request(Method::POST, self.host.server.url("blobs/uploads/")?, None);
        let begun = self.accepted(self.host.send(&post).await?, &[StatusCode::ACCEPTED]).await?;
        let mut url = self.location(&begun)?;
        url.query_pairs_mut().append_pair("digest", &digest);
        let body = ("application/octet-stream", blob.bytes().clone());
        self.host.send_once(&request(Method::PUT, url, Some(body))).await
    }

    /// Returns the location of an upload: in the registry, or at another host, such as a cloud's storage.
    fn location(&self, begun: &Response) -> Result<Url, Error> {
        let location = begun.headers().get(LOCATION).ok_or_else(|| {
            self.failed("the registry accepts an upload, but gives no location for it".to_owned())
        })?;
        let url =
            location.to_str().ok().and_then(|location| begun.url().join(location).ok()).ok_or_else(|| {
                let location = String::from_utf8_lossy(location.as_bytes());
                self.failed(format!(
                    "the registry directs the upload to `{location}`, which is not a valid address"
                ))
            })?;
        match url.scheme() {
            "https" => Ok(url),
            "http" if self.host.server.is_plain() => Ok(url),
            // No more of the address is shown: its query may be a key to the storage.
            scheme => Err(self.failed(format!(
                "the registry directs the upload to {scheme}://{}, which is not https",
                url.host_str().unwrap_or_default()
            ))),
        }
    }

    /// Turns an unexpected response into an error.
    async fn accepted(&self, answer: Response, expect_status: &[StatusCode]) -> Result<Response, Error> {
        self.host.server.no_web_page(&answer)?;
        let status = answer.status();
        if expect_status.contains(&status) {
            return Ok(answer);
        }
        let url = answer.url().clone();
        let said = server::said(answer).await;
        Err(match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN if self.host.server.owns(&url) => {
                self.host.server.denied(Actions::PullPush, &said)
            }
            _ => self.failed(format!(
                "{} answers {} with {status}{said}",
                self.host.server.called(&url),
                url.path()
            )),
        })
    }

    fn failed(&self, what: String) -> Error {
        Error::Push { reference: self.host.server.full_name(), what }
    }
}

/// Returns a request to push something, whose body has a media type.
fn request(method: Method, url: Url, body: Option<(&'static str, Bytes)>) -> Request {
    let mut headers = HeaderMap::new();
    match &body {
        Some((media_type, _)) => headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type)),
        None if method == Method::POST => headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0")),
        None => None,
    };
    let body = body.map(|(_, body)| body);
    Request { method, url, headers, body, actions: Actions::PullPush }
}

/// Returns the manifest of a signature, as cosign writes it.
fn referrer(subject: &Value, config: &Artifact, bundle: &Artifact) -> Artifact {
    let manifest = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": signature::MEDIA_TYPE,
        "config": descriptor(EMPTY, config),
        "layers": [descriptor(signature::MEDIA_TYPE, bundle)],
        "annotations": {
            "dev.sigstore.bundle.content": "dsse-envelope",
            "dev.sigstore.bundle.predicateType": signature::PREDICATE_TYPE,
            "org.opencontainers.image.created": CREATED,
        },
        "subject": subject,
    });
    Artifact::from_bytes(manifest.to_string())
}
