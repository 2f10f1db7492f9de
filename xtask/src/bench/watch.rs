//! The latency of an event from its creation to a watcher's standard output, at a real API server without
//! other load.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::{
    measure::{Bar, Figure, Line, Samples},
    stage::Stage,
};
use crate::{
    plane::{Connection, Proxy},
    process,
    report::title,
};

const PEER: &str = "kubectl get events -w";
const BAR: f64 = 1.0;
const NAMESPACE: &str = "bench";
/// A timeout longer than any event takes that arrives at all.
const PATIENCE: Duration = Duration::from_secs(20);

/// Creates events one after the other, and measures their latency at both watchers.
pub(crate) fn measure(stage: &Stage<'_>, events: usize) -> Result<Vec<Line>> {
    title(&format!("watch: {events} events"));
    let proxy = Proxy::start(&stage.plane, &stage.home)?;
    let mut clock = Clock { connection: proxy.connect()?, events: 0 };
    clock.connection.post("/api/v1/namespaces", &json!({"metadata": {"name": NAMESPACE}}))?;

    let mut timeline = stage.guest("timeline", &["--watch", "-n", NAMESPACE])?;
    let ours = Watcher::start(stage.plane.as_user(&mut timeline)?)?;
    let mut kubectl = stage.plane.kubectl(&stage.home)?;
    kubectl.args(["get", "events", "--watch", "-n", NAMESPACE]);
    let theirs = Watcher::start(stage.plane.as_user(&mut kubectl)?)?;

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
        ours: Figure::time(&ours, part),
        theirs: Figure::time(&theirs, part),
        bar: Bar::AtMost(BAR),
    };
    Ok(vec![line("p50", 0.5), line("p99", 0.99)])
}

/// An event that was created.
struct Created {
    /// A text that only this event's line contains.
    token: String,
    /// The moment before the request to create it.
    at: Instant,
}

/// A creator of events.
struct Clock {
    connection: Connection,
    events: usize,
}

impl Clock {
    fn create(&mut self) -> Result<Created> {
        self.events += 1;
        let token = format!("arrival-{:06}", self.events);
        let event = json!({
            "metadata": {"name": token, "namespace": NAMESPACE},
            "involvedObject": {"apiVersion": "v1", "kind": "Pod", "name": "clock", "namespace": NAMESPACE},
            "reason": "Measured", "message": token, "type": "Normal",
        });
        let at = Instant::now();
        self.connection.post(&format!("/api/v1/namespaces/{NAMESPACE}/events"), &event)?;
        Ok(Created { token, at })
    }

    /// Waits until both watches are open, which they are once both have shown the same new event.
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

    /// Returns the latency of the event at this watcher's output.
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
        process::end(&mut self.child);
    }
}
