//! The lifetime of a guest, for what must not outlive it.

use tokio_util::sync::CancellationToken;

/// Whether a guest still lives, or a connection of it.
#[derive(Clone, Default)]
pub(super) struct GuestLifetime(CancellationToken);

impl GuestLifetime {
    /// A life that ends with this one at the latest.
    pub(super) fn part(&self) -> Self {
        Self(self.0.child_token())
    }

    pub(super) fn end(&self) {
        self.0.cancel();
    }

    /// Waits for its end.
    pub(super) async fn ended(&self) {
        self.0.cancelled().await;
    }

    /// Whether it has ended.
    pub(super) fn is_over(&self) -> bool {
        self.0.is_cancelled()
    }
}
