//! `watches-and-asks WATCH PATH`: begins the watch, waits for a line on standard input, gets PATH while the watch goes on,
//! and then prints what the watch brings.

use guests::attempt::Request;
use std::io::{self, Write};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (Some(watch), Some(path), None) = (arguments.next(), arguments.next(), arguments.next()) else {
        eprintln!("usage: watches-and-asks WATCH PATH");
        kube_guest::exit(2)
    };
    if let Err(why) = run(&watch, &path) {
        eprintln!("watches-and-asks: {why}");
        kube_guest::exit(1)
    }
}

fn run(watch: &str, path: &str) -> Result<(), String> {
    let mut watch = Request::get(watch).send()?;
    say(&format!("watching: status {}\n", watch.status()))?;
    io::stdin().read_line(&mut String::new()).map_err(|error| error.to_string())?;
    say(&format!("asked: status {}\n", Request::get(path).send()?.status()))?;
    while let Some(piece) = watch.chunk()? {
        say(&String::from_utf8_lossy(&piece))?;
    }
    Ok(())
}

fn say(text: &str) -> Result<(), String> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| error.to_string())
}
