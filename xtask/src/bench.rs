//! `cargo xtask bench`: kwasm against its peers, in the same run.

mod measure;
mod startup;
mod watch;

use std::{process::ExitCode, str::FromStr};

use anyhow::{Result, bail};

use crate::{
    cargo,
    components::{self, Scope},
    places::Places,
    report::title,
};

/// What to measure, and how.
#[derive(Debug, PartialEq)]
pub(crate) struct Options {
    /// All rows, where none is named.
    pub(crate) rows: Vec<Row>,
    /// Runs of each side of a row.
    pub(crate) runs: usize,
    /// A missed bar is a failure.
    pub(crate) check: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { rows: Vec::new(), runs: 200, check: false }
    }
}

/// A measurement with its peer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Row {
    Hello,
    InstalledHello,
    InstalledBig,
    Watch,
}

const ROWS: [(&str, Row); 4] = [
    ("hello", Row::Hello),
    ("installed-hello", Row::InstalledHello),
    ("installed-big", Row::InstalledBig),
    ("watch", Row::Watch),
];

impl FromStr for Row {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> Result<Self> {
        if let Some((_, row)) = ROWS.iter().find(|(known, _)| *known == name) {
            return Ok(*row);
        }
        let names: Vec<_> = ROWS.iter().map(|(name, _)| *name).collect();
        bail!("no row `{name}`; there are {}", names.join(", "))
    }
}

pub(crate) fn run(places: &Places, options: &Options) -> Result<ExitCode> {
    let wanted = |row: Row| options.rows.is_empty() || options.rows.contains(&row);
    title("building kwasm in release");
    let mut build = cargo::command(&places.root);
    build.args(["build", "--release", "--locked", "--package", "kwasm", "--bins"]);
    let programs = cargo::build(&mut build)?;
    let kwasm = cargo::program(&programs, "kwasm")?;
    title("building the guests");
    components::build(places, Scope::Workspace)?;

    let mut lines = Vec::new();
    let rows: Vec<_> = startup::ROWS.iter().filter(|row| wanted(row.row)).collect();
    if !rows.is_empty() {
        lines.extend(startup::measure(places, kwasm, &rows, options.runs)?);
    }
    if wanted(Row::Watch) {
        lines.extend(watch::measure(places, kwasm, options.runs)?);
    }
    title("result");
    measure::print(&lines);
    let missed = lines.iter().any(|line| !line.passes());
    Ok(if missed && options.check { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
