//! An answer of the cluster, through either door.

use crate::doors::body::Body;
use crate::doors::connection::Connection;
use kube_guest::{CHUNK, Cluster, Response};

/// A way to the cluster.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Door {
    /// By `wasi:http`.
    Http,
    /// By `wasi:sockets`.
    Sockets,
}

/// An answer of 200, read piece by piece.
#[derive(Debug)]
pub struct Answer(Kind);

#[derive(Debug)]
enum Kind {
    /// With what was read last.
    Http(Response, Vec<u8>),
    Sockets(Body),
}

impl Answer {
    /// Gets `path` from the cluster.
    ///
    /// # Errors
    ///
    /// If there is no answer, or its status is not 200.
    pub fn get(door: Door, path: &str) -> Result<Self, String> {
        match door {
            Door::Http => {
                let response = Cluster::from_env().and_then(|cluster| cluster.request("GET", path, &[], &[]));
                Ok(Self(Kind::Http(response.map_err(|error| error.to_string())?, Vec::new())))
            }
            Door::Sockets => Ok(Self(Kind::Sockets(get(path).map_err(|error| error.to_string())?))),
        }
    }

    /// Returns the next piece as soon as it arrives; `None` at the end.
    ///
    /// # Errors
    ///
    /// If the answer is cut short.
    pub fn piece(&mut self) -> Result<Option<&[u8]>, String> {
        self.piece_of(CHUNK)
    }

    /// Returns the next piece of at most this many bytes.
    ///
    /// # Errors
    ///
    /// When the answer breaks off.
    pub fn piece_of(&mut self, most: u64) -> Result<Option<&[u8]>, String> {
        match &mut self.0 {
            Kind::Http(response, read) => match response.chunk(most).map_err(|error| error.to_string())? {
                Some(chunk) => {
                    *read = chunk;
                    Ok(Some(read))
                }
                None => Ok(None),
            },
            Kind::Sockets(body) => {
                let most = usize::try_from(most).unwrap_or(usize::MAX);
                body.piece(most).map_err(|error| error.to_string())
            }
        }
    }
}

fn get(path: &str) -> std::io::Result<Body> {
    let mut connection = Connection::open()?;
    let head = connection.ask(&format!("GET {path} HTTP/1.1\r\nHost: kubernetes\r\n\r\n"))?;
    Body::of(&head.expect(200)?, connection)
}
