//! An installation from a registry, from nothing to a plugin that starts in milliseconds; and a machine with
//! many plugins.

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

use super::measure::{self, Line, Samples};
use crate::{
    home::Home,
    places::{self, Places, Scratch},
    process,
    report::title,
    tools,
};

/// The number of installations. Each compiles, which takes seconds.
const INSTALLS: usize = 10;
const INSTALL_BAR: f64 = 0.6;

/// The number of plugins on a machine with more than anyone has.
const MANY: usize = 1000;
/// The bar for starting a plugin, which reads that plugin only.
const RUN_BAR: f64 = 1.1;
/// What `kwasm list` may take with all of them.
const LIST: Duration = Duration::from_millis(60);
/// The bar for twice the plugins: twice the work, and a margin for the machine's noise.
const LINEAR: f64 = 2.4;

/// Measures the installation of a component of 18 MB, compared with downloading and compiling it by other
/// programs.
pub(crate) fn measure(places: &Places, kwasm: &Path) -> Result<Vec<Line>> {
    title("building the peers");
    let (oras, wasmtime) = (tools::ORAS.find_or_build(places)?, tools::WASMTIME.find_or_build(places)?);
    let registry = Registry::start(places)?;
    let big = places.components().join("big.wasm");
    let reference = format!("{}/bench/big:1.0.0", registry.address);
    let publisher = Home::new(places, "bench-publisher", kwasm)?;
    process::output(publisher.kwasm()?.args(["publish", &reference_of(&big), &reference]))?;
    title(&format!("install: {INSTALLS} of each"));
    let scratch = places.scratch("bench-oras")?;
    let theirs = || {
        let folder = scratch.path().join("pulled");
        drop(fs::remove_dir_all(&folder));
        let start = Instant::now();
        let mut pull = Command::new(&oras);
        pull.args(["pull", "--plain-http", "--no-tty", &reference, "-o"]).arg(&folder);
        quietly(&mut pull)?;
        let mut compile = Command::new(&wasmtime);
        compile.arg("compile").arg(folder.join("big.wasm")).arg("-o").arg(folder.join("big.cwasm"));
        quietly(&mut compile)?;
        Ok(start.elapsed())
    };
    let ours = || {
        let home = Home::new(places, "bench-install", kwasm)?;
        let start = Instant::now();
        // As it is by default, but for what goes on in the background then.
        quietly(home.kwasm()?.args(["install", &reference]).env("KWASM_COMPILE", "baseline"))?;
        Ok(start.elapsed())
    };
    let (ours, theirs) = measure::interleaved(INSTALLS, ours, theirs)?;
    Ok(vec![Line::of_medians("install 18 MB", "oras pull + wasmtime compile", &ours, &theirs, INSTALL_BAR)])
}

/// Measures what 1,000 installed plugins cost a user of one of them.
pub(crate) fn many(places: &Places, kwasm: &Path, runs: usize) -> Result<Vec<Line>> {
    title(&format!("installing {MANY} plugins"));
    let hello = places.components().join("hello.wasm");
    let [one, half, full] = [("one", 1), ("half", MANY / 2), ("full", MANY)].map(|(name, count)| {
        let home = Home::new(places, &format!("bench-{name}"), kwasm)?;
        for number in 0..count {
            quietly(home.kwasm()?.arg("install").arg(&hello).args(["--as", &format!("plugin-{number}")]))?;
        }
        anyhow::Ok(home)
    });
    let (one, half, full) = (one?, half?, full?);
    title(&format!("many plugins: {runs} runs of each"));
    let run = |home: &Home| time(&mut home.command(home.link("plugin_0"))?);
    let list = |home: &Home| time(home.kwasm()?.args(["list", "-o", "json"]));
    let uninstall = |home: &Home| {
        quietly(home.kwasm()?.arg("install").arg(&hello).args(["--as", "gone"]))?;
        time(home.kwasm()?.args(["uninstall", "gone"]))
    };
    let line = |row: &str, peer, ours: &Samples, theirs: &Samples, bar| {
        Line::of_medians(row, peer, ours, theirs, bar)
    };
    let (ours, theirs) = measure::interleaved(runs, || run(&full), || run(&one))?;
    let mut lines = vec![line("run, of 1,000", "the same where there is one", &ours, &theirs, RUN_BAR)];
    let fewer = runs.div_ceil(10);
    let (ours, theirs) = measure::interleaved(fewer, || list(&full), || list(&half))?;
    lines.push(line("list, of 1,000", "the same of 500", &ours, &theirs, LINEAR));
    lines.push(line("list, of 1,000", "what it may take", &ours, &Samples::new(vec![LIST]), 1.0));
    let (ours, theirs) = measure::interleaved(fewer, || uninstall(&full), || uninstall(&half))?;
    lines.push(line("uninstall, of 1,000", "the same of 500", &ours, &theirs, LINEAR));
    Ok(lines)
}

fn reference_of(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn quietly(command: &mut Command) -> Result<()> {
    time(command).map(drop)
}

fn time(command: &mut Command) -> Result<Duration> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    process::run(command)?;
    Ok(start.elapsed())
}

/// Debian's registry on a loopback port, without authentication or TLS.
struct Registry {
    process: Child,
    address: String,
    _folder: Scratch,
}

impl Registry {
    fn start(places: &Places) -> Result<Self> {
        let program = match places::on_path("docker-registry") {
            Some(program) => program,
            None => tools::DOCKER_REGISTRY.find_or_build(places)?,
        };
        let folder = places.scratch("bench-registry")?;
        // It was free a moment ago; if another program has it now, the registry ends with an error.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let address = format!("localhost:{port}");
        let storage = folder.path().join("storage");
        let config = folder.path().join("config.yml");
        let text = format!(
            "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n\
             storage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: '127.0.0.1:{port}'}}\n",
            storage.display()
        );
        fs::write(&config, text)?;
        let process = Command::new(program).arg("serve").arg(&config).stdout(Stdio::null()).spawn()?;
        let mut registry = Self { process, address, _folder: folder };
        registry.wait(port)?;
        Ok(registry)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the gate's sender is a plugin's only way out, not this program's"
    )]
    fn wait(&mut self, port: u16) -> Result<()> {
        let patience = Instant::now() + Duration::from_secs(30);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            if let Some(status) = self.process.try_wait()? {
                bail!("docker-registry ended: {status}");
            }
            if Instant::now() > patience {
                bail!("docker-registry does not listen");
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        process::end(&mut self.process);
    }
}
