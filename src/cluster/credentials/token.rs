//! The `authorization` header: bearer tokens, also from files, and basic authentication.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use zeroize::Zeroizing;

use super::super::file;
use super::super::secret::Secret;
use super::Error;
use super::error::wrong;
use super::material::AuthMaterial;

/// The time after which a token file is read again: client-go's minute, less ten seconds
/// (`transport/token_source.go`).
const FRESH: Duration = Duration::from_secs(50);

/// A bearer token in a file that is replaced from time to time.
pub(super) struct TokenFile {
    user: String,
    path: PathBuf,
    /// The token in the kubeconfig, which is used as long as the file has none.
    other: Option<HeaderValue>,
    held: Mutex<Option<Held>>,
}

/// The last token that was read, and the time of reading.
struct Held {
    material: Arc<AuthMaterial>,
    read: Instant,
}

impl TokenFile {
    pub(super) fn of(user: &str, path: &Path, other: Option<Secret>) -> Result<Self, Error> {
        let other = other.map(|token| bearer(user, token.reveal())).transpose()?;
        Ok(Self { user: user.to_owned(), path: path.to_owned(), other, held: Mutex::new(None) })
    }

    /// Returns the token of the file, read again if it may be outdated.
    pub(super) fn current(&self) -> Result<Arc<AuthMaterial>, Error> {
        let held = self.held();
        match held.as_ref().filter(|held| held.read.elapsed() < FRESH) {
            Some(held) => Ok(Arc::clone(&held.material)),
            None => self.read(held),
        }
    }

    /// Returns the token of the file as it is now.
    pub(super) fn renewed(&self) -> Result<Arc<AuthMaterial>, Error> {
        self.read(self.held())
    }

    fn held(&self) -> MutexGuard<'_, Option<Held>> {
        // It is replaced as a whole.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, mut held: MutexGuard<'_, Option<Held>>) -> Result<Arc<AuthMaterial>, Error> {
        let value = match (self.value(), held.as_ref(), &self.other) {
            (Ok(value), ..) => value,
            // While the file is being replaced the last good one goes on, as in client-go.
            (Err(_), Some(held), _) => return Ok(Arc::clone(&held.material)),
            (Err(_), None, Some(other)) => other.clone(),
            (Err(error), None, None) => return Err(error),
        };
        let unchanged = held.as_ref().filter(|held| held.material.authorization.as_ref() == Some(&value));
        let material = match unchanged {
            Some(held) => Arc::clone(&held.material),
            None => Arc::new(AuthMaterial { authorization: Some(value), certificate: None }),
        };
        *held = Some(Held { material: Arc::clone(&material), read: Instant::now() });
        Ok(material)
    }

    fn value(&self) -> Result<HeaderValue, Error> {
        let text = file::read_text(&self.path);
        let text = text
            .map_err(|error| wrong(&self.user, "the token", format!("{}: {error}", self.path.display())))?;
        match text.trim() {
            // Continuing without a token would send an anonymous request, which some servers answer.
            "" => Err(wrong(&self.user, "the token", format!("{}: it is empty", self.path.display()))),
            token => bearer(&self.user, token),
        }
    }
}

/// Returns the header of a bearer token.
pub(super) fn bearer(user: &str, token: &str) -> Result<HeaderValue, Error> {
    header("Bearer", token).ok_or_else(|| wrong(user, "the token", UNFIT))
}

/// Returns the header of a user name and a password.
pub(super) fn basic(user: &str, name: &str, password: &str) -> Result<HeaderValue, Error> {
    let pair = Zeroizing::new(format!("{name}:{password}"));
    let text = Zeroizing::new(STANDARD.encode(pair.as_bytes()));
    header("Basic", &text).ok_or_else(|| wrong(user, "the password", UNFIT))
}

/// The reason why a text cannot be sent.
pub(super) const UNFIT: &str = "it has characters that no header may have";

pub(super) fn header(scheme: &str, text: &str) -> Option<HeaderValue> {
    let text = Zeroizing::new(format!("{scheme} {text}"));
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn sent(file: &TokenFile) -> String {
        file.renewed().unwrap().authorization.as_ref().unwrap().to_str().unwrap().to_owned()
    }

    #[test]
    fn a_file_is_trimmed_and_kept_while_it_cannot_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let file = TokenFile::of("u", &path, None).unwrap();
        assert!(file.current().is_err());
        fs::write(&path, " one\n").unwrap();
        assert_eq!(sent(&file), "Bearer one");
        fs::write(&path, "").unwrap();
        assert_eq!(sent(&file), "Bearer one");
        fs::write(&path, "two").unwrap();
        // Until it may be old it is not read again.
        assert_eq!(file.current().unwrap().authorization.as_ref().unwrap(), "Bearer one");
        assert_eq!(sent(&file), "Bearer two");
    }

    #[test]
    fn what_has_not_changed_has_one_address() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        fs::write(&path, "one").unwrap();
        let file = TokenFile::of("u", &path, None).unwrap();
        let first = file.current().unwrap();
        assert!(Arc::ptr_eq(&first, &file.renewed().unwrap()));
    }

    #[test]
    fn the_kubeconfigs_token_goes_where_the_file_has_none() {
        let token = || Some(Secret::from("given".to_owned()));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        assert_eq!(sent(&TokenFile::of("u", &path, token()).unwrap()), "Bearer given");
        fs::write(&path, "\n").unwrap();
        assert_eq!(sent(&TokenFile::of("u", &path, token()).unwrap()), "Bearer given");
        assert!(TokenFile::of("u", &path, None).unwrap().current().is_err());
        fs::write(&path, "own\n").unwrap();
        assert_eq!(sent(&TokenFile::of("u", &path, token()).unwrap()), "Bearer own");
    }

    #[test]
    fn a_name_and_a_password_are_one_header() {
        assert_eq!(basic("u", "Aladdin", "open sesame").unwrap(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert!(bearer("u", "a\nb").is_err());
    }
}
