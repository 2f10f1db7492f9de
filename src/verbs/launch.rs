//! A plugin that is about to run, with everyone who watches its requests or is asked about them.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::cli::{self, Verbosity};
use crate::cluster::{Contexts, Flags, Kubeconfig, MOST_CONTEXTS, Selection};
use crate::environment::{Connection, Environment};
use crate::gate::{Asker, Gate, Observer, Traffic};
use crate::message::{Explain, Message};
use crate::platform::disk;
use crate::policy::{Grant, NAME_A_KUBECONFIG};
use crate::runtime::{
    Compiler, Folders, Guards, OpenLine, Outcome, Profiler, Sandbox, StreamFaults, Trap, World,
};
use crate::store::{Plugin, Store};

use super::ask::{InstalledGrant, User};
use super::optimize;
use super::progress::Compiling;
use super::watching::Lines;
use super::{Ending, Error, Reporter};

/// A plugin that is about to run.
pub(super) struct Launch<'a> {
    pub(super) store: &'a Store,
    pub(super) environment: &'a Environment,
    pub(super) reporter: Reporter,
    pub(super) plugin: &'a Plugin,
    pub(super) verbosity: Verbosity,
    /// Those who watch its requests beside the user.
    pub(super) observers: Vec<Observer>,
    /// Whether the user is asked about requests that the grant does not allow.
    pub(super) questions: Option<Questions>,
    /// The record that is made of its traffic, or that answers it.
    pub(super) traffic: Option<Traffic>,
    /// The file for a profile of the run.
    pub(super) profile: Option<PathBuf>,
}

/// The questions about requests that a grant does not allow.
pub(super) struct Questions {
    /// The grant that an answer can change for good, if there is one.
    pub(super) grant: Option<InstalledGrant>,
}

/// A plugin's surroundings, which its arguments determine.
pub(super) struct Scene {
    pub(super) world: World,
    pub(super) contexts: Contexts,
    /// The reason why there is no cluster to send requests to.
    pub(super) missing: Option<String>,
}

impl Launch<'_> {
    /// Runs the plugin with a grant, and reports what there is to say of it.
    ///
    /// # Errors
    /// If it cannot be run, or its output is incomplete.
    pub(super) fn run(self, grant: Grant, arguments: Vec<String>) -> Result<Ending, Error> {
        let (limits, verbosity, profile) = (grant.limits(), self.verbosity, self.profile.clone());
        if let Some(path) = &profile {
            disk::may_output(path).map_err(|source| Error::Unwritten { path: path.clone(), source })?;
        }
        let Scene { world, contexts, missing } = self.scene(&grant, arguments)?;
        let faults = world.faults();
        let lines = Lines::new(self.reporter, faults.line.clone());
        let Self { store, environment, reporter, plugin, .. } = self;
        let gate = self.gate(grant, contexts, &lines, &faults.line);
        let progress = Compiling::new(reporter, plugin.name());
        let compiler = Compiler::new(store.places(), environment, &progress)?;
        let profiler = profile.as_ref().map(|_| Profiler::new(plugin.name()));
        let sandbox = Sandbox::new(plugin, &compiler, gate.clone(), world, limits, profiler.clone())?;
        if !sandbox.is_optimized() {
            optimize::begin(environment, &compiler, plugin);
        }
        drop(progress);
        let outcome = sandbox.run()?;
        lines.flush();
        let outcome = resolved(outcome, plugin, verbosity);
        let ending = report(reporter, &gate, outcome, missing, &faults, verbosity);
        let written =
            profile.zip(profiler).map_or(Ok(()), |(place, profiler)| write(reporter, &profiler, &place));
        match (ending, written) {
            // How the plugin ended says more.
            (Ok(Ending::Ran(outcome)), Err(error)) if outcome != Outcome::Ended(0) => {
                reporter.message(&error.message());
                Ok(Ending::Ran(outcome))
            }
            (Ok(_), Err(error)) => Err(error),
            (ending, _) => ending,
        }
    }

    /// Returns the plugin's surroundings. A component that can send nothing gets no kubeconfig, and one without
    /// files cannot find one either.
    pub(super) fn scene(&self, grant: &Grant, mut arguments: Vec<String>) -> Result<Scene, Error> {
        let Self { store, environment, reporter, plugin, .. } = self;
        let connection = Connection::take(&mut arguments, grant.own_flags()).map_err(cli::Error::from)?;
        let mut world = World::new(plugin.name(), arguments, environment, grant)
            .at_time_of(self.traffic.as_ref().map(Traffic::clock));
        let network = plugin.inspected().uses_network();
        let nothing = "the plugin imports no network";
        if !network && grant.files().is_empty() {
            return Ok(Scene { world, contexts: Contexts::none(nothing), missing: None });
        }
        let flags = Flags::of(&connection)?;
        let record = self.traffic.as_ref().and_then(Traffic::replayed);
        // For a replay there may be none. It is only needed to know which files hold credentials.
        let kubeconfig = match (record, grant.files()) {
            (Some(_), []) => Kubeconfig::default(),
            _ => Kubeconfig::load(environment, &flags)?,
        };
        world = world.with(folders(grant, environment, store, &kubeconfig)?);
        if !network {
            return Ok(Scene { world, contexts: Contexts::none(nothing), missing: None });
        }
        let contexts = match record {
            Some(record) => super::record::recalled(record, &flags)?,
            None => Contexts::choose(&kubeconfig, &flags, |name, selected| grant.grants(name, selected))?,
        };
        if let Some(recorder) = self.traffic.as_ref().and_then(Traffic::recorder) {
            recorder.show(super::record::shown(&contexts));
        }
        if contexts.left_out() > 0 {
            let (left_out, most) = (contexts.left_out(), MOST_CONTEXTS);
            reporter.note(&format!(
                "a plugin has {most} contexts at most: {left_out} that its policy grants are left out"
            ));
        }
        world = world.show(&contexts, store.places())?;
        let missing = match contexts.selected() {
            Selection::Nothing(why) => Some(why.clone()),
            Selection::Cluster(_) => None,
        };
        Ok(Scene { world, contexts, missing })
    }

    /// Returns the gate of the run.
    fn gate(self, grant: Grant, contexts: Contexts, lines: &Lines, line: &OpenLine) -> Gate {
        let mut observers = self.observers;
        observers.extend(lines.observer(self.verbosity));
        let asker = self.questions.map(|Questions { grant }| {
            line.share();
            let (plugin, line, lines) = (self.plugin.name().to_owned(), line.clone(), lines.clone());
            Arc::new(User { plugin, line, lines, grant }) as Arc<dyn Asker>
        });
        Gate::with_traffic(grant, contexts, observers, asker, self.traffic)
    }
}

/// Reports how a run ended, beside what its plugin printed.
///
/// # Errors
/// If its output is incomplete.
fn report(
    reporter: Reporter,
    gate: &Gate,
    outcome: Outcome,
    missing: Option<String>,
    faults: &StreamFaults,
    verbosity: Verbosity,
) -> Result<Ending, Error> {
    let mut lines = gate.report();
    // Many a client library gives up before it sends anything, and cannot say why there is nothing to send to.
    if let Some(why) =
        missing.filter(|_| lines.is_empty() && matches!(outcome, Outcome::Ended(1..) | Outcome::Trapped(_)))
    {
        lines.push(Message::hinted(why, NAME_A_KUBECONFIG));
    }
    let well = outcome == Outcome::Ended(0);
    if let Some(why) = faults.stdin.take().filter(|_| !well) {
        lines.push(Message::plain(format!("stdin cannot be read: {why}")));
    }
    let speaks = !lines.is_empty() || matches!(outcome, Outcome::Limited(..) | Outcome::Trapped(_));
    // A question that is open when the run ends leaves a line of kwasm's own.
    if (speaks || faults.line.is_held()) && faults.line.close() {
        Reporter::end_line();
    }
    reporter.messages(&lines);
    if verbosity >= Verbosity::Requests
        && let Outcome::Limited(_, calls) | Outcome::Trapped(Trap { calls, .. }) = &outcome
    {
        for line in calls.lines() {
            reporter.note(&line);
        }
    }
    match faults.stdout.take() {
        // Readers would take it for the complete output.
        Some(why) if well => Err(Error::Stdout(why)),
        _ => Ok(Ending::Ran(outcome)),
    }
}

/// Returns an outcome with calls as the plugin's author reads them, if they are shown.
fn resolved(outcome: Outcome, plugin: &Plugin, verbosity: Verbosity) -> Outcome {
    let is_shown = verbosity >= Verbosity::Requests;
    match outcome {
        Outcome::Trapped(trap) => Outcome::Trapped(trap.resolved(plugin, is_shown)),
        Outcome::Limited(limit, calls) if is_shown => Outcome::Limited(limit, calls.resolved(plugin)),
        outcome => outcome,
    }
}

/// Writes the profile of a run that has ended.
fn write(reporter: Reporter, profiler: &Profiler, place: &Path) -> Result<(), Error> {
    let unwritten = |source| Error::Profile { path: place.to_owned(), source };
    let profile =
        profiler.finish().ok_or_else(|| unwritten(io::Error::other("the profile takes too long")))?;
    disk::output(place, &profile.json).map_err(unwritten)?;
    let (place, samples) = (place.display(), profile.samples);
    let cut = if profile.is_cut { ", the most that are kept" } else { "" };
    reporter.note(&format!("wrote {place}: samples: {samples}{cut}; https://profiler.firefox.com opens it"));
    Ok(())
}

/// Returns the folders that a plugin gets.
fn folders(
    grant: &Grant,
    environment: &Environment,
    store: &Store,
    kubeconfig: &Kubeconfig,
) -> Result<Folders, Error> {
    if grant.files().is_empty() {
        return Ok(Folders::default());
    }
    let guards = Guards::of(environment, store.places(), kubeconfig);
    Ok(Folders::find(grant.files(), environment, &guards)?)
}
