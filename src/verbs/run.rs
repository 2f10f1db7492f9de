//! `kwasm run SOURCE -- ARG…`, and `kubectl NAME ARG…`, the same for an installed plugin.

use std::sync::Arc;

use crate::cli;
use crate::cluster::{Contexts, Flags, Kubeconfig, MOST_CONTEXTS, Selection};
use crate::environment::{Connection, Environment};
use crate::gate::{self, Gate, Observer, Trace};
use crate::message::Message;
use crate::policy::{self, Grant, NAME_A_KUBECONFIG, Policy};
use crate::reference::Source;
use crate::runtime::{Bounds, Compiler, Folders, Guards, OpenLine, Outcome, Sandbox, World};
use crate::store::{Granted, Plugin, Store};

use super::declared::prove_request;
use super::fetch::{Fetcher, name_of};
use super::policy::{choose, granted, request};
use super::progress::{Compiling, Progress};
use super::{Ending, Error, Reporter};

/// The options of the command.
pub(super) struct Wish {
    pub(super) source: Source,
    pub(super) policy: Option<String>,
    pub(super) verbose: bool,
    pub(super) arguments: Vec<String>,
}

pub(super) fn run(
    store: &Store,
    environment: &Environment,
    reporter: Reporter,
    wish: Wish,
) -> Result<Ending, Error> {
    let Wish { source, policy, verbose, arguments } = wish;
    let plugin = find(store, environment, reporter, &source)?;
    request(plugin.name(), plugin.inspected())?;
    let policy = policy_for(&plugin, policy.as_deref())?;
    let grant = policy.grant(plugin.inspected());
    let launch = Launch { store, environment, reporter, plugin: &plugin, verbose, observers: Vec::new() };
    launch.run(grant, arguments)
}

/// A plugin that is about to run.
pub(super) struct Launch<'a> {
    pub(super) store: &'a Store,
    pub(super) environment: &'a Environment,
    pub(super) reporter: Reporter,
    pub(super) plugin: &'a Plugin,
    pub(super) verbose: bool,
    pub(super) observers: Vec<Observer>,
}

impl Launch<'_> {
    /// Runs the plugin with a grant, and reports what there is to say of it.
    ///
    /// # Errors
    /// If it cannot be run, or its output is incomplete.
    pub(super) fn run(self, grant: Grant, mut arguments: Vec<String>) -> Result<Ending, Error> {
        let Self { store, environment, reporter, plugin, verbose, mut observers } = self;
        let limits = grant.limits();
        let connection = Connection::take(&mut arguments, grant.own_flags()).map_err(cli::Error::from)?;
        let (mut contexts, mut world) = (None, World::new(plugin.name(), arguments, environment, &grant));
        let network = plugin.inspected().uses_network();
        // A component that can send nothing gets no kubeconfig, and one without files cannot find one either.
        if network || !grant.files().is_empty() {
            let flags = Flags::of(&connection)?;
            let kubeconfig = Kubeconfig::load(environment, &flags)?;
            world = world.with(folders(&grant, environment, store, &kubeconfig)?);
            if network {
                let granted = |name: &str, selected: &str| grant.grants(name, selected);
                contexts = Some(Contexts::choose(&kubeconfig, &flags, granted)?);
            }
        }
        if let Some(contexts) = &contexts {
            if contexts.left_out() > 0 {
                let (left_out, most) = (contexts.left_out(), MOST_CONTEXTS);
                reporter.note(&format!(
                    "a plugin has {most} contexts at most: {left_out} that its policy grants are left out"
                ));
            }
            world = world.show(contexts, store.places())?;
        }
        let missing = contexts.as_ref().and_then(|contexts| match contexts.selected() {
            Selection::Nothing(why) => Some(why.clone()),
            Selection::Cluster(_) => None,
        });
        let contexts = contexts.unwrap_or_else(|| Contexts::none("the plugin imports no network"));
        let faults = world.faults();
        let line = faults.line.clone();
        observers.extend(verbose.then(|| ending_lines(observer(reporter), line.clone())));
        let gate = Gate::new(grant, contexts, observers, None);
        let progress = Compiling::new(reporter, plugin.name());
        let compiler =
            Compiler { places: store.places(), bounds: Bounds::of(environment)?, watcher: &progress };
        let sandbox = Sandbox::new(plugin, &compiler, gate.clone(), world, limits)?;
        drop(progress);
        let outcome = sandbox.run()?;
        let mut lines = gate.report();
        // Many a client library gives up before it sends anything, and cannot say why there is nothing to send to.
        if let Some(why) = missing
            .filter(|_| lines.is_empty() && matches!(outcome, Outcome::Ended(1..) | Outcome::Trapped(_)))
        {
            lines.push(Message::hinted(why, NAME_A_KUBECONFIG));
        }
        let well = outcome == Outcome::Ended(0);
        if let Some(why) = faults.stdin.take().filter(|_| !well) {
            lines.push(Message::plain(format!("stdin cannot be read: {why}")));
        }
        let speaks = !lines.is_empty() || matches!(outcome, Outcome::Limited(_) | Outcome::Trapped(_));
        if speaks && line.close() {
            Reporter::end_line();
        }
        reporter.messages(&lines);
        match faults.stdout.take() {
            // Readers would take it for the complete output.
            Some(why) if well => Err(Error::Stdout(why)),
            _ => Ok(Ending::Ran(outcome)),
        }
    }
}

/// Returns the plugin of a source, which is fetched if it is in a registry.
///
/// # Errors
/// If there is none, or it cannot be fetched.
pub(super) fn find(
    store: &Store,
    environment: &Environment,
    reporter: Reporter,
    source: &Source,
) -> Result<Plugin, Error> {
    Ok(match source {
        Source::Path(path) => store.open_file(path)?,
        Source::Installed(name) => store.find(name)?,
        Source::Image(_) | Source::Package(_) => fetch(store, environment, reporter, source)?,
    })
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

/// Fetches a plugin from a registry, unless its content is cached. Its digest and signatures are looked up
/// each time, since a tag may have moved.
fn fetch(
    store: &Store,
    environment: &Environment,
    reporter: Reporter,
    source: &Source,
) -> Result<Plugin, Error> {
    let fetcher = Fetcher::new(environment, store.places(), reporter);
    let registries = fetcher.registries()?;
    let found = fetcher.find(source)?;
    if fetcher.asks_for_signatures(source, &found)? {
        fetcher.judge(source, &found, None)?;
    }
    let name = name_of(source);
    let plugin = if let Some(plugin) = store.fetched(&name, found.content()) {
        plugin
    } else {
        let progress = Progress::download(reporter, &name);
        let content = registries.fetch(&found, &progress)?;
        drop(progress);
        store.keep_fetched(&name, &content)?
    };
    // Another manifest may lead to the same content.
    prove_request(&found.reference(), found.manifest(), plugin.inspected())?;
    Ok(plugin)
}

/// Returns the policy that the user names, or else the one granted at install, or else the default.
fn policy_for(plugin: &Plugin, choice: Option<&str>) -> Result<Policy, Error> {
    let name = match (choice, plugin.granted()) {
        (Some(name), _) => name,
        (None, None) => policy::DEFAULT,
        (None, Some(Granted { name, text: None })) => name,
        (None, Some(with_text)) => return Ok(granted(with_text)?.policy),
    };
    // None of kwasm's own says anything to a plugin without network, and reading one takes longer than some runs.
    if !plugin.inspected().uses_network() && policy::builtins().any(|builtin| builtin == name) {
        return Ok(Policy::none());
    }
    Ok(choose(Some(name))?.policy)
}

/// Returns an observer whose lines begin on lines of their own.
fn ending_lines(observer: Observer, line: OpenLine) -> Observer {
    Arc::new(move |trace: &Trace| {
        if line.close() {
            Reporter::end_line();
        }
        observer(trace)
    })
}

/// Returns an observer that reports each request when it ends.
pub(super) fn observer(reporter: Reporter) -> Observer {
    Arc::new(move |Trace { request, ending, time, .. }: &Trace| {
        let milliseconds = time.as_millis();
        reporter.note(&match ending {
            gate::Ending::Answered { status, bytes } => {
                let status = status.as_u16();
                format!("allowed: {request}: {status}, {bytes} bytes, {milliseconds} ms")
            }
            gate::Ending::Failed => format!("allowed: {request}: no answer, {milliseconds} ms"),
            gate::Ending::Refused(_) => format!("refused: {request}"),
        });
        Ok(())
    })
}
