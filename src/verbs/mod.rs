//! Runs the commands, one file for each verb.

mod cluster;
mod complete;
mod declared;
mod doctor;
mod fetch;
mod hints;
mod inspect;
mod install;
mod list;
mod load;
mod papers;
mod policy;
mod progress;
mod publish;
mod release;
mod reporter;
mod run;
mod save;
mod table;
mod uninstall;
mod upgrade;
mod verify;

use std::io::{self, Write};
use std::path::PathBuf;

use crate::cli::{self, Command, Environment};
use crate::document::Fault;
use crate::platform::stdio::Stdout;
use crate::reference::{NameError, PluginName};
use crate::registry::{self, signature, trust};
use crate::runtime::{self, Outcome};
use crate::store::{self, Places, Store, layout};

pub(crate) use self::reporter::Reporter;

/// The successful endings of a command.
#[derive(Debug, Eq, PartialEq)]
pub enum Ending {
    /// Completed as requested.
    Done,
    /// Completed, and reported problems.
    Faulty,
    /// Interrupted by the user.
    Interrupted,
    /// A plugin ran.
    Ran(Outcome),
}

/// The reason why a command failed: the errors of the rooms, unchanged.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each is the error of the room it is named after")]
pub enum Error {
    #[error("{archive}")]
    Archive { archive: String, source: layout::Error },
    #[error(transparent)]
    Cli(#[from] cli::Error),
    #[error(transparent)]
    Cluster(#[from] crate::cluster::Error),
    #[error("{path}")]
    Inspect { path: String, source: crate::inspect::Error },
    #[error(transparent)]
    Name(#[from] NameError),
    #[error("{0}")]
    NoCluster(String),
    #[error("there is no home directory to keep plugins in")]
    NoHome,
    #[error("there is no policy `{0}`")]
    NoPolicy(String),
    #[error("it is not a policy")]
    Policy(Vec<Fault>),
    #[error("{}: it cannot be read", path.display())]
    PolicyFile { path: PathBuf, source: io::Error },
    #[error("{0}: it was not installed from a registry, so it has no signatures")]
    NoArtifact(String),
    #[error("there is no command `{0}`, so there is no page about it")]
    NoPage(String),
    #[error("`{0}` is an installed plugin, not a source to install from")]
    NotFetched(PluginName),
    #[error("{}: it is not a public key", path.display())]
    Key { path: PathBuf, source: signature::KeyError },
    #[error("{}: it cannot be used to sign", path.display())]
    PrivateKey { path: PathBuf, source: signature::PrivateKeyError },
    #[error("these keys cannot be used together")]
    Keys(#[source] signature::KeySetError),
    #[error("{reference}: it is in a folder, which holds no signatures")]
    InFolder { reference: String, source: trust::Refusal },
    #[error("{reference}: cannot determine whether it is signed")]
    SignatureLookup { reference: String, source: registry::Error },
    #[error("{reference}: its configuration does not mention {package}, which it imports")]
    Hidden { reference: String, package: &'static str },
    #[error("{reference}: it is not signed, and {before} was, which it would replace")]
    SignatureLost { reference: String, before: String },
    #[error(
        "{reference}: no signature of {signers} can be verified, and {before} had one, which it would replace"
    )]
    SignerLost { reference: String, before: String, signers: String },
    #[error("it is not a valid trust file")]
    Trust(Vec<Fault>),
    #[error("several things went wrong")]
    Several(Vec<(String, Self)>),
    #[error("two of these would be called `{0}`")]
    Twice(PluginName),
    #[error("{reference}")]
    Unsigned { reference: String, source: signature::Error },
    #[error("{reference}")]
    Untrusted { reference: String, source: trust::Refusal },
    #[error("an archive is not written to a terminal")]
    Terminal,
    #[error("{}: it cannot be written to", path.display())]
    Unwritten { path: PathBuf, source: io::Error },
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

/// Executes the command line.
///
/// # Errors
/// If it fails; then nothing is left half-done.
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
    let reporter = Reporter::of(environment).quieter(Command::is_quiet(environment));
    let store = || Places::of(environment).ok_or(Error::NoHome).map(Store::new);
    match command {
        Command::CheckPolicy { files } => policy::check(reporter, &files),
        Command::Complete { name, arguments } => complete::complete(environment, &name, &arguments),
        Command::Cluster { connection, check, verbose, output } => {
            let wish = cluster::Wish { connection, check, verbose, output };
            cluster::cluster(environment, reporter, &wish)
        }
        Command::Completion(shell) => papers::completion(shell),
        Command::Doctor { connection, deep, clean, output } => {
            let wish = doctor::Wish { connection, deep, clean, output };
            doctor::doctor(&store()?, environment, reporter, &wish)
        }
        Command::ExplainRequest { method, path, policy, namespace, output } => {
            policy::explain(&method, &path, policy.as_deref(), namespace.as_deref(), output)
        }
        Command::Inspect { source, output } => {
            inspect::inspect(&store()?, environment, reporter, &source, output)
        }
        Command::Install { sources, name, policy } => {
            install::install(&store()?, environment, reporter, &sources, name.as_ref(), policy.as_deref())
        }
        Command::List { output } => list::list(&store()?, reporter, output),
        Command::Load { archive, policy } => {
            load::load(&store()?, environment, reporter, &archive, policy.as_deref())
        }
        Command::Man { folder, command } => papers::man(reporter, folder.as_deref(), command.as_deref()),
        Command::Outdated { output } => upgrade::outdated(&store()?, environment, reporter, output),
        Command::Publish { file, target, key, adapt, output } => {
            let wish = publish::Wish { file, target, key, adapt, output };
            publish::publish(environment, reporter, &wish)
        }
        Command::Run { source, policy, verbose, arguments } => {
            let wish = run::Wish { source, policy, verbose, arguments };
            run::run(&store()?, environment, reporter, wish)
        }
        Command::Save { names, archive } => save::save(&store()?, environment, reporter, &names, &archive),
        Command::Show(_) => Ok(Ending::Done),
        Command::Uninstall { names } => uninstall::uninstall(&store()?, reporter, &names),
        Command::Upgrade { names } => upgrade::upgrade(&store()?, environment, reporter, &names),
        Command::Verify { source, keys, output } => {
            verify::verify(&store()?, environment, reporter, &source, &keys, output)
        }
    }
}

/// Prints data. A closed standard output is not an error, as forevery filter.
fn print(text: &str) -> Result<(), Error> {
    match Stdout.write_all(text.as_bytes()).and_then(|()| Stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::Stdout(error)),
        _ => Ok(()),
    }
}
