//! The request that is reviewed, as [`admission.k8s.io/v1`][1] has it.
//!
//! [1]: https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#request

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// A request to the API server that is to be judged.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Request {
    /// The identifier of this review.
    pub uid: String,
    /// The kind of the object, as it is sent to this webhook.
    pub kind: Kind,
    /// The resource, as it is sent to this webhook.
    pub resource: Resource,
    /// The subresource, e.g. `scale`; empty if there is none.
    pub sub_resource: String,
    /// The object's name. Empty where the API server makes one.
    pub name: String,
    /// The object's namespace; empty of an object that is in none.
    pub namespace: String,
    /// `CREATE`, `UPDATE`, `DELETE` or `CONNECT`.
    pub operation: String,
    /// Who sent the request.
    pub user_info: User,
    /// The object as it will be; null for `DELETE`.
    pub object: Value,
    /// The object as it is; null for `CREATE` and `CONNECT`.
    pub old_object: Value,
    /// Whether nothing of it will be stored.
    pub dry_run: bool,
}

/// A kind, such as `Deployment` of `apps/v1`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default)]
pub struct Kind {
    /// The API group; empty of the core group.
    pub group: String,
    /// The version.
    pub version: String,
    /// The kind.
    pub kind: String,
}

/// A resource, such as `deployments` of `apps/v1`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default)]
pub struct Resource {
    /// The API group; empty of the core group.
    pub group: String,
    /// The version.
    pub version: String,
    /// The resource.
    pub resource: String,
}

/// A user of the cluster.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default)]
pub struct User {
    /// The name, e.g. `system:serviceaccount:shop:default`.
    pub username: String,
    /// The groups.
    pub groups: Vec<String>,
    /// What the authenticator knows beside.
    pub extra: BTreeMap<String, Vec<String>>,
}

impl Kind {
    /// Returns group and version as an object's `apiVersion` has them.
    #[must_use]
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }
}

/// A review that asks.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Review {
    api_version: String,
    kind: String,
    #[serde(default)]
    request: Option<Nullable>,
}

/// A request, of which keys may be null.
type Nullable = serde_json::Map<String, Value>;

impl Request {
    /// Reads a review.
    ///
    /// # Errors
    /// If it is none of `admission.k8s.io/v1`.
    pub fn read(text: &[u8]) -> Result<Self, String> {
        let review: Review =
            serde_json::from_slice(text).map_err(|error| format!("not a review: {error}"))?;
        if (&*review.api_version, &*review.kind) != ("admission.k8s.io/v1", "AdmissionReview") {
            return Err(format!(
                "{} of {} is no review of admission.k8s.io/v1",
                review.kind, review.api_version
            ));
        }
        let mut request = review.request.ok_or("a review without a request")?;
        // Go writes null for what is empty; an object may be nothing.
        request.retain(|key, value| !value.is_null() || matches!(&**key, "object" | "oldObject"));
        serde_json::from_value(Value::Object(request)).map_err(|error| format!("not a request: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_review_is_read_with_what_the_api_server_leaves_out() {
        let text = br#"{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
            "uid": "1", "kind": {"group": "apps", "version": "v1", "kind": "Deployment"}, "operation": "DELETE",
            "userInfo": {"username": "carol", "groups": ["devs"]}, "object": null, "oldObject": {"a": 1}, "dryRun": null}}"#;
        let request = Request::read(text).unwrap();
        assert_eq!((&*request.uid, &*request.kind.api_version()), ("1", "apps/v1"));
        assert_eq!((request.object, &request.old_object["a"]), (Value::Null, &Value::from(1)));
        assert_eq!(request.user_info.groups, ["devs"]);
    }

    #[test]
    fn what_is_no_review_of_this_version_is_refused() {
        let of = |text: &str| Request::read(text.as_bytes()).unwrap_err();
        assert!(of("{").starts_with("not a review: "));
        assert_eq!(
            of(r#"{"apiVersion": "admission.k8s.io/v1beta1", "kind": "AdmissionReview"}"#),
            "AdmissionReview of admission.k8s.io/v1beta1 is no review of admission.k8s.io/v1"
        );
        assert_eq!(
            of(r#"{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}"#),
            "a review without a request"
        );
    }
}
