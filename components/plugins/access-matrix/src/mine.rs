//! What you may do yourself, as the API server answers it.

use crate::matrix::{Access, Matrix, Named, Verb};
use kube_guest::{Cluster, Discovery, Error, Path, Pool, Resource};
use plugin_kit::{Explain, Failure};
use serde::{Deserialize, Serialize};

/// A resource with its group, such as `deployments.apps`.
#[derive(Debug, Serialize)]
pub(crate) struct Name {
    name: String,
}

impl Named for Name {
    const HEADINGS: &'static [&'static str] = &["NAME"];

    fn cells(&self) -> Vec<&str> {
        vec![&self.name]
    }
}

/// `authorization.k8s.io/v1`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Review<'a> {
    api_version: &'static str,
    kind: &'static str,
    spec: Spec<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Spec<'a> {
    resource_attributes: Attributes<'a>,
}

#[derive(Serialize)]
struct Attributes<'a> {
    verb: &'a str,
    group: &'a str,
    resource: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'a str>,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    status: Status,
}

#[derive(Default, Deserialize)]
struct Status {
    #[serde(default)]
    allowed: bool,
}

/// The first of the reviews that failed, and the number of all of them.
pub(crate) type Failed = (Error, usize);

/// Asks for each resource and verb, in a namespace or in the whole cluster.
pub(crate) fn ask(
    cluster: &Cluster,
    verbs: Vec<Verb>,
    namespace: Option<&str>,
) -> Result<(Matrix<Name>, Option<Failed>), Failure> {
    let found = Discovery::load(cluster).of("the server's resources")?;
    for failure in found.failures() {
        eprintln!("access-matrix: {failure}");
    }
    let meant =
        |resource: &&Resource| !resource.verbs.is_empty() && (namespace.is_none() || resource.namespaced);
    let mut resources: Vec<&Resource> = found.resources().iter().filter(meant).collect();
    resources.sort_by_cached_key(|resource| resource.full_name());
    let path = Path::new(["apis", "authorization.k8s.io", "v1", "selfsubjectaccessreviews"])?;
    let mut pool = Pool::new(cluster);
    let mut rows = Vec::with_capacity(resources.len());
    let mut asked = 0_usize;
    for (row, resource) in resources.iter().enumerate() {
        for (column, verb) in verbs.iter().enumerate().filter(|(_, verb)| resource.has(verb.name())) {
            pool.post((row, column), path.clone(), review(resource, *verb, namespace)?);
            asked += 1;
        }
        rows.push((Name { name: resource.full_name() }, vec![Access::NotApplicable; verbs.len()]));
    }
    let mut failed: Option<Failed> = None;
    while let Some(((row, column), answer)) = pool.next() {
        rows[row].1[column] = match answer.and_then(|body| allowed(&body)) {
            Ok(true) => Access::Yes,
            Ok(false) => Access::No,
            Err(error) => {
                failed = Some(failed.map_or((error, 1), |(first, number)| (first, number + 1)));
                Access::Failed
            }
        };
    }
    match failed {
        Some((error, number)) if number == asked => Err(error).of("reviews"),
        failed => Ok((Matrix { verbs, rows }, failed)),
    }
}

fn review(resource: &Resource, verb: Verb, namespace: Option<&str>) -> Result<Vec<u8>, Failure> {
    let (group, name) = (resource.group.as_str(), resource.name.as_str());
    let attributes = Attributes { verb: verb.name(), group, resource: name, namespace };
    let review = Review {
        api_version: "authorization.k8s.io/v1",
        kind: "SelfSubjectAccessReview",
        spec: Spec { resource_attributes: attributes },
    };
    serde_json::to_vec(&review).map_err(|error| Failure::message(format!("review: {error}")))
}

fn allowed(body: &[u8]) -> Result<bool, Error> {
    let answer: Answer = serde_json::from_slice(body).map_err(Error::Json)?;
    Ok(answer.status.allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_review_names_what_it_is_about() {
        let resource = Resource { group: "apps".into(), name: "deployments".into(), ..Resource::default() };
        let text = |namespace| {
            let verb = Verb::list("list").unwrap()[0];
            String::from_utf8(review(&resource, verb, namespace).unwrap()).unwrap()
        };
        let expected = r#"{"apiVersion":"authorization.k8s.io/v1","kind":"SelfSubjectAccessReview","spec":{"resourceAttributes":{"verb":"list","group":"apps","resource":"deployments","namespace":"shop"}}}"#;
        assert_eq!(text(Some("shop")), expected);
        assert!(!text(None).contains("namespace"));
    }

    #[test]
    fn an_answer_that_says_nothing_allows_nothing() {
        assert!(allowed(br#"{"status":{"allowed":true}}"#).unwrap());
        assert!(!allowed(br#"{"status":{}}"#).unwrap() && !allowed(b"{}").unwrap());
        assert!(allowed(b"<html>").is_err());
    }
}
