//! What a record leaves out of bodies: the values of secrets, and tokens of service accounts.
//!
//! A body that is not understood may contain one anywhere, and is left out whole.

use super::content::Content;
use super::protobuf;
use super::tree::Tree;
use crate::policy::RequestInfo;

/// The text in place of a value. In `data` it has to be base64.
pub(super) const LEFT_OUT: &str = "left out";

/// The same in base64.
const LEFT_OUT_BASE64: &str = "bGVmdCBvdXQ=";

/// The annotation with a copy of an object, values included (kubectl, `pkg/util/apply.go`).
pub(super) const APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The reasons of failures whose message names objects and users only. Others may quote a part of a request
/// (k8s.io/apimachinery, `pkg/apis/meta/v1/types.go`).
const HARMLESS: &[&str] = &[
    "AlreadyExists",
    "Conflict",
    "Expired",
    "Forbidden",
    "Gone",
    "MethodNotAllowed",
    "NotAcceptable",
    "NotFound",
    "ServerTimeout",
    "Timeout",
    "TooManyRequests",
    "Unauthorized",
    "UnsupportedMediaType",
];

/// Whether bodies of a request and its answer may contain secrets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Sensitivity {
    /// No secrets, or those that the user wants to keep.
    Plain,
    /// Secrets of any API group.
    Secrets,
    /// Tokens of service accounts (`TokenRequest`, `TokenReview`).
    Tokens,
}

impl Sensitivity {
    /// Returns the sensitivity of a request.
    pub(super) fn of(info: &RequestInfo) -> Self {
        match (info.resource.as_str(), info.subresource.as_str()) {
            ("secrets", _) => Self::Secrets,
            ("serviceaccounts", "token") | ("tokenreviews", _) => Self::Tokens,
            _ => Self::Plain,
        }
    }

    /// Returns the content of a body without secrets.
    pub(super) fn content(self, body: &[u8]) -> Content {
        if self == Self::Plain || body.is_empty() {
            return Content::of(body);
        }
        if body.starts_with(protobuf::MAGIC) {
            let redacted = if self == Self::Secrets { protobuf::object(body) } else { None };
            return redacted.map_or_else(|| self.left_out(), |redacted| Content::of(&redacted));
        }
        let (text, ends_line) = match body.strip_suffix(b"\n") {
            Some(text) => (text, true),
            None => (body, false),
        };
        match Tree::read(text).filter(|tree| matches!(tree, Tree::Map(_) | Tree::List(_))) {
            Some(mut tree) => {
                self.strip(&mut tree);
                if ends_line { Content::JsonLine(tree) } else { Content::Json(tree) }
            }
            None => self.left_out(),
        }
    }

    /// Returns the content of one frame of a watch in protobuf, with its length before it.
    pub(super) fn frame(self, frame: &[u8]) -> Content {
        let redacted = match self {
            Self::Plain => return Content::of(frame),
            Self::Secrets => protobuf::frame(frame),
            Self::Tokens => None,
        };
        redacted.map_or_else(|| self.left_out(), |redacted| Content::of(&redacted))
    }

    /// Returns a body that is left out whole.
    fn left_out(self) -> Content {
        Content::LeftOut(
            match self {
                Self::Tokens => "it may contain tokens, in a form that is not understood",
                Self::Plain | Self::Secrets => "it may contain secrets, in a form that is not understood",
            }
            .to_owned(),
        )
    }

    /// Replaces the values of secrets anywhere in a value.
    fn strip(self, tree: &mut Tree) {
        let quotes = is_status_that_may_quote(tree);
        match tree {
            Tree::List(items) => items.iter_mut().for_each(|item| self.strip(item)),
            Tree::Map(entries) => {
                // RFC 6902, whose values may be those of secrets.
                let is_patch = entries.iter().any(|(key, _)| key == "op");
                for (key, value) in entries {
                    let is = |name: &str| key.eq_ignore_ascii_case(name);
                    match self {
                        _ if quotes && (is("message") || is("details")) => replace(value, LEFT_OUT),
                        Self::Secrets if is("data") => replace(value, LEFT_OUT_BASE64),
                        Self::Secrets if is("stringData") || (is_patch && is("value")) => {
                            replace(value, LEFT_OUT);
                        }
                        Self::Secrets if key == APPLIED => {
                            *value = Tree::Text(applied(value.as_text().unwrap_or_default()));
                        }
                        Self::Tokens if is("token") => replace(value, LEFT_OUT),
                        _ => self.strip(value),
                    }
                }
            }
            _ => {}
        }
    }
}

/// Returns the annotation [`APPLIED`] without values.
pub(super) fn applied(text: &str) -> String {
    let (text, ends_line) = text.strip_suffix('\n').map_or((text, false), |text| (text, true));
    let Some(mut tree @ Tree::Map(_)) = Tree::read(text.as_bytes()) else { return LEFT_OUT.to_owned() };
    Sensitivity::Secrets.strip(&mut tree);
    tree.text() + if ends_line { "\n" } else { "" }
}

/// Returns whether the message of a failure with this reason may quote a part of a request.
pub(super) fn may_quote(reason: &str) -> bool {
    !HARMLESS.contains(&reason)
}

fn is_status_that_may_quote(tree: &Tree) -> bool {
    let text = |key| tree.get(key).and_then(Tree::as_text);
    text("kind") == Some("Status")
        && text("status") != Some("Success")
        && may_quote(text("reason").unwrap_or_default())
}

/// Replaces every value below, but not the keys and what is null.
fn replace(tree: &mut Tree, by: &str) {
    match tree {
        Tree::Null => {}
        Tree::List(items) => items.iter_mut().for_each(|item| replace(item, by)),
        Tree::Map(entries) => entries.iter_mut().for_each(|(_, value)| replace(value, by)),
        value => *value = Tree::Text(by.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(sensitivity: Sensitivity, body: &str) -> String {
        serde_json::to_string(&sensitivity.content(body.as_bytes())).unwrap()
    }

    fn secrets(body: &str) -> String {
        written(Sensitivity::Secrets, body)
    }

    #[test]
    fn the_values_of_a_secret_are_left_out_wherever_they_are() {
        for (body, expected) in [
            (
                r#"{"kind":"Secret","metadata":{"name":"db"},"data":{"a":"c2VjcmV0","b":null},"type":"Opaque"}"#,
                r#"{"json":{"kind":"Secret","metadata":{"name":"db"},"data":{"a":"bGVmdCBvdXQ=","b":null},"type":"Opaque"}}"#,
            ),
            (
                "{\"type\":\"ADDED\",\"object\":{\"data\":{\"a\":\"c2VjcmV0\"}}}\n",
                r#"{"jsonLine":{"type":"ADDED","object":{"data":{"a":"bGVmdCBvdXQ="}}}}"#,
            ),
            (
                r#"{"items":[{"stringData":{"a":"secret"}},{"Data":{"a":"c2VjcmV0"}}]}"#,
                r#"{"json":{"items":[{"stringData":{"a":"left out"}},{"Data":{"a":"bGVmdCBvdXQ="}}]}}"#,
            ),
            (
                r#"[{"op":"add","path":"/data/a","value":"c2VjcmV0"}]"#,
                r#"{"json":[{"op":"add","path":"/data/a","value":"left out"}]}"#,
            ),
            (
                r#"{"kind":"Table","rows":[{"cells":["db",1],"object":{"metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{\"data\":{\"a\":\"c2VjcmV0\"}}\n"}}}}]}"#,
                r#"{"json":{"kind":"Table","rows":[{"cells":["db",1],"object":{"metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{\"data\":{\"a\":\"bGVmdCBvdXQ=\"}}\n"}}}}]}}"#,
            ),
            (
                r#"{"metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"data: c2VjcmV0"}}}"#,
                r#"{"json":{"metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"left out"}}}}"#,
            ),
        ] {
            assert_eq!(secrets(body), expected);
        }
    }

    #[test]
    fn what_is_not_understood_is_left_out_whole() {
        for body in ["data:\n  a: c2VjcmV0\n", "{\"data\":{\"a\":\"c2Vj", "\"c2VjcmV0\"", "k8s\0c2VjcmV0", "{}{}"] {
            assert!(secrets(body).starts_with("{\"leftOut\":"), "{body}");
        }
        assert_eq!(secrets(""), r#"{"text":""}"#);
    }

    #[test]
    fn a_failure_keeps_its_message_only_if_that_quotes_nothing() {
        let status = |reason: &str| {
            format!(r#"{{"kind":"Status","status":"Failure","message":"secret","reason":"{reason}","code":400}}"#)
        };
        assert!(secrets(&status("NotFound")).contains("\"message\":\"secret\""));
        for reason in ["BadRequest", "Invalid", "InternalError", ""] {
            assert!(secrets(&status(reason)).contains("\"message\":\"left out\""), "{reason}");
        }
    }

    #[test]
    fn tokens_are_left_out_and_other_objects_stay_as_they_are() {
        let body = r#"{"kind":"TokenRequest","status":{"token":"ey.a.b","expirationTimestamp":"x"}}"#;
        assert!(written(Sensitivity::Tokens, body).contains(r#"{"token":"left out","expirationTimestamp":"x"}"#));
        assert_eq!(written(Sensitivity::Plain, body), format!("{{\"json\":{body}}}"));
    }

    #[test]
    fn secrets_and_tokens_are_known_by_their_resource() {
        let of = |resource: &str, subresource: &str| {
            let (resource, subresource) = (resource.to_owned(), subresource.to_owned());
            Sensitivity::of(&RequestInfo { resource, subresource, ..RequestInfo::default() })
        };
        assert_eq!(of("secrets", ""), Sensitivity::Secrets);
        assert_eq!(of("serviceaccounts", "token"), Sensitivity::Tokens);
        assert_eq!(of("tokenreviews", ""), Sensitivity::Tokens);
        assert_eq!(of("serviceaccounts", ""), Sensitivity::Plain);
        assert_eq!(of("configmaps", ""), Sensitivity::Plain);
    }
}
