//! `kwasm doctor`: what is wrong on this machine, and what helps.

mod caches;
mod check;
mod kubeconfig;
mod links;
mod places;
mod plugins;
mod registries;

use crate::cli::Output;
use crate::cluster::{Flags, Kubeconfig};
use crate::environment::{Connection, Environment};
use crate::store::{self, Store};

use self::check::{Check, Patient, Problem};
use super::table::{Table, json, yaml};
use super::{Ending, Error, Voice, chain, print};

/// The checks, in the order in which they are told: each looks, and says nothing.
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

/// Those that take as long as there are plugins.
const DEEP: [fn(&Patient<'_>) -> Check; 2] = [plugins::digests, plugins::compiled];

/// What is to be looked at, and how.
pub(super) struct Wish {
    pub(super) connection: Connection,
    pub(super) deep: bool,
    pub(super) clean: bool,
    pub(super) output: Output,
}

pub(super) fn doctor(
    store: &Store,
    environment: &Environment,
    voice: Voice,
    wish: &Wish,
) -> Result<Ending, Error> {
    let flags = Flags::of(&wish.connection)?;
    let mut cleaned = true;
    if wish.clean
        && let Err(error) = caches::clean(store, voice)
    {
        voice.fault(&chain(&error));
        cleaned = false;
    }
    let settled = store.settle();
    if matches!(settled, Ok(true)) {
        voice.note("a kwasm had been killed at its work: what it left is put right");
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
    tell(&checks, voice, wish.output)?;
    let well = cleaned && checks.iter().all(|check| check.problems.is_empty());
    Ok(if well { Ending::Done } else { Ending::Faulty })
}

/// Prints what was found: as data all of it, as a table what was looked at, and beside it what is wrong.
fn tell(checks: &[Check], voice: Voice, output: Output) -> Result<(), Error> {
    match output {
        Output::Json => print(&json(checks)),
        Output::Yaml => print(&yaml(checks)),
        Output::Name => {
            let ill = checks.iter().filter(|check| !check.problems.is_empty());
            print(&ill.flat_map(|check| [check.name, "\n"]).collect::<String>())
        }
        Output::Table | Output::Wide => {
            let mut table = Table::new(&["CHECK", "FOUND"]);
            for check in checks {
                table.row(check.row().to_vec());
            }
            print(&table.text())?;
            for Problem { what, why, cure } in checks.iter().flat_map(|check| &check.problems) {
                voice.fault(&format!("{what}: {why}"));
                voice.hint(cure);
            }
            Ok(())
        }
    }
}
