//! One request by wasi:http 0.3, of which nothing is normalised, and its answer.

use futures::join;
use wasip3::http::client;
use wasip3::http::types::{ErrorCode, Fields, Method, Request, RequestOptions, Response, Scheme, Trailers};
use wasip3::wit_bindgen::{FutureReader, StreamReader, StreamResult};
use wasip3::{wit_future, wit_stream};

/// The server in every guest's kubeconfig: the gate itself.
pub(crate) const CLUSTER: &str = "192.0.2.1";

/// As much as one read asks for.
pub(crate) const PIECE: usize = 1 << 20;

/// A request as it goes to wasi:http, part by part.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) scheme: String,
    pub(crate) authority: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) trailers: Vec<(String, Vec<u8>)>,
}

impl Call {
    /// Returns a request to the cluster for a path, or to anywhere for a URL.
    pub(crate) fn to(method: &str, target: &str) -> Self {
        let (scheme, rest) = target.split_once("://").unwrap_or(("http", target));
        let (authority, path) = match rest.find('/') {
            Some(0) => (CLUSTER, rest),
            Some(at) => rest.split_at(at),
            None => (rest, "/"),
        };
        Self {
            method: method.to_owned(),
            scheme: scheme.to_owned(),
            authority: authority.to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: None,
            trailers: Vec::new(),
        }
    }

    pub(crate) fn get(target: &str) -> Self {
        Self::to("GET", target)
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn body(mut self, body: &str) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Makes the request, whose contents are those of the stream, and whose trailers those of the future.
    pub(crate) fn made(
        &self,
        contents: Option<StreamReader<u8>>,
        trailers: FutureReader<Result<Option<Trailers>, ErrorCode>>,
        options: Option<RequestOptions>,
    ) -> Result<Request, String> {
        let headers = Fields::from_list(&self.headers).map_err(|error| format!("header: {error:?}"))?;
        let (request, _sent) = Request::new(headers, contents, trailers, options);
        let refused = |what: &'static str| move |()| format!("{what}: not well-formed");
        request.set_method(&method(&self.method)).map_err(refused("method"))?;
        request.set_scheme(Some(&scheme(&self.scheme))).map_err(refused("scheme"))?;
        request.set_authority(Some(&self.authority)).map_err(refused("authority"))?;
        request.set_path_with_query(Some(&self.path)).map_err(refused("path"))?;
        Ok(request)
    }

    /// Sends it, and waits for the answer's head.
    pub(crate) async fn send(&self) -> Result<Answer, String> {
        let (trailers, trailers_reader) = wit_future::new(|| Ok(None));
        let (writer, contents) = match &self.body {
            Some(_) => {
                let (writer, reader) = wit_stream::new();
                (Some(writer), Some(reader))
            }
            None => (None, None),
        };
        let request = self.made(contents, trailers_reader, None)?;
        let last = match self.trailers.as_slice() {
            [] => None,
            trailers => Some(Fields::from_list(trailers).map_err(|error| format!("trailer: {error:?}"))?),
        };
        let body = async {
            if let Some(mut writer) = writer {
                // What is left over, the server did not want.
                drop(writer.write_all(self.body.clone().unwrap_or_default()).await);
            }
            drop(trailers.write(Ok(last)).await);
        };
        let (answer, ()) = join!(client::send(request), body);
        answer.map(Answer::of).map_err(|code| format!("{code:?}"))
    }

    /// Sends it, and says what came of it: the status of a server, or kwasm's words.
    pub(crate) async fn reach(&self) -> Result<String, String> {
        let answer = self.send().await?;
        let status = answer.status;
        let text = answer.text().await?;
        let refused = status >= 400 && text.contains("refused by kwasm");
        if refused { Err(format!("status {status}: {text}")) } else { Ok(format!("status {status}: {text}")) }
    }
}

/// An answer whose body comes as it is read.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    body: StreamReader<u8>,
    ended: FutureReader<Result<Option<Trailers>, ErrorCode>>,
}

impl Answer {
    pub(crate) fn of(response: Response) -> Self {
        let (status, headers) = (response.get_status_code(), response.get_headers().copy_all());
        let (read, read_reader) = wit_future::new(|| Ok(()));
        let (body, ended) = Response::consume_body(response, read_reader);
        // Its default says that it is read.
        drop(read);
        Self { status, headers, body, ended }
    }

    /// Returns the next piece, `None` at the end; it is an error if the answer broke off.
    pub(crate) async fn piece(&mut self) -> Option<Vec<u8>> {
        self.piece_into(Vec::with_capacity(PIECE)).await
    }

    /// Returns the next piece in the same memory as the one before.
    pub(crate) async fn piece_into(&mut self, mut piece: Vec<u8>) -> Option<Vec<u8>> {
        piece.clear();
        let (result, bytes) = self.body.read(piece).await;
        match result {
            StreamResult::Complete(_) => Some(bytes),
            StreamResult::Dropped | StreamResult::Cancelled => None,
        }
    }

    pub(crate) async fn end(self) -> Result<(), String> {
        drop(self.body);
        self.ended.await.map(drop).map_err(|code| format!("{code:?}"))
    }

    pub(crate) async fn text(mut self) -> Result<String, String> {
        let mut text = Vec::new();
        while let Some(piece) = self.piece().await {
            text.extend(piece);
        }
        self.end().await?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

fn method(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "CONNECT" => Method::Connect,
        "OPTIONS" => Method::Options,
        "TRACE" => Method::Trace,
        "PATCH" => Method::Patch,
        name => Method::Other(name.to_owned()),
    }
}

fn scheme(name: &str) -> Scheme {
    match name {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        name => Scheme::Other(name.to_owned()),
    }
}
