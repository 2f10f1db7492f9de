//! `dribbles [SECONDS] [PATH]`: creates a config map whose body takes 5 seconds, since it is sent a byte at a
//! time. Succeeds if a server answers. Defence: a slow body only delays its own sender, and ends with the
//! plugin's time. A body that ends in time is an ordinary one.

use guests::attempt::socket::HOST;
use guests::attempt::{self, Arguments, Reply, Socket};
use std::time::Duration;

const BODY: &str =
    r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"dribbled"},"data":{"a":"b"}}"#;

fn main() {
    let usage = "dribbles [SECONDS] [PATH]";
    let [seconds, path] = Arguments::of(usage).values(["5", "/api/v1/namespaces/default/configmaps"]);
    let Ok(seconds) = seconds.parse::<u32>() else { Arguments::of(usage).wrong() };
    attempt::tell(dribble(seconds, &path))
}

fn dribble(seconds: u32, path: &str) -> Result<String, String> {
    let mut socket = Socket::open()?;
    let kind = "Content-Type: application/json";
    let length = BODY.len();
    socket.send(format!(
        "POST {path} HTTP/1.1\r\nHost: {HOST}\r\n{kind}\r\nContent-Length: {length}\r\n\r\n"
    ))?;
    let pause = Duration::from_secs(seconds.into()) / u32::try_from(length).unwrap_or(u32::MAX);
    for byte in BODY.as_bytes() {
        socket.send([*byte])?;
        std::thread::sleep(pause);
    }
    socket.reply().and_then(Reply::of_server).map(|reply| reply.shown())
}
