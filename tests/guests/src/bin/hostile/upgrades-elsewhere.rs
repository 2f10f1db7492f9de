//! `upgrades-elsewhere [PATH] [--protocol NAME]`: requests a WebSocket, or another protocol such as `h2c`, at
//! a path that is not an exec, attach or port-forward: by default at the proxy to a service. Succeeds if the
//! connection is upgraded. Defence: an upgrade is only allowed where the judge knows its target, and
//! elsewhere the headers that request it reach no server, which the server's log shows.

use guests::attempt::socket::bare;
use guests::attempt::{self, Arguments, Socket};

fn main() {
    let mut arguments = Arguments::of("upgrades-elsewhere [PATH] [--protocol NAME]");
    let protocol = arguments.option("--protocol").unwrap_or_else(|| "websocket".to_owned());
    let [path] = arguments.values(["/api/v1/namespaces/default/services/x/proxy/"]);
    attempt::tell(upgrade(&path, &protocol))
}

fn upgrade(path: &str, protocol: &str) -> Result<String, String> {
    let more = match protocol {
        "websocket" => "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        // An empty SETTINGS frame.
        "h2c" => "HTTP2-Settings: \r\n",
        _ => "",
    };
    let settings = if protocol == "h2c" { ", HTTP2-Settings" } else { "" };
    let lines = format!("Connection: Upgrade{settings}\r\nUpgrade: {protocol}\r\n{more}");
    let mut socket = Socket::open()?;
    socket.send(bare("GET", path, &lines))?;
    let reply = socket.reply()?;
    match reply.status() {
        101 => Ok(format!("status 101: {}", reply.header("upgrade").unwrap_or_default())),
        _ => Err(reply.shown()),
    }
}
