//! What kwasm says to its user, beside data: on stderr, a line at a time, none of which a guest can forge.

use std::io::Write;

use textwrap::{Options, WordSplitter};

use crate::cli::Environment;
use crate::message::{Message, one_line};
use crate::platform::stdio::Stderr;

/// Says things on stderr. A closed stderr keeps nobody from doing anything.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reporter {
    /// The columns of the terminal; `None` where stderr is none, and lines are left as they are.
    width: Option<usize>,
    quiet: bool,
}

impl Reporter {
    pub(crate) fn of(environment: &Environment) -> Self {
        Self { width: environment.columns.map(usize::from), quiet: false }
    }

    /// The same, saying only what went wrong.
    pub(crate) fn quieter(self, quiet: bool) -> Self {
        Self { quiet, ..self }
    }

    /// Whether there is a terminal to show progress on, and somebody who wants to see it.
    pub(crate) fn shows_progress(self) -> bool {
        self.width.is_some() && !self.quiet
    }

    /// Says what was done, and what else there is to know.
    pub(crate) fn note(self, text: &str) {
        if !self.quiet {
            self.line(&one_line(text));
        }
    }

    /// Says what went wrong, and what helps.
    pub(crate) fn message(self, message: &Message) {
        self.fault(&message.text);
        if let Some(hint) = &message.hint {
            self.hint(hint);
        }
    }

    /// Says what went wrong of each.
    pub(crate) fn messages(self, messages: &[Message]) {
        for message in messages {
            self.message(message);
        }
    }

    /// Says what went wrong.
    pub(crate) fn fault(self, text: &str) {
        self.line(&format!("kwasm: {}", one_line(text)));
    }

    /// Says what helps.
    pub(crate) fn hint(self, text: &str) {
        if !self.quiet {
            self.line(&format!("hint: {}", one_line(text)));
        }
    }

    /// Says what went wrong in lines that are laid out already, with nothing in them but what the user typed.
    pub(crate) fn laid_out(text: &str) {
        let lines: Vec<String> = text.lines().map(one_line).collect();
        say(&format!("kwasm: {}\n", lines.join("\n")));
    }

    /// Ends a line that a plugin has left unfinished.
    pub(crate) fn end_line() {
        say("\n");
    }

    fn line(self, text: &str) {
        let text = match self.width {
            // Broken between words only, so that what is copied from a terminal is still what was meant.
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

/// In one piece, so that what another process says stands before it or after it.
fn say(text: &str) {
    drop(Stderr.write_all(text.as_bytes()).and_then(|()| Stderr.flush()));
}
