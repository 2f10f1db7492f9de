//! Who asks, and whether they may: both are the API server's to say.

use std::collections::BTreeMap;

use kube_guest::{Cluster, Error};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::route::Route;

/// What the API server is asked.
pub(crate) trait Reviews {
    /// Returns whose a token is; `None` if it is nobody's.
    fn identify(&self, token: &str) -> Result<Option<User>, Error>;

    /// Returns whether a user may use a verb on the service.
    fn may(&self, user: &User, verb: &str) -> Result<bool, Error>;
}

/// The reviews of an API server.
pub(crate) struct ApiServer<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) route: &'a Route,
    pub(crate) audience: Option<&'a str>,
}

#[derive(Deserialize)]
struct Review<T> {
    status: T,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Identified {
    authenticated: bool,
    audiences: Vec<String>,
    user: User,
}

/// A user of the cluster.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct User {
    /// The name, of which there always is one.
    pub(crate) username: String,
    pub(crate) uid: String,
    pub(crate) groups: Vec<String>,
    pub(crate) extra: BTreeMap<String, Vec<String>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Allowed {
    allowed: bool,
}

impl Reviews for ApiServer<'_> {
    fn identify(&self, token: &str) -> Result<Option<User>, Error> {
        let mut spec = json!({"token": token});
        if let Some(audience) = self.audience {
            spec["audiences"] = json!([audience]);
        }
        let path = "/apis/authentication.k8s.io/v1/tokenreviews";
        let found: Identified = self.review(path, "authentication.k8s.io/v1", "TokenReview", &spec)?;
        // An authenticator that knows nothing of audiences names none: then it is not known whom the token is for.
        let is_for_us =
            self.audience.is_none_or(|audience| found.audiences.iter().any(|found| found == audience));
        let is_known = found.authenticated && is_for_us && !found.user.username.is_empty();
        Ok(is_known.then_some(found.user))
    }

    fn may(&self, user: &User, verb: &str) -> Result<bool, Error> {
        let route = self.route;
        let spec = json!({
            "user": user.username, "uid": user.uid, "groups": user.groups, "extra": user.extra,
            "resourceAttributes": {
                "namespace": route.namespace, "verb": verb, "group": "", "version": "v1",
                "resource": "services", "subresource": "proxy", "name": route.service,
            },
        });
        let path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
        let found: Allowed = self.review(path, "authorization.k8s.io/v1", "SubjectAccessReview", &spec)?;
        Ok(found.allowed)
    }
}

impl ApiServer<'_> {
    fn review<T: for<'de> Deserialize<'de>>(
        &self,
        path: &str,
        version: &str,
        kind: &str,
        spec: &Value,
    ) -> Result<T, Error> {
        let review = json!({"apiVersion": version, "kind": kind, "spec": spec}).to_string();
        let answer: Review<T> = self.cluster.post_json(path, review.as_bytes())?;
        Ok(answer.status)
    }
}
