//! Why there is no connection, in words for the user.

use std::io;

use ::http::StatusCode;
use rustls::{AlertDescription, CertificateError, InvalidMessage, PeerIncompatible};

use super::BoxError;
use crate::cluster::{Distrust, Endpoint, Error, words};
use crate::message::{Explain, Message};
use crate::proxy::{Proxy, Scheme, Source};

/// TLS that did not come about. Said of the peer: `it …`.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum Broken {
    /// It answered in plain HTTP.
    #[error("plain HTTP was answered")]
    PlainHttp,
    /// The handshake failed.
    #[error("{0}")]
    Tls(rustls::Error),
    /// It closed the connection.
    #[error("the connection was closed")]
    Closed,
    /// It said nothing for as long as a handshake may take.
    #[error("nothing was answered")]
    Silent,
    /// What the system says.
    #[error("{0}")]
    Other(String),
}

/// What a proxy did instead of leading to the server.
#[derive(Debug, thiserror::Error)]
pub(in crate::gate) enum Way {
    #[error("it closed the connection")]
    Closed,
    #[error("its answer has no end")]
    Endless,
    #[error("it wants a login")]
    Login,
    #[error("its answer cannot be read")]
    Nonsense,
    #[error("it refuses: {0}")]
    Refused(StatusCode),
    #[error("it did not answer")]
    Silent,
    #[error("it refuses: {0}")]
    Socks(u8),
    #[error("{0}")]
    Tls(Broken),
    #[error("{0}")]
    Unreached(io::Error),
    #[error("{0}")]
    Untrusting(Error),
}

/// What went wrong at a proxy, with its name and without its user and password.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.text())]
pub(in crate::gate) struct ProxyFault {
    proxy: String,
    scheme: Scheme,
    source_name: Source,
    server: String,
    shown_user: bool,
    way: Way,
}

const CREDENTIAL: &str = "check client-certificate and client-key of the user in the kubeconfig";
const VERSIONS: &str = "whoever runs it has to let it speak TLS 1.2 or 1.3, which kubectl needs too";
const PROXY_CERTIFICATE: &str = "its certificate has to be for its host, and known to this machine or to the kubeconfig's certificate-authority";
const PROXY_CLIENT: &str = "kwasm shows client certificates to API servers only";
const SUITES: &str = "kwasm speaks TLS 1.3, and TLS 1.2 with ECDHE and AES-GCM or ChaCha20-Poly1305; kubectl knows older ciphers too (CBC): whoever runs it has to allow one of the former";
const PLAIN: &str = "is its address to begin with http:// ?";

impl Broken {
    /// Of an error of tokio-rustls.
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

    /// What it is, to one who showed a client certificate or none.
    pub(in crate::gate) fn told(&self, certificate: bool) -> Message {
        let hinted = |what: &str, hint: &str| Message::hinted(what, hint);
        match self {
            Self::PlainHttp => hinted("it answers in plain HTTP, and was asked by TLS", PLAIN),
            Self::Closed => hinted(
                "it closed the connection instead of answering the TLS handshake",
                "is it an API server? a firewall or a load balancer may refuse its name",
            ),
            Self::Silent => {
                Message::plain(format!("no TLS handshake within {} seconds", super::HANDSHAKE.as_secs()))
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
                ) => hinted("it speaks no TLS newer than 1.1", VERSIONS),
                rustls::Error::PeerIncompatible(what) => {
                    hinted(&format!("it has no way of TLS in common with kwasm ({what:?})"), SUITES)
                }
                other => Message::plain(format!("TLS failed: {other}")),
            },
        }
    }
}

/// What a verifier of ours said.
fn distrust(error: &CertificateError) -> Option<&Distrust> {
    match error {
        CertificateError::Other(other) => other.0.downcast_ref(),
        _ => None,
    }
}

/// What a verifier of another's means.
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
        CertificateError::BadSignature => "it does not have the key of its certificate".to_owned(),
        other => format!("its certificate is not accepted: {}", words(other)),
    }
}

/// What a server means by ending a handshake with one who showed a client certificate or none.
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
            hinted(format!("it wants a client certificate, and was shown none ({alert:?})"), CREDENTIAL)
        }
        Alert::UnknownCA if certificate => {
            hinted("it does not know the authority that signed the client certificate".to_owned(), CREDENTIAL)
        }
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
            hinted(format!("it has no version of TLS in common with kwasm ({alert:?})"), VERSIONS)
        }
        Alert::HandshakeFailure | Alert::InsufficientSecurity => hinted(
            format!(
                "it refuses the TLS handshake ({alert:?}): most likely it has no cipher in common with kwasm"
            ),
            SUITES,
        ),
        Alert::UnrecognisedName => hinted(
            "it does not know the name by which it was asked".to_owned(),
            "check server and tls-server-name of this cluster in the kubeconfig",
        ),
        alert => Message::plain(format!("it ended the TLS handshake: {alert:?}")),
    }
}

impl Way {
    /// Of a connection that broke. In TLS 1.3 a client is refused after its handshake.
    pub(super) fn broke(error: &io::Error) -> Self {
        match Broken::of(error) {
            Broken::Tls(error) => Self::Tls(Broken::Tls(error)),
            _ => Self::Closed,
        }
    }

    /// Of an error of the connector.
    pub(super) fn unreached(error: BoxError) -> Self {
        let found = super::super::failure::find::<io::Error>(error.as_ref());
        Self::Unreached(match found {
            Some(io) => io::Error::new(io.kind(), io.to_string()),
            None => io::Error::other(error),
        })
    }
}

impl ProxyFault {
    pub(super) fn new(proxy: &Proxy, endpoint: &Endpoint, way: Way) -> Self {
        let origin = endpoint.origin();
        Self {
            proxy: proxy.to_string(),
            scheme: proxy.scheme(),
            source_name: proxy.source(),
            server: format!("{}:{}", origin.host(), origin.port()),
            shown_user: proxy.user().is_some(),
            way,
        }
    }

    /// That of a proxy that reads requests and wants to know who asks.
    pub(in crate::gate) fn login(proxy: &Proxy, endpoint: &Endpoint) -> Self {
        Self::new(proxy, endpoint, Way::Login)
    }

    /// Returns which proxy it is and what it did.
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
        match &self.way {
            Way::Closed => (format!("closed the connection instead of leading to {server}"), check),
            Way::Endless => ("answers CONNECT with more than 8 KiB".to_owned(), check),
            Way::Login if self.shown_user => {
                ("does not accept the user and password of its address".to_owned(), check)
            }
            Way::Login => {
                let scheme = self.proxy.split(':').next().unwrap_or_default();
                let hint = format!("write {} as {scheme}://USER:PASSWORD@HOST:PORT", self.source_name);
                ("wants a user and a password".to_owned(), hint)
            }
            Way::Nonsense => (format!("does not answer as a proxy of {kind}"), check),
            Way::Refused(status) => {
                (format!("does not lead to {server}: {status}"), led(status.is_server_error()))
            }
            Way::Silent => (format!("did not lead to {server} within a minute"), check),
            Way::Socks(code) => {
                let (reason, reachable) = socks(*code);
                (format!("does not lead to {server}: {reason}"), led(!reachable))
            }
            Way::Tls(broken) => {
                let Message { text: what, hint } = broken.told(false);
                // What helps with a cluster's certificates does not help here.
                let hint = match broken {
                    Broken::Tls(rustls::Error::InvalidCertificate(_)) => PROXY_CERTIFICATE.to_owned(),
                    Broken::Tls(rustls::Error::AlertReceived(_)) => PROXY_CLIENT.to_owned(),
                    _ => hint.unwrap_or(check),
                };
                (format!("cannot be used: {what}"), hint)
            }
            Way::Unreached(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                ("cannot be reached: connection refused".to_owned(), check)
            }
            Way::Unreached(error) => (format!("cannot be reached: {error}"), check),
            Way::Untrusting(error) => (format!("cannot be used: {error}"), check),
        }
    }
}

impl Explain for ProxyFault {
    fn hint(&self) -> Option<String> {
        Some(self.what().1)
    }
}

/// What helps when a proxy does not lead on.
fn led(unreachable: bool) -> String {
    let hint = if unreachable {
        "is the API server up, and does the proxy reach it?"
    } else {
        "whoever runs the proxy has to let this address through"
    };
    hint.to_owned()
}

/// What an answer of SOCKS 5 means (RFC 1928 §6), and whether it is that the server was refused, not missed.
fn socks(code: u8) -> (String, bool) {
    let (reason, refused) = match code {
        1 => ("it failed", false),
        2 => ("its rules do not allow it", true),
        3 => ("it does not reach the network", false),
        4 => ("it does not reach the host", false),
        5 => ("the connection was refused", false),
        6 => ("the way is too long", false),
        7 => ("it does not lead anywhere", true),
        8 => ("it does not take such an address", true),
        code => return (format!("it failed (code {code})"), false),
    };
    (reason.to_owned(), refused)
}
