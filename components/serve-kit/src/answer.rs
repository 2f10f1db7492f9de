//! An answer.

use wasip2::http::types::{Fields, OutgoingBody, OutgoingResponse, ResponseOutparam};
use wasip2::io::streams::OutputStream;

/// The place of an answer. If it is dropped, there is none, which the host tells.
pub struct Answer {
    out: ResponseOutparam,
}

/// The body of an answer that has begun. Dropped before [`Sink::finish`], its client sees that a part is missing.
pub struct Sink {
    // The order matters: the stream must be dropped before its body.
    stream: OutputStream,
    body: OutgoingBody,
}

/// Nobody reads the answer any more.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
#[error("the client has gone away")]
pub struct Gone;

impl From<ResponseOutparam> for Answer {
    fn from(out: ResponseOutparam) -> Self {
        Self { out }
    }
}

impl Answer {
    /// Answers with a line of plain text.
    pub fn text(self, status: u16, text: &str) {
        self.whole(status, &[("content-type", "text/plain; charset=utf-8")], text.as_bytes());
    }

    /// Answers whole, with these headers.
    pub fn whole(self, status: u16, headers: &[(&str, &str)], content: &[u8]) {
        let length = content.len().to_string();
        let headers = headers.iter().copied().chain([("content-length", &*length)]);
        let headers: Vec<_> =
            headers.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec())).collect();
        // A client that has gone away gets no answer.
        let Ok(mut sink) = self.begin(status, &headers) else { return };
        if sink.send(content).is_ok() {
            sink.finish();
        }
    }

    /// Begins an answer. Headers that a component may not set, such as `connection`, are left out.
    ///
    /// # Errors
    /// If it is not wanted any more.
    pub fn begin(self, status: u16, headers: &[(String, Vec<u8>)]) -> Result<Sink, Gone> {
        let fields = Fields::new();
        for (name, value) in headers {
            let _ = fields.append(name, value);
        }
        let response = OutgoingResponse::new(fields);
        response.set_status_code(status).map_err(|()| Gone)?;
        let body = response.body().map_err(|()| Gone)?;
        ResponseOutparam::set(self.out, Ok(response));
        Ok(Sink { stream: body.write().map_err(|()| Gone)?, body })
    }
}

impl Sink {
    /// Sends a piece, no faster than the client takes it.
    ///
    /// # Errors
    /// [`Gone`].
    pub fn send(&mut self, mut piece: &[u8]) -> Result<(), Gone> {
        while !piece.is_empty() {
            let room = usize::try_from(self.stream.check_write().map_err(|_| Gone)?).unwrap_or(usize::MAX);
            let (now, later) = piece.split_at(room.min(piece.len()));
            if now.is_empty() {
                self.stream.subscribe().block();
            } else {
                self.stream.write(now).map_err(|_| Gone)?;
            }
            piece = later;
        }
        Ok(())
    }

    /// Ends the answer: it is whole.
    pub fn finish(self) {
        let flushed = self.stream.blocking_flush();
        drop(self.stream);
        if flushed.is_ok() {
            drop(OutgoingBody::finish(self.body, None));
        }
    }
}
