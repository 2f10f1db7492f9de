//! A secret, again and again: each time that it changes.

use crate::secret::Secret;
use kube_guest::{Cluster, Error, Path, Status};
use serde::Deserialize;
use std::time::{Duration, Instant};

/// A watch that ended sooner ended "immediately".
const IMMEDIATELY: Duration = Duration::from_secs(1);

/// The longest pause between two attempts, as a power of two seconds.
const LONGEST: u32 = 5;

/// The number of failures in a row that are an error.
const FAILURES: u32 = 6;

/// A line of a watch.
#[derive(Deserialize)]
#[serde(tag = "type", content = "object", rename_all = "UPPERCASE")]
enum Change {
    Added(Secret),
    Modified(Secret),
    Deleted(Secret),
    Bookmark(Secret),
    Error(Status),
}

/// What there is to show.
pub(crate) enum News {
    Changed(Box<Secret>),
    Deleted,
}

/// The secret of a name.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
}

impl Place<'_> {
    /// Returns the secret as it is.
    pub(crate) fn get(&self) -> Result<Secret, Error> {
        let path = Path::new(["api", "v1", "namespaces", self.namespace, "secrets", self.name])?;
        self.cluster.get_json(path)
    }

    /// Tells of each change after a version of the secret, until telling fails, or the server does for good.
    pub(crate) fn follow<E: From<Error>>(
        &self,
        mut version: String,
        mut tell: impl FnMut(News) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut failures = 0;
        loop {
            let began = Instant::now();
            match self.watch(&mut version, &mut tell)? {
                End::Over if began.elapsed() >= IMMEDIATELY => failures = 0,
                // Not an error by itself, but not to be tried as fast as possible either.
                End::Over => failures = (failures + 1).min(FAILURES - 1),
                End::Failed(error) if failures + 1 >= FAILURES => return Err(error.into()),
                End::Failed(_) => failures += 1,
                End::Expired => match self.get() {
                    Ok(secret) => {
                        let newer = secret.metadata.resource_version.clone();
                        if newer != version {
                            version = newer;
                            tell(News::Changed(Box::new(secret)))?;
                        }
                    }
                    // It may come again. Any version is as good as another then.
                    Err(error) if error.status() == Some(404) => "0".clone_into(&mut version),
                    Err(error) => return Err(error.into()),
                },
            }
            if failures > 0 {
                std::thread::sleep(Duration::from_secs(1 << (failures - 1).min(LONGEST)));
            }
        }
    }

    fn watch<E>(&self, version: &mut String, tell: &mut impl FnMut(News) -> Result<(), E>) -> Result<End, E>
    where
        E: From<Error>,
    {
        let mut lines = match self.begin(version) {
            Ok(lines) => lines,
            Err(error) if error.status() == Some(410) => return Ok(End::Expired),
            Err(error) if may_pass(&error) => return Ok(End::Failed(error)),
            Err(error) => return Err(error.into()),
        };
        // A broken connection is an end as well: nothing is lost, since `version` is the last shown one.
        while let Ok(Some(line)) = lines.next_line() {
            // A line that was cut off comes again.
            let Ok(change) = serde_json::from_slice::<Change>(line) else { break };
            let (secret, news) = match change {
                Change::Added(secret) | Change::Modified(secret) => {
                    (secret.metadata.resource_version.clone(), Some(News::Changed(Box::new(secret))))
                }
                Change::Deleted(secret) => (secret.metadata.resource_version, Some(News::Deleted)),
                Change::Bookmark(secret) => (secret.metadata.resource_version, None),
                Change::Error(status) if status.code == 410 => return Ok(End::Expired),
                Change::Error(status) => return Err(Error::from(status).into()),
            };
            // From any version on the server begins with what there is.
            let is_known = *version == secret;
            *version = secret;
            if let Some(news) = news.filter(|_| !is_known) {
                tell(news)?;
            }
        }
        Ok(End::Over)
    }

    fn begin(&self, version: &str) -> Result<kube_guest::Lines, Error> {
        let path = Path::new(["api", "v1", "namespaces", self.namespace, "secrets"])?
            .query("watch", "true")
            .query("fieldSelector", &format!("metadata.name={}", self.name))
            .query("allowWatchBookmarks", "true")
            .query("resourceVersion", version);
        Ok(self.cluster.request("GET", path, &[("accept", "application/json")], &[])?.lines())
    }
}

enum End {
    Over,
    /// The server no longer knows what came after the version.
    Expired,
    Failed(Error),
}

fn may_pass(error: &Error) -> bool {
    match error {
        Error::Status(status) => status.code == 429 || status.code >= 500,
        Error::Transport(transport) => !transport.is_denied(),
        _ => false,
    }
}
