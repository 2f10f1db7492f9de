//! `cargo xtask bench`: compares kwasm with its peers in the same run.

mod busy;
mod carry;
mod compare;
mod first_run;
mod growth;
mod install;
mod kube_rs;
mod list;
mod measure;
mod search;
mod secret;
mod serve;
mod stage;
mod startup;
mod ticks;
mod watch;
mod watches;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    str::FromStr,
};

use anyhow::{Context, Result, bail};

use crate::{
    cargo,
    components::{self, Scope},
    places::Places,
    release,
    report::title,
};

use self::{carry::Way, growth::Growth, measure::Line, stage::Stage};

/// A way to the cluster.
#[derive(Clone, Copy, Debug)]
struct Door {
    name: &'static str,
    /// The guest that reads an answer to its end, with its command; the path follows.
    downloads: &'static [&'static str],
    /// The guest that prints what comes of a watch, in the same form.
    follows: &'static [&'static str],
    /// The arguments by which the guest takes this way.
    options: &'static [&'static str],
}

const DOORS: [Door; 3] = [
    Door { name: "http", downloads: &["downloads"], follows: &["follows"], options: &[] },
    Door { name: "sockets", downloads: &["downloads"], follows: &["follows"], options: &["--sockets"] },
    Door { name: "http 0.3", downloads: &["wasi3", "count"], follows: &["wasi3", "follow"], options: &[] },
];

impl Door {
    /// Returns the guest and its arguments.
    fn arguments<'a>(self, guest: &'static [&'static str], path: &'a str) -> (&'static str, Vec<&'a str>) {
        let (name, command) = guest.split_first().map_or(("", &[][..]), |(name, command)| (*name, command));
        (name, [command, &[path], self.options].concat())
    }
}

/// The options of the command.
#[derive(Debug, PartialEq)]
pub(crate) struct Options {
    /// The rows to measure; empty for all.
    pub(crate) rows: Vec<Row>,
    /// The number of runs of each side of a row.
    pub(crate) runs: usize,
    /// Whether a missed bar is a failure.
    pub(crate) check: bool,
    /// The revision to compare with, instead of measuring rows.
    pub(crate) compare: Option<String>,
    /// A program to measure that was built before.
    pub(crate) kwasm: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self { rows: Vec::new(), runs: 200, check: false, compare: None, kwasm: None }
    }
}

/// A measurement with its peer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Row {
    Hello,
    HelloWasi3,
    InstalledHello,
    InstalledBig,
    FirstRun,
    Install,
    Many,
    Search,
    Serve,
    Secret,
    KubeRs,
    Watch,
    Watch1k,
    Watch10k,
    Watches,
    List,
    Exec,
    PortForward,
    Growth,
}

const ROWS: [(&str, Row); 19] = [
    ("hello", Row::Hello),
    ("hello-wasi3", Row::HelloWasi3),
    ("installed-hello", Row::InstalledHello),
    ("installed-big", Row::InstalledBig),
    ("first-run", Row::FirstRun),
    ("install", Row::Install),
    ("many", Row::Many),
    ("search", Row::Search),
    ("serve", Row::Serve),
    ("secret", Row::Secret),
    ("kube-rs", Row::KubeRs),
    ("watch", Row::Watch),
    ("watch-1k", Row::Watch1k),
    ("watch-10k", Row::Watch10k),
    ("watches", Row::Watches),
    ("list", Row::List),
    ("exec", Row::Exec),
    ("port-forward", Row::PortForward),
    ("growth", Row::Growth),
];

impl Row {
    fn needs_cluster(self) -> bool {
        matches!(
            self,
            Self::Secret
                | Self::KubeRs
                | Self::Watch
                | Self::Watch1k
                | Self::Watch10k
                | Self::Watches
                | Self::List
                | Self::Exec
                | Self::PortForward
                | Self::Growth
        )
    }
}

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
    let rows: Vec<Row> = ROWS
        .into_iter()
        .map(|(_, row)| row)
        .filter(|row| options.rows.is_empty() || options.rows.contains(row))
        .collect();
    let kwasm = &match &options.kwasm {
        Some(program) => program.canonicalize().with_context(|| format!("no {}", program.display()))?,
        None => release::build(places)?,
    };
    title("building the guests");
    components::build(places, Scope::Workspace)?;

    let mut result = Measured::default();
    let measured = match &options.compare {
        Some(revision) => compare(places, kwasm, revision, options.runs, &mut result.lines),
        None => measure(places, kwasm, &rows, options.runs, &mut result),
    };
    // If one cannot be measured, those before it were.
    title("result");
    measure::print(&result.lines);
    growth::print(&result.growth);
    measured?;
    let missed = result.lines.iter().any(|line| !line.passes());
    Ok(if missed && options.check { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What has been measured.
#[derive(Default)]
struct Measured {
    lines: Vec<Line>,
    growth: Vec<Growth>,
}

/// Measures this kwasm beside another revision.
fn compare(places: &Places, kwasm: &Path, revision: &str, runs: usize, lines: &mut Vec<Line>) -> Result<()> {
    let other = compare::build(places, revision)?;
    lines.extend(compare::measure(places, [kwasm, &other], runs)?);
    title("starting a control plane");
    let stage = Stage::new(places, kwasm)?;
    lines.extend(compare::at_a_cluster(&stage, &stage.beside(&other)?, runs)?);
    Ok(())
}

fn measure(places: &Places, kwasm: &Path, rows: &[Row], runs: usize, result: &mut Measured) -> Result<()> {
    let lines = &mut result.lines;
    let startup: Vec<_> = startup::ROWS.iter().filter(|startup| rows.contains(&startup.row)).collect();
    if !startup.is_empty() {
        lines.extend(startup::measure(places, kwasm, &startup, runs)?);
    }
    if rows.contains(&Row::FirstRun) {
        lines.extend(first_run::measure(places, kwasm, runs)?);
    }
    if rows.contains(&Row::Install) {
        lines.extend(install::measure(places, kwasm)?);
    }
    if rows.contains(&Row::Many) {
        lines.extend(install::many(places, kwasm, runs)?);
    }
    if rows.contains(&Row::Search) {
        lines.extend(search::measure(places, kwasm, runs)?);
    }
    if rows.contains(&Row::Serve) {
        lines.extend(serve::measure(places, kwasm, runs)?);
    }
    if rows.contains(&Row::Growth) {
        result.growth.extend(growth::measure(places, kwasm)?);
    }
    if rows.iter().any(|row| row.needs_cluster()) {
        at_a_cluster(places, kwasm, rows, runs, result)?;
    }
    Ok(())
}

/// Measures the rows that need a cluster, all at the same one.
fn at_a_cluster(
    places: &Places,
    kwasm: &Path,
    rows: &[Row],
    runs: usize,
    result: &mut Measured,
) -> Result<()> {
    title("starting a control plane");
    let stage = Stage::new(places, kwasm)?;
    for row in rows.iter().filter(|row| row.needs_cluster()) {
        result.lines.extend(match row {
            Row::Hello
            | Row::HelloWasi3
            | Row::InstalledHello
            | Row::InstalledBig
            | Row::FirstRun
            | Row::Install
            | Row::Many
            | Row::Search
            | Row::Serve => Vec::new(),
            Row::Secret => secret::measure(&stage, runs)?,
            Row::KubeRs => kube_rs::measure(places, &stage)?,
            Row::Watch => watch::measure(&stage, runs)?,
            Row::Watch1k => busy::real(&stage)?,
            Row::Watch10k => {
                title("building the embedded API server in release");
                let programs = cargo::build_release(places, "kwasm-apiserver")?;
                busy::embedded(&stage, cargo::program(&programs, "kwasm-apiserver")?)?
            }
            Row::Watches => watches::measure(&stage)?,
            Row::List => list::measure(&stage)?,
            Row::Exec => carry::measure(&stage, Way::Exec)?,
            Row::PortForward => carry::measure(&stage, Way::Forward)?,
            Row::Growth => {
                result.growth.extend(growth::at_a_cluster(&stage)?);
                Vec::new()
            }
        });
    }
    Ok(())
}
