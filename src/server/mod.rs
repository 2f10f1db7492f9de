//! Answers requests from the network with a plugin: listens, bounds what comes, and reports what was done.

mod admin;
mod admission;
mod answering;
mod certificate;
mod collector;
mod ending;
mod error;
mod listener;
mod metrics;
mod options;
mod patient;
mod spans;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use self::admin::Admin;
pub use self::admission::Webhook;
use self::answering::Answering;
use self::certificate::Certificate;
use self::ending::Ending;
pub use self::error::Error;
use self::listener::Listener;
pub use self::metrics::Metrics;
pub use self::options::{Log, Options, Tls};
use self::spans::Spans;
use crate::platform::Signals;
use crate::runtime::Handler;

/// Answers requests until the user or the system ends the program, and then until those under way are answered. If the
/// environment names a collector of traces, spans are sent there as those of `service`.
///
/// # Errors
/// If it cannot listen, or the certificate or the collector cannot be used.
pub fn serve(
    handler: Handler,
    options: &Options,
    service: Option<&str>,
    metrics: &Arc<Metrics>,
    log: &Log,
) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Error::System)?;
    let spans = {
        let _inside = runtime.enter();
        service.map(|service| Spans::of(service, Arc::clone(log))).transpose()?.unwrap_or_default()
    };
    let served = runtime.block_on(answer(handler, options, spans, metrics, log));
    // A guest that is still at something after its answer is not waited for.
    runtime.shutdown_background();
    served
}

async fn answer(
    handler: Handler,
    options: &Options,
    spans: Spans,
    metrics: &Arc<Metrics>,
    log: &Log,
) -> Result<(), Error> {
    let mut signals = Signals::listen().map_err(Error::System)?;
    let certificate = options.tls.as_ref().map(|tls| Certificate::read(tls).map(Arc::new)).transpose()?;
    let listener = Listener::bind(options.address, options.connections, certificate.clone()).await?;
    let is_ready = Arc::new(AtomicBool::new(true));
    if let Some(address) = options.metrics {
        let admin =
            std::net::TcpListener::bind(address).map_err(|source| Error::Address { address, source })?;
        let bound = admin.local_addr().map_err(Error::System)?;
        log(&format!("metrics and health at http://{bound}"));
        admin::answer(admin, Admin { metrics: Arc::clone(metrics), is_ready: Arc::clone(&is_ready) })?;
    }
    if let Some(certificate) = certificate {
        tokio::spawn(certificate::keep_current(certificate, Arc::clone(log)));
    }
    log(&format!("serving {}://{}", listener.scheme(), listener.address()));
    let service = Answering::new(handler, options, spans.clone(), Arc::clone(metrics));
    let connections = Ending::default();
    tokio::select! {
        () = signals.came() => {}
        () = listener.accept(&service, &connections) => {}
    }
    // Nobody connects any more.
    drop(listener);
    is_ready.store(false, Ordering::Relaxed);
    log("ending: requests under way are answered first");
    let answered = async {
        connections.end(options.grace).await;
        service.settled().await;
    };
    tokio::select! {
        () = answered => {}
        () = tokio::time::sleep(options.grace) => log(&format!("ended before all was answered: {} s are over", options.grace.as_secs())),
        () = signals.came() => log("ended before all was answered"),
    }
    service.end().await;
    tokio::select! {
        () = spans.end() => {}
        () = signals.came() => log("ended before all traces were sent"),
    }
    Ok(())
}
