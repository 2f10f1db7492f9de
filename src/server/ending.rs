//! How connections end: not while a client may just be sending a request.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::header::CONNECTION;
use http::{HeaderValue, Response, Version};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};

/// The time for which connections of HTTP/1.1 stay open after the end has begun. In HTTP/2 a server tells which request is its last. Here it
/// only closes, and what a client sends at that moment is lost: clients must not send a POST again of which they do not know what became of it
/// (RFC 9110, 9.2.2). So each client is told by an answer that its connection ends with it, and only one that asked nothing for this time
/// finds it closed.
const FAREWELL: Duration = Duration::from_secs(3);

/// The time between two looks whether all have gone.
const PAUSE: Duration = Duration::from_millis(20);

/// The connections of a port, and whether they are to end.
#[derive(Default)]
pub(super) struct Ending {
    /// Those on which HTTP/2 was agreed.
    multiplexed: GracefulShutdown,
    others: GracefulShutdown,
    has_begun: Arc<AtomicBool>,
}

/// A connection of which it is not known yet what it speaks.
pub(super) struct Connection {
    multiplexed: Watcher,
    other: Watcher,
    farewell: Farewell,
}

/// What a connection says in its answers when it is to end.
#[derive(Clone)]
pub(super) struct Farewell(Arc<AtomicBool>);

impl Ending {
    /// Counts a connection in.
    pub(super) fn connection(&self) -> Connection {
        Connection {
            multiplexed: self.multiplexed.watcher(),
            other: self.others.watcher(),
            farewell: Farewell(Arc::clone(&self.has_begun)),
        }
    }

    /// Ends all connections, each after what is under way on it. Idle ones have at most half of `grace` to be told.
    pub(super) async fn end(self, grace: Duration) {
        self.has_begun.store(true, Ordering::Relaxed);
        let others = async {
            let gone = async {
                while self.others.count() > 0 {
                    tokio::time::sleep(PAUSE).await;
                }
            };
            drop(tokio::time::timeout(FAREWELL.min(grace / 2), gone).await);
            self.others.shutdown().await;
        };
        tokio::join!(self.multiplexed.shutdown(), others);
    }
}

impl Connection {
    /// Returns what ends it, once it is known whether HTTP/2 was agreed.
    pub(super) fn agreed(self, is_multiplexed: bool) -> (Watcher, Farewell) {
        (if is_multiplexed { self.multiplexed } else { self.other }, self.farewell)
    }
}

impl Farewell {
    /// Lets an answer tell that its connection ends with it, if it is to.
    pub(super) fn say<B>(&self, version: Version, answer: &mut Response<B>) {
        if version <= Version::HTTP_11 && self.0.load(Ordering::Relaxed) {
            answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
    }
}
