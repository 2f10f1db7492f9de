//! All logs beside each other, in one loop.

use crate::options::Options;
use crate::pod::Pod;
use crate::printer::Printer;
use crate::target::{Outcome, Target};
use crate::watcher::{News, Watcher};
use kube_guest::{Cluster, Error, Path, Ready, for_terminal_line, wait_among};
use plugin_kit::{Explain, Failure};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

/// The time for which the output, and logs that had nothing, wait while others have more.
const MOMENT: Duration = Duration::from_millis(5);

/// The logs of all pods that are wanted.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is about something else")]
pub(crate) struct Logs<'a> {
    cluster: &'a Cluster,
    options: &'a Options,
    printer: Printer<'a>,
    watchers: Vec<Watcher>,
    targets: Vec<Option<Target>>,
    /// The place of each container's target, by namespace, pod and container.
    places: BTreeMap<[String; 3], usize>,
    free: Vec<usize>,
    queue: VecDeque<usize>,
    open: usize,
    /// The logs that just had something.
    busy: Vec<usize>,
    /// Until when only those are waited for.
    until: Option<Instant>,
    /// The namespaces whose logs may not be read.
    forbidden: BTreeSet<String>,
    /// Whether a log could be read.
    allowed: bool,
    full: bool,
    found: bool,
    incomplete: bool,
}

/// What something ready belongs to.
#[derive(Clone, Copy, Debug)]
enum Place {
    Watcher(usize),
    Target(usize),
    Clock,
}

impl<'a> Logs<'a> {
    pub(crate) fn new(cluster: &'a Cluster, options: &'a Options, paths: Vec<Path>) -> Self {
        Self {
            cluster,
            options,
            printer: Printer::new(&options.lines, options.style, options.notes),
            watchers: paths.into_iter().map(|path| Watcher::new(path, options.follow)).collect(),
            targets: Vec::new(),
            places: BTreeMap::new(),
            free: Vec::new(),
            queue: VecDeque::new(),
            open: 0,
            busy: Vec::new(),
            until: None,
            forbidden: BTreeSet::new(),
            allowed: false,
            full: false,
            found: false,
            incomplete: false,
        }
    }

    /// Shows the logs until all have ended, which those that are followed never do.
    pub(crate) fn run(&mut self) -> Result<(), Failure> {
        let mut ready: Vec<Place> = (0..self.watchers.len()).map(Place::Watcher).collect();
        loop {
            let now = Instant::now();
            for place in ready {
                match place {
                    Place::Watcher(index) => self.advance(index, now)?,
                    Place::Target(index) => self.read(index, now)?,
                    Place::Clock => self.wake(now)?,
                }
            }
            self.open_queued(now)?;
            if self.watchers.iter().all(Watcher::has_ended) && self.open == 0 && !self.is_waiting() {
                break;
            }
            ready = self.wait_for_busy(now).unwrap_or_default();
            if ready.is_empty() {
                self.printer.flush()?;
                ready = self.wait();
            }
        }
        self.printer.flush()?;
        if self.incomplete {
            return Err(Failure::Code(1));
        }
        if !self.found && self.options.notes {
            self.printer.say(&format!("no containers with logs in {}", self.options.scope()))?;
        }
        Ok(())
    }

    fn is_waiting(&self) -> bool {
        self.targets.iter().flatten().any(|target| target.due().is_some() || target.is_queued())
    }

    /// Waits a moment for more of the logs that just had something, and returns those that do. To wait for all of them at each
    /// line of one is expensive, as it is to write each line by itself.
    fn wait_for_busy(&mut self, now: Instant) -> Option<Vec<Place>> {
        let busy: Vec<usize> = std::mem::take(&mut self.busy);
        let until = *self.until.get_or_insert(now + MOMENT);
        let moment = Ready::after(until.checked_duration_since(Instant::now())?);
        let ready = |index: usize| self.targets.get(index)?.as_ref()?.ready();
        let (places, mut readies): (Vec<Place>, Vec<&Ready>) =
            busy.iter().filter_map(|index| Some((Place::Target(*index), ready(*index)?))).unzip();
        if places.is_empty() {
            return None;
        }
        readies.push(&moment);
        Some(wait_among(readies).into_iter().filter_map(|index| places.get(index).copied()).collect())
    }

    /// Waits until something is ready.
    fn wait(&mut self) -> Vec<Place> {
        self.until = None;
        let watchers = self.watchers.iter().enumerate();
        let watchers =
            watchers.filter_map(|(index, watcher)| Some((Place::Watcher(index), watcher.ready()?)));
        let targets = self.targets.iter().enumerate();
        let targets =
            targets.filter_map(|(index, target)| Some((Place::Target(index), target.as_ref()?.ready()?)));
        let (mut places, mut readies): (Vec<Place>, Vec<&Ready>) = watchers.chain(targets).unzip();
        let dues = self.watchers.iter().filter_map(Watcher::due);
        let due = dues.chain(self.targets.iter().flatten().filter_map(Target::due)).min();
        let clock = due.map(|due| Ready::after(due.saturating_duration_since(Instant::now())));
        if let Some(clock) = &clock {
            places.push(Place::Clock);
            readies.push(clock);
        }
        wait_among(readies).into_iter().filter_map(|index| places.get(index).copied()).collect()
    }

    /// Does what is due.
    fn wake(&mut self, now: Instant) -> Result<(), Failure> {
        for index in 0..self.watchers.len() {
            if self.watchers[index].due().is_some_and(|due| due <= now) {
                self.advance(index, now)?;
            }
        }
        for index in 0..self.targets.len() {
            let Some(target) = &mut self.targets[index] else { continue };
            if target.wake(now) {
                self.queue.push_back(index);
            } else if target.is_over(now) {
                self.remove(index)?;
            }
        }
        Ok(())
    }

    /// Takes what a watcher found.
    fn advance(&mut self, index: usize, now: Instant) -> Result<(), Failure> {
        let early = !self.watchers[index].has_listed();
        let news = match self.watchers[index].advance(self.cluster, now) {
            Ok(news) => news,
            Err(error) if self.watchers.len() == 1 => return Err(error).of("pods"),
            // The other namespaces go on.
            Err(error) => {
                self.incomplete = true;
                let namespace = self.options.namespaces.get(index).map_or("", String::as_str);
                return Ok(self
                    .printer
                    .say(&format!("tail: pods of {}: {error}", for_terminal_line(namespace)))?);
            }
        };
        for news in news {
            match news {
                News::Pod(pod) => self.take(&pod, early)?,
                News::Deleted(pod) => self.delete(|target| target.uid == pod.metadata.uid, now)?,
                News::Listed(seen) => {
                    let namespace = self.options.namespaces.get(index).cloned();
                    let here =
                        |target: &Target| namespace.as_ref().is_none_or(|name| name == target.namespace());
                    self.delete(|target| here(target) && !seen.contains(&target.uid), now)?;
                }
                News::Trouble(error) => {
                    self.printer.say(&format!("tail: pods: {error}; trying again"))?;
                }
            }
        }
        if early && self.watchers.iter().all(|watcher| watcher.has_listed() || watcher.has_ended()) {
            self.check_number()?;
        }
        Ok(())
    }

    /// Refuses to follow more logs than wanted.
    fn check_number(&mut self) -> Result<(), Failure> {
        let (number, max) = (self.queue.len() + self.open, self.options.max);
        if self.options.follow && number > max {
            let what = format!("{number} containers match, and {max} are followed at most");
            let hint =
                format!("a QUERY or -l selects fewer; --max-log-requests {number} follows all of them");
            return Err(Failure::message(what).with_hint(hint));
        }
        if self.options.follow && !self.found && self.options.notes {
            self.printer.say(&format!("no containers with logs in {} yet", self.options.scope()))?;
        }
        Ok(())
    }

    /// Takes note of a pod.
    fn take(&mut self, pod: &Pod, early: bool) -> Result<(), Failure> {
        let (wanted, metadata) = (&self.options.pods, &pod.metadata);
        if !wanted.has_pod(&metadata.name) {
            return Ok(());
        }
        for container in pod.containers(wanted.init, wanted.ephemeral) {
            if !wanted.has_container(&container.name) {
                continue;
            }
            let key = [&metadata.namespace, &metadata.name, &container.name].map(String::clone);
            let known = self.places.get(&key).copied();
            // A pod of the same name is another one: of a stateful set, for example.
            let same =
                |index: usize| self.targets[index].as_ref().is_some_and(|target| target.uid == metadata.uid);
            if let Some(index) = known.filter(|index| !same(*index)) {
                self.remove(index)?;
            }
            let index = match self.places.get(&key) {
                Some(index) => *index,
                None => self.add(key, Target::new(pod, container, early, self.options)),
            };
            let Some(target) = &mut self.targets[index] else { continue };
            if early && !wanted.has_state(container.phase()) {
                target.pass_over(container);
            }
            if target.update(container) {
                self.found = true;
                self.queue.push_back(index);
            }
        }
        Ok(())
    }

    fn add(&mut self, key: [String; 3], target: Target) -> usize {
        let index = self.free.pop().unwrap_or(self.targets.len());
        if index == self.targets.len() {
            self.targets.push(None);
        }
        self.targets[index] = Some(target);
        self.places.insert(key, index);
        index
    }

    /// Takes note that pods were deleted.
    fn delete(&mut self, gone: impl Fn(&Target) -> bool, now: Instant) -> Result<(), Failure> {
        for index in 0..self.targets.len() {
            let over = self.targets[index].as_mut().is_some_and(|target| gone(target) && target.delete(now));
            if over {
                self.remove(index)?;
            }
        }
        Ok(())
    }

    fn remove(&mut self, index: usize) -> Result<(), Failure> {
        let Some(target) = self.targets[index].take() else { return Ok(()) };
        if target.is_open() {
            self.open -= 1;
            self.printer.note("-", target.label())?;
        }
        self.places.retain(|_, place| *place != index);
        self.queue.retain(|queued| *queued != index);
        self.free.push(index);
        Ok(())
    }

    /// Opens as many logs as there may be.
    fn open_queued(&mut self, now: Instant) -> Result<(), Failure> {
        while self.open < self.options.max
            && let Some(index) = self.queue.pop_front()
        {
            let Some(target) = &mut self.targets[index] else { continue };
            match target.open(self.cluster, self.options, now) {
                Ok(first) => {
                    self.open += 1;
                    if first {
                        self.printer.note("+", target.label())?;
                    }
                }
                Err(error) => self.failed(index, error)?,
            }
        }
        if self.options.follow && !self.queue.is_empty() && !self.full {
            let max = self.options.max;
            self.printer
                .say(&format!("tail: {max} logs are followed, others wait; --max-log-requests raises it"))?;
        }
        self.full = !self.queue.is_empty();
        Ok(())
    }

    /// Reads what has arrived of a log.
    fn read(&mut self, index: usize, now: Instant) -> Result<(), Failure> {
        let Some(target) = &mut self.targets[index] else { return Ok(()) };
        match target.read(&mut self.printer, self.options, self.open, now)? {
            Outcome::Open => {
                self.allowed = true;
                self.busy.push(index);
                return Ok(());
            }
            Outcome::Again(reason) => {
                if let Some(error) = reason {
                    self.printer.say(&format!("tail: {}: {error}; trying again", target.label()))?;
                }
                if target.is_queued() {
                    self.printer.note("-", target.label())?;
                    self.queue.push_back(index);
                }
            }
            Outcome::Ended => {
                self.allowed = true;
                self.printer.note("-", target.label())?;
                if target.is_deleted() {
                    self.open -= 1;
                    return self.remove(index);
                }
            }
            Outcome::Failed(error) => self.failed(index, error)?,
        }
        self.open -= 1;
        Ok(())
    }

    /// Says why a log cannot be read; what RBAC refuses is said once for a namespace.
    fn failed(&mut self, index: usize, error: Error) -> Result<(), Failure> {
        let Some(target) = &self.targets[index] else { return Ok(()) };
        self.incomplete = true;
        if error.status() == Some(403) && !self.allowed && !self.options.namespaced() {
            return Err(error).of("logs");
        }
        if error.status() != Some(403) {
            return Ok(self.printer.say(&format!("tail: {}: {error}", target.label()))?);
        }
        let namespace = target.namespace();
        if self.forbidden.insert(namespace.to_owned()) {
            let namespace = for_terminal_line(namespace);
            self.printer.say(&format!("tail: logs of namespace {namespace}: {error}"))?;
        }
        Ok(())
    }
}
