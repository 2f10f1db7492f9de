//! A table for people.

use crate::rules::Severity;
use crate::subject::Report;
use plugin_kit::{Cell, Colour, Style, Table};
use std::io::{self, Write};

/// Prints a line for each finding.
pub(crate) fn print(report: &Report, headings: bool, style: Style, out: &mut impl Write) -> io::Result<()> {
    let files = report.subjects.iter().any(|subject| subject.place.is_some());
    let place = if files { "PLACE" } else { "NAMESPACE" };
    let mut table = Table::new(["SEVERITY", "RULE", place, "OBJECT", "CONTAINER", "MESSAGE"]);
    for (subject, verdict) in report.findings() {
        let colour = if verdict.severity == Severity::Error { Colour::Bad } else { Colour::Soon };
        let place = match &subject.place {
            Some(place) => format!("{}:{}", place.file, place.line),
            None => subject.namespace.clone(),
        };
        table.row([
            Cell::new(verdict.severity.to_string()).in_colour(colour),
            Cell::new(verdict.rule.name()),
            Cell::new(place),
            Cell::new(subject.object()),
            Cell::new(&verdict.container),
            Cell::new(&verdict.message),
        ]);
    }
    if table.is_empty() { Ok(()) } else { table.print(style, headings, out) }
}
