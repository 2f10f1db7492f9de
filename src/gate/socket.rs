//! The socket door: a guest's TCP connection leads to an HTTP/1.1 server in this process, whose service is
//! the gate.
//!
//! No port is opened on the machine, so no other process can borrow the user's credentials, and a guest's
//! connection leaves this process only in the form of judged requests.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use ::http::uri::{PathAndQuery, Scheme};
use ::http::{Request, Response, Uri};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::sync::OwnedSemaphorePermit;

use super::lifetime::GuestLifetime;
use super::pipe::{self, GuestEnd};
use super::{Body, Gate, GateError, Timeouts, answer};
use crate::cluster::Endpoint;
use crate::defence::Defence;
use crate::message::{Explain, Message};
use crate::policy::{CLUSTER, HEADERS, Limit};

/// The names of the cluster's API server for the resolver of a pod.
const NAMES: [&str; 3] = CLUSTER;

/// The address of the selected context.
const SELECTED: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

/// The number of bytes of a request's head that are read beyond the headers that the policy allows, so that
/// the gate is the one to refuse them.
const HEAD: u64 = 408 << 10;

/// One socket of a guest. Dropping it makes room for another.
pub(crate) struct Socket(#[expect(dead_code, reason = "held, not read")] Option<OwnedSemaphorePermit>);

/// The error for an address without a server for the guest. The user has been informed.
#[derive(Debug)]
pub struct Denied;

impl Gate {
    /// Takes a socket.
    ///
    /// # Errors
    /// If the guest has reached its limit.
    pub(crate) fn socket(&self) -> Result<Socket, Denied> {
        match Arc::clone(&self.0.sockets).try_acquire_owned() {
            Ok(socket) => Ok(Socket(Some(socket))),
            Err(_) if !Defence::SocketLimit.stands() => Ok(Socket(None)),
            Err(_) => {
                self.0.journal.limited(&Limit::Sockets(self.0.grant.limits().sockets));
                Err(Denied)
            }
        }
    }

    /// Connects a guest to an address.
    ///
    /// # Errors
    /// If no context has it.
    #[doc(hidden)]
    pub fn connect(&self, to: SocketAddr) -> Result<GuestEnd, Denied> {
        let server = format!("http://{to}");
        if !Endpoint::read(&server).is_some_and(|endpoint| self.0.table.names(&endpoint)) {
            return Err(self.deny(&format!("connect to {to}")));
        }
        let lifetime = self.0.lifetime.part();
        let (guest, host) = pipe::pair(lifetime.clone());
        tokio::spawn(serve(self.clone(), TokioIo::new(host), Authority(to), lifetime));
        Ok(guest)
    }

    /// Returns the address of a name.
    ///
    /// # Errors
    /// If it is not one of the cluster's names. No resolver is asked.
    pub(crate) fn look_up(&self, name: &str) -> Result<IpAddr, Denied> {
        if NAMES.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            return Ok(SELECTED);
        }
        match name.parse() {
            Ok(address) => Ok(address),
            Err(_) => Err(self.deny(&format!("look up {}", name.escape_debug()))),
        }
    }

    /// Refuses a guest's use of sockets.
    pub(crate) fn deny(&self, what: &str) -> Denied {
        let what: String = what.chars().take(160).collect();
        self.0.journal.failed(Message {
            text: format!("refused: {what}: a plugin's sockets connect to the cluster only"),
            hint: Some("a plugin can connect to the server in its KUBECONFIG (http://192.0.2.1)".to_owned()),
        });
        Denied
    }
}

/// The address that a guest connected to, as an authority.
#[derive(Clone, Copy)]
struct Authority(SocketAddr);

/// Serves one connection until it ends, its guest closes it, or the run is over.
async fn serve(gate: Gate, host: TokioIo<pipe::HostEnd>, to: Authority, lifetime: GuestLifetime) {
    let service = service_fn(|request| {
        let (gate, lifetime) = (gate.clone(), lifetime.clone());
        async move { Ok::<_, Infallible>(gate.answer(request, to, &lifetime).await) }
    });
    let most = usize::try_from(gate.0.grant.limits().headers.saturating_add(HEAD)).unwrap_or(usize::MAX);
    let connection = http1::Builder::new()
        // A guest that has written its last request still reads its answer.
        .half_close(true)
        // What the API server says of its time is all that is said.
        .auto_date_header(false)
        .max_buf_size(most)
        .max_headers(2 * HEADERS)
        .serve_connection(host, service)
        .with_upgrades();
    tokio::select! {
        served = connection => if let Err(error) = served {
            gate.failed_to_read(&error);
        },
        // Otherwise a silent watch would continue without a reader.
        () = lifetime.ended() => {}
    }
}

impl Gate {
    /// Passes a request through the gate. The other door has errors for requests without an answer; here they
    /// get a `Status`.
    async fn answer(
        &self,
        request: Request<Incoming>,
        to: Authority,
        lifetime: &GuestLifetime,
    ) -> Response<Body> {
        let (mut parts, body) = request.into_parts();
        match to.complete(&parts.uri) {
            Some(uri) => parts.uri = uri,
            None => return answer::no_path(),
        }
        let request = Request::from_parts(parts, body.map_err(Into::into).boxed_unsync());
        match self.pass(request, Timeouts::default(), lifetime).await {
            Ok(response) => response,
            Err(GateError::Refused(refusal)) => answer::of(&refusal),
            Err(GateError::Failed(failure)) => answer::failed(&failure),
        }
    }

    /// Records that a guest's bytes were not HTTP. hyper has answered them.
    fn failed_to_read(&self, error: &hyper::Error) {
        if error.is_parse_too_large() {
            // hyper does not say which of the two it was.
            let text =
                "the plugin ran into a limit: one of its messages had too many headers, or too large ones";
            let hint = Limit::Headers(self.0.grant.limits().headers).hint();
            self.0.journal.failed(Message { text: text.to_owned(), hint });
        } else if error.is_parse() {
            let text = "refused: what the plugin wrote to a socket is not an HTTP/1.1 request".to_owned();
            let hint = "its server speaks plain HTTP, and kwasm adds TLS (http://, not https://)".to_owned();
            self.0.journal.failed(Message { text, hint: Some(hint) });
        }
    }
}

impl Authority {
    /// Returns the whole address that a request names (RFC 9112 §3.2): in the origin form, the one that the
    /// guest connected to; in the others, the stated one. `host` is not trusted.
    fn complete(self, uri: &Uri) -> Option<Uri> {
        if uri.authority().is_some() {
            return Some(uri.clone());
        }
        // `*` names no resource.
        let path = uri.path_and_query().filter(|path| path.as_str().starts_with('/'))?;
        let mut parts = Uri::default().into_parts();
        parts.scheme = Some(Scheme::HTTP);
        parts.authority = self.0.to_string().parse().ok();
        parts.path_and_query = Some(PathAndQuery::clone(path));
        Uri::from_parts(parts).ok()
    }
}

#[cfg(test)]
mod tests;
