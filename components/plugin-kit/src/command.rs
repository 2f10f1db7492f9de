//! A plugin's command, and how it is run.

use crate::{Arguments, Failure, Flag, complete, help};
use kube_guest::{Cluster, Error, for_terminal_line};
use std::io::{self, Write};

/// A plugin's command, as it is typed after `kubectl`.
#[derive(Debug)]
pub struct Command {
    /// The plugin's name, such as `tree`.
    pub name: &'static str,
    /// The plugin's version.
    pub version: &'static str,
    /// What it does: the first sentence of the help.
    pub about: &'static str,
    /// What may follow the name, a line for each form, such as `KIND NAME [-n NAMESPACE]`.
    pub usage: &'static [&'static str],
    /// Its flags, but for `--help` and `--version`, which all plugins have.
    pub flags: &'static [&'static Flag],
    /// What else the help says, in lines of at most 80 columns.
    pub notes: &'static str,
    /// Returns the candidates for the next name: see [`Completing`].
    pub complete: Option<Completing>,
}

/// Returns the candidates for the next name, by what is typed before it. Each may be followed by a tab and a description. Those
/// that do not begin with what is being typed are left out by the caller.
pub type Completing = fn(&Cluster, &Arguments) -> Result<Vec<String>, Error>;

impl Command {
    pub(crate) fn long(&self, name: &str) -> Option<&'static Flag> {
        self.flags.iter().copied().find(|flag| flag.long == name)
    }

    pub(crate) fn short(&self, name: char) -> Option<&'static Flag> {
        self.flags.iter().copied().find(|flag| flag.short == Some(name))
    }
}

/// Runs a plugin: `run` with the command line, or the help, the version, a completion. It ends the program.
pub fn main(command: &'static Command, run: fn(&Arguments) -> Result<(), Failure>) -> ! {
    let typed: Vec<String> = std::env::args().skip(1).collect();
    let result = match typed.split_first() {
        Some((word, typed)) if word == complete::WORD => print(&complete::complete(command, typed)),
        _ if help::is_asked(command, &typed, &["-h", "--help"]) => print(&help::text(command)),
        _ if help::is_asked(command, &typed, &["--version"]) => {
            print(&format!("{} {}\n", command.name, command.version))
        }
        _ => Arguments::read(command, typed).map_err(Failure::Usage).and_then(|arguments| run(&arguments)),
    };
    match result {
        Ok(()) => kube_guest::finish(command.name, Ok(())),
        Err(Failure::Output(error)) => kube_guest::finish(command.name, Err(error)),
        Err(Failure::Code(code)) => kube_guest::exit(code),
        Err(Failure::Usage(why)) => {
            eprintln!("{}: {}\n{}", command.name, for_terminal_line(&why), help::usage(command));
            kube_guest::exit(2)
        }
        Err(Failure::Message { what, hint }) => {
            // What the plugin has printed so far stands before the reason why there is no more.
            drop(io::stdout().flush());
            eprintln!("{}: {what}", command.name);
            if let Some(hint) = hint {
                eprintln!("hint: {hint}");
            }
            kube_guest::exit(1)
        }
    }
}

fn print(text: &str) -> Result<(), Failure> {
    Ok(io::stdout().lock().write_all(text.as_bytes())?)
}
