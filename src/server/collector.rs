//! The way to a collector of spans, for the exporter of OpenTelemetry, which has threads of its own.

use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Request, Response, Uri};
use opentelemetry_http::{HttpClient, HttpError};
use reqwest::redirect::Policy;
use tokio::runtime::Handle;

use super::options::Log;
use crate::message::chain;

/// The time for one delivery. The exporter repeats it, and gives it up later.
const TIME: Duration = Duration::from_secs(10);

/// The largest answer of a collector, which says no more than what it did not take.
const ANSWER: usize = 64 << 10;

/// Delivers spans in the server's own runtime.
pub(super) struct Collector {
    client: reqwest::Client,
    runtime: Handle,
    log: Log,
    /// Whether the last delivery failed, which is told once.
    is_failing: AtomicBool,
}

type Delivery<'a> = Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'a>>;

impl Collector {
    /// Must be called inside of the server's runtime.
    ///
    /// # Errors
    /// If the system's certificates cannot be used.
    pub(super) fn new(log: Log) -> reqwest::Result<Self> {
        // Headers of the environment, which may be credentials, are for the collector alone.
        let client = reqwest::Client::builder().redirect(Policy::none()).timeout(TIME).build()?;
        Ok(Self { client, runtime: Handle::current(), log, is_failing: AtomicBool::new(false) })
    }

    async fn deliver(client: reqwest::Client, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        // Its address may have a password, or a key in its query, and what goes wrong is logged.
        let unnamed = reqwest::Error::without_url;
        let mut answer = client.execute(request.try_into().map_err(unnamed)?).await.map_err(unnamed)?;
        let mut body = BytesMut::new();
        while let Some(chunk) = answer.chunk().await.map_err(unnamed)? {
            if body.len() + chunk.len() > ANSWER {
                return Err(format!("its answer is larger than {} KiB", ANSWER >> 10).into());
            }
            body.extend_from_slice(&chunk);
        }
        let mut response = Response::new(body.freeze());
        *response.status_mut() = answer.status();
        std::mem::swap(response.headers_mut(), answer.headers_mut());
        Ok(response)
    }

    /// Tells of the first failure, and when it works again.
    fn tell(&self, host: &str, delivered: &Result<Response<Bytes>, HttpError>) {
        let problem = match delivered {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) => Some(format!("it answered with {}", answer.status())),
            Err(error) => Some(chain(&**error)),
        };
        let was_failing = self.is_failing.swap(problem.is_some(), Ordering::Relaxed);
        match problem {
            Some(problem) if !was_failing => (self.log)(&format!("cannot send traces to {host}: {problem}")),
            None if was_failing => (self.log)(&format!("traces reach {host} again")),
            _ => {}
        }
    }
}

/// Returns the host and the port of an address.
fn server(address: &Uri) -> String {
    let port = address.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}{port}", address.host().unwrap_or_default())
}

impl HttpClient for Collector {
    // As `async_trait` writes it: the trait is made by it.
    fn send_bytes<'life0, 'async_trait>(&'life0 self, request: Request<Bytes>) -> Delivery<'async_trait>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(async move {
            let host = server(request.uri());
            // The exporter waits in a thread without a runtime.
            let delivery = self.runtime.spawn(Self::deliver(self.client.clone(), request));
            let delivered = delivery.await.unwrap_or_else(|ended| Err(ended.into()));
            self.tell(&host, &delivered);
            delivered
        })
    }
}

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Collector")
    }
}
