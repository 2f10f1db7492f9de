//! Requests to the cluster.

use crate::kubeconfig::{self, Server};
use crate::{Error, Pending, Response, Upload, outgoing};
use serde::de::DeserializeOwned;
use wasip2::http::types::{FutureIncomingResponse, OutgoingBody, Scheme};

/// The cluster that the user chose, with the namespace to work in.
#[derive(Clone, Debug)]
pub struct Cluster {
    server: Server,
    namespace: String,
}

impl Cluster {
    /// Reads the kubeconfig that `KUBECONFIG` names. The namespace is `KWASM_NAMESPACE` (kwasm resolves it
    /// from `-n` and the user's kubeconfig), or else that of the context, or else `default`.
    ///
    /// # Errors
    ///
    /// [`Error::Kubeconfig`] if it does not exist, cannot be read, or its context names no cluster.
    pub fn from_env() -> Result<Self, Error> {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let file =
            variable("KUBECONFIG").ok_or_else(|| Error::Kubeconfig("`KUBECONFIG` is not set".into()))?;
        let text = std::fs::read_to_string(&file)
            .map_err(|error| Error::Kubeconfig(format!("`{file}`: {error}")))?;
        let (context, namespace) = (variable("KWASM_CONTEXT"), variable("KWASM_NAMESPACE"));
        let selected = kubeconfig::select(&text, context.as_deref(), namespace.as_deref())?;
        Ok(Self { server: selected.server, namespace: selected.namespace })
    }

    /// Returns the namespace to work in, unless the user names another one.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Gets `path` and reads the whole body.
    ///
    /// # Errors
    ///
    /// The same as [`Cluster::request`].
    pub fn get(&self, path: impl AsRef<str>) -> Result<Vec<u8>, Error> {
        self.request("GET", path, &[("accept", "application/json")], &[])?.read_to_end()
    }

    /// Gets `path` and reads it as JSON.
    ///
    /// # Errors
    ///
    /// The same as [`Cluster::request`], and [`Error::Json`].
    pub fn get_json<T: DeserializeOwned>(&self, path: impl AsRef<str>) -> Result<T, Error> {
        serde_json::from_slice(&self.get(path)?).map_err(Error::Json)
    }

    /// Posts a JSON document to `path`, and reads the answer as JSON: for reviews, which store nothing.
    ///
    /// # Errors
    ///
    /// The same as [`Cluster::request`], and [`Error::Json`].
    pub fn post_json<T: DeserializeOwned>(&self, path: impl AsRef<str>, body: &[u8]) -> Result<T, Error> {
        let headers = [("accept", "application/json"), ("content-type", "application/json")];
        let answer = self.request("POST", path, &headers, body)?.read_to_end()?;
        serde_json::from_slice(&answer).map_err(Error::Json)
    }

    /// Sends a request with a complete body. The answer's body is not read yet: see [`Response`].
    ///
    /// # Errors
    ///
    /// [`Error::Status`] for an answer of 400 and above, [`Error::Transport`] if there was no answer,
    /// [`Error::Request`] if a header may not be set or the request is malformed.
    pub fn request(
        &self,
        method: &str,
        path: impl AsRef<str>,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Response, Error> {
        self.exchange(method, path, headers, body)?.into_success()
    }

    /// Sends a request like [`Cluster::request`], but returns an answer of any status.
    ///
    /// # Errors
    ///
    /// [`Error::Transport`] and [`Error::Request`].
    pub fn exchange(
        &self,
        method: &str,
        path: impl AsRef<str>,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Response, Error> {
        let length = body.len().to_string();
        let mut headers = headers.to_vec();
        if !body.is_empty() {
            headers.push(("content-length", &length));
        }
        let mut upload = self.upload(method, path, &headers)?;
        upload.send(body)?;
        upload.finish()
    }

    /// Begins a request whose body is written piece by piece. Without a `content-length` among the headers the body
    /// is sent in chunks, and needs no length known beforehand.
    ///
    /// # Errors
    ///
    /// [`Error::Transport`] and [`Error::Request`].
    pub fn upload(
        &self,
        method: &str,
        path: impl AsRef<str>,
        headers: &[(&str, &str)],
    ) -> Result<Upload, Error> {
        let (body, answer) = self.start(method, path.as_ref(), headers)?;
        Upload::new(body, answer)
    }

    /// Sends a request without a body, and does not wait for its answer.
    ///
    /// # Errors
    ///
    /// [`Error::Transport`] and [`Error::Request`].
    pub fn start_request(
        &self,
        method: &str,
        path: impl AsRef<str>,
        headers: &[(&str, &str)],
    ) -> Result<Pending, Error> {
        let (body, answer) = self.start(method, path.as_ref(), headers)?;
        Pending::new(body, answer)
    }

    /// Posts a small JSON document, and does not wait for the answer.
    ///
    /// # Errors
    ///
    /// [`Error::Transport`] and [`Error::Request`].
    pub fn start_post(
        &self,
        path: impl AsRef<str>,
        headers: &[(&str, &str)],
        document: &[u8],
    ) -> Result<Pending, Error> {
        let length = document.len().to_string();
        let mut headers = headers.to_vec();
        headers.extend([("content-type", "application/json"), ("content-length", length.as_str())]);
        let (body, answer) = self.start("POST", path.as_ref(), &headers)?;
        Pending::sending(document, body, answer)
    }

    fn start(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<(OutgoingBody, FutureIncomingResponse), Error> {
        let scheme = if self.server.https { Scheme::Https } else { Scheme::Http };
        let path = format!("{}{path}", self.server.prefix);
        outgoing::start(&scheme, &self.server.authority, method, &path, headers)
    }
}
