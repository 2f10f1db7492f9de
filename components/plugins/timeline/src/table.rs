//! Lines with columns.

use crate::event::Event;
use kube_guest::{Timestamp, for_terminal_line};
use std::io::{self, Write};

/// The columns but the last, with their minimum and maximum widths. A wider value moves the rest of its line.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<Column>,
    age: bool,
    heading_is_due: bool,
}

#[derive(Debug)]
struct Column {
    name: &'static str,
    width: usize,
    limit: usize,
}

impl Table {
    /// Returns a table with a column for the namespace, or for ages instead of times, if requested.
    pub(crate) fn new(namespaces: bool, age: bool) -> Self {
        let column = |name, width, limit| Column { name, width, limit };
        let mut columns = Vec::new();
        if namespaces {
            columns.push(column("NAMESPACE", 9, 24));
        }
        columns.push(if age { column("AGE", 5, 8) } else { column("TIME", 20, 20) });
        columns.push(column("TYPE", 7, 12));
        columns.push(column("REASON", 9, 24));
        columns.push(column("OBJECT", 16, 48));
        Self { columns, age, heading_is_due: true }
    }

    /// Makes room for what will be printed.
    pub(crate) fn fit<'a>(&mut self, events: impl IntoIterator<Item = &'a Event>, now: Timestamp) {
        for event in events {
            let cells = self.cells(event, now);
            for (column, cell) in self.columns.iter_mut().zip(cells) {
                column.width = column.width.max(cell.chars().count()).min(column.limit);
            }
        }
    }

    /// Prints an event, and the heading before the first one. Nothing is flushed.
    pub(crate) fn print(&mut self, event: &Event, now: Timestamp, out: &mut impl Write) -> io::Result<()> {
        let mut line = String::with_capacity(160);
        if self.heading_is_due {
            self.heading_is_due = false;
            let names = self.columns.iter().map(|column| column.name.to_owned());
            self.join(names.collect(), "MESSAGE", &mut line);
        }
        let message = event.message.as_deref().unwrap_or_default().trim();
        let mut message = for_terminal_line(message).into_owned();
        if event.count() > 1 {
            message = format!("{message} (x{})", event.count());
        }
        self.join(self.cells(event, now), &message, &mut line);
        // One write a line: what reads the pipe never sees half of one.
        out.write_all(line.as_bytes())
    }

    fn join(&self, cells: Vec<String>, last: &str, line: &mut String) {
        for (column, cell) in self.columns.iter().zip(cells) {
            let padding = column.width.saturating_sub(cell.chars().count()) + 2;
            line.push_str(&cell);
            line.extend(std::iter::repeat_n(' ', padding));
        }
        line.push_str(last);
        line.truncate(line.trim_end().len());
        line.push('\n');
    }

    fn cells(&self, event: &Event, now: Timestamp) -> Vec<String> {
        let text = |text: &str| match text.trim() {
            "" => "-".to_owned(),
            text => for_terminal_line(text).into_owned(),
        };
        let time = match event.time() {
            Some(time) if self.age => time.age(now),
            Some(time) => time.to_string(),
            None => "-".to_owned(),
        };
        let mut cells = Vec::with_capacity(self.columns.len());
        if self.columns.len() > 4 {
            cells.push(text(&event.metadata.namespace));
        }
        cells.push(time);
        cells.push(text(event.kind.as_deref().unwrap_or_default()));
        cells.push(text(event.reason.as_deref().unwrap_or_default()));
        cells.push(text(&event.object()));
        cells
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(json: &str) -> Event {
        serde_json::from_str(json).unwrap()
    }

    fn printed(table: &mut Table, events: &[Event]) -> String {
        let now = Timestamp::parse("2026-01-01T01:00:00Z").unwrap();
        table.fit(events, now);
        let mut out = Vec::new();
        for event in events {
            table.print(event, now, &mut out).unwrap();
        }
        String::from_utf8(out).unwrap()
    }

    fn two() -> [Event; 2] {
        [
            event(
                r#"{"metadata":{"namespace":"shop"},"involvedObject":{"kind":"Pod","name":"web-0"},"type":"Normal",
                "reason":"Scheduled","message":"to node-1","lastTimestamp":"2026-01-01T00:00:00Z"}"#,
            ),
            event(
                r#"{"metadata":{"namespace":"shop"},"involvedObject":{"kind":"ReplicaSet","name":"web-longer-name"},
                "type":"Warning","reason":"BackOff","message":"a\u001b[2Jb\nc ","count":3,
                "lastTimestamp":"2026-01-01T00:30:00Z"}"#,
            ),
        ]
    }

    #[test]
    fn columns_stand_below_each_other() {
        let expected = "\
TIME                  TYPE     REASON     OBJECT                      MESSAGE
2026-01-01T00:00:00Z  Normal   Scheduled  pod/web-0                   to node-1
2026-01-01T00:30:00Z  Warning  BackOff    replicaset/web-longer-name  a\\x1b[2Jb\\nc (x3)
";
        assert_eq!(printed(&mut Table::new(false, false), &two()), expected);
    }

    #[test]
    fn namespaces_and_ages_are_columns_when_asked_for() {
        let text = printed(&mut Table::new(true, true), &two());
        assert!(text.starts_with("NAMESPACE  AGE    TYPE "), "{text}");
        assert!(text.contains("\nshop       60m    Normal   Scheduled"), "{text}");
    }

    #[test]
    fn an_event_that_says_nothing_is_a_line_too() {
        let text = printed(&mut Table::new(false, false), &[Event::default()]);
        assert_eq!(text.lines().nth(1).unwrap().split_whitespace().collect::<Vec<_>>(), ["-", "-", "-", "/"]);
    }
}
