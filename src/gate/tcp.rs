//! TCP connections, as client-go makes them.

use std::time::Duration;

use hyper_util::client::legacy::connect::HttpConnector;

/// The timeout for a TCP connection, as in client-go (net.Dialer in `rest/transport`).
const CONNECT: Duration = Duration::from_secs(30);

/// The silence after which TCP itself checks that the peer is there, as in client-go. This is not an idle
/// timeout: a peer that is there but silent is waited for.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// Returns a connector that uses `resolver`.
pub(super) fn tcp<R>(resolver: R) -> HttpConnector<R> {
    let mut tcp = HttpConnector::new_with_resolver(resolver);
    tcp.enforce_http(false);
    tcp.set_connect_timeout(Some(CONNECT));
    tcp.set_keepalive(Some(KEEP_ALIVE));
    tcp.set_nodelay(true);
    tcp
}
