//! `cargo xtask languages`: runs plugins that are not written in Rust, which list the pods of a real API
//! server.
//!
//! Not part of continuous integration, which therefore needs neither Node.js nor Python.

mod build;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::{
    cargo,
    home::Home,
    places::Places,
    plane::ControlPlane,
    process,
    report::{Report, title},
};

/// A language, and the tool that builds its plugin.
struct Language {
    name: &'static str,
    build: fn(&Places) -> Result<PathBuf>,
}

const LANGUAGES: [Language; 2] = [
    Language { name: "JavaScript", build: build::javascript },
    Language { name: "Python", build: build::python },
];

const NAMESPACE: &str = "shop";
/// The output of the plugins, as a format of kubectl.
const NAME_PHASE: &str = r#"jsonpath={range .items[*]}{.metadata.name} {.status.phase}{"\n"}{end}"#;
const REFUSAL: &str =
    "pods: refused by kwasm: list pods in namespace shop: the policy `none` does not allow it";
/// The number of runs of a compiled plugin, of which the median is reported.
const RUNS: usize = 21;

pub(crate) fn run(places: &Places) -> Result<ExitCode> {
    let mut report = Report::default();
    let result = steps(places, &mut report);
    report.print();
    result?;
    Ok(if report.failed() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn steps(places: &Places, report: &mut Report) -> Result<()> {
    let programs = report.step("building kwasm", || cargo::build_dev(places, &["kwasm"]))?;
    let plane = report.step("starting a control plane", || ControlPlane::start(places))?;
    let pods = report.step("creating a pod that runs, and one that has no node", || {
        create_pods(&plane, &Home::new(places, "languages", cargo::program(&programs, "kwasm")?)?)
    })?;
    for language in LANGUAGES {
        report.check(language.name, || {
            let component = (language.build)(places)?;
            // An empty home: the compiled code is in another one.
            let home = Home::new(places, "languages", cargo::program(&programs, "kwasm")?)?;
            let plugin = Plugin { home, component: &component, plane: &plane };
            title(&format!("{}: running", language.name));
            plugin.lists(&pods)?;
            plugin.is_refused()
        });
    }
    Ok(())
}

/// Creates the pods, and returns kubectl's output for them.
fn create_pods(plane: &ControlPlane, home: &Home) -> Result<String> {
    let kubectl = |words: &[&str]| {
        let mut kubectl = plane.kubectl(home)?;
        process::output(plane.as_admin(&mut kubectl)?.args(words))
    };
    kubectl(&["create", "namespace", NAMESPACE])?;
    let within = |words: &[&str]| kubectl(&[words, &["--namespace", NAMESPACE]].concat());
    // Without it the API server takes no pods.
    within(&["wait", "--for=create", "--timeout=30s", "serviceaccount/default"])?;
    within(&["run", "web", "--image=scratch"])?;
    let nowhere = r#"--overrides={"spec": {"nodeSelector": {"none": "such"}}}"#;
    within(&["run", "stuck", "--image=scratch", nowhere])?;
    within(&["wait", "--for=condition=Ready", "--timeout=30s", "pod/web"])?;
    within(&["get", "pods", "--output", NAME_PHASE])
}

/// A plugin that was built, and the home in which it runs.
struct Plugin<'a> {
    home: Home,
    component: &'a Path,
    plane: &'a ControlPlane,
}

impl Plugin<'_> {
    fn command(&self, policy: &str) -> Result<Command> {
        let mut kwasm = self.home.kwasm()?;
        kwasm.args(["run", "--policy", policy]).arg(self.component).args(["--", "-n", NAMESPACE]);
        self.plane.as_user(&mut kwasm)?.stdin(Stdio::null());
        Ok(kwasm)
    }

    /// Checks that it prints the same as kubectl each time, and reports its size and its times.
    fn lists(&self, pods: &str) -> Result<()> {
        let run = || {
            let mut command = self.command("read-only")?;
            let start = Instant::now();
            let printed = process::output(&mut command)?;
            let took = start.elapsed();
            if printed != pods {
                bail!("the plugin does not print what kubectl does\n{printed}instead of\n{pods}");
            }
            Ok(took)
        };
        let first = run()?;
        let mut next = (0..RUNS).map(|_| run()).collect::<Result<Vec<Duration>>>()?;
        next.sort();
        print!("{pods}");
        eprintln!(
            "{} kB; first run {:.1} s, then {} ms",
            fs::metadata(self.component)?.len() / 1000,
            first.as_secs_f64(),
            next[RUNS / 2].as_millis()
        );
        Ok(())
    }

    /// Checks that it reports the refusal itself and exits with 1 if its policy grants nothing.
    fn is_refused(&self) -> Result<()> {
        let mut command = self.command("none")?;
        let output =
            command.output().with_context(|| format!("cannot start `{}`", process::shown(&command)))?;
        let errors = String::from_utf8_lossy(&output.stderr);
        eprint!("{errors}");
        if output.status.code() != Some(1) {
            bail!("refused, the plugin ended with {}", output.status);
        }
        if !output.stdout.is_empty() {
            bail!("refused, the plugin printed\n{}", String::from_utf8_lossy(&output.stdout));
        }
        if errors.lines().next() != Some(REFUSAL) {
            bail!("the plugin does not begin with `{REFUSAL}`");
        }
        Ok(())
    }
}
