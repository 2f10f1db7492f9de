//! `sets-authorization 'NAME: VALUE' [PATH] [--method M]`: sends a request in another user's name. Prints the
//! status and the body, or on standard error the forbidden header, and exits with 0 if the request was sent.

use kube_guest::{Cluster, Error};
use std::io::{self, Write};

fn main() {
    let Some(request) = Request::parse(std::env::args().skip(1)) else {
        eprintln!("usage: sets-authorization 'NAME: VALUE' [PATH] [--method M]");
        kube_guest::exit(2)
    };
    match ask(&request) {
        Ok((status, body)) => kube_guest::finish("sets-authorization", print(status, &body)),
        Err(error) => {
            eprintln!("sets-authorization: {error}");
            kube_guest::exit(1)
        }
    }
}

struct Request {
    header: (String, String),
    method: String,
    path: String,
}

impl Request {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Option<Self> {
        let (name, value) =
            arguments.next()?.split_once(':').map(|(n, v)| (n.to_owned(), v.trim().to_owned()))?;
        let mut request =
            Self { header: (name, value), method: "GET".to_owned(), path: "/api/v1/namespaces".to_owned() };
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--method" => request.method = arguments.next()?,
                _ => request.path = argument,
            }
        }
        Some(request)
    }
}

fn ask(request: &Request) -> Result<(u16, Vec<u8>), Error> {
    let cluster = Cluster::from_env()?;
    let header = (request.header.0.as_str(), request.header.1.as_str());
    let response = cluster.exchange(&request.method, &request.path, &[header], &[])?;
    Ok((response.status(), response.read_to_end()?))
}

fn print(status: u16, body: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "status {status}")?;
    out.write_all(body)?;
    writeln!(out)
}
