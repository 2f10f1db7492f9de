//! The names of failures in a record, from which a replay makes the same for the guest.

use std::io::{self, ErrorKind};
use std::time::Duration;

use rustls::{AlertDescription, CertificateError, Error as TlsFault};

use super::dial::TlsError;
use super::failure::Failure;
use crate::message::Message;

/// The names that stand alone.
const ADDRESS_TOO_LONG: &str = "addressTooLong";
const CERTIFICATE: &str = "certificate";
const CLOSED: &str = "closed";
const CONNECT_TIMEOUT: &str = "connectTimeout";
const CONNECTION_REFUSED: &str = "connectionRefused";
const CONNECTION_TIMED_OUT: &str = "connectionTimedOut";
const CREDENTIALS: &str = "credentials";
const LARGE_HEADERS: &str = "largeHeaders";
const NOT_CONNECTED: &str = "notConnected";
const NOT_HTTP: &str = "notHttp";
const PROXY: &str = "proxy";
const REQUEST_TIMEOUT: &str = "requestTimeout";
const RESPONSE_TIMEOUT: &str = "responseTimeout";
const TLS: &str = "tls";
const TLS_CLOSED: &str = "tlsClosed";
const TLS_TIMEOUT: &str = "tlsTimeout";
const UNREACHABLE: &str = "unreachable";
const UNRECORDED: &str = "unrecorded";

/// The beginning of a name that ends with the address.
const PRIVATE_ADDRESS: &str = "privateAddress ";

/// The beginning of a name that ends with the alert's number.
const TLS_ALERT: &str = "tlsAlert ";

impl Failure {
    /// Returns the name of the failure. Failures of one name are the same for a guest.
    pub(super) fn name(&self) -> String {
        let name = match self {
            Self::Closed => CLOSED,
            Self::ConnectTimeout => CONNECT_TIMEOUT,
            Self::Connect(error) => match error.kind() {
                ErrorKind::ConnectionRefused => CONNECTION_REFUSED,
                ErrorKind::TimedOut => CONNECTION_TIMED_OUT,
                ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => UNREACHABLE,
                _ => NOT_CONNECTED,
            },
            Self::Identity(_) => CREDENTIALS,
            Self::PrivateAddress(address) => return format!("{PRIVATE_ADDRESS}{address}"),
            Self::ResponseTimeout => RESPONSE_TIMEOUT,
            Self::RequestTimeout(_) => REQUEST_TIMEOUT,
            Self::Nonsense { too_large: true } => LARGE_HEADERS,
            Self::Nonsense { too_large: false } => NOT_HTTP,
            Self::Proxy(_) => PROXY,
            Self::Tls(TlsError::Closed) => TLS_CLOSED,
            Self::Tls(TlsError::Silent) => TLS_TIMEOUT,
            Self::Tls(TlsError::Tls(TlsFault::InvalidCertificate(_))) => CERTIFICATE,
            Self::Tls(TlsError::Tls(TlsFault::AlertReceived(alert))) => {
                return format!("{TLS_ALERT}{}", u8::from(*alert));
            }
            Self::Tls(_) => TLS,
            Self::TooLong => ADDRESS_TOO_LONG,
            Self::Unrecorded => UNRECORDED,
        };
        name.to_owned()
    }

    /// Returns a failure of this name, or `None` if there is none.
    pub(super) fn named(name: &str) -> Option<Self> {
        let connect = |kind: ErrorKind| Self::Connect(io::Error::from(kind));
        let tls = |fault| Self::Tls(TlsError::Tls(fault));
        // What is reported to the user is in the record by itself.
        let message = || Message::plain("");
        Some(match name {
            CLOSED => Self::Closed,
            CONNECT_TIMEOUT => Self::ConnectTimeout,
            CONNECTION_REFUSED => connect(ErrorKind::ConnectionRefused),
            CONNECTION_TIMED_OUT => connect(ErrorKind::TimedOut),
            UNREACHABLE => connect(ErrorKind::HostUnreachable),
            NOT_CONNECTED => connect(ErrorKind::NotConnected),
            CREDENTIALS => Self::Identity(message()),
            RESPONSE_TIMEOUT => Self::ResponseTimeout,
            REQUEST_TIMEOUT => Self::RequestTimeout(Duration::ZERO),
            LARGE_HEADERS => Self::Nonsense { too_large: true },
            NOT_HTTP => Self::Nonsense { too_large: false },
            PROXY => Self::Proxy(message()),
            TLS_CLOSED => Self::Tls(TlsError::Closed),
            TLS_TIMEOUT => Self::Tls(TlsError::Silent),
            CERTIFICATE => tls(TlsFault::InvalidCertificate(CertificateError::UnknownIssuer)),
            TLS => tls(TlsFault::General(String::new())),
            ADDRESS_TOO_LONG => Self::TooLong,
            UNRECORDED => Self::Unrecorded,
            other => {
                if let Some(address) = other.strip_prefix(PRIVATE_ADDRESS) {
                    return address.parse().ok().map(Self::PrivateAddress);
                }
                let alert: u8 = other.strip_prefix(TLS_ALERT)?.parse().ok()?;
                tls(TlsFault::AlertReceived(AlertDescription::from(alert)))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_sees_the_same_failure_by_its_name() {
        let alert = TlsFault::AlertReceived(AlertDescription::CertificateExpired);
        for failure in [
            Failure::Closed,
            Failure::ConnectTimeout,
            Failure::Connect(ErrorKind::ConnectionRefused.into()),
            Failure::Connect(ErrorKind::TimedOut.into()),
            Failure::Connect(ErrorKind::NetworkUnreachable.into()),
            Failure::Connect(ErrorKind::Other.into()),
            Failure::Identity(Message::plain("x")),
            Failure::PrivateAddress([10, 0, 0, 1].into()),
            Failure::ResponseTimeout,
            Failure::RequestTimeout(Duration::from_secs(5)),
            Failure::Nonsense { too_large: true },
            Failure::Nonsense { too_large: false },
            Failure::Proxy(Message::plain("x")),
            Failure::Tls(TlsError::Closed),
            Failure::Tls(TlsError::Silent),
            Failure::Tls(TlsError::Tls(TlsFault::InvalidCertificate(CertificateError::Expired))),
            Failure::Tls(TlsError::Tls(alert)),
            Failure::Tls(TlsError::Tls(TlsFault::DecryptError)),
            Failure::TooLong,
            Failure::Unrecorded,
        ] {
            let again = Failure::named(&failure.name()).unwrap();
            assert_eq!(again.name(), failure.name());
            assert_eq!(again.explained(), failure.explained(), "{failure:?}");
            assert_eq!(format!("{:?}", again.code()), format!("{:?}", failure.code()));
        }
        assert!(Failure::named("x").is_none() && Failure::named("tlsAlert x").is_none());
    }
}
