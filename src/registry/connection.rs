//! Connections to registries, and the known obstacles.

use std::io;
use std::sync::Arc;

use reqwest::Url;
use rustls::CertificateError;

use crate::environment::Environment;
use crate::proxy::{self, Destination, Proxy, Source};

/// An obstacle that a user may be able to remove.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Obstacle {
    /// Any other obstacle.
    Other,
    /// The host speaks HTTP instead of TLS.
    PlainHttp,
    /// The proxy on the way failed.
    Proxy(Source),
    /// No trusted authority signed the host's certificate.
    UnknownIssuer,
}

/// The proxies of the environment, by the rules of Go as for an API server: this machine itself is never
/// reached through one.
#[derive(Clone)]
pub(super) struct Proxies(Arc<Environment>);

/// An address at which nothing listens.
const NOWHERE: &str = "http://[::1]:0/";

impl Proxies {
    pub(super) fn of(environment: &Environment) -> Self {
        Self(Arc::new(environment.clone()))
    }

    /// Returns the proxy on the way to an address.
    ///
    /// # Errors
    /// If the proxy's own address cannot be used.
    pub(super) fn to(&self, url: &Url) -> Result<Option<Proxy>, proxy::Error> {
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else { return Ok(None) };
        let secure = url.scheme() == "https";
        Proxy::of_environment(&self.0, Destination { secure, host, port })
    }

    /// Returns a reqwest proxy that looks up the proxy before each connection, since a redirect may lead to a
    /// host with another one.
    pub(super) fn for_client(&self) -> reqwest::Proxy {
        let proxies = self.clone();
        reqwest::Proxy::custom(move |url| match proxies.to(url) {
            Ok(None) => None,
            Ok(Some(proxy)) => address(&proxy).or_else(nowhere),
            // Nothing goes past a proxy that should be there.
            Err(_) => nowhere(),
        })
    }
}

fn nowhere() -> Option<Url> {
    NOWHERE.parse().ok()
}

/// Returns the address of a proxy with its user and password.
fn address(proxy: &Proxy) -> Option<Url> {
    let mut url: Url = proxy.url().parse().ok()?;
    if let Some((user, password)) = proxy.user() {
        url.set_username(user).ok()?;
        url.set_password(Some(password)).ok()?;
    }
    Some(url)
}

impl Obstacle {
    pub(super) fn of(error: &reqwest::Error) -> Self {
        match tls(error) {
            Some(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)) => Self::UnknownIssuer,
            Some(rustls::Error::InvalidMessage(_)) => Self::PlainHttp,
            _ => Self::Other,
        }
    }
}

/// Returns whether another try would end in the same way.
pub(super) fn is_final(error: &reqwest::Error) -> bool {
    let refused = io_errors(error).any(|error| error.kind() == io::ErrorKind::ConnectionRefused);
    let unknown = innermost(error).contains("failed to lookup address");
    refused || unknown || tls(error).is_some() || error.is_redirect() || error.is_builder()
}

/// Returns the most specific cause. reqwest's own message only contains the address.
pub(super) fn innermost(error: &reqwest::Error) -> String {
    causes(error).last().map_or_else(|| error.to_string(), ToString::to_string)
}

fn tls(error: &reqwest::Error) -> Option<&rustls::Error> {
    io_errors(error).find_map(tls_inside)
}

/// Returns the TLS error inside an I/O error. The source of an I/O error is that of its inner error, not the
/// inner error itself, and there may be another one inside.
fn tls_inside(error: &io::Error) -> Option<&rustls::Error> {
    let inner = error.get_ref()?;
    inner.downcast_ref().or_else(|| inner.downcast_ref::<io::Error>().and_then(tls_inside))
}

fn io_errors(error: &reqwest::Error) -> impl Iterator<Item = &io::Error> {
    causes(error).filter_map(|cause| cause.downcast_ref())
}

fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error as &(dyn std::error::Error + 'static)), |cause| cause.source())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(variables: &[(&str, &str)]) -> Proxies {
        let variables = variables
            .iter()
            .map(|(name, value)| (crate::platform::variable_name(name.into()), value.into()))
            .collect();
        Proxies::of(&Environment { variables, ..Environment::default() })
    }

    fn to(proxies: &Proxies, url: &str) -> String {
        let proxy = proxies.to(&url.parse().unwrap()).unwrap_or_else(|error| panic!("{error}"));
        proxy.map_or("none".to_owned(), |proxy| proxy.to_string())
    }

    #[test]
    fn a_registry_is_reached_through_the_proxy_that_go_would_take() {
        let proxies = proxies(&[
            ("HTTPS_PROXY", "s:1"),
            ("HTTP_PROXY", "p:2"),
            ("ALL_PROXY", "socks5://a"),
            ("NO_PROXY", ".corp.example,10.0.0.0/8,registry.example:5000"),
        ]);
        for (url, proxy) in [
            ("https://ghcr.io/v2/", "http://s:1"),
            ("http://ghcr.io/v2/", "http://p:2"),
            ("https://registry.example/v2/", "http://s:1"),
            ("https://registry.example:5000/v2/", "none"),
            ("https://a.corp.example/v2/", "none"),
            ("https://10.1.2.3/v2/", "none"),
            ("http://127.0.0.1:5000/v2/", "none"),
            ("https://127.3.2.1/v2/", "none"),
            ("http://localhost:5000/v2/", "none"),
            ("http://[::1]:5000/v2/", "none"),
            ("http://[2001:db8::1]:5000/v2/", "http://p:2"),
        ] {
            assert_eq!(to(&proxies, url), proxy, "{url}");
        }
    }

    #[test]
    fn a_proxy_for_everything_is_none_as_in_go() {
        for name in ["ALL_PROXY", "all_proxy"] {
            assert_eq!(to(&proxies(&[(name, "socks5://p")]), "https://ghcr.io/v2/"), "none", "{name}");
        }
        let named = proxies(&[("https_proxy", "socks5://p")]);
        assert_eq!(to(&named, "https://ghcr.io/v2/"), "socks5://p:1080");
    }

    #[test]
    fn a_proxy_is_shown_its_user_and_password_and_one_that_is_none_leads_nowhere() {
        let proxies = proxies(&[("HTTPS_PROXY", "http://jo%40hn:p%3Ass@p:1"), ("HTTP_PROXY", "ftp://p")]);
        let proxy = proxies.to(&"https://ghcr.io/".parse().unwrap()).ok().flatten().unwrap();
        assert_eq!(address(&proxy).unwrap().as_str(), "http://jo%40hn:p%3Ass@p:1/");
        assert!(proxies.to(&"http://ghcr.io/".parse().unwrap()).is_err());
        assert_eq!(nowhere().unwrap().port(), Some(0));
    }
}
