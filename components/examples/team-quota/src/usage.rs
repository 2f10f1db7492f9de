//! What the pods of a team request now.

use admission::Request;
use kube_guest::{Cluster, Path, for_terminal_line};
use plugin_kit::requests::{Listed, Pod};
use plugin_kit::{Explain, Failure, Object, Quantity};

/// The most namespaces of a team: each takes a list, and the API server waits.
const MOST: usize = 200;

/// What a team's pods request.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    pub(crate) requests: Listed,
    pub(crate) namespaces: usize,
}

/// Returns the team of a namespace, if its label names one.
pub(crate) fn team(cluster: &Cluster, label: &str, namespace: &str) -> Result<Option<String>, Failure> {
    let what = format!("namespace {}", for_terminal_line(namespace));
    let object: Object = cluster.get_json(Path::new(["api", "v1", "namespaces", namespace])?).of(&what)?;
    Ok(object.metadata.labels.unwrap_or_default().remove(label).filter(|team| !team.is_empty()))
}

/// Adds up what a team's pods request, but for the one that is reviewed.
pub(crate) fn of_team(
    cluster: &Cluster,
    label: &str,
    team: &str,
    request: &Request,
) -> Result<Usage, Failure> {
    let labelled = Path::new(["api", "v1", "namespaces"])?.query("labelSelector", &format!("{label}={team}"));
    let namespaces = cluster.list::<Object>(labelled).of("namespaces")?.items;
    if namespaces.len() > MOST {
        let count = namespaces.len();
        return Err(Failure::message(format!(
            "team {team}: {count} namespaces, and {MOST} are added up at most"
        )));
    }
    let pods = |namespace: &Object| {
        let path = Path::new(["api", "v1", "namespaces", &*namespace.metadata.name, "pods"])?;
        // What has ended requests nothing.
        Ok(path.query("fieldSelector", "status.phase!=Succeeded,status.phase!=Failed"))
    };
    let paths = namespaces.iter().map(pods).collect::<Result<Vec<_>, Failure>>()?;
    let mut usage = Usage { namespaces: namespaces.len(), ..Usage::default() };
    for list in cluster.lists::<Pod>(paths, "application/json") {
        let others = list.of("pods")?.items.into_iter().filter(|pod| !is_reviewed(pod, request));
        others.for_each(|pod| add(&mut usage.requests, &pod));
    }
    Ok(usage)
}

fn is_reviewed(pod: &Pod, request: &Request) -> bool {
    pod.metadata.name == request.name && pod.metadata.namespace == request.namespace
}

/// Adds a pod, itself and what it requests.
fn add(sum: &mut Listed, pod: &Pod) {
    sum.add(pod.requests());
    sum.pods = Some(sum.pods.unwrap_or_default() + Quantity::from_milli(1000));
}

/// Returns what a pod needs of a quota.
pub(crate) fn of_pod(pod: &Pod) -> Listed {
    let mut sum = Listed::default();
    add(&mut sum, pod);
    sum
}
