//! The requests by which a guest that plays scripts gets them and tells what came of each.

use std::sync::Arc;

use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use super::message::Head;

/// The server's side of them.
#[derive(Clone)]
pub(super) struct Control {
    /// A path that no script has.
    pub(super) path: Arc<str>,
    pub(super) scripts: Arc<Mutex<UnboundedReceiver<Vec<u8>>>>,
    pub(super) told: UnboundedSender<Vec<u8>>,
}

impl Control {
    pub(super) const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    pub(super) const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

    /// Returns whether a request is one of them.
    pub(super) fn is_for(&self, head: &Head) -> bool {
        *head.first[1] == *self.path
    }

    /// Waits for the next script, and returns it as a chunk: its length in eight digits, and its bytes.
    pub(super) async fn next(&self) -> Option<Vec<u8>> {
        let script = self.scripts.lock().await.recv().await?;
        let head = format!("{:x}\r\n{:08x}", script.len() + 8, script.len());
        Some([head.as_bytes(), &script, b"\r\n"].concat())
    }

    pub(super) fn told(&self, told: Vec<u8>) {
        // Nobody waits any more where a script took too long, which has been said.
        drop(self.told.send(told));
    }
}
