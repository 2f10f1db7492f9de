//! The latency of many events up to a watcher's standard output: 1,000 per second from a real API server with
//! four watchers, each of which gets all, and 10,000 per second from the embedded one.

use std::{
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use serde_json::json;

use super::{
    DOORS, Door,
    measure::{Bar, Figure, Line, Samples},
    stage::Stage,
    ticks::{self, Watcher},
};
use crate::{apiserver::ApiServer, plane::Proxy, process, report::title};

const PEER: &str = "kubectl get configmaps -w";
/// What the median and the slowest hundredth may take of kubectl's.
type Bars = [f64; 2];

/// The number of turns of each side.
const ROUNDS: usize = 5;

/// A watching program.
#[derive(Clone, Copy)]
enum Side {
    /// kwasm, through this door.
    Door(Door),
    Kubectl,
}

/// The collection that contains the ticks.
struct Place {
    kubeconfig: PathBuf,
    namespace: String,
}

impl Side {
    fn command(self, stage: &Stage<'_>, place: &Place) -> Result<Command> {
        let mut command = match self {
            Self::Door(door) => {
                let path = format!("/api/v1/namespaces/{}/configmaps?watch=true", place.namespace);
                let (guest, arguments) = door.arguments(door.follows, &path);
                stage.guest(guest, &arguments)?
            }
            Self::Kubectl => {
                let mut kubectl = stage.plane.kubectl(&stage.home)?;
                kubectl.args(["get", "configmaps", "--watch", "--namespace", &place.namespace]);
                kubectl
            }
        };
        command.env("KUBECONFIG", &place.kubeconfig);
        Ok(command)
    }
}

/// The latency of ticks, one sample per turn.
#[derive(Default)]
struct Latency {
    half: Vec<Duration>,
    most: Vec<Duration>,
}

impl Latency {
    fn add(&mut self, samples: &Samples) {
        self.half.push(samples.quantile(0.5));
        self.most.push(samples.quantile(0.99));
    }
}

/// Lets each side take turns at watching, and compares each door with kubectl.
fn take_turns(
    name: &str,
    bars: Bars,
    mut turn: impl FnMut(Side) -> Result<Vec<Samples>>,
) -> Result<Vec<Line>> {
    let sides: Vec<Side> = DOORS.into_iter().map(Side::Door).chain([Side::Kubectl]).collect();
    let mut latencies: Vec<Latency> = sides.iter().map(|_| Latency::default()).collect();
    for round in 0..ROUNDS {
        for turns in 0..sides.len() {
            let side = (round + turns) % sides.len();
            for samples in turn(sides[side])? {
                latencies[side].add(&samples);
            }
        }
    }
    let kubectl = latencies.pop().unwrap_or_default();
    let mut lines = Vec::new();
    for (door, latency) in DOORS.into_iter().zip(latencies) {
        for (part, ours, theirs, bar) in
            [("p50", &latency.half, &kubectl.half, bars[0]), ("p99", &latency.most, &kubectl.most, bars[1])]
        {
            let figure = |times: &Vec<Duration>| Figure::time(&Samples::new(times.clone()), 0.5);
            lines.push(Line {
                row: format!("{name} {} {part}", door.name),
                peer: PEER,
                ours: figure(ours),
                theirs: figure(theirs),
                bar: Bar::AtMost(bar),
            });
        }
    }
    Ok(lines)
}

/// Measures 250 writes per second at a real API server, with four watchers that each get all of them.
pub(crate) fn real(stage: &Stage<'_>) -> Result<Vec<Line>> {
    const WATCHERS: usize = 4;
    const TICKS: usize = 750;
    title("watch-1k: 4 watchers, 250 writes a second");
    let proxy = Proxy::start(&stage.plane, &stage.home)?;
    let mut turns = 0;
    take_turns("watch 1k/s", [1.0, 1.0], |side| {
        turns += 1;
        let place =
            Place { kubeconfig: stage.plane.file("admin.kubeconfig")?, namespace: format!("busy-{turns}") };
        let mut connection = proxy.connect()?;
        connection.post("/api/v1/namespaces", &json!({"metadata": {"name": place.namespace}}))?;
        write(&proxy, &place.namespace, [0])?;
        let watchers = (0..WATCHERS)
            .map(|_| Watcher::start(&mut side.command(stage, &place)?))
            .collect::<Result<Vec<_>>>()?;
        write_steadily(&proxy, &place.namespace, TICKS)?;
        watchers.iter().map(|watcher| watcher.times(TICKS)).collect()
    })
}

/// Creates 250 ticks per second, as several clients would, since the API server takes some milliseconds for
/// each.
fn write_steadily(proxy: &Proxy, namespace: &str, count: usize) -> Result<()> {
    const PAUSE: Duration = Duration::from_millis(4);
    const WRITERS: usize = 4;
    let start = Instant::now();
    thread::scope(|scope| {
        let writers: Vec<_> = (1..=WRITERS)
            .map(|first| {
                scope.spawn(move || {
                    let numbers = (first..=count).step_by(WRITERS);
                    write(
                        proxy,
                        namespace,
                        numbers.inspect(|number| {
                            let at = start + PAUSE * u32::try_from(*number).unwrap_or(u32::MAX);
                            thread::sleep(at.saturating_duration_since(Instant::now()));
                        }),
                    )
                })
            })
            .collect();
        writers
            .into_iter()
            .try_for_each(|writer| writer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

fn write(proxy: &Proxy, namespace: &str, numbers: impl IntoIterator<Item = usize>) -> Result<()> {
    let path = format!("/api/v1/namespaces/{namespace}/configmaps");
    let mut connection = proxy.connect()?;
    for number in numbers {
        connection.post(&path, &json!({"metadata": {"name": ticks::name(number)}}))?;
    }
    Ok(())
}

/// Measures 10,000 changes per second at the embedded API server, which makes them itself.
pub(crate) fn embedded(stage: &Stage<'_>, apiserver: &Path) -> Result<Vec<Line>> {
    const TICKS: usize = 20_000;
    const RATE: usize = 10_000;
    title("watch-10k: 10,000 changes a second");
    take_turns("watch 10k/s", [1.0, 0.3], |side| {
        let server = ApiServer::start(apiserver)?;
        let place = Place { kubeconfig: server.kubeconfig.clone(), namespace: "ticks".to_owned() };
        let make = |first: usize, count: usize| -> Result<()> {
            let path =
                format!("/ticks?namespace={}&first={first}&count={count}&rate={RATE}", place.namespace);
            let mut kubectl = stage.plane.kubectl(&stage.home)?;
            kubectl.env("KUBECONFIG", &place.kubeconfig).args(["create", "--raw", &path, "-f", "/dev/null"]);
            process::output(&mut kubectl).map(drop).context("the embedded API server made no ticks")
        };
        make(0, 1)?;
        let watcher = Watcher::start(&mut side.command(stage, &place)?)?;
        make(1, TICKS)?;
        Ok(vec![watcher.times(TICKS)?])
    })
}
