//! Escapes the cluster's text for a terminal.

use std::borrow::Cow;

/// Escapes characters that could control a terminal: control characters (C0 but newline and tab, DEL, C1),
/// and the characters that reorder or hide text. Newlines and tabs are kept.
#[must_use]
pub fn for_terminal(text: &str) -> Cow<'_, str> {
    escape(text, |character| !matches!(character, '\n' | '\t') && drives_terminal(character))
}

/// Escapes like [`for_terminal`], for text that has to stay on its line: newline and tab are escaped too.
#[must_use]
pub fn for_terminal_line(text: &str) -> Cow<'_, str> {
    escape(text, drives_terminal)
}

fn escape(text: &str, bad: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&bad) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match u8::try_from(character) {
            _ if !bad(character) => escaped.push(character),
            Ok(byte) if byte.is_ascii() => escaped.extend(std::ascii::escape_default(byte).map(char::from)),
            _ => escaped.extend(character.escape_unicode()),
        }
    }
    Cow::Owned(escaped)
}

fn drives_terminal(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            // Zero-width and direction marks, line and paragraph separators, direction overrides and isolates.
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_text_is_not_copied() {
        assert!(matches!(for_terminal("line 1\n\tläuft ✓\n"), Cow::Borrowed(_)));
    }

    #[test]
    fn an_escape_sequence_is_shown_not_obeyed() {
        assert_eq!(for_terminal("\x1b[2J\u{9b}31m\x07\r\x7f\n"), "\\x1b[2J\\u{9b}31m\\x07\\r\\x7f\n");
    }

    #[test]
    fn reordered_text_is_shown_in_its_order() {
        assert_eq!(for_terminal("a\u{202e}b"), "a\\u{202e}b");
    }

    #[test]
    fn a_line_stays_one_line() {
        assert_eq!(for_terminal_line("a\nb\tc"), "a\\nb\\tc");
    }
}
