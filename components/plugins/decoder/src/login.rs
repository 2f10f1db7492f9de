//! Logins of registries: `.dockerconfigjson`, and the older `.dockercfg`.

use crate::lines::Lines;
use data_encoding::BASE64;
use plugin_kit::Style;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The keys of a secret that have logins.
pub(crate) const KEYS: [&str; 2] = [".dockerconfigjson", ".dockercfg"];

#[derive(Deserialize)]
struct Config {
    auths: BTreeMap<String, Login>,
}

#[derive(Deserialize)]
struct Login {
    username: Option<String>,
    password: Option<String>,
    email: Option<String>,
    auth: Option<String>,
    identitytoken: Option<String>,
    registrytoken: Option<String>,
}

/// The logins of a value, explained.
pub(crate) struct Explained {
    pub(crate) number: usize,
    pub(crate) text: String,
    /// Whether the value has more than that.
    pub(crate) has_more: bool,
}

/// Explains the logins in a value, or returns `None` if it is not made as they are.
pub(crate) fn explain(text: &str, style: Style) -> Option<Explained> {
    let (logins, has_more) = match serde_json::from_str::<Config>(text) {
        Ok(config) => (config.auths, keys(text).is_none_or(|keys| keys.len() > 1)),
        Err(_) => (serde_json::from_str::<BTreeMap<String, Login>>(text).ok()?, false),
    };
    let mut lines = Lines::new(style);
    for (registry, login) in &logins {
        lines.add("Registry", std::slice::from_ref(registry));
        let mut add = |label: &str, value: Option<&String>| {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                lines.add(label, std::slice::from_ref(value));
            }
        };
        let decoded = login.auth.as_deref().map(decode);
        // Clients take `auth` where there is one.
        let (user, password) = match &decoded {
            Some(Some((user, password))) => (Some(user), Some(password)),
            _ => (login.username.as_ref(), login.password.as_ref()),
        };
        add("User", user);
        add("Password", password);
        if login.username.as_ref().is_some_and(|other| Some(other) != user) {
            add("User beside", login.username.as_ref());
        }
        if login.password.as_ref().is_some_and(|other| Some(other) != password) {
            add("Password beside", login.password.as_ref());
        }
        if matches!(decoded, Some(None)) {
            add("Auth, unreadable", login.auth.as_ref());
        }
        add("Email", login.email.as_ref());
        add("Identity token", login.identitytoken.as_ref());
        add("Registry token", login.registrytoken.as_ref());
    }
    Some(Explained { number: logins.len(), text: lines.finish(), has_more })
}

/// Returns the keys of a configuration, among them what is not a login, such as names of helper programs.
fn keys(text: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(text).ok()
}

/// Returns the user and the password of `auth`: `user:password` in base64.
fn decode(auth: &str) -> Option<(String, String)> {
    let text = String::from_utf8(BASE64.decode(auth.trim().as_bytes()).ok()?).ok()?;
    text.split_once(':').map(|(user, password)| (user.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(text: &str) -> (usize, String, bool) {
        let explained = explain(text, Style::PLAIN).unwrap_or_else(|| panic!("{text}"));
        (explained.number, explained.text, explained.has_more)
    }

    #[test]
    fn a_login_is_shown_once_however_often_it_is_stored() {
        let login = r#"{"username":"robot","password":"p","auth":"cm9ib3Q6cA==","email":""}"#;
        let text = "  Registry:            registry.example\n  User:                robot\n  Password:            p\n";
        assert_eq!(
            explained(&format!(r#"{{"auths":{{"registry.example":{login}}}}}"#)),
            (1, text.to_owned(), false)
        );
        assert_eq!(explained(&format!(r#"{{"registry.example":{login}}}"#)).1, text);
        assert_eq!(explained(r#"{"auths":{"registry.example":{"auth":"cm9ib3Q6cA=="}}}"#).1, text);
    }

    #[test]
    fn what_contradicts_is_shown_too() {
        let (_, text, _) =
            explained(r#"{"auths":{"r":{"username":"other","password":"p","auth":"cm9ib3Q6cA=="}}}"#);
        assert!(
            text.contains("User:                robot\n") && text.contains("User beside:         other\n"),
            "{text}"
        );
        assert!(!text.contains("Password beside"), "{text}");
        let (_, text, more) =
            explained(r#"{"auths":{"r":{"auth":"?","identitytoken":"t"}},"credsStore":"x"}"#);
        assert!(
            text.contains("unreadable:    ?\n") && text.contains("Identity token:      t\n") && more,
            "{text}"
        );
    }

    #[test]
    fn another_value_has_no_logins() {
        for text in ["", "x", "[]", r#"{"auths":5}"#, r#"{"a":"b"}"#] {
            assert!(explain(text, Style::PLAIN).is_none(), "{text}");
        }
        assert_eq!(explained(r#"{"auths":{}}"#).0, 0);
    }
}
