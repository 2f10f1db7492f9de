//! Pushes blobs and manifests, as the [distribution specification][1] has it.
//!
//! [1]: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#push

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use reqwest::{Response, Url};

use super::host::{self, Actions, Host, Request};
use super::manifest::{INDEX, MANIFEST};
use super::publish::{CREATED, descriptor};
use super::signature::{self, PrivateKey};
use super::versions::proven;
use super::{Artifact, Error, referrers};

/// A repository that is pushed to.
pub(super) struct Push<'a> {
    host: &'a Host,
}

impl<'a> Push<'a> {
    pub(super) fn to(host: &'a Host) -> Self {
        Self { host }
    }

    /// Pushes a blob, unless it is there already.
    ///
    /// # Errors
    /// [`Error::Push`], [`Error::Denied`].
    pub(super) async fn blob(&self, blob: &Artifact) -> Result<(), Error> {
        // An upload that broke begins anew: what its registry has of it nobody knows, and it may well be all.
        let answer = self.host.persist(async || self.upload(blob).await).await?;
        self.accepted(answer, &[StatusCode::CREATED, StatusCode::OK]).await.map(drop)
    }

    /// Attaches a signature to a manifest that is there: a bundle.
    ///
    /// # Errors
    /// As [`Self::blob`], and when it cannot be signed.
    pub(super) async fn sign(&self, subject: &Artifact, key: &PrivateKey) -> Result<(), Error> {
        let bundle = key
            .sign(subject.digest())
            .map_err(|error| self.failed(format!("it cannot be signed: {error}")))?;
        let (bundle, empty) = (Artifact::from_bytes(bundle), Artifact::from_bytes(&b"{}"[..]));
        let manifest = referrer(subject, &empty, &bundle);
        self.blob(&empty).await?;
        self.blob(&bundle).await?;
        self.put(&manifest.digest().to_string(), MANIFEST, &manifest).await?;
        // A registry without the referrers API finds it by this tag alone.
        match referrers::index_with(self.host, subject.digest(), &manifest).await? {
            Some(index) => self.put(&referrers::tag(subject.digest()), INDEX, &index).await,
            None => Ok(()),
        }
    }

    /// Puts a manifest or an index under a tag, or under its own digest.
    ///
    /// # Errors
    /// As [`Self::blob`], and when something else is there afterwards.
    pub(super) async fn put(
        &self,
        name: &str,
        media_type: &'static str,
        manifest: &Artifact,
    ) -> Result<(), Error> {
        let url = self.host.url(&format!("manifests/{name}"))?;
        let request = request(Method::PUT, url.clone(), Some((media_type, manifest.bytes().clone())));
        let answer = self.host.send(&request).await?;
        self.accepted(answer, &[StatusCode::CREATED]).await?;
        let repository = self.host.full_name();
        // What was sent has to be there now, as it was sent.
        match proven(self.host, &repository, url, None).await? {
            Some((_, there)) if there == manifest.digest() => Ok(()),
            _ => Err(Error::Push {
                reference: format!("{repository}:{name}"),
                what: "the registry accepted it, but now has something else there".to_owned(),
            }),
        }
    }

    /// Sends a blob whole, to where the registry wants it; or finds that it is there.
    async fn upload(&self, blob: &Artifact) -> Result<reqwest::Result<Response>, Error> {
        let digest = blob.digest().to_string();
        let head = request(Method::HEAD, self.host.url(&format!("blobs/{digest}"))?, None);
        let there = self.host.send(&head).await?;
        if there.status() == StatusCode::OK {
            return Ok(Ok(there));
        }
        let post = request(Method::POST, self.host.url("blobs/uploads/")?, None);
        let begun = self.accepted(self.host.send(&post).await?, &[StatusCode::ACCEPTED]).await?;
        let mut url = self.location(&begun)?;
        url.query_pairs_mut().append_pair("digest", &digest);
        let body = ("application/octet-stream", blob.bytes().clone());
        self.host.send_once(&request(Method::PUT, url, Some(body))).await
    }

    /// Where the registry wants an upload: there, or at another host, as at the storage of a cloud.
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
            "http" if self.host.is_plain() => Ok(url),
            // No more of the address is shown: its query may be a key to the storage.
            scheme => Err(self.failed(format!(
                "the registry directs the upload to {scheme}://{}, which is not https",
                url.host_str().unwrap_or_default()
            ))),
        }
    }

    /// Turns an answer that was not hoped for into an error.
    async fn accepted(&self, answer: Response, expect_status: &[StatusCode]) -> Result<Response, Error> {
        self.host.no_web_page(&answer)?;
        let status = answer.status();
        if expect_status.contains(&status) {
            return Ok(answer);
        }
        let url = answer.url().clone();
        let said = host::said(answer).await;
        Err(match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN if self.host.owns(&url) => {
                self.host.denied(Actions::PullPush, &said)
            }
            _ => {
                self.failed(format!("{} answers {} with {status}{said}", self.host.called(&url), url.path()))
            }
        })
    }

    fn failed(&self, what: String) -> Error {
        Error::Push { reference: self.host.full_name(), what }
    }
}

/// A request of one who pushes, whose body has a media type.
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

/// The manifest of a signature, as cosign writes it.
fn referrer(subject: &Artifact, config: &Artifact, bundle: &Artifact) -> Artifact {
    let subject = descriptor(MANIFEST, subject);
    let manifest = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": signature::MEDIA_TYPE,
        "config": descriptor("application/vnd.oci.empty.v1+json", config),
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
