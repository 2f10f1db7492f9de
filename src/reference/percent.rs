//! Percent-encoding in addresses and paths.

/// Decodes a text once, as Go's `net/url` does with a path segment: a plus sign stays one. Returns `None` for
/// a `%` without two hexadecimal digits, or for invalid UTF-8.
pub(crate) fn decode(segment: &str) -> Option<String> {
    let mut bytes = segment.bytes();
    let mut decoded = Vec::with_capacity(segment.len());
    while let Some(byte) = bytes.next() {
        decoded.push(if byte == b'%' {
            let high = char::from(bytes.next()?).to_digit(16)?;
            let low = char::from(bytes.next()?).to_digit(16)?;
            u8::try_from(high * 16 + low).ok()?
        } else {
            byte
        });
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_decoded_once_and_only_where_it_is_encoded_well() {
        for (text, decoded) in [("p%3Ass+w", "p:ss+w"), ("%252e", "%2e"), ("", ""), ("%C3%BC", "\u{fc}")] {
            assert_eq!(decode(text).as_deref(), Some(decoded), "{text}");
        }
        for text in ["%", "%2", "%zz", "%+1", "%ff"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
