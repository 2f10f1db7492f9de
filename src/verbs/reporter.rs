//! kwasm's messages to its user, beside data: on stderr, one line each, which no guest can forge.

use std::io::Write;

use textwrap::{Options, WordSplitter};

use crate::defence::Defence;
use crate::environment::Environment;
use crate::gate::Line;
use crate::platform::stdio::Stderr;

/// Prints messages to stderr. A closed stderr does not prevent anything.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reporter {
    /// The width of the terminal in columns; `None` if stderr is not a terminal, and lines are not wrapped.
    width: Option<usize>,
    quiet: bool,
}

impl Reporter {
    pub(crate) fn of(environment: &Environment) -> Self {
        Self { width: environment.columns.map(usize::from), quiet: false }
    }

    /// Returns a voice that only reports errors.
    pub(crate) fn quieter(self, quiet: bool) -> Self {
        Self { quiet, ..self }
    }

    /// Returns whether there is a terminal to show progress on, and the user wants to see it.
    pub(crate) fn shows_progress(self) -> bool {
        self.width.is_some() && !self.quiet
    }

    /// Reports what was done, and other facts.
    pub(crate) fn note(self, text: &str) {
        if !self.quiet {
            self.line(&one_line(text));
        }
    }

    /// Reports an error.
    pub(crate) fn fault(self, text: &str) {
        self.line(&format!("kwasm: {}", one_line(text)));
    }

    /// Prints a hint.
    pub(crate) fn hint(self, text: &str) {
        if !self.quiet {
            self.line(&format!("hint: {}", one_line(text)));
        }
    }

    /// Reports the errors at a gate, each with its hint.
    pub(crate) fn lines(self, lines: Vec<Line>) {
        for line in lines {
            self.fault(&line.text);
            if let Some(hint) = line.hint {
                self.hint(&hint);
            }
        }
    }

    /// Reports an error in lines that are already laid out, and contain only what the user typed.
    pub(crate) fn laid_out(text: &str) {
        say(&format!("kwasm: {text}\n"));
    }

    /// Ends a line that a plugin left unfinished.
    pub(crate) fn end_line() {
        say("\n");
    }

    fn line(self, text: &str) {
        let text = match self.width {
            // Only broken between words, so that text copied from a terminal is still correct.
            Some(width) if width > 20 => {
                let options = Options::new(width)
                    .subsequent_indent("  ")
                    .break_words(false)
                    .word_splitter(WordSplitter::NoHyphenation);
                textwrap::fill(text, options)
            }
            _ => text.to_owned(),
        };
        say(&(text + "\n"));
    }
}

/// Writes a message in one piece, so that it does not mix with another process's output.
fn say(text: &str) {
    drop(Stderr.write_all(text.as_bytes()).and_then(|()| Stderr.flush()));
}

/// The longest line that is shown whole, in characters.
const SHOWN: usize = 2000;

/// Returns whether a terminal treats a character as a command, changes the direction of text by it, or hides
/// it.
pub(super) fn drives_terminal(c: char) -> bool {
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
    use super::*;

    #[test]
    fn a_text_cannot_drive_the_terminal_or_forge_a_line() {
        let shown = one_line("a\u{1b}[2K\r\nkwasm: installed \u{202e}b");
        assert_eq!(shown, "a\\u{1b}[2K\\u{d}\\u{a}kwasm: installed \\u{202e}b");
        assert_eq!(one_line(&"x".repeat(5000)).chars().count(), SHOWN + 1);
    }
}
