//! The reader of `trust.yaml`: strict, since a rule that is passed over asks for nothing.

use std::io;
use std::path::Path;

use serde::Deserialize;
use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy};
use serde_saphyr::{Error as YamlError, Options, Spanned};

use super::scope::Scope;
use super::{Fault, LONGEST, Mode, Rule, Trust};
use crate::registry::signature::{Key, KeySet, KeySetError};

const API_VERSION: &str = "kwasm.dev/v1";
const KIND: &str = "Trust";

/// What a file begins with.
const BEGINNING: &str = "a trust file begins with `apiVersion: kwasm.dev/v1` and `kind: Trust`";

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Document {
    api_version: Spanned<String>,
    kind: Spanned<String>,
    default: Option<Mode>,
    rules: Option<Spanned<Vec<Spanned<RuleText>>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleText {
    registry: Option<Spanned<String>>,
    namespace: Option<Spanned<String>>,
    signatures: Spanned<Mode>,
    keys: Option<Spanned<KeysText>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct KeysText {
    any_of: Option<Vec<Spanned<String>>>,
    all_of: Option<Vec<Spanned<String>>>,
}

/// The file, and how its keys are fetched.
struct Reader<'a> {
    file: &'a Path,
    key: &'a dyn Fn(&Path) -> io::Result<Vec<u8>>,
}

/// Reads a text; `file` is where it is from.
pub(super) fn read(
    file: &Path,
    text: &str,
    key: &dyn Fn(&Path) -> io::Result<Vec<u8>>,
) -> Result<Trust, Fault> {
    let reader = Reader { file, key };
    if text.len() as u64 > LONGEST {
        return Err(reader.fault(None, "it is longer than 1 MiB", "a trust file is a short YAML file"));
    }
    let document: Document = serde_saphyr::from_str_with_options(text, options()).map_err(|error| {
        let line = error.location().map_or(1, |location| location.line().max(1));
        let (what, hint) = explained(error.without_snippet());
        reader.fault(Some(line), what, hint)
    })?;
    for (key, found, wanted) in
        [("apiVersion", &document.api_version, API_VERSION), ("kind", &document.kind, KIND)]
    {
        if found.value != wanted {
            return Err(reader.at(found, format!("`{key}` is not {wanted}"), BEGINNING));
        }
    }
    let rules = document.rules.map_or_else(|| Ok(Vec::new()), |rules| reader.rules(rules))?;
    Ok(Trust { file: file.to_owned(), default: document.default.unwrap_or_default(), rules })
}

impl Reader<'_> {
    fn rules(&self, texts: Spanned<Vec<Spanned<RuleText>>>) -> Result<Vec<Rule>, Fault> {
        if texts.value.is_empty() {
            return Err(self.at(&texts, "there is no rule in the list", "add one, or remove `rules`"));
        }
        let mut rules: Vec<Rule> = Vec::new();
        for text in texts.value {
            let line = line(&text);
            let rule = self.rule(text)?;
            if let Some(same) = rules.iter().find(|same| same.scope == rule.scope) {
                let what = format!("there is a rule for {} already, at line {}", rule.scope, same.line);
                return Err(self.fault(Some(line), what, "make one rule of them"));
            }
            rules.push(rule);
        }
        Ok(rules)
    }

    fn rule(&self, text: Spanned<RuleText>) -> Result<Rule, Fault> {
        let line = line(&text);
        let RuleText { registry, namespace, signatures, keys } = text.value;
        let (at, scope) = match (registry, namespace) {
            (Some(text), None) => (self::line(&text), Scope::registry(&text.value)),
            (None, Some(text)) => (self::line(&text), Scope::namespace(&text.value)),
            (Some(_), Some(_)) => {
                let what = "a rule is about a registry or a namespace, and this one is about both";
                return Err(self.fault(Some(line), what, "make two rules of it"));
            }
            (None, None) => {
                let hint = "write `registry: HOST[:PORT][/PREFIX]` or `namespace: NAME`";
                return Err(self.fault(
                    Some(line),
                    "the rule names neither a registry nor a namespace",
                    hint,
                ));
            }
        };
        let scope = scope.map_err(|what| {
            self.fault(Some(at), what, "e.g. `registry: ghcr.io/acme`, or `namespace: acme`")
        })?;
        let keys = keys.map(|keys| self.keys(keys)).transpose()?;
        if keys.is_none() && signatures.value != Mode::Ignore {
            let what = format!("without `keys`, no signature of {scope} is accepted");
            return Err(self.at(&signatures, what, "write e.g. `keys: {anyOf: [team.pub]}`"));
        }
        Ok(Rule { scope, line, mode: signatures.value, keys })
    }

    fn keys(&self, text: Spanned<KeysText>) -> Result<KeySet, Fault> {
        const CURE: &str = "write `anyOf`, where one key has to sign, or `allOf`, where all keys have to";
        let line = line(&text);
        let read = |texts: Vec<Spanned<String>>| -> Result<Vec<Key>, Fault> {
            texts.iter().map(|text| self.key(text)).collect()
        };
        let set = match (text.value.any_of, text.value.all_of) {
            (Some(texts), None) => KeySet::any_of(read(texts)?),
            (None, Some(texts)) => KeySet::all_of(read(texts)?),
            (Some(_), Some(_)) => {
                return Err(self.fault(Some(line), "there is both `anyOf` and `allOf`", CURE));
            }
            (None, None) => {
                return Err(self.fault(Some(line), "there is neither `anyOf` nor `allOf`", CURE));
            }
        };
        set.map_err(|error| {
            let hint = match error {
                KeySetError::Empty => "name a file beside this one, or write the PEM text itself",
                KeySetError::Twice(..) => "remove one of them",
            };
            self.fault(Some(line), error.to_string(), hint)
        })
    }

    /// A key: PEM text, or the path of a file that has some.
    fn key(&self, text: &Spanned<String>) -> Result<Key, Fault> {
        const CURE: &str = "cosign public-key --key KEY prints the public key of a private one";
        if text.value.contains("-----BEGIN") {
            let file = self.file.file_name().unwrap_or_default().to_string_lossy();
            let name = format!("{file}:{}", line(text));
            return Key::from_pem(&name, text.value.as_bytes())
                .map_err(|error| self.at(text, format!("the key here: {error}"), CURE));
        }
        let name = &text.value;
        let path = self.file.parent().unwrap_or(Path::new("")).join(name);
        let pem = (self.key)(&path).map_err(|error| {
            let hint = "a key is a file beside this one, an absolute path, or the PEM text itself";
            self.at(text, format!("the key `{name}` cannot be read: {error}"), hint)
        })?;
        Key::from_pem(name, &pem).map_err(|error| self.at(text, format!("the key `{name}`: {error}"), CURE))
    }

    fn at<T>(&self, node: &Spanned<T>, what: impl Into<String>, hint: &str) -> Fault {
        self.fault(Some(line(node)), what, hint)
    }

    fn fault(&self, line: Option<u64>, what: impl Into<String>, hint: impl Into<String>) -> Fault {
        Fault { file: self.file.to_owned(), line, what: what.into(), hint: hint.into() }
    }
}

fn line<T>(node: &Spanned<T>) -> u64 {
    node.referenced.line().max(1)
}

fn options() -> Options {
    serde_saphyr::options! {
        // Else what a few aliases stand for is read a million times.
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: 10_000 },
        // Each level takes its part of the stack, and a trust file has five.
        budget: serde_saphyr::budget! { max_depth: 16 },
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::AsOrdinary,
        reject_unsupported_tags: true,
    }
}

/// What is wrong and what helps. Of values nothing is shown: what was written there may have been a private key.
fn explained(error: &YamlError) -> (String, String) {
    let told = |what: &str, hint: &str| (what.to_owned(), hint.to_owned());
    match error {
        YamlError::AliasError { error, .. } => explained(error),
        YamlError::Eof { .. } => told("it is empty", BEGINNING),
        YamlError::MultipleDocuments { .. } => {
            told("a second document begins there", "remove what begins with `---`")
        }
        YamlError::SerdeUnknownField { field, expected, .. } => {
            (format!("there is no key `{field}` here"), format!("its keys are {}", expected.join(", ")))
        }
        YamlError::SerdeMissingField { field: "apiVersion" | "kind", .. } => {
            told("it is not declared as a trust file", BEGINNING)
        }
        YamlError::SerdeMissingField { field, .. } => {
            (format!("`{field}` is missing"), format!("write `{field}: ignore`, `warn` or `require`"))
        }
        YamlError::SerdeUnknownVariant { expected, .. } => {
            (format!("it is not one of {}", expected.join(", ")), "write one of them".to_owned())
        }
        YamlError::Unexpected { expected: "sequence start", .. } => {
            told("it is not a list", "write it in brackets, or a dash before each item")
        }
        YamlError::Unexpected { expected: "mapping start", .. } => {
            told("it is not a map", "write `KEY: VALUE`, a line each or in braces")
        }
        YamlError::DuplicateMappingKey { key, .. } => {
            let key = key.as_deref().unwrap_or("key");
            (format!("`{key}` is given twice"), "remove one of them".to_owned())
        }
        YamlError::Budget { .. }
        | YamlError::AliasReplayLimitExceeded { .. }
        | YamlError::AliasExpansionLimitExceeded { .. }
        | YamlError::AliasReplayStackDepthExceeded { .. } => {
            told("it is deeper or larger than a trust file can be", "write it without anchors and aliases")
        }
        _ => told(
            "it is not a valid trust file",
            "a rule reads `- {registry: HOST, signatures: require, keys: {anyOf: [team.pub]}}`",
        ),
    }
}
