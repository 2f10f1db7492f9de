//! Events (core/v1), and what the API server wraps them in.

use kube_guest::{Status, Timestamp};
use serde::{Deserialize, Serialize};

/// `v1.Event`, as far as it is shown.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Event {
    #[serde(default)]
    pub(crate) metadata: Metadata,
    #[serde(default)]
    pub(crate) involved_object: Reference,
    #[serde(default, rename = "type")]
    pub(crate) kind: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) message: Option<String>,
    #[serde(rename = "eventTime")]
    seen: Option<String>,
    first_timestamp: Option<String>,
    last_timestamp: Option<String>,
    count: Option<i64>,
    series: Option<Series>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Metadata {
    #[serde(default)]
    pub(crate) namespace: String,
    #[serde(default)]
    pub(crate) uid: String,
    #[serde(default)]
    pub(crate) resource_version: String,
    creation_timestamp: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Reference {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    name: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Series {
    count: Option<i64>,
    last_observed_time: Option<String>,
}

impl Event {
    /// Returns when the event was last seen. Its creator determines which of its times are set
    /// (`events.k8s.io` or the older recorder), so the newest one counts, and the time of creation only if
    /// there is no other.
    pub(crate) fn time(&self) -> Option<Timestamp> {
        let series = self.series.as_ref().and_then(|series| series.last_observed_time.as_deref());
        let times =
            [self.seen.as_deref(), series, self.last_timestamp.as_deref(), self.first_timestamp.as_deref()];
        let newest = times.into_iter().flatten().filter_map(Timestamp::parse).max();
        newest.or_else(|| Timestamp::parse(self.metadata.creation_timestamp.as_deref()?))
    }

    /// Returns whether it is not older than `first`. An event without a time is never too old.
    pub(crate) fn is_since(&self, first: Option<Timestamp>) -> bool {
        first.is_none_or(|first| self.time().is_none_or(|time| time >= first))
    }

    /// Returns how many times it was seen.
    pub(crate) fn count(&self) -> i64 {
        let series = self.series.as_ref().and_then(|series| series.count);
        series.into_iter().chain(self.count).max().unwrap_or(1).max(1)
    }

    /// Returns the object as in kubectl, e.g. `pod/web-0`.
    pub(crate) fn object(&self) -> String {
        format!("{}/{}", self.involved_object.kind.to_lowercase(), self.involved_object.name)
    }
}

/// An event for programs.
#[derive(Debug, Serialize)]
pub(crate) struct Row<'a> {
    time: Option<String>,
    namespace: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    reason: &'a str,
    object: &'a Reference,
    message: &'a str,
    count: i64,
}

impl<'a> Row<'a> {
    pub(crate) fn of(event: &'a Event) -> Self {
        Self {
            time: event.time().map(|time| time.to_string()),
            namespace: &event.metadata.namespace,
            kind: event.kind.as_deref().unwrap_or_default(),
            reason: event.reason.as_deref().unwrap_or_default(),
            object: &event.involved_object,
            message: event.message.as_deref().unwrap_or_default(),
            count: event.count(),
        }
    }
}

/// Sorts events by time, and those of the same time in the order in which the cluster returned them.
pub(crate) fn sort(events: &mut [Event]) {
    events.sort_by_cached_key(|event| (event.time(), event.metadata.resource_version.parse::<u64>().ok()));
}

/// A page of a list.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Page {
    #[serde(default)]
    pub(crate) metadata: PageMetadata,
    #[serde(default)]
    pub(crate) items: Vec<Event>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PageMetadata {
    #[serde(default)]
    pub(crate) resource_version: String,
    #[serde(default, rename = "continue")]
    pub(crate) next: String,
}

/// A line of a watch.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", content = "object", rename_all = "UPPERCASE")]
pub(crate) enum Change {
    Added(Event),
    Modified(Event),
    Deleted(Event),
    Bookmark(Event),
    Error(Status),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(json: &str) -> Event {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn the_newest_time_counts() {
        let time = |json: &str| event(json).time().map(|time| time.to_string());
        assert_eq!(
            time(
                r#"{"firstTimestamp":"2026-01-01T00:00:00Z","lastTimestamp":"2026-01-01T00:05:00Z","eventTime":null}"#
            ),
            Some("2026-01-01T00:05:00Z".to_owned())
        );
        assert_eq!(
            time(
                r#"{"eventTime":"2026-01-01T00:00:00.000001Z","lastTimestamp":null,
                "series":{"count":3,"lastObservedTime":"2026-01-01T00:09:00.500000Z"}}"#
            ),
            Some("2026-01-01T00:09:00Z".to_owned())
        );
        assert_eq!(
            time(r#"{"metadata":{"creationTimestamp":"2026-01-01T00:00:01Z"},"lastTimestamp":null}"#),
            Some("2026-01-01T00:00:01Z".to_owned())
        );
        assert_eq!(time("{}"), None);
    }

    #[test]
    fn events_of_one_time_keep_the_clusters_order() {
        let of = |version: &str, second: u32| {
            event(&format!(
                r#"{{"metadata":{{"resourceVersion":"{version}"}},"lastTimestamp":"2026-01-01T00:00:0{second}Z"}}"#
            ))
        };
        let mut events = [of("10", 2), of("9", 2), of("100", 2), of("200", 1)];
        sort(&mut events);
        assert_eq!(events.map(|event| event.metadata.resource_version), ["200", "9", "10", "100"]);
    }

    #[test]
    fn a_count_is_that_of_the_series_or_of_the_event() {
        assert_eq!(event(r#"{"count":4}"#).count(), 4);
        assert_eq!(event(r#"{"series":{"count":5}}"#).count(), 5);
        assert_eq!(event(r#"{"count":0}"#).count(), 1);
    }

    #[test]
    fn the_lines_of_a_watch_are_read() {
        let line = |text: &str| serde_json::from_str::<Change>(text);
        let added =
            line(r#"{"type":"ADDED","object":{"metadata":{"uid":"u"},"involvedObject":{"kind":"Pod"}}}"#);
        assert!(matches!(added, Ok(Change::Added(event)) if event.metadata.uid == "u"));
        let gone = line(r#"{"type":"ERROR","object":{"kind":"Status","code":410,"message":"too old"}}"#);
        assert!(matches!(gone, Ok(Change::Error(status)) if status.code == 410));
        let mark =
            line(r#"{"object":{"kind":"Event","metadata":{"resourceVersion":"7"}},"type":"BOOKMARK"}"#);
        assert!(matches!(mark, Ok(Change::Bookmark(event)) if event.metadata.resource_version == "7"));
        assert!(line(r#"{"type":"MOVED","object":{}}"#).is_err());
    }
}
