//! Tables, as kubectl prints them.

use crate::{Colour, Style};
use kube_guest::for_terminal_line;
use std::io::{self, Write};

/// The spaces between two columns.
const GAP: usize = 3;

/// A table: headings, and rows of as many cells.
#[derive(Clone, Debug)]
pub struct Table {
    headings: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

/// A cell of a table: one line of text, safe for a terminal.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Cell {
    text: String,
    colour: Option<Colour>,
}

impl Cell {
    /// Returns a cell with this text, of which control characters are escaped.
    pub fn new(text: impl AsRef<str>) -> Self {
        Self { text: for_terminal_line(text.as_ref()).into_owned(), colour: None }
    }

    /// Sets the colour.
    #[must_use]
    pub fn in_colour(self, colour: Colour) -> Self {
        Self { colour: Some(colour), ..self }
    }
}

impl<T: AsRef<str>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::new(text)
    }
}

impl Table {
    /// Returns a table without rows.
    #[must_use]
    pub fn new(headings: impl Into<Vec<&'static str>>) -> Self {
        Self { headings: headings.into(), rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = impl Into<Cell>>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// Returns whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Prints the table, with its headings if wanted. An empty cell is blank.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn print(&self, style: Style, headings: bool, out: &mut impl Write) -> io::Result<()> {
        let mut widths: Vec<usize> =
            self.headings.iter().map(|name| if headings { name.len() } else { 0 }).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.text.chars().count());
            }
        }
        if headings {
            let names: Vec<Cell> = self.headings.iter().map(Cell::from).collect();
            print_row(&names, &widths, style, out)?;
        }
        self.rows.iter().try_for_each(|row| print_row(row, &widths, style, out))
    }
}

fn print_row(row: &[Cell], widths: &[usize], style: Style, out: &mut impl Write) -> io::Result<()> {
    let mut line = String::with_capacity(120);
    // Spaces are written before the next text, so that none stand at the end of a line.
    let mut owed = 0;
    for (cell, width) in row.iter().zip(widths) {
        if !cell.text.is_empty() {
            line.extend(std::iter::repeat_n(' ', owed));
            owed = 0;
        }
        match cell.colour {
            Some(colour) => line.push_str(&style.paint(colour, &cell.text)),
            None => line.push_str(&cell.text),
        }
        owed += width - cell.text.chars().count().min(*width) + GAP;
    }
    line.push('\n');
    out.write_all(line.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(table: &Table, style: Style, headings: bool) -> String {
        let mut out = Vec::new();
        table.print(style, headings, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn two() -> Table {
        let mut table = Table::new(["NAME", "READY", "NOTE"]);
        table.row([Cell::new("web-0"), Cell::new("True").in_colour(Colour::Good), Cell::new("")]);
        table.row(["a-longer-name", "", "x\x1b[2J\n"]);
        table
    }

    #[test]
    fn columns_stand_below_each_other() {
        let expected = "\
NAME            READY   NOTE
web-0           True
a-longer-name           x\\x1b[2J\\n
";
        assert_eq!(printed(&two(), Style::PLAIN, true), expected);
        assert_eq!(printed(&two(), Style::PLAIN, false).lines().next(), Some("web-0           True"));
    }

    #[test]
    fn colours_take_no_room() {
        let style = Style { colours: true, ..Style::PLAIN };
        let text = printed(&two(), style, true);
        assert!(text.contains("web-0           \x1b[32mTrue\x1b[0m\n"), "{text:?}");
    }
}
