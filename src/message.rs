//! Messages of one line with a hint, which all rooms share.

use std::error::Error;
use std::fmt;

use crate::defence::Defence;

/// A message and a hint.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Message {
    /// The message, `what: why`, e.g. `refused: GET https://example.com/: …`.
    pub text: String,
    /// A hint about how to solve it, with a command if there is one.
    pub hint: Option<String>,
}

/// An error that provides a hint. Each room's error is one.
pub trait Explain: Error {
    /// Returns a hint about how to solve it, if there is one.
    fn hint(&self) -> Option<String> {
        None
    }

    /// Returns its subject, if its text begins with that and a colon: a file, a plugin, a user.
    fn subject(&self) -> Option<String> {
        None
    }

    /// Returns the error with all its causes in one line, and its hint.
    fn message(&self) -> Message {
        Message { text: chain(self), hint: self.hint() }
    }

    /// Returns the same for an error that stands for several, each with a message.
    fn messages(&self) -> Vec<Message> {
        vec![self.message()]
    }

    /// Returns the error with all its causes, without the subject at the beginning.
    fn reason(&self) -> String {
        let text = chain(self);
        let rest = self.subject().and_then(|subject| text.strip_prefix(&subject)?.strip_prefix(": "));
        rest.map_or_else(|| text.clone(), str::to_owned)
    }
}

impl Message {
    /// Returns a message without a hint.
    #[must_use]
    pub fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), hint: None }
    }

    /// Returns a message with a hint.
    #[must_use]
    pub fn hinted(text: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { text: text.into(), hint: Some(hint.into()) }
    }

    /// Returns the message with a subject before its text.
    #[must_use]
    pub fn about(self, subject: impl fmt::Display) -> Self {
        Self { text: format!("{subject}: {}", self.text), ..self }
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The largest number of messages of one kind that are shown.
const MOST: usize = 20;

/// Shortens a list of messages of one kind to a useful length, and states how many are left out.
#[must_use]
pub(crate) fn cut(messages: impl IntoIterator<Item = Message>) -> Vec<Message> {
    let mut messages: Vec<Message> = messages.into_iter().collect();
    if messages.len() > MOST {
        let left_out = messages.len() - MOST;
        messages.truncate(MOST);
        messages.push(Message::plain(format!("and {left_out} more")));
    }
    messages
}

/// Returns the message of an error with all its causes.
pub(crate) fn chain<E: Error + ?Sized>(error: &E) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        message = format!("{message}: {next}");
        cause = next.source();
    }
    message
}

/// The longest line that is shown whole, in characters.
const SHOWN: usize = 2000;

/// Returns whether a terminal treats a character as a command, changes the direction of text by it, or hides
/// it.
pub(crate) fn drives_terminal(c: char) -> bool {
    // The Bidi_Control characters of Unicode, and its separators of lines and paragraphs.
    let direction =
        matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    // Tags, which no terminal shows: a text may be another one than it looks.
    let hidden = matches!(c, '\u{feff}' | '\u{e0000}'..='\u{e007f}');
    c.is_control() || direction || hidden
}

/// Makes a text safe to show on a terminal. Names in components, kubeconfigs and files are untrusted: none of
/// them moves the cursor, changes the direction of text, or begins a line that looks like one of kwasm's own.
pub(crate) fn one_line(text: &str) -> String {
    let drives = |c: char| Defence::Escapes.stops(drives_terminal(c));
    let mut shown = String::with_capacity(text.len());
    for character in text.chars().take(SHOWN) {
        if drives(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{path}: it cannot be read")]
    struct Unreadable {
        path: String,
        source: io::Error,
    }

    impl Explain for Unreadable {
        fn hint(&self) -> Option<String> {
            Some(format!("ls -l {}", self.path))
        }

        fn subject(&self) -> Option<String> {
            Some(self.path.clone())
        }
    }

    #[test]
    fn a_message_has_the_whole_chain_once_and_the_hint_apart() {
        let error = Unreadable { path: "a: b".to_owned(), source: io::Error::other("gone") };
        assert_eq!(error.message(), Message::hinted("a: b: it cannot be read: gone", "ls -l a: b"));
        assert_eq!(error.reason(), "it cannot be read: gone");
        assert_eq!(error.message().about("c").text, "c: a: b: it cannot be read: gone");
    }

    #[test]
    fn of_many_messages_it_is_said_how_many_are_left_out() {
        let many = |number: usize| cut((0..number).map(|number| Message::plain(number.to_string())));
        assert_eq!(many(20).len(), 20);
        assert_eq!(many(23).last().unwrap().text, "and 3 more");
        assert_eq!(many(23).len(), 21);
    }

    #[test]
    fn a_text_cannot_drive_the_terminal_or_forge_a_line() {
        let shown = one_line("a\u{1b}[2K\r\nkwasm: installed \u{202e}b");
        assert_eq!(shown, "a\\u{1b}[2K\\u{d}\\u{a}kwasm: installed \\u{202e}b");
        assert_eq!(one_line(&"x".repeat(5000)).chars().count(), SHOWN + 1);
    }
}
