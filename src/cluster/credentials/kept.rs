//! Keeps new tokens in the kubeconfig that the old ones are from, as client-go does: a refresh token that goes once and is
//! lost locks its user out.
//!
//! client-go writes the whole file anew; here the text of a token is replaced and all else stays, comments too.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use zeroize::Zeroizing;

use super::super::document::{Document, UserEntry};
use super::super::secret::Secret;
use super::oidc::Tokens;
use crate::platform::disk;

/// How often a lock is tried that another process has, and how long is waited between.
const TRIES: u32 = 30;
const PAUSE: Duration = Duration::from_millis(100);

/// Where the tokens of one user are kept.
pub(super) struct Kept {
    user: String,
    /// The kubeconfig; empty where there is none.
    file: PathBuf,
    /// The lock that is held.
    lock: Mutex<Option<PathBuf>>,
}

/// client-go's lock of a kubeconfig: a file beside it, which is gone when this is.
pub(super) struct Lock<'a>(&'a Kept);

impl Drop for Lock<'_> {
    fn drop(&mut self) {
        self.0.unlock();
    }
}

impl Kept {
    /// In this kubeconfig, at this user.
    pub(super) fn at(user: &str, file: &Path) -> Self {
        Self { user: user.to_owned(), file: file.to_owned(), lock: Mutex::default() }
    }

    fn is_nowhere(&self) -> bool {
        self.file.as_os_str().is_empty()
    }

    /// Keeps all others from writing the kubeconfig.
    pub(super) async fn lock(&self) -> Result<Option<Lock<'_>>, String> {
        if self.is_nowhere() {
            return Ok(None);
        }
        let mut path = self.file.clone().into_os_string();
        path.push(".lock");
        let path = PathBuf::from(path);
        for _ in 0..TRIES {
            match disk::create_new(&path) {
                Ok(()) => {
                    *self.held() = Some(path);
                    return Ok(Some(Lock(self)));
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => tokio::time::sleep(PAUSE).await,
                Err(error) => {
                    return Err(format!("the new tokens could not be kept: {}: {error}", path.display()));
                }
            }
        }
        Err(format!(
            "{} is there: another program is changing the kubeconfig, or was ended while it did",
            path.display()
        ))
    }

    /// Lets others write the kubeconfig again. At once, since a process that ends drops nothing.
    pub(super) fn unlock(&self) {
        if let Some(path) = self.held().take() {
            // Whoever finds it afterwards is told of it.
            drop(disk::remove(&path));
        }
    }

    fn held(&self) -> MutexGuard<'_, Option<PathBuf>> {
        // It is replaced as a whole.
        self.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The tokens that the kubeconfig has now.
    pub(super) fn read(&self) -> Result<Option<Tokens>, String> {
        if self.is_nowhere() {
            return Ok(None);
        }
        let text = read(&self.file)?;
        let Some(user) = self.entry(&text) else { return Ok(None) };
        Ok(user.auth_provider.as_ref().map(Tokens::of))
    }

    /// Replaces the old tokens by the new ones. That an identity token cannot be kept costs the next run a refresh; with a
    /// refresh token that cannot be, the user would be locked out, and is told.
    pub(super) fn write(&self, old: &Tokens, new: &Tokens) -> Result<(), String> {
        if self.is_nowhere() {
            return Ok(());
        }
        match self.replace(old, new) {
            Err(why) if reveal(old.refresh.as_ref()) != reveal(new.refresh.as_ref()) => Err(format!(
                "the identity provider gave another refresh-token, which cannot be kept in {}: {why}",
                self.file.display()
            )),
            _ => Ok(()),
        }
    }

    fn replace(&self, old: &Tokens, new: &Tokens) -> Result<(), String> {
        let text = read(&self.file)?;
        let changed = replaced(&text, old, new);
        let entry = self.entry(&changed).and_then(|user| user.auth_provider);
        let kept = entry.as_ref().map(Tokens::of).ok_or("its user is gone")?;
        if reveal(kept.refresh.as_ref()) != reveal(new.refresh.as_ref()) {
            return Err("the old one is not there as one text".to_owned());
        }
        // A link stays one: what it leads to is replaced.
        let place = fs::canonicalize(&self.file).map_err(|error| error.to_string())?;
        disk::replace_alike(&place, changed.as_bytes()).map_err(|error| error.to_string())
    }

    /// The user's entry in the text of a kubeconfig.
    fn entry(&self, text: &str) -> Option<UserEntry> {
        let document: Document = serde_saphyr::from_str(text).ok()?;
        let mut users = document.users.into_iter().flatten();
        users.find(|user| user.name == self.user).map(|named| named.user)
    }
}

fn reveal(token: Option<&Secret>) -> &str {
    token.map_or("", Secret::reveal)
}

fn read(file: &Path) -> Result<Zeroizing<String>, String> {
    fs::read_to_string(file).map(Zeroizing::new).map_err(|error| format!("{}: {error}", file.display()))
}

/// The text of a kubeconfig with new tokens in place of the old ones.
fn replaced(text: &str, old: &Tokens, new: &Tokens) -> Zeroizing<String> {
    let mut changed = Zeroizing::new(text.to_owned());
    for (old, new) in [(&old.id, &new.id), (&old.refresh, &new.refresh)] {
        if let (Some(old), Some(new)) = (old, new) {
            changed = exchanged(&changed, old.reveal(), new.reveal());
        }
    }
    if let (None, Some(id), Some(refresh)) = (&old.id, &new.id, &new.refresh) {
        changed = inserted(&changed, refresh.reveal(), id.reveal());
    }
    changed
}

/// Puts `new` wherever `old` is a whole scalar.
fn exchanged(text: &str, old: &str, new: &str) -> Zeroizing<String> {
    if old == new || !is_plain(new) {
        return Zeroizing::new(text.to_owned());
    }
    let mut changed = Zeroizing::new(String::with_capacity(text.len() + new.len()));
    let mut rest = text;
    while let Some(at) = rest.find(old) {
        let (before, found) = rest.split_at(at);
        let after = &found[old.len()..];
        let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | '}' | ']');
        let begins = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ':' | '{');
        // What was put there already is before the text that is left: only the first look needs both.
        let whole = before.chars().next_back().or(changed.chars().next_back()).is_none_or(begins)
            && after.chars().next().is_none_or(ends);
        changed.push_str(before);
        changed.push_str(if whole { new } else { old });
        rest = after;
    }
    changed.push_str(rest);
    changed
}

/// Puts an `id-token` before the line that has this `refresh-token`, where that is a line of its own.
fn inserted(text: &str, refresh: &str, id: &str) -> Zeroizing<String> {
    let mut changed = Zeroizing::new(String::with_capacity(text.len() + id.len() + 32));
    for line in text.split_inclusive('\n') {
        let bare = line.trim_start();
        let value = bare.strip_prefix("refresh-token:").map(|value| value.trim().trim_matches(['"', '\'']));
        if value == Some(refresh) && is_plain(id) {
            changed.push_str(&line[..line.len() - bare.len()]);
            changed.push_str("id-token: ");
            changed.push_str(id);
            changed.push('\n');
        }
        changed.push_str(line);
    }
    changed
}

/// Whether YAML takes a text for itself, in quotes and without.
fn is_plain(text: &str) -> bool {
    let first = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '/' | '+');
    let plain = |c: char| first(c) || matches!(c, '-' | '.' | '=' | '~');
    let word = text.chars().any(|c| c.is_ascii_alphabetic()) && text.len() > 5;
    word && text.starts_with(first)
        && text.chars().all(plain)
        && !text.bytes().all(|c| c.is_ascii_digit() || b"eE.+_".contains(&c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(id: &str, refresh: &str) -> Tokens {
        let filled = |text: &str| (!text.is_empty()).then(|| Secret::from(text.to_owned()));
        Tokens { id: filled(id), refresh: filled(refresh), ..Tokens::default() }
    }

    #[test]
    fn tokens_are_replaced_and_all_else_stays() {
        let text = "# mine\nusers:\n- name: u # and only mine\n  user:\n    auth-provider:\n      name: oidc\n      \
                    config: {id-token: old.id.token, 'refresh-token': \"old-refresh\", other: old-refresh-2}\n";
        let changed =
            replaced(text, &tokens("old.id.token", "old-refresh"), &tokens("new.id.token", "new-refresh"));
        let expected =
            text.replace("old.id.token", "new.id.token").replace("\"old-refresh\"", "\"new-refresh\"");
        assert_eq!(*changed, expected);
    }

    #[test]
    fn a_first_identity_token_stands_before_the_refresh_token() {
        let text = "    config:\n      refresh-token: old-refresh # x\n      refresh-token: 'old-refresh'\n";
        let changed = replaced(text, &tokens("", "old-refresh"), &tokens("new.id.token", "old-refresh"));
        let expected =
            text.replace("      refresh-token: '", "      id-token: new.id.token\n      refresh-token: '");
        assert_eq!(*changed, expected);
    }

    #[test]
    fn a_text_that_would_be_no_text_is_not_written() {
        for (text, plain) in [
            ("eyJ.a-b_c.d", true),
            ("1//0gAb-c", true),
            ("123456789", false),
            ("1234e567", false),
            ("a: b#c", false),
            ("-abcdef", false),
        ] {
            assert_eq!(is_plain(text), plain, "{text}");
        }
    }
}
