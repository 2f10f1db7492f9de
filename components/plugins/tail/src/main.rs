//! `kubectl tail`: the logs of many pods at once, as they are written. It needs to list and watch pods, and to get their logs.

mod call;
mod follow;
mod json;
mod options;
mod patterns;
mod pod;
mod position;
mod printer;
mod select;
mod splitter;
mod target;
mod template;
mod terminal;
mod watcher;

use follow::Logs;
use kube_guest::{Cluster, Error, Resource};
use options::Options;
use plugin_kit::{ALL_NAMESPACES, Arguments, Command, Failure, NAMESPACE, SELECTOR};

static COMMAND: Command = Command {
    name: "tail",
    version: env!("CARGO_PKG_VERSION"),
    about: "Follows the logs of many pods at once.",
    usage: &["[QUERY] [-n NAMESPACE | -A] [-l SELECTOR] [--no-follow]", "KIND/NAME [-n NAMESPACE]"],
    flags: &[
        &NAMESPACE,
        &ALL_NAMESPACES,
        &SELECTOR,
        &options::FIELDS,
        &options::NODE,
        &options::EXCLUDE_POD,
        &options::CONTAINER,
        &options::EXCLUDE_CONTAINER,
        &options::STATE,
        &options::INIT,
        &options::EPHEMERAL,
        &options::SINCE,
        &options::TAIL,
        &options::NO_FOLLOW,
        &options::INCLUDE,
        &options::EXCLUDE,
        &options::HIGHLIGHT,
        &options::TIMESTAMPS,
        &options::OUTPUT,
        &options::TEMPLATE,
        &options::COLOUR,
        &options::ONLY_LINES,
        &options::MAX,
    ],
    notes: "
QUERY is a regular expression over the names of pods; without one, all are
meant. KIND/NAME means the pods that a deployment, statefulset, daemonset,
replicaset, job, service or replicationcontroller selects, or one pod.

New pods are followed as they come, and containers that are started again. What
was written before a connection broke is neither repeated nor lost. A line of
more than 1 MiB is printed in parts; of less, if more than 128 logs are open.

A template has {{.Message}}, {{.PodName}}, {{.ContainerName}}, {{.Namespace}},
{{.NodeName}}, {{json .}}, {{json .Message}}, {{color .PodColor .PodName}}, and
\\n and \\t.",
    complete: Some(complete),
};

fn main() {
    plugin_kit::main(&COMMAND, run)
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    let cluster = Cluster::from_env()?;
    let options = Options::read(arguments, &cluster)?;
    let paths = select::paths(&cluster, &options)?;
    Logs::new(&cluster, &options, paths).run()
}

/// Completes the names of pods.
fn complete(cluster: &Cluster, arguments: &Arguments) -> Result<Vec<String>, Error> {
    if !arguments.words().is_empty() {
        return Ok(Vec::new());
    }
    let pods = Resource {
        version: "v1".to_owned(),
        name: "pods".to_owned(),
        namespaced: true,
        ..Resource::default()
    };
    plugin_kit::names(cluster, &pods, arguments.value(&NAMESPACE).unwrap_or(cluster.namespace()))
}
