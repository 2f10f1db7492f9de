//! Ctrl-C, SIGTERM and SIGHUP: each ends the run, whatever the guest is doing.

use std::sync::Arc;

use tokio::sync::Notify;
use wasmtime::Engine;

/// Tells that the user wants the run to end.
#[derive(Clone)]
pub(super) struct Interrupt(Arc<Notify>);

impl Interrupt {
    /// Listens from now on. A guest that computes is stopped by the engine's epoch, one that waits by
    /// [`Interrupt::came`].
    ///
    /// # Errors
    /// When the system does not let a process listen to signals.
    pub(super) fn listen(engine: &Engine) -> Result<Self, ctrlc::Error> {
        let notify = Arc::new(Notify::new());
        let (engine, told) = (engine.clone(), Arc::clone(&notify));
        ctrlc::set_handler(move || {
            told.notify_one();
            engine.increment_epoch();
        })?;
        Ok(Self(notify))
    }

    /// Waits until the user wants the run to end.
    pub(super) async fn came(&self) {
        self.0.notified().await;
    }
}
