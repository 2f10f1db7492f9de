//! A table of two columns.

use plugin_kit::wrap;
use std::fmt::Write;

/// Draws rows of a label and the lines of its value. A line that does not fit into `width` columns is continued on
/// the next one.
pub(crate) fn table(rows: &[(&str, Vec<String>)], width: usize) -> String {
    let left = rows.iter().map(|(label, _)| columns(label)).max().unwrap_or(0);
    // `│ ` before, ` │ ` between and ` │` behind the cells.
    let room = width.saturating_sub(left + 7).max(16);
    let rows: Vec<(&str, Vec<String>)> = rows
        .iter()
        .map(|(label, lines)| (*label, lines.iter().flat_map(|line| wrap(line, room)).collect()))
        .collect();
    let right = rows.iter().flat_map(|(_, lines)| lines).map(|line| columns(line)).max().unwrap_or(0);
    let rule = |start: char, middle: char, end: char| {
        format!("{start}{}{middle}{}{end}\n", "─".repeat(left + 2), "─".repeat(right + 2))
    };
    let mut table = rule('┌', '┬', '┐');
    for (index, (label, lines)) in rows.iter().enumerate() {
        if index > 0 {
            table.push_str(&rule('├', '┼', '┤'));
        }
        for (line, text) in lines.iter().enumerate() {
            let label = if line == 0 { label } else { "" };
            let _ = writeln!(table, "│ {label:<left$} │ {text:<right$} │");
        }
    }
    table.push_str(&rule('└', '┴', '┘'));
    table
}

fn columns(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_as_wide_as_it_must_be() {
        let rows =
            [("Name", vec!["web".to_owned()]), ("Labels", vec!["a=b".to_owned(), "käse=ü".to_owned()])];
        let drawn = "\
┌────────┬────────┐
│ Name   │ web    │
├────────┼────────┤
│ Labels │ a=b    │
│        │ käse=ü │
└────────┴────────┘
";
        assert_eq!(table(&rows, 80), drawn);
    }

    #[test]
    fn a_long_value_stays_within_the_width() {
        let rows = [("Annotations", vec!["x".repeat(300)])];
        let drawn = table(&rows, 80);
        assert!(drawn.lines().all(|line| columns(line) == 80), "{drawn}");
        assert_eq!(drawn.matches('x').count(), 300);
    }
}
