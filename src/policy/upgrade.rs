//! Requests that upgrade a connection from HTTP to a protocol whose messages are not judged.

use http::HeaderMap;
use http::header::{CONNECTION, CONTENT_LENGTH, HeaderName, HeaderValue, TRANSFER_ENCODING, UPGRADE};

use super::request_info::RequestInfo;
use crate::defence::Defence;

/// The protocol to which a connection is to be upgraded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Upgrade {
    /// RFC 6455. The subprotocol, e.g. `v5.channel.k8s.io`, is negotiated between guest and server.
    WebSocket,
    /// The predecessor of WebSocket, which some clients still use.
    Spdy,
}

/// The subresources of a pod that are streams in both directions. No other requests can be made in them: the
/// API server hands them on to the pod's kubelet.
const STREAMS: [&str; 3] = ["attach", "exec", "portforward"];

impl Upgrade {
    /// Reads the protocol to which a request asks to upgrade, or returns `None` if it does not.
    ///
    /// An `upgrade` that `connection` does not name has no effect (RFC 9110 §7.8), and is not forwarded.
    ///
    /// # Errors
    /// If the upgrade is not supported. Other paths than these streams could lead to another server with
    /// rules of its own, to which requests would go unjudged.
    pub(super) fn read(info: &RequestInfo, headers: &HeaderMap) -> Result<Option<Self>, &'static str> {
        let Some(protocol) = headers.get(UPGRADE).filter(|_| is_named(&UPGRADE, headers)) else {
            return Ok(None);
        };
        let stream = info.is_resource_request
            && info.api_group.is_empty()
            && info.resource == "pods"
            && !info.name.is_empty()
            && STREAMS.contains(&info.subresource.as_str())
            && ["create", "get"].contains(&info.verb.as_str());
        if Defence::Upgrades.stops(!stream) {
            return Err("it requests an upgrade, which only exec, attach and port-forward of pods have");
        }
        if headers.contains_key(TRANSFER_ENCODING)
            || headers.get(CONTENT_LENGTH).is_some_and(|length| length.as_bytes() != b"0")
        {
            return Err("it requests an upgrade and has a body");
        }
        let one = headers.get_all(UPGRADE).iter().count() == 1;
        match protocol.as_bytes().trim_ascii() {
            name if name.eq_ignore_ascii_case(b"websocket") && one => Ok(Some(Self::WebSocket)),
            name if name.eq_ignore_ascii_case(b"SPDY/3.1") && one => Ok(Some(Self::Spdy)),
            _ => Err("it requests an upgrade to a protocol other than websocket or SPDY/3.1"),
        }
    }

    /// Returns the protocol's name in the header `upgrade`.
    #[must_use]
    pub fn header(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::WebSocket => "websocket",
            Self::Spdy => "SPDY/3.1",
        })
    }
}

/// Returns whether `connection` names a header.
fn is_named(name: &HeaderName, headers: &HeaderMap) -> bool {
    let values = headers.get_all(CONNECTION).iter().map(HeaderValue::as_bytes);
    let mut names = values.flat_map(|value| value.split(|byte| *byte == b','));
    names.any(|listed| listed.trim_ascii().eq_ignore_ascii_case(name.as_str().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Method;

    fn read(
        method: &Method,
        path: &str,
        headers: &[(&'static str, &'static str)],
    ) -> Result<Option<Upgrade>, &'static str> {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        let info = RequestInfo::resolve(method, path, "").unwrap_or_else(|_| panic!("{path} is clear"));
        Upgrade::read(&info, &headers)
    }

    const EXEC: &str = "/api/v1/namespaces/shop/pods/web/exec";
    const ASKED: (&str, &str) = ("connection", "keep-alive, Upgrade");

    #[test]
    fn the_streams_of_a_pod_have_upgrades() {
        for subresource in STREAMS {
            let path = format!("/api/v1/namespaces/shop/pods/web/{subresource}");
            let websocket = read(&Method::GET, &path, &[ASKED, ("upgrade", "WebSocket")]);
            assert_eq!(websocket, Ok(Some(Upgrade::WebSocket)));
            let spdy = read(&Method::POST, &path, &[ASKED, ("upgrade", "SPDY/3.1"), ("content-length", "0")]);
            assert_eq!(spdy, Ok(Some(Upgrade::Spdy)));
        }
    }

    #[test]
    fn nothing_else_has_any() {
        for path in [
            "/api/v1/namespaces/shop/pods/web",
            "/api/v1/namespaces/shop/pods/web/log",
            "/api/v1/namespaces/shop/pods/web/proxy",
            "/api/v1/namespaces/shop/services/web/proxy",
            "/api/v1/namespaces/shop/pods",
            "/apis/other/v1/namespaces/shop/pods/web/exec",
            "/version",
        ] {
            assert!(read(&Method::GET, path, &[ASKED, ("upgrade", "websocket")]).is_err(), "{path}");
        }
        assert!(read(&Method::PUT, EXEC, &[ASKED, ("upgrade", "websocket")]).is_err());
    }

    #[test]
    fn of_protocols_there_are_two_one_at_a_time_and_without_a_body() {
        for headers in [
            [ASKED, ("upgrade", "h2c")].as_slice(),
            &[ASKED, ("upgrade", "websocket, SPDY/3.1")],
            &[ASKED, ("upgrade", "websocket"), ("upgrade", "SPDY/3.1")],
            &[ASKED, ("upgrade", "websocket"), ("content-length", "5")],
            &[ASKED, ("upgrade", "websocket"), ("transfer-encoding", "chunked")],
        ] {
            assert!(read(&Method::GET, EXEC, headers).is_err(), "{headers:?}");
        }
    }

    #[test]
    fn an_upgrade_that_the_connection_does_not_name_is_none() {
        for headers in
            [[("upgrade", "websocket")].as_slice(), &[("connection", "close"), ("upgrade", "h2c")], &[ASKED]]
        {
            assert_eq!(read(&Method::GET, EXEC, headers), Ok(None));
        }
    }
}
