//! Walks the street, one verb a file.

mod install;
mod list;
mod policy;
mod run;
mod uninstall;
mod voice;

use std::io::{self, Write};
use std::path::PathBuf;

use crate::cli::{self, Command, Environment};
use crate::cluster;
use crate::inspect;
use crate::policy::Fault;
use crate::reference::NameError;
use crate::registry;
use crate::runtime::{self, Outcome};
use crate::store::{self, Places, Store};

pub(crate) use self::voice::{Voice, one_line};

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
    #[error("there is no policy `{0}`")]
    NoPolicy(String),
    #[error("it is no policy")]
    Policy(Vec<Fault>),
    #[error("{}: it cannot be read", path.display())]
    PolicyFile { path: PathBuf, source: io::Error },
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
    let voice = Voice::of(environment).quieter(Command::is_quiet(environment));
    let store = || Places::of(environment).ok_or(Error::NoHome).map(Store::new);
    match command {
        Command::CheckPolicy { files } => policy::check(voice, &files),
        Command::ExplainRequest { method, path, policy, namespace, output } => {
            policy::explain(&method, &path, policy.as_deref(), namespace.as_deref(), output)
        }
        Command::Install { source, name, policy } => {
            install::install(&store()?, environment, voice, &source, name, policy.as_deref())
        }
        Command::List { output } => list::list(&store()?, voice, output),
        Command::Run { source, policy, verbose, arguments } => {
            let wish = run::Wish { source, policy, verbose, arguments };
            run::run(&store()?, environment, voice, wish)
        }
        Command::Show(_) => Ok(Ending::Done),
        Command::Uninstall { names } => uninstall::uninstall(&store()?, voice, &names),
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
