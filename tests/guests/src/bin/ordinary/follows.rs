//! `follows PATH [--sockets]`: gets PATH, a watch or a log, and prints each line as it arrives; for a watch,
//! the name of its object. `--sockets` uses the socket door, by hand.

use guests::doors::{Answer, Door};
use guests::event;
use kube_guest::LineBuffer;
use std::io::{self, BufWriter, Write};

fn main() {
    let Some((path, door)) = parse(std::env::args().skip(1)) else {
        eprintln!("usage: follows PATH [--sockets]");
        kube_guest::exit(2)
    };
    let mut answer = Answer::get(door, &path).unwrap_or_else(|why| fail(&why));
    kube_guest::finish("follows", follow(&mut answer))
}

fn parse(arguments: impl Iterator<Item = String>) -> Option<(String, Door)> {
    let (mut path, mut door) = (None, Door::Http);
    for argument in arguments {
        match argument.as_str() {
            "--sockets" => door = Door::Sockets,
            _ if path.is_none() => path = Some(argument),
            _ => return None,
        }
    }
    Some((path?, door))
}

/// Prints each line as soon as it is there, and those together that come together.
fn follow(answer: &mut Answer) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(64 << 10, io::stdout().lock());
    let mut lines = LineBuffer::default();
    loop {
        match answer.piece() {
            Ok(Some(piece)) => lines.push(piece.to_vec()),
            Ok(None) => return out.flush(),
            Err(why) => fail(&why),
        }
        while let Some(line) = lines.next_line() {
            out.write_all(event::name(line).unwrap_or(line))?;
            out.write_all(b"\n")?;
        }
        out.flush()?;
    }
}

fn fail(why: &str) -> ! {
    eprintln!("follows: {why}");
    kube_guest::exit(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_path_is_a_usage_error() {
        let parse = |line: &str| parse(line.split(' ').map(str::to_owned));
        assert_eq!(parse("/p --sockets"), Some(("/p".to_owned(), Door::Sockets)));
        assert_eq!(parse("/p"), Some(("/p".to_owned(), Door::Http)));
        assert_eq!(parse("/p /q"), None);
        assert_eq!(parse("--sockets"), None);
    }
}
