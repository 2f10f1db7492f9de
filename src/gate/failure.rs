//! Failures of requests that were sent: in words for the user, and as the error that the guest gets.

use std::io;
use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::dial::{ProxyFault, TlsError, find};
use super::resolve::Private;
use crate::cluster::{Authentication, Cluster, Error, Validity};
use crate::message::{Explain, Message};
use crate::policy::HEADERS;

/// A failure between the gate and the API server.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The server closed the connection before it answered.
    Closed,
    /// No connection within the guest's own timeout.
    ConnectTimeout,
    /// No connection, with the system's error.
    Connect(io::Error),
    /// The certificates, key or token could not be read.
    Identity(Message),
    /// The host is in the user's own network, which was not granted.
    PrivateAddress(IpAddr),
    /// No response within the guest's own timeout.
    ResponseTimeout,
    /// No complete response within the user's timeout.
    RequestTimeout(Duration),
    /// The answer is not HTTP, or has too many headers.
    Nonsense {
        /// Whether the headers are the reason.
        too_large: bool,
    },
    /// The proxy cannot be used.
    Proxy(Message),
    /// TLS failed.
    Tls(TlsError),
    /// The address exceeds the length of a URI.
    TooLong,
    /// The record that is replayed has no answer.
    Unrecorded,
}

impl From<hyper_util::client::legacy::Error> for Failure {
    fn from(error: hyper_util::client::legacy::Error) -> Self {
        if let Some(fault) = find::<ProxyFault>(&error) {
            return Self::Proxy(fault.message());
        }
        if let Some(error) = find::<Error>(&error) {
            return Self::identity(error);
        }
        if let Some(broken) = find::<TlsError>(&error) {
            return Self::Tls(broken.clone());
        }
        // Later than in its handshake: a client certificate is refused after that, in TLS 1.3.
        if let Some(tls) = find::<rustls::Error>(&error) {
            return Self::Tls(TlsError::Tls(tls.clone()));
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
        Self::Identity(error.message())
    }

    /// Explains the failure at the cluster, with a hint.
    pub(super) fn explain(&self, cluster: &Cluster, certificate: Option<&Validity>) -> Message {
        let renew =
            if cluster.credentials().authentication() == Authentication::Exec { LOGIN } else { RENEW };
        let Message { text, hint } = self.explain_at(&label(cluster), certificate);
        // A certificate that a credential plugin said is nothing to mend in the kubeconfig.
        Message { text, hint: hint.map(|hint| if hint == RENEW { renew.to_owned() } else { hint }) }
    }

    /// Explains the failure at an endpoint.
    pub(super) fn explain_at(&self, endpoint: &str, certificate: Option<&Validity>) -> Message {
        let line = |what: String, hint: Option<&str>| Message {
            text: format!("{endpoint}: {what}"),
            hint: hint.map(str::to_owned),
        };
        // A server may refuse a certificate that does not hold now in many ways, an unexplained close among them.
        if let (true, Some((text, hint))) = (self.may_be_refusal(), certificate.and_then(invalid)) {
            return line(text, Some(hint));
        }
        match self {
            Self::Closed => line("it closed the connection without a response".to_owned(), None),
            Self::ConnectTimeout => line("no connection within the plugin's own limit".to_owned(), None),
            Self::Connect(error) => line(reason(error), Some(REACH)),
            Self::Identity(line) => line.clone(),
            Self::PrivateAddress(address) => line(format!("it is at the private address {address}"), None),
            Self::ResponseTimeout => line("no response within the plugin's own limit".to_owned(), None),
            Self::RequestTimeout(limit) => line(
                format!("no complete response within {limit:?}"),
                Some("--request-timeout gives it more time; 0 means no limit"),
            ),
            Self::Nonsense { too_large: true } => line(
                format!("its response has more or larger headers than kwasm accepts: {HEADERS}, or 400 KiB"),
                None,
            ),
            Self::Nonsense { too_large: false } => {
                let hint = endpoint.starts_with("http://").then_some("did you mean https:// ?");
                line("its response is not HTTP".to_owned(), hint)
            }
            Self::Proxy(message) => message.clone().about(endpoint),
            Self::Tls(broken) => broken.explained(certificate.is_some()).about(endpoint),
            Self::TooLong => line("the address is longer than a URI may be".to_owned(), None),
            Self::Unrecorded => line("the record has no answer".to_owned(), None),
        }
    }

    /// Returns whether a server may refuse a client certificate in this way.
    fn may_be_refusal(&self) -> bool {
        use rustls::Error::AlertReceived;
        matches!(self, Self::Closed | Self::Tls(TlsError::Closed | TlsError::Tls(AlertReceived(_))))
    }

    /// Returns whether it is a timeout.
    pub(super) fn is_timeout(&self) -> bool {
        matches!(self, Self::ConnectTimeout | Self::ResponseTimeout | Self::RequestTimeout(_))
    }

    /// Returns the message for the guest, without addresses of the user's.
    pub(super) fn explained(&self) -> &'static str {
        match self {
            Self::Closed => "the server closed the connection",
            Self::ConnectTimeout => "there was no connection in time",
            Self::Connect(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                "the server refused the connection"
            }
            Self::Connect(_) | Self::PrivateAddress(_) | Self::Proxy(_) => "the server could not be reached",
            Self::Identity(_) => "the kubeconfig's credentials could not be read",
            Self::ResponseTimeout | Self::RequestTimeout(_) => "there was no response in time",
            Self::Nonsense { .. } => "the server's response could not be read",
            Self::Tls(_) => "TLS failed",
            Self::TooLong => "the address is too long",
            Self::Unrecorded => "the record has no answer to this request",
        }
    }

    /// Returns the closest error of wasi:http.
    pub(super) fn code(&self) -> wasmtime_wasi_http::Error {
        use wasmtime_wasi_http::Error as Code;
        match self {
            Self::Closed | Self::Tls(TlsError::Closed) => Code::ConnectionTerminated,
            Self::ConnectTimeout | Self::Tls(TlsError::Silent) => Code::ConnectionTimeout,
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
            Self::ResponseTimeout | Self::RequestTimeout(_) => Code::HttpResponseTimeout,
            Self::Nonsense { too_large: true } => Code::HttpResponseHeaderSectionSize(None),
            Self::Nonsense { too_large: false } => Code::HttpProtocolError,
            Self::Proxy(_) => Code::DestinationUnavailable,
            Self::Tls(TlsError::Tls(rustls::Error::InvalidCertificate(_))) => Code::TlsCertificateError,
            Self::Tls(TlsError::Tls(rustls::Error::AlertReceived(alert))) => Code::TlsAlertReceived {
                alert_id: Some(u8::from(*alert)),
                alert_message: Some(format!("{alert:?}")),
            },
            Self::Tls(_) => Code::TlsProtocolError,
            Self::TooLong => Code::HttpRequestUriTooLong,
            Self::Unrecorded => Code::InternalError(Some(self.explained().to_owned())),
        }
    }
}

/// Returns a server's name for messages.
pub(super) fn label(cluster: &Cluster) -> String {
    match cluster.context() {
        "" => cluster.endpoint().to_string(),
        context => format!("{} (context `{context}`)", cluster.endpoint()),
    }
}

/// Explains the API server's answer 401.
pub(super) fn unauthorized(cluster: &Cluster, certificate: Option<&Validity>) -> Message {
    let authentication = cluster.credentials().authentication();
    let (what, hint) = match certificate.and_then(invalid) {
        Some((what, hint)) => (what, if authentication == Authentication::Exec { LOGIN } else { hint }),
        None => refused(authentication, cluster.user_name()),
    };
    Message { text: format!("{}: {what}", label(cluster)), hint: Some(hint.to_owned()) }
}

/// Returns the failure of a credential plugin or an identity provider that exceeded the timeout.
pub(super) fn no_credentials(cluster: &Cluster, limit: Duration) -> Failure {
    let what = match cluster.credentials().authentication() {
        Authentication::Exec => "the credential plugin",
        _ => "the identity provider",
    };
    Failure::Identity(Message {
        text: format!(
            "{what} of user `{}`: it returned no credentials within {limit:?}",
            cluster.user_name()
        ),
        hint: Some("--request-timeout gives it more time; 0 means no limit".to_owned()),
    })
}

/// Describes the refused credential, with a hint.
fn refused(authentication: Authentication, user: &str) -> (String, &'static str) {
    let (what, hint) = match authentication {
        Authentication::Token | Authentication::TokenFile => (
            format!("the token of user `{user}`"),
            "it may have expired: log in again with the tool that created this kubeconfig",
        ),
        Authentication::Exec => {
            (format!("the credential that the credential plugin of user `{user}` returned"), LOGIN)
        }
        Authentication::Oidc => (
            format!("the id-token of user `{user}`"),
            "log in again with the tool that created this kubeconfig",
        ),
        Authentication::Basic => (
            format!("the name and password of user `{user}`"),
            "check both; few API servers support basic authentication",
        ),
        Authentication::ClientCertificate => (
            format!("the client certificate of user `{user}`"),
            "it may belong to another cluster: get a new kubeconfig from the administrator of this one",
        ),
        Authentication::None => {
            let hint = "kubectl config set-credentials NAME adds credentials";
            return (
                "it requires authentication, and the kubeconfig has no credentials for this user (401 Unauthorized)".to_owned(),
                hint,
            );
        }
    };
    (format!("it does not accept {what} (401 Unauthorized)"), hint)
}

/// Explains the answer 407, which comes from a proxy, since no API server sends it.
pub(super) fn login(cluster: &Cluster) -> Option<Message> {
    Some(ProxyFault::login(cluster.proxy()?, cluster.endpoint()).message().about(label(cluster)))
}

const REACH: &str =
    "check server of this cluster in the kubeconfig, and whether the network to it (a VPN?) is up";
const LOGIN: &str = "log in again with the tool that the kubeconfig's credential plugin belongs to";
const RENEW: &str = "get a new kubeconfig, or a new certificate in it, from the cluster's administrator";
const CLOCK: &str = "check this machine's clock";

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused: is the API server up?".to_owned(),
        io::ErrorKind::TimedOut => "no connection within 30 seconds".to_owned(),
        _ => error.to_string(),
    }
}

/// Explains a client certificate outside its validity period, with a hint; returns `None` if it is valid.
fn invalid(certificate: &Validity) -> Option<(String, &'static str)> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
    let now = i64::try_from(now).ok()?;
    let fault = certificate.fault(now)?;
    let hint = if now < certificate.not_before { CLOCK } else { RENEW };
    let Validity { user, subject, .. } = certificate;
    Some((format!("the client certificate of user `{user}` ({subject}) {fault}"), hint))
}
