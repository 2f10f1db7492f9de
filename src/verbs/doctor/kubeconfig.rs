//! Checks of the kubeconfig: that it leads to clusters, and that the files it names exist. No server is
//! contacted and no credential plugin runs: `kwasm cluster --check` does that.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::cluster::{Cluster, Contexts, Error, Selection};
use crate::message::Explain;
use crate::platform::shell::word;

use super::check::{Check, Patient, Problem, count};

/// The remedy for errors without a better one.
const LOOK: &str = "correct it in the kubeconfig, or log in again with the tool that created it";

/// Checks that the kubeconfig can be read and that each of its contexts leads to a cluster. A missing
/// kubeconfig is not a problem, since many plugins need none.
pub(super) fn contexts(patient: &Patient<'_>) -> Check {
    let check = |found: String, problems| Check { name: "kubeconfig", found, problems };
    let kubeconfig = match &patient.kubeconfig {
        Ok(kubeconfig) => kubeconfig,
        Err(error) => return check(String::new(), vec![problem(error)]),
    };
    let contexts = match Contexts::choose(kubeconfig, &patient.flags, |_, _| true) {
        Ok(contexts) => contexts,
        Err(error) => return check(String::new(), vec![problem(&error)]),
    };
    let number = contexts.numbered().filter(|context| context.name.is_some()).count() + contexts.left_out();
    let problems = contexts.numbered().filter_map(|context| match (context.selection, context.name) {
        (Selection::Nothing(why), Some(name)) => {
            let cure = format!("kubectl config delete-context {}, if no one needs it", word(name));
            Some(Problem::new(format!("context `{name}`"), why.clone(), cure))
        }
        _ => None,
    });
    let files = count(kubeconfig.files().len(), "file");
    let found = match kubeconfig.files() {
        [] => "there is none".to_owned(),
        _ => format!("{} in {files}", count(number, "context")),
    };
    check(found, problems.collect())
}

/// Checks that the selected context's certificates, keys, tokens and credential plugin exist and are valid.
pub(super) fn credentials(patient: &Patient<'_>) -> Check {
    let check = |found: String, problems| Check { name: "cluster", found, problems };
    let selected = patient.kubeconfig.as_ref().ok();
    match selected.map(|kubeconfig| Cluster::select(kubeconfig, &patient.flags)) {
        Some(Ok(Selection::Cluster(cluster))) => {
            let found = format!("{} at {}", word(cluster.context()), cluster.server());
            check(found, faults(&cluster))
        }
        Some(Ok(Selection::Nothing(_))) => {
            check("none is selected: kubectl config use-context NAME selects one".to_owned(), Vec::new())
        }
        // The kubeconfig's own check reports why.
        None | Some(Err(_)) => check("none can be selected".to_owned(), Vec::new()),
    }
}

fn faults(cluster: &Cluster) -> Vec<Problem> {
    let mut problems = Vec::new();
    if !cluster.endpoint().origin().is_secure() {
        // To a plain HTTP server nothing of it is shown.
        return problems;
    }
    problems.extend(cluster.trust().look().err().map(|error| problem(&error)));
    match cluster.credentials().look() {
        Err(error) => problems.push(problem(&error.into())),
        Ok(None) => {}
        Ok(Some(certificate)) => {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
            if let Some(why) = certificate.fault(i64::try_from(now).unwrap_or(i64::MAX)) {
                let what = format!("the client certificate of user `{}`", certificate.user);
                problems.push(Problem::new(
                    what,
                    format!("it {why}"),
                    "get a new kubeconfig from the cluster's administrator",
                ));
            }
        }
    }
    problems
}

fn problem(error: &Error) -> Problem {
    Problem::of("the kubeconfig", error, error.hint().unwrap_or_else(|| LOOK.to_owned()))
}
