//! One request, of which nothing is normalised.

use crate::attempt::Answer;
use std::time::Duration;
use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, HeaderError, Method, OutgoingBody, OutgoingRequest,
    RequestOptions, Scheme,
};

/// The server in every guest's kubeconfig: the gate itself.
pub const CLUSTER: &str = "http://192.0.2.1";

/// A request as it goes to wasi:http, part by part.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Request {
    /// In the case in which it is written.
    pub method: String,
    /// The scheme before `://`.
    pub scheme: Option<String>,
    /// With user name and port, as it is written.
    pub authority: Option<String>,
    /// With the query.
    pub path: Option<String>,
    /// In their order.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Sent in chunks unless the headers say its length.
    pub body: Option<Vec<u8>>,
    /// The trailers after the body.
    pub trailers: Vec<(String, Vec<u8>)>,
    /// The timeout for a connection and for an answer; none by default.
    pub patience: Option<Duration>,
}

/// A request that is under way.
#[derive(Debug)]
pub struct Sent(FutureIncomingResponse);

impl Request {
    /// Returns a request to `url`: scheme up to `://`, authority up to the first `/` or `?`, the rest as it
    /// is.
    #[must_use]
    pub fn new(method: &str, url: &str) -> Self {
        let (scheme, rest) = match url.split_once("://") {
            Some((scheme, rest)) => (scheme, rest),
            None => ("", url),
        };
        let (authority, path) = rest.find(['/', '?']).map_or((rest, ""), |at| rest.split_at(at));
        let present = |part: &str| Some(part.to_owned()).filter(|part| !part.is_empty());
        let (scheme, authority, path) = (present(scheme), present(authority), present(path));
        Self { method: method.to_owned(), scheme, authority, path, ..Self::default() }
    }

    /// Returns a request to the cluster for a path, or to anywhere for a URL.
    #[must_use]
    pub fn to(method: &str, target: &str) -> Self {
        if target.starts_with('/') {
            Self::new(method, &format!("{CLUSTER}{target}"))
        } else {
            Self::new(method, target)
        }
    }

    /// Returns [`Request::to`] with GET.
    #[must_use]
    pub fn get(target: &str) -> Self {
        Self::to("GET", target)
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Adds a trailer.
    #[must_use]
    pub fn trailer(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.trailers.push((name.to_owned(), value.into()));
        self
    }

    /// Waits no longer than this for a connection, nor for the beginning of an answer.
    #[must_use]
    pub fn within(mut self, patience: Duration) -> Self {
        self.patience = Some(patience);
        self
    }

    /// Sends the request, and returns the status of a server's answer.
    ///
    /// # Errors
    ///
    /// The reason why no server answered, or kwasm's answer.
    pub fn reach(&self) -> Result<String, String> {
        let answer = self.send()?.of_server()?;
        Ok(format!("status {}", answer.status()))
    }

    /// Sends the request, and returns what `look` finds in a server's answer.
    ///
    /// # Errors
    ///
    /// The same as [`Request::reach`], and the status with the error of `look`.
    pub fn reach_with(&self, look: impl FnOnce(&Answer) -> Result<String, String>) -> Result<String, String> {
        let answer = self.send()?.of_server()?;
        look(&answer).map_err(|why| format!("status {}: {why}", answer.status()))
    }

    /// Sends it with those of `headers` that wasi:http lets a guest set, and says which it does not.
    ///
    /// # Errors
    ///
    /// As for [`Request::reach`], and if it lets a guest set none of them.
    pub fn reach_with_settable(self, headers: &[(&str, &str)]) -> Result<String, String> {
        let (mut sent, mut refused) = (Vec::new(), Vec::new());
        let mut request = self;
        for (name, value) in headers {
            match Fields::new().append(name, value.as_bytes()) {
                Ok(()) => {
                    request = request.header(name, *value);
                    sent.push((*name).to_owned());
                }
                Err(error) => refused.push(format!("{name} ({})", header_error(error))),
            }
        }
        let refused = if refused.is_empty() { "none".to_owned() } else { refused.join(", ") };
        let account = format!("with {}; refused by the types: {refused}", sent.join(", "));
        if sent.is_empty() {
            return Err(account);
        }
        let verdict = request.reach();
        verdict.map(|got| format!("{got} {account}")).map_err(|why| format!("{why}, {account}"))
    }

    /// Sends the request and waits for the answer, from a server or from kwasm.
    ///
    /// # Errors
    ///
    /// The refusal of wasi:http itself, or the name of its error with the host's message.
    pub fn send(&self) -> Result<Answer, String> {
        self.start()?.answer()
    }

    /// Sends it, and waits for nothing.
    ///
    /// # Errors
    ///
    /// As for [`Request::send`].
    pub fn start(&self) -> Result<Sent, String> {
        let outgoing = OutgoingRequest::new(fields(&self.headers, "header")?);
        let refused = |what: &'static str| move |()| format!("{what}: not well-formed");
        outgoing.set_method(&method(&self.method)).map_err(refused("method"))?;
        outgoing.set_scheme(self.scheme.as_deref().map(scheme).as_ref()).map_err(refused("scheme"))?;
        outgoing.set_authority(self.authority.as_deref()).map_err(refused("authority"))?;
        outgoing.set_path_with_query(self.path.as_deref()).map_err(refused("path"))?;
        let body = outgoing.body().map_err(refused("body"))?;
        let answer = outgoing_handler::handle(outgoing, options(self.patience)?).map_err(error_name)?;
        if let Some(bytes) = &self.body {
            let stream = body.write().map_err(refused("body"))?;
            // As much as one such call may carry, says wasi:io.
            for piece in bytes.chunks(4096) {
                stream.blocking_write_and_flush(piece).map_err(|error| format!("body: {error}"))?;
            }
        }
        let trailers = (!self.trailers.is_empty()).then(|| fields(&self.trailers, "trailer"));
        OutgoingBody::finish(body, trailers.transpose()?).map_err(error_name)?;
        Ok(Sent(answer))
    }
}

impl Sent {
    /// Waits for the answer.
    ///
    /// # Errors
    ///
    /// As for [`Request::send`].
    pub fn answer(self) -> Result<Answer, String> {
        self.0.subscribe().block();
        match self.0.get() {
            Some(Ok(Ok(response))) => Answer::open(response),
            Some(Ok(Err(code))) => Err(error_name(code)),
            Some(Err(())) | None => Err("no answer".to_owned()),
        }
    }
}

/// Splits `NAME: VALUE`. A pseudo-header begins with a colon of its own.
#[must_use]
pub fn header_line(line: &str) -> Option<(&str, &str)> {
    let colon = line.get(1..)?.find(':')? + 1;
    let value = &line[colon + 1..];
    Some((&line[..colon], value.strip_prefix(' ').unwrap_or(value)))
}

/// Makes a guest import wasi:http without sending anything: kwasm gives a kubeconfig, and its folder, only to
/// guests that can reach the cluster.
pub fn import_http() {
    drop(Fields::new());
}

/// Returns the name of an error, e.g. `HTTP-request-denied`, with the host's additions.
pub(crate) fn error_name(code: ErrorCode) -> String {
    let transport = kube_guest::Transport::from(code);
    format!("{} ({transport})", transport.code())
}

fn fields(pairs: &[(String, Vec<u8>)], what: &str) -> Result<Fields, String> {
    let fields = Fields::new();
    for (name, value) in pairs {
        fields.append(name, value).map_err(|error| format!("{what} {name}: {}", header_error(error)))?;
    }
    Ok(fields)
}

fn options(patience: Option<Duration>) -> Result<Option<RequestOptions>, String> {
    let Some(patience) = patience else { return Ok(None) };
    let nanos = u64::try_from(patience.as_nanos()).ok();
    let options = RequestOptions::new();
    let unsupported = |()| "request-options: not supported".to_owned();
    options.set_connect_timeout(nanos).map_err(unsupported)?;
    options.set_first_byte_timeout(nanos).map_err(unsupported)?;
    Ok(Some(options))
}

fn header_error(error: HeaderError) -> &'static str {
    match error {
        HeaderError::InvalidSyntax => "invalid-syntax",
        HeaderError::Forbidden => "forbidden",
        HeaderError::Immutable => "immutable",
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
        other => Method::Other(other.to_owned()),
    }
}

fn scheme(name: &str) -> Scheme {
    match name {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_url_is_normalised() {
        let request = Request::new("GET", "HTTP://u:p@Host:080/../a%2F//b?x#y");
        assert_eq!(request.scheme.as_deref(), Some("HTTP"));
        assert_eq!(request.authority.as_deref(), Some("u:p@Host:080"));
        assert_eq!(request.path.as_deref(), Some("/../a%2F//b?x#y"));
    }

    #[test]
    fn each_part_may_be_missing() {
        let request = Request::new("GET", "/only/path");
        assert_eq!((request.scheme, request.authority), (None, None));
        assert_eq!(Request::new("GET", "http://host").path, None);
        assert_eq!(Request::new("GET", "gopher://host?q").path.as_deref(), Some("?q"));
    }

    #[test]
    fn a_path_is_the_clusters_and_a_url_is_itself() {
        let request = Request::get("//api/../x://y");
        assert_eq!(request.authority.as_deref(), Some("192.0.2.1"));
        assert_eq!(request.path.as_deref(), Some("//api/../x://y"));
        assert_eq!(Request::get("http://a/b"), Request::new("GET", "http://a/b"));
    }

    #[test]
    fn a_header_keeps_its_bytes() {
        assert_eq!(header_line("A: b: c"), Some(("A", "b: c")));
        assert_eq!(header_line(":path:/x"), Some((":path", "/x")));
        assert_eq!(header_line("A"), None);
        assert_eq!(header_line(""), None);
    }
}
