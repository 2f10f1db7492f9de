//! Messages on a terminal: their colours are shown, and nothing else in them controls it.

use kube_guest::for_terminal_line;
use plugin_kit::{Colour, Style};
use regex::bytes::Regex;
use std::borrow::Cow;

const RESET: &str = "\x1b[0m";

/// Returns a message as a terminal may get it: with its own colours if those are wanted, and what `marks` matches in red.
pub(crate) fn message<'a>(text: &'a [u8], style: Style, marks: Option<&Regex>) -> Cow<'a, [u8]> {
    let marked = marks.filter(|_| style.colours).is_some_and(|marks| marks.is_match(text));
    let plain = text.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\t'));
    if plain && !marked {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    if marked && let Some(marks) = marks {
        let mut done = 0;
        for found in marks.find_iter(text).filter(|found| !found.is_empty()) {
            shown.push_str(&safe(&text[done..found.start()], style));
            shown.push_str(&style.paint(Colour::Bad, &safe(found.as_bytes(), style)));
            done = found.end();
        }
        shown.push_str(&safe(&text[done..], style));
    } else {
        shown.push_str(&safe(text, style));
    }
    Cow::Owned(shown.into_bytes())
}

/// Escapes all but tabs and, if colours are wanted, the sequences that set them.
fn safe(text: &[u8], style: Style) -> String {
    let text = String::from_utf8_lossy(text);
    let (mut shown, mut rest, mut coloured) = (String::with_capacity(text.len()), text.as_ref(), false);
    let escape = |part: &str, into: &mut String| {
        for (index, part) in part.split('\t').enumerate() {
            if index > 0 {
                into.push('\t');
            }
            into.push_str(&for_terminal_line(part));
        }
    };
    while style.colours
        && let Some((start, length)) = sequence(rest)
    {
        escape(&rest[..start], &mut shown);
        shown.push_str(&rest[start..start + length]);
        rest = &rest[start + length..];
        coloured = true;
    }
    escape(rest, &mut shown);
    if coloured {
        shown.push_str(RESET);
    }
    shown
}

/// Returns the place and the length of the first sequence that sets colours (ECMA-48: SGR).
fn sequence(text: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    while let Some(found) = text[from..].find("\x1b[") {
        let start = from + found;
        let parameters = &text[start + 2..];
        let length = parameters.bytes().take_while(|byte| matches!(byte, b'0'..=b'9' | b';' | b':')).count();
        if parameters.as_bytes().get(length) == Some(&b'm') {
            return Some((start, length + 3));
        }
        from = start + 2;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, colours: bool) -> String {
        let style = Style { colours, terminal: true, width: 80 };
        String::from_utf8(message(text.as_bytes(), style, None).into_owned()).unwrap()
    }

    #[test]
    fn ordinary_text_is_not_copied() {
        let style = Style { colours: true, terminal: true, width: 80 };
        assert!(matches!(message(b"a\tb", style, None), Cow::Borrowed(_)));
        assert_eq!(shown("läuft ✓", true), "läuft ✓");
    }

    #[test]
    fn colours_are_shown_and_end_with_the_line() {
        assert_eq!(shown("\x1b[1;31mbad\x1b[0m x", true), "\x1b[1;31mbad\x1b[0m x\x1b[0m");
        assert_eq!(shown("\x1b[31mbad", false), "\\x1b[31mbad");
    }

    #[test]
    fn nothing_else_controls_the_terminal() {
        assert_eq!(shown("\x1b[2J\x1b[3", true), "\\x1b[2J\\x1b[3");
        assert_eq!(shown("a\rb\x1b]0;t\x07", true), "a\\rb\\x1b]0;t\\x07");
    }

    #[test]
    fn what_matches_is_marked() {
        let style = Style { colours: true, terminal: true, width: 80 };
        let marks = Regex::new("b+").unwrap();
        let found = message(b"abbc\x07", style, Some(&marks));
        assert_eq!(String::from_utf8(found.into_owned()).unwrap(), "a\x1b[31mbb\x1b[0mc\\x07");
    }
}
