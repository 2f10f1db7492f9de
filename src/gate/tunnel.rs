//! Upgraded connections: after a `101 Switching Protocols`, the bytes of a guest's shell or forwarded port
//! pass unchanged in both directions, until either end closes.

use std::io;
use std::pin::pin;
use std::time::Duration;

use ::http::header::{CONNECTION, UPGRADE};
use ::http::{HeaderMap, HeaderValue};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::sleep;

use super::flight::Slot;
use super::lifetime::GuestLifetime;
use super::stream::Server;
use super::trace::Following;
use crate::policy::Upgrade;

/// The largest number of bytes that are copied at once, and that wait in each direction.
const CHUNK: usize = 64 << 10;

/// The time that a server has to close after its guest has closed and everything is sent, as with nginx's
/// `lingering_timeout`.
const LINGER: Duration = Duration::from_secs(5);

/// A guest's end of a connection to be upgraded, and the protocol.
pub(super) struct Tunnel {
    guest: OnUpgrade,
    upgrade: Upgrade,
    connection: GuestLifetime,
    run: GuestLifetime,
}

/// The resources held until a tunnel has ended.
pub(super) struct Held {
    pub(super) following: Following,
    pub(super) slot: Slot,
}

impl Tunnel {
    /// Returns a tunnel. `connection` ends when the guest closes its socket, `run` when the guest ends.
    pub(super) fn new(
        guest: OnUpgrade,
        upgrade: Upgrade,
        connection: GuestLifetime,
        run: GuestLifetime,
    ) -> Self {
        Self { guest, upgrade, connection, run }
    }

    /// Writes the protocol into a message's headers. As hop-by-hop headers they were dropped before.
    pub(super) fn name(&self, headers: &mut HeaderMap) {
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, self.upgrade.header());
    }

    /// Connects both ends once the guest has received the answer, and keeps `held` until they are done.
    pub(super) fn open(self, server: Server, mut held: Held) {
        tokio::spawn(async move {
            let Self { guest, connection, run, .. } = self;
            tokio::select! {
                () = async {
                    if let (Ok(guest), Some(server)) = (guest.await, server.stream().await) {
                        carry(guest, server, &connection, &held.following).await;
                    }
                } => {}
                () = run.ended() => {}
            }
            held.following.end();
            drop(held.slot);
        });
    }
}

/// Copies bytes in both directions, and counts them.
///
/// Each direction ends separately, so that a half-closed end may still read. A guest that closes its socket
/// receives nothing more, but the bytes that it wrote are still delivered. For that, the server's bytes are
/// read to their end and dropped: a server that cannot write may stop reading too, and closing before its
/// last bytes are read would discard those in flight to it (RFC 9112 §9.6).
async fn carry(
    guest: Upgraded,
    server: impl AsyncRead + AsyncWrite,
    connection: &GuestLifetime,
    following: &Following,
) {
    let (mut from_guest, mut to_guest) = tokio::io::split(TokioIo::new(guest));
    let (mut from_server, mut to_server) = tokio::io::split(server);
    let mut up = pin!(async {
        if copy(&mut from_guest, &mut to_server, |bytes| following.count_sent(bytes)).await.is_err() {
            // The server takes no more, and may still have something to say: the guest is not left waiting.
            discard(&mut from_guest).await;
        }
    });
    let mut down = pin!(async {
        tokio::select! {
            _ = copy(&mut from_server, &mut to_guest, |bytes| following.count(bytes)) => {}
            () = connection.ended() => {}
        }
        discard(&mut from_server).await;
    });
    tokio::select! {
        () = &mut down => up.await,
        () = &mut up => tokio::select! {
            () = down => {}
            () = async { connection.ended().await; sleep(LINGER).await } => {}
        },
    }
}

/// Reads to the end and drops the bytes.
async fn discard(from: &mut (impl AsyncRead + Unpin)) {
    drop(tokio::io::copy(from, &mut tokio::io::sink()).await);
}

/// Copies until the end, and passes the end on. Never waits for further bytes to send them together.
async fn copy(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    copied: impl Fn(u64),
) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    loop {
        let length = from.read(&mut buffer).await?;
        if length == 0 {
            return to.shutdown().await;
        }
        to.write_all(&buffer[..length]).await?;
        to.flush().await?;
        copied(length as u64);
    }
}
