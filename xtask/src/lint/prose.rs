//! The openings of doc comments.

use std::fs;

use anyhow::{Result, bail};

use super::house;
use crate::places::Places;

/// The largest share of doc comments that may open with one of [`OPENINGS`], in percent.
const SHARE: usize = 8;

/// Openings that leave a reader without a subject: relative clauses, questions and pronouns.
const OPENINGS: [&str; 29] = [
    "How",
    "It",
    "Its",
    "Nobody",
    "Nothing",
    "Somebody",
    "Someone",
    "Something",
    "Such",
    "That",
    "Their",
    "Them",
    "There",
    "These",
    "They",
    "This",
    "Those",
    "What",
    "Whatever",
    "When",
    "Where",
    "Whether",
    "Which",
    "Whichever",
    "Who",
    "Whoever",
    "Whom",
    "Whose",
    "Why",
];

/// Counts the doc comments and those that open badly, and fails if there are too many of the latter.
pub(crate) fn check(places: &Places) -> Result<()> {
    let mut all = 0;
    let mut bad = Vec::new();
    for file in house::sources(&places.root)? {
        if file.starts_with("tests/guests") || file.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let text = fs::read_to_string(places.root.join(&file))?;
        for (line, opening) in openings(&text) {
            all += 1;
            if is_bad(opening) {
                bad.push(format!("{}:{line}: {opening}", file.display()));
            }
        }
    }
    let count = summary(bad.len(), all);
    if bad.len() * 100 > all * SHARE {
        bail!("{count}, {SHARE} % at most\n{}", bad.join("\n"));
    }
    eprintln!("{count}");
    Ok(())
}

fn summary(bad: usize, all: usize) -> String {
    let tenths = (bad * 1000).checked_div(all).unwrap_or(0);
    format!(
        "{bad} of {all} doc comments ({}.{} %) open with a relative clause or a pronoun",
        tenths / 10,
        tenths % 10
    )
}

/// Returns the first line of each doc comment with its number.
fn openings(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut previous = None;
    for (index, line) in text.lines().enumerate() {
        let doc = doc(line);
        let marker = doc.map(|(marker, _)| marker);
        if let Some((_, opening)) = doc
            && marker != previous
        {
            found.push((index + 1, opening.trim()));
        }
        previous = marker;
    }
    found
}

/// Splits a line of a doc comment into its marker and its text.
fn doc(line: &str) -> Option<(&'static str, &str)> {
    let line = line.trim_start();
    ["///", "//!"].into_iter().find_map(|marker| {
        let text = line.strip_prefix(marker)?;
        (!text.starts_with('/')).then_some((marker, text))
    })
}

/// Returns whether the first word is one of [`OPENINGS`].
fn is_bad(opening: &str) -> bool {
    let words = opening.split(|c: char| !c.is_alphabetic());
    words.into_iter().find(|word| !word.is_empty()).is_some_and(|word| OPENINGS.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_of_several_lines_counts_once() {
        let text = "//! The module.\n//! More of it.\n\n/// Returns one.\n///\n/// It is more than none.\nfn one() {}\n";
        assert_eq!(openings(text), [(1, "The module."), (4, "Returns one.")]);
    }

    #[test]
    fn adjacent_comments_of_two_kinds_are_two() {
        assert_eq!(openings("//! A\n/// B\nstruct B;"), [(1, "A"), (2, "B")]);
    }

    #[test]
    fn other_comments_are_not_counted() {
        assert_eq!(openings("// What\n//// What\nlet x = 1; /// What"), []);
    }

    #[test]
    fn relative_clauses_and_pronouns_are_bad() {
        for opening in ["What a run may take.", "`Which` one", "Whose turn", "It: him", "That's it"] {
            assert!(is_bad(opening), "{opening}");
        }
    }

    #[test]
    fn nouns_and_verbs_are_good() {
        for opening in ["Returns what is left.", "The limits of a run.", "Items", "", "192.0.2.1"] {
            assert!(!is_bad(opening), "{opening}");
        }
    }

    #[test]
    fn the_share_is_rounded_down_to_a_tenth() {
        assert!(summary(67, 1000).starts_with("67 of 1000 doc comments (6.7 %)"));
        assert!(summary(0, 0).starts_with("0 of 0 doc comments (0.0 %)"));
    }
}
