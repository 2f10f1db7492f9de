//! The addresses of hosts, without those that a host may not have.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::vec;

use hyper_util::client::legacy::connect::dns::Name;
use tower_service::Service;

use crate::defence::Defence;
use crate::policy::{Host, is_public};

/// Resolves names, and drops the addresses that a host may not have: a public name whose owner points it at
/// the user's own network leads nowhere.
#[derive(Clone)]
pub(super) struct Resolver {
    pub(super) hosts: std::sync::Arc<[Host]>,
}

/// The error for a host whose addresses are all in the user's own network, with the first of them.
#[derive(Debug, thiserror::Error)]
#[error("the host is at the private address {0}")]
pub(super) struct Private(pub(super) std::net::IpAddr);

type Resolving = Pin<Box<dyn Future<Output = io::Result<vec::IntoIter<SocketAddr>>> + Send>>;

impl Service<Name> for Resolver {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Resolving;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Resolving {
        let mut granted = self.hosts.iter().filter(|host| host.name == name.as_str()).peekable();
        // The port is not known here: where one of its entries may not be private, none may.
        let private = granted.peek().is_some() && granted.all(|host| host.private);
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            allowed(found, private)
        })
    }
}

/// Returns the addresses that may be connected to.
fn allowed(found: Vec<SocketAddr>, private: bool) -> io::Result<vec::IntoIter<SocketAddr>> {
    let first = found.first().map(SocketAddr::ip);
    let public = |address: &SocketAddr| Defence::PrivateAddresses.passes(private || is_public(address.ip()));
    let allowed: Vec<SocketAddr> = found.into_iter().filter(public).collect();
    match first {
        Some(address) if allowed.is_empty() => {
            Err(io::Error::new(io::ErrorKind::PermissionDenied, Private(address)))
        }
        _ => Ok(allowed.into_iter()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn of_mixed_addresses_only_the_public_ones_are_connected_to() {
        let mixed = addresses(&["127.0.0.1:0", "1.1.1.1:0", "[fe80::1]:0"]);
        assert_eq!(allowed(mixed, false).unwrap().collect::<Vec<_>>(), addresses(&["1.1.1.1:0"]));
    }

    #[test]
    fn a_host_with_none_but_private_addresses_is_refused_unless_granted_as_such() {
        let rebound = addresses(&["169.254.169.254:0"]);
        let error = allowed(rebound.clone(), false).unwrap_err();
        assert!(error.get_ref().unwrap().is::<Private>());
        assert_eq!(allowed(rebound, true).unwrap().count(), 1);
    }
}
