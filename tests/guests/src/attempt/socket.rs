//! HTTP/1.1 by hand: whatever bytes go through a socket to the gate, and what is answered to them.

use crate::attempt::Reply;
use std::io::{BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

/// The address of the server in every guest's kubeconfig: see [`crate::attempt::CLUSTER`].
pub const DOOR: &str = "192.0.2.1:80";
/// The host's name in a request to it.
pub const HOST: &str = "192.0.2.1";

/// The timeout for an answer that may never come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection to the gate.
#[derive(Debug)]
pub struct Socket(BufReader<TcpStream>);

impl Socket {
    /// Connects.
    ///
    /// # Errors
    ///
    /// Why it could not.
    pub fn open() -> Result<Self, String> {
        let stream = TcpStream::connect(DOOR).map_err(|error| format!("connect: {error}"))?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(|error| format!("timeout: {error}"))?;
        Ok(Self(BufReader::with_capacity(64 * 1024, stream)))
    }

    /// Sends bytes, of which nothing is changed.
    ///
    /// # Errors
    ///
    /// Why the gate takes no more.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> Result<(), String> {
        self.0.get_mut().write_all(bytes.as_ref()).map_err(|error| format!("write: {error}"))
    }

    /// Says that nothing more will be sent; answers may still come.
    ///
    /// # Errors
    ///
    /// Why it could not be said.
    pub fn end(&mut self) -> Result<(), String> {
        self.0.get_mut().shutdown(Shutdown::Write).map_err(|error| format!("shutdown: {error}"))
    }

    /// Returns the next answer, or `None` if the connection ends instead.
    ///
    /// # Errors
    ///
    /// The reason why it could not be read or is not a valid answer.
    pub fn answer(&mut self) -> Result<Option<Reply>, String> {
        Reply::read(&mut self.0)
    }

    /// Returns the next answer, which has to exist.
    ///
    /// # Errors
    ///
    /// The same as [`Socket::answer`], and an error if the connection ends instead.
    pub fn reply(&mut self) -> Result<Reply, String> {
        self.answer()?.ok_or_else(|| "the connection was closed".to_owned())
    }

    /// Returns all further bytes until the connection ends or pauses for a while.
    pub fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        // What came before an error is all that there is.
        drop(self.0.read_to_end(&mut rest));
        rest
    }
}

/// Returns a request without a body, as it is ordinarily written. `more` is further lines of its head, each
/// with its end.
#[must_use]
pub fn bare(method: &str, path: &str, more: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: {HOST}\r\n{more}\r\n")
}
