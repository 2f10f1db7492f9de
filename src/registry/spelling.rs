//! Names of fields in the documents of registries, which others read less strictly than kwasm.
//!
//! Most programs around containers read them by Go's [`encoding/json`][1], which takes a field whose name differs by case, and
//! the last one of several. So a document could be one thing to kwasm and another to a node.
//!
//! [1]: https://pkg.go.dev/encoding/json#Unmarshal

use serde_json::Value;

/// The fields of manifests, indexes, descriptors, platforms and image configurations that decide what is run or mounted
/// ([OCI image specification][1]).
///
/// [1]: https://github.com/opencontainers/image-spec/tree/v1.1.1/specs-go/v1
const FIELDS: [&str; 18] = [
    "annotations",
    "architecture",
    "artifactType",
    "config",
    "data",
    "digest",
    "layers",
    "manifests",
    "mediaType",
    "os",
    "os.features",
    "os.version",
    "platform",
    "schemaVersion",
    "size",
    "subject",
    "urls",
    "variant",
];

/// Returns the first field whose name others may take for that of another, and that name. A document that is not JSON has none.
pub(super) fn mistakable(bytes: &[u8]) -> Option<(String, &'static str)> {
    within(&serde_json::from_slice(bytes).ok()?)
}

fn within(value: &Value) -> Option<(String, &'static str)> {
    match value {
        Value::Object(fields) => fields.iter().find_map(|(name, value)| {
            let known = FIELDS.into_iter().find(|known| folded(known) == folded(name));
            match known {
                Some(known) if known != name => Some((name.clone(), known)),
                // Their names are free.
                Some("annotations") => None,
                _ => within(value),
            }
        }),
        Value::Array(values) => values.iter().find_map(within),
        _ => None,
    }
}

/// Folds case as Go does: two characters beyond ASCII are taken for letters of it.
fn folded(name: &str) -> String {
    let folded = |character| match character {
        'ſ' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    };
    name.chars().map(folded).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_differs_by_case_alone_is_found_wherever_it_is() {
        let found =
            |text: &str| mistakable(text.as_bytes()).map(|(name, known)| format!("{name} for {known}"));
        for (text, name) in [
            (r#"{"Layers": []}"#, "Layers for layers"),
            (r#"{"layers": [], "LAYERS": []}"#, "LAYERS for layers"),
            (r#"{"layer\u017f": []}"#, "layerſ for layers"),
            (r#"{"manifests": [{"digest": "a"}, {"digest": "a", "Digest": "b"}]}"#, "Digest for digest"),
            (r#"{"manifests": [{"platform": {"OS": "linux"}}]}"#, "OS for os"),
            (r#"{"artifacttype": "a"}"#, "artifacttype for artifactType"),
            (r#"{"Annotations": {}}"#, "Annotations for annotations"),
        ] {
            assert_eq!(found(text).as_deref(), Some(name), "{text}");
        }
        for text in [
            r#"{"layers": [], "layer": [], "org.example.Layers": []}"#,
            r#"{"annotations": {"Layers": "a", "OS": "linux"}}"#,
            "[1, null, {}]",
            "no JSON",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
