//! `kwasm doctor`: reports the problems on this machine and their remedies.

mod caches;
mod kubeconfig;
mod links;
mod places;
mod plugins;
mod registries;

use std::path::Path;

use serde::Serialize;

use crate::cli::{Connection, Environment, Output};
use crate::cluster::{self, Flags, Kubeconfig};
use crate::message::{Explain, Message, cut};
use crate::reference::PluginName;
use crate::store::{self, Receipt, Store};

use super::table::{Table, shown};
use super::{Ending, Error, Reporter, print};

/// The result of one check.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Check {
    name: &'static str,
    /// The finding, if there is no problem.
    found: String,
    problems: Vec<Problem>,
}

/// A problem.
#[derive(Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Problem {
    /// The subject of the problem, e.g. a file.
    what: String,
    /// The reason why it is a problem.
    why: String,
    /// A command that solves it.
    cure: String,
}

/// The state that the checks look at.
struct Patient<'a> {
    store: &'a Store,
    environment: &'a Environment,
    /// The flags that select a cluster.
    flags: Flags,
    /// The kubeconfig, which is read once since it may come through a pipe.
    kubeconfig: Result<Kubeconfig, cluster::Error>,
    /// The plugins whose receipts can be read.
    plugins: Vec<Receipt>,
    /// The plugins whose receipts cannot be read.
    broken: Vec<(PluginName, store::Error)>,
    /// The reason why the changes of a killed process cannot be repaired.
    unsettled: Option<store::Error>,
}

/// The checks, in the order in which they are reported. They only look, and print nothing.
const CHECKS: [fn(&Patient<'_>) -> Check; 10] = [
    links::path,
    links::links,
    plugins::receipts,
    plugins::contents,
    places::private,
    caches::sizes,
    kubeconfig::contexts,
    kubeconfig::credentials,
    registries::logins_and_configuration,
    registries::trust,
];

/// The checks whose duration depends on the number of plugins.
const DEEP: [fn(&Patient<'_>) -> Check; 2] = [plugins::digests, plugins::compiled];

/// The options of the command.
pub(super) struct Wish {
    pub(super) connection: Connection,
    pub(super) deep: bool,
    pub(super) clean: bool,
    pub(super) output: Output,
}

pub(super) fn doctor(
    store: &Store,
    environment: &Environment,
    reporter: Reporter,
    wish: &Wish,
) -> Result<Ending, Error> {
    let flags = Flags::of(&wish.connection)?;
    let mut cleaned = true;
    if wish.clean
        && let Err(error) = caches::clean(store, reporter)
    {
        reporter.messages(&error.messages());
        cleaned = false;
    }
    let settled = store.settle();
    if matches!(settled, Ok(true)) {
        reporter.note("recovered from an interrupted kwasm");
    }
    let kubeconfig = Kubeconfig::load(environment, &flags);
    let mut patient = Patient {
        store,
        environment,
        flags,
        kubeconfig,
        plugins: Vec::new(),
        broken: Vec::new(),
        unsettled: settled.err(),
    };
    for name in store.names()? {
        match store.receipt(&name) {
            Ok(receipt) => patient.plugins.push(receipt),
            Err(store::Error::Unknown(_)) => {}
            Err(error) => patient.broken.push((name, error)),
        }
    }
    let mut checks: Vec<Check> = CHECKS.iter().map(|check| check(&patient)).collect();
    if wish.deep {
        checks.extend(DEEP.iter().map(|check| check(&patient)));
    }
    tell(&checks, reporter, wish.output)?;
    let well = cleaned && checks.iter().all(|check| check.problems.is_empty());
    Ok(if well { Ending::Done } else { Ending::Faulty })
}

/// Prints the results: everything as data; as a table, the checks and then the problems.
fn tell(checks: &[Check], reporter: Reporter, output: Output) -> Result<(), Error> {
    if output == Output::Name {
        let ill: Vec<&Check> = checks.iter().filter(|check| !check.problems.is_empty()).collect();
        return print(&shown(&ill, output, |_| table(checks), |check| check.name.to_owned()));
    }
    print(&shown(checks, output, |_| table(checks), |check| check.name.to_owned()))?;
    if matches!(output, Output::Table | Output::Wide) {
        for check in checks {
            reporter.messages(&cut(check.problems.iter().map(Problem::message)));
        }
    }
    Ok(())
}

fn table(checks: &[Check]) -> Table {
    let mut table = Table::new(&["CHECK", "FOUND"]);
    for check in checks {
        table.row(check.row().to_vec());
    }
    table
}

impl Check {
    fn row(&self) -> [String; 2] {
        let found = match self.problems.len() {
            0 => self.found.clone(),
            1 => "1 problem".to_owned(),
            several => format!("{several} problems"),
        };
        [self.name.to_owned(), found]
    }
}

impl Problem {
    fn new(what: impl Into<String>, why: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { what: what.into(), why: why.into(), cure: cure.into() }
    }

    /// Returns a problem of a file or folder.
    fn at(path: &Path, why: impl Into<String>, cure: impl Into<String>) -> Self {
        Self::new(path.display().to_string(), why, cure)
    }

    /// Returns the problem that an error describes. `what` is its subject if it has none of its own.
    fn of(what: &str, error: &impl Explain, cure: impl Into<String>) -> Self {
        Self::new(error.subject().unwrap_or_else(|| what.to_owned()), error.reason(), cure)
    }

    fn message(&self) -> Message {
        Message::hinted(format!("{}: {}", self.what, self.why), &self.cure)
    }
}

/// Quotes a word of a command for a shell.
fn word(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-:@+=,~".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    if cfg!(windows) { format!("\"{text}\"") } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// Quotes a path for a shell.
fn path_word(path: &Path) -> String {
    word(&path.display().to_string())
}

/// Returns the command that installs a plugin again.
fn reinstall(receipt: &Receipt) -> String {
    format!("kwasm install {} --as {}", word(&receipt.source), receipt.name)
}

/// Returns a count with its noun: `1 plugin`, `2 plugins`.
fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cure_can_be_pasted_into_a_shell() {
        assert_eq!(word("/a/b-c_d.wasm"), "/a/b-c_d.wasm");
        assert_eq!(word("ghcr.io/a/b:1@sha256:00"), "ghcr.io/a/b:1@sha256:00");
        if !cfg!(windows) {
            assert_eq!(word("/a b/it's"), r"'/a b/it'\''s'");
            assert_eq!(word("$(x)"), "'$(x)'");
        }
    }

    #[test]
    fn an_error_is_a_problem_with_its_reason() {
        let source = std::io::Error::other("gone");
        let error = store::Error::Io { path: "/x".into(), what: "it cannot be read", source };
        assert_eq!(Problem::of("w", &error, "c"), Problem::new("/x", "it cannot be read: gone", "c"));
        let error = store::Error::Unknown("x".parse().unwrap());
        assert_eq!(Problem::of("w", &error, "c"), Problem::new("w", "no plugin `x` is installed", "c"));
        // What looks like the end of a name is a part of it.
        let source = std::io::Error::other("gone");
        let error = store::Error::Io { path: "/a: b".into(), what: "it cannot be read", source };
        assert_eq!(Problem::of("w", &error, "c"), Problem::new("/a: b", "it cannot be read: gone", "c"));
    }
}
