//! Messages in the forms that templates have.

use crate::template::{Form, Line};
use serde::de::IgnoredAny;

/// Returns a text as a string of JSON.
pub(crate) fn string(text: &[u8]) -> Vec<u8> {
    let mut written = Vec::with_capacity(text.len() + 2);
    write_string(text, &mut written);
    written
}

/// Writes a line of a container. The message is given as it is, and as it is shown.
pub(crate) fn write_message(line: &Line, message: &[u8], shown: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&line.first);
    for (form, after) in &line.rest {
        match form {
            Form::Plain => out.extend_from_slice(shown),
            Form::ExtJson if is_json(message) => out.extend_from_slice(message),
            Form::Json | Form::ExtJson => write_string(message, out),
        }
        out.extend_from_slice(after);
    }
}

fn is_json(text: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(text).is_ok()
}

/// Writes a text as a string of JSON; what is not UTF-8 becomes U+FFFD, as in Go.
fn write_string(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for chunk in text.utf8_chunks() {
        escape(chunk.valid().as_bytes(), out);
        for _ in chunk.invalid() {
            out.extend_from_slice("\u{fffd}".as_bytes());
        }
    }
    out.push(b'"');
}

fn escape(text: &[u8], out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut clean = 0;
    for (index, byte) in text.iter().enumerate() {
        let short = match byte {
            b'"' | b'\\' => *byte,
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0..=0x1f => 0,
            _ => continue,
        };
        out.extend_from_slice(&text[clean..index]);
        clean = index + 1;
        if short == 0 {
            out.extend_from_slice(b"\\u00");
            out.extend([HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        } else {
            out.extend([b'\\', short]);
        }
    }
    out.extend_from_slice(&text[clean..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_reads_back_as_it_was() {
        for text in
            ["", "plain", "\"quoted\" \\ back", "\n\r\t\u{1}\u{1f}\u{7f}", "läuft ✓ \u{2028}", "<a&b>"]
        {
            let written = String::from_utf8(string(text.as_bytes())).unwrap();
            assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text, "{written}");
        }
    }

    #[test]
    fn what_is_not_utf_8_is_replaced_byte_for_byte() {
        assert_eq!(string(b"a\xff\xfeb"), "\"a\u{fffd}\u{fffd}b\"".as_bytes());
    }
}
