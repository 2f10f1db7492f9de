//! `kwasm policy explain METHOD PATH`: how the API server reads a request, and whether policies allow it.

use http::uri::PathAndQuery;
use http::{HeaderMap, Method};
use serde::Serialize;

use crate::cli::Output;
use crate::message::one_line;
use crate::policy::{Attempt, Context, Grant, Layers, Policy, RequestInfo, Target};

use super::ceiling::ceiling;
use super::policy::choose;
use super::table::one;
use super::{Ending, Error, print};

/// The API server's reading of a request and, with a policy, the gate's decision.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Explained {
    #[serde(flatten)]
    info: Option<RequestInfo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
    /// The narrowest rule that would allow the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    missing_rule: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// The options of the command.
pub(super) struct Wish {
    pub(super) method: String,
    pub(super) path: String,
    /// The policy by which it is judged, as a user grants it.
    pub(super) policy: Option<String>,
    /// The policy that a plugin requests, which limits the other.
    pub(super) request: Option<String>,
    /// The namespace that `current` denotes.
    pub(super) namespace: Option<String>,
    pub(super) output: Output,
}

pub(super) fn explain(wish: &Wish) -> Result<Ending, Error> {
    let read = |name: &Option<String>| -> Result<Option<Policy>, Error> {
        Ok(name.as_deref().map(|name| choose(Some(name))).transpose()?.map(|chosen| chosen.policy))
    };
    let (policy, request) = (read(&wish.policy)?, read(&wish.request)?);
    // As on this machine, whose administrator may have a word in it.
    let ceiling = if policy.is_some() { ceiling()? } else { None };
    let grant = policy.map(|grant| Layers { request, grant, ceiling, installed: None }.whole());
    let namespace = wish.namespace.as_deref().unwrap_or("default");
    let explained = explained(&wish.method, &wish.path, grant.as_ref(), namespace);
    let output = wish.output;
    let page = || table(&explained);
    // It is no list, and has no name that says it all.
    let output = if output == Output::Name { Output::Table } else { output };
    print(&one(&explained, output, page, String::new))?;
    Ok(Ending::Done)
}

fn explained(method: &str, path: &str, grant: Option<&Grant>, namespace: &str) -> Explained {
    let named = grant.map(|grant| grant.layers().grant.name().to_owned());
    let refused = |info, reason: String| Explained {
        info,
        policy: named.clone(),
        decision: Some("refused"),
        reason: Some(reason),
        ..Explained::default()
    };
    let Ok(method) = Method::from_bytes(method.to_ascii_uppercase().as_bytes()) else {
        return refused(None, "its method is not valid".to_owned());
    };
    let Ok(uri) = path.parse::<PathAndQuery>() else {
        return refused(None, "its path is not valid".to_owned());
    };
    let target = Target::Context(Context::new("current", namespace, "current"));
    let attempt = match Attempt::read(target, method, Some(&uri), &HeaderMap::new()) {
        Ok(attempt) => attempt,
        Err(refusal) => return refused(None, refusal.reason().to_string()),
    };
    let info = attempt.info().clone();
    let Some(grant) = grant else {
        return Explained { info: Some(info), ..Explained::default() };
    };
    match grant.decide(&attempt) {
        Ok(rule) => Explained {
            info: Some(info),
            policy: named,
            decision: Some("allowed"),
            rule: rule.map(ToString::to_string),
            ..Explained::default()
        },
        Err(reason) => {
            let text = reason.to_string();
            let missing_rule = attempt.refused(reason).missing_rule().map(str::to_owned);
            Explained { missing_rule, ..refused(Some(info), text) }
        }
    }
}

/// Returns a table with one attribute per line.
fn table(explained: &Explained) -> String {
    let json = serde_json::to_value(explained).unwrap_or_default();
    // In the order of the declaration, which a map of JSON does not keep.
    let order = [
        "isResourceRequest",
        "verb",
        "apiPrefix",
        "apiGroup",
        "apiVersion",
        "namespace",
        "resource",
        "subresource",
        "name",
        "path",
        "policy",
        "decision",
        "rule",
        "reason",
        "missingRule",
    ];
    let width = order.iter().map(|key| key.len()).max().unwrap_or(0);
    let mut lines = String::new();
    for key in order {
        let value = match &json[key] {
            serde_json::Value::Null => continue,
            serde_json::Value::String(text) => one_line(text),
            other => other.to_string(),
        };
        lines.push_str(format!("{key:<width$}  {value}").trim_end());
        lines.push('\n');
    }
    lines
}
