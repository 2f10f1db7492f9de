//! Splits a log into lines.

use memchr::memchr;

/// What a part of a log is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Part {
    /// A whole line, or the beginning of one that is too long.
    Start,
    /// What follows in a line that is too long.
    Rest,
}

/// Splits the pieces of a log into lines. Only an unfinished line is kept, up to a limit: a longer one is passed on in parts.
#[derive(Debug, Default)]
pub(crate) struct Splitter {
    rest: Vec<u8>,
    /// Whether a part of the current line was passed on.
    begun: bool,
}

/// The size from which on the memory of a long line is given back.
const KEPT: usize = 16 * 1024;

impl Splitter {
    /// Adds a piece, and calls `line` for each line, without its end.
    pub(crate) fn push(&mut self, piece: &[u8], limit: usize, mut line: impl FnMut(Part, &[u8])) {
        let mut piece = piece;
        if !self.rest.is_empty() || self.begun {
            let Some(end) = memchr(b'\n', piece) else { return self.keep(piece, limit, line) };
            self.rest.extend_from_slice(&piece[..end]);
            self.finish(line_of(&mut line));
            piece = &piece[end + 1..];
        }
        while let Some(end) = memchr(b'\n', piece) {
            line(Part::Start, &piece[..end]);
            piece = &piece[end + 1..];
        }
        if !piece.is_empty() {
            self.keep(piece, limit, line);
        }
    }

    /// Passes on the last line, if it has no end.
    pub(crate) fn end(&mut self, line: impl FnMut(Part, &[u8])) {
        if !self.rest.is_empty() {
            self.finish(line);
        }
        self.begun = false;
    }

    fn keep(&mut self, piece: &[u8], limit: usize, mut line: impl FnMut(Part, &[u8])) {
        self.rest.extend_from_slice(piece);
        if self.rest.len() >= limit {
            line(self.part(), &self.rest);
            self.begun = true;
            self.rest.clear();
        }
    }

    fn finish(&mut self, mut line: impl FnMut(Part, &[u8])) {
        // A line whose last part was passed on when it reached the limit has nothing left.
        if !self.rest.is_empty() {
            line(self.part(), &self.rest);
        }
        self.begun = false;
        self.rest.clear();
        self.rest.shrink_to(KEPT);
    }

    fn part(&self) -> Part {
        if self.begun { Part::Rest } else { Part::Start }
    }
}

/// Lends a function to another one.
fn line_of(line: &mut impl FnMut(Part, &[u8])) -> impl FnMut(Part, &[u8]) {
    |part, bytes| line(part, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(pieces: &[&[u8]], limit: usize) -> Vec<(Part, String)> {
        let (mut splitter, mut found) = (Splitter::default(), Vec::new());
        let mut note = |part, bytes: &[u8]| found.push((part, String::from_utf8(bytes.to_vec()).unwrap()));
        for piece in pieces {
            splitter.push(piece, limit, &mut note);
        }
        splitter.end(&mut note);
        found
    }

    #[test]
    fn any_cut_gives_the_same_lines() {
        let text = b"one\n\ntwo\nthree\nrest";
        let whole = split(&[text], 100);
        let lines: Vec<&str> = whole.iter().map(|(_, line)| line.as_str()).collect();
        assert_eq!(lines, ["one", "", "two", "three", "rest"]);
        for first in 0..=text.len() {
            for second in first..=text.len() {
                assert_eq!(split(&[&text[..first], &text[first..second], &text[second..]], 100), whole);
            }
        }
    }

    #[test]
    fn a_line_that_is_too_long_comes_in_parts() {
        let found = split(&[b"abc", b"defg", b"h", b"i\nnext\n"], 6);
        let expected = [(Part::Start, "abcdefg"), (Part::Rest, "hi"), (Part::Start, "next")]
            .map(|(part, text)| (part, text.to_owned()));
        assert_eq!(found, expected);
        let found = split(&[b"abcdefg", b"\nnext\n"], 6);
        assert_eq!(found, [(Part::Start, "abcdefg".to_owned()), (Part::Start, "next".to_owned())]);
    }

    #[test]
    fn the_memory_of_a_long_line_is_given_back() {
        let mut splitter = Splitter::default();
        splitter.push(&vec![b'x'; 1 << 20], 2 << 20, |_, _| {});
        splitter.push(b"\n", 2 << 20, |_, _| {});
        assert!(splitter.rest.capacity() <= KEPT);
    }
}
