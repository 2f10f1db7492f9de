//! `uploads PATH BYTES [--chunk N] [--method M] [--length] [--header 'N: V'] [--die-after N] [--exit-after N]
//! [--stall-after N]`: sends BYTES bytes to the cluster, no faster than they are accepted, and prints the
//! status and body of the answer. `--length` declares the length beforehand; `--die-after` traps after N
//! bytes, `--exit-after` exits then as if it had succeeded, `--stall-after` sends no more and sleeps forever.

mod plan;

use kube_guest::{Cluster, Error};
use plan::{Plan, Then};
use std::io::{self, Write};
use std::time::Duration;

fn main() {
    let Some(plan) = Plan::parse(std::env::args().skip(1)) else {
        eprintln!(
            "usage: uploads PATH BYTES [--chunk N] [--method M] [--length] [--header 'N: V'] \
             [--die-after N] [--exit-after N] [--stall-after N]"
        );
        kube_guest::exit(2)
    };
    match upload(&plan) {
        Ok((status, body)) => kube_guest::finish("uploads", print(status, &body)),
        Err(error) => {
            eprintln!("uploads: {error}");
            kube_guest::exit(1)
        }
    }
}

fn upload(plan: &Plan) -> Result<(u16, Vec<u8>), Error> {
    let length = plan.bytes.to_string();
    let mut headers: Vec<(&str, &str)> =
        plan.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    if plan.length {
        headers.push(("content-length", &length));
    }
    let mut upload = Cluster::from_env()?.upload(&plan.method, &plan.path, &headers)?;
    let chunk = vec![b'x'; plan.chunk];
    let mut sent = 0;
    while sent < plan.stop() {
        let piece = usize::try_from(plan.stop() - sent).unwrap_or(usize::MAX).min(chunk.len());
        if !upload.send(&chunk[..piece])? {
            eprintln!("uploads: the server wants no more after at most {} bytes", sent + piece as u64);
            return answer(upload);
        }
        sent += piece as u64;
    }
    match plan.then {
        Then::Finish => answer(upload),
        Then::Die => {
            eprintln!("uploads: dying after {sent} bytes");
            std::process::abort()
        }
        Then::Exit => {
            eprintln!("uploads: exiting after {sent} bytes");
            kube_guest::exit(3)
        }
        Then::Stall => {
            eprintln!("uploads: stalling after {sent} bytes");
            loop {
                std::thread::sleep(Duration::from_hours(1));
            }
        }
    }
}

fn answer(upload: kube_guest::Upload) -> Result<(u16, Vec<u8>), Error> {
    let response = upload.finish()?;
    Ok((response.status(), response.read_to_end()?))
}

fn print(status: u16, body: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "status {status}")?;
    out.write_all(body)?;
    writeln!(out)
}
