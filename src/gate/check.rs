//! The API server's own report of the user, for `kwasm cluster --check`, through the same gate as any plugin.

use ::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::Gate;
use super::question::{ADDRESS, Answer, Question};
use crate::cluster::Authentication;
use crate::message::Message;

/// The server's answers.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Checked {
    /// The version, e.g. `v1.36.3`; `None` if the server does not reveal it to everyone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The user's name at the server; `None` if the server is too old to report it (before 1.28).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The user's groups.
    pub groups: Vec<String>,
}

/// The path of
/// [SelfSubjectReview](https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/self-subject-review-v1/).
const REVIEWS: &str = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
const REVIEW: &str = r#"{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}"#;

#[derive(Default, Deserialize)]
#[serde(default)]
struct UserInfo {
    username: Option<String>,
    groups: Vec<String>,
}

impl Gate {
    /// Requests the version and the user from the selected context's server, and ends the gate. Returns
    /// `None` if the user interrupted it.
    ///
    /// # Errors
    /// The reasons why it does not answer.
    pub fn check(&self) -> Result<Option<Checked>, Vec<Message>> {
        self.perform(self.checked())
    }

    async fn checked(&self) -> Result<Checked, Vec<Message>> {
        let version = match self.ask(Question::get("/version")).await? {
            Answer::Given(version) => version["gitVersion"].as_str().map(str::to_owned),
            Answer::Withheld { .. } => None,
        };
        let UserInfo { username, groups } = match self.ask(Question::post(REVIEWS, REVIEW)).await? {
            Answer::Given(review) => {
                serde_json::from_value(review["status"]["userInfo"].clone()).unwrap_or_default()
            }
            Answer::Withheld { status: StatusCode::NOT_FOUND, .. } => UserInfo::default(),
            Answer::Withheld { why, .. } => return Err(self.unreported_user(&why)),
        };
        Ok(Checked { version, username, groups })
    }

    /// Explains why the server does not report the user, which every known user may request.
    fn unreported_user(&self, why: &str) -> Vec<Message> {
        let cluster = self.0.clusters.first().map(|reach| &reach.cluster);
        let hint = match cluster {
            Some(cluster) if cluster.impersonation().is_some() => {
                "impersonation (--as, or `as` in the kubeconfig) requires the verb `impersonate` in the cluster"
            }
            Some(cluster) if cluster.credentials().authentication() == Authentication::None => {
                "the kubeconfig has no credentials for its user: kubectl config set-credentials NAME adds them"
            }
            _ => ADDRESS,
        };
        self.at(&format!("it does not report the user: {why}"), Some(hint))
    }
}
