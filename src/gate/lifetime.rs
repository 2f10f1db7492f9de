//! The lifetimes of guests, which nothing in flight may exceed.

use tokio_util::sync::CancellationToken;

/// The lifetime of a guest, or of one of its connections.
#[derive(Clone, Default)]
pub(super) struct GuestLifetime(CancellationToken);

impl GuestLifetime {
    /// Returns a lifetime that ends with this one at the latest.
    pub(super) fn part(&self) -> Self {
        Self(self.0.child_token())
    }

    pub(super) fn end(&self) {
        self.0.cancel();
    }

    /// Waits for the end.
    pub(super) async fn ended(&self) {
        self.0.cancelled().await;
    }

    /// Returns whether it has ended.
    pub(super) fn is_over(&self) -> bool {
        self.0.is_cancelled()
    }
}
