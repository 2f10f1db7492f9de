//! The forms in which events are printed, one after the other.

use crate::event::{Event, Row};
use crate::table::Table;
use kube_guest::Timestamp;
use std::io::{self, Write};

/// What prints events as they come.
#[derive(Debug)]
pub(crate) enum Printer {
    /// Lines with columns.
    Table(Table),
    /// A line of JSON for each event.
    Json,
    /// A document of YAML for each event.
    Yaml,
}

impl Printer {
    /// Makes room for what will be printed.
    pub(crate) fn fit<'a>(&mut self, events: impl IntoIterator<Item = &'a Event>, now: Timestamp) {
        if let Self::Table(table) = self {
            table.fit(events, now);
        }
    }

    /// Prints an event. Nothing is flushed.
    pub(crate) fn print(&mut self, event: &Event, now: Timestamp, out: &mut impl Write) -> io::Result<()> {
        let text = match self {
            Self::Table(table) => return table.print(event, now, out),
            Self::Json => serde_json::to_string(&Row::of(event))? + "\n",
            Self::Yaml => {
                let document = plugin_kit::yaml(&Row::of(event));
                format!("---\n{}", document.map_err(|failure| io::Error::other(format!("{failure:?}")))?)
            }
        };
        // One write an event: what reads the pipe never sees half of one.
        out.write_all(text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(mut printer: Printer) -> String {
        let event = r#"{"metadata":{"namespace":"shop"},"involvedObject":{"kind":"Pod","name":"web-0"},"type":"Normal",
            "reason":"Scheduled","message":"to\nnode-1","count":2,"lastTimestamp":"2026-01-01T00:00:00Z"}"#;
        let event: Event = serde_json::from_str(event).unwrap();
        let mut out = Vec::new();
        printer.print(&event, Timestamp::from_seconds(0), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn an_event_is_a_line_of_json_or_a_document_of_yaml() {
        let json = printed(Printer::Json);
        let expected = r#"{"time":"2026-01-01T00:00:00Z","namespace":"shop","type":"Normal","reason":"Scheduled","object":{"kind":"Pod","name":"web-0"},"message":"to\nnode-1","count":2}"#;
        assert_eq!(json, format!("{expected}\n"));
        let yaml = printed(Printer::Yaml);
        assert!(yaml.starts_with("---\ntime: \"2026-01-01T00:00:00Z\"\nnamespace: shop\n"), "{yaml}");
    }
}
