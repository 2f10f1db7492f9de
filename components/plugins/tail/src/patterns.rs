//! Regular expressions, of which any may match.

use kube_guest::for_terminal_line;
use plugin_kit::Failure;
use regex::bytes::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};

/// Regular expressions; without any, nothing matches.
#[derive(Clone, Debug, Default)]
pub(crate) struct Patterns(Option<RegexSet>);

impl Patterns {
    /// Reads the values of a flag. `\\d`, `\\w` and `\\b` are about ASCII, as in Go.
    pub(crate) fn read<'a>(flag: &str, values: impl Iterator<Item = &'a str>) -> Result<Self, Failure> {
        let values: Vec<&str> = values.collect();
        for value in &values {
            regex(value).map_err(|why| bad(flag, value, &why))?;
        }
        if values.is_empty() {
            return Ok(Self(None));
        }
        let bytes = RegexSetBuilder::new(&values).unicode(false).build();
        let set = bytes.or_else(|_| RegexSetBuilder::new(&values).build());
        let set = set.map_err(|error| bad(flag, &values.join("|"), &error))?;
        Ok(Self(Some(set)))
    }

    /// Returns whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Returns whether any matches somewhere in the text.
    pub(crate) fn match_any(&self, text: &[u8]) -> bool {
        self.0.as_ref().is_some_and(|set| set.is_match(text))
    }
}

/// Returns one expression for all of them, the longest first, for the marks in a line.
pub(crate) fn alternation<'a>(values: impl Iterator<Item = &'a str>) -> Option<Regex> {
    let mut values: Vec<&str> = values.collect();
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    let parts: Vec<String> = values.iter().map(|value| format!("(?:{value})")).collect();
    if parts.is_empty() { None } else { regex(&parts.join("|")).ok() }
}

/// Compiles an expression over bytes, and one with letters beyond ASCII in a class over characters.
fn regex(text: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(text).unicode(false).build().or_else(|_| Regex::new(text))
}

fn bad(flag: &str, value: &str, error: &regex::Error) -> Failure {
    let text = error.to_string();
    // The first lines show the expression with marks below it.
    let why = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
    Failure::usage(format!("{flag} {}: {}", for_terminal_line(value), for_terminal_line(why)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Patterns {
        Patterns::read("--include", values.iter().copied()).unwrap()
    }

    #[test]
    fn any_of_them_may_match_anywhere() {
        let patterns = read(&["^ab", "err(or)?$", "[äö]x"]);
        for text in ["abc", "an error", "an err", "öx"] {
            assert!(patterns.match_any(text.as_bytes()), "{text}");
        }
        assert!(!patterns.match_any(b"cab errors"));
        assert!(patterns.match_any(b"\xff\xfe err"), "lines need not be UTF-8");
    }

    #[test]
    fn none_match_nothing() {
        assert!(read(&[]).is_empty() && !read(&[]).match_any(b""));
    }

    #[test]
    fn a_mistake_is_told_in_a_line() {
        let told = Patterns::read("--include", ["a", "b("].into_iter());
        assert!(matches!(told, Err(Failure::Usage(why)) if why == "--include b(: unclosed group"));
    }

    #[test]
    fn the_longest_is_marked() {
        let found = alternation(["a", "abc"].into_iter()).unwrap();
        assert_eq!(found.find(b"xabcx").unwrap().as_bytes(), b"abc");
        assert!(alternation(std::iter::empty()).is_none());
    }
}
