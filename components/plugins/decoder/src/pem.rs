//! PEM (RFC 7468): blocks in a text.

use data_encoding::BASE64;

/// A part of a value.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Piece<'a> {
    Text(&'a str),
    Block(Block<'a>),
}

/// The text between `-----BEGIN LABEL-----` and `-----END LABEL-----`.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Block<'a> {
    pub(crate) label: &'a str,
    /// The whole block as it is written, its frame included.
    pub(crate) raw: &'a str,
    body: &'a str,
}

impl Block<'_> {
    /// Returns the bytes inside, or `None` if they are not base64.
    pub(crate) fn der(&self) -> Option<Vec<u8>> {
        let mut text = Vec::with_capacity(self.body.len());
        // Old blocks (RFC 1421) have headers such as `Proc-Type: 4,ENCRYPTED` first.
        for line in self.body.lines().filter(|line| !line.contains(':')) {
            text.extend(line.bytes().filter(|byte| !byte.is_ascii_whitespace()));
        }
        BASE64.decode(&text).ok()
    }
}

/// Splits a text at its PEM blocks. The pieces together are the text, and nothing is lost. A block without
/// its end counts as text.
pub(crate) fn split(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut done, mut open) = (0, None);
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let (start, end) = (at, at + line.len());
        at = end;
        if let Some(label) = frame(line, "BEGIN") {
            open = Some((label, start, end));
        } else if let Some(closed) = frame(line, "END")
            && let Some((label, begin, inside)) = open.take_if(|(label, ..)| *label == closed)
        {
            if done < begin {
                pieces.push(Piece::Text(&text[done..begin]));
            }
            pieces.push(Piece::Block(Block { label, raw: &text[begin..end], body: &text[inside..start] }));
            done = end;
        }
    }
    if done < text.len() {
        pieces.push(Piece::Text(&text[done..]));
    }
    pieces
}

fn frame<'a>(line: &'a str, word: &str) -> Option<&'a str> {
    line.trim().strip_prefix("-----")?.strip_prefix(word)?.strip_prefix(' ')?.strip_suffix("-----")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(text: &str) -> Vec<&str> {
        let pieces = split(text);
        let whole: String = pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text,
                Piece::Block(block) => block.raw,
            })
            .collect();
        assert_eq!(whole, text, "nothing gets lost");
        pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(_) => "text",
                Piece::Block(block) => block.label,
            })
            .collect()
    }

    const A: &str = "-----BEGIN A-----\nAQID\n-----END A-----\n";

    #[test]
    fn every_block_is_found_and_what_is_around_them_is_text() {
        assert_eq!(labels(&format!("{A}{A}")), ["A", "A"]);
        assert_eq!(
            labels(&format!("subject=x\n{A}\nissuer=y\n{}", A.replace('A', "B C"))),
            ["text", "A", "text", "B C"]
        );
        assert_eq!(labels(A.trim_end()), ["A"]);
        assert_eq!(labels("plain"), ["text"]);
        assert!(labels("").is_empty());
    }

    #[test]
    fn a_block_that_does_not_end_is_text() {
        assert_eq!(labels("-----BEGIN A-----\nAQID\n"), ["text"]);
        assert_eq!(labels("-----BEGIN A-----\nAQID\n-----END B-----\n"), ["text"]);
        assert_eq!(labels(&format!("-----BEGIN B-----\n{A}")), ["text", "A"]);
        assert_eq!(labels("-----END A-----\n"), ["text"]);
    }

    #[test]
    fn the_bytes_are_decoded_whatever_the_line_ends() {
        let der = |text: &str| match &split(text)[..] {
            [Piece::Block(block)] => block.der(),
            other => panic!("{other:?}"),
        };
        assert_eq!(der(A), Some(vec![1, 2, 3]));
        assert_eq!(der(&A.replace('\n', "\r\n")), Some(vec![1, 2, 3]));
        assert_eq!(der(&A.replace("AQID", "Proc-Type: 4,ENCRYPTED\n\nAQ\n  ID")), Some(vec![1, 2, 3]));
        assert_eq!(der(&A.replace("AQID", "?")), None);
    }
}
