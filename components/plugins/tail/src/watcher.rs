//! The pods of a namespace: a list, and then all changes for as long as the user likes.

use crate::call::Call;
use crate::pod::Pod;
use kube_guest::{Cluster, Error, LineBuffer, Path, Piece, Ready, Status};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// The number of pods in a page, the same as in kubectl.
const PAGE: &str = "500";

/// A watch that ended sooner, and brought nothing, ended "immediately".
const IMMEDIATELY: Duration = Duration::from_secs(1);

/// The number of such ends in a row that are accepted without a pause.
const PATIENCE: u32 = 2;

/// The longest pause between two attempts.
const LONGEST: Duration = Duration::from_secs(30);

/// What a watcher found.
#[derive(Debug)]
pub(crate) enum News {
    /// A pod that is new or changed.
    Pod(Box<Pod>),
    /// A pod that was deleted.
    Deleted(Box<Pod>),
    /// The end of a list: pods with other UIDs are gone.
    Listed(BTreeSet<String>),
    /// A failure after which it tries again.
    Trouble(Error),
}

/// Lists and watches pods.
#[derive(Debug)]
pub(crate) struct Watcher {
    path: Path,
    follow: bool,
    state: State,
    /// The version of the last change; without one the pods are listed.
    version: Option<String>,
    listed: bool,
    ends: u32,
    failures: u32,
}

#[derive(Debug)]
enum State {
    List { call: Call, body: Vec<u8>, seen: BTreeSet<String> },
    Watch { call: Call, lines: LineBuffer, began: Instant, brought: bool },
    Pause(Instant),
    Ended,
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    metadata: PageMetadata,
    items: Option<Vec<Pod>>,
}

#[derive(Default, Deserialize)]
struct PageMetadata {
    #[serde(rename = "continue")]
    next: Option<String>,
    #[serde(rename = "resourceVersion")]
    version: Option<String>,
}

/// `metav1.WatchEvent`.
#[derive(Deserialize)]
#[serde(tag = "type", content = "object", rename_all = "UPPERCASE")]
enum Change {
    Added(Box<Pod>),
    Modified(Box<Pod>),
    Deleted(Box<Pod>),
    Bookmark(Box<Pod>),
    Error(Status),
}

/// The ending of a watch.
enum End {
    /// By itself; it is resumed from where it was.
    Over,
    /// The cluster no longer knows the following changes: list again.
    Expired,
    Failed(Error),
}

impl Watcher {
    /// Returns one that is about to list the pods of a path.
    pub(crate) fn new(path: Path, follow: bool) -> Self {
        let state = State::Pause(Instant::now());
        Self { path, follow, state, version: None, listed: false, ends: 0, failures: 0 }
    }

    /// Returns whether the first list is whole.
    pub(crate) fn has_listed(&self) -> bool {
        self.listed
    }

    /// Returns what is ready once [`Watcher::advance`] finds something.
    pub(crate) fn ready(&self) -> Option<&Ready> {
        match &self.state {
            State::List { call, .. } | State::Watch { call, .. } => call.ready(),
            State::Pause(_) | State::Ended => None,
        }
    }

    /// Returns the time at which it goes on by itself.
    pub(crate) fn due(&self) -> Option<Instant> {
        match &self.state {
            State::Pause(until) => Some(*until),
            _ => None,
        }
    }

    /// Returns whether nothing will come any more.
    pub(crate) fn has_ended(&self) -> bool {
        matches!(self.state, State::Ended)
    }

    /// Goes as far as it can without waiting. After an error it has ended.
    pub(crate) fn advance(&mut self, cluster: &Cluster, now: Instant) -> Result<Vec<News>, Error> {
        let mut news = Vec::new();
        match std::mem::replace(&mut self.state, State::Ended) {
            State::Pause(until) if until <= now => self.begin(cluster, now)?,
            State::List { call, body, seen } => self.list(cluster, (call, body, seen), now, &mut news)?,
            State::Watch { call, lines, began, brought } => {
                self.watch((call, lines, began, brought), now, &mut news)?;
            }
            waiting => self.state = waiting,
        }
        Ok(news)
    }

    fn begin(&mut self, cluster: &Cluster, now: Instant) -> Result<(), Error> {
        self.state = match &self.version {
            None => {
                let call = Call::get(cluster, &self.path.clone().query("limit", PAGE), "application/json")?;
                State::List { call, body: Vec::new(), seen: BTreeSet::new() }
            }
            Some(version) => {
                let path = self.path.clone().query("watch", "true").query("allowWatchBookmarks", "true");
                let call = Call::get(cluster, &path.query("resourceVersion", version), "application/json")?;
                State::Watch { call, lines: LineBuffer::default(), began: now, brought: false }
            }
        };
        Ok(())
    }

    fn list(
        &mut self,
        cluster: &Cluster,
        (mut call, mut body, mut seen): (Call, Vec<u8>, BTreeSet<String>),
        now: Instant,
        news: &mut Vec<News>,
    ) -> Result<(), Error> {
        loop {
            match call.piece() {
                Ok(Piece::Bytes(bytes)) if body.is_empty() => body = bytes,
                Ok(Piece::Bytes(bytes)) => body.extend_from_slice(&bytes),
                Ok(Piece::Later) => {
                    self.state = State::List { call, body, seen };
                    return Ok(());
                }
                Ok(Piece::End) => break,
                // Pages expire; the next list begins anew.
                Err(error) if error.status() == Some(410) => {
                    return self.ended(End::Expired, true, now, news);
                }
                Err(error) => return self.ended(End::Failed(error), true, now, news),
            }
        }
        let page: Page = match serde_json::from_slice(&body) {
            Ok(page) => page,
            Err(error) => return self.ended(End::Failed(Error::Json(error)), true, now, news),
        };
        for pod in page.items.unwrap_or_default() {
            seen.insert(pod.metadata.uid.clone());
            news.push(News::Pod(Box::new(pod)));
        }
        if let Some(next) = page.metadata.next.filter(|next| !next.is_empty()) {
            let path = self.path.clone().query("limit", PAGE).query("continue", &next);
            let call = Call::get(cluster, &path, "application/json")?;
            self.state = State::List { call, body: Vec::new(), seen };
            return Ok(());
        }
        news.push(News::Listed(seen));
        (self.listed, self.failures) = (true, 0);
        self.version = page.metadata.version.or_else(|| Some("0".to_owned()));
        self.state = if self.follow { State::Pause(now) } else { State::Ended };
        Ok(())
    }

    fn watch(
        &mut self,
        (mut call, mut lines, began, mut brought): (Call, LineBuffer, Instant, bool),
        now: Instant,
        news: &mut Vec<News>,
    ) -> Result<(), Error> {
        let end = loop {
            match call.piece() {
                Ok(Piece::Bytes(bytes)) => lines.push(bytes),
                Ok(Piece::Later) => {
                    self.state = State::Watch { call, lines, began, brought };
                    return Ok(());
                }
                Ok(Piece::End) => break End::Over,
                // A broken connection is an end as well: nothing is lost, since the version is that of the last change.
                Err(Error::Transport(_)) if call.has_begun() => break End::Over,
                Err(error) if error.status() == Some(410) => break End::Expired,
                Err(error) => break End::Failed(error),
            }
            while let Some(line) = lines.next_line().filter(|line| !line.is_empty()) {
                match serde_json::from_slice(line).map_err(Error::Json).and_then(|change| self.take(change)) {
                    Ok(change) => {
                        brought = true;
                        news.extend(change);
                    }
                    Err(error) if error.status() == Some(410) => {
                        return self.ended(End::Expired, !brought && now - began < IMMEDIATELY, now, news);
                    }
                    Err(error) => return self.ended(End::Failed(error), true, now, news),
                }
            }
        };
        self.ended(end, !brought && now - began < IMMEDIATELY, now, news)
    }

    fn take(&mut self, change: Change) -> Result<Option<News>, Error> {
        let version = match &change {
            Change::Added(pod) | Change::Modified(pod) | Change::Deleted(pod) | Change::Bookmark(pod) => {
                &pod.metadata.resource_version
            }
            Change::Error(status) => return Err(status.clone().into()),
        };
        if !version.is_empty() {
            self.version = Some(version.clone());
        }
        Ok(match change {
            Change::Added(pod) | Change::Modified(pod) => Some(News::Pod(pod)),
            Change::Deleted(pod) => Some(News::Deleted(pod)),
            Change::Bookmark(_) | Change::Error(_) => None,
        })
    }

    /// Decides when to begin again.
    fn ended(&mut self, end: End, immediate: bool, now: Instant, news: &mut Vec<News>) -> Result<(), Error> {
        self.ends = if immediate { self.ends + 1 } else { 0 };
        match end {
            End::Over => self.failures = 0,
            End::Expired => (self.version, self.failures) = (None, 0),
            // The first list is what everything depends on.
            End::Failed(error) if !self.listed || !may_pass(&error) => return Err(error),
            End::Failed(error) => {
                self.failures += 1;
                news.push(News::Trouble(error));
            }
        }
        // A failure is worth a pause at once: it has shown that something is wrong.
        let step = self.ends.saturating_sub(PATIENCE).max(self.failures);
        self.state = State::Pause(now + pause(step));
        Ok(())
    }
}

/// Returns the pause before an attempt: none, 1 s, 2 s, 4 s, at most 30 s.
pub(crate) fn pause(step: u32) -> Duration {
    match step {
        0 => Duration::ZERO,
        step => Duration::from_secs(1 << (step - 1).min(5)).min(LONGEST),
    }
}

/// Returns whether another attempt may succeed.
pub(crate) fn may_pass(error: &Error) -> bool {
    match error {
        Error::Status(status) => status.code == 429 || status.code >= 500,
        Error::Transport(transport) => !transport.is_denied(),
        Error::Json(_) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watcher() -> Watcher {
        Watcher::new(Path::new(["api", "v1", "pods"]).unwrap(), true)
    }

    fn change(text: &str) -> Change {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_change_brings_its_version() {
        let mut watcher = watcher();
        let added = change(r#"{"type":"ADDED","object":{"metadata":{"name":"a","resourceVersion":"7"}}}"#);
        assert!(matches!(watcher.take(added), Ok(Some(News::Pod(pod))) if pod.metadata.name == "a"));
        let bookmark = change(r#"{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9"}}}"#);
        assert!(matches!(watcher.take(bookmark), Ok(None)));
        assert_eq!(watcher.version.as_deref(), Some("9"));
        let gone = change(r#"{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}}"#);
        assert_eq!(watcher.take(gone).err().and_then(|error| error.status()), Some(410));
    }

    #[test]
    fn what_is_expired_is_listed_again_and_the_rest_resumed() {
        let (mut watcher, now, mut news) = (watcher(), Instant::now(), Vec::new());
        (watcher.listed, watcher.version) = (true, Some("7".to_owned()));
        watcher.ended(End::Over, false, now, &mut news).unwrap();
        assert_eq!((watcher.version.as_deref(), watcher.due()), (Some("7"), Some(now)));
        watcher.ended(End::Expired, false, now, &mut news).unwrap();
        assert_eq!((watcher.version.as_deref(), watcher.due()), (None, Some(now)));
    }

    #[test]
    fn a_server_that_ends_every_watch_is_not_pressed() {
        let (mut watcher, now, mut news) = (watcher(), Instant::now(), Vec::new());
        let pauses: Vec<u64> = (0..9)
            .map(|_| {
                watcher.ended(End::Over, true, now, &mut news).unwrap();
                (watcher.due().unwrap() - now).as_secs()
            })
            .collect();
        assert_eq!(pauses, [0, 0, 1, 2, 4, 8, 16, 30, 30]);
        watcher.ended(End::Over, false, now, &mut news).unwrap();
        assert_eq!(watcher.due(), Some(now));
    }

    #[test]
    fn a_failure_may_pass_but_for_the_first_list() {
        let status = |code| Error::Status(Status { code, message: String::new(), reason: String::new() });
        let (mut watcher, now, mut news) = (watcher(), Instant::now(), Vec::new());
        assert!(watcher.ended(End::Failed(status(503)), true, now, &mut news).is_err());
        watcher.listed = true;
        assert!(watcher.ended(End::Failed(status(503)), true, now, &mut news).is_ok());
        assert!(matches!(news[..], [News::Trouble(_)]));
        assert!(watcher.ended(End::Failed(status(403)), true, now, &mut news).is_err());
    }
}
