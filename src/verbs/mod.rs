//! Walks the street, one verb a file.

mod install;
mod list;
mod run;
mod uninstall;

use std::io::{self, Write};
use std::path::PathBuf;

use crate::cli::{self, Command, Environment};
use crate::cluster;
use crate::inspect;
use crate::policy::UnknownPolicy;
use crate::reference::NameError;
use crate::registry;
use crate::runtime::{self, Outcome};
use crate::store::{self, Places, Store};

/// How a command ended well.
#[derive(Debug, Eq, PartialEq)]
pub enum Ending {
    /// It did what it was asked.
    Done,
    /// A plugin ran.
    Ran(Outcome),
}

/// Why a command could not do what it was asked: the errors of the rooms, each as it is.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each is the error of the room it is named after")]
pub enum Error {
    #[error(transparent)]
    Cli(#[from] cli::Error),
    #[error(transparent)]
    Cluster(#[from] cluster::Error),
    #[error("{path}")]
    Inspect { path: String, source: inspect::Error },
    #[error(transparent)]
    Name(#[from] NameError),
    #[error("there is no home directory, so there is no place for plugins")]
    NoHome,
    #[error(transparent)]
    Policy(#[from] UnknownPolicy),
    #[error("`{0}` is no file: give a path (./{0}.wasm)")]
    NotAFile(String),
    #[error("{name}: {} is not absolute", path.display())]
    Relative { name: &'static str, path: PathBuf },
    #[error(transparent)]
    Registry(#[from] registry::Error),
    #[error(transparent)]
    Runtime(#[from] runtime::Error),
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("stdout cannot be written to")]
    Stdout(#[source] io::Error),
}

/// Does what argv says.
///
/// # Errors
/// When it cannot be done; nothing is half-done then.
pub fn perform(environment: &Environment) -> Result<Ending, Error> {
    let command = Command::read(environment)?;
    if let Command::Show(text) = &command {
        print(text)?;
        return Ok(Ending::Done);
    }
    for name in ["KWASM_HOME", "KWASM_BIN_DIR"] {
        // It would be another place in another folder.
        if let Some(path) = environment.path(name).filter(|path| path.is_relative()) {
            return Err(Error::Relative { name, path });
        }
    }
    let store = Store::new(Places::of(environment).ok_or(Error::NoHome)?);
    match command {
        Command::Install { source, name, policy } => {
            install::install(&store, environment, &source, name, policy.as_deref())
        }
        Command::List { output } => list::list(&store, output),
        Command::Run { source, policy, arguments } => {
            run::run(&store, environment, &source, policy.as_deref(), arguments)
        }
        Command::Show(_) => Ok(Ending::Done),
        Command::Uninstall { names } => uninstall::uninstall(&store, &names),
    }
}

/// Prints data. That nobody reads it any more is no error, as for every filter.
fn print(text: &str) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::Stdout(error)),
        _ => Ok(()),
    }
}

/// Says something about what was done. A closed stderr keeps nobody from doing it.
fn say(text: &str) {
    drop(writeln!(io::stderr().lock(), "{}", one_line(text)));
}

/// The longest line that is shown whole, in characters.
const SHOWN: usize = 2000;

/// A text as it may be shown on a terminal. Names in components, kubeconfigs and files are anybody's: none of them
/// moves the cursor, turns the direction of writing, or begins a line that looks like one of kwasm's own.
pub(crate) fn one_line(text: &str) -> String {
    let drives = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut shown = String::with_capacity(text.len());
    for character in text.chars().take(SHOWN) {
        if drives(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cannot_drive_the_terminal_or_forge_a_line() {
        let shown = one_line("a\u{1b}[2K\r\nkwasm: installed \u{202e}b");
        assert_eq!(shown, "a\\u{1b}[2K\\u{d}\\u{a}kwasm: installed \\u{202e}b");
        assert_eq!(one_line(&"x".repeat(5000)).chars().count(), SHOWN + 1);
    }
}
