//! Reads the objects.

use crate::arguments::Options;
use crate::family::Object;
use crate::listed::{Listed, Owned};
use kube_guest::{
    Cluster, Discovery, Error, List, Lists, METADATA, Path, Pending, Resource, Status, for_terminal_line,
};
use plugin_kit::{Explain, Failure, Missing, Scope};
use serde::Deserialize;
use std::collections::{HashMap, HashSet};

/// Resources without conditions, of which only the metadata is ever read, contents of secrets least of all.
const WITHOUT_CONDITIONS: &[(&str, &str)] = &[
    ("", "configmaps"),
    ("", "endpoints"),
    ("", "events"),
    ("", "secrets"),
    ("", "serviceaccounts"),
    ("apps", "controllerrevisions"),
    ("coordination.k8s.io", "leases"),
    ("discovery.k8s.io", "endpointslices"),
    ("rbac.authorization.k8s.io", "rolebindings"),
    ("rbac.authorization.k8s.io", "roles"),
];

/// The number of requests that may be under way at once. Most lists are empty, so that the way takes the time; but each
/// connection begins with a TLS handshake, so that more than these take longer (measured with 3 to 32).
pub(crate) const AT_ONCE: usize = 6;

/// What was read.
#[derive(Default)]
pub(crate) struct Found {
    /// The object that is asked for, and all objects that belong to any.
    pub(crate) objects: Vec<Object>,
    /// Those of them that are read in full already.
    pub(crate) full: HashMap<usize, Listed>,
    /// Which resources could not be listed.
    pub(crate) missing: Missing,
}

/// Reads the object that is asked for, which comes first, and all objects that belong to any.
pub(crate) fn read(
    cluster: &Cluster,
    discovery: &Discovery,
    options: &Options,
    scope: &Scope,
) -> Result<Found, Failure> {
    let all = discovery.resources();
    let resource = discovery.find(&options.kind)?;
    let at = all.iter().position(|known| known == resource).unwrap_or_default();
    let scope = if resource.namespaced { scope.clone() } else { Scope::All };
    let what = format!("{} {}", resource.full_name(), for_terminal_line(&options.name));
    // -A says where dependents are looked for; the object itself is where the user works.
    let home = scope.namespace().unwrap_or(cluster.namespace());
    let root = Root::ask(cluster, resource, home, &options.name).of(&what)?;

    // Pods are in almost every tree. In one namespace it is quicker to read them in full at once.
    let whole = |index: &usize| scope != Scope::All && all[*index].full_name() == "pods";
    let wanted = (0..all.len()).filter(|index| is_read(discovery, *index, options, &scope));
    let (pods, others): (Vec<usize>, Vec<usize>) = wanted.partition(whole);
    let paths = |wanted: &[usize]| -> Result<Vec<Path>, Failure> {
        wanted.iter().map(|index| path(&all[*index], options, &scope)).collect()
    };
    let full: Lists<Owned> = cluster.begin_lists(paths(&pods)?, "application/json");
    let lists: Lists<Owned> = cluster.begin_lists(paths(&others)?, METADATA).at_once(AT_ONCE);
    let lists: Vec<Result<List<Owned>, Error>> = lists.finish().into_iter().chain(full.finish()).collect();

    let mut family = Found::default();
    let mut seen = HashSet::new();
    family.add(root.answer().of(&what)?, at, resource, &mut seen);
    for (index, list) in others.into_iter().chain(pods).zip(lists) {
        match list {
            Ok(list) => list
                .items
                .into_iter()
                .filter_map(|item| item.0)
                .for_each(|item| family.add(*item, index, &all[index], &mut seen)),
            Err(error) => family.missing.add(all[index].full_name(), &error),
        }
    }
    Ok(family)
}

impl Found {
    /// Adds an object, unless it is there already, as of another group or version.
    fn add(&mut self, listed: Listed, index: usize, resource: &Resource, seen: &mut HashSet<String>) {
        if listed.metadata.uid.is_empty() || !seen.insert(listed.metadata.uid.clone()) {
            return;
        }
        self.objects.push(listed.object(index, resource));
        if listed.is_full() {
            self.full.insert(self.objects.len() - 1, listed);
        }
    }
}

/// Returns whether objects of a resource have no conditions, so that they are never read in full.
pub(crate) fn has_no_conditions(resource: &Resource) -> bool {
    WITHOUT_CONDITIONS.contains(&(resource.group.as_str(), resource.name.as_str()))
}

/// Returns whether dependents are looked for among the objects of a resource.
fn is_read(discovery: &Discovery, index: usize, options: &Options, scope: &Scope) -> bool {
    let resource = &discovery.resources()[index];
    // The same objects are events of the core group too.
    let twice = resource.group == "events.k8s.io"
        && resource.name == "events"
        && discovery.find("events.v1").is_ok_and(|core| options.mean(core));
    options.mean(resource) && !twice && (resource.namespaced || *scope == Scope::All)
}

fn path(resource: &Resource, options: &Options, scope: &Scope) -> Result<Path, Failure> {
    let path = resource.path(scope.namespace())?;
    Ok(match &options.selector {
        Some(selector) => path.query("labelSelector", selector),
        None => path,
    })
}

/// The request for the object that is asked for, whose answer is awaited beside the lists.
struct Root {
    pending: Pending,
    listed: bool,
}

#[derive(Deserialize)]
struct Items {
    items: Option<Vec<Listed>>,
}

impl Root {
    fn ask(cluster: &Cluster, resource: &Resource, namespace: &str, name: &str) -> Result<Self, Error> {
        let listed = has_no_conditions(resource);
        let object = resource.object(Some(namespace), name)?;
        let (path, accept) = if listed {
            let path = resource.path(Some(namespace))?;
            (path.query("fieldSelector", &format!("metadata.name={name}")), METADATA)
        } else {
            (object, "application/json")
        };
        let pending = cluster.start_request("GET", path, &[("accept", accept)])?;
        Ok(Self { pending, listed })
    }

    fn answer(self) -> Result<Listed, Error> {
        let response = loop {
            if let Some(response) = self.pending.poll() {
                break response?;
            }
            kube_guest::wait(&[self.pending.ready()]);
        };
        let body = response.into_success()?.read_to_end()?;
        if !self.listed {
            return serde_json::from_slice(&body).map_err(Error::Json);
        }
        let list: Items = serde_json::from_slice(&body).map_err(Error::Json)?;
        let not_found =
            || Status { code: 404, message: "not found".to_owned(), reason: "NotFound".to_owned() }.into();
        list.items.unwrap_or_default().into_iter().next().ok_or_else(not_found)
    }
}
