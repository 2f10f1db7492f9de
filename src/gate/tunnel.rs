//! Connections that were HTTP: after a `101 Switching Protocols` the bytes of a guest's shell or forwarded port go through
//! as they are, in both directions, until either end has no more of them.

use std::io;
use std::pin::pin;
use std::time::Duration;

use ::http::header::{CONNECTION, UPGRADE};
use ::http::{HeaderMap, HeaderValue, StatusCode};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::sleep;

use super::body::GuestLifetime;
use super::flight::{Ending, Following, Slot};
use crate::policy::Upgrade;

/// The most bytes that are taken at once. As many wait here in each direction, and no more.
const CHUNK: usize = 64 << 10;

/// How long a server may take to close once its guest has let go and all is said, as with nginx's `lingering_timeout`.
const LINGER: Duration = Duration::from_secs(5);

/// A guest's end of a connection that is to be switched, and what to.
pub(super) struct Tunnel {
    guest: OnUpgrade,
    upgrade: Upgrade,
    connection: GuestLifetime,
    run: GuestLifetime,
}

/// What is held until a tunnel has ended.
pub(super) struct Held {
    pub(super) following: Following,
    pub(super) slot: Slot,
}

impl Tunnel {
    /// `connection` ends when the guest lets go of its socket, `run` when the guest ends.
    pub(super) fn new(
        guest: OnUpgrade,
        upgrade: Upgrade,
        connection: GuestLifetime,
        run: GuestLifetime,
    ) -> Self {
        Self { guest, upgrade, connection, run }
    }

    /// Says in a message's headers what is switched to. They are of this hop, and were dropped with all that are.
    pub(super) fn name(&self, headers: &mut HeaderMap) {
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, self.upgrade.header());
    }

    /// Connects both ends once the guest has been told, and holds what is `held` until they are done.
    pub(super) fn open(self, server: OnUpgrade, mut held: Held) {
        tokio::spawn(async move {
            let Self { guest, connection, run, .. } = self;
            let bytes = tokio::select! {
                bytes = async {
                    match (guest.await, server.await) {
                        (Ok(guest), Ok(server)) => carry(guest, server, &connection).await,
                        _ => 0,
                    }
                } => bytes,
                () = run.ended() => 0,
            };
            held.following.end(Ending::Answered { status: StatusCode::SWITCHING_PROTOCOLS, bytes });
            drop(held.slot);
        });
    }
}

/// Carries bytes both ways, and says how many the guest got.
///
/// Either direction ends for itself: who has said all may still listen. A guest that lets go of its socket hears no more,
/// but what it had written is still delivered. For that the server is read from to its end, though nobody listens: one
/// whose answers nobody takes may stop reading too, and to close before its last bytes are read takes back what is still
/// on its way there (RFC 9112 §9.6).
async fn carry(guest: Upgraded, server: Upgraded, connection: &GuestLifetime) -> u64 {
    let (mut from_guest, mut to_guest) = tokio::io::split(TokioIo::new(guest));
    let (mut from_server, mut to_server) = tokio::io::split(TokioIo::new(server));
    let mut got = 0;
    {
        let mut up = pin!(async {
            if copy(&mut from_guest, &mut to_server, &mut 0).await.is_err() {
                // The server takes no more, and may still have something to say: the guest is not left waiting.
                discard(&mut from_guest).await;
            }
        });
        let mut down = pin!(async {
            tokio::select! {
                _ = copy(&mut from_server, &mut to_guest, &mut got) => {}
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
    got
}

/// Reads to the end what nobody listens to.
async fn discard(from: &mut (impl AsyncRead + Unpin)) {
    drop(tokio::io::copy(from, &mut tokio::io::sink()).await);
}

/// Copies until the end, and hands the end on. Nothing waits here for more to come with it.
async fn copy(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    copied: &mut u64,
) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    loop {
        let length = from.read(&mut buffer).await?;
        if length == 0 {
            return to.shutdown().await;
        }
        to.write_all(&buffer[..length]).await?;
        to.flush().await?;
        *copied += length as u64;
    }
}
