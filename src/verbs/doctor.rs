//! `kwasm doctor`: reports the problems on this machine and their remedies.

mod caches;
mod check;
mod indexes;
mod kubeconfig;
mod links;
mod places;
mod plugins;
mod registries;
mod system;

use crate::cli::Output;
use crate::cluster::{Flags, Kubeconfig};
use crate::environment::{Connection, Environment};
use crate::message::{Explain, cut};
use crate::store::{self, Store};

use self::check::{Check, Patient, Problem};
use super::table::{Table, shown};
use super::{Ending, Error, Reporter, print};

/// The checks, in the order in which they are reported. They only look, and print nothing.
const CHECKS: [fn(&Patient<'_>) -> Check; 12] = [
    system::code,
    links::path,
    links::links,
    plugins::receipts,
    plugins::contents,
    places::private,
    caches::sizes,
    indexes::kept,
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
