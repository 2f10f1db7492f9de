//! `upgrades-elsewhere [PATH] [--protocol NAME]`: asks for a WebSocket, or for another protocol such as `h2c`, at what
//! is no exec, attach or port-forward: by default at the proxy to a service. Gets what it wants if the connection changes
//! its protocol. An upgrade is let through where the judge knows what it leads to, and the headers that ask for it
//! reach no server elsewhere: that is the defence, of which the second half is the server's to tell.

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
