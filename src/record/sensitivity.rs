//! The values that a record leaves out of JSON: those of secrets, and tokens of service accounts.

use super::tree::Tree;
use crate::policy::RequestInfo;

/// The text in place of a value. In `data` it has to be base64.
pub(super) const LEFT_OUT: &str = "left out";

/// The same in base64.
const LEFT_OUT_BASE64: &str = "bGVmdCBvdXQ=";

/// The annotation with a copy of an object, values included (kubectl, `pkg/util/apply.go`).
pub(super) const APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The length of an annotation above which it may be a packed copy of an object.
const LONG: usize = 128;

/// The reasons of failures whose message names objects and users only. Others may quote a part of a request
/// (k8s.io/apimachinery, `pkg/apis/meta/v1/types.go`).
const HARMLESS: &[&str] = &[
    "AlreadyExists",
    "Conflict",
    "Expired",
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

    /// Replaces the values of secrets anywhere in a value.
    pub(super) fn strip(self, tree: &mut Tree) {
        let quotes = is_status_that_may_quote(tree);
        match tree {
            Tree::List(items) => items.iter_mut().for_each(|item| self.strip(item)),
            Tree::Map(entries) => {
                // RFC 6902, whose values may be those of secrets.
                let is_patch = entries.iter().any(|(key, _)| key == "op");
                for (key, value) in entries {
                    let is = |name: &str| key.eq_ignore_ascii_case(name);
                    match self {
                        _ if quotes && (is("message") || is("details")) => replace_texts(value),
                        Self::Secrets if is("data") => replace(value, LEFT_OUT_BASE64),
                        Self::Secrets if is("stringData") || (is_patch && is("value")) => {
                            replace(value, LEFT_OUT);
                        }
                        Self::Secrets if key == APPLIED => {
                            *value = Tree::Text(applied(value.as_text().unwrap_or_default()));
                        }
                        Self::Secrets if is("annotations") => strip_annotations(value),
                        Self::Tokens if is("token") => replace(value, LEFT_OUT),
                        _ => self.strip(value),
                    }
                }
            }
            _ => {}
        }
    }
}

/// Returns an annotation of a secret without values, or `None` if it has none. Many a tool keeps a copy of the object in
/// one: as kubectl does, or packed (kapp, kopf, Rancher's).
pub(super) fn annotation(key: &str, text: &str) -> Option<String> {
    let is_copy = matches!(Tree::read(text.as_bytes()), Some(Tree::Map(_) | Tree::List(_)));
    if key == APPLIED || is_copy {
        Some(applied(text))
    } else {
        (text.len() > LONG).then(|| LEFT_OUT.to_owned())
    }
}

fn strip_annotations(annotations: &mut Tree) {
    match annotations {
        Tree::Map(entries) => {
            for (key, value) in entries {
                match value.as_text() {
                    Some(text) => {
                        if let Some(text) = annotation(key, text) {
                            *value = Tree::Text(text);
                        }
                    }
                    // Not an annotation.
                    None => Sensitivity::Secrets.strip(value),
                }
            }
        }
        other => Sensitivity::Secrets.strip(other),
    }
}

/// Returns the annotation [`APPLIED`] without values.
fn applied(text: &str) -> String {
    let (text, ends_line) = text.strip_suffix('\n').map_or((text, false), |text| (text, true));
    let Some(mut tree @ Tree::Map(_)) = Tree::read(text.as_bytes()) else { return LEFT_OUT.to_owned() };
    Sensitivity::Secrets.strip(&mut tree);
    tree.text() + if ends_line { "\n" } else { "" }
}

/// Returns whether the message of a failure with this reason may quote a part of a request. `Forbidden` is the reason of an
/// authorizer, whose message is about a user (k8s.io/apiserver, `pkg/endpoints/handlers/responsewriters/errors.go`), and of
/// admission, whose message may be any text.
pub(super) fn may_quote(reason: &str, message: &str) -> bool {
    let is_authorizers = || reason == "Forbidden" && message.contains(" is forbidden: User \"");
    !HARMLESS.contains(&reason) && !is_authorizers()
}

fn is_status_that_may_quote(tree: &Tree) -> bool {
    let text = |key| tree.get(key).and_then(Tree::as_text);
    text("kind") == Some("Status")
        && text("status") != Some("Success")
        && may_quote(text("reason").unwrap_or_default(), text("message").unwrap_or_default())
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

/// Replaces every string below. Numbers say when to try again.
fn replace_texts(tree: &mut Tree) {
    match tree {
        Tree::List(items) => items.iter_mut().for_each(replace_texts),
        Tree::Map(entries) => entries.iter_mut().for_each(|(_, value)| replace_texts(value)),
        Tree::Text(text) => LEFT_OUT.clone_into(text),
        Tree::Null | Tree::Flag(_) | Tree::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
