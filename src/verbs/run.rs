//! `kwasm run SOURCE -- ARG…`, and `kubectl NAME ARG…`, the same for an installed plugin.

use std::path::PathBuf;

use crate::cli::{Traffic, Verbosity};
use crate::environment::{Connection, Environment};
use crate::policy::{self, Layers, Policy};
use crate::reference::Source;
use crate::store::{Granted, Plugin, Store};

use super::ask::InstalledGrant;
use super::audit;
use super::ceiling::ceiling;
use super::consent::{Choice, REQUEST};
use super::declared::prove_request;
use super::fetch::{Fetcher, name_of};
use super::launch::{Launch, Questions};
use super::listed::located;
use super::policy::{choose, granted, request};
use super::progress::Progress;
use super::record::Tape;
use super::unstable;
use super::{Ending, Error, Reporter};

/// The options of the command.
pub(super) struct Wish {
    pub(super) source: Source,
    pub(super) policy: Option<String>,
    /// Whether to ask about requests that the policy does not allow; `None` for what was said at install.
    pub(super) ask: Option<bool>,
    /// The record to make of its traffic, or to answer it from.
    pub(super) traffic: Option<Traffic>,
    /// The file for a profile of the run.
    pub(super) profile: Option<PathBuf>,
    pub(super) verbosity: Verbosity,
    pub(super) arguments: Vec<String>,
}

pub(super) fn run(
    store: &Store,
    environment: &Environment,
    reporter: Reporter,
    wish: Wish,
) -> Result<Ending, Error> {
    let Wish { source, policy, ask, traffic, profile, verbosity, arguments } = wish;
    let plugin = find(store, environment, reporter, &source)?;
    let layers = layers_of(&plugin, policy.as_deref())?;
    let installed = match &source {
        Source::Installed(name) => Some(name),
        _ => None,
    };
    // Of an installed one it was said at install.
    unstable::check(reporter, &layers, plugin.name(), plugin.inspected(), installed.is_some())?;
    let uses_network = plugin.inspected().uses_network();
    let tape =
        traffic.map(|traffic| Tape::begin(&traffic, plugin.name(), layers.grant.name())).transpose()?;
    // Of a replay nothing reaches a cluster.
    let is_replay = tape.as_ref().is_some_and(Tape::is_replay);
    let audit = if is_replay { None } else { audit::observer_of(store, &source, &plugin)? };
    let observers = audit.into_iter().collect();
    let questions = (uses_network && ask.unwrap_or(plugin.asks())).then(|| {
        // A policy for one run, and one in another user's store, are not changed by an answer.
        let name = installed.filter(|_| policy.is_none() && store.is_own());
        Questions { grant: name.map(|name| InstalledGrant { store: store.clone(), name: name.clone() }) }
    });
    let traffic = tape.as_ref().map(Tape::traffic);
    let launch = Launch {
        store,
        environment,
        reporter,
        plugin: &plugin,
        verbosity,
        observers,
        questions,
        traffic,
        profile,
    };
    let ending = launch.run(layers.for_plugin(plugin.inspected()), arguments);
    match tape {
        Some(tape) => tape.end(reporter, verbosity, ending),
        None => ending,
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
        Source::Object(object) => {
            let brought = super::object::fetch(environment, reporter, object, &Connection::default())?;
            store.keep_fetched(&name_of(source), &brought.content)?
        }
        Source::Installed(name) => store.find(name)?,
        Source::Image(_) | Source::Package(_) => fetch(store, environment, reporter, source)?,
        Source::Listed(listed) => find(store, environment, reporter, &located(store, listed)?)?,
    })
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

/// Returns the policies that together limit a plugin, `choice` being the one that the user names.
///
/// # Errors
/// If one of them cannot be read, or is not valid.
pub(super) fn layers_of(plugin: &Plugin, choice: Option<&str>) -> Result<Layers, Error> {
    Ok(Layers {
        request: request(plugin.name(), plugin.inspected())?,
        grant: policy_for(plugin, choice)?,
        ceiling: ceiling()?,
        installed: plugin.granted().filter(|_| choice.is_none()).map(|_| plugin.name().to_owned()),
    })
}

/// Returns the policy that the user names, or else the one granted at install, or else the default.
fn policy_for(plugin: &Plugin, choice: Option<&str>) -> Result<Policy, Error> {
    let name = match (choice, plugin.granted()) {
        (Some(REQUEST), _) => return Ok(Choice::Request.grant(plugin.name(), plugin.inspected())?.policy),
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
