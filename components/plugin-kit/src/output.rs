//! JSON and YAML.

use crate::{Arguments, Failure, Flag, Value};
use serde::Serialize;
use std::io::{self, Write};

/// `-o, --output`.
pub static OUTPUT: Flag = Flag {
    long: "output",
    short: Some('o'),
    value: Value::OneOf("FORMAT", &["json", "yaml"]),
    help: "prints json or yaml instead of a table",
};

/// `--no-headers`.
pub static NO_HEADERS: Flag = Flag::switch("no-headers", None, "prints no headings");

/// The chosen form of the output.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Output {
    /// For people.
    Table,
    /// JSON.
    Json,
    /// YAML.
    Yaml,
}

impl Output {
    /// Returns what `-o` chooses.
    #[must_use]
    pub fn of(arguments: &Arguments) -> Self {
        match arguments.value(&OUTPUT) {
            Some("json") => Self::Json,
            Some("yaml") => Self::Yaml,
            _ => Self::Table,
        }
    }

    /// Prints a document in JSON or YAML, or returns `false` if a table is wanted.
    ///
    /// # Errors
    ///
    /// A value that has no such form, or standard output.
    pub fn print(self, value: &impl Serialize) -> Result<bool, Failure> {
        let text = match self {
            Self::Table => return Ok(false),
            Self::Json => json(value)?,
            Self::Yaml => yaml(value)?,
        };
        io::stdout().lock().write_all(text.as_bytes())?;
        Ok(true)
    }
}

/// Returns a value in JSON, indented, with a newline at the end.
///
/// # Errors
///
/// A value that has no JSON, which none of a plugin's own should be.
pub fn json(value: &impl Serialize) -> Result<String, Failure> {
    let text =
        serde_json::to_string_pretty(value).map_err(|error| Failure::message(format!("json: {error}")))?;
    Ok(text + "\n")
}

/// Returns a value in YAML, as kubectl prints it: lists are not indented, and no line is folded.
///
/// # Errors
///
/// A value that has no YAML, which none of a plugin's own should be.
pub fn yaml(value: &impl Serialize) -> Result<String, Failure> {
    let options = serde_saphyr::ser_options! { compact_list_indent: true, folded_wrap_chars: usize::MAX };
    serde_saphyr::to_string_with_options(value, options)
        .map_err(|error| Failure::message(format!("yaml: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_is_laid_out_as_by_kubectl() {
        let long = "word ".repeat(40) + "end";
        let value = serde_json::json!({
            "kind": "Pod", "spec": {"containers": [{"name": "a", "args": ["x", "true", "1"]}], "none": {}, "empty": []},
            "text": "one\ntwo\n", "long": long, "number": 1, "quoted": "no", "nothing": null,
        });
        let expected = format!(
            "\
kind: Pod
long: {long}
nothing: null
number: 1
quoted: \"no\"
spec:
  containers:
  - args:
    - x
    - \"true\"
    - \"1\"
    name: a
  empty: []
  none: {{}}
text: |
  one
  two
"
        );
        assert_eq!(yaml(&value).unwrap(), expected);
    }
}
