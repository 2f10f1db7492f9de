//! `dials URL [--method M] [--header 'N: V']… [--body TEXT]`: sends one request, exactly as it is written, and prints
//! `status N`, the headers and the body of the answer. A failure prints its `error-code` to standard error and ends
//! with 1.
//!
//! The URL goes to wasi:http untouched: scheme up to `://`, authority up to the first `/` or `?`, the rest as it is.

mod request;

use guests::attempt::Answer;
use std::io::{self, Write};

fn main() {
    let own = kube_guest::without_connection_flags(std::env::args().skip(1), &[]);
    let Some(request) = request::parse(own.into_iter()) else {
        eprintln!("usage: dials URL [--method M] [--header 'N: V']... [--body TEXT]");
        eprintln!("kubectl's connection flags work too");
        kube_guest::exit(2)
    };
    match request.send().and_then(print) {
        Ok(()) => {}
        Err(why) => {
            eprintln!("dials: {why}");
            kube_guest::exit(1)
        }
    }
}

fn print(mut answer: Answer) -> Result<(), String> {
    let mut out = io::stdout().lock();
    let text = |error: io::Error| error.to_string();
    writeln!(out, "status {}", answer.status()).map_err(text)?;
    for (name, value) in answer.headers() {
        writeln!(out, "{name}: {}", String::from_utf8_lossy(value)).map_err(text)?;
    }
    writeln!(out).map_err(text)?;
    while let Some(chunk) = answer.chunk()? {
        out.write_all(&chunk).map_err(text)?;
    }
    out.flush().map_err(text)
}
