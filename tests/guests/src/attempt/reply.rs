//! An answer on a socket, and its sender.

use kube_guest::Status;
use std::io::{BufRead, Read};

/// An answer, read whole.
#[derive(Debug, Eq, PartialEq)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Reply {
    /// Reads one; `None` if there is not a byte of it.
    pub(crate) fn read(from: &mut impl BufRead) -> Result<Option<Self>, String> {
        let Some(first) = line(from)? else { return Ok(None) };
        let status = first.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)?.parse().ok());
        let status = status.ok_or_else(|| format!("no answer: {first}"))?;
        let mut headers = Vec::new();
        loop {
            match line(from)? {
                None => return Err(format!("status {status}: the head broke off")),
                Some(line) if line.is_empty() => break,
                Some(line) => {
                    let (name, value) = line.split_once(':').unwrap_or((&line, ""));
                    headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
                }
            }
        }
        let mut reply = Self { status, headers, body: Vec::new() };
        reply.body = reply.body_from(from).map_err(|why| format!("status {status}: {why}"))?;
        Ok(Some(reply))
    }

    /// Returns the HTTP status code.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Returns the first header of that name, which is in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    /// Returns whether it contains this text.
    #[must_use]
    pub fn contains(&self, text: &str) -> bool {
        self.headers.iter().any(|(_, value)| value.contains(text))
            || String::from_utf8_lossy(&self.body).contains(text)
    }

    /// Returns the answer if a server made it.
    ///
    /// # Errors
    ///
    /// The status and the words of kwasm, if that made it.
    pub fn of_server(self) -> Result<Self, String> {
        if self.is_kwasm() { Err(self.shown()) } else { Ok(self) }
    }

    /// Returns whether kwasm answered instead of a server: by a refusal, or by an empty error, as its HTTP
    /// server answers malformed requests. The API server always gives a reason.
    #[must_use]
    pub fn is_kwasm(&self) -> bool {
        self.status >= 400 && (self.body.is_empty() || self.message().starts_with("refused by kwasm"))
    }

    /// Returns the status, with what a failure says of itself.
    #[must_use]
    pub fn shown(&self) -> String {
        let message = if self.status < 400 { String::new() } else { self.message() };
        match message.as_str() {
            "" => format!("status {}", self.status),
            message => format!("status {}: {message}", self.status),
        }
    }

    fn message(&self) -> String {
        Status::read(self.status, &self.body).message
    }

    fn body_from(&self, from: &mut impl BufRead) -> Result<Vec<u8>, String> {
        let mut body = Vec::new();
        if self.status < 200 || self.status == 204 || self.status == 304 {
            return Ok(body);
        }
        if self.header("transfer-encoding").is_some_and(|coding| coding.ends_with("chunked")) {
            while let length @ 1.. = chunk_length(from)? {
                exactly(from, length, &mut body)?;
                // The end of the line that the chunk is.
                line(from)?;
            }
            while line(from)?.is_some_and(|trailer| !trailer.is_empty()) {}
        } else if let Some(length) = self.header("content-length") {
            let length = length.parse().map_err(|_| format!("content-length: {length}"))?;
            exactly(from, length, &mut body)?;
        } else {
            from.read_to_end(&mut body).map_err(|error| format!("body: {error}"))?;
        }
        Ok(body)
    }
}

fn chunk_length(from: &mut impl BufRead) -> Result<u64, String> {
    let line = line(from)?.ok_or_else(|| "the body broke off".to_owned())?;
    let digits = line.split(';').next().unwrap_or_default().trim();
    u64::from_str_radix(digits, 16).map_err(|_| format!("chunk: {line}"))
}

fn exactly(from: &mut impl BufRead, length: u64, body: &mut Vec<u8>) -> Result<(), String> {
    let read = from.take(length).read_to_end(body).map_err(|error| format!("body: {error}"))?;
    if read as u64 == length { Ok(()) } else { Err("the body broke off".to_owned()) }
}

/// Reads a line without its end, or returns `None` at the end of the stream.
fn line(from: &mut impl BufRead) -> Result<Option<String>, String> {
    let mut line = Vec::new();
    from.read_until(b'\n', &mut line).map_err(|error| format!("read: {error}"))?;
    let text = String::from_utf8_lossy(&line);
    Ok(if line.is_empty() { None } else { Some(text.trim_end_matches(['\r', '\n']).to_owned()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replies(mut bytes: &[u8]) -> Vec<Result<Reply, String>> {
        std::iter::from_fn(|| Reply::read(&mut bytes).transpose()).take(9).collect()
    }

    #[test]
    fn each_body_ends_where_its_head_says() {
        let bytes = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x\r\nab\r\n1\r\nc\r\n0\r\n\r\n\
            HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno!HTTP/1.1 101 Switching\r\n\r\n\
            HTTP/1.1 200 OK\r\n\r\nto the end";
        let found = replies(bytes);
        let found: Vec<_> = found.iter().map(|reply| reply.as_ref().unwrap()).collect();
        let bodies: Vec<_> = found.iter().map(|reply| (reply.status(), &reply.body[..])).collect();
        assert_eq!(bodies, [(200, &b"abc"[..]), (403, b"no!"), (101, b""), (200, b"to the end")]);
    }

    #[test]
    fn what_breaks_off_is_no_answer() {
        assert_eq!(replies(b""), []);
        let cut = replies(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab");
        assert_eq!(cut, [Err("status 200: the body broke off".to_owned())]);
        assert_eq!(replies(b"\x88\x02")[0], Err("no answer: \u{fffd}\u{2}".to_owned()));
    }

    #[test]
    fn a_failure_without_a_word_is_kwasms_and_a_servers_words_are_not() {
        let read = |bytes: &[u8]| Reply::read(&mut &bytes[..]).unwrap().unwrap();
        assert!(read(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").is_kwasm());
        assert!(!read(b"HTTP/1.1 400 Bad Request\r\n\r\n400 Bad Request").is_kwasm());
        let refusal = br#"{"kind":"Status","message":"refused by kwasm: GET /x"}"#;
        let refused = read(&[&b"HTTP/1.1 403 Forbidden\r\n\r\n"[..], refusal].concat());
        assert_eq!(refused.of_server(), Err("status 403: refused by kwasm: GET /x".to_owned()));
    }
}
