//! Requests a second of `kwasm serve`, beside `wasmtime serve` of the same component and a native server with the same answer.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};

use super::measure::{Bar, Figure, Line, Samples};
use crate::{cargo, home::Home, places::Places, process, report::title, tools};

/// The connections at a time, each of which asks again as soon as it has its answer.
const CONNECTIONS: usize = 8;
/// The requests of each connection in a turn.
const REQUESTS: usize = 2_500;
/// The requests of each before the first turn.
const WARM_UP: usize = 500;

/// What kwasm reaches of `wasmtime serve`, and of the native server.
const BARS: (f64, f64) = (1.5, 0.4);

/// What an instance may take, at the 99th percentile.
const INSTANCE: Duration = Duration::from_micros(100);

/// The guests, each with the options of `wasmtime serve` for it.
const GUESTS: [(&str, &[&str]); 2] =
    [("serves", &["-S", "cli"]), ("serves-wasi3", &["-S", "cli,p3", "-W", "component-model-async"])];

/// The policies of kwasm's two servers: an instance for each request, and instances that are reused.
const POLICIES: [(&str, &str); 2] = [("once", "{}"), ("reused", "{limits: {reuse: 1000}}")];

/// A running server.
struct Server {
    child: Child,
    address: SocketAddr,
    /// Where it has metrics.
    metrics: Option<SocketAddr>,
    /// Requests a second, a turn each, and the times of all its answers.
    rates: Vec<f64>,
    times: Vec<Duration>,
}

impl Drop for Server {
    fn drop(&mut self) {
        process::end(&mut self.child);
    }
}

/// Measures each guest.
pub(crate) fn measure(places: &Places, kwasm: &Path, runs: usize) -> Result<Vec<Line>> {
    title("serve: building the peers");
    let wasmtime = tools::WASMTIME.find_or_build(places)?;
    let native = cargo::build_release(places, "kwasm-hello")?;
    let native = cargo::program(&native, "kwasm-hello")?;
    let mut lines = Vec::new();
    for (guest, options) in GUESTS {
        let runs = runs.min(20);
        title(&format!("{guest}: {runs} turns of each, {CONNECTIONS} connections, {REQUESTS} requests each"));
        let home = Home::new(places, "bench-serve", kwasm)?;
        let component = places.components().join(format!("{guest}.wasm"));
        let [once, reused] = POLICIES.map(|policy| ours(&home, &component, policy));
        let address = free()?;
        let mut theirs = Command::new(&wasmtime);
        theirs.args(["serve", "--addr", &address.to_string()]).args(options);
        let theirs = Server::start(theirs.arg(&component), address, None)?;
        let address = free()?;
        let native = Server::start(Command::new(native).arg(address.to_string()), address, None)?;
        let mut servers = [once?, reused?, theirs, native];
        for server in &servers {
            server.asked(WARM_UP)?;
        }
        for turn in 0..runs {
            for number in 0..servers.len() {
                let server = &mut servers[(turn + number) % 4];
                let began = Instant::now();
                let times = server.asked(REQUESTS)?;
                server.rates.push(per_second(times.len(), began.elapsed()));
                server.times.extend(times);
            }
        }
        lines.extend(compared(guest, &servers)?);
    }
    Ok(lines)
}

/// Starts kwasm with a policy that has a name and a specification.
fn ours(home: &Home, component: &Path, (name, spec): (&str, &str)) -> Result<Server> {
    let policy = home.path().join(format!("{name}.yaml"));
    let text =
        format!("{{apiVersion: kwasm.dev/v1, kind: Policy, metadata: {{name: {name}}}, spec: {spec}}}\n");
    fs::write(&policy, text).with_context(|| format!("cannot write {}", policy.display()))?;
    let (address, metrics) = (free()?, free()?);
    let mut command = home.kwasm()?;
    command.args([
        "serve",
        "--addr",
        &address.to_string(),
        "--metrics-addr",
        &metrics.to_string(),
        "--policy",
    ]);
    Server::start(command.arg(policy).arg(component), address, Some(metrics))
}

fn compared(guest: &str, [once, reused, theirs, native]: &[Server; 4]) -> Result<Vec<Line>> {
    let instances = once.instances()?;
    for (server, name) in [(once, "an instance a request"), (reused, "instances reused")] {
        let memory = process::memory(server.child.id()).unwrap_or(0);
        eprintln!(
            "{guest}, {name}: {} requests answered, {} MiB of memory",
            server.times.len(),
            memory >> 20
        );
    }
    let [once_rate, reused_rate, their_rate, native_rate] =
        [once, reused, theirs, native].map(|server| Figure::rate(&server.rates));
    let slowest = |server: &Server| Figure::time(&Samples::new(server.times.clone()), 0.99);
    let line = |what: &str, peer, ours, theirs, bar| Line {
        row: format!("{guest} {what}"),
        peer,
        ours,
        theirs,
        bar,
    };
    let [their_bar, native_bar] = [Bar::AtLeast(BARS.0), Bar::AtLeast(BARS.1)];
    Ok(vec![
        line("requests", "wasmtime serve", once_rate, their_rate, their_bar),
        line("requests", "hyper natively", once_rate, native_rate, native_bar),
        line("requests, reused", "wasmtime serve", reused_rate, their_rate, their_bar),
        line("requests, reused", "hyper natively", reused_rate, native_rate, native_bar),
        line("p99", "wasmtime serve", slowest(once), slowest(theirs), Bar::AtMost(1.0)),
        line("instances p99", "what it may take", instances, Figure::of(INSTANCE), Bar::AtMost(1.0)),
    ])
}

#[expect(clippy::cast_precision_loss, reason = "some thousand requests")]
fn per_second(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

/// Returns an address that was free a moment ago.
fn free() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

impl Server {
    fn start(command: &mut Command, address: SocketAddr, metrics: Option<SocketAddr>) -> Result<Self> {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start `{}`", process::shown(command)))?;
        let mut server = Self { child, address, metrics, rates: Vec::new(), times: Vec::new() };
        // The first of them compiles.
        let until = Instant::now() + Duration::from_mins(2);
        while TcpStream::connect(address).is_err() {
            if let Some(status) = server.child.try_wait()? {
                bail!("`{}` ended: {status}", process::shown(command));
            }
            ensure!(Instant::now() < until, "`{}` does not listen", process::shown(command));
            thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// Asks on each connection as often, and returns the time of each answer.
    fn asked(&self, times: usize) -> Result<Vec<Duration>> {
        thread::scope(|scope| {
            let askers: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(|| ask(self.address, times))).collect();
            let mut all = Vec::new();
            for asker in askers {
                all.extend(asker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
            }
            Ok(all)
        })
    }

    /// Returns the least bound that 99 of 100 instances keep, from the server's own histogram.
    fn instances(&self) -> Result<Figure> {
        let mut stream = TcpStream::connect(self.metrics.context("it has no metrics")?)?;
        write!(stream, "GET /metrics HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        let number = |line: &str| line.rsplit(' ').next()?.parse::<f64>().ok();
        let prefix = "kwasm_instantiation_seconds_bucket{le=\"";
        let buckets = || text.lines().filter_map(|line| Some((line.strip_prefix(prefix)?, number(line)?)));
        let all = buckets().map(|(_, count)| count).fold(0.0, f64::max);
        let (bound, _) =
            buckets().find(|(_, count)| *count >= all * 0.99).context("no instances were counted")?;
        let seconds: f64 =
            bound.split('"').next().unwrap_or_default().parse().context("an unbounded time")?;
        Ok(Figure::of(Duration::from_secs_f64(seconds)))
    }
}

/// Asks again and again on one connection.
fn ask(address: SocketAddr, times: usize) -> Result<Vec<Duration>> {
    let mut stream = BufReader::new(TcpStream::connect(address)?);
    stream.get_ref().set_nodelay(true)?;
    let mut all = Vec::with_capacity(times);
    let mut answer = Vec::new();
    for _ in 0..times {
        let began = Instant::now();
        stream.get_mut().write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")?;
        answer.clear();
        // The last of it, as a body with a length or in chunks.
        while !(answer.ends_with(b"\r\n\r\nhello\n") || answer.ends_with(b"\r\n0\r\n\r\n")) {
            ensure!(stream.read_until(b'\n', &mut answer)? > 0, "the server closed the connection");
        }
        ensure!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
        all.push(began.elapsed());
    }
    Ok(all)
}
