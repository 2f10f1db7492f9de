//! kwasm's messages to its user, beside data: on stderr, one line each, which no guest can forge.

use std::io::Write;

use textwrap::{Options, WordSplitter};

use crate::environment::Environment;
use crate::message::{Message, one_line};
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

    /// Reports an error with its hint.
    pub(crate) fn message(self, message: &Message) {
        self.fault(&message.text);
        if let Some(hint) = &message.hint {
            self.hint(hint);
        }
    }

    /// Reports errors, each with its hint.
    pub(crate) fn messages(self, messages: &[Message]) {
        for message in messages {
            self.message(message);
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

    /// Reports an error in lines that are already laid out, and contain only what the user typed.
    pub(crate) fn laid_out(text: &str) {
        let lines: Vec<String> = text.lines().map(one_line).collect();
        say(&format!("kwasm: {}\n", lines.join("\n")));
    }

    /// Prints what is already laid out, such as a page or a question, in which nothing from outside controls a terminal.
    pub(crate) fn block(text: &str) {
        say(text);
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
