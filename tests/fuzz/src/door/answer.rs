//! The server's answers, one letter for each request.

/// The server's session, which no guest may read.
pub(super) const SESSION: &str = "session-of-the-user";

/// The server's first bytes after an upgrade.
pub(super) const GREETING: &[u8] = b"hello";

/// More than waits between a guest and the gate.
const LARGE: usize = 300_000;

/// The fate of a connection after an answer.
pub(super) enum Then {
    Close,
    Go,
    /// The connection stays open until the other end closes it.
    Hold,
}

/// Returns whether the server answers before it has read everything, as some do.
pub(super) fn is_early(letter: u8) -> bool {
    letter == b'e'
}

/// Returns whether the server closes after reading only the head.
pub(super) fn is_none(letter: u8) -> bool {
    letter == b'x'
}

/// The server's answer to a granted upgrade.
pub(super) struct Switch {
    /// Whether the server closes at once.
    pub(super) closes: bool,
    /// Whether the server sends nothing after its greeting, but keeps reading.
    pub(super) ends: bool,
    /// Whether received bytes are sent back.
    pub(super) echoes: bool,
}

impl Switch {
    /// Returns the switch for a letter that grants one.
    pub(super) fn of(letter: u8) -> Option<Self> {
        let (closes, ends, echoes) = match letter {
            b'b' | b'u' => (true, false, false),
            b'd' => (false, true, false),
            b'm' => (false, false, false),
            b's' => (false, false, true),
            _ => return None,
        };
        Some(Self { closes, ends, echoes })
    }

    pub(super) fn head(protocol: &str) -> String {
        format!("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: {protocol}\r\n\r\n")
    }
}

/// Returns the answer to a request of this method, for a letter without another meaning.
pub(super) fn answer(letter: u8, method: &str) -> (Vec<u8>, Then) {
    let with = |head: String, body: &str| {
        let body = if method == "HEAD" { "" } else { body };
        (head + body).into_bytes()
    };
    let sized = |status: &str, length: usize, body: &str| {
        let head = format!("set-cookie: {SESSION}\r\ncontent-length: {length}\r\n\r\n");
        with(format!("HTTP/1.1 {status}\r\n{head}"), body)
    };
    let chunked = |body| with("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_owned(), body);
    match letter {
        b'0' => (b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(), Then::Go),
        b'c' => (chunked("3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nx-sum: 5\r\n\r\n"), Then::Go),
        b'e' => (sized("200 OK", 5, "early"), Then::Go),
        b'g' => (b"HTTP/1.1 2x0 ?\r\n\x00: \xff\r\n\r\n".to_vec(), Then::Close),
        b'i' => {
            let informed = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n";
            ([&informed[..], &sized("200 OK", 2, "ok")].concat(), Then::Go)
        }
        b'l' => (sized("200 OK", LARGE, &"l".repeat(LARGE)), Then::Go),
        b'n' => (sized("403 Forbidden", 2, "no"), Then::Go),
        b'q' => (Vec::new(), Then::Hold),
        b'r' => {
            let elsewhere = "location: /api/v1/secrets\r\ncontent-length: 0\r\n\r\n";
            let challenge = format!("www-authenticate: Negotiate {SESSION}\r\n{elsewhere}");
            (with(format!("HTTP/1.1 302 Found\r\n{challenge}"), ""), Then::Go)
        }
        b't' => (sized("200 OK", 100, "not all"), Then::Close),
        b'u' => ([Switch::head("x").as_bytes(), GREETING].concat(), Then::Close),
        b'w' => (chunked("3\r\nabc\r\n"), Then::Hold),
        b'z' => (with("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_owned(), "all of it"), Then::Close),
        _ => (sized("200 OK", 2, "ok"), Then::Go),
    }
}
