//! Which resources the API server has.

use crate::resources::{self, Resource, Unknown};
use crate::{Cluster, Error, Path, Pool, for_terminal_line};
use serde::Deserialize;

/// An `Accept` header for all groups and resources in one answer, which servers since Kubernetes 1.30 have (KEP 3352).
const AGGREGATED: &str =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

/// The resources of the API server.
///
/// A policy has to allow `get` of `/api` and `/apis`, for servers before Kubernetes 1.30 of `/api/*` and `/apis/*` too.
#[derive(Clone, Debug, Default)]
pub struct Discovery {
    resources: Vec<Resource>,
    others: Vec<Resource>,
    failures: Vec<String>,
}

impl Discovery {
    /// Asks the server.
    ///
    /// # Errors
    ///
    /// The same as [`Cluster::get_json`]. A group whose own server does not answer is no error: see [`Discovery::failures`].
    pub fn load(cluster: &Cluster) -> Result<Self, Error> {
        let mut pool = Pool::new(cluster).accept(AGGREGATED);
        for root in ["api", "apis"] {
            pool.get(root, Path::new([root])?);
        }
        let (mut core, mut groups) = (None, None);
        while let Some((root, body)) = pool.next() {
            let answer = serde_json::from_slice(&body?).map_err(Error::Json)?;
            *(if root == "api" { &mut core } else { &mut groups }) = Some(answer);
        }
        let mut found = Self::default();
        let mut documents: Vec<(String, String)> = Vec::new();
        for answer in [core, groups].into_iter().flatten() {
            match answer {
                Answer::Aggregated { items } => items.into_iter().for_each(|group| found.add_group(group)),
                Answer::Core { versions } => {
                    documents.extend(versions.into_iter().map(|version| (String::new(), version)));
                }
                Answer::Groups { groups } => documents.extend(groups.into_iter().flat_map(Named::versions)),
            }
        }
        found.add_documents(cluster, documents)?;
        Ok(found)
    }

    /// Returns the resources, in the server's order, each in the version that it prefers.
    #[must_use]
    pub fn resources(&self) -> &[Resource] {
        &self.resources
    }

    /// Returns the same resources in the versions that the server has beside the one that it prefers.
    #[must_use]
    pub fn other_versions(&self) -> &[Resource] {
        &self.others
    }

    /// Returns a line, `what: why`, for each group that could not be discovered.
    #[must_use]
    pub fn failures(&self) -> &[String] {
        &self.failures
    }

    /// Finds the resource that people mean by a noun, as kubectl does: `pods`, `po`, `Pod`, `deployments.apps`.
    ///
    /// # Errors
    ///
    /// A noun that names no resource.
    pub fn find(&self, noun: &str) -> Result<&Resource, Unknown> {
        resources::find(&self.resources, noun)
    }

    /// Finds the resource of an object's `apiVersion` and `kind`, in any version.
    #[must_use]
    pub fn of_kind(&self, api_version: &str, kind: &str) -> Option<&Resource> {
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        self.resources.iter().find(|resource| resource.group == group && resource.kind == kind)
    }

    /// Adds a resource: to the others, if a version of it that comes first is there already.
    fn add(&mut self, resource: Resource) {
        let known = |other: &Resource| other.group == resource.group && other.name == resource.name;
        if self.resources.iter().any(known) {
            self.others.push(resource);
        } else {
            self.resources.push(resource);
        }
    }

    fn add_group(&mut self, group: Group) {
        for version in group.versions {
            if version.freshness.as_deref() == Some("Stale") {
                let name = for_terminal_line(&group.metadata.name).into_owned();
                self.failures.push(format!("API group `{name}`: its server does not answer"));
            }
            for found in version.resources {
                let response = found.response_kind.unwrap_or_default();
                self.add(Resource {
                    group: group.metadata.name.clone(),
                    version: version.name.clone(),
                    name: found.resource,
                    singular: found.singular_resource,
                    kind: response.kind,
                    namespaced: found.scope == "Namespaced",
                    verbs: found.verbs,
                    short: found.short_names,
                    categories: found.categories,
                });
            }
        }
    }

    /// Reads the documents of single versions, as servers before Kubernetes 1.30 have them.
    fn add_documents(&mut self, cluster: &Cluster, documents: Vec<(String, String)>) -> Result<(), Error> {
        let mut pool = Pool::new(cluster);
        for (index, (group, version)) in documents.iter().enumerate() {
            let segments = if group.is_empty() { vec!["api", version] } else { vec!["apis", group, version] };
            pool.get(index, Path::new(segments)?);
        }
        let mut answers: Vec<Option<Result<Document, Error>>> = documents.iter().map(|_| None).collect();
        while let Some((index, body)) = pool.next() {
            answers[index] = Some(body.and_then(|body| serde_json::from_slice(&body).map_err(Error::Json)));
        }
        for ((group, version), answer) in documents.into_iter().zip(answers) {
            match answer {
                Some(Ok(document)) => document.resources.into_iter().for_each(|found| {
                    // A name with a slash is a subresource.
                    if !found.name.contains('/') {
                        self.add(found.into_resource(group.clone(), version.clone()));
                    }
                }),
                Some(Err(error)) if group.is_empty() => return Err(error),
                Some(Err(error)) => {
                    self.failures.push(format!("API group `{}`: {error}", for_terminal_line(&group)));
                }
                None => {}
            }
        }
        Ok(())
    }
}

/// What `/api` and `/apis` answer: in one of three forms.
#[derive(Deserialize)]
#[serde(untagged)]
enum Answer {
    Aggregated { items: Vec<Group> },
    Core { versions: Vec<String> },
    Groups { groups: Vec<Named> },
}

/// `apidiscovery.k8s.io/v2`, `APIGroupDiscovery`.
#[derive(Deserialize)]
struct Group {
    #[serde(default)]
    metadata: Metadata,
    #[serde(default)]
    versions: Vec<Version>,
}

#[derive(Default, Deserialize)]
struct Metadata {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct Version {
    #[serde(rename = "version")]
    name: String,
    freshness: Option<String>,
    #[serde(default)]
    resources: Vec<Found>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    resource: String,
    response_kind: Option<Kind>,
    scope: String,
    #[serde(default)]
    singular_resource: String,
    #[serde(default)]
    verbs: Vec<String>,
    #[serde(default)]
    short_names: Vec<String>,
    #[serde(default)]
    categories: Vec<String>,
}

#[derive(Default, Deserialize)]
struct Kind {
    #[serde(default)]
    kind: String,
}

/// `metav1.APIGroup`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    name: String,
    versions: Vec<NamedVersion>,
    preferred_version: Option<NamedVersion>,
}

#[derive(Deserialize)]
struct NamedVersion {
    version: String,
}

impl Named {
    /// Returns the group with each version, the preferred one first.
    fn versions(self) -> impl Iterator<Item = (String, String)> {
        let preferred = self.preferred_version.map(|version| version.version);
        let mut versions: Vec<String> = self.versions.into_iter().map(|version| version.version).collect();
        versions.sort_by_key(|version| Some(version) != preferred.as_ref());
        versions.into_iter().map(move |version| (self.name.clone(), version))
    }
}

/// `metav1.APIResourceList`.
#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    resources: Vec<Listed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    name: String,
    #[serde(default)]
    singular_name: String,
    kind: String,
    namespaced: bool,
    #[serde(default)]
    verbs: Vec<String>,
    #[serde(default)]
    short_names: Vec<String>,
    #[serde(default)]
    categories: Vec<String>,
}

impl Listed {
    fn into_resource(self, group: String, version: String) -> Resource {
        Resource {
            group,
            version,
            name: self.name,
            singular: self.singular_name,
            kind: self.kind,
            namespaced: self.namespaced,
            verbs: self.verbs,
            short: self.short_names,
            categories: self.categories,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(found: &Discovery) -> Vec<String> {
        found
            .resources
            .iter()
            .map(|resource| format!("{}/{}", resource.full_name(), resource.version))
            .collect()
    }

    #[test]
    fn an_aggregated_answer_gives_each_resource_in_its_preferred_version() {
        let text = r#"{"kind":"APIGroupDiscoveryList","items":[{"metadata":{"name":"batch"},"versions":[
            {"version":"v1","freshness":"Current","resources":[{"resource":"jobs","responseKind":{"kind":"Job"},
                "scope":"Namespaced","singularResource":"job","verbs":["list"],"categories":["all"],
                "subresources":[{"subresource":"status","responseKind":{"kind":"Job"},"verbs":["get"]}]}]},
            {"version":"v1beta1","resources":[{"resource":"jobs","scope":"Namespaced"},
                {"resource":"old","scope":"Cluster"}]},
            {"version":"v0","freshness":"Stale"}]}]}"#;
        let Answer::Aggregated { items } = serde_json::from_str(text).unwrap() else { panic!() };
        let mut found = Discovery::default();
        for group in items {
            found.add_group(group);
        }
        assert_eq!(names(&found), ["jobs.batch/v1", "old.batch/v1beta1"]);
        assert_eq!(found.other_versions()[0].version, "v1beta1");
        assert_eq!(found.failures, ["API group `batch`: its server does not answer"]);
        assert_eq!(found.of_kind("batch/v1", "Job").unwrap().singular, "job");
        assert!(found.of_kind("v1", "Job").is_none());
    }

    #[test]
    fn an_old_servers_groups_begin_with_the_preferred_version() {
        let text = r#"{"kind":"APIGroupList","groups":[{"name":"apps","versions":[{"groupVersion":"apps/v1beta1",
            "version":"v1beta1"},{"version":"v1"}],"preferredVersion":{"version":"v1"}}]}"#;
        let Answer::Groups { groups } = serde_json::from_str(text).unwrap() else { panic!() };
        let versions: Vec<_> =
            groups.into_iter().flat_map(Named::versions).map(|(_, version)| version).collect();
        assert_eq!(versions, ["v1", "v1beta1"]);
        let core = serde_json::from_str(r#"{"kind":"APIVersions","versions":["v1"]}"#).unwrap();
        assert!(matches!(core, Answer::Core { versions } if versions == ["v1"]));
    }
}
