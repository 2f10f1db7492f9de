//! Stores new tokens in the kubeconfig of the old ones, as client-go does. Losing a refresh token that can be
//! used once would lock its user out, so storing is tried before an old token is sent.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::super::document::{self, Document};
use super::super::kubeconfig;
use super::super::secret::Secret;
use super::jwt::Jwt;
use super::rewrite::{Pair, rewritten};
use super::tokens::{Tokens, Unrefreshed};
use crate::environment::Environment;
use crate::platform::{self, disk};
use crate::reference::Digest;
use crate::store::Places;

/// The delay between two tries to get a lock.
const PAUSE: Duration = Duration::from_millis(50);

/// The timeout for another kwasm, longer than a request to an identity provider takes.
const TURN: Duration = Duration::from_mins(3);

/// The timeout for another program that changes the kubeconfig, which takes milliseconds.
const CHANGE: Duration = Duration::from_secs(5);

/// The age from which a lock counts as abandoned.
const STALE: Duration = Duration::from_mins(2);

/// The size of tokens for which there is certainly room, in bytes.
const ROOM: usize = 16 << 10;

/// The storage of one user's tokens.
pub(super) struct Kept {
    user: String,
    /// The kubeconfig.
    file: PathBuf,
    /// The folder of locks among those who refresh tokens; `None` if there is no home directory.
    turns: Option<PathBuf>,
}

/// The right to refresh the tokens of one kubeconfig. It ends with its process at the latest.
pub(super) struct Turn {
    _file: File,
}

/// client-go's lock of a kubeconfig: a file beside it, removed when this is dropped.
struct Lock(PathBuf);

impl Drop for Lock {
    fn drop(&mut self) {
        // A remaining file is reported to the next program that finds it.
        drop(disk::remove(&self.0));
    }
}

impl Kept {
    /// Returns the storage in this kubeconfig for this user.
    pub(super) fn at(user: &str, file: &Path, environment: &Environment) -> Self {
        let turns = Places::of(environment).map(|places| places.refreshes());
        Self { user: user.to_owned(), file: file.to_owned(), turns }
    }

    /// Waits until no other kwasm refreshes a token of this kubeconfig: if several used the same refresh
    /// token, all but one would be refused where it can be used once. Other programs are not blocked by it.
    pub(super) async fn turn(&self) -> Result<Turn, Unrefreshed> {
        let folder = self.turns.as_ref().ok_or("there is no home directory to lock a file in")?;
        let name = Digest::of(self.path()?.as_os_str().as_encoded_bytes()).hex();
        let path = folder.join(name);
        let failed =
            |error: io::Error| Unrefreshed::from(format!("{}: it cannot be locked: {error}", path.display()));
        let file = platform::private_folder(folder).and_then(|()| disk::lockable(&path)).map_err(failed)?;
        let start = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Turn { _file: file }),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
                Err(TryLockError::WouldBlock) if start.elapsed() < TURN => tokio::time::sleep(PAUSE).await,
                Err(TryLockError::WouldBlock) => {
                    return Err("another kwasm is refreshing it and does not finish".into());
                }
            }
        }
    }

    /// Returns the tokens that the kubeconfig contains now.
    pub(super) fn read(&self) -> Result<Option<Tokens>, Unrefreshed> {
        let document: Document = document::first(&self.text()?).unwrap_or_default();
        let user = document.users.into_iter().flatten().find(|named| named.name == self.user);
        Ok(user.and_then(|named| named.user.auth_provider).as_ref().map(Tokens::of))
    }

    /// Checks whether new tokens could be stored in place of these, whatever they are. Changes nothing.
    pub(super) async fn try_out(&self) -> Result<(), Unrefreshed> {
        let lock = self.lock().await?;
        let text = self.text()?;
        // It needs quotes.
        let refresh = Zeroizing::new(format!("- \"'#{}", "x".repeat(ROOM)));
        let new = Pair { id: Some(&refresh), refresh: &refresh };
        let changed = rewritten(&text, &self.user, new).map_err(|why| self.unkept(why, None))?;
        let tried = disk::may_replace(&self.path()?, changed.as_bytes());
        drop(lock);
        tried.map_err(|error| {
            let hint = format!("ls -l {} shows who may write to it", self.file.display());
            self.unkept(&error.to_string(), Some(hint).filter(|_| is_forbidden(&error)))
        })
    }

    /// Writes new tokens, if the refresh token that they replace is still there. Otherwise another program
    /// has logged in meanwhile and has newer ones.
    ///
    /// A lock that is held for longer than any change takes is ignored: its owner has most likely ended, and
    /// the token would certainly be lost.
    pub(super) async fn write(
        &self,
        standing: &Secret,
        id: Option<&Jwt>,
        refresh: &Secret,
    ) -> Result<(), String> {
        let lock = self.lock().await;
        // Nothing is waited for from here on, so that no end of the process finds the lock.
        let written = self.replace(standing, id, refresh);
        drop(lock);
        written
    }

    fn replace(&self, standing: &Secret, id: Option<&Jwt>, refresh: &Secret) -> Result<(), String> {
        let found = self.read().map_err(|unread| unread.why)?;
        if found.is_some_and(|found| found.refresh.is_some_and(|found| found != *standing)) {
            return Ok(());
        }
        let text = self.text().map_err(|unread| unread.why)?;
        let new = Pair { id: id.map(Jwt::reveal), refresh: refresh.reveal() };
        let changed = rewritten(&text, &self.user, new)?;
        let path = self.path().map_err(|unread| unread.why)?;
        disk::replace_alike(&path, changed.as_bytes()).map_err(|error| error.to_string())
    }

    /// Locks the kubeconfig against changes, for a moment. Returns `None` if that is impossible: a user who
    /// may not create a file beside it cannot change it by kubectl either.
    async fn lock(&self) -> Result<Option<Lock>, Unrefreshed> {
        let mut path = self.file.clone().into_os_string();
        path.push(".lock");
        let path = PathBuf::from(path);
        let start = Instant::now();
        loop {
            match disk::create_new(&path) {
                Ok(()) => return Ok(Some(Lock(path))),
                Err(error) if is_forbidden(&error) => return Ok(None),
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(format!("{}: {error}", path.display()).into());
                }
                Err(_) => {}
            }
            let age = fs::metadata(&path).and_then(|metadata| metadata.modified()).ok();
            let age = age.and_then(|modified| modified.elapsed().ok()).unwrap_or_default();
            if age > STALE || start.elapsed() > CHANGE {
                return Err(held(&path, age));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn text(&self) -> Result<Zeroizing<String>, Unrefreshed> {
        let text = kubeconfig::text(&self.file).map_err(|error| Unrefreshed::from(error.to_string()))?;
        text.ok_or_else(|| format!("{}: it no longer exists", self.file.display()).into())
    }

    /// Returns the file itself. A link stays a link, and its target is replaced.
    fn path(&self) -> Result<PathBuf, Unrefreshed> {
        fs::canonicalize(&self.file).map_err(|error| format!("{}: {error}", self.file.display()).into())
    }

    fn unkept(&self, why: &str, hint: Option<String>) -> Unrefreshed {
        let why = format!(
            "its id-token has expired, and is not refreshed: new tokens could not be kept in {}: {why}",
            self.file.display()
        );
        Unrefreshed { why, hint }
    }
}

fn is_forbidden(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

fn held(lock: &Path, age: Duration) -> Unrefreshed {
    let lock = lock.display();
    if age > STALE {
        let why = format!(
            "{lock} has been there for {} minutes: a program was killed while it changed the kubeconfig",
            age.as_secs() / 60
        );
        return Unrefreshed { why, hint: Some(format!("if no kubectl is running, remove it: rm {lock}")) };
    }
    let why = format!("{lock} is there: another program is changing the kubeconfig");
    Unrefreshed { why, hint: Some("try again when it has finished".to_owned()) }
}
