//! The lines of a record.

use serde::{Deserialize, Serialize};

use super::content::Content;

/// A line. `at` is the time since the start of the record, in milliseconds, and `id` the number of a request.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Line {
    /// The first line.
    Record(Header),
    /// A request that the policy allowed.
    Request(Request),
    /// A request that the policy refused.
    Refused(Refused),
    /// The beginning of an answer, or all of it.
    Answer(Answer),
    /// A part of an answer's body.
    Data(Data),
    /// The end of an answer's body.
    End(End),
    /// A request without an answer.
    Failure(Failure),
    /// The guest sent bytes through a stream of a pod.
    Sent(Sent),
    /// What kwasm reported to the user about a request.
    Message(Said),
    /// The user ended the run.
    Interrupted(Interrupted),
}

/// The facts about a run that a replay needs.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Header {
    pub(super) version: u32,
    /// The time of the start, in RFC 3339.
    pub(super) time: String,
    /// The name of the plugin.
    pub plugin: String,
    /// The name of the policy.
    pub policy: String,
    /// Whether values of secrets are in the record.
    pub secrets: bool,
    /// The contexts that the plugin saw, the selected one first.
    pub contexts: Vec<ShownContext>,
}

/// A context that a plugin saw.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ShownContext {
    /// The name, if one is selected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The namespace, if the context is usable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The reason why it is not usable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Request {
    pub(super) id: u64,
    pub(super) at: u64,
    /// The context; for another host, `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) context: Option<String>,
    /// The other host, with its port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) host: Option<String>,
    pub(super) method: String,
    /// The path and the query.
    pub(super) path: String,
    /// The media types that the plugin accepts, which decide on the form of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) accept: Option<String>,
    /// The protocol to which the connection is upgraded, for a stream of a pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) upgrade: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) body: Option<Content>,
}

/// Bytes that a guest sends through a stream of a pod. They are not recorded: their masks differ in each run (RFC 6455
/// §5.3), and what the user types may be a password.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Sent {
    pub(super) id: u64,
    pub(super) at: u64,
    /// The number of bytes.
    pub(super) bytes: u64,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Refused {
    pub(super) at: u64,
    pub(super) context: String,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) reason: String,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Answer {
    pub(super) id: u64,
    pub(super) at: u64,
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    /// The whole body, after which the answer has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) body: Option<Content>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Data {
    pub(super) id: u64,
    pub(super) at: u64,
    pub(super) body: Content,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct End {
    pub(super) id: u64,
    pub(super) at: u64,
    /// The reason why the body is not complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cut: Option<Cut>,
}

/// The reason why an answer is not complete.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Cut {
    /// The connection ended.
    Closed,
    /// The guest's or the user's time was over.
    Timeout,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Failure {
    pub(super) id: u64,
    pub(super) at: u64,
    /// The name of the failure.
    pub(super) error: String,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Said {
    pub(super) id: u64,
    pub(super) text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) hint: Option<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Interrupted {
    pub(super) at: u64,
}
