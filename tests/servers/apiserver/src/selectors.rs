//! Label and field selectors: which objects a list or a watch is about.

use serde_json::Value;

use crate::object::Resource;
use crate::status::Refused;

/// A conjunction of requirements; an empty one takes every object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Selector(Vec<Requirement>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Requirement {
    Label { key: String, test: Test },
    Field { path: String, test: Test },
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    Equals(String),
    Differs(String),
    Exists,
    Absent,
}

impl Selector {
    /// Parses the values of `labelSelector` and `fieldSelector`.
    ///
    /// Of label selectors the equality-based ones and existence are understood. Set-based ones (`a in (b, c)`)
    /// and fields that `resource` does not have are refused with 400, never ignored.
    pub(crate) fn parse(
        resource: &Resource,
        labels: Option<&str>,
        fields: Option<&str>,
    ) -> Result<Self, Refused> {
        let mut requirements = Vec::new();
        for text in terms(labels) {
            requirements.push(label(text)?);
        }
        for text in terms(fields) {
            requirements.push(field(resource, text)?);
        }
        Ok(Self(requirements))
    }

    pub(crate) fn takes(&self, object: &Value) -> bool {
        self.0.iter().all(|requirement| match requirement {
            Requirement::Label { key, test } => test.holds(object["metadata"]["labels"][key].as_str()),
            Requirement::Field { path, test } => {
                let found = path.split('.').fold(object, |value, key| &value[key]);
                test.holds(Some(found.as_str().unwrap_or_default()))
            }
        })
    }
}

impl Test {
    fn holds(&self, found: Option<&str>) -> bool {
        match self {
            Self::Equals(wanted) => found == Some(wanted),
            Self::Differs(unwanted) => found != Some(unwanted),
            Self::Exists => found.is_some(),
            Self::Absent => found.is_none(),
        }
    }
}

fn terms(selector: Option<&str>) -> impl Iterator<Item = &str> {
    selector.unwrap_or_default().split(',').map(str::trim).filter(|term| !term.is_empty())
}

fn label(text: &str) -> Result<Requirement, Refused> {
    if text.contains(['(', ')', ' ', '<', '>']) {
        return Err(Refused::bad_request(format!(
            "unable to parse requirement: {text}: this server knows no set-based selectors"
        )));
    }
    let (key, condition) = match comparison(text) {
        Some(found) => found,
        None => match text.strip_prefix('!') {
            Some(key) => (key, Test::Absent),
            None => (text, Test::Exists),
        },
    };
    Ok(Requirement::Label { key: key.to_owned(), test: condition })
}

fn field(resource: &Resource, text: &str) -> Result<Requirement, Refused> {
    let Some((path, condition)) = comparison(text) else {
        return Err(Refused::bad_request(format!("invalid selector: '{text}'; can't understand '{text}'")));
    };
    let known = ["metadata.name", "metadata.namespace"].iter().chain(resource.fields);
    if !known.into_iter().any(|field| *field == path) {
        return Err(Refused::bad_request(format!("field label not supported: {path}")));
    }
    Ok(Requirement::Field { path: path.to_owned(), test: condition })
}

fn comparison(text: &str) -> Option<(&str, Test)> {
    if let Some((key, value)) = text.split_once("!=") {
        return Some((key.trim(), Test::Differs(value.trim().to_owned())));
    }
    let (key, value) = text.split_once("==").or_else(|| text.split_once('='))?;
    Some((key.trim(), Test::Equals(value.trim().to_owned())))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn takes(labels: &str, fields: &str) -> bool {
        let object = json!({
            "metadata": { "name": "e1", "labels": { "app": "web" } },
            "reason": "BackOff", "involvedObject": { "kind": "Pod" },
        });
        let events = Resource::find("events").unwrap();
        Selector::parse(events, Some(labels), Some(fields)).unwrap().takes(&object)
    }

    #[test]
    fn labels_are_compared_and_looked_for() {
        assert!(takes("app=web", "") && takes("app==web,app!=db", "") && takes("app,!tier", ""));
        assert!(
            !takes("app=db", "") && !takes("tier", "") && !takes("!app", "") && !takes("app=web,tier=x", "")
        );
    }

    #[test]
    fn fields_are_compared_through_nested_objects() {
        assert!(takes("", "reason=BackOff,involvedObject.kind=Pod"));
        assert!(!takes("", "metadata.name!=e1") && !takes("", "involvedObject.kind=Node"));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let secrets = Resource::find("secrets").unwrap();
        for (labels, fields) in [("app in (a,b)", ""), ("", "reason=x"), ("", "metadata.name")] {
            let refused = Selector::parse(secrets, Some(labels), Some(fields)).unwrap_err();
            assert_eq!(refused.code(), 400, "{labels}{fields}");
        }
    }
}
