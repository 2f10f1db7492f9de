//! `pipelines [PATH] [ALLOWED]`: sends a request for ALLOWED, `/version` by default, and in the same write a
//! second one for a secret. Succeeds if the second is answered by a server. Defence: each request on a
//! connection is judged by itself, whatever came before it.

use guests::attempt::socket::bare;
use guests::attempt::{self, Arguments, Socket};

fn main() {
    let [path, allowed] = Arguments::of("pipelines [PATH] [ALLOWED]")
        .values(["/api/v1/namespaces/default/secrets", "/version"]);
    attempt::tell(pipeline(&allowed, &path))
}

fn pipeline(allowed: &str, path: &str) -> Result<String, String> {
    let mut socket = Socket::open()?;
    socket.send(bare("GET", allowed, "") + &bare("GET", path, "Connection: close\r\n"))?;
    let first = socket.reply()?.shown();
    let second = socket.reply().and_then(attempt::Reply::of_server);
    let told = |second: String| format!("first {first}, second {second}");
    second.map(|reply| told(reply.shown())).map_err(told)
}
