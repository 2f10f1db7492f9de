//! A path of the Kubernetes API.

use std::fmt;

/// A path and query of the Kubernetes API, percent-encoded.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Path {
    encoded: String,
    queried: bool,
}

impl Path {
    /// Joins segments to an absolute path, each percent-encoded.
    ///
    /// # Errors
    ///
    /// A segment that could mean another path than the one written: empty, `.`, `..`, or with `/` or `%` in it.
    /// These are the names that Kubernetes itself refuses (`apimachinery: pkg/api/validation/path`); the empty
    /// one would turn the object into the list of all of them.
    pub fn new<S: AsRef<str>>(segments: impl IntoIterator<Item = S>) -> Result<Self, BadPath> {
        let mut encoded = String::new();
        for segment in segments {
            let segment = segment.as_ref();
            if matches!(segment, "" | "." | "..") || segment.contains(['/', '%']) {
                return Err(BadPath { segment: segment.to_owned() });
            }
            encoded.push('/');
            percent_encode(segment, &mut encoded);
        }
        if encoded.is_empty() {
            encoded.push('/');
        }
        Ok(Self { encoded, queried: false })
    }

    /// Adds `name=value` to the query, both percent-encoded.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.encoded.push(if self.queried { '&' } else { '?' });
        self.queried = true;
        percent_encode(name, &mut self.encoded);
        self.encoded.push('=');
        percent_encode(value, &mut self.encoded);
        self
    }
}

impl AsRef<str> for Path {
    fn as_ref(&self) -> &str {
        &self.encoded
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.encoded)
    }
}

/// A name that cannot be one segment of a path.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{segment}` is not a valid name: it may not be empty, `.` or `..`, nor contain `/` or `%`")]
pub struct BadPath {
    segment: String,
}

/// Encodes everything but RFC 3986's unreserved characters.
fn percent_encode(text: &str, into: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            into.push(char::from(byte));
        } else {
            into.push('%');
            into.push(char::from(HEX[usize::from(byte >> 4)]));
            into.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_and_query_are_percent_encoded() {
        let path = Path::new(["api", "v1", "namespaces", "a b", "pods", "ü:?#"]).unwrap();
        let path = path.query("fieldSelector", "reason=Killing&x").query("limit", "5");
        assert_eq!(
            path.as_ref(),
            "/api/v1/namespaces/a%20b/pods/%C3%BC%3A%3F%23?fieldSelector=reason%3DKilling%26x&limit=5"
        );
    }

    #[test]
    fn a_name_that_would_change_the_path_is_refused() {
        for name in ["", ".", "..", "a/b", "a%2Fb"] {
            assert!(Path::new(["api", name]).is_err(), "{name:?}");
        }
        assert_eq!(Path::new(["...", "a.b"]).unwrap().as_ref(), "/.../a.b");
    }

    #[test]
    fn no_segment_is_the_root() {
        assert_eq!(Path::new([""; 0]).unwrap().as_ref(), "/");
    }
}
