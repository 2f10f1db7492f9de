//! The connection of a guest's socket, which never leaves this process.
//!
//! This is not `tokio::io::duplex`, in which a dropped end cannot be distinguished from a half-closed one: a
//! guest that closes a silent watch would leave it open forever.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::lifetime::GuestLifetime;

/// The largest number of bytes that wait in either direction, so that a guest that does not read holds no
/// more.
const CAPACITY: usize = 256 << 10;

/// Connects a guest's end with the gate's. When the last handle to the guest's end is dropped, `lifetime`
/// ends.
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
    /// Whether no more bytes will come.
    ended: bool,
    /// Whether the reader has closed its end.
    deaf: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// The error of writing to an end that accepts no more bytes.
#[derive(Debug)]
pub struct ReaderClosed;

impl Lane {
    fn flow(&self) -> MutexGuard<'_, Flow> {
        // Bytes and flags cannot be left half-changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Marks the end of the bytes.
    fn end(&self) {
        let waker = {
            let mut flow = self.flow();
            flow.ended = true;
            flow.reader.take()
        };
        wake(waker);
    }

    /// Marks the reader as closed, and drops the waiting bytes.
    fn close_reader(&self) {
        let waker = {
            let mut flow = self.flow();
            flow.deaf = true;
            flow.bytes = BytesMut::new();
            flow.writer.take()
        };
        wake(waker);
    }

    /// Returns how many bytes fit, or an error if the reader has closed its end.
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

    /// Takes as much of `parts` as fits, and returns how much that was: nothing if the reader has closed its
    /// end.
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

    /// Returns up to `most` bytes, possibly none yet, or `None` at the end.
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

    /// Returns whether there are bytes, or the end.
    fn peek(&self, context: &mut Context<'_>) -> bool {
        let mut flow = self.flow();
        let ready = !flow.bytes.is_empty() || flow.ended || flow.deaf;
        if !ready {
            flow.reader = Some(context.waker().clone());
        }
        ready
    }
}

/// Wakes a task. Must not be called under the lock, which the task takes next.
fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl GuestEnd {
    /// Returns up to `most` bytes for the guest, possibly none yet, or `None` at the end.
    #[must_use]
    pub fn read(&self, most: usize) -> Option<Bytes> {
        self.0.lanes.to_guest.get(most, None)
    }

    /// Waits until [`Self::read`] returns bytes or the end.
    pub(crate) async fn readable(&self) {
        std::future::poll_fn(|context| self.poll_readable(context)).await;
    }

    /// Returns how many bytes may be written now.
    ///
    /// # Errors
    /// If the reader has closed its end.
    pub fn room(&self) -> Result<usize, ReaderClosed> {
        self.0.lanes.to_host.room(None)
    }

    /// Waits until there is room, or the reader has closed its end.
    pub(crate) async fn writable(&self) {
        std::future::poll_fn(|context| self.poll_room(context).map(drop)).await;
    }

    /// Writes as many bytes as fit, and returns their number.
    #[expect(clippy::must_use_candidate, reason = "who asked for room first knows the answer")]
    pub fn write(&self, bytes: &[u8]) -> usize {
        self.0.lanes.to_host.put(std::iter::once(bytes))
    }

    /// Returns bytes or the end (`None`) once there are any, at most `most`, of which there has to be one.
    pub(crate) fn poll_read(&self, most: usize, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        match self.0.lanes.to_guest.get(most, Some(context)) {
            Some(bytes) if bytes.is_empty() => Poll::Pending,
            read => Poll::Ready(read),
        }
    }

    /// Returns once [`Self::read`] returns bytes or the end.
    pub(crate) fn poll_readable(&self, context: &mut Context<'_>) -> Poll<()> {
        if self.0.lanes.to_guest.peek(context) { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Returns how many bytes may be written once that is one at least, or an error if the reader has closed its end.
    pub(crate) fn poll_room(&self, context: &mut Context<'_>) -> Poll<Result<usize, ReaderClosed>> {
        match self.0.lanes.to_host.room(Some(context)) {
            Ok(0) => Poll::Pending,
            room => Poll::Ready(room),
        }
    }

    /// Ends the guest's writing. It may still read.
    pub fn finish(&self) {
        self.0.lanes.to_host.end();
    }

    /// Ends the guest's reading. It may still write.
    pub fn stop_reading(&self) {
        self.0.lanes.to_guest.close_reader();
    }
}

/// Ends the lifetime of everything in flight on a socket that the guest closes. Its last bytes can still be
/// read.
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
