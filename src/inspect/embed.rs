//! Writes the request of a plugin into its binary.

use wasmparser::BinaryReader;

use super::outline::Outline;
use super::request::{LONGEST, RequestError, SECTION};
use super::{Error, guess};

/// The length of the magic number and the version, with which a module or component begins.
const PREAMBLE: usize = 8;

/// The number of a custom section, of modules and of components.
const CUSTOM: u8 = 0;

/// Returns a component or core module with this request, in place of any that it has. All else stays as it is,
/// byte for byte.
///
/// # Errors
/// [`Error::Alien`] and [`Error::Broken`]; [`Error::Request`] if the request is too large, or if a module or
/// component inside has one.
pub fn embed(bytes: &[u8], request: &str) -> Result<Vec<u8>, Error> {
    if request.len() > LONGEST {
        return Err(RequestError::TooLarge(request.len()).into());
    }
    let mut embedded = without_request(bytes)?;
    let mut content = Vec::with_capacity(SECTION.len() + request.len() + 1);
    write_with_length(&mut content, SECTION.as_bytes());
    content.extend_from_slice(request.as_bytes());
    embedded.push(CUSTOM);
    write_with_length(&mut embedded, &content);
    Ok(embedded)
}

/// Returns a component or core module without its requests, however many it has.
///
/// # Errors
/// [`Error::Alien`] and [`Error::Broken`]; [`Error::Request`] if a module or component inside has one.
pub(super) fn without_request(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    if !bytes.starts_with(b"\0asm") {
        return Err(Error::Alien(guess(bytes)));
    }
    let mut kept = Vec::with_capacity(bytes.len());
    let mut reader = BinaryReader::new(bytes, 0);
    kept.extend_from_slice(reader.read_bytes(PREAMBLE)?);
    while !reader.eof() {
        let start = reader.current_position();
        let is_custom = reader.read_u8()? == CUSTOM;
        let mut content = reader.read_reader()?;
        if !(is_custom && content.read_string()? == SECTION) {
            kept.extend_from_slice(&bytes[start..reader.current_position()]);
        }
    }
    // What is left is well-formed, and has none further inside.
    Outline::read(&kept)?.request?;
    Ok(kept)
}

/// Writes bytes after their number, in [LEB128][1].
///
/// [1]: https://webassembly.github.io/spec/core/binary/values.html#integers
fn write_with_length(into: &mut Vec<u8>, bytes: &[u8]) {
    let mut rest = bytes.len();
    while rest > 0x7f {
        into.push(rest.to_le_bytes()[0] | 0x80);
        rest >>= 7;
    }
    into.push(rest.to_le_bytes()[0]);
    into.extend_from_slice(bytes);
}
