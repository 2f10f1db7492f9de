//! The duration of a plugin's run, with warm caches and no contact to a cluster.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use super::{
    Row,
    measure::{self, Line, Samples},
};
use crate::{home::Home, places::Places, process, report::title, tools};

/// A component, and the way in which kwasm runs it.
#[derive(Debug)]
pub(crate) struct Startup {
    pub(crate) row: Row,
    name: &'static str,
    component: &'static str,
    /// Whether it runs through its link instead of by `kwasm run FILE`.
    installed: bool,
}

pub(crate) const ROWS: [Startup; 4] = [
    Startup { row: Row::Hello, name: "hello", component: "hello", installed: false },
    Startup { row: Row::HelloWasi3, name: "hello-wasi3", component: "hello-wasi3", installed: false },
    Startup { row: Row::InstalledHello, name: "installed-hello", component: "hello", installed: true },
    Startup { row: Row::InstalledBig, name: "installed-big", component: "big", installed: true },
];

const PEER: &str = "wasmtime run --allow-precompiled";
const BAR: f64 = 0.48;
/// The number of runs before the first sample. They compile, and fill the system's caches.
const WARM_UP: usize = 5;

/// Measures rows one after the other.
pub(crate) fn measure(places: &Places, kwasm: &Path, rows: &[&Startup], runs: usize) -> Result<Vec<Line>> {
    title("building the peer");
    let wasmtime = tools::WASMTIME.find_or_build(places)?;
    let bench = Bench { places, wasmtime: &wasmtime, home: Home::new(places, "bench-startup", kwasm)? };
    rows.iter().map(|row| bench.measure(row, runs)).collect()
}

struct Bench<'a> {
    places: &'a Places,
    wasmtime: &'a Path,
    home: Home,
}

impl Bench<'_> {
    fn measure(&self, row: &Startup, runs: usize) -> Result<Line> {
        title(&format!("{}: {runs} runs of each", row.name));
        let file = self.places.components().join(format!("{}.wasm", row.component));
        let mut ours = if row.installed { self.installed(row, &file)? } else { self.run(&file)? };
        let mut theirs = self.precompiled(row, &file)?;
        same_output(&mut ours, &mut theirs)?;
        let (ours, theirs) = interleaved(&mut ours, &mut theirs, runs)?;
        Ok(Line::of_medians(row.name, PEER, &ours, &theirs, BAR))
    }

    fn run(&self, file: &Path) -> Result<Command> {
        let mut command = self.home.kwasm()?;
        command.arg("run").arg(file);
        Ok(command)
    }

    fn installed(&self, row: &Startup, file: &Path) -> Result<Command> {
        process::output(self.home.kwasm()?.arg("install").arg(file))?;
        self.home.command(self.home.link(row.component))
    }

    fn precompiled(&self, row: &Startup, file: &Path) -> Result<Command> {
        let compiled = self.home.path().join(format!("{}.cwasm", row.component));
        let mut compile = Command::new(self.wasmtime);
        compile.arg("compile");
        if row.row == Row::HelloWasi3 {
            compile.args(["-W", "component-model-async"]);
        }
        process::run(compile.arg(file).arg("-o").arg(&compiled))?;
        let mut command = Command::new(self.wasmtime);
        command.args(["run", "--allow-precompiled"]);
        if row.row == Row::HelloWasi3 {
            command.args(["-S", "p3", "-W", "component-model-async"]);
        }
        command.arg(compiled);
        Ok(command)
    }
}

/// Checks that both sides print the same. A side that fails quickly would win.
fn same_output(ours: &mut Command, theirs: &mut Command) -> Result<()> {
    let (our_text, their_text) = (process::output(ours)?, process::output(theirs)?);
    if our_text != their_text || our_text.is_empty() {
        bail!("the two sides print different things: {our_text:?} and {their_text:?}");
    }
    Ok(())
}

/// Warms up both sides, then runs them in turn.
fn interleaved(ours: &mut Command, theirs: &mut Command, runs: usize) -> Result<(Samples, Samples)> {
    for command in [&mut *ours, &mut *theirs] {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        for _ in 0..WARM_UP {
            time(command)?;
        }
    }
    measure::interleaved(runs, || time(ours), || time(theirs))
}

fn time(command: &mut Command) -> Result<Duration> {
    let start = Instant::now();
    let status = command.status().with_context(|| format!("cannot start `{}`", process::shown(command)))?;
    let took = start.elapsed();
    if !status.success() {
        bail!("`{}` failed: {status}", process::shown(command));
    }
    Ok(took)
}
