//! The JSON schema of the format of policies, for editors: [draft 2020-12](https://json-schema.org/draft/2020-12).
//!
//! The schema accepts every document that the reader accepts. The reader refuses more: sizes and times out of their
//! range, hosts at private addresses, and folders and variables that no policy can grant.

use serde_json::{Value, json};

use super::format::{DOCUMENT, FORMAT, Form, Key, Kind, Map};
use super::judge::Policy;
use crate::document::API_VERSION;
use crate::environment::CONNECTION_FLAGS;

/// The dialect of the schema.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// A number that is written in quotes.
const DIGITS: &str = r"^\+?[0-9]+$";
const BYTES: &str = "^[0-9]+(Ki|Mi|Gi)?$";
const TIMEOUT: &str = "^(none|[0-9]+h([0-9]+m)?([0-9]+s)?|[0-9]+m([0-9]+s)?|[0-9]+s)$";

impl Policy {
    /// Returns the JSON schema of policies.
    #[must_use]
    pub fn schema() -> Value {
        let mut schema = map(&DOCUMENT);
        schema["$schema"] = json!(DIALECT);
        schema["title"] = json!("A policy of kwasm");
        schema["description"] = json!("The permissions of a kubectl plugin.");
        for (key, wanted) in [("apiVersion", API_VERSION), ("kind", FORMAT.kind)] {
            schema["properties"][key] = json!({"const": wanted});
        }
        let required = schema["required"].as_array().into_iter().flatten();
        let required: Vec<Value> =
            [json!("apiVersion"), json!("kind")].into_iter().chain(required.cloned()).collect();
        schema["required"] = json!(required);
        schema
    }
}

fn map(map: &Map) -> Value {
    let properties: serde_json::Map<String, Value> =
        map.keys.iter().map(|key| (key.name.to_owned(), described(key))).collect();
    let required: Vec<&str> = map.keys.iter().filter(|key| key.is_required).map(|key| key.name).collect();
    json!({
        "type": "object", "properties": properties, "required": required, "additionalProperties": false,
    })
}

fn described(key: &Key) -> Value {
    let mut schema = value(&key.kind);
    schema["description"] = json!(key.about);
    schema
}

fn value(kind: &Kind) -> Value {
    match kind {
        Kind::Text(form) => text(*form),
        Kind::Flag => json!({"type": "boolean"}),
        Kind::Number(range) => either(
            &json!({"type": "integer", "minimum": range.least, "maximum": range.most}),
            &json!({"type": "string", "pattern": DIGITS}),
        ),
        Kind::Bytes(range) => either(
            &json!({"type": "integer", "minimum": range.least, "maximum": range.most}),
            &json!({"type": "string", "pattern": BYTES}),
        ),
        Kind::Timeout => json!({"type": "string", "pattern": TIMEOUT}),
        Kind::Texts(form) => json!({"type": "array", "items": text(*form)}),
        Kind::SomeTexts(form) => some(*form),
        Kind::Selector(form) => either(&json!({"const": "*"}), &some(*form)),
        Kind::Map(keys) => map(keys),
        Kind::List(keys) => json!({"type": "array", "items": map(keys)}),
        Kind::Either(one, other) => {
            let first: Vec<&str> = one.keys.iter().map(|key| key.name).take(1).collect();
            // Not `anyOf`, of which an editor cannot say what is wrong.
            let items = json!({"if": {"required": first}, "then": map(one), "else": map(other)});
            json!({"type": "array", "items": items})
        }
    }
}

fn text(form: Form) -> Value {
    match form {
        Form::Any => json!({"type": "string"}),
        Form::NotEmpty => json!({"type": "string", "minLength": 1}),
        Form::Word(words) => json!({"enum": words}),
        Form::ConnectionFlag => {
            let names = CONNECTION_FLAGS.iter().flat_map(|flag| [Some(flag.long), flag.short]);
            json!({"enum": names.flatten().collect::<Vec<_>>()})
        }
        Form::Pattern(pattern) => json!({"type": "string", "pattern": pattern.expression}),
    }
}

fn some(form: Form) -> Value {
    json!({"type": "array", "minItems": 1, "items": text(form)})
}

fn either(one: &Value, other: &Value) -> Value {
    json!({"anyOf": [one, other]})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Fault;
    use crate::policy::format::ACCESS;

    /// A map of the schema: a document with that map, in which `INNER` stands for its entries, and its keys.
    type Place = (String, Vec<String>);

    fn places(schema: &Value, document: &str, found: &mut Vec<Place>) {
        let kinds = [schema, &schema["then"], &schema["else"]];
        let mut names = Vec::new();
        for (name, below) in kinds.iter().filter_map(|kind| kind["properties"].as_object()).flatten() {
            let inside = |text: &str| document.replace("INNER", &format!("{name}: {text}"));
            if below["properties"].is_object() {
                places(below, &inside("{INNER}"), found);
            } else if below["items"]["properties"].is_object() || below["items"]["then"].is_object() {
                places(&below["items"], &inside("[{INNER}]"), found);
            }
            names.push(name.clone());
        }
        names.sort();
        names.dedup();
        found.push((document.to_owned(), names));
    }

    fn all() -> Vec<Place> {
        let mut found = Vec::new();
        places(&Policy::schema(), "{INNER}", &mut found);
        // What is missing at the root is of no interest below it.
        for (document, _) in found.iter_mut().filter(|(document, _)| document != "{INNER}") {
            *document = document.replacen('{', "{apiVersion: kwasm.dev/v1, kind: Policy, ", 1);
        }
        assert_eq!(found.len(), 9, "{found:?}");
        found
    }

    fn faults(document: &str, entry: &str) -> Vec<Fault> {
        Policy::read("test.yaml", &document.replace("INNER", entry)).unwrap_err()
    }

    #[test]
    fn the_reader_knows_the_keys_of_the_schema_and_no_others() {
        for (document, names) in all() {
            let faults = faults(&document, "unheardof: 1");
            let fault = faults.iter().find(|fault| fault.key.ends_with("unheardof")).unwrap();
            let listed =
                fault.hint.trim_start_matches("its keys are ").trim_start_matches("its only key is ");
            let mut known: Vec<&str> = listed.split(", ").collect();
            known.sort_unstable();
            assert_eq!(known, names, "{document}");
        }
    }

    #[test]
    fn the_reader_reads_each_key() {
        for (document, names) in all() {
            for name in names {
                let faults = faults(&document, &format!("{name}: {{unheardof: 1}}"));
                let is_read = |fault: &Fault| {
                    fault.key.split('.').any(|key| key == name) && !fault.what.contains("no such key")
                        || fault.key.ends_with(&format!("{name}.unheardof"))
                };
                assert!(faults.iter().any(is_read), "{name} in {document}: {faults:?}");
            }
        }
    }

    #[test]
    fn the_reader_accepts_each_word_of_the_schema() {
        for access in ACCESS {
            let spec = format!("{{files: [{{path: ., access: {access}}}]}}");
            let text =
                format!("apiVersion: kwasm.dev/v1\nkind: Policy\nmetadata: {{name: x}}\nspec: {spec}\n");
            assert!(Policy::read("test.yaml", &text).is_ok(), "{access}");
        }
    }

    #[test]
    fn the_schema_is_written_the_same_each_time() {
        assert_eq!(Policy::schema().to_string(), Policy::schema().to_string());
        assert_eq!(Policy::schema()["$schema"], DIALECT);
        assert_eq!(Policy::schema()["required"], json!(["apiVersion", "kind", "metadata", "spec"]));
    }
}
