//! `asks-twice-after-upgrade [PATH] [--secret PATH] [--refused]`: requests a WebSocket at PATH, an exec, and
//! then writes a second request, for a secret, on the same connection. Succeeds if that is answered as HTTP.
//! Defence: an upgraded connection belongs to the one endpoint that was allowed, and carries no further
//! requests. `--refused`: the upgrade is refused, so that the connection stays HTTP, and the second request
//! is judged like any other.

use guests::attempt::socket::bare;
use guests::attempt::{self, Arguments, Reply, Socket};

const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: v5.channel.k8s.io\r\n";

fn main() {
    let mut arguments = Arguments::of("asks-twice-after-upgrade [PATH] [--secret PATH] [--refused]");
    let refused = arguments.flag("--refused");
    let secret =
        arguments.option("--secret").unwrap_or_else(|| "/api/v1/namespaces/default/secrets".to_owned());
    let [path] =
        arguments.values(["/api/v1/namespaces/default/pods/web/exec?command=cat&stdin=true&stdout=true"]);
    let second = bare("GET", &secret, "Connection: close\r\n");
    attempt::tell(if refused { after_refusal(&path, &second) } else { after_upgrade(&path, &second) })
}

fn after_upgrade(path: &str, second: &str) -> Result<String, String> {
    let mut socket = Socket::open()?;
    socket.send(bare("GET", path, UPGRADE))?;
    let first = socket.reply()?;
    if first.status() != 101 {
        return Err(format!("not upgraded: {}", first.shown()));
    }
    socket.send(second)?;
    socket.end()?;
    let rest = socket.rest();
    // With the space behind it: who echoes the request has not answered it.
    let answered = rest.windows(9).any(|bytes| bytes == b"HTTP/1.1 ");
    let told = format!("upgraded, then {} bytes", rest.len());
    if answered { Ok(format!("{told} with an answer in them")) } else { Err(told) }
}

fn after_refusal(path: &str, second: &str) -> Result<String, String> {
    let mut socket = Socket::open()?;
    socket.send(bare("GET", path, UPGRADE))?;
    let first = socket.reply()?;
    if first.status() == 101 {
        return Err("not refused".to_owned());
    }
    let first = first.shown();
    socket.send(second).map_err(|why| format!("first {first}, second {why}"))?;
    let second = socket.reply().and_then(Reply::of_server);
    let told = |second: String| format!("first {first}, second {second}");
    second.map(|reply| told(reply.shown())).map_err(told)
}
