//! The resources of a server, by its [discovery](https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api),
//! through the same gate as any plugin: aggregated where the server has that (from 1.26), or else version by version.

use serde_json::Value;

use super::Gate;
use super::question::{ADDRESS, Answer, Question};
use crate::message::Message;
use crate::policy::Inventory;

/// The media types of aggregated discovery, the stable one first, and of the other.
const ACCEPTED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
                        application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,\
                        application/json";

/// The largest answer that is read, in bytes: a few kilobytes for each of thousands of resources.
const LONGEST: usize = 16 << 20;

/// The largest number of versions of API groups that are asked for one by one.
const MOST: usize = 1000;

/// The roots of discovery: of the core group, and of all others.
const ROOTS: [&str; 2] = ["/api", "/apis"];

impl Gate {
    /// Requests the resources that the selected context's server has, and ends the gate. Returns `None` if the user
    /// interrupted it.
    ///
    /// # Errors
    /// The reasons why it does not list them.
    pub fn discover(&self) -> Result<Option<Inventory>, Vec<Message>> {
        self.perform(self.discovered())
    }

    async fn discovered(&self) -> Result<Inventory, Vec<Message>> {
        let mut inventory = Inventory::default();
        for root in ROOTS {
            let answer = self.listed(root).await?;
            if answer["kind"] == "APIGroupDiscoveryList" {
                aggregated(&answer, &mut inventory);
                continue;
            }
            let versions = versions(&answer)
                .ok_or_else(|| self.at(&format!("its answer to {root} lists no API"), Some(ADDRESS)))?;
            if versions.len() > MOST {
                return Err(self.at(&format!("it has more than {MOST} versions of API groups"), None));
            }
            for version in versions {
                resources(&self.listed(&format!("{root}/{version}")).await?, version, &mut inventory);
            }
        }
        Ok(inventory)
    }

    async fn listed(&self, path: &str) -> Result<Value, Vec<Message>> {
        match self.ask(Question::get(path).accepting(ACCEPTED, LONGEST)).await? {
            Answer::Given(list) => Ok(list),
            Answer::Withheld { status, why } => {
                let hint = "the cluster role system:discovery allows it, which every user should have";
                Err(self.at(&format!("it does not list its resources: {status}: {why}"), Some(hint)))
            }
        }
    }
}

/// Returns the items of a list; none if there is no list.
fn items<'a>(object: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    object[key].as_array().into_iter().flatten()
}

/// Adds the resources of an `APIGroupDiscoveryList`.
fn aggregated(list: &Value, inventory: &mut Inventory) {
    for group in items(list, "items") {
        // The core group has no name.
        let name = group["metadata"]["name"].as_str().unwrap_or_default();
        for version in items(group, "versions") {
            // The server behind it did not answer, so that the list is an old one or empty.
            if version["freshness"] == "Stale" {
                inventory.miss(&format!("{name}/{}", version["version"].as_str().unwrap_or_default()));
            }
            for resource in items(version, "resources") {
                let Some(of) = resource["resource"].as_str() else { continue };
                inventory.add(name, of);
                for subresource in items(resource, "subresources").filter_map(|it| it["subresource"].as_str())
                {
                    inventory.add(name, &format!("{of}/{subresource}"));
                }
            }
        }
    }
}

/// Returns the versions of an `APIVersions`, or the groups with their versions of an `APIGroupList`.
fn versions(list: &Value) -> Option<Vec<&str>> {
    match list["kind"].as_str()? {
        "APIVersions" => Some(items(list, "versions").filter_map(Value::as_str).collect()),
        "APIGroupList" => {
            let versions = items(list, "groups").flat_map(|group| items(group, "versions"));
            Some(versions.filter_map(|version| version["groupVersion"].as_str()).collect())
        }
        _ => None,
    }
}

/// Adds the resources of an `APIResourceList`. `version` is that of the core group, or a group with its version.
fn resources(list: &Value, version: &str, inventory: &mut Inventory) {
    let group = version.rsplit_once('/').map_or("", |(group, _)| group);
    for name in items(list, "resources").filter_map(|resource| resource["name"].as_str()) {
        inventory.add(group, name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn inventory(resources: &[(&str, &str)]) -> Inventory {
        let mut inventory = Inventory::default();
        for (group, resource) in resources {
            inventory.add(group, resource);
        }
        inventory
    }

    #[test]
    fn both_kinds_of_discovery_list_the_same() {
        let expected = inventory(&[
            ("", "pods"),
            ("", "pods/log"),
            ("apps", "deployments"),
            ("apps", "deployments/scale"),
        ]);
        let mut found = Inventory::default();
        let of = |resource: &str, subresource: &str| json!([{"resource": resource, "subresources": [{"subresource": subresource}]}]);
        aggregated(
            &json!({"items": [
                {"metadata": {}, "versions": [{"version": "v1", "resources": of("pods", "log"), "freshness": "Current"}]},
                {"metadata": {"name": "apps"}, "versions": [
                    {"version": "v1", "resources": of("deployments", "scale"), "freshness": "Current"},
                    {"version": "v1beta1"},
                ]},
            ]}),
            &mut found,
        );
        assert_eq!(found, expected);

        let (core, groups) = (
            json!({"kind": "APIVersions", "versions": ["v1"]}),
            json!({"kind": "APIGroupList", "groups": [{"name": "apps", "versions": [{"groupVersion": "apps/v1"}]}]}),
        );
        assert_eq!((versions(&core), versions(&groups)), (Some(vec!["v1"]), Some(vec!["apps/v1"])));
        let mut found = Inventory::default();
        resources(&json!({"resources": [{"name": "pods"}, {"name": "pods/log"}]}), "v1", &mut found);
        let apps = json!({"resources": [{"name": "deployments"}, {"name": "deployments/scale"}]});
        resources(&apps, "apps/v1", &mut found);
        assert_eq!(found, expected);
    }

    #[test]
    fn a_stale_list_is_named() {
        let mut found = Inventory::default();
        let version = json!({"version": "v1beta1", "freshness": "Stale"});
        aggregated(
            &json!({"items": [{"metadata": {"name": "metrics.k8s.io"}, "versions": [version]}]}),
            &mut found,
        );
        assert_eq!(found.unlisted(), ["metrics.k8s.io/v1beta1"]);
    }

    #[test]
    fn an_answer_of_another_kind_lists_nothing() {
        for answer in [json!(null), json!([]), json!({"kind": "Status"}), json!({"items": 1})] {
            assert_eq!(versions(&answer), None);
            let mut found = Inventory::default();
            aggregated(&answer, &mut found);
            resources(&answer, "v1", &mut found);
            assert_eq!(found, Inventory::default());
        }
    }
}
