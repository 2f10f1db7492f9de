//! The bytes of a body in the form in which a record has them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::tree::Tree;

/// The bytes of a body, or of a part of one.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Content {
    /// JSON without blanks.
    Json(Tree),
    /// JSON without blanks, and the end of the line.
    JsonLine(Tree),
    /// Other text.
    Text(String),
    /// Bytes that are not text.
    Base64(String),
    /// Bytes that are not in the record, with the reason.
    LeftOut(String),
}

impl Content {
    /// Returns the form that is read most easily and gives exactly these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let (text, ends_line) = match bytes.strip_suffix(b"\n") {
            Some(text) => (text, true),
            None => (bytes, false),
        };
        // Of a number or a string alone it is not certain that it is meant as JSON.
        if text.starts_with(b"{") || text.starts_with(b"[") {
            // A text that JSON would write in another way stays text.
            if let Some(tree) = Tree::read(text).filter(|tree| tree.text().as_bytes() == text) {
                return if ends_line { Self::JsonLine(tree) } else { Self::Json(tree) };
            }
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Base64(STANDARD.encode(bytes)),
        }
    }

    /// Returns the bytes, `Ok(None)` if they are left out, or an error if the base64 is not valid.
    pub(super) fn bytes(&self) -> Result<Option<Bytes>, base64::DecodeError> {
        Ok(Some(match self {
            Self::Json(tree) => tree.text().into(),
            Self::JsonLine(tree) => (tree.text() + "\n").into(),
            Self::Text(text) => text.clone().into(),
            Self::Base64(text) => STANDARD.decode(text)?.into(),
            Self::LeftOut(_) => return Ok(None),
        }))
    }

    /// Returns whether two requests have the same body. The order of keys in JSON does not count, and neither does a
    /// body that one of them leaves out.
    pub(super) fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::LeftOut(_), _) | (_, Self::LeftOut(_)) => true,
            _ => match (self.tree(), other.tree()) {
                (Some(one), Some(other)) => one.value() == other.value(),
                _ => self == other,
            },
        }
    }

    /// Returns the value, if it is JSON, in whatever form it is written.
    fn tree(&self) -> Option<Tree> {
        match self {
            Self::Json(tree) | Self::JsonLine(tree) => Some(tree.clone()),
            Self::Text(text) => Tree::read(text.as_bytes()),
            Self::Base64(_) | Self::LeftOut(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_body_comes_back_byte_by_byte() {
        for (body, form) in [
            (&b"{\"kind\":\"PodList\"}"[..], "json"),
            (b"{\"type\":\"ADDED\"}\n", "jsonLine"),
            (b"[1]", "json"),
            (b"{ \"a\": 1 }", "text"),
            (b"{\"a\":\"\\u003c\"}", "text"),
            (b"a log\nof two lines\n", "text"),
            (b"", "text"),
            (b"1", "text"),
            (b"k8s\0\xff", "base64"),
        ] {
            let written = serde_json::to_string(&Content::of(body)).unwrap();
            assert!(written.starts_with(&format!("{{\"{form}\":")), "{written}");
            let read: Content = serde_json::from_str(&written).unwrap();
            assert_eq!(read.bytes().unwrap().unwrap(), body);
        }
    }

    #[test]
    fn bodies_are_compared_by_their_meaning() {
        let of = |text: &str| Content::of(text.as_bytes());
        assert!(of(r#"{"a":1,"b":2}"#).equals(&of("{ \"b\": 2, \"a\": 1 }\n")));
        assert!(of("x").equals(&Content::LeftOut("y".to_owned())));
        assert!(!of(r#"{"a":1}"#).equals(&of(r#"{"a":2}"#)));
        assert!(!of("x").equals(&of("y")));
    }
}
