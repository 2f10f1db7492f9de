//! The address of an API server, in the one form in which addresses are compared.

use std::fmt;

use http::Uri;
use http::uri::{Authority, Scheme};

use crate::defence::Defence;
use crate::proxy::Destination;

/// The address of an API server: scheme, host and port, and the prefix of all its paths.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Endpoint {
    origin: Origin,
    /// The prefix: empty, or beginning but not ending with a slash, e.g. `/k8s/clusters/c-1`.
    prefix: String,
}

/// Scheme, host and port, with the host in lower case and an explicit port.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Origin {
    secure: bool,
    host: String,
    port: u16,
}

impl Origin {
    /// Reads the origin of an absolute URI. Returns `None` for another scheme, a user name in the authority
    /// (against which RFC 3986 §3.2.1 warns), an empty host, or an invalid port.
    #[must_use]
    pub fn of(scheme: &Scheme, authority: &Authority) -> Option<Self> {
        let secure = if *scheme == Scheme::HTTPS {
            true
        } else if *scheme == Scheme::HTTP {
            false
        } else {
            return None;
        };
        let text = match authority.as_str().rsplit_once('@') {
            Some(_) if Defence::Userinfo.stands() => return None,
            Some((_, text)) => text,
            None => authority.as_str(),
        };
        let host = authority.host();
        if host.is_empty() {
            return None;
        }
        let port = match text.strip_prefix(host)? {
            "" => {
                if secure {
                    443
                } else {
                    80
                }
            }
            // `authority.port()` takes `+443` and `0443` too; a port is digits that begin with none but 1–9.
            rest => rest.strip_prefix(':').filter(|port| !port.starts_with(['+', '0']))?.parse().ok()?,
        };
        Some(Self { secure, host: host.to_ascii_lowercase(), port })
    }

    /// Returns the host in lower case; an IPv6 address is in brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns whether it uses TLS.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.secure
    }
}

impl<'a> From<&'a Origin> for Destination<'a> {
    fn from(origin: &'a Origin) -> Self {
        Self { secure: origin.secure, host: &origin.host, port: origin.port }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.host)?;
        match (self.secure, self.port) {
            (true, 443) | (false, 80) => Ok(()),
            (_, port) => write!(f, ":{port}"),
        }
    }
}

impl Endpoint {
    /// Parses a kubeconfig's `server`. As in client-go (`rest/url_utils.go`, `DefaultServerURL`), a bare host
    /// is a plain HTTP server, a query is dropped, and the path is normalised.
    ///
    /// Returns `None` if it is not the address of a server.
    #[must_use]
    pub fn read(server: &str) -> Option<Self> {
        let (server, fragment) = server.split_once('#').unwrap_or((server, ""));
        let bare = !server.contains("://");
        let text = if bare { format!("http://{server}") } else { server.to_owned() };
        let uri: Uri = text.parse().ok()?;
        let origin = Origin::of(uri.scheme()?, uri.authority()?)?;
        let prefix = plain(uri.path());
        // `host/path` may be meant as either; and client-go drops a fragment only behind a path.
        let clear = if prefix.is_empty() { fragment.is_empty() } else { !bare };
        clear.then_some(Self { origin, prefix })
    }

    /// Returns scheme, host and port.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Returns the prefix of all paths of the server; empty for most.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }
}

/// Returns a path without empty and dot segments, like Go's `path.Join`, and without needless
/// percent-encoding (RFC 3986 §6.2.2.2).
fn plain(path: &str) -> String {
    let path = decoded(path);
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    segments.iter().fold(String::new(), |path, segment| path + "/" + segment)
}

fn decoded(path: &str) -> String {
    let mut parts = path.split('%');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |mut text, part| {
        let code = part.get(..2).and_then(|code| u8::from_str_radix(code, 16).ok());
        if let Some(byte) = code.filter(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(byte)) {
            text.push(char::from(byte));
            text.push_str(&part[2..]);
        } else {
            text.push('%');
            text.push_str(part);
        }
        text
    })
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_form() {
        for (server, shown) in [
            ("https://API.example:443/", "https://api.example"),
            ("https://127.0.0.1:6443", "https://127.0.0.1:6443"),
            ("http://localhost:8080", "http://localhost:8080"),
            ("localhost:8080", "http://localhost:8080"),
            ("https://rancher/k8s/clusters/c-1/", "https://rancher/k8s/clusters/c-1"),
            ("https://[::1]:6443", "https://[::1]:6443"),
            ("https://h/a//b/./../c/", "https://h/a/c"),
            ("https://h/?q", "https://h"),
            ("https://h/%61%2e%2e/%2E%2e/b%2fc%", "https://h/b%2fc%"),
            ("https://h/a#b", "https://h/a"),
        ] {
            assert_eq!(Endpoint::read(server).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn what_is_no_address_of_a_server_is_none() {
        for server in [
            "",
            "https://",
            "https://u@h",
            "https://h:x",
            "https://h:+443",
            "https://h:0443",
            "ftp://h",
            "h/x",
            "https://h#b",
            "/x",
        ] {
            assert_eq!(Endpoint::read(server), None, "{server}");
        }
    }
}
