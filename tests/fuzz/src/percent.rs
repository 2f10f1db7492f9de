//! Percent-encoding (RFC 3986 §2.1).

/// Encodes what has to be, and of the rest whatever `too` chooses. The digits of an odd number of letters are small.
pub(crate) fn encoded(text: &str, mut too: impl FnMut() -> bool) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if plain && !too() {
            encoded.push(char::from(byte));
        } else if text.len().is_multiple_of(2) {
            encoded.extend(format!("%{byte:02X}").chars());
        } else {
            encoded.extend(format!("%{byte:02x}").chars());
        }
    }
    encoded
}
