//! What a cluster asks a server: whether it lives, whether it is ready, and what it has done.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;

use super::ending::Ending;
use super::error::Error;
use super::listener::{Listener, Service};
use super::metrics::Metrics;

/// The connections at a time: those of a kubelet and some collectors.
const CONNECTIONS: u32 = 256;

/// Answers in a thread of its own, so that guests which compute keep no one waiting who asks for the server's health.
///
/// # Errors
/// If the system has no room for it.
pub(super) fn answer(socket: TcpListener, service: Admin) -> Result<(), Error> {
    socket.set_nonblocking(true).map_err(Error::System)?;
    let (tell, told) = mpsc::channel();
    let accept = move || {
        // Made and dropped here: not inside of the other one.
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return drop(tell.send(Err(error))),
        };
        runtime.block_on(async {
            match Listener::adopt(socket, CONNECTIONS) {
                Ok(listener) => {
                    drop(tell.send(Ok(())));
                    listener.accept(&service, &Ending::default()).await;
                }
                Err(error) => drop(tell.send(Err(error))),
            }
        });
    };
    thread::Builder::new().name("health".to_owned()).spawn(accept).map_err(Error::System)?;
    told.recv().unwrap_or_else(|_| Err(io::ErrorKind::Other.into())).map_err(Error::System)
}

/// Answers at the port for metrics and health.
#[derive(Clone)]
pub(super) struct Admin {
    pub(super) metrics: Arc<Metrics>,
    /// Whether it takes requests: no longer once it is to end.
    pub(super) is_ready: Arc<AtomicBool>,
}

impl Service for Admin {
    type Answer = Full<Bytes>;

    async fn answer(&self, request: Request<Incoming>, _: bool) -> Response<Full<Bytes>> {
        let (status, kind, text) = match (request.method(), request.uri().path()) {
            (&Method::GET | &Method::HEAD, "/healthz") => (StatusCode::OK, PLAIN, "ok\n".to_owned()),
            (&Method::GET | &Method::HEAD, "/readyz") if self.is_ready.load(Ordering::Relaxed) => {
                (StatusCode::OK, PLAIN, "ok\n".to_owned())
            }
            (&Method::GET | &Method::HEAD, "/readyz") => {
                (StatusCode::SERVICE_UNAVAILABLE, PLAIN, "ending\n".to_owned())
            }
            (&Method::GET | &Method::HEAD, "/metrics") => (StatusCode::OK, METRICS, self.metrics.text()),
            (_, "/healthz" | "/readyz" | "/metrics") => {
                (StatusCode::METHOD_NOT_ALLOWED, PLAIN, "only GET\n".to_owned())
            }
            _ => (StatusCode::NOT_FOUND, PLAIN, "there are /healthz, /readyz and /metrics\n".to_owned()),
        };
        let mut response = Response::new(Full::new(text.into()));
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        response
    }
}

const PLAIN: &str = "text/plain; charset=utf-8";

/// The type of the format, as the specification of `OpenMetrics` has it.
const METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
