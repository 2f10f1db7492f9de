//! The throughput to and from a command in a pod, and to and from one behind a port of it, through a real API
//! server: a gibibyte each way, checked byte by byte.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use super::{
    measure::{self, Bar, Figure, Line},
    stage::{Run, Stage},
};
use crate::{process, report::title};

const BAR: f64 = 1.0;
const RUNS: usize = 3;
const GIBIBYTE: u64 = 1 << 30;
/// The number of times that the file is sent.
const TIMES: usize = 16;

/// The way in which the command is reached.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Way {
    Exec,
    Forward,
}

impl Way {
    /// Returns the row's name, the guest's argument (also the pod's name), and the peer.
    fn names(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Exec => ("exec", "exec", "kubectl exec"),
            Self::Forward => ("port-forward", "forward", "kubectl port-forward"),
        }
    }
}

/// Measures both directions.
pub(crate) fn measure(stage: &Stage<'_>, way: Way) -> Result<Vec<Line>> {
    let (name, word, peer) = way.names();
    title(&format!("{name}: {RUNS} times 1 GiB, each way, of each side"));
    // A pod of its own for each way.
    stage.plane.run_pod(&stage.home, word)?;
    let bench = Bench::new(stage, way)?;
    let idle = stage.idle_memory()?;
    let mut memory = 0;
    let mut lines = Vec::new();
    for (direction, send) in [("down", false), ("up", true)] {
        let ours = || -> Result<Duration> {
            let run = bench.ours(send)?;
            memory = run.memory.max(memory);
            Ok(run.took)
        };
        let theirs = || if send { bench.theirs_up() } else { bench.theirs_down() };
        let (ours, theirs) = measure::interleaved(RUNS, ours, theirs)?;
        lines.push(Line {
            row: format!("{name} {direction}"),
            peer,
            ours: Figure::throughput(&ours, GIBIBYTE),
            theirs: Figure::throughput(&theirs, GIBIBYTE),
            bar: Bar::AtLeast(BAR),
        });
    }
    lines.push(Line::of_memory(&format!("{name} memory"), memory.saturating_sub(idle)));
    Ok(lines)
}

struct Bench<'a> {
    stage: &'a Stage<'a>,
    way: Way,
    /// The bytes that the guest `carries` sends.
    bytes: Vec<u8>,
    file: PathBuf,
    /// The output of `sha256sum` for a gibibyte of them.
    digest: String,
    forward: Option<Forward>,
}

impl<'a> Bench<'a> {
    fn new(stage: &'a Stage<'a>, way: Way) -> Result<Self> {
        let pattern = stage.guest("carries", &["pattern"])?.stdout(Stdio::piped()).output()?.stdout;
        let bytes = pattern.repeat(usize::try_from(GIBIBYTE)? / TIMES / pattern.len().max(1));
        let file = stage.home.path().join("pattern");
        fs::write(&file, &bytes)?;
        let mut local = Command::new("sh");
        local.args(["-c", &format!("{} | sha256sum", cat(&file))]);
        let digest = process::output(&mut local)?;
        let forward = if way == Way::Forward { Some(Forward::start(stage, way)?) } else { None };
        Ok(Self { stage, way, bytes, file, digest, forward })
    }

    /// Returns the script with which a pod sends a gibibyte, or receives one and prints its digest.
    fn script(&self, send: bool) -> String {
        // That of kwok does not see the end of its input: it must know how much there is.
        if send { format!("head -c {GIBIBYTE} | sha256sum") } else { cat(&self.file) }
    }

    fn ours(&self, send: bool) -> Result<Run> {
        let (_, word, _) = self.way.names();
        let (direction, bytes, script) =
            (if send { "--send" } else { "--receive" }, GIBIBYTE.to_string(), self.script(send));
        let mut arguments = vec![word, word, direction, &bytes, "--"];
        if self.way == Way::Exec {
            arguments.extend(["sh", "-c"]);
        }
        arguments.push(&script);
        let run = Run::of(&mut self.stage.admins_guest("carries", &arguments)?)?;
        let expected = if send { &self.digest } else { &format!("{GIBIBYTE} bytes as they should be\n") };
        same(&run.stdout, expected)?;
        Ok(run)
    }

    fn theirs_down(&self) -> Result<Duration> {
        let start = Instant::now();
        match &self.forward {
            None => {
                let mut child = self.exec(&[])?.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
                self.compare(child.stdout.take().context("kubectl has no output")?)?;
                succeeded(child)?;
            }
            Some(forward) => self.compare(forward.connect(&self.script(false))?)?,
        }
        Ok(start.elapsed())
    }

    fn theirs_up(&self) -> Result<Duration> {
        let start = Instant::now();
        let mut digest = String::new();
        match &self.forward {
            None => {
                let mut command = self.exec(&["-i"])?;
                let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
                self.feed(child.stdin.take().context("kubectl has no input")?)?;
                let mut stdout = child.stdout.take().context("kubectl has no output")?;
                stdout.read_to_string(&mut digest)?;
                succeeded(child)?;
            }
            Some(forward) => {
                let stream = forward.connect(&self.script(true))?;
                self.feed(&stream)?;
                BufReader::new(stream).read_line(&mut digest)?;
            }
        }
        same(&digest, &self.digest)?;
        Ok(start.elapsed())
    }

    fn exec(&self, options: &[&str]) -> Result<Command> {
        let mut kubectl = self.stage.plane.kubectl(&self.stage.home)?;
        let (_, pod, _) = self.way.names();
        let script = self.script(!options.is_empty());
        kubectl.arg("exec").args(options).args([pod, "--", "sh", "-c", &script]);
        self.stage.plane.as_admin(&mut kubectl)?;
        Ok(kubectl)
    }

    fn feed(&self, mut to: impl Write) -> Result<()> {
        (0..TIMES).try_for_each(|_| to.write_all(&self.bytes)).context("kubectl takes no more")
    }

    /// Compares a received gibibyte with the expected bytes, as the guest does on its side.
    fn compare(&self, mut from: impl Read) -> Result<()> {
        let mut buffer = vec![0; 256 << 10];
        let mut place = 0;
        let mut left = GIBIBYTE;
        while left > 0 {
            let most = buffer.len().min(self.bytes.len() - place);
            let length = from.read(&mut buffer[..most])?;
            if length == 0 || buffer[..length] != self.bytes[place..place + length] {
                bail!("other bytes than were sent, {left} bytes before the end");
            }
            place = (place + length) % self.bytes.len();
            left = left.saturating_sub(length as u64);
        }
        Ok(())
    }
}

/// `kubectl port-forward`, which keeps listening.
struct Forward {
    child: Child,
    address: String,
}

impl Forward {
    fn start(stage: &Stage<'_>, way: Way) -> Result<Self> {
        let (_, pod, _) = way.names();
        let mut kubectl = stage.plane.kubectl(&stage.home)?;
        kubectl.args(["port-forward", &format!("pod/{pod}"), ":1"]);
        let command = stage.plane.as_admin(&mut kubectl)?;
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let mut stdout = BufReader::new(child.stdout.take().context("kubectl has no output")?);
        let mut line = String::new();
        stdout.read_line(&mut line)?;
        // Forwarding from 127.0.0.1:43567 -> 1
        let address = line.split(' ').find(|word| word.starts_with("127.")).unwrap_or_default().to_owned();
        // It prints a line for each connection, and would block if no one read them.
        thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
        Ok(Self { child, address })
    }

    /// Connects to the pod's port and sends the script to run.
    #[expect(
        clippy::disallowed_methods,
        reason = "the ban is for the host; this is what kubectl listens for"
    )]
    fn connect(&self, script: &str) -> Result<TcpStream> {
        let mut stream = TcpStream::connect(&self.address).context("cannot reach `kubectl port-forward`")?;
        stream.write_all(format!("{script}\n").as_bytes())?;
        Ok(stream)
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        process::end(&mut self.child);
    }
}

fn cat(file: &Path) -> String {
    format!("cat{}", format!(" {}", file.display()).repeat(TIMES))
}

fn same(told: &str, expected: &str) -> Result<()> {
    if told.trim_end() != expected.trim_end() {
        bail!("it says `{told}`, not `{expected}`");
    }
    Ok(())
}

fn succeeded(mut child: Child) -> Result<()> {
    let status = child.wait()?;
    if !status.success() {
        bail!("kubectl failed: {status}");
    }
    Ok(())
}
