//! The connection below HTTP: lets a fault cut it, reset it, or write on it what no HTTP library would.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// A connection with or without TLS, under the control of its [`Wire`].
pub(crate) struct Tap {
    stream: Stream,
    wire: Arc<Wire>,
}

pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// The effects that a request may have on its connection.
#[derive(Default)]
pub(crate) struct Wire(Mutex<State>);

#[derive(Default)]
struct State {
    ending: Ending,
    flushes: u64,
    waiting: Vec<Waker>,
}

#[derive(Default)]
enum Ending {
    /// HTTP goes on as it should.
    #[default]
    None,
    Cut(Cut),
    /// These bytes are sent instead of everything that HTTP would still send.
    Raw(Bytes),
}

/// The way in which a connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The TCP connection is closed without closing TLS, as by a process that ends.
    Close,
    /// The TCP connection is reset (RST). What the client has not yet read may be lost to it.
    Reset,
}

impl Wire {
    /// Stops reading and writing. The connection ends when HTTP notices.
    pub(crate) fn cut(&self, how: Cut) {
        self.lock().ending = Ending::Cut(how);
    }

    pub(crate) fn replace_answer(&self, bytes: Bytes) {
        self.lock().ending = Ending::Raw(bytes);
    }

    /// Returns how many times all written bytes have reached the operating system.
    pub(crate) fn flushes(&self) -> u64 {
        self.lock().flushes
    }

    /// Is ready when [`Wire::flushes`] has passed `seen`.
    pub(crate) fn poll_flushed(&self, cx: &Context<'_>, seen: u64) -> Poll<()> {
        let mut state = self.lock();
        if state.flushes > seen {
            return Poll::Ready(());
        }
        state.waiting.push(cx.waker().clone());
        Poll::Pending
    }

    fn flushed(&self) {
        let mut state = self.lock();
        state.flushes += 1;
        state.waiting.drain(..).for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tap {
    pub(crate) fn new(stream: Stream, wire: Arc<Wire>) -> Self {
        Self { stream, wire }
    }

    /// Is ready with `true` when an ending has taken over and everything that it sends is written.
    fn poll_ending(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let mut state = self.wire.lock();
        match &mut state.ending {
            Ending::None => Poll::Ready(Ok(false)),
            Ending::Cut(_) => Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into())),
            Ending::Raw(bytes) => {
                while !bytes.is_empty() {
                    let written = match self.stream.pinned().poll_write(cx, bytes) {
                        Poll::Ready(Ok(written)) => written,
                        Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                        Poll::Pending => return Poll::Pending,
                    };
                    bytes.advance(written);
                }
                Poll::Ready(Ok(true))
            }
        }
    }
}

impl Stream {
    fn pinned(&mut self) -> Pin<&mut (dyn Transport + Send + Unpin)> {
        match self {
            Self::Plain(stream) => Pin::new(stream),
            Self::Tls(stream) => Pin::new(&mut **stream),
        }
    }

    fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => stream.get_ref().0,
        }
    }
}

trait Transport: AsyncRead + AsyncWrite {}

impl<T: AsyncRead + AsyncWrite> Transport for T {}

impl AsyncRead for Tap {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if matches!(self.wire.lock().ending, Ending::Cut(_)) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        self.stream.pinned().poll_read(cx, buf)
    }
}

impl AsyncWrite for Tap {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.poll_ending(cx) {
            Poll::Ready(Ok(false)) => self.stream.pinned().poll_write(cx, buf),
            Poll::Ready(Ok(true)) => Poll::Ready(Ok(buf.len())),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => Poll::Pending,
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.poll_ending(cx) {
            Poll::Ready(Ok(_)) => {}
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => return Poll::Pending,
        }
        let flushed = self.stream.pinned().poll_flush(cx);
        if let Poll::Ready(Ok(())) = flushed {
            self.wire.flushed();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.poll_ending(cx) {
            Poll::Ready(Ok(_)) => self.stream.pinned().poll_shutdown(cx),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        if let Ending::Cut(Cut::Reset) = self.wire.lock().ending {
            // A socket that is closed without lingering sends RST in place of FIN. If it can't be set, the socket
            // is gone already.
            drop(self.stream.tcp().set_zero_linger());
        }
    }
}
