//! `names-another-host [absolute|header|connect] [HOST] [--path PATH] [--mark TEXT]`: names another host on a
//! connection to the cluster: in the request's line, in its `Host`, or as where to tunnel to; or in each of
//! these ways. Succeeds if that host answered, which it knows by TEXT in the answer; without TEXT any answer
//! of a server will do. Defence: a connection leads to the cluster, whatever a request says.

use guests::attempt::socket::HOST;
use guests::attempt::{self, Arguments, Socket};

const WAYS: [&str; 3] = ["absolute", "header", "connect"];

fn main() {
    let usage = "names-another-host [absolute|header|connect] [HOST] [--path PATH] [--mark TEXT]";
    let mut arguments = Arguments::of(usage);
    let path = arguments.option("--path").unwrap_or_else(|| "/".to_owned());
    let mark = arguments.option("--mark").unwrap_or_default();
    let [way, host] = arguments.values(["", "example.com"]);
    if !way.is_empty() && !WAYS.contains(&way.as_str()) {
        Arguments::of(usage).wrong()
    }
    let ways = WAYS.into_iter().filter(|name| way.is_empty() || way == *name);
    attempt::tell_each(ways.map(|way| (way.to_owned(), ask(&request(way, &host, &path), &mark))))
}

fn request(way: &str, host: &str, path: &str) -> String {
    let line = match way {
        "absolute" => format!("GET http://{host}{path} HTTP/1.1\r\nHost: {HOST}"),
        "header" => format!("GET {path} HTTP/1.1\r\nHost: {host}"),
        // Its target has a port, always.
        _ if host.contains(':') => format!("CONNECT {host} HTTP/1.1\r\nHost: {host}"),
        _ => format!("CONNECT {host}:80 HTTP/1.1\r\nHost: {host}:80"),
    };
    format!("{line}\r\nConnection: close\r\n\r\n")
}

fn ask(request: &str, mark: &str) -> Result<String, String> {
    let mut socket = Socket::open()?;
    socket.send(request)?;
    let reply = socket.reply()?.of_server()?;
    if reply.contains(mark) { Ok(reply.shown()) } else { Err(format!("{}: not of that host", reply.shown())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tunnel_is_asked_for_by_host_and_port() {
        assert!(request("connect", "h", "/p").starts_with("CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n"));
        assert!(request("connect", "h:1", "/p").starts_with("CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\n"));
        assert!(request("absolute", "h", "/p").starts_with("GET http://h/p HTTP/1.1\r\nHost: 192.0.2.1\r\n"));
    }
}
