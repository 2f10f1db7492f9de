//! How time and memory of a run grow with what it works on: a tenth, the tenth of that, and all of what the other rows measure.

use std::{
    fmt, fs,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::Result;

use super::{
    first_run, list,
    measure::Samples,
    stage::{Stage, peak_memory, time},
    watches,
};
use crate::{home::Home, places::Places, process, report::title};

const RUNS: usize = 20;
/// The number of first runs, each of which compiles.
const FIRST_RUNS: usize = 5;
/// The sizes beside the smallest one.
const STEPS: [usize; 3] = [1, 10, 100];

/// What grows, and what a run takes then.
pub(crate) struct Growth {
    what: String,
    cells: Vec<Cell>,
}

struct Cell {
    size: String,
    /// The median.
    time: Option<Duration>,
    /// The highest peak, in bytes.
    memory: u64,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.size)?;
        if let Some(time) = self.time {
            write!(f, "{:.1} ms, ", time.as_secs_f64() * 1000.0)?;
        }
        write!(f, "{:.1} MiB", tenths(self.memory))
    }
}

/// Returns mebibytes, to a tenth.
fn tenths(bytes: u64) -> f64 {
    u32::try_from((bytes * 10) >> 20).map_or(f64::INFINITY, |tenths| f64::from(tenths) / 10.0)
}

/// Prints what was measured, as a table.
pub(crate) fn print(all: &[Growth]) {
    for Growth { what, cells } in all {
        println!("| {what} | {} |", cells.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | "));
    }
}

/// Measures what needs no cluster: components, rules, plugins.
pub(crate) fn measure(places: &Places, kwasm: &Path) -> Result<Vec<Growth>> {
    Ok(vec![components(places, kwasm)?, rules(places, kwasm)?, plugins(places, kwasm)?])
}

/// The first run of components of each size, which is compiling them.
fn components(places: &Places, kwasm: &Path) -> Result<Growth> {
    title("growth: components");
    let scratch = places.scratch("bench-growth")?;
    let largest = first_run::build(places, kwasm, "python", "large", scratch.path())?;
    let files = ["hello", "decoder"].map(|name| places.components().join(format!("{name}.wasm")));
    let mut cells = Vec::new();
    for file in files.iter().chain([&largest]) {
        let kilobytes = fs::metadata(file)?.len() / 1000;
        let (mut times, mut memory) = (Vec::new(), 0);
        for _ in 0..FIRST_RUNS {
            let home = Home::new(places, "bench-growth-run", kwasm)?;
            let (time, peak) = first_run::first_byte(&home, file, "baseline")?;
            times.push(time);
            memory = peak.max(memory);
        }
        cells.push(Cell { size: format!("{kilobytes} kB"), time: Some(median(times)), memory });
    }
    Ok(Growth { what: "component, first run".to_owned(), cells })
}

/// A run under a policy of as many rules.
fn rules(places: &Places, kwasm: &Path) -> Result<Growth> {
    title("growth: rules of a policy");
    let home = Home::new(places, "bench-growth", kwasm)?;
    let hello = places.components().join("hello.wasm");
    let cells = STEPS.map(|step| {
        let count = step * 2;
        let policy = home.path().join(format!("{count}.yaml"));
        fs::write(&policy, policy_of(count))?;
        let mut run = home.kwasm()?;
        cell(format!("{count} rules"), run.args(["run", "--policy"]).arg(&policy).arg(&hello))
    });
    Ok(Growth { what: "rules of the policy".to_owned(), cells: cells.into_iter().collect::<Result<_>>()? })
}

fn policy_of(rules: usize) -> String {
    let rules: Vec<String> = (0..rules)
        .map(|number| {
            format!("    - {{apiGroups: [''], resources: [pods], resourceNames: [web-{number}], verbs: [get, list]}}\n")
        })
        .collect();
    let rules = rules.concat();
    format!(
        "apiVersion: kwasm.dev/v1\nkind: Policy\nmetadata: {{name: long}}\nspec:\n  kubernetes:\n    rules:\n{rules}"
    )
}

/// `kwasm list` with as many plugins.
fn plugins(places: &Places, kwasm: &Path) -> Result<Growth> {
    title("growth: installed plugins");
    let home = Home::new(places, "bench-growth", kwasm)?;
    let hello = places.components().join("hello.wasm");
    let mut installed = 0;
    let mut cells = Vec::new();
    for step in STEPS {
        let count = step * 10;
        for number in installed..count {
            let mut install = home.kwasm()?;
            install.arg("install").arg(&hello).args(["--as", &format!("plugin-{number}")]);
            process::output(install.stderr(Stdio::null()))?;
        }
        installed = count;
        cells.push(cell(format!("{count} plugins"), home.kwasm()?.arg("list"))?);
    }
    Ok(Growth { what: "installed plugins, `list`".to_owned(), cells })
}

/// Measures what needs a cluster: the size of a list, the number of watches.
pub(crate) fn at_a_cluster(stage: &Stage<'_>) -> Result<Vec<Growth>> {
    Ok(vec![lists(stage)?, watched(stage)?])
}

fn lists(stage: &Stage<'_>) -> Result<Growth> {
    title("growth: a list");
    list::fill(stage)?;
    let cells = STEPS.map(|step| {
        let path = format!("{}&limit={step}", list::PATH);
        cell(format!("{step} MB"), &mut stage.admins_guest("downloads", &[&path])?)
    });
    Ok(Growth { what: "list".to_owned(), cells: cells.into_iter().collect::<Result<_>>()? })
}

fn watched(stage: &Stage<'_>) -> Result<Growth> {
    title("growth: watches of one guest");
    let cells = STEPS.map(|step| {
        let count = step * 10;
        let memory = watches::memory(stage, &format!("watched-by-{count}"), count)?;
        Ok(Cell { size: format!("{count} watches"), time: None, memory })
    });
    Ok(Growth { what: "watches at once".to_owned(), cells: cells.into_iter().collect::<Result<_>>()? })
}

/// Runs a command, which has run once before, again and again.
fn cell(size: String, command: &mut Command) -> Result<Cell> {
    // The first run may compile.
    time(command)?;
    let memory = peak_memory(command)?;
    let times = (0..RUNS).map(|_| time(command)).collect::<Result<_>>()?;
    Ok(Cell { size, time: Some(median(times)), memory })
}

fn median(times: Vec<Duration>) -> Duration {
    Samples::new(times).quantile(0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_says_its_size_time_and_memory() {
        let time = Some(Duration::from_micros(5250));
        let cell = |time| Cell { size: "10 MB".to_owned(), time, memory: (3 << 20) + (1 << 19) };
        assert_eq!(cell(time).to_string(), "10 MB: 5.2 ms, 3.5 MiB");
        assert_eq!(cell(None).to_string(), "10 MB: 3.5 MiB");
    }
}
