//! The reasons why there is no connection, in words for the user.

use std::io;
use std::time::Duration;

use ::http::StatusCode;
use rustls::{AlertDescription, CertificateError, InvalidMessage, PeerIncompatible};

use super::cause::{BoxError, find};
use crate::cluster::{CertificateProblem, Endpoint, Error, words};
use crate::message::{Explain, Message};
use crate::proxy::{Proxy, Scheme, Source};

/// A failure of TLS, as a statement about the peer: `it …`.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum TlsError {
    /// The peer answered in plain HTTP.
    #[error("the response was plain HTTP")]
    PlainHttp,
    /// The handshake failed.
    #[error("{0}")]
    Tls(rustls::Error),
    /// The peer closed the connection.
    #[error("the connection was closed")]
    Closed,
    /// The peer sent nothing within the handshake's timeout.
    #[error("there was no response")]
    Silent,
    /// An error of the system.
    #[error("{0}")]
    Other(String),
}

/// The error of a proxy that did not connect to the server.
#[derive(Debug, thiserror::Error)]
pub(in crate::gate) enum ProxyError {
    #[error("it closed the connection")]
    Closed,
    #[error("its response does not end")]
    Endless,
    #[error("it requires a login")]
    Login,
    #[error("its response cannot be read")]
    Nonsense,
    #[error("it refuses: {0}")]
    Refused(StatusCode),
    #[error("it did not answer")]
    Silent,
    #[error("it refuses: {0}")]
    Socks(u8),
    #[error("{0}")]
    Tls(TlsError),
    #[error("{0}")]
    Unreached(io::Error),
    #[error("{0}")]
    Untrusting(Error),
}

/// An error of a proxy, with its name and without its user and password.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.text())]
pub(in crate::gate) struct ProxyFault {
    proxy: String,
    scheme: Scheme,
    source_name: Source,
    server: String,
    shown_user: bool,
    error: ProxyError,
}

/// The timeout of a TLS handshake, as in client-go.
pub(super) const HANDSHAKE: Duration = Duration::from_secs(10);

const CREDENTIAL: &str = "check client-certificate and client-key of the user in the kubeconfig";
const VERSIONS: &str = "ask its administrator to enable TLS 1.2 or 1.3, which kubectl requires too";
const PROXY_CERTIFICATE: &str = "its certificate has to be for its host, and trusted by this machine or by the kubeconfig's certificate-authority";
const PROXY_CLIENT: &str = "kwasm sends client certificates to API servers only";
const SUITES: &str = "kwasm supports TLS 1.3, and TLS 1.2 with ECDHE and AES-GCM or ChaCha20-Poly1305; kubectl supports older ciphers too (CBC): ask its administrator to allow one of the former";
const PLAIN: &str = "did you mean http:// ?";

impl TlsError {
    /// Converts an error of tokio-rustls.
    pub(super) fn of(error: &io::Error) -> Self {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(tls) => Self::Tls(tls.clone()),
            None => match error.kind() {
                io::ErrorKind::UnexpectedEof
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe => Self::Closed,
                _ => Self::Other(error.to_string()),
            },
        }
    }

    /// Describes the error to a client with or without a certificate.
    pub(in crate::gate) fn told(&self, certificate: bool) -> Message {
        let hinted = |what: &str, hint: &str| Message::hinted(what, hint);
        match self {
            Self::PlainHttp => hinted("it answers in plain HTTP, not in TLS", PLAIN),
            Self::Closed => hinted(
                "it closed the connection instead of answering the TLS handshake",
                "is it an API server? a firewall or a load balancer may refuse its name",
            ),
            Self::Silent => {
                Message::plain(format!("no TLS handshake within {} seconds", HANDSHAKE.as_secs()))
            }
            Self::Other(reason) => Message::plain(reason),
            Self::Tls(error) => match error {
                rustls::Error::InvalidCertificate(error) => match distrust(error) {
                    Some(distrust) => distrust.message(),
                    None => Message::plain(plainly(error)),
                },
                rustls::Error::AlertReceived(alert) => alarmed(*alert, certificate),
                rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
                    hinted("it does not speak TLS", "check its address")
                }
                rustls::Error::PeerIncompatible(
                    PeerIncompatible::ServerDoesNotSupportTls12Or13
                    | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
                ) => hinted("it supports no TLS version newer than 1.1", VERSIONS),
                rustls::Error::PeerIncompatible(what) => {
                    hinted(&format!("it has no TLS parameters in common with kwasm ({what:?})"), SUITES)
                }
                other => Message::plain(format!("TLS failed: {other}")),
            },
        }
    }
}

/// Returns our own verifier's report.
fn distrust(error: &CertificateError) -> Option<&CertificateProblem> {
    match error {
        CertificateError::Other(other) => other.0.downcast_ref(),
        _ => None,
    }
}

/// Describes another verifier's error.
fn plainly(error: &CertificateError) -> String {
    match error {
        CertificateError::UnknownIssuer => {
            "its certificate is signed by an authority that is not trusted".to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "its certificate has expired".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "its certificate is for another name".to_owned()
        }
        CertificateError::BadSignature => "it does not have the private key of its certificate".to_owned(),
        other => format!("its certificate is not accepted: {}", words(other)),
    }
}

/// Describes a server's alert to a client with or without a certificate.
fn alarmed(alert: AlertDescription, certificate: bool) -> Message {
    use AlertDescription as Alert;
    let hinted = |what: String, hint: &str| Message::hinted(what, hint);
    match alert {
        Alert::CertificateRequired
        | Alert::BadCertificate
        | Alert::UnsupportedCertificate
        | Alert::CertificateUnknown
        | Alert::AccessDenied
            if !certificate =>
        {
            hinted(format!("it requires a client certificate, and got none ({alert:?})"), CREDENTIAL)
        }
        Alert::UnknownCA if certificate => hinted(
            "it does not trust the authority that signed the client certificate".to_owned(),
            CREDENTIAL,
        ),
        Alert::CertificateRequired
        | Alert::BadCertificate
        | Alert::UnsupportedCertificate
        | Alert::CertificateRevoked
        | Alert::CertificateExpired
        | Alert::CertificateUnknown
        | Alert::AccessDenied
        | Alert::DecryptError
            if certificate =>
        {
            hinted(format!("it does not accept the client certificate ({alert:?})"), CREDENTIAL)
        }
        Alert::ProtocolVersion => {
            hinted(format!("it has no TLS version in common with kwasm ({alert:?})"), VERSIONS)
        }
        Alert::HandshakeFailure | Alert::InsufficientSecurity => hinted(
            format!(
                "it refuses the TLS handshake ({alert:?}): most likely it has no cipher in common with kwasm"
            ),
            SUITES,
        ),
        Alert::UnrecognisedName => hinted(
            "it does not recognise the server name that it was sent".to_owned(),
            "check server and tls-server-name of this cluster in the kubeconfig",
        ),
        alert => Message::plain(format!("it ended the TLS handshake: {alert:?}")),
    }
}

impl ProxyError {
    /// Converts an error of a broken connection. In TLS 1.3, a client is refused after its handshake.
    pub(super) fn broke(error: &io::Error) -> Self {
        match TlsError::of(error) {
            TlsError::Tls(error) => Self::Tls(TlsError::Tls(error)),
            _ => Self::Closed,
        }
    }

    /// Converts an error of the connector.
    pub(super) fn unreached(error: BoxError) -> Self {
        let found = find::<io::Error>(error.as_ref());
        Self::Unreached(match found {
            Some(io) => io::Error::new(io.kind(), io.to_string()),
            None => io::Error::other(error),
        })
    }
}

impl ProxyFault {
    pub(super) fn new(proxy: &Proxy, endpoint: &Endpoint, error: ProxyError) -> Self {
        let origin = endpoint.origin();
        Self {
            proxy: proxy.to_string(),
            scheme: proxy.scheme(),
            source_name: proxy.source(),
            server: format!("{}:{}", origin.host(), origin.port()),
            shown_user: proxy.user().is_some(),
            error,
        }
    }

    /// Returns the error of a forwarding proxy that requires a login.
    pub(in crate::gate) fn login(proxy: &Proxy, endpoint: &Endpoint) -> Self {
        Self::new(proxy, endpoint, ProxyError::Login)
    }

    /// Returns the name of the proxy and its error.
    fn text(&self) -> String {
        let name = match self.source_name {
            Source::Kubeconfig => format!("the proxy {}", self.proxy),
            Source::Variable(variable) => format!("the proxy {} of {variable}", self.proxy),
        };
        format!("{name} {}", self.what().0)
    }

    fn what(&self) -> (String, String) {
        let server = &self.server;
        let check = match self.source_name {
            Source::Kubeconfig => "check proxy-url of this cluster in the kubeconfig".to_owned(),
            Source::Variable(variable) => {
                format!("check {variable}, or name the server in NO_PROXY if it is reached without a proxy")
            }
        };
        let kind = match self.scheme {
            Scheme::Socks5 => "SOCKS 5",
            Scheme::Http | Scheme::Https => "HTTP",
        };
        match &self.error {
            ProxyError::Closed => (format!("closed the connection instead of connecting to {server}"), check),
            ProxyError::Endless => ("answers CONNECT with more than 8 KiB".to_owned(), check),
            ProxyError::Login if self.shown_user => {
                ("does not accept the user and password in its address".to_owned(), check)
            }
            ProxyError::Login => {
                let scheme = self.proxy.split(':').next().unwrap_or_default();
                let hint = format!("write {} as {scheme}://USER:PASSWORD@HOST:PORT", self.source_name);
                ("requires a user and a password".to_owned(), hint)
            }
            ProxyError::Nonsense => (format!("does not answer as {kind} proxies do"), check),
            ProxyError::Refused(status) => {
                (format!("does not connect to {server}: {status}"), proxy_hint(status.is_server_error()))
            }
            ProxyError::Silent => (format!("did not connect to {server} within a minute"), check),
            ProxyError::Socks(code) => {
                let (reason, reachable) = socks(*code);
                (format!("does not connect to {server}: {reason}"), proxy_hint(!reachable))
            }
            ProxyError::Tls(broken) => {
                let Message { text: what, hint } = broken.told(false);
                // What helps with a cluster's certificates does not help here.
                let hint = match broken {
                    TlsError::Tls(rustls::Error::InvalidCertificate(_)) => PROXY_CERTIFICATE.to_owned(),
                    TlsError::Tls(rustls::Error::AlertReceived(_)) => PROXY_CLIENT.to_owned(),
                    _ => hint.unwrap_or(check),
                };
                (format!("cannot be used: {what}"), hint)
            }
            ProxyError::Unreached(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                ("cannot be reached: connection refused".to_owned(), check)
            }
            ProxyError::Unreached(error) => (format!("cannot be reached: {error}"), check),
            ProxyError::Untrusting(error) => (format!("cannot be used: {error}"), check),
        }
    }
}

impl Explain for ProxyFault {
    fn hint(&self) -> Option<String> {
        Some(self.what().1)
    }
}

/// Returns the hint for a proxy that does not connect.
fn proxy_hint(unreachable: bool) -> String {
    let hint = if unreachable {
        "is the API server up, and does the proxy reach it?"
    } else {
        "ask the proxy's administrator to allow this address"
    };
    hint.to_owned()
}

/// Describes an answer of SOCKS 5 (RFC 1928 §6), and whether it means a refusal or an unreachable server.
fn socks(code: u8) -> (String, bool) {
    let (reason, refused) = match code {
        1 => ("it failed", false),
        2 => ("its rules do not allow it", true),
        3 => ("the network is unreachable", false),
        4 => ("the host is unreachable", false),
        5 => ("the connection was refused", false),
        6 => ("TTL expired", false),
        7 => ("it does not support CONNECT", true),
        8 => ("it does not support this type of address", true),
        code => return (format!("it failed (code {code})"), false),
    };
    (reason.to_owned(), refused)
}
