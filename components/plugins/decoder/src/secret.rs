//! A secret, and how it is shown.

use crate::certificate::Summary;
use crate::table::table;
use crate::value::{self, View};
use data_encoding::BASE64;
use kube_guest::for_terminal_line;
use plugin_kit::{Colour, Metadata};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write;

/// `v1.Secret`, as far as it is shown.
#[derive(Debug, Deserialize)]
pub(crate) struct Secret {
    #[serde(default)]
    pub(crate) metadata: Metadata,
    #[serde(default, rename = "type")]
    kind: String,
    data: Option<BTreeMap<String, String>>,
}

/// A decoded secret, for programs.
#[derive(Debug, Serialize)]
pub(crate) struct Decoded<'a> {
    name: &'a str,
    namespace: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    data: BTreeMap<&'a str, Value>,
}

/// A decoded value: text, or base64 where it is none.
#[derive(Debug, Default, Serialize)]
struct Value {
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    certificates: Vec<Summary>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

impl Secret {
    /// Returns the whole output. The error is `what: why`.
    pub(crate) fn show(&self, view: View) -> Result<String, String> {
        let style = view.style;
        let one = |value: &str| vec![none_if_empty(for_terminal_line(value).into_owned())];
        let rows = [
            ("Name", one(&self.metadata.name)),
            ("Namespace", one(&self.metadata.namespace)),
            ("Labels", pairs(self.metadata.labels.as_ref())),
            ("Annotations", pairs(self.metadata.annotations.as_ref())),
            ("Type", one(&self.kind)),
        ];
        let mut shown = table(&rows, style.width);
        let mut data = format!("\n{}\n", style.paint(Colour::Heading, "Data"));
        let mut warnings = Vec::new();
        let values = self.values()?;
        if values.is_empty() {
            data.push_str("<none>\n");
        }
        for (key, value) in values {
            let value = value::show(key, &value, view);
            let key = for_terminal_line(key);
            let _ = writeln!(data, "\n{}", style.paint(Colour::Key, &format!("{key}:")));
            data.push_str(&value.text);
            warnings.extend(value.warnings.iter().map(|warning| format!("{key}: {warning}")));
        }
        if !warnings.is_empty() {
            // Before the data, where a long chain does not hide them.
            let _ = writeln!(shown, "\n{}", style.paint(Colour::Heading, "Warnings"));
            for warning in warnings {
                let _ = writeln!(shown, "{}", style.paint(Colour::Soon, &warning));
            }
        }
        Ok(shown + &data)
    }

    /// Returns the secret for programs.
    pub(crate) fn decode(&self, view: View) -> Result<Decoded<'_>, String> {
        let mut data = BTreeMap::new();
        for (key, bytes) in self.values()? {
            let shown = value::show(key, &bytes, view);
            let mut value =
                Value { certificates: shown.certificates, warnings: shown.warnings, ..Value::default() };
            match String::from_utf8(bytes) {
                Ok(text) => value.text = Some(text),
                Err(error) => value.base64 = Some(BASE64.encode(error.as_bytes())),
            }
            data.insert(key, value);
        }
        let Metadata { name, namespace, .. } = &self.metadata;
        Ok(Decoded { name, namespace, kind: &self.kind, data })
    }

    fn values(&self) -> Result<Vec<(&str, Vec<u8>)>, String> {
        let decode = |(key, value): (&'_ String, &String)| {
            BASE64
                .decode(value.as_bytes())
                .map_err(|error| format!("data `{}`: {error}", for_terminal_line(key)))
        };
        let data = self.data.iter().flatten();
        data.map(|(key, value)| Ok((key.as_str(), decode((key, value))?))).collect()
    }
}

fn pairs(pairs: Option<&BTreeMap<String, String>>) -> Vec<String> {
    let pairs = pairs.into_iter().flatten();
    let pairs: Vec<String> =
        pairs.map(|(name, value)| for_terminal_line(&format!("{name}={value}")).into_owned()).collect();
    if pairs.is_empty() { vec!["<none>".to_owned()] } else { pairs }
}

fn none_if_empty(value: String) -> String {
    if value.is_empty() { "<none>".to_owned() } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kube_guest::Timestamp;
    use plugin_kit::Style;

    fn view(style: Style) -> View {
        View { certificates: true, explains: true, now: Timestamp::from_seconds(0), style }
    }

    fn shown(json: &str, style: Style) -> Result<String, String> {
        let secret: Secret = serde_json::from_str(json).unwrap();
        secret.show(view(style))
    }

    #[test]
    fn a_secret_is_shown_whole() {
        let json = r#"{"kind":"Secret","metadata":{"name":"web","namespace":"shop","labels":{"app":"web","tier":"1"}},
            "type":"Opaque","data":{"user":"YWRtaW4=","password":"aHVudGVyMgo=","empty":""}}"#;
        let expected = "\
┌─────────────┬─────────┐
│ Name        │ web     │
├─────────────┼─────────┤
│ Namespace   │ shop    │
├─────────────┼─────────┤
│ Labels      │ app=web │
│             │ tier=1  │
├─────────────┼─────────┤
│ Annotations │ <none>  │
├─────────────┼─────────┤
│ Type        │ Opaque  │
└─────────────┴─────────┘

Data

empty:
(empty)

password:
hunter2

user:
admin
";
        assert_eq!(shown(json, Style::PLAIN).unwrap(), expected);
    }

    #[test]
    fn a_secret_without_data_says_so() {
        let text = shown(r#"{"metadata":{"name":"x"},"data":null}"#, Style::PLAIN).unwrap();
        assert!(text.ends_with("\nData\n<none>\n"), "{text}");
    }

    #[test]
    fn colours_are_where_they_were_in_krew_wasm() {
        let style = Style { colours: true, terminal: true, width: 80 };
        let text = shown(r#"{"metadata":{"name":"x"},"data":{"k":"dg=="}}"#, style).unwrap();
        assert!(
            text.contains("\x1b[1;35mData\x1b[0m") && text.contains("\x1b[1;34mk:\x1b[0m\nv\n"),
            "{text:?}"
        );
    }

    #[test]
    fn data_that_is_not_base64_is_an_error() {
        let why = shown(r#"{"metadata":{},"data":{"k":"?"}}"#, Style::PLAIN).unwrap_err();
        assert!(why.starts_with("data `k`: "), "{why}");
    }

    #[test]
    fn what_has_expired_is_told_before_the_data() {
        let pem = BASE64.encode(include_bytes!("../fixtures/server.pem"));
        let json = format!(r#"{{"metadata":{{"name":"web"}},"data":{{"tls.crt":"{pem}"}}}}"#);
        let secret: Secret = serde_json::from_str(&json).unwrap();
        let late = View { now: Timestamp::parse("2090-01-01T00:00:00Z").unwrap(), ..view(Style::PLAIN) };
        let text = secret.show(late).unwrap();
        let (warnings, data) = text.split_once("\nData\n").unwrap();
        assert!(warnings.contains("\nWarnings\ntls.crt: certificate: expired "), "{text}");
        assert!(data.contains("(certificate)"), "{text}");
    }

    #[test]
    fn programs_get_texts_and_base64_of_the_rest() {
        let secret: Secret =
            serde_json::from_str(r#"{"metadata":{"name":"x"},"data":{"a":"dg==","b":"/w=="}}"#).unwrap();
        let decoded = serde_json::to_value(secret.decode(view(Style::PLAIN)).unwrap()).unwrap();
        assert_eq!(decoded["data"], serde_json::json!({"a": {"text": "v"}, "b": {"base64": "/w=="}}));
    }
}
