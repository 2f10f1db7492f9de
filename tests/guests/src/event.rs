//! The events of a watch.

use memchr::{memchr, memmem};

/// Returns the name of a watch event's object. Not by a parser of JSON: it is the door that is looked at.
#[must_use]
pub fn name(line: &[u8]) -> Option<&[u8]> {
    const KEY: &[u8] = b"\"name\":\"";
    let metadata = memmem::find(line, b"\"metadata\":{")?;
    let start = metadata + memmem::find(&line[metadata..], KEY)? + KEY.len();
    let length = memchr(b'"', &line[start..])?;
    Some(&line[start..start + length])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_an_event_is_that_of_its_object() {
        let line = br#"{"type":"ADDED","object":{"kind":"ConfigMap","metadata":{"name":"a","uid":"b"}}}"#;
        assert_eq!(name(line), Some(&b"a"[..]));
        assert_eq!(name(b"hello from a pod"), None);
    }
}
