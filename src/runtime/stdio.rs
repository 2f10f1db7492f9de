//! The standard streams of a guest, which are this process's own. wasmtime's return an error if a stream does
//! not block, which most programs take for a closed reader: the output would be cut short without a notice.
//!
//! Writing blocks its thread, as in any other program. Reading does not: a guest may wait for a timer as
//! well. A thread reads, and no more than was requested: a credential plugin may share the stream.

use std::future::poll_fn;
use std::io::{self, Read, Write};
use std::mem;
use std::pin::Pin;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::thread;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi::cli::{IsTerminal, StdinStream, StdoutStream};
use wasmtime_wasi::p2::{InputStream, OutputStream, Pollable, StreamError, StreamResult};

use super::open_line::{OpenLine, Writer};
use crate::platform::stdio::{Stderr, Stdin, Stdout};

/// The largest number of bytes in one call, as in wasmtime's own streams.
const MOST: usize = 64 << 10;

/// Gives a guest the standard input of this process, and records its errors in `faults`.
pub(super) fn give_input(builder: &mut WasiCtxBuilder, faults: &StreamFaults) {
    let is_terminal = || io::IsTerminal::is_terminal(&io::stdin());
    builder.stdin(Input::new(Stdin, is_terminal, faults.stdin.clone(), faults.line.clone()));
}

/// The same for standard output and standard error.
pub(super) fn give_outputs(builder: &mut WasiCtxBuilder, faults: &StreamFaults) {
    let is_terminal = || io::IsTerminal::is_terminal(&io::stdout());
    let (fault, line) = (faults.stdout.clone(), faults.line.clone());
    builder.stdout(Output { stream: Stdout, is_terminal, fault, writer: Writer::Stdout, line });
    let is_terminal = || io::IsTerminal::is_terminal(&io::stderr());
    let (fault, line) = (StreamFault::default(), faults.line.clone());
    builder.stderr(Output { stream: Stderr, is_terminal, fault, writer: Writer::Stderr, line });
}

/// The errors of a guest's streams. Many programs ignore them, or cannot report the reason: in a component,
/// wasi-libc knows only one error of a stream.
#[derive(Clone, Default)]
pub struct StreamFaults {
    /// The error of standard input.
    pub stdin: StreamFault,
    /// The error of standard output. A closed reader is not an error.
    pub stdout: StreamFault,
    /// The unfinished line.
    pub line: OpenLine,
}

/// The first error of a stream.
#[derive(Clone, Default)]
pub struct StreamFault(Arc<Mutex<Option<io::Error>>>);

impl StreamFault {
    /// Returns the error once.
    #[must_use]
    pub fn take(&self) -> Option<io::Error> {
        self.locked().take()
    }

    fn note(&self, error: &io::Error) {
        if error.kind() != io::ErrorKind::BrokenPipe {
            let same = error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error);
            self.locked().get_or_insert(same);
        }
    }

    fn locked(&self) -> MutexGuard<'_, Option<io::Error>> {
        // It is replaced as a whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream that a guest writes.
#[derive(Clone)]
struct Output<W> {
    stream: W,
    is_terminal: fn() -> bool,
    fault: StreamFault,
    writer: Writer,
    line: OpenLine,
}

impl<W> Output<W> {
    fn noted<T>(&self, result: io::Result<T>) -> io::Result<T> {
        result.inspect_err(|error| self.fault.note(error))
    }
}

impl<W> IsTerminal for Output<W> {
    fn is_terminal(&self) -> bool {
        (self.is_terminal)()
    }
}

impl<W: Clone + Write + Send + Sync + Unpin + 'static> StdoutStream for Output<W> {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[wasmtime_wasi::async_trait]
impl<W: Send + 'static> Pollable for Output<W> {
    async fn ready(&mut self) {}
}

impl<W: Write + Send + 'static> OutputStream for Output<W> {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let turn = self.line.turn(self.is_terminal);
        let written = self.stream.write_all(&bytes);
        self.line.note(self.writer, &bytes);
        drop(turn);
        self.noted(written).map_err(failed)
    }

    fn flush(&mut self) -> StreamResult<()> {
        let flushed = self.stream.flush();
        self.noted(flushed).map_err(failed)
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(MOST)
    }
}

impl<W: Write + Unpin> AsyncWrite for Output<W> {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let Self { stream, is_terminal, writer, line, .. } = &mut *self;
        let turn = line.turn(*is_terminal);
        let written = stream.write(bytes);
        line.note(*writer, bytes);
        drop(turn);
        Poll::Ready(self.noted(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = self.stream.flush();
        Poll::Ready(self.noted(flushed))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(context)
    }
}

/// The stream that a guest reads. All handles share the incoming bytes.
#[derive(Clone)]
struct Input {
    shared: Arc<Mutex<Shared>>,
    is_terminal: fn() -> bool,
    fault: StreamFault,
    line: OpenLine,
}

struct Shared {
    stage: Stage,
    /// The tasks that wait for requested bytes.
    waiting: Vec<Waker>,
    /// The requests to the thread, which starts with the first one.
    requests: Requests,
}

enum Requests {
    /// The thread has not started.
    None(Box<dyn Read + Send>),
    To(Sender<usize>),
}

enum Stage {
    Idle,
    Requested,
    Came(Bytes),
    Failed(io::Error),
    Ended,
}

impl Input {
    fn new(
        stream: impl Read + Send + 'static,
        is_terminal: fn() -> bool,
        fault: StreamFault,
        line: OpenLine,
    ) -> Self {
        let requests = Requests::None(Box::new(stream));
        let shared = Shared { stage: Stage::Idle, waiting: Vec::new(), requests };
        Self { shared: Arc::new(Mutex::new(shared)), is_terminal, fault, line }
    }

    /// Returns the available bytes, at most `most`. If there are none, requests them and returns an empty
    /// piece.
    fn take(&self, most: usize) -> io::Result<Option<Bytes>> {
        let mut shared = locked(&self.shared);
        match mem::replace(&mut shared.stage, Stage::Ended) {
            Stage::Idle => self.request(&mut shared, most),
            Stage::Requested => shared.stage = Stage::Requested,
            Stage::Came(mut bytes) => {
                let taken = bytes.split_to(bytes.len().min(most));
                shared.stage = if bytes.is_empty() { Stage::Idle } else { Stage::Came(bytes) };
                return Ok(Some(taken));
            }
            Stage::Failed(error) => {
                self.fault.note(&error);
                return Err(error);
            }
            Stage::Ended => return Ok(None),
        }
        Ok(Some(Bytes::new()))
    }

    /// Waits until bytes or the end have arrived, and requests bytes if that was not done.
    fn poll_ready(&self, context: &Context<'_>) -> Poll<()> {
        let mut shared = locked(&self.shared);
        if matches!(shared.stage, Stage::Idle) {
            self.request(&mut shared, MOST);
        }
        if !matches!(shared.stage, Stage::Requested) {
            return Poll::Ready(());
        }
        if !shared.waiting.iter().any(|known| known.will_wake(context.waker())) {
            shared.waiting.push(context.waker().clone());
        }
        Poll::Pending
    }

    fn request(&self, shared: &mut Shared, most: usize) {
        shared.stage = Stage::Requested;
        if let Requests::None(stream) = &mut shared.requests {
            let stream = mem::replace(stream, Box::new(io::empty()));
            let (send, requests) = channel();
            let share = Arc::downgrade(&self.shared);
            let (line, is_terminal) = (self.line.clone(), self.is_terminal);
            let started = thread::Builder::new()
                .name("stdin".to_owned())
                .spawn(move || answer(&requests, &share, stream, || turn_to_read(&line, is_terminal)));
            if let Err(error) = started {
                shared.stage = Stage::Failed(error);
                return;
            }
            shared.requests = Requests::To(send);
        }
        // To read no bytes would look like the end.
        if let Requests::To(requests) = &shared.requests
            && requests.send(most.clamp(1, MOST)).is_err()
        {
            shared.stage = Stage::Ended;
        }
    }
}

/// Waits for something to read at a terminal that the user is asked at too, and then takes the turn, so that the
/// user's answer is not taken for the guest's input. `None`: there is no such terminal, or it cannot be waited for.
fn turn_to_read(line: &OpenLine, is_terminal: fn() -> bool) -> Option<MutexGuard<'_, ()>> {
    drop(line.turn(is_terminal)?);
    loop {
        if !Stdin::wait() {
            return None;
        }
        let turn = line.turn(is_terminal)?;
        // It may have been the answer to a question.
        if Stdin::is_ready() {
            return Some(turn);
        }
    }
}

/// Reads the requested bytes, until nothing can be requested any more. Takes a `turn` for each time.
fn answer<T>(
    requests: &Receiver<usize>,
    shared: &Weak<Mutex<Shared>>,
    mut stream: impl Read,
    turn: impl Fn() -> Option<T>,
) {
    for most in requests {
        let mut bytes = vec![0; most];
        let turn = turn();
        let read = stream.read(&mut bytes);
        drop(turn);
        let stage = match read {
            Ok(0) => Stage::Ended,
            Ok(length) => {
                bytes.truncate(length);
                Stage::Came(bytes.into())
            }
            Err(error) => Stage::Failed(error),
        };
        let Some(shared) = shared.upgrade() else { return };
        let mut shared = locked(&shared);
        shared.stage = stage;
        shared.waiting.drain(..).for_each(Waker::wake);
    }
}

fn locked(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    // Its stage is replaced as a whole.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl IsTerminal for Input {
    fn is_terminal(&self) -> bool {
        (self.is_terminal)()
    }
}

impl StdinStream for Input {
    fn async_stream(&self) -> Box<dyn AsyncRead + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn InputStream> {
        Box::new(self.clone())
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Input {
    async fn ready(&mut self) {
        poll_fn(|context| self.poll_ready(context)).await;
    }
}

impl InputStream for Input {
    fn read(&mut self, most: usize) -> StreamResult<Bytes> {
        if most == 0 {
            return Ok(Bytes::new());
        }
        self.take(most).map_err(failed)?.ok_or(StreamError::Closed)
    }
}

impl AsyncRead for Input {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.poll_ready(context).is_pending() {
            return Poll::Pending;
        }
        Poll::Ready(self.take(buffer.remaining()).map(|bytes| buffer.put_slice(&bytes.unwrap_or_default())))
    }
}

/// Converts an error of a stream. The guest gets its kind by `filesystem-error-code`, e.g. that it is a
/// folder.
fn failed(error: io::Error) -> StreamError {
    match error.kind() {
        io::ErrorKind::BrokenPipe => StreamError::Closed,
        _ => StreamError::LastOperationFailed(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn input(stream: impl Read + Send + 'static) -> Input {
        Input::new(stream, || false, StreamFault::default(), OpenLine::default())
    }

    /// Reads as a guest that waits until it can read.
    async fn read(input: &mut Input, most: usize) -> StreamResult<Bytes> {
        input.ready().await;
        InputStream::read(input, most)
    }

    #[tokio::test]
    async fn what_comes_is_read_in_order_through_every_handle_and_then_it_ends() {
        let mut first = input(io::Cursor::new("abcdef"));
        let mut second = first.clone();
        assert_eq!(read(&mut first, 2).await.unwrap(), "ab");
        assert_eq!(read(&mut second, 3).await.unwrap(), "cde");
        assert_eq!(read(&mut first, 9).await.unwrap(), "f");
        for input in [&mut first, &mut second] {
            assert!(matches!(read(input, 1).await, Err(StreamError::Closed)));
        }
    }

    #[tokio::test]
    async fn nothing_is_read_before_it_is_requested_and_no_more_than_that() {
        let (reader, mut writer) = io::pipe().unwrap();
        writer.write_all(b"abcdef").unwrap();
        let mut theirs = reader.try_clone().unwrap();
        let mut input = input(reader);
        assert_eq!(InputStream::read(&mut input, 2).unwrap(), "", "it is only requested");
        assert_eq!(read(&mut input, 9).await.unwrap(), "ab");
        let mut rest = [0; 4];
        theirs.read_exact(&mut rest).unwrap();
        assert_eq!(&rest, b"cdef");
    }

    #[tokio::test]
    async fn a_guest_that_waits_for_input_can_wait_for_something_else_too() {
        let (reader, mut writer) = io::pipe().unwrap();
        let mut input = input(reader);
        assert!(tokio::time::timeout(Duration::from_millis(20), input.ready()).await.is_err());
        writer.write_all(b"late").unwrap();
        assert_eq!(read(&mut input, 9).await.unwrap(), "late");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_guest_learns_that_its_input_is_a_folder() {
        let folder = std::fs::File::open(std::env::temp_dir()).unwrap();
        let mut input = input(folder);
        let Err(StreamError::LastOperationFailed(error)) = read(&mut input, 1).await else { panic!() };
        // What `filesystem-error-code` looks for.
        assert_eq!(error.downcast::<io::Error>().unwrap().kind(), io::ErrorKind::IsADirectory);
        assert!(matches!(read(&mut input, 1).await, Err(StreamError::Closed)));
    }

    #[test]
    fn what_is_lost_is_known_and_what_no_one_wanted_is_not_lost() {
        let written = |stream: std::fs::File| {
            let fault = StreamFault::default();
            let mut output = Output {
                stream: Arc::new(stream),
                is_terminal: || false,
                fault: fault.clone(),
                writer: Writer::Stdout,
                line: OpenLine::default(),
            };
            assert!(OutputStream::write(&mut output, Bytes::from_static(b"x")).is_err());
            fault.take().map(|error| error.kind())
        };
        let unwritable = tempfile::NamedTempFile::new().unwrap();
        assert!(written(std::fs::File::open(unwritable.path()).unwrap()).is_some());
        #[cfg(unix)]
        {
            let (reader, writer) = io::pipe().unwrap();
            drop(reader);
            assert_eq!(written(std::os::fd::OwnedFd::from(writer).into()), None);
        }
    }

    #[test]
    fn a_reader_that_has_left_closes_the_stream_and_nothing_else_does() {
        assert!(matches!(failed(io::ErrorKind::BrokenPipe.into()), StreamError::Closed));
        assert!(matches!(failed(io::ErrorKind::StorageFull.into()), StreamError::LastOperationFailed(_)));
    }
}
