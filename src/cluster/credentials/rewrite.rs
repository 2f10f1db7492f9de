//! Replaces the tokens of one user in the text of a kubeconfig. Everything else is kept, including comments.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use serde_saphyr::Spanned;
use zeroize::Zeroizing;

use super::super::document::{self, BYTE_ORDER_MARK};
use super::super::secret::Secret;

const ID: &str = "id-token";
const REFRESH: &str = "refresh-token";

/// The tokens of a user.
#[derive(Clone, Copy)]
pub(super) struct Pair<'a> {
    pub(super) id: Option<&'a str>,
    pub(super) refresh: &'a str,
}

/// The part of a kubeconfig that is read here, with positions.
#[derive(Default, Deserialize)]
struct Stood {
    users: Option<Vec<StoodUser>>,
}

#[derive(Deserialize)]
struct StoodUser {
    name: Option<String>,
    user: Option<StoodEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct StoodEntry {
    auth_provider: Option<StoodProvider>,
}

#[derive(Deserialize)]
struct StoodProvider {
    config: Option<Config>,
}

type Config = BTreeMap<String, Spanned<Option<Secret>>>;

/// A piece of the text and its replacement.
struct Edit {
    at: Range<usize>,
    text: Zeroizing<String>,
}

/// Returns the text of a kubeconfig with a user's new tokens. An identity token that cannot be placed is not
/// an error: it costs the next run a refresh.
pub(super) fn rewritten(text: &str, user: &str, new: Pair<'_>) -> Result<Zeroizing<String>, &'static str> {
    const GONE: &str = "its user no longer exists";
    let config = config(text, user).ok_or(GONE)?;
    let refresh = config.get(REFRESH).ok_or(GONE)?;
    let refresh = Edit { at: range_of(text, refresh).ok_or(UNPLACED)?, text: Zeroizing::default() };
    let written = |id: Option<Edit>| {
        let own = Edit { at: refresh.at.clone(), text: scalar(&text[refresh.at.clone()], new.refresh) };
        let changed = edited(text, id.into_iter().chain([own]));
        // The result is parsed again to verify it.
        let kept = self::config(&changed, user)?;
        (value(&kept, REFRESH) == new.refresh).then_some((changed, kept))
    };
    for edit in new.id.into_iter().flat_map(|id| id_edits(text, &config, &refresh.at, id)) {
        if let Some((changed, kept)) = written(Some(edit))
            && Some(value(&kept, ID)) == new.id
        {
            return Ok(changed);
        }
    }
    written(None).map(|(changed, _)| changed).ok_or(UNPLACED)
}

const UNPLACED: &str = "its refresh-token is not a single plain or quoted string there";

/// Returns the configuration of a user's auth-provider.
fn config(text: &str, user: &str) -> Option<Config> {
    let stood: Stood = document::first(text).ok()?;
    let named = stood.users?.into_iter().find(|named| named.name.as_deref().unwrap_or_default() == user);
    named?.user?.auth_provider?.config
}

fn value<'a>(config: &'a Config, key: &str) -> &'a str {
    config.get(key).and_then(|value| value.value.as_ref()).map_or("", Secret::reveal)
}

/// Returns the position of a value in bytes. For an alias (`*name`), that is at its anchor.
fn range_of(text: &str, value: &Spanned<Option<Secret>>) -> Option<Range<usize>> {
    let marks = text.len() - text.trim_start_matches(BYTE_ORDER_MARK).len();
    let span = value.defined.span();
    // The parser counts letters.
    let byte = |letters: usize| {
        let mut starts = text[marks..].char_indices().map(|(at, _)| at).chain([text.len() - marks]);
        Some(marks + starts.nth(letters)?)
    };
    let (start, length) = (usize::try_from(span.offset()).ok()?, usize::try_from(span.len()).ok()?);
    Some(byte(start)?..byte(start + length)?)
}

/// Returns the possible edits to place an identity token, the most likely one first.
fn id_edits(text: &str, config: &Config, refresh: &Range<usize>, id: &str) -> Vec<Edit> {
    if let Some(at) = config.get(ID).and_then(|value| range_of(text, value)) {
        let scalar = scalar(&text[at.clone()], id);
        // Of a key with nothing behind it, the colon is what the parser shows.
        return vec![if at.is_empty() && text[at.end..].starts_with(':') {
            Edit { at: at.end + 1..at.end + 1, text: Zeroizing::new(format!(" {}", *scalar)) }
        } else {
            Edit { at, text: scalar }
        }];
    }
    let line = text[..refresh.start].rfind('\n').map_or(0, |end| end + 1);
    let indent = text[line..].len() - text[line..].trim_start_matches(' ').len();
    let (indent, quoted) = (&text[line..line + indent], quoted(id));
    // As a line before that of the refresh token; or, in braces, behind it.
    vec![
        Edit { at: line..line, text: Zeroizing::new(format!("{indent}{ID}: {}\n", *scalar("", id))) },
        Edit { at: refresh.end..refresh.end, text: Zeroizing::new(format!(", \"{ID}\": {}", *quoted)) },
    ]
}

/// Returns a text as YAML, in the style of the replaced one if possible.
fn scalar(old: &str, new: &str) -> Zeroizing<String> {
    match old.chars().next() {
        Some('\'') if is_plain(new) => Zeroizing::new(format!("'{new}'")),
        Some('\'' | '"') => quoted(new),
        _ if is_plain(new) => Zeroizing::new(new.to_owned()),
        _ => quoted(new),
    }
}

/// Returns a text in double quotes, for which JSON's rules are valid in YAML too.
fn quoted(text: &str) -> Zeroizing<String> {
    Zeroizing::new(serde_json::Value::from(text).to_string())
}

/// Returns whether a text is a plain scalar in YAML, in any position.
fn is_plain(text: &str) -> bool {
    let first = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '/' | '+');
    let plain = |c: char| first(c) || matches!(c, '-' | '.' | '=' | '~');
    let word = text.chars().any(|c| c.is_ascii_alphabetic()) && text.len() > 5;
    word && text.starts_with(first)
        && text.chars().all(plain)
        && !text.bytes().all(|c| c.is_ascii_digit() || b"eE.+_".contains(&c))
}

fn edited(text: &str, edits: impl Iterator<Item = Edit>) -> Zeroizing<String> {
    let mut edits: Vec<Edit> = edits.collect();
    edits.sort_by_key(|edit| edit.at.start);
    let added: usize = edits.iter().map(|edit| edit.text.len()).sum();
    let mut changed = Zeroizing::new(String::with_capacity(text.len() + added));
    let mut done = 0;
    for Edit { at, text: new } in edits {
        changed.push_str(text.get(done..at.start).unwrap_or_default());
        changed.push_str(&new);
        done = at.end;
    }
    changed.push_str(&text[done..]);
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a kubeconfig of one user with this configuration, on lines of its own.
    fn with(config: &str) -> String {
        format!(
            "# mine\nusers:\n- name: ü # and only mine\n  user:\n    auth-provider:\n      name: oidc\n      config:{config}\nkind: Config # old.id.token\n"
        )
    }

    fn new(text: &str) -> Result<String, &'static str> {
        let new = Pair { id: Some("new.id.token"), refresh: "new-refresh" };
        rewritten(text, "ü", new).map(|text| text.to_string())
    }

    #[test]
    fn tokens_are_replaced_and_all_else_stays() {
        for (old, kept) in [
            (
                "\n        id-token: old.id.token # x\n        refresh-token: old # x",
                "\n        id-token: new.id.token # x\n        refresh-token: new-refresh # x",
            ),
            (
                " {id-token: 'old.id.token', 'refresh-token': \"old\", other: old}",
                " {id-token: 'new.id.token', 'refresh-token': \"new-refresh\", other: old}",
            ),
            // Of two equal keys the last counts.
            (
                "\n        refresh-token: older\n        refresh-token: old\n        id-token: old",
                "\n        refresh-token: older\n        refresh-token: new-refresh\n        id-token: new.id.token",
            ),
            (
                "\n        id-token:\n        refresh-token: \"o\\x6cd\"",
                "\n        id-token: new.id.token\n        refresh-token: \"new-refresh\"",
            ),
            (
                "\n        refresh-token: &r old\n        other: *r\n        id-token: null",
                "\n        refresh-token: &r new-refresh\n        other: *r\n        id-token: new.id.token",
            ),
        ] {
            for mark in ["", "\u{feff}"] {
                let text = format!("{mark}{}", with(old));
                assert_eq!(new(&text).unwrap(), format!("{mark}{}", with(kept)), "{old}");
            }
        }
    }

    #[test]
    fn of_several_documents_the_first_is_changed_as_the_first_is_read() {
        let config = |refresh| format!("\n        id-token: old.id.token\n        refresh-token: {refresh}");
        let old = format!("{}---\n{}", with(&config("old")), with(&config("old")));
        let kept = with(&config("new-refresh")).replacen(": old.id", ": new.id", 1);
        assert_eq!(new(&old).unwrap(), format!("{kept}---\n{}", with(&config("old"))));
    }

    #[test]
    fn a_first_identity_token_stands_beside_the_refresh_token() {
        for (old, kept) in [
            (
                "\n        refresh-token: old # x",
                "\n        id-token: new.id.token\n        refresh-token: new-refresh # x",
            ),
            (
                " {refresh-token: old, other: x}",
                " {refresh-token: new-refresh, \"id-token\": \"new.id.token\", other: x}",
            ),
        ] {
            assert_eq!(new(&with(old)).unwrap(), with(kept));
        }
        let json = r#"{"users":[{"name":"ü","user":{"auth-provider":{"config":{"refresh-token":"old"}}}}]}"#;
        let kept = json.replace("\"old\"", "\"new-refresh\", \"id-token\": \"new.id.token\"");
        assert_eq!(new(json).unwrap(), kept);
    }

    #[test]
    fn a_token_that_needs_quotes_gets_them() {
        for refresh in ["-abc.def", "123456789", "1e5", "true", "a: b #c", "'\"\\", "*x", "~"] {
            for old in ["old", "'old'", "\"old\""] {
                let text = with(&format!("\n        refresh-token: {old}"));
                let changed = rewritten(&text, "ü", Pair { id: None, refresh }).unwrap();
                assert_eq!(value(&config(&changed, "ü").unwrap(), REFRESH), refresh, "{changed:?}");
            }
        }
    }

    #[test]
    fn what_cannot_be_replaced_as_it_stands_is_left_alone() {
        for config in ["\n        refresh-token: >-\n          old", " {}", ""] {
            assert!(new(&with(config)).is_err(), "{config}");
        }
        assert!(new("users: []").is_err());
    }
}
