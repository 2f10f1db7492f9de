//! How events are laid out: a table for programs, paragraphs for a terminal, where a message has no room beside five columns.

use crate::event::Row;
use kube_guest::{Timestamp, for_terminal_line};
use plugin_kit::{Cell, Colour, Style, Table};
use std::io::{self, Write};

/// Prints the number of events, and the events.
pub(crate) fn print(
    rows: &[Row],
    now: Timestamp,
    headings: bool,
    style: Style,
    out: &mut impl Write,
) -> io::Result<()> {
    match rows.len() {
        0 => return writeln!(out, "No events found"),
        1 => writeln!(out, "Found 1 event\n")?,
        number => writeln!(out, "Found {number} events\n")?,
    }
    if style.terminal {
        return rows.iter().try_for_each(|row| paragraph(row, now, style, out));
    }
    let mut table =
        Table::new(["SOURCE", "TYPE", "NAMESPACE", "INVOLVED OBJECT", "FIRST SEEN", "LAST SEEN", "MESSAGE"]);
    for row in rows {
        table.row([
            Cell::new(&row.source),
            Cell::new(&row.kind),
            Cell::new(row.involved_object.namespace.as_deref().unwrap_or_default()),
            Cell::new(row.involved_object.object()),
            Cell::new(time(row.first_seen.as_deref())),
            Cell::new(time(row.last_seen.as_deref())),
            Cell::new(row.message.trim()),
        ]);
    }
    table.print(style, headings, out)
}

fn paragraph(row: &Row, now: Timestamp, style: Style, out: &mut impl Write) -> io::Result<()> {
    let place =
        row.involved_object.namespace.as_deref().map(|name| format!(" in {name}")).unwrap_or_default();
    let object = for_terminal_line(&format!("{}{place}", row.involved_object.object())).into_owned();
    let colour = if row.kind == "Normal" { Colour::Good } else { Colour::Soon };
    let kind = for_terminal_line(&row.kind);
    let source = for_terminal_line(&row.source);
    writeln!(
        out,
        "{}  {}  {}",
        style.paint(Colour::Key, &object),
        style.paint(colour, &kind),
        style.paint(Colour::Aside, &source)
    )?;
    let age = |seen: Option<&str>| match seen.and_then(Timestamp::parse) {
        Some(time) => format!("{} ago", time.age(now)),
        None => "at an unknown time".to_owned(),
    };
    let (first, last) = (age(row.first_seen.as_deref()), age(row.last_seen.as_deref()));
    writeln!(out, "  first seen {first}, last seen {last}")?;
    for line in row.message.trim().lines() {
        let line = for_terminal_line(line).into_owned();
        for part in plugin_kit::wrap(&line, style.width.saturating_sub(2).max(16)) {
            writeln!(out, "  {part}")?;
        }
    }
    writeln!(out)
}

/// Returns a time to the second, as all others are printed.
fn time(seen: Option<&str>) -> String {
    let time = seen.and_then(Timestamp::parse);
    time.map_or_else(|| "-".to_owned(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;

    fn printed(terminal: bool) -> String {
        let json = r#"{"source": {"component": "policy-server"}, "type": "Warning",
            "message": "policy no-privileged rejected the request: \u001b[2Ja container is privileged, which this cluster does not allow",
            "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "web"},
            "firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": "2026-01-01T00:59:00Z"}"#;
        let row: Row = serde_json::from_str::<Event>(json).unwrap().into();
        let style = Style { terminal, ..Style::PLAIN };
        let now = Timestamp::parse("2026-01-01T01:00:00Z").unwrap();
        let mut out = Vec::new();
        print(&[row], now, true, style, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_program_gets_a_line_for_each_event() {
        let text = printed(false);
        assert!(
            text.starts_with("Found 1 event\n\nSOURCE          TYPE      NAMESPACE   INVOLVED OBJECT"),
            "{text}"
        );
        assert!(
            text.contains(
                "\npolicy-server   Warning   shop        pod/web           2026-01-01T00:00:00Z   "
            )
        );
        assert!(text.contains("request: \\x1b[2Ja container") && text.lines().count() == 4, "{text}");
    }

    #[test]
    fn a_terminal_gets_no_line_that_is_too_long() {
        let expected = "\
Found 1 event

pod/web in shop  Warning  policy-server
  first seen 60m ago, last seen 60s ago
  policy no-privileged rejected the request: \\x1b[2Ja container is privileged,
  which this cluster does not allow

";
        assert_eq!(printed(true), expected);
    }

    #[test]
    fn nothing_is_said_to_be_nothing() {
        let mut out = Vec::new();
        print(&[], Timestamp::from_seconds(0), true, Style::PLAIN, &mut out).unwrap();
        assert_eq!(out, b"No events found\n");
    }
}
