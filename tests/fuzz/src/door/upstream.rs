//! The server behind the gate: it trusts nothing, answers as the script says, and records what it receives.

use std::mem;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::answer::{self, GREETING, Switch, Then};
use super::control::Control;
use super::message::{Body, Fault, Framing, Head, Reader};

/// So little waits in the kernel that who reads nothing is soon felt.
const WINDOW: u32 = 8 << 10;

/// The server, for as long as its runtime lives.
#[derive(Clone)]
pub(super) struct Upstream {
    pub(super) address: SocketAddr,
    log: Arc<Mutex<Log>>,
    /// What a guest that plays scripts is told by requests of its own, which are no part of what arrived.
    control: Option<Control>,
}

/// The bytes that arrived since it was last cleared.
#[derive(Default)]
pub(super) struct Log {
    /// The answer to each request, as a letter.
    pub(super) answers: Vec<u8>,
    pub(super) arrived: Vec<Arrived>,
    /// A malformed request that arrived.
    pub(super) fault: Option<Fault>,
    /// Grows with whatever happens.
    pub(super) steps: usize,
    /// Whether an answer never ends by itself.
    pub(super) holds: bool,
}

/// One request.
pub(super) struct Arrived {
    pub(super) head: Head,
    pub(super) body: Vec<u8>,
    pub(super) trailers: Vec<(String, String)>,
    pub(super) whole: bool,
    pub(super) tunnel: Option<Tunnel>,
}

/// The bytes after an upgrade.
#[derive(Default)]
pub(super) struct Tunnel {
    pub(super) bytes: Vec<u8>,
    /// Whether it was read to its end.
    pub(super) ended: bool,
    /// Whether the server closed it before that.
    pub(super) closed: bool,
    /// Whether the same bytes were sent back.
    pub(super) echoed: bool,
}

impl Upstream {
    /// Listens for as long as the runtime lives.
    pub(super) fn listen(control: Option<Control>) -> std::io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(WINDOW)?;
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let listener = socket.listen(64)?;
        let upstream = Self { address: listener.local_addr()?, log: Arc::default(), control };
        tokio::spawn(upstream.clone().accept(listener));
        Ok(upstream)
    }

    pub(super) fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn accept(self, listener: TcpListener) {
        loop {
            if let Ok((stream, _)) = listener.accept().await {
                let connection = Connection { stream, waiting: Vec::new(), reset: false, at: self.clone() };
                tokio::spawn(connection.serve());
            }
        }
    }
}

struct Connection {
    stream: TcpStream,
    waiting: Vec<u8>,
    /// Whether it ended abnormally.
    reset: bool,
    at: Upstream,
}

impl Connection {
    async fn serve(mut self) {
        loop {
            match self.next().await {
                Ok(Then::Go) => {}
                Ok(Then::Hold) => {
                    self.at.log().holds = true;
                    if self.more().await {
                        self.fault("bytes behind a request that has no answer yet");
                    }
                    return;
                }
                Ok(Then::Close) => return,
                Err(fault) => return self.fault(fault),
            }
        }
    }

    fn fault(&self, fault: Fault) {
        self.at.log().fault.get_or_insert(fault);
    }

    /// Reads and answers one request.
    async fn next(&mut self) -> Result<Then, Fault> {
        let head = loop {
            match Head::read(&self.waiting, Reader::Strict)? {
                Some(head) => break head,
                None if self.more().await => {}
                None => return Ok(Then::Close),
            }
        };
        self.waiting.drain(..head.length);
        let framing = head.framing(Reader::Strict)?;
        if let Some(control) = self.at.control.clone().filter(|control| control.is_for(&head)) {
            return self.obey(&control, &head, framing).await;
        }
        let (number, letter) = {
            let mut log = self.at.log();
            let number = log.arrived.len();
            let letter = log.answers.get(number % log.answers.len().max(1)).copied().unwrap_or_default();
            let arrived =
                Arrived { head, body: Vec::new(), trailers: Vec::new(), whole: false, tunnel: None };
            log.arrived.push(arrived);
            (number, letter)
        };
        let method = self.at.log().arrived[number].head.first[0].clone();
        if answer::is_none(letter) {
            return Ok(Then::Close);
        }
        if answer::is_early(letter) {
            let (text, then) = answer::answer(letter, &method);
            self.say(&text).await;
            return Ok(if self.body(number, framing).await? { then } else { Then::Close });
        }
        if !self.body(number, framing).await? {
            return Ok(Then::Close);
        }
        if !self.waiting.is_empty() {
            return Err("bytes behind a request that has no answer yet");
        }
        let protocol = self.at.log().arrived[number].head.all("upgrade").next().map(str::to_owned);
        if let Some((switch, protocol)) = Switch::of(letter).zip(protocol) {
            self.switch(&switch, number, &protocol).await;
            return Ok(Then::Close);
        }
        let (text, then) = answer::answer(letter, &method);
        Ok(if self.say(&text).await { then } else { Then::Close })
    }

    /// Gives a guest its scripts, or takes what it tells of one.
    async fn obey(&mut self, control: &Control, head: &Head, framing: Framing) -> Result<Then, Fault> {
        if head.first[0] == "GET" {
            self.stream.write_all(Control::HEAD).await.map_err(|_| "no scripts could be sent")?;
            while let Some(script) = control.next().await {
                self.stream.write_all(&script).await.map_err(|_| "a script could not be sent")?;
            }
            return Ok(Then::Close);
        }
        loop {
            let body = Body::read(&self.waiting, framing, Reader::Strict)?;
            if body.whole {
                self.waiting.drain(..body.length);
                control.told(body.bytes);
                return Ok(if self.say(Control::OK).await { Then::Go } else { Then::Close });
            }
            if !self.more().await {
                return Ok(Then::Close);
            }
        }
    }

    /// Reads a body, and says whether it had an end.
    async fn body(&mut self, number: usize, framing: Framing) -> Result<bool, Fault> {
        loop {
            let body = Body::read(&self.waiting, framing, Reader::Strict)?;
            {
                let arrived = &mut self.at.log().arrived[number];
                (arrived.body, arrived.trailers, arrived.whole) = (body.bytes, body.trailers, body.whole);
            }
            if body.whole {
                self.waiting.drain(..body.length);
                return Ok(true);
            }
            if !self.more().await {
                return Ok(false);
            }
        }
    }

    /// Speaks another protocol until the other end has said all.
    async fn switch(&mut self, switch: &Switch, number: usize, protocol: &str) {
        self.at.log().arrived[number].tunnel = Some(Tunnel { closed: switch.closes, ..Tunnel::default() });
        self.say(&[Switch::head(protocol).as_bytes(), GREETING].concat()).await;
        if switch.closes {
            return;
        }
        if switch.ends {
            drop(self.stream.shutdown().await);
        }
        let mut echoed = switch.echoes;
        loop {
            let came = mem::take(&mut self.waiting);
            echoed = echoed && self.say(&came).await;
            {
                let mut log = self.at.log();
                let tunnel = log.arrived[number].tunnel.get_or_insert_default();
                tunnel.bytes.extend_from_slice(&came);
                tunnel.echoed = echoed;
            }
            if !self.more().await {
                self.at.log().arrived[number].tunnel.get_or_insert_default().ended = !self.reset;
                return;
            }
        }
    }

    async fn say(&mut self, bytes: &[u8]) -> bool {
        self.at.log().steps += bytes.len();
        self.stream.write_all(bytes).await.is_ok()
    }

    /// Waits for more, and says whether there is any.
    async fn more(&mut self) -> bool {
        let mut bytes = vec![0; 64 << 10];
        let read = self.stream.read(&mut bytes).await;
        self.reset |= read.is_err();
        let length = read.unwrap_or(0);
        self.waiting.extend_from_slice(&bytes[..length]);
        self.at.log().steps += length + 1;
        length > 0
    }
}
