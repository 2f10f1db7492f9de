//! A container whose log is shown.

use crate::call::Call;
use crate::options::Options;
use crate::pod::{Container, Phase, Pod};
use crate::position::Position;
use crate::printer::Printer;
use crate::splitter::Splitter;
use crate::template::{Line, Source, hue};
use crate::watcher::{may_pass, pause};
use kube_guest::{Cluster, Error, Path, Piece, Ready, for_terminal_line};
use plugin_kit::Colour;
use std::io;
use std::time::{Duration, Instant};

/// The number of pieces that are read of one log before the others have their turn.
const TURN: usize = 64;

/// The time that the log of a deleted pod has to end by itself.
const GRACE: Duration = Duration::from_secs(5);

/// The number of failures in a row after which a log that is not followed is given up.
const FAILURES: u32 = 5;

/// The memory of all unfinished lines, in bytes, and the share that a log has at least and at most.
const UNFINISHED: usize = 128 << 20;
const LEAST: usize = 64 << 10;
const MOST: usize = 1 << 20;

/// A container whose log is shown.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is about something else")]
pub(crate) struct Target {
    namespace: String,
    pod: String,
    container: String,
    pub(crate) uid: String,
    label: String,
    line: Line,
    state: State,
    /// The instance whose log is read, or was.
    instance: Option<String>,
    /// The instance that there is now.
    latest: Option<String>,
    running: bool,
    /// Whether it was there when the first list was made: `--tail` is about those.
    early: bool,
    /// When the first request was sent.
    begun: Option<Instant>,
    /// Until when the log may go on after the pod was deleted.
    deleted: Option<Instant>,
    position: Position,
    splitter: Splitter,
    skipped: bool,
    /// Whether this request brought something new.
    brought: bool,
    failures: u32,
}

#[derive(Debug)]
enum State {
    /// Nothing to read, until there is another instance.
    Idle,
    /// To be read as soon as there is room among the requests.
    Queued,
    /// To be read at this time.
    Waiting(Instant),
    Open(Call),
}

/// What became of a log.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It goes on.
    Open,
    /// It is to be opened again; with the reason, if that is worth a word.
    Again(Option<Error>),
    /// It has ended.
    Ended,
    /// It cannot be read.
    Failed(Error),
}

impl Target {
    pub(crate) fn new(pod: &Pod, container: &Container, early: bool, options: &Options) -> Self {
        let (metadata, name) = (&pod.metadata, &container.name);
        let source = Source {
            namespace: &metadata.namespace,
            pod: &metadata.name,
            container: name,
            node: pod.node(),
            labels: metadata.labels.as_ref(),
            annotations: metadata.annotations.as_ref(),
        };
        let paint = |text: &str| {
            options.style.paint(Colour::Apart(hue(&metadata.name)), &for_terminal_line(text)).into_owned()
        };
        let namespace = if options.namespaced() { paint(&metadata.namespace) + " " } else { String::new() };
        Self {
            namespace: metadata.namespace.clone(),
            pod: metadata.name.clone(),
            container: name.clone(),
            uid: metadata.uid.clone(),
            label: format!("{namespace}{} › {}", paint(&metadata.name), paint(name)),
            line: options.template.of(source, options.style),
            state: State::Idle,
            instance: None,
            latest: None,
            running: false,
            early,
            begun: None,
            deleted: None,
            position: Position::default(),
            splitter: Splitter::default(),
            skipped: false,
            brought: false,
            failures: 0,
        }
    }

    pub(crate) fn label(&self) -> &str {
        &self.label
    }

    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Takes note of the container's status, and returns whether its log is to be opened.
    pub(crate) fn update(&mut self, container: &Container) -> bool {
        self.latest = container.instance().map(str::to_owned);
        self.running = container.phase() == Phase::Running;
        let wanted =
            matches!(self.state, State::Idle) && self.latest.is_some() && self.latest != self.instance;
        if wanted {
            self.state = State::Queued;
        }
        wanted
    }

    /// Takes the current instance as one that is not wanted.
    pub(crate) fn pass_over(&mut self, container: &Container) {
        self.instance = container.instance().map(str::to_owned);
    }

    /// Takes note that the pod was deleted, and returns whether nothing is left to read.
    pub(crate) fn delete(&mut self, now: Instant) -> bool {
        self.deleted = Some(self.deleted.unwrap_or(now + GRACE));
        !matches!(self.state, State::Open(_))
    }

    pub(crate) fn is_open(&self) -> bool {
        matches!(self.state, State::Open(_))
    }

    pub(crate) fn is_queued(&self) -> bool {
        matches!(self.state, State::Queued)
    }

    pub(crate) fn ready(&self) -> Option<&Ready> {
        match &self.state {
            State::Open(call) => call.ready(),
            _ => None,
        }
    }

    /// Returns the time at which something is to be done without anything having arrived.
    pub(crate) fn due(&self) -> Option<Instant> {
        match self.state {
            State::Waiting(until) => Some(until),
            State::Open(_) => self.deleted,
            State::Idle | State::Queued => None,
        }
    }

    /// Does what is due, and returns whether the log is to be opened now.
    pub(crate) fn wake(&mut self, now: Instant) -> bool {
        let due = matches!(self.state, State::Waiting(until) if until <= now);
        if due {
            self.state = State::Queued;
        }
        due
    }

    /// Returns whether the log of a deleted pod has had its time.
    pub(crate) fn is_over(&self, now: Instant) -> bool {
        self.deleted.is_some_and(|until| until <= now)
    }

    pub(crate) fn is_deleted(&self) -> bool {
        self.deleted.is_some()
    }

    /// Sends the request. Returns whether it is the first one of an instance.
    pub(crate) fn open(&mut self, cluster: &Cluster, options: &Options, now: Instant) -> Result<bool, Error> {
        let first = self.instance != self.latest || self.begun.is_none();
        self.state = State::Idle;
        let path = self.path(options, now)?;
        self.instance.clone_from(&self.latest);
        self.position.resume();
        (self.splitter, self.skipped, self.brought) = (Splitter::default(), false, false);
        self.begun = Some(self.begun.unwrap_or(now));
        self.state = State::Open(Call::get(cluster, &path, "*/*")?);
        Ok(first)
    }

    fn path(&self, options: &Options, now: Instant) -> Result<Path, Error> {
        let segments = ["api", "v1", "namespaces", &self.namespace, "pods", &self.pod, "log"];
        let mut path = Path::new(segments)?.query("container", &self.container).query("timestamps", "true");
        if options.follow {
            path = path.query("follow", "true");
        }
        let tail = options.tail.filter(|_| self.early);
        Ok(match self.begun {
            _ if !self.position.is_start() => path.query("sinceTime", &self.position.since()),
            // Nothing was written until then; what was written since must not be missed.
            Some(begun) => {
                let since = if tail.is_some() { 0 } else { options.since };
                let elapsed = i64::try_from((now - begun).as_secs()).unwrap_or(i64::MAX);
                path.query("sinceSeconds", &since.saturating_add(elapsed).saturating_add(1).to_string())
            }
            None => {
                let path = path.query("sinceSeconds", &options.since.to_string());
                tail.into_iter().fold(path, |path, lines| path.query("tailLines", &lines.to_string()))
            }
        })
    }

    /// Reads what has arrived; `open` is the number of logs that are open.
    pub(crate) fn read(
        &mut self,
        printer: &mut Printer,
        options: &Options,
        open: usize,
        now: Instant,
    ) -> io::Result<Outcome> {
        let limit = (UNFINISHED / open.max(1)).clamp(LEAST, MOST);
        let Self { state, position, splitter, skipped, line, brought, .. } = self;
        let State::Open(call) = state else { return Ok(Outcome::Open) };
        let mut new = false;
        let mut print = |part, bytes: &[u8]| {
            new |= printer.take((part, bytes), position, skipped, line);
        };
        let mut end = None;
        for _ in 0..TURN {
            match call.piece() {
                Ok(Piece::Bytes(bytes)) => splitter.push(&bytes, limit, &mut print),
                Ok(Piece::Later) => break,
                Ok(Piece::End) => end = Some(None),
                Err(error) => end = Some(Some(error)),
            }
            if end.is_some() {
                break;
            }
        }
        // What a broken connection cut off comes again, whole.
        if let Some(None) = end {
            splitter.end(&mut print);
        }
        *brought |= new;
        if new {
            self.failures = 0;
        }
        if printer.is_full() {
            printer.flush()?;
        }
        Ok(end.map_or(Outcome::Open, |error| self.ended(error, options.follow, now)))
    }

    /// Decides what comes after a request.
    fn ended(&mut self, error: Option<Error>, follow: bool, now: Instant) -> Outcome {
        self.state = State::Idle;
        if self.latest != self.instance && self.latest.is_some() && follow {
            self.state = State::Queued;
            return Outcome::Again(None);
        }
        let again = match &error {
            _ if self.deleted.is_some() => false,
            // The status of a container that has ended follows its log, mostly within a second.
            None => follow && self.running,
            Some(error) => {
                let may_pass = may_pass(error) || (error.status() == Some(400) && self.running && follow);
                may_pass && (follow || self.failures < FAILURES)
            }
        };
        if !again {
            return match error {
                Some(error) if self.deleted.is_none() && error.status() != Some(404) => {
                    Outcome::Failed(error)
                }
                _ => Outcome::Ended,
            };
        }
        // A connection that broke is resumed at once, if it brought something.
        let step = if error.is_some() && self.brought { 0 } else { self.failures + 1 };
        self.failures += u32::from(!self.brought);
        self.state = State::Waiting(now + pause(step));
        Outcome::Again(error)
    }
}
