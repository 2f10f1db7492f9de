//! How long an event takes from its creation to a watcher's standard output, at a real API server.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::measure::{Figure, Line, Samples};
use crate::{cluster::ControlPlane, home::Home, places::Places, process, report::title};

const PEER: &str = "kubectl get events -w";
const BAR: f64 = 1.0;
const NAMESPACE: &str = "bench";
/// Longer than any event takes that arrives at all.
const PATIENCE: Duration = Duration::from_secs(20);

/// Creates events one after the other, and times their way to both watchers.
pub(crate) fn measure(places: &Places, kwasm: &Path, events: usize) -> Result<Vec<Line>> {
    title("starting a control plane");
    let plane = ControlPlane::start(places)?;
    let home = Home::new(places, "bench-watch", kwasm)?;
    let proxy = Proxy::start(&plane)?;
    proxy.post("/api/v1/namespaces", &json!({"metadata": {"name": NAMESPACE}}))?;

    title(&format!("watch: {events} events"));
    process::output(home.kwasm()?.arg("install").arg(places.components().join("timeline.wasm")))?;
    let mut timeline = home.command(home.link("timeline"))?;
    let ours = Watcher::start(plane.as_user(timeline.args(["--watch", "-n", NAMESPACE])))?;
    let mut kubectl = Command::new(&plane.kubectl);
    let theirs = Watcher::start(plane.as_user(kubectl.args(["get", "events", "--watch", "-n", NAMESPACE])))?;

    let mut clock = Clock { proxy: &proxy, events: 0 };
    clock.wait_for_both(&ours, &theirs)?;
    let (mut our_times, mut their_times) = (Vec::new(), Vec::new());
    for _ in 0..events {
        let created = clock.create()?;
        our_times.push(ours.arrival(&created)?);
        their_times.push(theirs.arrival(&created)?);
    }
    let (ours, theirs) = (Samples::new(our_times), Samples::new(their_times));
    let line = |name: &str, part| Line {
        row: format!("watch {name}"),
        peer: PEER,
        ours: Figure::new(&ours, part),
        theirs: Figure::new(&theirs, part),
        bar: BAR,
    };
    Ok(vec![line("p50", 0.5), line("p99", 0.99)])
}

/// An event that is on its way.
struct Created {
    /// What its line contains and no other's.
    token: String,
    /// The moment before the API server was asked to create it.
    at: Instant,
}

/// Makes events.
struct Clock<'a> {
    proxy: &'a Proxy,
    events: usize,
}

impl Clock<'_> {
    fn create(&mut self) -> Result<Created> {
        self.events += 1;
        let token = format!("arrival-{:06}", self.events);
        let event = json!({
            "metadata": {"name": token, "namespace": NAMESPACE},
            "involvedObject": {"apiVersion": "v1", "kind": "Pod", "name": "clock", "namespace": NAMESPACE},
            "reason": "Measured", "message": token, "type": "Normal",
        });
        let at = Instant::now();
        self.proxy.post(&format!("/api/v1/namespaces/{NAMESPACE}/events"), &event)?;
        Ok(Created { token, at })
    }

    /// Both watches are open once both have shown the same event as it came.
    fn wait_for_both(&mut self, ours: &Watcher, theirs: &Watcher) -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            let created = self.create()?;
            thread::sleep(Duration::from_millis(500));
            if ours.has_shown(&created) && theirs.has_shown(&created) {
                return Ok(());
            }
        }
        bail!("one of the watches shows nothing")
    }
}

/// A program that prints a line for each event.
struct Watcher {
    child: Child,
    lines: Receiver<(Instant, String)>,
}

impl Watcher {
    fn start(command: &mut Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start `{}`", process::shown(command)))?;
        let stdout = BufReader::new(child.stdout.take().context("a watcher without output")?);
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if sender.send((Instant::now(), line)).is_err() {
                    break;
                }
            }
        });
        Ok(Self { child, lines })
    }

    /// How long the event took to this watcher's output.
    fn arrival(&self, created: &Created) -> Result<Duration> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let (at, line) = self.lines.recv_timeout(left).context("an event did not arrive")?;
            if line.contains(&created.token) {
                return Ok(at - created.at);
            }
        }
    }

    fn has_shown(&self, created: &Created) -> bool {
        self.lines.try_iter().any(|(_, line)| line.contains(&created.token))
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// `kubectl proxy`: the API server in plain HTTP, with an administrator's rights.
struct Proxy {
    child: Child,
    address: String,
}

impl Proxy {
    fn start(plane: &ControlPlane) -> Result<Self> {
        let mut child = Command::new(&plane.kubectl)
            .args(["proxy", "--port=0"])
            .env("KUBECONFIG", &plane.admin)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start `kubectl proxy`")?;
        let stdout = child.stdout.take().context("`kubectl proxy` has no output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        // Starting to serve on 127.0.0.1:38457
        let address = line.trim().rsplit(' ').next().unwrap_or_default().to_owned();
        Ok(Self { child, address })
    }

    #[expect(clippy::disallowed_methods, reason = "the ban is for the host; this is the benchmark's clock")]
    fn post(&self, path: &str, body: &Value) -> Result<()> {
        let body = body.to_string();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            self.address,
            body.len()
        );
        let mut stream = TcpStream::connect(&self.address).context("cannot reach `kubectl proxy`")?;
        stream.write_all(request.as_bytes())?;
        let mut response = String::new();
        stream.read_to_string(&mut response)?;
        if !response.starts_with("HTTP/1.1 201") {
            bail!("POST {path}: {response}");
        }
        Ok(())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

fn end(child: &mut Child) {
    // It may have ended by itself.
    drop(child.kill());
    drop(child.wait());
}
