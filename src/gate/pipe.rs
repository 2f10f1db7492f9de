//! A connection that never leaves this process: what a guest's socket is connected to.
//!
//! Not `tokio::io::duplex`, whose end that was dropped cannot be told from one that was half-closed: a guest that lets go
//! of a silent watch would leave it open for ever.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::body::GuestLifetime;

/// The most bytes that wait in either direction. A guest that reads nothing keeps no more of them.
const CAPACITY: usize = 256 << 10;

/// Connects a guest's end and the gate's. When the last handle to the guest's end is dropped, `lifetime` ends.
pub(super) fn pair(lifetime: GuestLifetime) -> (GuestEnd, HostEnd) {
    let lanes = Arc::new(Lanes::default());
    (GuestEnd(Arc::new(Held { lanes: Arc::clone(&lanes), lifetime })), HostEnd(lanes))
}

/// The end that a guest's socket and streams share.
#[derive(Clone)]
pub struct GuestEnd(Arc<Held>);

/// The end of the server in kwasm.
pub(super) struct HostEnd(Arc<Lanes>);

struct Held {
    lanes: Arc<Lanes>,
    lifetime: GuestLifetime,
}

#[derive(Default)]
struct Lanes {
    to_host: Lane,
    to_guest: Lane,
}

/// One direction.
#[derive(Default)]
struct Lane(Mutex<Flow>);

#[derive(Default)]
struct Flow {
    bytes: BytesMut,
    /// No more bytes come.
    ended: bool,
    /// Nobody reads any more.
    deaf: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// The other end takes no more bytes.
#[derive(Debug)]
pub struct ReaderClosed;

impl Lane {
    fn flow(&self) -> MutexGuard<'_, Flow> {
        // Bytes and flags cannot be left half-changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that no more bytes come.
    fn end(&self) {
        let waker = {
            let mut flow = self.flow();
            flow.ended = true;
            flow.reader.take()
        };
        wake(waker);
    }

    /// Says that nobody reads any more, and forgets what waits.
    fn close_reader(&self) {
        let waker = {
            let mut flow = self.flow();
            flow.deaf = true;
            flow.bytes = BytesMut::new();
            flow.writer.take()
        };
        wake(waker);
    }

    /// How many bytes there is room for; an error where nobody takes any.
    fn room(&self, context: Option<&mut Context<'_>>) -> Result<usize, ReaderClosed> {
        let mut flow = self.flow();
        if flow.deaf || flow.ended {
            return Err(ReaderClosed);
        }
        let room = CAPACITY - flow.bytes.len();
        if room == 0
            && let Some(context) = context
        {
            flow.writer = Some(context.waker().clone());
        }
        Ok(room)
    }

    /// Takes what there is room for of `parts`, and says how much that was. Nothing, where nobody reads.
    fn put<'a>(&self, parts: impl Iterator<Item = &'a [u8]>) -> usize {
        let (taken, waker) = {
            let mut flow = self.flow();
            if flow.deaf || flow.ended {
                return 0;
            }
            let before = flow.bytes.len();
            for part in parts {
                let room = CAPACITY - flow.bytes.len();
                let fitting = &part[..part.len().min(room)];
                flow.bytes.extend_from_slice(fitting);
            }
            (flow.bytes.len() - before, flow.reader.take())
        };
        wake(waker);
        taken
    }

    /// Gives up to `most` bytes, none where none wait; `None` at the end.
    fn get(&self, most: usize, context: Option<&mut Context<'_>>) -> Option<Bytes> {
        let (bytes, waker) = {
            let mut flow = self.flow();
            if flow.bytes.is_empty() {
                if flow.ended || flow.deaf {
                    return None;
                }
                if let Some(context) = context {
                    flow.reader = Some(context.waker().clone());
                }
                return Some(Bytes::new());
            }
            let length = flow.bytes.len().min(most);
            (flow.bytes.split_to(length).freeze(), flow.writer.take())
        };
        wake(waker);
        Some(bytes)
    }

    /// Whether there are bytes, or an end.
    fn peek(&self, context: &mut Context<'_>) -> bool {
        let mut flow = self.flow();
        let ready = !flow.bytes.is_empty() || flow.ended || flow.deaf;
        if !ready {
            flow.reader = Some(context.waker().clone());
        }
        ready
    }
}

/// Not under the lock, which the one who wakes up wants next.
fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl GuestEnd {
    /// Bytes for the guest, up to `most`, none where none wait yet; `None` at the end.
    #[must_use]
    pub fn read(&self, most: usize) -> Option<Bytes> {
        self.0.lanes.to_guest.get(most, None)
    }

    /// Waits until [`Self::read`] has something to say.
    pub(crate) async fn readable(&self) {
        std::future::poll_fn(|context| {
            if self.0.lanes.to_guest.peek(context) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// How many bytes may be written now.
    ///
    /// # Errors
    /// When nobody reads them.
    pub fn room(&self) -> Result<usize, ReaderClosed> {
        self.0.lanes.to_host.room(None)
    }

    /// Waits until there is room, or nobody reads any more.
    pub(crate) async fn writable(&self) {
        std::future::poll_fn(|context| match self.0.lanes.to_host.room(Some(context)) {
            Ok(0) => Poll::Pending,
            _ => Poll::Ready(()),
        })
        .await;
    }

    /// Writes what there is room for, and says how much that was.
    #[expect(clippy::must_use_candidate, reason = "who asked for room first knows the answer")]
    pub fn write(&self, bytes: &[u8]) -> usize {
        self.0.lanes.to_host.put(std::iter::once(bytes))
    }

    /// Says that the guest writes no more. It may still read.
    pub fn finish(&self) {
        self.0.lanes.to_host.end();
    }

    /// Says that the guest reads no more. It may still write.
    pub fn stop_reading(&self) {
        self.0.lanes.to_guest.close_reader();
    }
}

/// A guest that lets go of a socket says so to whatever is under way on it. Its last bytes can still be read.
impl Drop for Held {
    fn drop(&mut self) {
        self.lifetime.end();
        self.lanes.to_guest.close_reader();
        self.lanes.to_host.end();
    }
}

impl Drop for HostEnd {
    fn drop(&mut self) {
        self.0.to_guest.end();
        self.0.to_host.close_reader();
    }
}

impl AsyncRead for HostEnd {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.0.to_host.get(buffer.remaining(), Some(context)) {
            Some(bytes) if bytes.is_empty() && buffer.remaining() > 0 => Poll::Pending,
            Some(bytes) => {
                buffer.put_slice(&bytes);
                Poll::Ready(Ok(()))
            }
            None => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncWrite for HostEnd {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(context, &[io::IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.0.to_guest.room(Some(context)) {
            Err(ReaderClosed) => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            Ok(0) => Poll::Pending,
            Ok(_) => Poll::Ready(Ok(self.0.to_guest.put(parts.iter().map(|part| &**part)))),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.to_guest.end();
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn bytes_pass_in_their_order_and_each_end_closes_for_itself() {
        let (guest, mut host) = pair(GuestLifetime::default());
        assert_eq!(guest.write(b"ask"), 3);
        guest.finish();
        let mut asked = String::new();
        host.read_to_string(&mut asked).await.unwrap();
        assert_eq!(asked, "ask");
        host.write_all(b"answer").await.unwrap();
        assert_eq!(guest.read(3).unwrap(), "ans");
        host.shutdown().await.unwrap();
        assert_eq!(guest.read(9).unwrap(), "wer");
        assert!(guest.read(9).is_none());
        assert!(guest.room().is_err());
    }

    #[tokio::test]
    async fn a_reader_that_reads_nothing_stops_the_writer() {
        let (guest, mut host) = pair(GuestLifetime::default());
        let flood = vec![0; 2 * CAPACITY];
        assert_eq!(host.write(&flood).await.unwrap(), CAPACITY);
        let waiting = tokio::spawn(async move { host.write(&flood).await.unwrap() });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        guest.readable().await;
        assert_eq!(guest.read(1000).unwrap().len(), 1000);
        assert_eq!(waiting.await.unwrap(), 1000);
    }

    #[tokio::test]
    async fn a_guest_writes_no_more_than_there_is_room_for() {
        let (guest, mut host) = pair(GuestLifetime::default());
        assert_eq!(guest.write(&vec![0; 2 * CAPACITY]), CAPACITY);
        assert_eq!(guest.room().unwrap(), 0);
        let mut some = [0; 10];
        host.read_exact(&mut some).await.unwrap();
        guest.writable().await;
        assert_eq!(guest.room().unwrap(), 10);
    }

    #[tokio::test]
    async fn what_was_written_before_the_guest_let_go_is_still_read() {
        let lifetime = GuestLifetime::default();
        let (guest, mut host) = pair(lifetime.clone());
        guest.write(b"last");
        let other = guest.clone();
        drop(guest);
        assert!(!lifetime.is_over());
        drop(other);
        lifetime.ended().await;
        let mut read = String::new();
        host.read_to_string(&mut read).await.unwrap();
        assert_eq!(read, "last");
        assert!(host.write_all(b"x").await.is_err());
    }

    #[tokio::test]
    async fn a_guest_sees_when_the_other_end_is_gone() {
        let (guest, host) = pair(GuestLifetime::default());
        drop(host);
        guest.readable().await;
        assert!(guest.read(1).is_none());
        guest.writable().await;
        assert!(guest.room().is_err());
    }
}
