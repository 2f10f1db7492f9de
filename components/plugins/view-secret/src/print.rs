//! The decoded values as text, and as JSON or YAML.

use crate::secret::{Entry, Secret};
use plugin_kit::Style;
use serde::Serialize;
use std::io::{self, Write};

/// Prints a value alone, or several with their keys. Off a terminal each byte is printed as it is.
pub(crate) fn text(entries: &[Entry<'_>], style: Style, out: &mut impl Write) -> io::Result<()> {
    for entry in entries {
        if entries.len() > 1 {
            write!(out, "{}='", style.value(entry.key))?;
        }
        if style.terminal {
            write!(out, "{}", style.value(&String::from_utf8_lossy(&entry.value)))?;
        } else {
            out.write_all(&entry.value)?;
        }
        writeln!(out, "{}", if entries.len() > 1 { "'" } else { "" })?;
    }
    Ok(())
}

/// The document.
#[derive(Debug, Serialize)]
pub(crate) struct Document<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Vec<Pair<'a>>>,
    /// The keys, if no value was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<Vec<&'a str>>,
    name: &'a str,
    namespace: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
}

#[derive(Debug, Serialize)]
struct Pair<'a> {
    key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a str>,
    /// A value that is no text.
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
}

/// Returns the document of these values, or of the keys alone.
pub(crate) fn document<'a>(secret: &'a Secret, entries: Option<&'a [Entry<'a>]>) -> Document<'a> {
    let pair = |entry: &'a Entry<'a>| {
        let value = str::from_utf8(&entry.value).ok();
        let base64 = value.is_none().then(|| data_encoding::BASE64.encode(&entry.value));
        Pair { key: entry.key, value, base64 }
    };
    Document {
        data: entries.map(|entries| entries.iter().map(pair).collect()),
        keys: entries.is_none().then(|| secret.keys()),
        name: &secret.metadata.name,
        namespace: &secret.metadata.namespace,
        kind: &secret.kind,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(entries: &[Entry<'_>], style: Style) -> Vec<u8> {
        let mut out = Vec::new();
        text(entries, style, &mut out).unwrap();
        out
    }

    fn entry<'a>(key: &'a str, value: &[u8]) -> Entry<'a> {
        Entry { key, value: value.to_vec() }
    }

    #[test]
    fn one_value_stands_alone_and_several_with_their_keys() {
        assert_eq!(printed(&[entry("a", b"x\ny")], Style::PLAIN), b"x\ny\n");
        assert_eq!(printed(&[entry("a", b"x"), entry("b", b"y")], Style::PLAIN), b"a='x'\nb='y'\n");
    }

    #[test]
    fn a_terminal_gets_no_bytes_that_drive_it_and_a_pipe_gets_all() {
        let terminal = Style { terminal: true, ..Style::PLAIN };
        assert_eq!(printed(&[entry("a", b"x\x1b[2J\n")], terminal), b"x\\x1b[2J\n\n");
        assert_eq!(printed(&[entry("a", b"x\x1b\xff")], Style::PLAIN), b"x\x1b\xff\n");
    }

    #[test]
    fn what_is_no_text_is_base64_in_a_document() {
        let secret: Secret = serde_json::from_str(
            r#"{"metadata":{"name":"n","namespace":"s"},"type":"Opaque","data":{"a":"","b":""}}"#,
        )
        .unwrap();
        let entries = [entry("a", b"x"), entry("b", b"\xff")];
        let json = serde_json::to_string(&document(&secret, Some(&entries))).unwrap();
        let expected = r#"{"data":[{"key":"a","value":"x"},{"key":"b","base64":"/w=="}],"name":"n","namespace":"s","type":"Opaque"}"#;
        assert_eq!(json, expected);
        let json = serde_json::to_string(&document(&secret, None)).unwrap();
        assert_eq!(json, r#"{"keys":["a","b"],"name":"n","namespace":"s","type":"Opaque"}"#);
    }
}
