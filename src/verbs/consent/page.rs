//! The page on which a user decides about a plugin: what it requests, its author's reasons, and what is
//! dangerous in it.

use std::collections::BTreeSet;

use textwrap::core::display_width;
use textwrap::wrap;

use super::candidate::Candidate;
use crate::message::one_line;
use crate::policy::{Allowance, Danger, Policy};

/// A page about one plugin.
pub(super) struct Page<'a> {
    pub(super) candidate: &'a Candidate<'a>,
    pub(super) request: Option<&'a Policy>,
    /// What it requests beyond the plugin that it replaces.
    pub(super) growth: &'a [String],
    /// The columns of the terminal.
    pub(super) width: usize,
}

/// The user's answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Answer {
    /// Grant all.
    All,
    /// Grant all that is not optional.
    Needed,
    /// Grant what only reads, and no secrets.
    Reading,
    /// Grant nothing.
    No,
}

/// One thing that a plugin requests.
struct Row {
    what: String,
    why: String,
    dangers: BTreeSet<Danger>,
}

/// The largest number of rows. The dangerous ones come first.
const ROWS: usize = 50;

/// The widest page that is comfortable to read.
const WIDEST: usize = 100;

impl Page<'_> {
    /// Returns the lines of the page, with an end of line behind each.
    pub(super) fn text(&self) -> String {
        let name = &self.candidate.name;
        let mut text = match (self.request, self.candidate.previous) {
            (None, _) => format!("{name} does not say what it needs. {}\n", self.imports()),
            (Some(_), None) => format!("{name} requests to:\n"),
            (Some(_), Some(_)) => format!("{name} requests more than the version that is installed:\n"),
        };
        for line in self.growth {
            text.push_str(&self.wrapped(&format!("+ {}", one_line(line))));
        }
        let Some(request) = self.request else { return text };
        if !self.growth.is_empty() {
            text.push_str("In all it requests to:\n");
        }
        let mut rows = rows(request);
        // The order of the author, but for what is dangerous.
        rows.sort_by_key(|row| row.dangers.is_empty());
        let left_out = rows.len().saturating_sub(ROWS);
        let dangerous = rows.iter().skip(ROWS).filter(|row| !row.dangers.is_empty()).count();
        text.push_str(&self.row("WHAT", "WHY, in its author's words"));
        for row in rows.iter().take(ROWS) {
            text.push_str(&self.row(&row.what, &row.why));
            if !row.dangers.is_empty() {
                let dangers: Vec<String> = row.dangers.iter().map(ToString::to_string).collect();
                text.push_str(&self.wrapped(&format!("  ! {}", dangers.join(", "))));
            }
        }
        if left_out > 0 {
            text.push_str(&self.wrapped(&format!(
                "and {left_out} more, {dangerous} of them dangerous: kwasm inspect shows all"
            )));
        }
        text
    }

    /// Returns the question below the page.
    pub(super) fn question(&self) -> String {
        let mut offers: Vec<&str> = self.offers().iter().map(|(_, words)| *words).collect();
        let last = offers.pop().unwrap_or_default();
        format!("Grant {} or {last}? ", offers.join(", "))
    }

    /// Returns what an answer means, or `None` if it is not one of those that are offered.
    pub(super) fn answer(&self, line: &str) -> Option<Answer> {
        let offers = self.offers();
        let offered = |answer| offers.iter().any(|(offer, _)| *offer == answer);
        let answer = match line {
            "a" | "all" => Answer::All,
            "o" | "optional" => Answer::Needed,
            "r" | "read" | "read only" | "read-only" => Answer::Reading,
            "" | "n" | "no" => Answer::No,
            _ => return None,
        };
        offered(answer).then_some(answer)
    }

    fn offers(&self) -> Vec<(Answer, &'static str)> {
        let optional =
            self.request.is_some_and(|request| request.stated().any(|stated| stated.words.optional));
        [
            (self.request.is_some(), Answer::All, "[a]ll"),
            (optional, Answer::Needed, "all but the [o]ptional"),
            (self.candidate.inspected.uses_network(), Answer::Reading, "[r]ead only, without secrets"),
            (true, Answer::No, "[N]o"),
        ]
        .into_iter()
        .filter_map(|(is_offered, answer, words)| is_offered.then_some((answer, words)))
        .collect()
    }

    fn imports(&self) -> String {
        let imports = |package| self.candidate.inspected.imports_any_of(package);
        let packages: Vec<&str> =
            ["wasi:http", "wasi:sockets"].into_iter().filter(|package| imports(package)).collect();
        format!("It imports {}, so it can send requests to your cluster.", packages.join(" and "))
    }

    /// Returns a line that is wrapped at the width of the page.
    fn wrapped(&self, text: &str) -> String {
        let options = textwrap::Options::new(self.columns()).subsequent_indent("    ");
        textwrap::fill(text, options) + "\n"
    }

    fn columns(&self) -> usize {
        self.width.clamp(40, WIDEST)
    }

    /// Returns a row of two cells, each wrapped.
    fn row(&self, what: &str, why: &str) -> String {
        let columns = self.columns();
        let left = columns * 3 / 5;
        let options = |width: usize| textwrap::Options::new(width);
        let (what, why) = (one_line(what), one_line(why));
        let whats = wrap(&what, options(left - 2).subsequent_indent("  "));
        let whys = wrap(&why, options(columns - left - 1));
        let mut text = String::new();
        for index in 0..whats.len().max(whys.len()) {
            let of = |cells: &[std::borrow::Cow<'_, str>]| {
                cells.get(index).map(ToString::to_string).unwrap_or_default()
            };
            let (what, why) = (of(&whats), of(&whys));
            let blanks = " ".repeat(left.saturating_sub(display_width(&what)));
            text.push_str(format!("{what}{blanks}{why}").trim_end());
            text.push('\n');
        }
        text
    }
}

/// Returns what a policy asks for, one thing in each row.
fn rows(request: &Policy) -> Vec<Row> {
    let mut rows: Vec<Row> = request
        .stated()
        .map(|stated| {
            let optional = if stated.words.optional { "optional: " } else { "" };
            Row {
                what: format!("{optional}{}", stated.rule.sentence()),
                why: stated.words.reason.clone().unwrap_or_default(),
                dangers: stated.rule.dangers(),
            }
        })
        .collect();
    // The rest of a policy is what one without rules has beyond nothing.
    let rest = request.clone().only(|_| false).beyond(&Policy::none());
    rows.extend(rest.into_iter().map(|Allowance { words, dangers }| Row {
        what: words,
        why: String::new(),
        dangers,
    }));
    if rows.is_empty() {
        rows.push(Row { what: "nothing".to_owned(), why: String::new(), dangers: BTreeSet::new() });
    }
    rows
}
