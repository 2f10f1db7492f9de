//! What is printed.

use crate::lifecycle::{Api, Version};
use crate::used::Used;
use plugin_kit::{Cell, Colour, Style, Table};
use serde::Serialize;
use std::io::{self, Write};

/// All that was found.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// The server's version.
    pub(crate) server: Version,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) target: Option<Version>,
    /// Whether everything could be read.
    pub(crate) complete: bool,
    pub(crate) objects: Vec<Used>,
    /// The outdated APIs that the server has.
    pub(crate) served: Vec<Api>,
}

impl Report {
    /// Prints a table of the objects, and one of the APIs.
    pub(crate) fn print(&self, headings: bool, style: Style, out: &mut impl Write) -> io::Result<()> {
        let now = self.target.unwrap_or(self.server);
        let removed = |api: &Api| {
            let colour = if api.removed <= now { Colour::Bad } else { Colour::Soon };
            Cell::new(api.removed.to_string()).in_colour(colour)
        };
        let mut table = Table::new(["NAMESPACE", "OBJECT", "WRITTEN AS", "REMOVED", "USE", "BY"]);
        for used in &self.objects {
            table.row([
                Cell::new(&used.namespace),
                Cell::new(format!("{}/{}", used.api.kind.to_lowercase(), used.name)),
                Cell::new(used.api.version),
                removed(&used.api),
                Cell::new(used.api.replacement.unwrap_or("-")),
                Cell::new(used.by.join(", ")),
            ]);
        }
        if !table.is_empty() {
            table.print(style, headings, out)?;
        }
        if self.served.is_empty() {
            return Ok(());
        }
        if !table.is_empty() {
            writeln!(out)?;
        }
        let mut table = Table::new(["SERVED API", "KIND", "DEPRECATED", "REMOVED", "USE"]);
        for api in &self.served {
            table.row([
                Cell::new(api.version),
                Cell::new(api.kind),
                Cell::new(api.deprecated.to_string()),
                removed(api),
                Cell::new(api.replacement.unwrap_or("-")),
            ]);
        }
        table.print(style, headings, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lifecycle::{Horizon, Lifecycle};

    #[test]
    fn objects_stand_before_what_the_server_has() {
        let version = |text: &str| Version::parse(text).unwrap();
        let lifecycle = Lifecycle::within(Horizon::Deprecated(version("1.25")));
        let api = lifecycle.of("policy/v1beta1", "PodSecurityPolicy").unwrap();
        let used =
            Used { namespace: String::new(), name: "all\u{1b}".to_owned(), api, by: vec!["helm".to_owned()] };
        let report = Report {
            server: version("1.24"),
            target: None,
            complete: true,
            objects: vec![used],
            served: vec![api],
        };
        let mut out = Vec::new();
        report.print(true, Style::PLAIN, &mut out).unwrap();
        let expected = "\
NAMESPACE   OBJECT                      WRITTEN AS       REMOVED   USE   BY
            podsecuritypolicy/all\\x1b   policy/v1beta1   1.25      -     helm

SERVED API       KIND                DEPRECATED   REMOVED   USE
policy/v1beta1   PodSecurityPolicy   1.21         1.25      -
";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
