//! Reads in full what is in the tree, for its health.

use crate::family::{Entry, Object};
use crate::listed::Listed;
use crate::reading::{AT_ONCE, Found, has_no_conditions};
use crate::status::Health;
use kube_guest::{Cluster, Discovery, Page, Path, Pool, Resource};
use plugin_kit::Failure;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Built-in groups whose objects have conditions, none of which is `Ready`.
const NEVER_READY: &[&str] = &["apps", "autoscaling", "batch", "networking.k8s.io", "policy"];

/// The number of objects of a resource in a namespace from which on one list of all is cheaper than getting each.
const MANY: usize = 4;

/// What a request is for.
enum Ask {
    /// An object, by its index.
    One(usize),
    /// All objects of a resource in a namespace.
    All(Path),
}

/// Returns the health of the objects in the tree. What may not be read is added to what is missing.
pub(crate) fn healths(
    cluster: &Cluster,
    discovery: &Discovery,
    found: &mut Found,
    entries: &[Entry],
    conditions: &[String],
) -> Result<HashMap<usize, Health>, Failure> {
    let members: BTreeSet<usize> = entries.iter().map(|entry| entry.object).collect();
    let objects = &found.objects;
    let mut healths = HashMap::new();
    let mut judge = |index: usize, listed: &Listed| {
        let Object { api_version, kind, .. } = &objects[index];
        healths.insert(index, listed.health(api_version, kind, conditions));
    };
    let mut groups: BTreeMap<(usize, &str), Vec<usize>> = BTreeMap::new();
    for index in members {
        let object = &objects[index];
        if let Some(listed) = found.full.get(&index) {
            judge(index, listed);
        } else if may_have(&discovery.resources()[object.resource], conditions) {
            groups.entry((object.resource, &object.namespace)).or_default().push(index);
        }
    }
    let wanted = groups.values().flatten().map(|index| (objects[*index].uid.as_str(), *index));
    let wanted: HashMap<&str, usize> = wanted.collect();
    let mut pool = Pool::new(cluster).at_once(AT_ONCE);
    for ((resource, namespace), members) in groups {
        ask(&mut pool, &discovery.resources()[resource], namespace, objects, &members)?;
    }
    while let Some((ask, body)) = pool.next() {
        match (ask, body) {
            (Ask::One(index), Ok(body)) => {
                if let Ok(listed) = serde_json::from_slice(&body) {
                    judge(index, &listed);
                }
            }
            (Ask::All(path), Ok(body)) => {
                let page = Page::<Listed>::read(&body)?;
                if let Some(next) = page.after(path.clone()) {
                    pool.get(Ask::All(path), next);
                }
                for listed in page.into_items() {
                    if let Some(index) = wanted.get(listed.metadata.uid.as_str()) {
                        judge(*index, &listed);
                    }
                }
            }
            // What is gone meanwhile has no health; neither has what its list expired for.
            (_, Err(error)) if matches!(error.status(), Some(404 | 410)) => {}
            (Ask::One(index), Err(error)) => {
                let Object { kind, name, .. } = &objects[index];
                found.missing.add(format!("conditions of {kind}/{name}"), &error);
            }
            (Ask::All(path), Err(error)) => found.missing.add(format!("conditions at {path}"), &error),
        }
    }
    Ok(healths)
}

/// Adds what has to be asked for some objects of a resource in a namespace.
fn ask(
    pool: &mut Pool<Ask>,
    resource: &Resource,
    namespace: &str,
    objects: &[Object],
    members: &[usize],
) -> Result<(), Failure> {
    let namespace = Some(namespace).filter(|namespace| !namespace.is_empty());
    if members.len() >= MANY {
        let path = resource.path(namespace)?;
        pool.get(Ask::All(path.clone()), Page::<Listed>::first(path));
        return Ok(());
    }
    for index in members {
        // A name that is no part of a path is none that the server can be asked for.
        if let Ok(path) = resource.object(namespace, &objects[*index].name) {
            pool.get(Ask::One(*index), path);
        }
    }
    Ok(())
}

/// Returns whether objects of a resource may have one of these conditions.
fn may_have(resource: &Resource, conditions: &[String]) -> bool {
    let only_ready = conditions.iter().all(|name| name == "Ready");
    !(has_no_conditions(resource) || (only_ready && NEVER_READY.contains(&resource.group.as_str())))
}
