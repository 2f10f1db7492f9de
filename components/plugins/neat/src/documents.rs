//! The documents that come in and go out.

use kube_guest::for_terminal_line;
use plugin_kit::Failure;
use serde_json::Value;
use std::io::Read;

/// The size of the input, in bytes, beyond which it is refused.
const LIMIT: u64 = 64 * 1024 * 1024;

/// A form of documents.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Form {
    Json,
    Yaml,
}

/// Documents, each an object or a list.
#[derive(Debug, PartialEq)]
pub(crate) struct Documents(Vec<Value>);

impl Documents {
    /// Returns one document.
    pub(crate) fn of(document: Value) -> Self {
        Self(vec![document])
    }

    /// Reads all documents of an input, and which form it has.
    pub(crate) fn read(input: impl Read) -> Result<(Self, Form), Failure> {
        let mut text = String::new();
        let read = input.take(LIMIT + 1).read_to_string(&mut text);
        let read = read.map_err(|error| Failure::message(format!("standard input: {error}")))?;
        if u64::try_from(read).is_ok_and(|read| read > LIMIT) {
            return Err(Failure::message(format!("standard input: longer than {} MiB", LIMIT >> 20)));
        }
        let (documents, form) = parse(&text).map_err(|why| {
            Failure::message(format!(
                "standard input: {}",
                for_terminal_line(why.lines().next().unwrap_or_default())
            ))
        })?;
        if documents.is_empty() {
            let hint = "kubectl get pod NAME -o yaml | kubectl neat";
            return Err(Failure::message("standard input: empty").with_hint(hint));
        }
        Ok((Self(documents), form))
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Value> {
        self.0.iter_mut()
    }

    /// Returns them as text.
    pub(crate) fn text(&self, form: Form) -> Result<String, Failure> {
        let texts: Result<Vec<String>, Failure> = match form {
            Form::Json => self.0.iter().map(plugin_kit::json).collect(),
            Form::Yaml => self.0.iter().map(plugin_kit::yaml).collect(),
        };
        Ok(texts?.join(if form == Form::Json { "" } else { "---\n" }))
    }
}

fn parse(text: &str) -> Result<(Vec<Value>, Form), String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_start().starts_with('{') {
        let documents = serde_json::Deserializer::from_str(text).into_iter::<Value>();
        let documents: Result<Vec<Value>, _> = documents.collect();
        match documents {
            Ok(documents) => return Ok((documents, Form::Json)),
            // YAML may begin like that too.
            Err(error) => {
                return yaml(text).map(|documents| (documents, Form::Yaml)).map_err(|_| error.to_string());
            }
        }
    }
    Ok((yaml(text)?, Form::Yaml))
}

fn yaml(text: &str) -> Result<Vec<Value>, String> {
    let options = serde_saphyr::options! {
        with_snippet: false,
        // As kubectl reads modes of files, such as 0644.
        legacy_octal_numbers: true,
        // kubectl writes none, and people few.
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: 100_000 },
        budget: serde_saphyr::budget! { max_events: 20_000_000, max_nodes: 10_000_000 },
    };
    serde_saphyr::from_multiple_with_options(text, options).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(text: &str) -> (Vec<Value>, Form) {
        let (documents, form) = Documents::read(text.as_bytes()).unwrap();
        (documents.0, form)
    }

    fn refused(text: &[u8]) -> String {
        match Documents::read(text) {
            Err(Failure::Message { what, .. }) => what,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn either_form_is_recognised() {
        assert_eq!(read("\n {\"a\": 1}\n{\"b\": 2}"), (vec![json!({"a": 1}), json!({"b": 2})], Form::Json));
        assert_eq!(read("a: 1\n---\nb: [x]\n"), (vec![json!({"a": 1}), json!({"b": ["x"]})], Form::Yaml));
        assert_eq!(read("{a: 1}\n").0, [json!({"a": 1})]);
    }

    #[test]
    fn scalars_are_read_as_kubectl_reads_them() {
        let text = "mode: 0644\nyes: yes\nquoted: \"0644\"\nfloat: 1.5\nbig: 18446744073709551615\nnothing: ~\ntext: |\n  a\n";
        let expected = json!({"mode": 420, "yes": true, "quoted": "0644", "float": 1.5, "big": u64::MAX, "nothing": null,
            "text": "a\n"});
        assert_eq!(read(text).0, [expected]);
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        assert_eq!(refused(b""), "standard input: empty");
        assert!(refused(b"\xff").starts_with("standard input: "));
        assert!(refused(b"a: [1").starts_with("standard input: "));
        assert!(refused(b"{\"a\": 1").starts_with("standard input: "));
    }

    #[test]
    fn aliases_that_multiply_are_refused() {
        let line = |level: usize| {
            let list = vec![format!("*a{}", level - 1); 10].join(", ");
            format!("a{level}: &a{level} [{list}]\n")
        };
        let text = "a0: &a0 [x]\n".to_owned() + &(1..12).map(line).collect::<String>();
        assert!(refused(text.as_bytes()).starts_with("standard input: "));
    }

    #[test]
    fn the_text_has_all_documents() {
        let documents = Documents(vec![json!({"a": 1}), json!({"b": 2})]);
        assert_eq!(documents.text(Form::Yaml).unwrap(), "a: 1\n---\nb: 2\n");
        assert_eq!(documents.text(Form::Json).unwrap(), "{\n  \"a\": 1\n}\n{\n  \"b\": 2\n}\n");
    }
}
