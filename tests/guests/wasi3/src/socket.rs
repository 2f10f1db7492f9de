//! wasi:sockets 0.3, as a guest uses them.

use std::net::SocketAddr;

use futures::join;
use wasip3::sockets::ip_name_lookup;
use wasip3::sockets::types::{IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, TcpSocket, UdpSocket};
use wasip3::wit_bindgen::StreamReader;
use wasip3::wit_stream;

const GATE: &str = "192.0.2.1:80";

fn address(text: &str) -> Result<IpSocketAddress, String> {
    match text.parse() {
        Ok(SocketAddr::V4(address)) => {
            let [a, b, c, d] = address.ip().octets();
            Ok(IpSocketAddress::Ipv4(Ipv4SocketAddress { port: address.port(), address: (a, b, c, d) }))
        }
        _ => Err(format!("no address: {text}")),
    }
}

async fn open(to: &str) -> Result<TcpSocket, String> {
    let socket = TcpSocket::create(IpAddressFamily::Ipv4).map_err(|code| format!("create: {code:?}"))?;
    socket.connect(address(to)?).await.map_err(|code| format!("connect: {code:?}"))?;
    Ok(socket)
}

pub(crate) async fn connect(to: &str) -> Result<String, String> {
    open(to).await.map(|_| format!("connected to {to}"))
}

pub(crate) fn bind(to: &str) -> Result<String, String> {
    let socket = TcpSocket::create(IpAddressFamily::Ipv4).map_err(|code| format!("create: {code:?}"))?;
    socket.bind(address(to)?).map_err(|code| format!("tcp: bind: {code:?}"))?;
    let udp = UdpSocket::create(IpAddressFamily::Ipv4).map_err(|code| format!("udp: {code:?}"))?;
    udp.bind(address(to)?).map_err(|code| format!("udp: bind: {code:?}"))?;
    Ok("tcp: 127.0.0.1: and udp".to_owned())
}

pub(crate) async fn look_up(name: &str) -> Result<String, String> {
    match ip_name_lookup::resolve_addresses(name.to_owned()).await {
        Ok(found) => Ok(format!("{} addresses", found.len())),
        Err(code) => Err(format!("{code:?}")),
    }
}

/// Keeps this many connections. With `streams`, it lets go of each socket and keeps what it receives by.
pub(crate) async fn hoard(count: usize, what: &str) -> Result<String, String> {
    let (mut sockets, mut streams): (Vec<TcpSocket>, Vec<StreamReader<u8>>) = (Vec::new(), Vec::new());
    for number in 0..count {
        let socket = open(GATE).await.map_err(|why| format!("{number} sockets, then {why}"))?;
        if what == "streams" {
            let (stream, _ended) = socket.receive();
            streams.push(stream);
        } else {
            sockets.push(socket);
        }
    }
    Ok(format!("{} sockets", sockets.len() + streams.len()))
}

/// Sends all of this, and returns all that comes.
pub(crate) async fn exchange(bytes: Vec<u8>) -> Result<Vec<u8>, String> {
    let socket = open(GATE).await?;
    let (mut writer, reader) = wit_stream::new();
    let sent = socket.send(reader);
    let (received, _ended) = socket.receive();
    let written = async {
        drop(writer.write_all(bytes).await);
        drop(writer);
        drop(sent.await);
    };
    let (answer, ()) = join!(received.collect(), written);
    Ok(answer)
}

/// Sends half of a request, and then drops the stream, returns, or traps.
pub(crate) async fn halve(end: &str) -> Result<String, String> {
    let socket = open(GATE).await?;
    let (mut writer, reader) = wit_stream::new();
    let sent = socket.send(reader);
    let (received, _ended) = socket.receive();
    let half =
        "POST /api/v1/namespaces/halved/configmaps HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{";
    drop(writer.write_all(half.into()).await);
    match end {
        "trap" => std::process::abort(),
        "return" => return Ok("sent half".to_owned()),
        _ => drop(writer),
    }
    let (answer, _) = join!(received.collect(), async { sent.await });
    Ok(format!("sent half; {}", String::from_utf8_lossy(&answer).lines().next().unwrap_or("no answer")))
}

/// Sends a request that is allowed, and in the same write a second one: the second has to be answered by a server.
pub(crate) async fn pipeline(path: &str) -> Result<String, String> {
    let socket = open(GATE).await?;
    let (mut writer, reader) = wit_stream::new();
    let sent = socket.send(reader);
    let (received, _ended) = socket.receive();
    let both = format!(
        "GET /version HTTP/1.1\r\nHost: x\r\n\r\nGET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    );
    drop(writer.write_all(both.into_bytes()).await);
    // The direction stays open: what ends it ends what is under way.
    let answers = received.collect().await;
    drop(writer);
    drop(sent.await);
    let answers = String::from_utf8_lossy(&answers).into_owned();
    let second = answers.match_indices("HTTP/1.1 ").nth(1).map_or("", |(at, _)| &answers[at..]);
    let status = second.split(' ').nth(1).unwrap_or("none").to_owned();
    let told = format!("second status {status}");
    if second.is_empty() || second.contains("refused by kwasm") { Err(told) } else { Ok(told) }
}
