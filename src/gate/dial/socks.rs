//! Connections through a SOCKS 5 proxy (RFC 1928), with or without a user and password (RFC 1929). The proxy
//! resolves the server's name, as in Go.

use std::net::IpAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use zeroize::Zeroizing;

use super::fault::ProxyError;
use super::wire::Duplex;

const VERSION: u8 = 5;
const LOGIN_VERSION: u8 = 1;
const NO_LOGIN: u8 = 0;
const LOGIN: u8 = 2;
const NONE_ACCEPTABLE: u8 = 0xff;
const CONNECT: u8 = 1;
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;

/// Asks a proxy to connect to a server. After that, the stream is the server's.
pub(super) async fn open_tunnel(
    stream: &mut dyn Duplex,
    host: &str,
    port: u16,
    user: Option<(&str, &str)>,
) -> Result<(), ProxyError> {
    let methods: &[u8] = if user.is_some() { &[NO_LOGIN, LOGIN] } else { &[NO_LOGIN] };
    let number = u8::try_from(methods.len()).unwrap_or(u8::MAX);
    send(stream, &[&[VERSION, number], methods].concat()).await?;
    match (read_reply(stream).await?, user) {
        ([VERSION, NO_LOGIN], _) => {}
        ([VERSION, LOGIN], Some((name, password))) => log_in(stream, name, password).await?,
        ([VERSION, NONE_ACCEPTABLE], _) => return Err(ProxyError::Login),
        _ => return Err(ProxyError::Nonsense),
    }
    let mut request = vec![VERSION, CONNECT, 0];
    match host.trim_start_matches('[').trim_end_matches(']').parse() {
        Ok(IpAddr::V4(address)) => request.extend([&[IPV4][..], &address.octets()].concat()),
        Ok(IpAddr::V6(address)) => request.extend([&[IPV6][..], &address.octets()].concat()),
        Err(_) => {
            request
                .extend(counted(host).map(|name| [vec![NAME], name].concat()).ok_or(ProxyError::Socks(8))?);
        }
    }
    request.extend(port.to_be_bytes());
    send(stream, &request).await?;
    let [version, code, _, kind] = read_reply(stream).await?;
    match (version, code) {
        (VERSION, 0) => {}
        (VERSION, code) => return Err(ProxyError::Socks(code)),
        _ => return Err(ProxyError::Nonsense),
    }
    // The address from which the proxy connects, which is not needed.
    let length = match kind {
        IPV4 => 4,
        IPV6 => 16,
        NAME => usize::from(read_reply::<1>(stream).await?[0]),
        _ => return Err(ProxyError::Nonsense),
    };
    let mut address = vec![0; length + 2];
    stream.read_exact(&mut address).await.map(drop).map_err(|error| ProxyError::broke(&error))
}

async fn log_in(stream: &mut dyn Duplex, name: &str, password: &str) -> Result<(), ProxyError> {
    let (name, password) = counted(name).zip(counted(password)).ok_or(ProxyError::Login)?;
    let (name, password) = (Zeroizing::new(name), Zeroizing::new(password));
    let request = Zeroizing::new([&[LOGIN_VERSION][..], &name, &password].concat());
    send(stream, &request).await?;
    match read_reply(stream).await? {
        [LOGIN_VERSION, 0] => Ok(()),
        [LOGIN_VERSION, _] => Err(ProxyError::Login),
        _ => Err(ProxyError::Nonsense),
    }
}

/// Returns a text prefixed with its length, or `None` if it is too long for SOCKS.
fn counted(text: &str) -> Option<Vec<u8>> {
    let length = u8::try_from(text.len()).ok()?;
    Some([&[length], text.as_bytes()].concat())
}

async fn send(stream: &mut dyn Duplex, bytes: &[u8]) -> Result<(), ProxyError> {
    stream.write_all(bytes).await.map_err(|error| ProxyError::broke(&error))?;
    stream.flush().await.map_err(|error| ProxyError::broke(&error))
}

async fn read_reply<const N: usize>(stream: &mut dyn Duplex) -> Result<[u8; N], ProxyError> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).await.map_err(|error| ProxyError::broke(&error))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns what is sent to a proxy with these answers, and the result.
    fn said(host: &str, user: Option<(&str, &str)>, answers: &[u8]) -> (Vec<u8>, Result<(), ProxyError>) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (mut ours, mut proxys) = tokio::io::duplex(4096);
            proxys.write_all(answers).await.unwrap();
            proxys.shutdown().await.unwrap();
            let opened = open_tunnel(&mut ours, host, 6443, user).await;
            drop(ours);
            let mut said = Vec::new();
            proxys.read_to_end(&mut said).await.unwrap();
            (said, opened)
        })
    }

    const LED: &[u8] = b"\x05\0\x05\0\0\x01\0\0\0\0\0\0";

    #[test]
    fn each_kind_of_address_is_said_as_it_is() {
        for (host, address) in [
            ("cluster.example", &b"\x03\x0fcluster.example"[..]),
            ("10.0.0.1", b"\x01\x0a\0\0\x01"),
            ("[2001:db8::1]", b"\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"),
        ] {
            let (said, opened) = said(host, None, LED);
            assert!(opened.is_ok(), "{host}");
            assert_eq!(said, [b"\x05\x01\0\x05\x01\0", address, &6443_u16.to_be_bytes()].concat(), "{host}");
        }
        assert!(matches!(said(&"x".repeat(256), None, LED).1, Err(ProxyError::Socks(8))));
    }

    #[test]
    fn a_user_is_named_only_where_the_proxy_asks() {
        let jo = Some(("jo", "secret"));
        let named = |said: &[u8]| said.windows(11).any(|part| part == b"\x01\x02jo\x06secret");
        let (unasked, opened) = said("h", jo, LED);
        assert!(opened.is_ok() && unasked.starts_with(b"\x05\x02\0\x02") && !named(&unasked));
        let (asked, opened) = said("h", jo, &[b"\x05\x02\x01\0", &LED[2..]].concat());
        assert!(opened.is_ok() && named(&asked));
        assert!(matches!(said("h", jo, b"\x05\x02\x01\x01").1, Err(ProxyError::Login)));
        assert!(matches!(said("h", None, b"\x05\xff").1, Err(ProxyError::Login)));
        assert!(matches!(said("h", Some(("jo", &"x".repeat(256))), b"\x05\x02").1, Err(ProxyError::Login)));
    }

    #[test]
    fn what_is_no_answer_leads_nowhere() {
        // Another version, a login method that was not offered, an unknown kind of address.
        for answers in [&b"\x04\0"[..], b"\x05\x02", b"\x05\0\x04\0\0\x01", b"\x05\0\x05\0\0\x02"] {
            assert!(matches!(said("h", None, answers).1, Err(ProxyError::Nonsense)), "{answers:?}");
        }
        for length in 0..LED.len() {
            assert!(matches!(said("h", None, &LED[..length]).1, Err(ProxyError::Closed)), "{length}");
        }
        for code in 1..=9 {
            let answers = [5, 0, 5, code, 0, 1];
            assert!(matches!(said("h", None, &answers).1, Err(ProxyError::Socks(told)) if told == code));
        }
    }
}
