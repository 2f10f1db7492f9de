//! The body of an answer, and how it is sent.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame};
use tokio::time::{Interval, MissedTickBehavior};

use super::wire::Wire;

/// The largest number of bytes sent at a time, so that an endless body does not fill the memory.
const PIECE: usize = 64 << 10;
static ZEROS: [u8; PIECE] = [0; PIECE];

/// The way in which a body is sent.
pub(crate) enum Manner {
    /// The connection is cut after this many bytes.
    Cut {
        after: u64,
    },
    /// Zeros follow, forever.
    Endless,
    Slow {
        bytes: usize,
        ticks: Interval,
    },
    /// Nothing more is sent, forever.
    Stall {
        after: u64,
    },
    Whole,
}

impl Manner {
    pub(crate) fn slow(bytes: usize, every: Duration) -> Self {
        let mut ticks = tokio::time::interval(every.max(Duration::from_millis(1)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self::Slow { bytes: bytes.max(1), ticks }
    }
}

/// A body on its way. It says nothing of its length, so that the header may say anything.
pub(crate) struct Sent {
    left: Bytes,
    manner: Manner,
    wire: Wire,
    gone: u64,
    /// The number of flushes when the point of the cut was reached.
    seen: Option<u64>,
}

impl Sent {
    pub(crate) fn new(body: Bytes, manner: Manner, wire: &Wire) -> Self {
        Self { left: body, manner, wire: wire.clone(), gone: 0, seen: None }
    }

    /// Returns the next piece, of at most `most` bytes.
    fn piece(&mut self, most: u64) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let most = usize::try_from(most).unwrap_or(usize::MAX).min(PIECE).min(self.left.len());
        if most == 0 {
            return Poll::Ready(None);
        }
        self.gone += most as u64;
        Poll::Ready(Some(Ok(Frame::data(self.left.split_to(most)))))
    }
}

impl Body for Sent {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = &mut *self;
        match &mut this.manner {
            Manner::Cut { after } if this.gone < *after && !this.left.is_empty() => {
                let most = *after - this.gone;
                this.piece(most)
            }
            Manner::Cut { .. } => {
                let seen = *this.seen.get_or_insert_with(|| this.wire.flushes());
                ready!(this.wire.poll_flushed(cx, seen));
                Poll::Ready(Some(Err(io::Error::other("a fault cut the connection"))))
            }
            Manner::Endless if this.left.is_empty() => {
                Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&ZEROS)))))
            }
            Manner::Slow { bytes, ticks } => {
                ready!(ticks.poll_tick(cx));
                let most = *bytes as u64;
                this.piece(most)
            }
            Manner::Stall { after } if this.gone < *after => {
                let most = *after - this.gone;
                this.piece(most)
            }
            // It is never woken: it ends with its connection.
            Manner::Stall { .. } => Poll::Pending,
            Manner::Endless | Manner::Whole => this.piece(u64::MAX),
        }
    }
}
