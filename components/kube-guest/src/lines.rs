//! Splits chunks into lines.

/// Splits a stream of chunks into lines. It copies only the line that a chunk leaves unfinished, and searches
/// each byte once, so that the cost is linear in the input, however long a line is.
#[derive(Debug, Default)]
pub struct LineBuffer {
    bytes: Vec<u8>,
    /// The beginning of the next line.
    start: usize,
    /// The end of the next line. If `None`, there is no newline after `start`.
    end: Option<usize>,
}

impl LineBuffer {
    /// Adds a chunk.
    pub fn push(&mut self, chunk: Vec<u8>) {
        let added = if self.start == self.bytes.len() {
            // The usual case of a watch: the last chunk ended with a line, and this one's memory becomes the buffer.
            self.bytes = chunk;
            0
        } else {
            self.bytes.drain(..self.start);
            self.end = self.end.map(|end| end - self.start);
            let added = self.bytes.len();
            self.bytes.extend_from_slice(&chunk);
            added
        };
        self.start = 0;
        if self.end.is_none() {
            self.end = self.newline_from(added);
        }
    }

    /// Returns the next complete line, without its `\n` or `\r\n`, or `None` if more input is needed.
    pub fn next_line(&mut self) -> Option<&[u8]> {
        let end = self.end?;
        let start = self.start;
        self.start = end + 1;
        self.end = self.newline_from(self.start);
        let line = &self.bytes[start..end];
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }

    /// Returns whether a complete line is available, so that [`LineBuffer::next_line`] needs no further
    /// input.
    #[must_use]
    pub fn has_line(&self) -> bool {
        self.end.is_some()
    }

    /// Returns the bytes after the last newline, at the end of the stream.
    pub fn take_rest(&mut self) -> Option<Vec<u8>> {
        let rest = self.bytes.split_off(self.start);
        *self = Self::default();
        (!rest.is_empty()).then_some(rest)
    }

    fn newline_from(&self, at: usize) -> Option<usize> {
        memchr::memchr(b'\n', &self.bytes[at..]).map(|found| at + found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(chunks: &[&[u8]]) -> (Vec<String>, Option<Vec<u8>>) {
        let mut buffer = LineBuffer::default();
        let mut lines = Vec::new();
        for chunk in chunks {
            buffer.push(chunk.to_vec());
            while let Some(line) = buffer.next_line() {
                lines.push(String::from_utf8(line.to_vec()).unwrap());
            }
        }
        (lines, buffer.take_rest())
    }

    #[test]
    fn any_cut_gives_the_same_lines() {
        let text = b"one\n\ntwo\r\nthree\nrest";
        let whole = lines(&[text]);
        assert_eq!(whole, (["one", "", "two", "three"].map(String::from).to_vec(), Some(b"rest".to_vec())));
        for first in 0..=text.len() {
            for second in first..=text.len() {
                let cut = lines(&[&text[..first], &text[first..second], &text[second..]]);
                assert_eq!(cut, whole, "cut at {first} and {second}");
            }
        }
    }

    #[test]
    fn a_stream_that_ends_with_a_newline_leaves_nothing() {
        assert_eq!(lines(&[b"a\n", b"b\n"]), (vec!["a".into(), "b".into()], None));
    }

    #[test]
    fn it_knows_whether_a_line_is_there() {
        let mut buffer = LineBuffer::default();
        buffer.push(b"a\nb".to_vec());
        assert!(buffer.has_line());
        assert_eq!(buffer.next_line(), Some(&b"a"[..]));
        assert!(!buffer.has_line());
        buffer.push(b"c\n".to_vec());
        assert!(buffer.has_line());
        assert_eq!(buffer.next_line(), Some(&b"bc"[..]));
    }
}
