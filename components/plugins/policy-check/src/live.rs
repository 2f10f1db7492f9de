//! The objects of a cluster.

use crate::judge;
use crate::rules::Rules;
use crate::subject::{Report, Subject};
use crate::workload::{Object, form};
use kube_guest::{Cluster, Error, List, Path, for_terminal_line};
use plugin_kit::{Failure, Missing, Scope, Shard};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// The lists of what runs pods: API version, kind and plural. What makes others stands before them.
const WORKLOADS: [(&str, &str, &str); 7] = [
    ("batch/v1", "CronJob", "cronjobs"),
    ("batch/v1", "Job", "jobs"),
    ("apps/v1", "DaemonSet", "daemonsets"),
    ("apps/v1", "Deployment", "deployments"),
    ("apps/v1", "ReplicaSet", "replicasets"),
    ("apps/v1", "StatefulSet", "statefulsets"),
    ("v1", "Pod", "pods"),
];

/// The lists about namespaces themselves.
const NAMESPACES: [(&str, &str); 2] = [("v1", "resourcequotas"), ("networking.k8s.io/v1", "networkpolicies")];

/// Whether pods are judged that an object makes which is judged itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Pods {
    /// Those that nothing makes.
    Own,
    All,
}

/// Judges what runs in a scope, and returns what could not be listed too.
pub(crate) fn judge(
    cluster: &Cluster,
    scope: &Scope,
    rules: &Rules,
    pods: Pods,
    shard: Shard,
) -> Result<(Report, Missing), Failure> {
    let mut paths = Vec::new();
    for (api_version, _, plural) in WORKLOADS {
        paths.push(path(api_version, plural, scope)?);
    }
    let of_namespaces = rules.judge_namespaces();
    if of_namespaces {
        for (api_version, plural) in NAMESPACES {
            paths.push(path(api_version, plural, scope)?);
        }
        if *scope == Scope::All {
            paths.push(Path::new(["api", "v1", "namespaces"])?);
        }
    }
    let mut lists = cluster.lists::<Object>(paths, "application/json").into_iter();
    let mut found = Found::new(rules, pods, shard);
    if let Scope::Namespace(name) = scope
        && found.rules.is_exempt(name)
    {
        eprintln!("policy-check: namespace `{}`: the rules exempt it", for_terminal_line(name));
    }
    for ((api_version, kind, plural), list) in WORKLOADS.into_iter().zip(&mut lists) {
        if let Some(list) = found.listed(plural, list) {
            found.workloads(api_version, kind, list);
        }
    }
    if of_namespaces {
        found.namespaces(scope, lists);
    }
    found.report.complete = found.missing.is_empty();
    Ok((found.report, found.missing))
}

struct Found<'a> {
    rules: &'a Rules,
    pods: Pods,
    /// The namespaces that are judged.
    shard: Shard,
    report: Report,
    /// The UIDs of what was judged.
    judged: HashSet<String>,
    missing: Missing,
}

impl<'a> Found<'a> {
    fn new(rules: &'a Rules, pods: Pods, shard: Shard) -> Self {
        Self {
            rules,
            pods,
            shard,
            report: Report::default(),
            judged: HashSet::new(),
            missing: Missing::default(),
        }
    }

    /// Returns whether a namespace is judged: it is not exempt, and in this run's part.
    fn judges(&self, namespace: &str) -> bool {
        !self.rules.is_exempt(namespace) && self.shard.has(namespace)
    }

    /// Returns a list, or notes why there is none.
    fn listed(&mut self, plural: &str, list: Result<List<Object>, Error>) -> Option<Vec<Object>> {
        list.map(|list| list.items).map_err(|error| self.missing.add(plural, &error)).ok()
    }

    fn workloads(&mut self, api_version: &str, kind: &str, objects: Vec<Object>) {
        let Some(form) = form(api_version, kind) else { return };
        let mut judged = Vec::new();
        for object in objects {
            let metadata = &object.metadata;
            // What it is made by was judged in its place. An owner that does not exist hides nothing.
            let is_made = metadata.controller().is_some_and(|uid| self.judged.contains(uid));
            judged.push(metadata.uid.clone());
            let is_wanted = !is_made || (kind == "Pod" && self.pods == Pods::All);
            if !is_wanted || !self.judges(&metadata.namespace) {
                continue;
            }
            let mut subject = subject(api_version, kind, &metadata.namespace, &metadata.name);
            subject.verdicts = judge::pod(self.rules, &object.into_pod(form));
            self.report.subjects.push(subject);
        }
        self.judged.extend(judged);
    }

    fn namespaces(&mut self, scope: &Scope, mut lists: impl Iterator<Item = Result<List<Object>, Error>>) {
        let counts = NAMESPACES.map(|(_, plural)| {
            let list = lists.next().and_then(|list| self.listed(plural, list))?;
            let mut counts: BTreeMap<String, usize> = BTreeMap::new();
            for object in list {
                *counts.entry(object.metadata.namespace).or_default() += 1;
            }
            Some(counts)
        });
        let names: BTreeSet<String> = match scope {
            Scope::Namespace(name) => BTreeSet::from([name.clone()]),
            Scope::All => match lists.next().and_then(|list| self.listed("namespaces", list)) {
                Some(list) => list.into_iter().map(|object| object.metadata.name).collect(),
                // Those in which something runs.
                None => self.report.subjects.iter().map(|subject| subject.namespace.clone()).collect(),
            },
        };
        for name in names {
            if !self.judges(&name) {
                continue;
            }
            let count = |counts: &BTreeMap<String, usize>| counts.get(&name).copied().unwrap_or_default();
            let [quotas, policies] = counts.each_ref().map(|counts| counts.as_ref().map(count));
            let mut subject = subject("v1", "Namespace", "", &name);
            subject.verdicts = judge::namespace(self.rules, quotas, policies);
            self.report.subjects.push(subject);
        }
    }
}

fn subject(api_version: &str, kind: &str, namespace: &str, name: &str) -> Subject {
    Subject {
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        place: None,
        verdicts: Vec::new(),
    }
}

fn path(api_version: &str, plural: &str, scope: &Scope) -> Result<Path, Failure> {
    let mut segments = match api_version.split_once('/') {
        Some((group, version)) => vec!["apis", group, version],
        None => vec!["api", api_version],
    };
    if let Some(namespace) = scope.namespace() {
        segments.extend(["namespaces", namespace]);
    }
    segments.push(plural);
    Ok(Path::new(segments)?)
}
