//! The user that the API server sees.

use plugin_kit::{Cell, Table};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `authentication.k8s.io/v1`, the `userInfo` of a `SelfSubjectReview`.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct User {
    #[serde(default)]
    pub(crate) username: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    uid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extra: Option<BTreeMap<String, Option<Vec<String>>>>,
}

impl User {
    /// Returns all that is known, a row for each group and value.
    pub(crate) fn table(&self) -> Table {
        let mut table = Table::new(["ATTRIBUTE", "VALUE"]);
        let mut row = |name: &str, value: &str| table.row([Cell::new(name), Cell::new(value)]);
        row("Username", &self.username);
        if !self.uid.is_empty() {
            row("UID", &self.uid);
        }
        for group in self.groups.iter().flatten() {
            row("Group", group);
        }
        for (name, values) in self.extra.iter().flatten() {
            for value in values.iter().flatten() {
                row(&format!("Extra: {name}"), value);
            }
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plugin_kit::Style;

    fn printed(text: &str) -> String {
        let user: User = serde_json::from_str(text).unwrap();
        let mut out = Vec::new();
        user.table().print(Style::PLAIN, true, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_group_and_each_value_has_a_row() {
        let text =
            r#"{"username":"alice","uid":"7","groups":["dev","a\u001b"],"extra":{"scopes":["x","y"]}}"#;
        let expected = "\
ATTRIBUTE       VALUE
Username        alice
UID             7
Group           dev
Group           a\\x1b
Extra: scopes   x
Extra: scopes   y
";
        assert_eq!(printed(text), expected);
    }

    #[test]
    fn what_is_not_known_has_no_row() {
        let expected = "ATTRIBUTE   VALUE\nUsername    bob\n";
        assert_eq!(printed(r#"{"username":"bob","groups":null,"extra":{"a":null}}"#), expected);
        assert_eq!(printed("{}"), "ATTRIBUTE   VALUE\nUsername\n");
    }
}
