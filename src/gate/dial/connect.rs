//! Connections through an HTTP proxy: `CONNECT` (RFC 9110 §9.3.6).

use ::http::{HeaderValue, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use zeroize::Zeroizing;

use super::fault::ProxyError;
use super::wire::Duplex;

/// The largest answer of a proxy, in bytes.
const LONGEST: usize = 8 << 10;

/// The beginning of every answer.
const BEGIN: &[u8] = b"HTTP/1.";

/// Asks a proxy to connect to `address`. After that, the stream is the server's.
pub(super) async fn open_tunnel(
    stream: &mut dyn Duplex,
    address: &str,
    authorization: Option<&HeaderValue>,
) -> Result<(), ProxyError> {
    let mut request =
        Zeroizing::new(format!("CONNECT {address} HTTP/1.1\r\nHost: {address}\r\n").into_bytes());
    if let Some(value) = authorization {
        request.extend_from_slice(&[b"Proxy-Authorization: ", value.as_bytes(), b"\r\n"].concat());
    }
    request.extend_from_slice(b"\r\n");
    stream.write_all(&request).await.map_err(|error| ProxyError::broke(&error))?;
    stream.flush().await.map_err(|error| ProxyError::broke(&error))?;
    match head(stream).await? {
        status if status.is_success() => Ok(()),
        StatusCode::PROXY_AUTHENTICATION_REQUIRED => Err(ProxyError::Login),
        status => Err(ProxyError::Refused(status)),
    }
}

/// Reads the head of an answer. Bytes after it are dropped, as in Go: a TLS server sends nothing before the
/// client does.
async fn head(stream: &mut dyn Duplex) -> Result<StatusCode, ProxyError> {
    let mut read = Vec::with_capacity(512);
    loop {
        let common = read.len().min(BEGIN.len());
        if read[..common] != BEGIN[..common] {
            return Err(ProxyError::Nonsense);
        }
        if read.windows(4).any(|end| end == b"\r\n\r\n") || read.windows(2).any(|end| end == b"\n\n") {
            return status(&read).ok_or(ProxyError::Nonsense);
        }
        let room = LONGEST - read.len();
        if room == 0 {
            return Err(ProxyError::Endless);
        }
        let length =
            stream.take(room as u64).read_buf(&mut read).await.map_err(|error| ProxyError::broke(&error))?;
        if length == 0 {
            return Err(ProxyError::Closed);
        }
    }
}

/// Returns the status in `HTTP/1.1 200 Connection established`.
fn status(head: &[u8]) -> Option<StatusCode> {
    let (minor, line) = head.strip_prefix(BEGIN)?.split_at_checked(2)?;
    let (code, rest) = line.split_at_checked(3).filter(|_| matches!(minor, b"0 " | b"1 "))?;
    let ends = rest.first().is_some_and(|byte| b" \r\n".contains(byte));
    StatusCode::from_bytes(code).ok().filter(|_| ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_read_strictly() {
        for (line, code) in [
            ("HTTP/1.1 200 Connection established\r\n", Some(200)),
            ("HTTP/1.0 407\r\n", Some(407)),
            ("HTTP/1.1 403 \r\n", Some(403)),
            ("HTTP/1.1 2000 OK\r\n", None),
            ("HTTP/1.1  200 OK\r\n", None),
            ("HTTP/1.1 20\r\n", None),
            ("HTTP/1.7 200 OK\r\n", None),
            ("HTTP/1.1 abc\r\n", None),
        ] {
            assert_eq!(status(line.as_bytes()).map(|status| status.as_u16()), code, "{line}");
        }
    }
}
