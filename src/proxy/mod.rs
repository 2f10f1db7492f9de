//! The proxy on the way to a server: for an API server the kubeconfig's `proxy-url`, otherwise the
//! environment's. The reference is client-go, which is Go's `net/http` with its `httpproxy`; docker, oras and
//! skopeo use the same.

mod bypass;

use std::fmt;
use std::net::Ipv6Addr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use zeroize::Zeroizing;

use crate::environment::Environment;
use crate::message::Explain;
use crate::reference::decode;

/// A proxy. Displayed without its user and password, and without `Debug`.
#[derive(Clone)]
pub struct Proxy {
    scheme: Scheme,
    host: String,
    port: u16,
    user: Option<(Zeroizing<String>, Zeroizing<String>)>,
    source: Source,
}

/// The protocol of a proxy.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scheme {
    /// HTTP.
    Http,
    /// HTTP over TLS.
    Https,
    /// SOCKS 5 (RFC 1928), where the proxy resolves names.
    Socks5,
}

/// The origin of a proxy's address.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Source {
    /// The kubeconfig's `proxy-url`.
    Kubeconfig,
    /// An environment variable.
    Variable(&'static str),
}

/// The server that a connection leads to.
#[derive(Clone, Copy, Debug)]
pub struct Destination<'a> {
    /// Whether the connection uses TLS.
    pub secure: bool,
    /// The host, in lower case; an IPv6 address is in brackets.
    pub host: &'a str,
    /// The port.
    pub port: u16,
}

/// The reason why the proxy cannot be used. Does not show its address, which may contain a password.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{from}: {reason}")]
pub struct Error {
    /// The origin of the proxy's address.
    from: Source,
    /// The reason.
    reason: &'static str,
}

impl Explain for Error {
    fn hint(&self) -> Option<String> {
        Some("it is e.g. http://proxy.example.com:3128, or socks5://…".to_owned())
    }
}

impl Error {
    /// Returns the origin of the proxy's address.
    #[must_use]
    pub fn from(&self) -> Source {
        self.from
    }
}

const SCHEMES: &str = "its scheme is not http, https or socks5";

impl Proxy {
    /// Returns the proxy on the way to an API server: the kubeconfig's own, to which `NO_PROXY` does not
    /// apply, otherwise the environment's.
    ///
    /// # Errors
    /// If the address of that proxy cannot be used.
    pub fn choose(
        proxy_url: Option<&str>,
        environment: &Environment,
        to: Destination<'_>,
    ) -> Result<Option<Self>, Error> {
        match proxy_url.filter(|url| !url.is_empty()) {
            Some(url) => Self::read(url, Source::Kubeconfig).map(Some),
            None => Self::of_environment(environment, to),
        }
    }

    /// Returns the environment's proxy on the way to a server. This machine itself is reached without one.
    ///
    /// # Errors
    /// If the address of that proxy cannot be used.
    pub fn of_environment(environment: &Environment, to: Destination<'_>) -> Result<Option<Self>, Error> {
        let Destination { secure, host, port } = to;
        let names = if secure { ["HTTPS_PROXY", "https_proxy"] } else { ["HTTP_PROXY", "http_proxy"] };
        let Some((name, value)) = first(environment, names) else { return Ok(None) };
        let no_proxy = first(environment, ["NO_PROXY", "no_proxy"]).map_or("", |(_, value)| value);
        if bypass::covers(no_proxy, host, port) {
            return Ok(None);
        }
        let source = Source::Variable(name);
        if !secure && environment.variable("REQUEST_METHOD").is_some() {
            // A client that sends a header `Proxy:` to a CGI program sets this variable
            // (golang.org/s/cgihttpproxy).
            let reason = "it is ignored in a CGI program, where REQUEST_METHOD is set";
            return Err(Error { from: source, reason });
        }
        let value =
            Zeroizing::new(if value.contains("://") { value.to_owned() } else { format!("http://{value}") });
        // Go accepts an invalid address, and then finds no host of that name.
        Self::read(&value, source).map(Some)
    }

    fn read(url: &str, source: Source) -> Result<Self, Error> {
        Self::parse(url, source).map_err(|reason| Error { from: source, reason })
    }

    /// Reads `SCHEME://[USER[:PASSWORD]@]HOST[:PORT][/…]`.
    fn parse(url: &str, source: Source) -> Result<Self, &'static str> {
        const HOST: &str = "it names no host";
        let (scheme, rest) = url.split_once("://").ok_or(SCHEMES)?;
        let (scheme, usual) = match scheme.to_ascii_lowercase().as_str() {
            "http" => (Scheme::Http, 80),
            "https" => (Scheme::Https, 443),
            "socks5" => (Scheme::Socks5, 1080),
            // The same in Go, where it is not checked by client-go.
            "socks5h" if source != Source::Kubeconfig => (Scheme::Socks5, 1080),
            _ => return Err(SCHEMES),
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (user, address) = match authority.rsplit_once('@') {
            Some((user, address)) => (Some(user), address),
            None => (None, authority),
        };
        let (host, port) = match address.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port),
            _ => (address, ""),
        };
        if !is_host(host) {
            return Err(HOST);
        }
        let port = match port {
            "" => usual,
            port => {
                port.parse().ok().filter(|port| *port != 0).ok_or("its port is not a valid port number")?
            }
        };
        let user = user.map(|user| {
            let (name, password) = user.split_once(':').unwrap_or((user, ""));
            decode(name)
                .zip(decode(password))
                .map(|(name, password)| (Zeroizing::new(name), Zeroizing::new(password)))
                .ok_or("its user or password is not percent-encoded")
        });
        Ok(Self { scheme, host: host.to_ascii_lowercase(), port, user: user.transpose()?, source })
    }

    /// Returns the protocol of the proxy.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Returns the host; an IPv6 address is in brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the origin of the proxy's address.
    #[must_use]
    pub fn source(&self) -> Source {
        self.source
    }

    /// Returns the address for reqwest, without user and password. The proxy resolves names too, for which
    /// reqwest has a scheme of its own.
    pub(crate) fn url(&self) -> String {
        let url = self.to_string();
        if self.scheme == Scheme::Socks5 { url.replacen("socks5", "socks5h", 1) } else { url }
    }

    /// Returns the user and password for the proxy.
    pub(crate) fn user(&self) -> Option<(&str, &str)> {
        self.user.as_ref().map(|(name, password)| (name.as_str(), password.as_str()))
    }

    /// Returns the user and password as the value of `proxy-authorization`.
    pub(crate) fn authorization(&self) -> Option<HeaderValue> {
        let (name, password) = self.user()?;
        let pair = Zeroizing::new(format!("{name}:{password}"));
        let text = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
        let mut value = HeaderValue::from_str(&text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
            Scheme::Socks5 => "socks5",
        };
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kubeconfig => "the kubeconfig's proxy-url",
            Self::Variable(name) => name,
        })
    }
}

/// Returns the first of these variables that is set, with its name. Go looks up the upper-case name first.
fn first<'a>(environment: &'a Environment, names: [&'static str; 2]) -> Option<(&'static str, &'a str)> {
    names.into_iter().find_map(|name| Some((name, environment.variable(name)?.to_str()?)))
}

fn is_host(text: &str) -> bool {
    if let Some(address) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        return address.parse::<Ipv6Addr>().is_ok();
    }
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    !text.is_empty() && text.bytes().all(is_letter)
}

#[cfg(test)]
mod tests;
