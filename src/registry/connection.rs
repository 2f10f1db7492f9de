//! What keeps a host from being reached, as far as it is known.

use std::io;

use rustls::CertificateError;

/// What a user may do something about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Obstacle {
    /// Anything else.
    Other,
    /// It speaks HTTP where TLS was expected.
    PlainHttp,
    /// Its certificate is signed by nobody who is trusted here.
    UnknownIssuer,
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

/// Whether the next try would end the same way.
pub(super) fn is_final(error: &reqwest::Error) -> bool {
    let refused = io_errors(error).any(|error| error.kind() == io::ErrorKind::ConnectionRefused);
    let unknown = innermost(error).contains("failed to lookup address");
    refused || unknown || tls(error).is_some() || error.is_redirect() || error.is_builder()
}

/// The cause that says most: reqwest's own words name the address only.
pub(super) fn innermost(error: &reqwest::Error) -> String {
    causes(error).last().map_or_else(|| error.to_string(), ToString::to_string)
}

fn tls(error: &reqwest::Error) -> Option<&rustls::Error> {
    io_errors(error).find_map(tls_inside)
}

/// An I/O error's source is that of the error inside it, not that error itself; and there may be another one inside.
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
