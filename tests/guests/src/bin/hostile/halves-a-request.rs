//! `halves-a-request drop|shutdown|trap|exit [--chunked] [--name NAME] [--namespace NAMESPACE]`: begins to
//! create a config map, sends half of it, and ends: the connection, its own side of it, or itself. It got
//! what it wants if the half was stored, which the server knows and the guest does not: `done: sent …` says
//! only that it was sent. The half is an object still, as YAML may end anywhere. Defence: a body that broke
//! off is never given on as one that ended.

use guests::attempt::socket::HOST;
use guests::attempt::{self, Arguments, Socket};
use std::io::{self, Write as _};

fn main() {
    let usage = "halves-a-request drop|shutdown|trap|exit [--chunked] [--name NAME] [--namespace NAMESPACE]";
    let mut arguments = Arguments::of(usage);
    let chunked = arguments.flag("--chunked");
    let name = arguments.option("--name").unwrap_or_else(|| "half".to_owned());
    let namespace = arguments.option("--namespace").unwrap_or_else(|| "default".to_owned());
    let end = arguments.value();
    if !["drop", "shutdown", "trap", "exit"].contains(&end.as_str()) {
        Arguments::of(usage).wrong()
    }
    attempt::tell(halve(&end, chunked, &namespace, &name))
}

fn halve(end: &str, chunked: bool, namespace: &str, name: &str) -> Result<String, String> {
    let text = "x".repeat(1000);
    let whole =
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  text: {text}\n");
    // In the middle of the text.
    let half = &whole[..whole.len() - text.len() / 2];
    let (length, body) = if chunked {
        ("Transfer-Encoding: chunked".to_owned(), format!("{:x}\r\n{half}\r\n", half.len()))
    } else {
        (format!("Content-Length: {}", whole.len()), half.to_owned())
    };
    let path = format!("/api/v1/namespaces/{namespace}/configmaps");
    let head =
        format!("POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/yaml\r\n{length}\r\n\r\n");
    let mut socket = Socket::open()?;
    socket.send(head + &body)?;
    let sent = format!("sent {} of {} bytes", half.len(), whole.len());
    match end {
        "shutdown" => {
            socket.end()?;
            let answer = socket.answer()?.map_or_else(|| "no answer".to_owned(), |reply| reply.shown());
            Ok(format!("{sent}, {answer}"))
        }
        "trap" | "exit" => {
            // It has no other time to say it.
            writeln!(io::stdout(), "done: {sent}").map_err(|error| error.to_string())?;
            if end == "trap" { std::process::abort() } else { kube_guest::exit(3) }
        }
        _ => {
            drop(socket);
            Ok(sent)
        }
    }
}
