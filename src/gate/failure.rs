//! Why a request that was let out failed: in words for the user, and as the error that its guest gets.

use std::error::Error as StdError;
use std::io;
use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use rustls::CertificateError;
use time::OffsetDateTime;

use super::hosts::Private;
use super::journal::Line;
use crate::cluster::{Cluster, Error, Validity};
use crate::policy::HEADERS;

/// What went wrong on the way to the API server or back.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The server closed the connection before it answered.
    Closed,
    /// No connection within the guest's own limit.
    ConnectTimeout,
    /// No connection: what the system says.
    Connect(io::Error),
    /// The certificates, key or token could not be read.
    Identity(Line),
    /// The host is of the user's own network, and was not granted as such.
    PrivateAddress(IpAddr),
    /// No response within the guest's own limit.
    ResponseTimeout,
    /// What it answered is no HTTP, or more headers than are taken.
    Nonsense {
        /// Whether it is the headers.
        too_large: bool,
    },
    /// TLS failed.
    Tls(rustls::Error),
    /// The address is longer than a URI may be.
    TooLong,
}

impl From<hyper_util::client::legacy::Error> for Failure {
    fn from(error: hyper_util::client::legacy::Error) -> Self {
        if let Some(tls) = find::<rustls::Error>(&error) {
            return Self::Tls(tls.clone());
        }
        if let Some(private) = find::<Private>(&error) {
            return Self::PrivateAddress(private.0);
        }
        if let Some(http) = find::<hyper::Error>(&error).filter(|http| http.is_parse()) {
            return Self::Nonsense { too_large: http.is_parse_too_large() };
        }
        match find::<io::Error>(&error) {
            Some(io) if error.is_connect() => Self::Connect(io::Error::new(io.kind(), io.to_string())),
            _ if error.is_connect() => Self::Connect(io::Error::other(error.to_string())),
            _ => Self::Closed,
        }
    }
}

impl Failure {
    pub(super) fn identity(error: &Error) -> Self {
        let mut text = error.to_string();
        if let Some(source) = error.source() {
            text = format!("{text}: {source}");
        }
        Self::Identity(Line { text, hint: None })
    }

    /// Says what happened at the cluster, and what helps.
    pub(super) fn explain(&self, cluster: &Cluster, certificate: Option<&Validity>) -> Line {
        self.explain_at(&format!("{} (context `{}`)", cluster.endpoint(), cluster.context()), certificate)
    }

    /// Says what happened at an endpoint.
    pub(super) fn explain_at(&self, endpoint: &str, certificate: Option<&Validity>) -> Line {
        let line = |what: String, hint: Option<&str>| Line {
            text: format!("{endpoint}: {what}"),
            hint: hint.map(str::to_owned),
        };
        // A server may refuse a certificate that no longer holds in many ways, an unexplained close among them.
        if let (Self::Closed | Self::Tls(rustls::Error::AlertReceived(_)), Some(text)) =
            (self, certificate.and_then(invalid))
        {
            return line(text, Some(RENEW));
        }
        match self {
            Self::Closed => line("it closed the connection without an answer".to_owned(), None),
            Self::ConnectTimeout => line("no connection within the plugin's own limit".to_owned(), None),
            Self::Connect(error) => line(reason(error), Some(REACH)),
            Self::Identity(line) => line.clone(),
            Self::PrivateAddress(address) => line(format!("it is at the private address {address}"), None),
            Self::ResponseTimeout => line("no response within the plugin's own limit".to_owned(), None),
            Self::Nonsense { too_large: true } => line(
                format!("its answer has more or larger headers than kwasm takes: {HEADERS}, or 400 KiB"),
                None,
            ),
            Self::Nonsense { too_large: false } => line("its answer is no HTTP".to_owned(), None),
            Self::Tls(error) => {
                let (what, hint) = tls(error);
                line(what, hint)
            }
            Self::TooLong => line("the address would be longer than a URI may be".to_owned(), None),
        }
    }

    /// Whether it is that nothing came in time.
    pub(super) fn is_timeout(&self) -> bool {
        matches!(self, Self::ConnectTimeout | Self::ResponseTimeout)
    }

    /// What a guest may know of it: no address of the user's.
    pub(super) fn told(&self) -> &'static str {
        match self {
            Self::Closed => "the server closed the connection",
            Self::ConnectTimeout => "there was no connection in time",
            Self::Connect(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                "the server refused the connection"
            }
            Self::Connect(_) | Self::PrivateAddress(_) => "the server could not be reached",
            Self::Identity(_) => "the kubeconfig's credentials could not be read",
            Self::ResponseTimeout => "there was no response in time",
            Self::Nonsense { .. } => "the server's answer could not be read",
            Self::Tls(_) => "TLS failed",
            Self::TooLong => "the address is too long",
        }
    }

    /// The error of wasi:http that comes nearest.
    pub(super) fn code(&self) -> wasmtime_wasi_http::Error {
        use wasmtime_wasi_http::Error as Code;
        match self {
            Self::Closed => Code::ConnectionTerminated,
            Self::ConnectTimeout => Code::ConnectionTimeout,
            Self::Connect(error) => match error.kind() {
                io::ErrorKind::ConnectionRefused => Code::ConnectionRefused,
                io::ErrorKind::TimedOut => Code::ConnectionTimeout,
                io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
                    Code::DestinationIpUnroutable
                }
                _ => Code::DestinationUnavailable,
            },
            Self::Identity(_) => Code::ConfigurationError,
            Self::PrivateAddress(_) => Code::DestinationIpProhibited,
            Self::ResponseTimeout => Code::HttpResponseTimeout,
            Self::Nonsense { too_large: true } => Code::HttpResponseHeaderSectionSize(None),
            Self::Nonsense { too_large: false } => Code::HttpProtocolError,
            Self::Tls(rustls::Error::InvalidCertificate(_)) => Code::TlsCertificateError,
            Self::Tls(rustls::Error::AlertReceived(alert)) => Code::TlsAlertReceived {
                alert_id: Some(u8::from(*alert)),
                alert_message: Some(format!("{alert:?}")),
            },
            Self::Tls(_) => Code::TlsProtocolError,
            Self::TooLong => Code::HttpRequestUriTooLong,
        }
    }
}

/// What there is to say when the API server answers 401.
pub(super) fn unauthorized(cluster: &Cluster, certificate: Option<&Validity>) -> Line {
    let what = certificate.and_then(invalid);
    let hint =
        if what.is_some() { RENEW } else { "kubectl auth whoami shows what the API server makes of you" };
    let what = what
        .unwrap_or_else(|| "it does not accept the kubeconfig's credentials (401 Unauthorized)".to_owned());
    Line {
        text: format!("{} (context `{}`): {what}", cluster.endpoint(), cluster.context()),
        hint: Some(hint.to_owned()),
    }
}

const REACH: &str = "kubectl version tells whether kubectl reaches it";
const RENEW: &str = "get a new kubeconfig, or a new certificate in it, from whoever runs the cluster";
const TRUST: &str = "check certificate-authority of this cluster in the kubeconfig";

/// The first error of type `T` in a chain. Some io errors hold others inside without being their source.
fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match inner {
            Some(inner) => Some(inner as &(dyn StdError + 'static)),
            None => error.source(),
        };
    }
    None
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused: is the API server up?".to_owned(),
        io::ErrorKind::TimedOut => "no connection within 30 seconds".to_owned(),
        _ => error.to_string(),
    }
}

fn tls(error: &rustls::Error) -> (String, Option<&'static str>) {
    match error {
        rustls::Error::InvalidCertificate(error) => match error {
            CertificateError::UnknownIssuer => {
                ("its certificate is signed by an authority that is not trusted".to_owned(), Some(TRUST))
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                ("its certificate has expired".to_owned(), Some("whoever runs the cluster has to renew it"))
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                ("its certificate is not valid yet".to_owned(), Some("check this machine's clock"))
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => (
                "its certificate is for another name".to_owned(),
                Some("check server of this cluster in the kubeconfig"),
            ),
            other => (format!("its certificate is not accepted: {other}"), Some(TRUST)),
        },
        rustls::Error::AlertReceived(alert) => (format!("it ended the TLS handshake: {alert:?}"), None),
        rustls::Error::InvalidMessage(_) => {
            ("it does not speak TLS".to_owned(), Some("is its address to begin with http:// ?"))
        }
        other => (format!("TLS failed: {other}"), None),
    }
}

/// Says what is wrong with the times of a client certificate; `None` when nothing is.
fn invalid(certificate: &Validity) -> Option<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
    let now = i64::try_from(now).ok()?;
    let (verb, when) = if now > certificate.not_after {
        ("expired", certificate.not_after)
    } else if now < certificate.not_before {
        ("is not valid before", certificate.not_before)
    } else {
        return None;
    };
    let on = if verb == "expired" { " on" } else { "" };
    let Validity { user, subject, .. } = certificate;
    Some(format!("the client certificate of user `{user}` ({subject}) {verb}{on} {}", date(when)))
}

fn date(seconds: i64) -> String {
    let Ok(time) = OffsetDateTime::from_unix_timestamp(seconds) else { return seconds.to_string() };
    format!("{} {:02}:{:02} UTC", time.date(), time.hour(), time.minute())
}
