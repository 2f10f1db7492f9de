//! Events (core/v1), as far as they are shown.

use kube_guest::Timestamp;
use serde::{Deserialize, Serialize};

/// `v1.Event`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Event {
    source: Option<Source>,
    reporting_component: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    message: Option<String>,
    involved_object: Option<Reference>,
    #[serde(rename = "eventTime")]
    seen: Option<String>,
    first_timestamp: Option<String>,
    last_timestamp: Option<String>,
    series: Option<Series>,
}

/// `v1.EventSource`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Source {
    component: Option<String>,
    host: Option<String>,
}

/// `v1.ObjectReference`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Reference {
    #[serde(skip_serializing_if = "Option::is_none")]
    api_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) namespace: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

/// `v1.EventSeries`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Series {
    last_observed_time: Option<String>,
}

/// An event, as it is shown. A creator of events sets either its own times, or that of a series.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Row {
    pub(crate) source: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) message: String,
    pub(crate) involved_object: Reference,
    pub(crate) first_seen: Option<String>,
    pub(crate) last_seen: Option<String>,
}

impl From<Event> for Row {
    fn from(event: Event) -> Self {
        let first = event.first_timestamp.or_else(|| event.seen.clone());
        let observed = event.series.and_then(|series| series.last_observed_time);
        let last = event.last_timestamp.or(observed).or(event.seen);
        let source = event.source.unwrap_or_default();
        let component = source.component.filter(|component| !component.is_empty());
        let component = component.or(event.reporting_component).unwrap_or_default();
        let source = match source.host {
            Some(host) if !host.is_empty() => format!("{component}, {host}"),
            _ => component,
        };
        Self {
            source,
            kind: event.kind.unwrap_or_default(),
            message: event.message.unwrap_or_default(),
            involved_object: event.involved_object.unwrap_or_default(),
            last_seen: last.or_else(|| first.clone()),
            first_seen: first,
        }
    }
}

impl Row {
    /// Returns when it was last seen.
    pub(crate) fn last(&self) -> Option<Timestamp> {
        Timestamp::parse(self.last_seen.as_deref()?)
    }
}

impl Reference {
    /// Returns the object as in kubectl, e.g. `pod/web-0`.
    pub(crate) fn object(&self) -> String {
        let kind = self.kind.as_deref().unwrap_or_default().to_lowercase();
        format!("{kind}/{}", self.name.as_deref().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(json: &str) -> Row {
        serde_json::from_str::<Event>(json).unwrap().into()
    }

    #[test]
    fn either_kind_of_time_is_shown() {
        let times = |json: &str| {
            let row = row(json);
            (row.first_seen.unwrap_or_default(), row.last_seen.unwrap_or_default())
        };
        let (one, two) = ("2026-01-01T00:00:00Z".to_owned(), "2026-01-01T00:05:00.000000Z".to_owned());
        let old = format!(r#"{{"firstTimestamp": "{one}", "lastTimestamp": "{two}", "eventTime": null}}"#);
        assert_eq!(times(&old), (one.clone(), two.clone()));
        let new = format!(
            r#"{{"eventTime": "{one}", "firstTimestamp": null, "series": {{"count": 2, "lastObservedTime": "{two}"}}}}"#
        );
        assert_eq!(times(&new), (one.clone(), two));
        assert_eq!(times(&format!(r#"{{"eventTime": "{one}", "series": null}}"#)), (one.clone(), one));
        assert_eq!(times("{}"), Default::default());
    }

    #[test]
    fn the_source_is_whatever_names_itself() {
        assert_eq!(row(r#"{"source": {"component": "kubewarden", "host": "n"}}"#).source, "kubewarden, n");
        assert_eq!(row(r#"{"source": {}, "reportingComponent": "policy-server"}"#).source, "policy-server");
        assert_eq!(row(r#"{"source": null, "involvedObject": null}"#).involved_object.object(), "/");
    }
}
