//! `reads-nothing [PATH] [--for SECONDS]`: requests an answer, does not read it for 5 seconds, and ends;
//! always `done`. Defence: an answer that is not read is not fetched further, so that the memory for it is
//! limited.

use guests::attempt::socket::bare;
use guests::attempt::{self, Arguments, Socket};
use std::time::Duration;

fn main() {
    let usage = "reads-nothing [PATH] [--for SECONDS]";
    let mut arguments = Arguments::of(usage);
    let seconds = arguments.option("--for").map_or(Ok(5), |seconds| seconds.parse::<u64>());
    let [path] = arguments.values(["/api/v1/namespaces/default/configmaps"]);
    let Ok(seconds) = seconds else { Arguments::of(usage).wrong() };
    attempt::tell(ask(&path).map(|socket| {
        std::thread::sleep(Duration::from_secs(seconds));
        drop(socket);
        format!("read nothing for {seconds} seconds")
    }))
}

fn ask(path: &str) -> Result<Socket, String> {
    let mut socket = Socket::open()?;
    socket.send(bare("GET", path, ""))?;
    Ok(socket)
}
