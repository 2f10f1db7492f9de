//! A request, of which the body is read as it comes, beside others.

use kube_guest::{CHUNK, Cluster, Error, Path, Pending, Piece, Ready, Response};

/// A request that is under way. What says that it is ready is kept, since the host has many of them.
#[derive(Debug)]
pub(crate) struct Call(State);

#[derive(Debug)]
enum State {
    // The order matters: what is ready must be dropped before what it was taken from.
    Head { ready: Ready, pending: Pending },
    Body { ready: Ready, response: Box<Response> },
    Ended,
}

impl Call {
    /// Sends a request.
    pub(crate) fn get(cluster: &Cluster, path: &Path, accept: &str) -> Result<Self, Error> {
        let pending = cluster.start_request("GET", path, &[("accept", accept)])?;
        Ok(Self(State::Head { ready: pending.ready(), pending }))
    }

    /// Returns what is ready once [`Call::piece`] has something.
    pub(crate) fn ready(&self) -> Option<&Ready> {
        match &self.0 {
            State::Head { ready, .. } | State::Body { ready, .. } => Some(ready),
            State::Ended => None,
        }
    }

    /// Returns whether an answer has begun, so that the server did what it was asked for.
    pub(crate) fn has_begun(&self) -> bool {
        matches!(self.0, State::Body { .. })
    }

    /// Returns the next piece of the body, without waiting for it.
    pub(crate) fn piece(&mut self) -> Result<Piece, Error> {
        if let State::Head { pending, .. } = &self.0 {
            let Some(answer) = pending.poll() else { return Ok(Piece::Later) };
            self.0 = State::Ended;
            // The body of a failure is small, and follows its head.
            let response = Box::new(answer?.into_success()?);
            self.0 = State::Body { ready: response.ready(), response };
        }
        match &mut self.0 {
            State::Body { response, .. } => response.piece(CHUNK),
            State::Head { .. } | State::Ended => Ok(Piece::End),
        }
    }
}
