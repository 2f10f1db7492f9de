//! The style of the output, for a terminal or a pipe.

use kube_guest::for_terminal;
use std::borrow::Cow;
use std::io::{self, IsTerminal};

/// The known properties of the output's destination.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Whether to use colours.
    pub colours: bool,
    /// Whether a terminal reads the output, which a value must not control.
    pub terminal: bool,
    /// The width in columns.
    pub width: usize,
}

/// A colour, by its meaning.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Colour {
    /// A title.
    Heading,
    /// A name that something follows.
    Key,
    /// What may be passed over.
    Aside,
    /// As it should be.
    Good,
    /// To be looked at soon.
    Soon,
    /// Not as it should be.
    Bad,
    /// One of six that tell things apart, by a number.
    Apart(u8),
}

impl Style {
    /// Returns a style without colours, of 80 columns.
    pub const PLAIN: Self = Self { colours: false, terminal: false, width: 80 };

    /// Returns the style for standard output.
    #[must_use]
    pub fn stdout() -> Self {
        Self::choose(io::stdout().is_terminal(), |name| std::env::var(name).ok())
    }

    /// Chooses the style by whether the output is a terminal, and by the environment: <https://no-color.org> and
    /// <https://bixense.com/clicolors>.
    pub fn choose(terminal: bool, variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let forced = set("CLICOLOR_FORCE").is_some_and(|value| value != "0");
        let refused = set("NO_COLOR").is_some() || set("TERM").is_some_and(|term| term == "dumb");
        let wanted = terminal && set("CLICOLOR").is_none_or(|value| value != "0");
        let colours = set("NO_COLOR").is_none() && (forced || (wanted && !refused));
        let width = set("COLUMNS").and_then(|columns| columns.parse().ok()).filter(|columns| *columns >= 40);
        // Who forces colours has something behind the pipe that obeys escape sequences.
        Self { colours, terminal: terminal || colours, width: width.unwrap_or(80) }
    }

    /// Returns the text in a colour.
    #[must_use]
    pub fn paint(self, colour: Colour, text: &str) -> Cow<'_, str> {
        if !self.colours || text.is_empty() {
            return Cow::Borrowed(text);
        }
        let code = match colour {
            Colour::Heading => "1;35",
            Colour::Key => "1;34",
            Colour::Aside => "2",
            Colour::Good => "32",
            Colour::Soon => "33",
            Colour::Bad => "31",
            Colour::Apart(number) => ["36", "35", "34", "33", "32", "31"][usize::from(number % 6)],
        };
        Cow::Owned(format!("\x1b[{code}m{text}\x1b[0m"))
    }

    /// Returns a value that is safe for the output.
    #[must_use]
    pub fn value(self, text: &str) -> Cow<'_, str> {
        if self.terminal { for_terminal(text) } else { Cow::Borrowed(text) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coloured(terminal: bool, variables: &[(&str, &str)]) -> bool {
        let variable =
            |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Style::choose(terminal, variable).colours
    }

    #[test]
    fn colours_are_for_terminals() {
        assert!(coloured(true, &[]));
        assert!(!coloured(false, &[]));
        assert!(coloured(false, &[("CLICOLOR_FORCE", "1")]));
        assert!(!coloured(false, &[("CLICOLOR_FORCE", "0")]));
    }

    #[test]
    fn the_environment_switches_them_off() {
        assert!(!coloured(true, &[("NO_COLOR", "1")]));
        assert!(coloured(true, &[("NO_COLOR", "")]));
        assert!(!coloured(true, &[("CLICOLOR", "0")]));
        assert!(!coloured(true, &[("TERM", "dumb")]));
        assert!(!coloured(true, &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]));
    }

    #[test]
    fn a_pipe_gets_the_value_as_it_is() {
        let pipe = Style::choose(false, |_| None);
        let terminal = Style::choose(true, |_| None);
        assert_eq!(pipe.value("a\x1b[31m"), "a\x1b[31m");
        assert_eq!(terminal.value("a\x1b[31m"), "a\\x1b[31m");
    }
}
