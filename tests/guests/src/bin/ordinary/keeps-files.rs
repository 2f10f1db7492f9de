//! `keeps-files read PATH | write PATH TEXT | list PATH | remove PATH | rename FROM TO`: uses files as a program
//! does that knows nothing of its sandbox.

use std::fs;
use std::io::{self, Write};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["read", path] => fs::read(path).and_then(|content| io::stdout().write_all(&content)),
        ["write", path, text] => fs::write(path, text),
        ["list", path] => list(path),
        ["remove", path] => fs::remove_file(path),
        ["rename", from, to] => fs::rename(from, to),
        _ => {
            eprintln!("usage: keeps-files read|write|list|remove|rename PATH [TEXT|TO]");
            kube_guest::exit(2)
        }
    };
    if let Err(error) = done {
        eprintln!("{}: {error}", words[1..].join(" "));
        kube_guest::exit(1)
    }
}

/// Prints the names in a folder, sorted and quoted.
fn list(path: &str) -> io::Result<()> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path)? {
        names.push(entry?.file_name());
    }
    names.sort();
    let mut out = io::stdout().lock();
    names.iter().try_for_each(|name| writeln!(out, "\"{}\"", name.as_encoded_bytes().escape_ascii()))
}
