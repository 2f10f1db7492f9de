//! Which objects are asked for.

use crate::{EXCLUDE, FIELDS, SCOPE, SINCE};
use kube_guest::{Path, Resource, Timestamp};
use plugin_kit::{ALL_NAMESPACES, Arguments, Failure, NAMESPACE, SELECTOR};

/// What is left out if nothing else is said: there are many of them, and they come and go.
const EXCLUDED: &str = "Event,PodMetrics";

/// The resources and objects that are asked for.
#[derive(Debug, Default)]
pub(crate) struct Choice {
    namespace: Option<String>,
    clusters: bool,
    namespaced: bool,
    selector: Option<String>,
    fields: Option<String>,
    excluded: Vec<String>,
    since: Option<Timestamp>,
}

impl Choice {
    /// Reads the command line.
    pub(crate) fn read(arguments: &Arguments) -> Result<Self, Failure> {
        let text = |flag| arguments.value(flag).filter(|value| !value.is_empty()).map(str::to_owned);
        let namespace = text(&NAMESPACE).filter(|_| !arguments.has(&ALL_NAMESPACES));
        let (clusters, namespaced) = match arguments.value(&SCOPE) {
            Some("cluster") => (true, false),
            Some(_) => (false, true),
            None => (namespace.is_none(), true),
        };
        let now = Timestamp::now().seconds();
        let since =
            arguments.duration(&SINCE)?.map(|seconds| Timestamp::from_seconds(now.saturating_sub(seconds)));
        let excluded: Vec<&str> = arguments.values(&EXCLUDE).collect();
        let excluded = if excluded.is_empty() { EXCLUDED.to_owned() } else { excluded.join(",") };
        let excluded = excluded.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
        Ok(Self {
            namespace,
            clusters,
            namespaced,
            selector: text(&SELECTOR),
            fields: text(&FIELDS),
            excluded: excluded.collect(),
            since,
        })
    }

    /// Returns whether objects of this resource are asked for.
    pub(crate) fn means(&self, resource: &Resource) -> bool {
        let full = resource.full_name();
        let names = [&resource.name, &resource.kind, &full];
        let is_excluded =
            |name: &str| self.excluded.iter().any(|excluded| excluded.eq_ignore_ascii_case(name));
        let excluded = names.into_iter().chain(&resource.short).any(|name| is_excluded(name));
        // The server does not select among them, and would return all.
        let unselected =
            resource.name == "componentstatuses" && (self.selector.is_some() || self.fields.is_some());
        let in_scope = if resource.namespaced { self.namespaced } else { self.clusters };
        resource.has("list") && in_scope && !excluded && !unselected
    }

    /// Returns the path of the objects of a resource.
    pub(crate) fn path(&self, resource: &Resource) -> Result<Path, Failure> {
        let mut path = resource.path(self.namespace.as_deref())?;
        for (name, value) in [("labelSelector", &self.selector), ("fieldSelector", &self.fields)] {
            if let Some(value) = value {
                path = path.query(name, value);
            }
        }
        Ok(path)
    }

    /// Returns whether an object that was created then is young enough. One that does not say it is old.
    pub(crate) fn includes(&self, created: Option<&str>) -> bool {
        self.since
            .is_none_or(|since| created.and_then(Timestamp::parse).is_some_and(|created| created >= since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(group: &str, name: &str, kind: &str, namespaced: bool) -> Resource {
        let [group, name, kind] = [group, name, kind].map(str::to_owned);
        let short = vec![name[..2].to_owned()];
        let verbs = vec!["list".to_owned()];
        Resource {
            group,
            version: "v1".to_owned(),
            name,
            kind,
            namespaced,
            short,
            verbs,
            ..Resource::default()
        }
    }

    #[test]
    fn a_resource_is_left_out_by_any_of_its_names() {
        let parcels = resource("example.com", "parcels", "Parcel", true);
        let without =
            |name: &str| Choice { namespaced: true, excluded: vec![name.to_owned()], ..Choice::default() };
        assert!(without("pods").means(&parcels));
        for name in ["parcels", "Parcel", "pa", "parcels.example.com"] {
            assert!(!without(name).means(&parcels), "{name}");
        }
        assert!(!without("x").means(&Resource { verbs: vec!["get".to_owned()], ..parcels }));
    }

    #[test]
    fn the_scope_decides_between_resources() {
        let (pods, nodes) = (resource("", "pods", "Pod", true), resource("", "nodes", "Node", false));
        let choice = Choice { namespaced: true, namespace: Some("shop".to_owned()), ..Choice::default() };
        assert!(choice.means(&pods) && !choice.means(&nodes));
        assert_eq!(choice.path(&pods).unwrap().as_ref(), "/api/v1/namespaces/shop/pods");
        let choice = Choice { clusters: true, selector: Some("a=b".to_owned()), ..Choice::default() };
        assert!(!choice.means(&pods) && choice.means(&nodes));
        assert!(!choice.means(&resource("", "componentstatuses", "ComponentStatus", false)));
        assert_eq!(choice.path(&nodes).unwrap().as_ref(), "/api/v1/nodes?labelSelector=a%3Db");
    }

    #[test]
    fn what_is_too_old_is_left_out() {
        let choice = Choice { since: Timestamp::parse("2026-01-01T00:00:00Z"), ..Choice::default() };
        assert!(
            choice.includes(Some("2026-01-01T00:00:00Z")) && !choice.includes(Some("2025-12-31T23:59:59Z"))
        );
        assert!(!choice.includes(None) && Choice::default().includes(None));
    }
}
