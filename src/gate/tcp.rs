//! TCP connections, as client-go makes them.

use std::time::Duration;

use hyper_util::client::legacy::connect::HttpConnector;

/// How long a TCP connection may take to come about, as in client-go (net.Dialer in `rest/transport`).
const CONNECT: Duration = Duration::from_secs(30);

/// How long a connection may be silent before TCP itself asks whether the peer is there, as in client-go. This is
/// no idle timeout: a peer that is there and has nothing to say is waited for.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// A connector that resolves by `resolver`.
pub(super) fn tcp<R>(resolver: R) -> HttpConnector<R> {
    let mut tcp = HttpConnector::new_with_resolver(resolver);
    tcp.enforce_http(false);
    tcp.set_connect_timeout(Some(CONNECT));
    tcp.set_keepalive(Some(KEEP_ALIVE));
    tcp.set_nodelay(true);
    tcp
}
