//! A secret, and how it is shown.

use crate::style::{Colour, Style};
use crate::table::table;
use crate::value;
use data_encoding::BASE64;
use kube_guest::{Timestamp, for_terminal_line};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write;

/// `v1.Secret`, as far as it is shown.
#[derive(Debug, Deserialize)]
pub(crate) struct Secret {
    metadata: Metadata,
    #[serde(default, rename = "type")]
    kind: String,
    data: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    #[serde(default)]
    name: String,
    #[serde(default)]
    namespace: String,
    labels: Option<BTreeMap<String, String>>,
    annotations: Option<BTreeMap<String, String>>,
}

impl Secret {
    /// Returns the whole output. The error is `what: why`.
    pub(crate) fn show(
        &self,
        explain_certificates: bool,
        now: Timestamp,
        style: Style,
    ) -> Result<String, String> {
        let one = |value: &str| vec![none_if_empty(for_terminal_line(value).into_owned())];
        let rows = [
            ("Name", one(&self.metadata.name)),
            ("Namespace", one(&self.metadata.namespace)),
            ("Labels", pairs(self.metadata.labels.as_ref())),
            ("Annotations", pairs(self.metadata.annotations.as_ref())),
            ("Type", one(&self.kind)),
        ];
        let mut shown = table(&rows, style.width);
        let _ = writeln!(shown, "\n{}", style.paint(Colour::Heading, "Data"));
        let data = self.data.as_ref().filter(|data| !data.is_empty());
        let Some(data) = data else {
            shown.push_str("<none>\n");
            return Ok(shown);
        };
        for (key, value) in data {
            let key = for_terminal_line(key);
            let value = BASE64.decode(value.as_bytes()).map_err(|error| format!("data `{key}`: {error}"))?;
            let _ = writeln!(shown, "\n{}", style.paint(Colour::Key, &format!("{key}:")));
            shown.push_str(&value::show(&value, explain_certificates, now, style));
        }
        Ok(shown)
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

    const PIPE: Style = Style { colours: false, terminal: false, width: 80 };

    fn shown(json: &str, style: Style) -> Result<String, String> {
        let secret: Secret = serde_json::from_str(json).unwrap();
        secret.show(true, Timestamp::from_seconds(0), style)
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
        assert_eq!(shown(json, PIPE).unwrap(), expected);
    }

    #[test]
    fn a_secret_without_data_says_so() {
        let text = shown(r#"{"metadata":{"name":"x"},"data":null}"#, PIPE).unwrap();
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
        assert!(shown(r#"{"metadata":{},"data":{"k":"?"}}"#, PIPE).unwrap_err().starts_with("data `k`: "));
    }
}
