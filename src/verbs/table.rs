//! Tables with aligned columns, and the formats in which data is printed.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use serde::Serialize;
use textwrap::core::display_width;

use super::ending::Error;
use crate::cli::Output;
use crate::message::{drives_terminal, one_line};
use crate::platform::stdio::Stdout;

/// A table with a header.
pub(super) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(head: &[&str]) -> Self {
        Self { rows: vec![head.iter().map(ToString::to_string).collect()] }
    }

    /// Adds a row with as many cells as the header. Control characters are escaped.
    pub(super) fn row(&mut self, cells: Vec<String>) {
        let shown =
            cells.into_iter().map(|cell| if cell.is_empty() { "-".to_owned() } else { one_line(&cell) });
        self.rows.push(shown.collect());
    }

    pub(super) fn text(&self) -> String {
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| display_width(cell)).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.rows.first().map_or(0, Vec::len)).map(width).collect();
        let line = |row: &Vec<String>| {
            // Not by `{:<width$}`, which counts characters: some take two columns.
            let padding = |cell: &str, width: usize| " ".repeat(width.saturating_sub(display_width(cell)));
            let cells =
                row.iter().zip(&widths).map(|(cell, width)| format!("{cell}{}", padding(cell, *width)));
            format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
        };
        self.rows.iter().map(line).collect()
    }
}

/// Returns a page with one fact per line. Several values of one key are below each other, with the key once.
/// Control characters are escaped.
pub(super) fn page(lines: &[(&str, String)]) -> String {
    let width = lines.iter().map(|(key, _)| key.len()).max().unwrap_or(0);
    let shown = |value: &str| if value.is_empty() { "-".to_owned() } else { one_line(value) };
    let lines = lines.iter().map(|(key, value)| format!("{key:<width$}  {}", shown(value)));
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

/// Returns a list in the requested format. `name` returns what the format of bare names shows of a row.
pub(super) fn shown<R: Serialize>(
    rows: &[R],
    output: Output,
    table: impl FnOnce(bool) -> Table,
    name: impl Fn(&R) -> String,
) -> String {
    match output {
        Output::Json => json(rows),
        Output::Yaml => yaml(rows),
        Output::Name => rows.iter().map(|row| one_line(&name(row)) + "\n").collect(),
        Output::Table | Output::Wide => table(output == Output::Wide).text(),
    }
}

/// Returns one thing in the requested form. `name` is what the form of bare names shows of it.
pub(super) fn one<T: Serialize>(
    value: &T,
    output: Output,
    page: impl FnOnce() -> String,
    name: impl FnOnce() -> String,
) -> String {
    match output {
        Output::Json => json(value),
        Output::Yaml => yaml(value),
        Output::Name => one_line(&name()) + "\n",
        Output::Table | Output::Wide => page(),
    }
}

/// Returns a JSON document.
fn json<T: Serialize + ?Sized>(value: &T) -> String {
    let text = serde_json::to_string_pretty(value).unwrap_or_default() + "\n";
    // Beyond ASCII serde_json escapes nothing, and some of those characters control a terminal. They only
    // occur in texts.
    text.chars().fold(String::with_capacity(text.len()), |mut text, c| {
        if drives_terminal(c) && c != '\n' {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a string does not fail.
                let _ = write!(text, "\\u{unit:04x}");
            }
        } else {
            text.push(c);
        }
        text
    })
}

/// Returns a YAML document. A text that could control a terminal is written as JSON, which is valid YAML and
/// escapes such characters, since YAML's plain texts have no escapes.
pub(super) fn yaml<T: Serialize + ?Sized>(value: &T) -> String {
    let text = serde_saphyr::to_string(&value).unwrap_or_default();
    if text.chars().any(|c| drives_terminal(c) && c != '\n') { json(value) } else { text }
}

/// Prints data. A closed standard output is not an error, as for every filter.
pub(super) fn print(text: &str) -> Result<(), Error> {
    match Stdout.write_all(text.as_bytes()).and_then(|()| Stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::Stdout(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_cannot_drive_the_terminal_and_says_what_it_says() {
        for text in ["a\u{9b}31m\u{202e}é\u{1b}\n", "x\u{61c}y", "\u{e0041}", "plain: text"] {
            let row = [text];
            for shown in [json(&row), yaml(&row)] {
                assert!(shown.chars().all(|c| c == '\n' || !drives_terminal(c)), "{shown:?}");
                assert_eq!(serde_saphyr::from_str::<Vec<String>>(&shown).unwrap(), row, "{shown:?}");
            }
            assert_eq!(serde_json::from_str::<Vec<String>>(&json(&row)).unwrap(), row);
        }
    }

    #[test]
    fn columns_line_up_and_lines_have_no_blanks_at_their_end() {
        let mut table = Table::new(&["NAME", "POLICY", "SOURCE"]);
        table.row(vec!["a".to_owned(), "cluster".to_owned(), "/x.wasm".to_owned()]);
        table.row(vec!["decoder".to_owned(), String::new(), "\u{1b}[2K".to_owned()]);
        table.row(vec!["表".to_owned(), "two".to_owned(), "columns".to_owned()]);
        insta::assert_snapshot!(table.text(), @r"
        NAME     POLICY   SOURCE
        a        cluster  /x.wasm
        decoder  -        \u{1b}[2K
        表       two      columns
        ");
    }
}
