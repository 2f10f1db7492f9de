//! The verbs of the API: what each route answers.

use std::sync::Arc;
use std::time::Duration;

use hyper::header::{ACCEPT, CONTENT_TYPE};
use hyper::{HeaderMap, Method, Response};
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::sync::mpsc;

use crate::body::{self, Reply};
use crate::discovery;
use crate::identity::Identity;
use crate::list;
use crate::log::{Aborted, RequestBody};
use crate::object::{self, Resource, Stored};
use crate::routes::{Document, Query, Route};
use crate::selectors::Selector;
use crate::server::Shared;
use crate::status::Refused;
use crate::store::Key;
use crate::streams;
use crate::ticks;
use crate::watch::{self, Watch};

/// One authenticated request.
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    pub(crate) query: Query,
    pub(crate) route: Route,
    pub(crate) identity: Identity,
    /// The number of events after which a watch ends.
    pub(crate) events: Option<usize>,
}

/// The reason why there is no normal answer.
pub(crate) enum Failure {
    Refused(Refused),
    Aborted,
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<Aborted> for Failure {
    fn from(_: Aborted) -> Self {
        Self::Aborted
    }
}

/// The media type that kubectl sends for objects with a Go type. Such objects are refused.
const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

type Answered = Result<Response<Reply>, Failure>;

pub(crate) async fn handle(shared: &Arc<Shared>, asked: Asked, body: &mut RequestBody) -> Answered {
    acceptable(&asked.headers)?;
    match asked.route.clone() {
        Route::Document(document) => documents(&asked, document),
        Route::SelfSubjectReview => review(&asked, body).await,
        Route::Sink => streams::sink(shared, &asked.method, body).await,
        Route::Source => Ok(streams::source(&asked.method, &asked.query)?),
        Route::Ticks => Ok(ticks::make(&shared.store, &asked.method, &asked.query).await?),
        Route::Unknown => Err(Refused::unknown_path().into()),
        Route::Outside(path) => Ok(body::document(200, &json!({ "outside": path }))),
        Route::Collection { resource, namespace, watch } => match asked.method {
            Method::GET if watch || asked.query.flag("watch") => {
                Ok(start_watch(shared, &asked, resource, namespace)?)
            }
            Method::GET => Ok(list::answer(&shared.store, &asked.query, resource, namespace.as_deref())?),
            Method::POST if namespace.is_some() || !resource.namespaced => {
                let sent = json_body(&asked, body).await?;
                let dry_run = dry_run(&asked.query)?;
                let stored = shared.store.create(resource, namespace.as_deref(), sent, dry_run)?;
                Ok(body::json(201, stored.json()))
            }
            _ => Err(Refused::method_not_allowed().into()),
        },
        Route::Item { resource, namespace, name } => {
            let key = Key { plural: resource.plural, namespace: namespace.unwrap_or_default(), name };
            item(shared, &asked, resource, &key, body).await
        }
    }
}

async fn item(
    shared: &Shared,
    asked: &Asked,
    resource: &'static Resource,
    key: &Key,
    body: &mut RequestBody,
) -> Answered {
    let store = &shared.store;
    let dry_run = dry_run(&asked.query)?;
    match asked.method {
        Method::GET => Ok(body::json(200, store.get(key)?.json())),
        // Namespaces exist with their contents, and stay.
        _ if !resource.namespaced => Err(Refused::method_not_allowed().into()),
        Method::PUT => {
            let sent = json_body(asked, body).await?;
            let stored = store.update(resource, key, dry_run, |_| Ok(sent))?;
            Ok(body::json(200, stored.json()))
        }
        Method::PATCH => {
            const MERGE: &str = "application/merge-patch+json";
            if media_type(&asked.headers) != MERGE {
                return Err(Refused::unsupported_media_type(MERGE).into());
            }
            let patch = parse(&body.collect().await?)?;
            let stored = store.update(resource, key, dry_run, |current| Ok(merge(current.clone(), patch)))?;
            Ok(body::json(200, stored.json()))
        }
        Method::DELETE => {
            let sent = body.collect().await?;
            let options = if sent.is_empty() { Value::Null } else { parse(&sent)? };
            let dry_run = dry_run || options["dryRun"] == json!(["All"]);
            let gone = store.delete(resource, key, dry_run, |stored| precondition(key, stored, &options))?;
            let details = json!({ "name": key.name, "kind": resource.plural, "uid": gone.uid() });
            let status = json!({
                "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details,
            });
            Ok(body::document(200, &status))
        }
        _ => Err(Refused::method_not_allowed().into()),
    }
}

fn start_watch(
    shared: &Arc<Shared>,
    asked: &Asked,
    resource: &'static Resource,
    namespace: Option<String>,
) -> Result<Response<Reply>, Refused> {
    let query = &asked.query;
    if query.flag("sendInitialEvents") {
        // What a real server says without the feature WatchList; clients then list and watch.
        let problem = "Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled";
        return Err(Refused::invalid("ListOptions", "", "sendInitialEvents", problem));
    }
    let selector = Selector::parse(resource, query.get("labelSelector"), query.get("fieldSelector"))?;
    let after = match query.get("resourceVersion") {
        None | Some("0") => None,
        Some(version) => Some(number(version, "resourceVersion")?),
    };
    let timeout = query.get("timeoutSeconds").map(|seconds| number(seconds, "timeoutSeconds")).transpose()?;
    let timeout = timeout.filter(|seconds| *seconds > 0).map(Duration::from_secs);
    let watch = Watch { resource, namespace, selector, after, timeout, events: asked.events };
    // Before the answer's head is sent: a client that has it may rely on seeing what happens next.
    let begun = watch.begin(&shared.store);
    let (sender, receiver) = mpsc::channel(4);
    tokio::spawn(watch::run(begun, Arc::clone(&shared.store), shared.ends.subscribe(), sender));
    Ok(body::answer(200, "application/json", body::fed(receiver)))
}

fn documents(asked: &Asked, document: Document) -> Answered {
    if asked.method != Method::GET {
        return Err(Refused::method_not_allowed().into());
    }
    Ok(match discovery::document(document) {
        Some(value) => body::document(200, &value),
        None => body::answer(200, "text/plain; charset=utf-8", body::whole("ok")),
    })
}

async fn review(asked: &Asked, body: &mut RequestBody) -> Answered {
    if asked.method != Method::POST {
        return Err(Refused::method_not_allowed().into());
    }
    // The object says nothing but its kind, so that kubectl's own encoding need not be understood to be answered.
    let sent = if media_type(&asked.headers) == PROTOBUF {
        body.collect().await?;
        Value::Null
    } else {
        json_body(asked, body).await?
    };
    if sent["kind"].as_str().is_some_and(|kind| kind != "SelfSubjectReview") {
        return Err(Refused::bad_request("the object provided is not a SelfSubjectReview").into());
    }
    let review = json!({
        "kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1",
        "metadata": { "creationTimestamp": object::timestamp(OffsetDateTime::now_utc()) },
        "status": { "userInfo": asked.identity.user_info() },
    });
    Ok(body::document(201, &review))
}

async fn json_body(asked: &Asked, body: &mut RequestBody) -> Result<Value, Failure> {
    let media_type = media_type(&asked.headers);
    if !matches!(media_type, "" | "application/json") {
        return Err(Refused::unsupported_media_type("application/json").into());
    }
    Ok(parse(&body.collect().await?)?)
}

fn parse(sent: &[u8]) -> Result<Value, Refused> {
    let parsed = serde_json::from_slice(sent);
    parsed.map_err(|error| Refused::bad_request(format!("the body of the request is not JSON: {error}")))
}

fn precondition(key: &Key, stored: &Stored, options: &Value) -> Result<(), Refused> {
    let wanted = &options["preconditions"];
    for (field, found) in [("uid", stored.uid()), ("resourceVersion", stored.version())] {
        if let Some(wanted) = wanted[field].as_str().filter(|wanted| *wanted != found) {
            let why =
                format!("Precondition failed: {field} in precondition: {wanted}, in object meta: {found}");
            return Err(Refused::conflict(key.plural, &key.name, &why));
        }
    }
    Ok(())
}

/// Applies a JSON merge patch (RFC 7386).
fn merge(target: Value, patch: Value) -> Value {
    let Value::Object(patch) = patch else {
        return patch;
    };
    let mut target = match target {
        Value::Object(target) => target,
        _ => serde_json::Map::new(),
    };
    for (key, change) in patch {
        if change.is_null() {
            target.remove(&key);
        } else {
            let old = target.remove(&key).unwrap_or_default();
            target.insert(key, merge(old, change));
        }
    }
    Value::Object(target)
}

fn dry_run(query: &Query) -> Result<bool, Refused> {
    match query.get("dryRun") {
        None => Ok(false),
        Some("All") => Ok(true),
        Some(other) => Err(Refused::bad_request(format!("dryRun: Unsupported value: \"{other}\""))),
    }
}

fn media_type(headers: &HeaderMap) -> &str {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim()
}

fn acceptable(headers: &HeaderMap) -> Result<(), Refused> {
    let known = |part: &str| {
        let media_type = part.split(';').next().unwrap_or_default().trim();
        matches!(media_type, "" | "*/*" | "application/*" | "application/json" | "text/plain" | "text/*")
    };
    let mut accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).peekable();
    if accepted.peek().is_none() || accepted.any(|value| value.split(',').any(known)) {
        return Ok(());
    }
    Err(Refused::new(406, "only the following media types are accepted: application/json"))
}

pub(crate) fn number(text: &str, name: &str) -> Result<u64, Refused> {
    text.parse()
        .map_err(|_| Refused::bad_request(format!("{name}: Invalid value: \"{text}\": no whole number")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_merge_patch_removes_replaces_and_adds() {
        let target = json!({ "a": "b", "c": { "d": 1, "e": 2 }, "list": [1, 2] });
        let patch = json!({ "a": null, "c": { "d": null, "f": { "g": null } }, "list": [3] });
        assert_eq!(merge(target, patch), json!({ "c": { "e": 2, "f": {} }, "list": [3] }));
    }
}
