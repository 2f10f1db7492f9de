//! The two streams of a connected socket of 0.3.
//!
//! A guest may let go of its socket and keep a stream. So each stream holds the slot by which connections are
//! counted, and the guest's end of the connection: that ends with the last of the three.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::sync::oneshot;
use wasmtime::component::{Destination, Source, StreamConsumer, StreamProducer, StreamResult};
use wasmtime::{AsContextMut as _, StoreContextMut};

use super::types::ErrorCode;
use crate::gate::{GuestEnd, Socket};

/// How a stream ended, for the future that the guest got beside it.
pub(super) type Ended = Result<(), ErrorCode>;

/// The largest number of bytes in one piece, where the guest does not say how many it takes.
const PIECE: usize = 64 << 10;

/// One direction of a connection.
struct Direction {
    end: GuestEnd,
    told: Option<oneshot::Sender<Ended>>,
    _slot: Arc<Socket>,
}

impl Direction {
    /// Tells the guest how it ended, once. That it does not want to know is not an error.
    fn tell(&mut self, ended: Ended) {
        if let Some(told) = self.told.take() {
            drop(told.send(ended));
        }
    }
}

/// Takes what a guest sends.
pub(super) struct Sending(Direction);

/// Gives a guest what it receives.
pub(super) struct Receiving(Direction);

impl Sending {
    pub(super) fn new(end: GuestEnd, slot: Arc<Socket>, told: oneshot::Sender<Ended>) -> Self {
        Self(Direction { end, told: Some(told), _slot: slot })
    }
}

impl Receiving {
    pub(super) fn new(end: GuestEnd, slot: Arc<Socket>, told: oneshot::Sender<Ended>) -> Self {
        Self(Direction { end, told: Some(told), _slot: slot })
    }
}

/// The end of the guest's stream is the end of what it sends. A request that is not complete by then is aborted by
/// the server at the other end.
impl Drop for Sending {
    fn drop(&mut self) {
        self.0.end.finish();
        self.0.tell(Ok(()));
    }
}

impl Drop for Receiving {
    fn drop(&mut self) {
        self.0.end.stop_reading();
        self.0.tell(Ok(()));
    }
}

impl<D> StreamConsumer<D> for Sending {
    type Item = u8;

    /// Takes no more than there is room for, so that a guest that sends faster than the server reads waits.
    fn poll_consume(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        store: StoreContextMut<D>,
        source: Source<Self::Item>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        let room = match self.0.end.poll_room(context) {
            Poll::Ready(Ok(room)) => room,
            Poll::Ready(Err(_)) => return self.broken(),
            Poll::Pending if finish => return Poll::Ready(Ok(StreamResult::Cancelled)),
            Poll::Pending => return Poll::Pending,
        };
        let mut source = source.as_direct(store);
        let bytes = source.remaining();
        // The guest only asked whether it may write.
        if bytes.is_empty() {
            return Poll::Ready(Ok(StreamResult::Completed));
        }
        let taken = self.0.end.write(&bytes[..bytes.len().min(room)]);
        if taken == 0 {
            return self.broken();
        }
        source.mark_read(taken);
        Poll::Ready(Ok(StreamResult::Completed))
    }
}

impl Sending {
    /// Ends the stream whose reader has closed its end.
    fn broken(mut self: Pin<&mut Self>) -> Poll<wasmtime::Result<StreamResult>> {
        self.0.tell(Err(ErrorCode::ConnectionBroken));
        Poll::Ready(Ok(StreamResult::Dropped))
    }
}

impl<D> StreamProducer<D> for Receiving {
    type Item = u8;
    type Buffer = Bytes;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        mut store: StoreContextMut<'a, D>,
        destination: Destination<'a, Self::Item, Self::Buffer>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        let room = destination.remaining(store.as_context_mut());
        let polled = match room {
            // The guest only asked whether there is something to read.
            Some(0) => self.0.end.poll_readable(context).map(|()| Some(Bytes::new())),
            room => self.0.end.poll_read(room.unwrap_or(PIECE), context),
        };
        match polled {
            Poll::Ready(Some(bytes)) => {
                if !bytes.is_empty() {
                    let mut destination = destination.as_direct(store, bytes.len());
                    destination.remaining()[..bytes.len()].copy_from_slice(&bytes);
                    destination.mark_written(bytes.len());
                }
                Poll::Ready(Ok(StreamResult::Completed))
            }
            Poll::Ready(None) => {
                self.0.tell(Ok(()));
                Poll::Ready(Ok(StreamResult::Dropped))
            }
            Poll::Pending if finish => Poll::Ready(Ok(StreamResult::Cancelled)),
            Poll::Pending => Poll::Pending,
        }
    }
}
