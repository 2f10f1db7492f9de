//! `kwasm policy learn SOURCE -- ARG…`: runs a plugin, and writes the smallest policy that covers what it did.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::Uri;

use crate::cli::Verbosity;
use crate::environment::Environment;
use crate::gate::{Ending as Ended, Observer, Subject, Trace};
use crate::platform::disk;
use crate::policy::{Layer, Layers, Lesson, Policy, Reason, host_of};
use crate::reference::Source;
use crate::store::Store;

use super::audit;
use super::ceiling::ceiling;
use super::launch::Launch;
use super::policy::{granted, request};
use super::run::find;
use super::save::STREAM;
use super::{Ending, Error, Reporter, print};

/// The options of the command.
pub(super) struct Wish {
    pub(super) source: Source,
    /// Whether it may do more than read.
    pub(super) allow_writes: bool,
    pub(super) keep_names: bool,
    pub(super) output: Option<PathBuf>,
    pub(super) verbosity: Verbosity,
    pub(super) arguments: Vec<String>,
}

/// What was seen of a run.
#[derive(Default)]
struct Seen {
    lesson: Lesson,
    /// Whether something was refused because it is more than reading.
    refused: bool,
}

pub(super) fn learn(
    store: &Store,
    environment: &Environment,
    reporter: Reporter,
    wish: Wish,
) -> Result<Ending, Error> {
    let Wish { source, allow_writes, keep_names, output, verbosity, arguments } = wish;
    // A policy at the end of a plugin's output is of use to someone who reads it, and to no program.
    if output.is_none() && !environment.terminal {
        return Err(Error::NoPlaceForPolicy);
    }
    let plugin = find(store, environment, reporter, &source)?;
    // Its own request neither limits it, since that may be what is to be learnt, nor gives it anything: no one has
    // granted the files that it requests.
    let requested = request(plugin.name(), plugin.inspected())?.map(Policy::flags_alone);
    let base = match plugin.granted() {
        Some(grant) => granted(grant)?.policy,
        None => requested.unwrap_or_else(Policy::none),
    };
    let grant = base.for_learning(plugin.name(), allow_writes);
    let layers = Layers { request: None, grant: grant.clone(), ceiling: ceiling()?, installed: None };
    let seen = Arc::new(Mutex::new(Seen { lesson: Lesson::new(keep_names), refused: false }));
    let recorder = audit::observer_of(store, &source, &plugin)?;
    let observers = recorder.into_iter().chain([student(&seen)]).collect();
    let launch = Launch {
        store,
        environment,
        reporter,
        plugin: &plugin,
        verbosity,
        observers,
        questions: None,
        profile: None,
        traffic: None,
    };
    let ending = launch.run(layers.for_plugin(plugin.inspected()), arguments)?;

    let Seen { lesson, refused } = &*locked(&seen);
    if *refused && !allow_writes {
        reporter.hint("--allow-writes lets it do more than read");
    }
    for request in lesson.left_out() {
        reporter.fault(&format!("not learnt: {request}: no rule covers only that"));
    }
    let policy = lesson.policy(grant);
    let text = format!("# Learnt from one run of {}. Another run may need more.\n{policy}", plugin.name());
    match output.as_deref() {
        Some(place) if place != Path::new(STREAM) => {
            disk::output(place, text.as_bytes())
                .map_err(|source| Error::Unwritten { path: place.to_owned(), source })?;
            let (rules, hosts) = (policy.rules().len(), policy.hosts().len());
            reporter.note(&format!("wrote {}: rules: {rules}, hosts: {hosts}", place.display()));
        }
        _ => print(&text)?,
    }
    Ok(ending)
}

/// Returns an observer that learns from each request.
fn student(seen: &Arc<Mutex<Seen>>) -> Observer {
    let seen = Arc::clone(seen);
    Arc::new(move |Trace { request, subject, ending, .. }: &Trace| {
        let mut seen = locked(&seen);
        match (subject, ending) {
            (Subject::Cluster { context, info, opens }, Ended::Answered { .. } | Ended::Failed) => {
                seen.lesson.add(info, context, *opens);
            }
            // No policy grants all hosts, so that what it tries is learnt, and refused.
            (
                Subject::Elsewhere { .. },
                Ended::Answered { .. }
                | Ended::Failed
                | Ended::Refused(Reason::Destination | Reason::PrivateAddress(_)),
            ) => {
                let uri = request.split_once(' ').and_then(|(_, uri)| uri.parse::<Uri>().ok());
                if let Some(mut host) = uri.as_ref().and_then(host_of) {
                    host.private |= matches!(ending, Ended::Refused(Reason::PrivateAddress(_)));
                    seen.lesson.add_host(host);
                }
            }
            (_, Ended::Refused(Reason::Policy { layer: Layer::Grant, .. })) => seen.refused = true,
            _ => {}
        }
        Ok(())
    })
}

fn locked(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    // A request is added as a whole.
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}
