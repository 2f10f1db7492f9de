//! Asks for one of several names at the terminal.

use kube_guest::for_terminal_line;
use std::io::{self, BufRead, IsTerminal, Write};

/// Returns whether somebody is there to be asked.
pub(crate) fn is_possible() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks which of the names is meant, until it is one of them; `None` at the end of the input, or for an empty line.
pub(crate) fn ask(
    question: &str,
    names: &[&str],
    input: &mut impl BufRead,
    out: &mut impl Write,
) -> io::Result<Option<usize>> {
    for (index, name) in names.iter().enumerate() {
        writeln!(out, "{:>4}  {}", index + 1, for_terminal_line(name))?;
    }
    loop {
        write!(out, "{question} (number or name): ")?;
        out.flush()?;
        let mut line = String::new();
        if input.read_line(&mut line)? == 0 || line.trim().is_empty() {
            return Ok(None);
        }
        let typed = line.trim();
        // A name that is a number goes before a number.
        let by_name = names.iter().position(|name| *name == typed);
        let number = typed.parse::<usize>().ok().filter(|number| (1..=names.len()).contains(number));
        if let Some(index) = by_name.or(number.map(|number| number - 1)) {
            return Ok(Some(index));
        }
        writeln!(out, "{}: none of them", for_terminal_line(typed))?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(input: &str) -> (Option<usize>, String) {
        let mut out = Vec::new();
        let chosen = ask("Key", &["all", "2", "user\u{1b}"], &mut input.as_bytes(), &mut out).unwrap();
        (chosen, String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_number_or_a_name_chooses() {
        assert_eq!(chosen("1\n").0, Some(0));
        assert_eq!(chosen("2\n").0, Some(1));
        assert_eq!(chosen("3\n").0, Some(2));
        assert_eq!(chosen("all\n").0, Some(0));
        assert_eq!(chosen("").0, None);
        assert_eq!(chosen("\n").0, None);
    }

    #[test]
    fn anything_else_is_asked_again() {
        let (chosen, shown) = chosen("4\n0\npassword\n1\n");
        assert_eq!(chosen, Some(0));
        assert_eq!(shown.matches("Key (number or name): ").count(), 4);
        assert!(shown.starts_with("   1  all\n   2  2\n   3  user\\x1b\n"), "{shown}");
    }
}
