//! A credential plugin for tests: `kwasm-credential-helper FOLDER [ARG…]`.
//!
//! FOLDER determines its behaviour. It appends a line of JSON with its input to `runs`, and prints `answer-N`
//! in its Nth run, or the last existing one. If a file of the name exists, it `reads` a line from standard
//! input into `line`, `hangs` after writing its id to `id`, `floods` standard output endlessly, or `fails`
//! with the code in it and a message on stderr.

#![expect(
    clippy::disallowed_methods,
    reason = "by its environment a credential plugin is told what is asked of it"
)]

use std::fs::{self, OpenOptions};
use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use serde_json::json;

fn main() -> ExitCode {
    match run() {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            // If standard error is closed as well, there is no way to report it.
            drop(writeln!(io::stderr(), "kwasm-credential-helper: {error}"));
            ExitCode::from(99)
        }
    }
}

fn run() -> io::Result<u8> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or(io::ErrorKind::InvalidInput)?;
    let folder = Path::new(&folder);
    let variable = |name| std::env::var(name).ok();
    let given = json!({
        "arguments": arguments.collect::<Vec<_>>(),
        "info": variable("KUBERNETES_EXEC_INFO"),
        "variable": variable("HELPER_VARIABLE"),
        "home": variable("HOME"),
        "terminal": io::stdin().is_terminal(),
    });
    let mut runs = OpenOptions::new().create(true).append(true).open(folder.join("runs"))?;
    runs.write_all(format!("{given}\n").as_bytes())?;
    let number = fs::read_to_string(folder.join("runs"))?.lines().count();

    if folder.join("reads").exists() {
        let mut line = String::new();
        io::stdin().read_line(&mut line)?;
        fs::write(folder.join("line"), line)?;
    }
    if folder.join("hangs").exists() {
        fs::write(folder.join("id.new"), std::process::id().to_string())?;
        fs::rename(folder.join("id.new"), folder.join("id"))?;
        // Ends by itself if it is not ended.
        thread::sleep(Duration::from_mins(2));
    }
    if folder.join("floods").exists() {
        let mut out = io::stdout().lock();
        loop {
            out.write_all(&[b'x'; 4096])?;
        }
    }
    if let Ok(code) = fs::read_to_string(folder.join("fails")) {
        writeln!(io::stderr(), "the helper says why")?;
        return code.trim().parse().map_err(io::Error::other);
    }
    let answer = (1..=number).rev().find_map(|number| fs::read(folder.join(format!("answer-{number}"))).ok());
    io::stdout().write_all(&answer.unwrap_or_default())?;
    Ok(0)
}
