//! Lines of `label: value`, by which structured values are explained.

use kube_guest::{Timestamp, for_terminal_line};
use plugin_kit::{Colour, Style, wrap};
use std::fmt::Write;

/// Columns of a label. A space follows it.
const LABEL: usize = 22;

const DAY: i64 = 86_400;

/// Fewer days than this are worth a warning.
const SOON: i64 = 30;

/// The lines of an explanation.
pub(crate) struct Lines {
    text: String,
    style: Style,
}

/// How long something is valid, as a word, and whether that is worth a warning.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Validity {
    pub(crate) colour: Colour,
    pub(crate) word: String,
}

impl Validity {
    /// Judges a span of time.
    pub(crate) fn judge(before: Option<Timestamp>, after: Timestamp, now: Timestamp) -> Self {
        let (colour, word) = if now > after {
            (Colour::Bad, format!("expired {} ago", span(after, now)))
        } else if let Some(before) = before.filter(|before| now < *before) {
            (Colour::Bad, format!("not valid for another {}", span(now, before)))
        } else if after.seconds() - now.seconds() < SOON * DAY {
            (Colour::Soon, format!("valid for {}", span(now, after)))
        } else {
            (Colour::Good, format!("valid for {}", span(now, after)))
        };
        Self { colour, word }
    }

    pub(crate) fn is_fine(&self) -> bool {
        self.colour == Colour::Good
    }
}

/// Returns a span of time in whole days, of less than one in hours, of less than one in minutes.
fn span(from: Timestamp, to: Timestamp) -> String {
    let seconds = to.seconds() - from.seconds();
    let (number, unit) = match seconds {
        DAY.. => (seconds / DAY, "day"),
        3600.. => (seconds / 3600, "hour"),
        _ => (seconds / 60, "minute"),
    };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

impl Lines {
    pub(crate) fn new(style: Style) -> Self {
        Self { text: String::new(), style }
    }

    /// Adds a label with values, each on a line of its own, or more where it is long.
    pub(crate) fn add(&mut self, label: &str, values: &[String]) {
        let room = self.style.width.saturating_sub(LABEL + 1).max(16);
        let values = values.iter().map(|value| for_terminal_line(value));
        let lines = values.flat_map(|value| wrap(&value, room));
        for (index, line) in lines.enumerate() {
            let label = match index {
                0 => format!("  {}:", for_terminal_line(label)),
                _ => String::new(),
            };
            self.text.push_str(format!("{label:<LABEL$} {line}").trim_end());
            self.text.push('\n');
        }
    }

    /// Adds the end of a span of time, with a word for how far it is.
    pub(crate) fn until(&mut self, label: &str, after: Timestamp, validity: &Validity) {
        let word = self.style.paint(validity.colour, &validity.word);
        // Not through `add`, which would escape the colour.
        let _ = writeln!(self.text, "{:<LABEL$} {after}  {word}", format!("  {label}:"));
    }

    pub(crate) fn finish(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_validity_is_a_word() {
        let at = Timestamp::from_seconds;
        let validity = |now: i64| Validity::judge(Some(at(10 * DAY)), at(100 * DAY), at(now * DAY));
        assert_eq!(validity(5).word, "not valid for another 5 days");
        assert_eq!(validity(10).word, "valid for 90 days");
        assert_eq!(validity(99).word, "valid for 1 day");
        assert_eq!(validity(107).word, "expired 7 days ago");
        let soon = Validity::judge(None, at(5400), at(0));
        assert_eq!((soon.word.as_str(), soon.colour), ("valid for 1 hour", Colour::Soon));
        assert_eq!(Validity::judge(None, at(0), at(150)).word, "expired 2 minutes ago");
        assert!(validity(10).is_fine() && !validity(99).is_fine() && !validity(107).is_fine());
    }
}
