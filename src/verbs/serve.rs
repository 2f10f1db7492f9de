//! `kwasm serve SOURCE`: a component that answers requests, under the same policy as a plugin that is run.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::Uri;

use crate::cli::Verbosity;
use crate::environment::Environment;
use crate::gate::{self, Gate, Observer};
use crate::message::Message;
use crate::reference::Source;
use crate::runtime::{Compiler, Fault, Handler, Trap, Visits};
use crate::server::{self, Log, Metrics, Options};
use crate::store::{Plugin, Store};

use super::audit;
use super::launch::{Launch, Scene};
use super::progress::Compiling;
use super::run::{find, layers_of};
use super::unstable;
use super::watching::Lines;
use super::{Ending, Error, Reporter};

/// The options of the command.
pub(super) struct Wish {
    pub(super) source: Source,
    pub(super) policy: Option<String>,
    pub(super) options: Options,
    pub(super) verbosity: Verbosity,
    pub(super) arguments: Vec<String>,
}

/// The number of distinct refusals that are told. Those beyond it are counted only.
const REFUSALS: usize = 200;

pub(super) fn serve(
    store: &Store,
    environment: &Environment,
    reporter: Reporter,
    wish: Wish,
) -> Result<Ending, Error> {
    let Wish { source, policy, options, verbosity, arguments } = wish;
    let plugin = find(store, environment, reporter, &source)?;
    if plugin.inspected().serves().is_none() {
        return Err(Error::NoServer(plugin.name().to_owned()));
    }
    let layers = layers_of(&plugin, policy.as_deref())?;
    unstable::check(
        reporter,
        &layers,
        plugin.name(),
        plugin.inspected(),
        matches!(source, Source::Installed(_)),
    )?;
    let service = service(environment, &plugin)?;
    let observers = audit::observer_of(store, &source, &plugin)?.into_iter().collect();
    let launch = Launch {
        store,
        environment,
        reporter,
        plugin: &plugin,
        verbosity,
        observers,
        questions: None,
        traffic: None,
        profile: None,
    };
    let grant = layers.for_plugin(plugin.inspected());
    let limits = grant.limits();
    let Scene { world, contexts, missing } = launch.scene(&grant, arguments)?;
    let lines = Lines::new(reporter, world.faults().line);
    let metrics = Arc::new(Metrics::default());
    let mut observers = launch.observers;
    observers.extend([metrics.observer(), refusals(reporter)]);
    observers.extend(lines.observer(verbosity));
    let gate = Gate::new(grant, contexts, observers, None);
    let progress = Compiling::new(reporter, plugin.name());
    let compiler = Compiler::new(store.places(), environment, &progress)?;
    let watcher =
        Arc::new(Told { metrics: Arc::clone(&metrics), reporter, plugin: plugin.clone(), verbosity });
    let handler = Handler::new(&plugin, &compiler, gate.clone(), world, limits, options.requests, watcher)?;
    drop(progress);
    if let Some(why) = missing {
        reporter.note(&format!("without a cluster: {why}"));
    }
    let log: Log = Arc::new(move |text| reporter.note(text));
    let served = server::serve(handler, &options, service, &metrics, &log);
    lines.flush();
    served.map(|()| Ending::Done).map_err(Error::from)
}

/// Returns the service whose spans are sent to a collector, if the environment names one by [OpenTelemetry's rules][1].
///
/// [1]: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
///
/// # Errors
/// If what it says is no URL.
fn service<'a>(environment: &'a Environment, plugin: &'a Plugin) -> Result<Option<&'a str>, server::Error> {
    let set = |name: &str| environment.variable(name).filter(|value| !value.is_empty());
    let names = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
    let Some((name, url)) = names.into_iter().find_map(|name| Some((name, set(name)?))) else {
        return Ok(None);
    };
    let is_disabled = set("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    if is_disabled || set("OTEL_TRACES_EXPORTER").is_some_and(|value| value == "none") {
        return Ok(None);
    }
    let url: Option<Uri> = url.to_str().and_then(|url| url.parse().ok());
    let is_url = url.is_some_and(|url| {
        matches!(url.scheme_str(), Some("http" | "https")) && url.host().is_some_and(|host| !host.is_empty())
    });
    if !is_url {
        return Err(server::Error::Collector(format!("{name} is not a URL of http or https")));
    }
    let service = set("OTEL_SERVICE_NAME").and_then(|name| name.to_str());
    Ok(Some(service.unwrap_or(plugin.name())))
}

/// Returns what tells each refusal of the gate once.
fn refusals(reporter: Reporter) -> Observer {
    let told = Mutex::new(BTreeSet::new());
    Arc::new(move |trace| {
        if let gate::Ending::Refused(reason) = &trace.ending {
            let text = format!("refused: {}: {reason}", trace.request);
            let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
            if told.len() < REFUSALS && told.insert(text.clone()) {
                reporter.message(&Message::plain(text));
            }
        }
        Ok(())
    })
}

/// Counts what becomes of requests, and tells what goes wrong.
struct Told {
    metrics: Arc<Metrics>,
    reporter: Reporter,
    plugin: Plugin,
    verbosity: Verbosity,
}

impl Visits for Told {
    fn instantiated(&self, took: Duration) {
        self.metrics.instantiated(took);
    }

    fn failed(&self, fault: &Fault) {
        self.metrics.failed(fault);
        self.reporter.message(&message(fault, &self.plugin, self.verbosity));
    }
}

/// Returns what operators read of a request that was not answered.
fn message(fault: &Fault, plugin: &Plugin, verbosity: Verbosity) -> Message {
    let is_shown = verbosity >= Verbosity::Requests;
    match fault {
        Fault::Late(time) => {
            let text =
                format!("a request was given up: the plugin took longer than {} s", time.as_secs_f64());
            Message::hinted(text, "--deadline, and the policy's timeout, say how long it may take")
        }
        Fault::Limited(limit, _) => limit.report(),
        Fault::Silent => Message::plain("a request was not answered: the plugin returned without an answer"),
        Fault::Unfinished => Message::plain(
            "a request was not answered to its end: the plugin returned before it had finished a body",
        ),
        Fault::Failed(error) => {
            Message::plain(format!("a request was not answered: the plugin failed: {error}"))
        }
        Fault::Unfit(why) => {
            Message::plain(format!("a review was not answered: the plugin's answer is not a verdict: {why}"))
        }
        Fault::System(why) => Message::plain(format!("a request was not answered: {why}")),
        Fault::Trapped(trap) => {
            let trap: Trap = trap.clone().resolved(plugin, is_shown);
            trap.report()
        }
    }
}

/// The hint for a component that answers no requests.
pub(super) const NO_SERVER: &str = "a server exports wasi:http/incoming-handler (WASI 0.2) or wasi:http/handler (0.3); kwasm run runs a command";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Explain;

    #[test]
    fn a_server_that_cannot_listen_says_where_and_what_to_do() {
        let source = std::io::Error::from(std::io::ErrorKind::AddrInUse);
        let address = "127.0.0.1:8080".parse().unwrap();
        let message = Error::from(server::Error::Address { address, source }).message();
        assert!(message.text.starts_with("cannot listen at 127.0.0.1:8080: "), "{}", message.text);
        assert!(message.hint.unwrap().contains("--addr"));
    }
}
