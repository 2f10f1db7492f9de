//! Impersonation: requests as another user (`as`, `as-uid`, `as-groups`, `as-user-extra`).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;

use super::Error;
use super::document::{Text, UserEntry};

/// An impersonated user.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Impersonation {
    user: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    uid: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    groups: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    extra: BTreeMap<String, Vec<String>>,
    #[serde(skip)]
    headers: HeaderMap,
}

impl Impersonation {
    /// Returns the impersonation in a user's entry, if there is one.
    ///
    /// # Errors
    /// If it has groups, a UID or extras without a user (clientcmd's `validateAuthInfo`), or a value that is
    /// not valid in a header.
    pub(super) fn of(owner: &str, entry: &UserEntry) -> Result<Option<Self>, Error> {
        let texts = |texts: &[Text]| texts.iter().map(|Text(text)| text.clone()).collect::<Vec<_>>();
        let user = entry.impersonate.clone().unwrap_or_default();
        let uid = entry.as_uid.clone().unwrap_or_default();
        let groups = texts(entry.as_groups.as_deref().unwrap_or_default());
        let extra = entry.as_user_extra.iter().flatten();
        let extra: BTreeMap<_, _> =
            extra.map(|(key, values)| (key.clone(), texts(values.as_deref().unwrap_or_default()))).collect();
        if user.is_empty() {
            let nothing = uid.is_empty() && groups.is_empty() && extra.is_empty();
            return if nothing { Ok(None) } else { Err(Error::ImpersonatesNobody(owner.to_owned())) };
        }
        let mut impersonation = Self { user, uid, groups, extra, headers: HeaderMap::new() };
        impersonation.headers =
            impersonation.to_headers().ok_or_else(|| Error::Unsendable(owner.to_owned()))?;
        Ok(Some(impersonation))
    }

    /// Returns the name of the user.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Describes the impersonation, one line for each attribute.
    #[must_use]
    pub fn describe(&self) -> Vec<String> {
        let uid = (!self.uid.is_empty()).then(|| format!("uid {}", self.uid));
        let groups = self.groups.iter().map(|group| format!("group {group}"));
        let extra = self.extra.iter().map(|(key, values)| format!("{key} {}", values.join(", ")));
        std::iter::once(self.user.clone()).chain(uid).chain(groups).chain(extra).collect()
    }

    /// Returns whether these headers of a request, each of which may be missing, state the same.
    #[must_use]
    pub fn is_what(&self, headers: &HeaderMap) -> bool {
        let of = |headers: &HeaderMap| {
            let own = headers.iter().filter(|(name, _)| says_who(name));
            let mut own: Vec<_> = own.map(|(name, value)| (name.clone(), value.clone())).collect();
            own.sort_by(|one, other| (one.0.as_str(), &one.1).cmp(&(other.0.as_str(), &other.1)));
            own
        };
        of(headers) == of(&self.headers)
    }

    /// Writes it into the headers of a request, replacing theirs.
    pub fn put_into(&self, headers: &mut HeaderMap) {
        let said: Vec<HeaderName> = headers.keys().filter(|name| says_who(name)).cloned().collect();
        for name in said {
            headers.remove(name);
        }
        headers.extend(self.headers.clone());
    }

    /// Returns the headers, as client-go, `transport/round_trippers.go`, builds them.
    fn to_headers(&self) -> Option<HeaderMap> {
        let mut headers = HeaderMap::new();
        let mut add = |name: &str, value: &str| {
            headers.append(HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(value).ok()?);
            Some(())
        };
        add("impersonate-user", &self.user)?;
        if !self.uid.is_empty() {
            add("impersonate-uid", &self.uid)?;
        }
        for group in &self.groups {
            add("impersonate-group", group)?;
        }
        for (key, value) in
            self.extra.iter().flat_map(|(key, values)| values.iter().map(move |value| (key, value)))
        {
            add(&format!("impersonate-extra-{}", escaped(key)), value)?;
        }
        Some(headers)
    }
}

/// Returns whether a header is about impersonation.
#[must_use]
pub fn says_who(name: &HeaderName) -> bool {
    name.as_str().starts_with("impersonate-")
}

/// Escapes a key for a header's name: characters that are not `tchar` (RFC 9110 §5.6.2), and the percent
/// sign.
fn escaped(key: &str) -> String {
    key.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"!#$&'*+-.^_`|~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(yaml: &str) -> Result<Option<Impersonation>, Error> {
        Impersonation::of("u", &serde_saphyr::from_str(yaml).unwrap())
    }

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    const BOB: &str = "{as: bob, as-uid: '7', as-groups: [a, b], as-user-extra: {Scopes/x%: [one, two]}}";

    #[test]
    fn it_is_sent_as_client_go_sends_it() {
        let mut sent = headers(&[("impersonate-user", "eve"), ("impersonate-extra-z", "z"), ("accept", "x")]);
        of(BOB).unwrap().unwrap().put_into(&mut sent);
        let wanted = [
            ("accept", "x"),
            ("impersonate-user", "bob"),
            ("impersonate-uid", "7"),
            ("impersonate-group", "a"),
            ("impersonate-group", "b"),
            ("impersonate-extra-scopes%2fx%25", "one"),
            ("impersonate-extra-scopes%2fx%25", "two"),
        ];
        assert_eq!(sent, headers(&wanted));
    }

    #[test]
    fn a_request_that_says_the_same_is_known_from_one_that_says_more_or_less() {
        let bob = of("{as: bob, as-groups: [a, b]}").unwrap().unwrap();
        let same = [("impersonate-group", "b"), ("impersonate-user", "bob"), ("impersonate-group", "a")];
        assert!(bob.is_what(&headers(&same)));
        assert!(!bob.is_what(&headers(&same[..2])));
        assert!(
            !bob.is_what(&headers(&[("impersonate-user", "bob"), ("impersonate-group", "system:masters")]))
        );
    }

    #[test]
    fn groups_of_nobody_and_what_no_header_carries_are_errors() {
        assert!(of("{}").unwrap().is_none());
        assert!(of("{as: '', as-groups: []}").unwrap().is_none());
        for yaml in ["{as-groups: [x]}", "{as-uid: x}", "{as-user-extra: {a: [b]}}", "{as: \"a\\nb\"}"] {
            assert!(of(yaml).is_err(), "{yaml}");
        }
    }
}
