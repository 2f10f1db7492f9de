//! JSON Web Tokens (RFC 7519), such as those of service accounts: read, not verified.

use crate::lines::{Lines, Validity};
use data_encoding::BASE64URL_NOPAD;
use kube_guest::Timestamp;
use plugin_kit::Style;
use serde_json::{Map, Value};

/// The claims with names of their own (RFC 7519, section 4.1).
const KNOWN: [(&str, &str); 7] = [
    ("iss", "Issuer"),
    ("sub", "Subject"),
    ("aud", "Audience"),
    ("jti", "ID"),
    ("iat", "Issued"),
    ("nbf", "Not before"),
    ("exp", "Expires"),
];

/// The claims of a token, explained.
pub(crate) struct Explained {
    pub(crate) text: String,
    /// How long it is valid; `None` is for ever.
    pub(crate) validity: Option<Validity>,
}

/// Explains a token, or returns `None` if the text is none.
pub(crate) fn explain(text: &str, now: Timestamp, style: Style) -> Option<Explained> {
    let mut parts = text.trim().split('.');
    let (header, claims, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let (header, claims) = (object(header)?, object(claims)?);
    let algorithm = header.get("alg")?.as_str()?;
    let mut lines = Lines::new(style);
    lines.add("Algorithm", &[algorithm.to_owned()]);
    if let Some(key) = header.get("kid").and_then(Value::as_str) {
        lines.add("Key ID", &[key.to_owned()]);
    }
    let time = |name: &str| claims.get(name).and_then(seconds);
    let validity = time("exp").map(|after| Validity::judge(time("nbf"), after, now));
    for (name, label) in KNOWN {
        let Some(value) = claims.get(name) else { continue };
        match (time(name), name, &validity) {
            (Some(after), "exp", Some(validity)) => lines.until(label, after, validity),
            (Some(time), "iat" | "nbf", _) => lines.add(label, &[time.to_string()]),
            _ => lines.add(label, &words(value)),
        }
    }
    for (name, value) in claims.iter().filter(|(name, _)| KNOWN.iter().all(|(known, _)| known != name)) {
        add(&mut lines, name, value);
    }
    if validity.is_none() {
        lines.add("Expires", &["never".to_owned()]);
    }
    Some(Explained { text: lines.finish(), validity })
}

/// Adds a claim; the claims inside of one have its name before theirs.
fn add(lines: &mut Lines, name: &str, value: &Value) {
    match value {
        Value::Object(inner) if name == "kubernetes.io" => {
            for (key, value) in inner {
                match value {
                    Value::Object(named) => {
                        let parts: Vec<String> = named
                            .iter()
                            .map(|(name, value)| format!("{name} {}", words(value).join(", ")))
                            .collect();
                        lines.add(key, &parts);
                    }
                    Value::Number(_) if key == "warnafter" => {
                        let time = seconds(value).map(|time| time.to_string());
                        lines.add(key, &[time.unwrap_or_else(|| value.to_string())]);
                    }
                    value => lines.add(key, &words(value)),
                }
            }
        }
        value => lines.add(name.strip_prefix("kubernetes.io/").unwrap_or(name), &words(value)),
    }
}

fn words(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(values) => values.iter().flat_map(words).collect(),
        value => vec![value.to_string()],
    }
}

/// Returns a `NumericDate`, to the second.
fn seconds(value: &Value) -> Option<Timestamp> {
    let whole = value.as_i64().or_else(|| value.to_string().split('.').next()?.parse().ok())?;
    // Beyond the year 9999 it is a mistake.
    (0..253_402_300_800).contains(&whole).then(|| Timestamp::from_seconds(whole))
}

fn object(part: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes()).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &str) -> String {
        let header = BASE64URL_NOPAD.encode(br#"{"alg":"RS256","kid":"k1"}"#);
        format!("{header}.{}.c2ln\n", BASE64URL_NOPAD.encode(claims.as_bytes()))
    }

    fn explained(claims: &str) -> Explained {
        explain(&token(claims), Timestamp::from_seconds(1_780_000_000), Style::PLAIN).unwrap()
    }

    #[test]
    fn the_claims_of_a_service_account_are_readable() {
        let claims = r#"{"aud":["api","vault"],"exp":1780864000,"iat":1779990000,"iss":"kubernetes/serviceaccount","nbf":1779990000,
            "sub":"system:serviceaccount:shop:runner","kubernetes.io":{"namespace":"shop","serviceaccount":{"name":"runner","uid":"u"},
            "warnafter":1780003607}}"#;
        let explained = explained(claims);
        let expected = "  Algorithm:           RS256
  Key ID:              k1
  Issuer:              kubernetes/serviceaccount
  Subject:             system:serviceaccount:shop:runner
  Audience:            api
                       vault
  Issued:              2026-05-28T17:40:00Z
  Not before:          2026-05-28T17:40:00Z
  Expires:             2026-06-07T20:26:40Z  valid for 10 days
  namespace:           shop
  serviceaccount:      name runner
                       uid u
  warnafter:           2026-05-28T21:26:47Z
";
        assert_eq!(explained.text, expected);
        assert!(!explained.validity.unwrap().is_fine());
    }

    #[test]
    fn a_token_without_an_end_says_so() {
        let explained = explained(
            r#"{"iss":"kubernetes/serviceaccount","kubernetes.io/serviceaccount/namespace":"shop"}"#,
        );
        assert!(explained.text.contains("  serviceaccount/namespace: shop\n"), "{}", explained.text);
        assert!(explained.text.ends_with("  Expires:             never\n") && explained.validity.is_none());
        assert_eq!(
            super::explain(&token(r#"{"exp":1}"#), Timestamp::from_seconds(86_401), Style::PLAIN)
                .unwrap()
                .validity
                .unwrap()
                .word,
            "expired 1 day ago"
        );
    }

    #[test]
    fn other_texts_are_no_tokens() {
        let whole = token("{}");
        for text in
            ["", "a.b.c", "www.example.com", "..", &whole[1..], &format!("{}.x", whole.trim()), &token("[1]")]
        {
            assert!(explain(text, Timestamp::from_seconds(0), Style::PLAIN).is_none(), "{text}");
        }
    }

    #[test]
    fn odd_times_are_shown_as_they_are() {
        assert!(explained(r#"{"exp":"soon"}"#).text.contains("  Expires:             soon\n"));
        assert!(explained(r#"{"exp":1e300}"#).validity.is_none());
        assert!(explained(r#"{"exp":1780864000.5}"#).validity.is_some());
    }
}
