//! `cargo xtask languages`: makes a new project in each language, builds it, runs it at a real control plane, and measures it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::{
    components::Scope,
    home::Home,
    places::Places,
    plane::ControlPlane,
    process, projects, release,
    report::{Report, title},
    wasm::Toolchain,
};

/// The languages, as `kwasm new --lang` has them.
const LANGUAGES: [&str; 4] = ["rust", "go", "python", "js"];

const NAMESPACE: &str = "shop";
/// The output of the plugins, as a format of kubectl.
const NAME_PHASE: &str = r#"jsonpath={range .items[*]}{.metadata.name} {.status.phase}{"\n"}{end}"#;
/// The end of a plugin's own line about a refusal.
const REFUSAL: &str = "list pods in namespace shop: the policy `none` does not allow it";
/// The number of runs of a compiled plugin, of which the median is reported.
const RUNS: usize = 21;

pub(crate) fn run(places: &Places) -> Result<ExitCode> {
    let mut report = Report::default();
    let mut rows = Vec::new();
    let result = steps(places, &mut report, &mut rows);
    report.print();
    for row in rows {
        println!("{row}");
    }
    result?;
    Ok(if report.failed() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn steps(places: &Places, report: &mut Report, rows: &mut Vec<String>) -> Result<()> {
    let kwasm = &report.step("building kwasm", || release::build(places))?;
    let plane = report.step("starting a control plane", || ControlPlane::start(places))?;
    let pods = report.step("creating a pod that runs, and one that has no node", || {
        create_pods(&plane, &Home::new(places, "languages", kwasm)?)
    })?;
    for language in LANGUAGES {
        report.check(language, || {
            // Its machine code is in this home too: the first run compiles.
            let home = Home::new(places, "languages", kwasm)?;
            title(&format!("{language}: building"));
            let start = Instant::now();
            let component = build(places, &home, kwasm, language)?;
            let built = start.elapsed();
            title(&format!("{language}: running"));
            let plugin = Plugin { home, component: &component, plane: &plane };
            let (first, next) = plugin.lists(&pods)?;
            plugin.is_refused()?;
            let size = fs::metadata(&component)?.len();
            rows.push(format!(
                "{language}: {}.{} MB; built in {:.0} s; first run {:.1} s, then {} ms",
                size / 1_000_000,
                size / 100_000 % 10,
                built.as_secs_f64(),
                first.as_secs_f64(),
                next.as_millis()
            ));
            Ok(())
        });
    }
    Ok(())
}

/// Makes a project and builds it. Its language's tools see the user's own home, with what they have fetched before.
fn build(places: &Places, home: &Home, kwasm: &Path, language: &str) -> Result<PathBuf> {
    process::run(home.kwasm()?.current_dir(home.path()).args(["new", "pods", "--lang", language]))?;
    let project = home.path().join("pods");
    if let Some(prepared) = projects::ALL.iter().find(|prepared| prepared.name == language) {
        link(&prepared.install(places)?, &project.join(prepared.tools))?;
    }
    let mut build = match language {
        "rust" => Toolchain::find(places, Scope::All.need(), false)?.command(kwasm),
        _ => Command::new(kwasm),
    };
    process::run(build.arg("build").current_dir(&project).env("CARGO_TARGET_DIR", project.join("target")))?;
    Ok(project.join("pods.wasm"))
}

#[cfg(unix)]
fn link(tools: &Path, to: &Path) -> Result<()> {
    std::os::unix::fs::symlink(tools, to).with_context(|| format!("cannot create {}", to.display()))
}

/// Moves the tools instead: links need a privilege.
#[cfg(not(unix))]
fn link(tools: &Path, to: &Path) -> Result<()> {
    fs::rename(tools, to).with_context(|| format!("cannot create {}", to.display()))
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

    /// Checks that it prints the same as kubectl each time. Returns the time of the first run, and the median of later ones.
    fn lists(&self, pods: &str) -> Result<(Duration, Duration)> {
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
        Ok((first, next[RUNS / 2]))
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
        if !errors.lines().next().is_some_and(|line| line.starts_with("pods: ") && line.ends_with(REFUSAL)) {
            bail!("the plugin does not begin with a line that ends with `{REFUSAL}`");
        }
        Ok(())
    }
}
