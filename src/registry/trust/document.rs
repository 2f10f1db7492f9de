//! The reader of `trust.yaml`. It is strict, since an ignored rule would require nothing.
//!
//! The only values shown are the scopes of rules and the names of files, since others may have been a private
//! key.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use super::scope::Scope;
use super::{Mode, Rule, Trust};
use crate::document::{Entries, Fault, Faults, Format, Node, Place};
use crate::registry::signature::{Key, KeySet, KeySetError};

/// The kind of a trust file's document, and its name in messages.
const FORMAT: Format = Format { kind: "Trust", name: "a trust file" };

/// A file, and the function that fetches its keys.
struct Reader<'a> {
    file: &'a Path,
    key: &'a dyn Fn(&Path) -> io::Result<Vec<u8>>,
}

impl Trust {
    /// Reads a file and the keys beside it. A missing file requires nothing; a file or a key that cannot be
    /// read is a fault.
    ///
    /// # Errors
    /// All of its faults.
    pub fn load(file: &Path) -> Result<Self, Vec<Fault>> {
        // A link to nowhere was meant to be something.
        if file.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            return Ok(Self::default());
        }
        let fault = |why: &dyn fmt::Display, hint: &str| {
            vec![Fault::whole(file.display().to_string(), format!("it cannot be read: {why}"), hint)]
        };
        let bytes =
            content(file).map_err(|error| fault(&error, "without the file, no signature is required"))?;
        let text =
            String::from_utf8(bytes).map_err(|_| fault(&"it is not UTF-8 text", "write it in UTF-8"))?;
        Self::read(file, &text, content)
    }

    /// Reads the text of a file. `key` fetches the content of a key's file; a relative path is beside `file`.
    ///
    /// # Errors
    /// All of its faults, in the order of the lines.
    pub fn read(
        file: &Path,
        text: &str,
        key: impl Fn(&Path) -> io::Result<Vec<u8>>,
    ) -> Result<Self, Vec<Fault>> {
        read(file, text, &key)
    }
}

/// Reads a text; `file` is its origin.
fn read(file: &Path, text: &str, key: &dyn Fn(&Path) -> io::Result<Vec<u8>>) -> Result<Trust, Vec<Fault>> {
    let name = file.display().to_string();
    let mut faults = Faults::of(&name, FORMAT);
    let trust = faults
        .document(text, &["default", "rules"])
        .map(|entries| Reader { file, key }.trust(&mut faults, entries));
    faults.finish(trust)
}

impl Reader<'_> {
    fn trust(&self, faults: &mut Faults<'_>, mut entries: Entries) -> Trust {
        let default = entries.take("default").and_then(|(place, node)| mode(faults, &place, node));
        let rules = entries.take("rules").map(|(place, node)| self.rules(faults, &place, node));
        Trust {
            file: self.file.to_owned(),
            default: default.unwrap_or_default(),
            rules: rules.unwrap_or_default(),
        }
    }

    fn rules(&self, faults: &mut Faults<'_>, place: &Place, node: Node) -> Vec<Rule> {
        let before = faults.number();
        let items = faults.list(place, node, "write it in brackets, or a dash before each item");
        if items.is_empty() && faults.number() == before {
            faults.add(place, "there is no rule in the list", "add one, or remove `rules`");
        }
        let mut scopes: Vec<(Scope, u64)> = Vec::new();
        let mut rules = Vec::new();
        for (place, node) in items {
            let (scope, rule) = self.rule(faults, &place, node);
            if let Some(scope) = scope {
                match scopes.iter().find(|(same, _)| *same == scope) {
                    Some((_, line)) => {
                        let what = format!("there is a rule for {scope} already, at line {line}");
                        faults.add(&place, what, "make one rule of them");
                    }
                    None => scopes.push((scope, place.line)),
                }
            }
            rules.extend(rule);
        }
        rules
    }

    /// Reads one rule and its scope. Returns the scope of an incomplete rule too.
    fn rule(&self, faults: &mut Faults<'_>, place: &Place, node: Node) -> (Option<Scope>, Option<Rule>) {
        let known = ["registry", "namespace", "signatures", "keys"];
        let mut entries = faults.map(place.clone(), node, &known);
        let scope = scope(faults, &mut entries);
        let signatures = entries.take("signatures");
        if signatures.is_none() {
            faults.missing(&entries, "signatures", "write `signatures: ignore`, `warn` or `require`");
        }
        let signatures = signatures.and_then(|(place, node)| Some((mode(faults, &place, node)?, place)));
        let keys = entries.take("keys").map(|(place, node)| self.keys(faults, place, node));
        if let (None, Some((mode, place))) = (&keys, &signatures)
            && *mode != Mode::Ignore
            && entries.lacks("keys")
        {
            let of = scope.as_ref().map_or_else(String::new, |scope| format!(" of {scope}"));
            let what = format!("without `keys`, no signature{of} is accepted");
            faults.add(place, what, "write e.g. `keys: {anyOf: [team.pub]}`");
        }
        let rule = match (&scope, signatures) {
            (Some(scope), Some((mode, _))) => {
                // Keys that could not be read are a fault already.
                Some(Rule { scope: scope.clone(), line: place.line, mode, keys: keys.flatten() })
            }
            _ => None,
        };
        (scope, rule)
    }

    fn keys(&self, faults: &mut Faults<'_>, place: Place, node: Node) -> Option<KeySet> {
        const CURE: &str = "write `anyOf`, where one key has to sign, or `allOf`, where all keys have to";
        let before = faults.number();
        let mut entries = faults.map(place, node, &["anyOf", "allOf"]);
        let (all, (place, node)) = match (entries.take("anyOf"), entries.take("allOf")) {
            (Some(entry), None) => (false, entry),
            (None, Some(entry)) => (true, entry),
            (Some(_), Some(_)) => {
                faults.add(&entries.place, "there is both `anyOf` and `allOf`", CURE);
                return None;
            }
            (None, None) => {
                if entries.lacks("anyOf") && entries.lacks("allOf") {
                    faults.add(&entries.place, "there is neither `anyOf` nor `allOf`", CURE);
                }
                return None;
            }
        };
        let items = faults.list(&place, node, "write it in brackets, or a dash before each item");
        let keys: Vec<Key> =
            items.into_iter().filter_map(|(place, node)| self.key(faults, &place, node)).collect();
        // Where one could not be read, there is more to say of the others once it can.
        if faults.number() != before {
            return None;
        }
        let set = if all { KeySet::all_of(keys) } else { KeySet::any_of(keys) };
        set.map_err(|error| {
            let hint = match error {
                KeySetError::Empty => "name a file beside this one, or write the PEM text itself",
                KeySetError::Twice(..) => "remove one of them",
            };
            faults.add(&place, error.to_string(), hint);
        })
        .ok()
    }

    /// Reads a key: PEM text, or the path of a file that contains it.
    fn key(&self, faults: &mut Faults<'_>, place: &Place, node: Node) -> Option<Key> {
        const CURE: &str = "cosign public-key --key KEY prints the public key of a private one";
        const FORM: &str = "a key is a file beside this one, an absolute path, or the PEM text itself";
        let text = faults.text(place, node, FORM)?;
        if text.contains("-----BEGIN") {
            let file = self.file.file_name().unwrap_or_default().to_string_lossy();
            let name = format!("{file}:{}", place.line);
            return Key::from_pem(&name, text.as_bytes())
                .map_err(|error| faults.add(place, format!("the key here: {error}"), CURE))
                .ok();
        }
        let name = called(&text);
        let path = self.file.parent().unwrap_or(Path::new("")).join(&text);
        let pem = (self.key)(&path)
            .map_err(|error| faults.add(place, format!("{name} cannot be read: {error}"), FORM))
            .ok()?;
        Key::from_pem(&text, &pem).map_err(|error| faults.add(place, format!("{name}: {error}"), CURE)).ok()
    }
}

/// Returns the name of a key's file for messages. A text that is too long for a name without dots, or has
/// several lines, may be the key itself.
fn called(path: &str) -> String {
    let is_name = !path.contains('\n') && (path.len() < 40 || path.contains('.'));
    if is_name { format!("the key `{path}`") } else { "the key that is named here".to_owned() }
}

/// Reads the scope of a rule.
fn scope(faults: &mut Faults<'_>, entries: &mut Entries) -> Option<Scope> {
    const CURE: &str = "e.g. `registry: ghcr.io/acme`, or `namespace: acme`";
    let (is_registry, (place, node)) = match (entries.take("registry"), entries.take("namespace")) {
        (Some(entry), None) => (true, entry),
        (None, Some(entry)) => (false, entry),
        (Some(_), Some(_)) => {
            let what = "a rule is about a registry or a namespace, and this one is about both";
            faults.add(&entries.place, what, "make two rules of it");
            return None;
        }
        (None, None) => {
            if entries.lacks("registry") && entries.lacks("namespace") {
                let hint = "write `registry: HOST[:PORT][/PREFIX]` or `namespace: NAME`";
                faults.add(&entries.place, "the rule names neither a registry nor a namespace", hint);
            }
            return None;
        }
    };
    let text = faults.text(&place, node, CURE)?;
    let scope = if is_registry { Scope::registry(&text) } else { Scope::namespace(&text) };
    scope.map_err(|what| faults.add(&place, what, CURE)).ok()
}

fn mode(faults: &mut Faults<'_>, place: &Place, node: Node) -> Option<Mode> {
    const CURE: &str = "write one of them";
    let text = faults.value(place, node, "write `ignore`, `warn` or `require`")?;
    match text.as_str() {
        "ignore" => Some(Mode::Ignore),
        "require" => Some(Mode::Require),
        "warn" => Some(Mode::Warn),
        _ => {
            faults.add(place, "it is not one of ignore, require, warn", CURE);
            None
        }
    }
}

/// The largest file that is read, in bytes: neither a `trust.yaml` nor a key is longer than a page.
const LONGEST: u64 = 1 << 20;

/// Reads a regular file. A device or a pipe might never end.
fn content(file: &Path) -> io::Result<Vec<u8>> {
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
    }
    let mut bytes = Vec::new();
    File::open(file)?.take(LONGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is longer than 1 MiB"));
    }
    Ok(bytes)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_link_to_nowhere_is_no_missing_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("trust.yaml");
        std::os::unix::fs::symlink("gone.yaml", &file).unwrap();
        assert!(Trust::load(&file).unwrap_err()[0].what.starts_with("it cannot be read: "));
    }
}
