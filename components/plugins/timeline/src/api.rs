//! The requests of the timeline to a cluster.

use crate::event::Page;
use kube_guest::{Cluster, Error, Lines, Path, Timestamp};
use std::time::{Duration, Instant};

/// The number of events in a page, the same as in kubectl.
const PAGE: &str = "500";

/// Lists and watches events.
pub(crate) trait Api {
    type Watch: Watch;

    /// Returns the page after `next`, or the first one.
    fn page(&mut self, next: Option<&str>) -> Result<Page, Error>;

    /// Returns all changes since `version`.
    fn watch(&mut self, version: &str) -> Result<Self::Watch, Error>;

    fn pause(&mut self, pause: Duration);

    fn now(&self) -> Timestamp;

    /// Returns the time of a clock that only goes forward.
    fn elapsed(&self) -> Duration;
}

/// The lines of a watch, as they arrive.
pub(crate) trait Watch {
    fn next_line(&mut self) -> Result<Option<&[u8]>, Error>;

    /// Returns whether the next line is available.
    fn is_ready(&self) -> bool;

    /// Returns whether the last line may be incomplete.
    fn cut_off(&self) -> bool;
}

/// The API of a real cluster.
#[derive(Debug)]
pub(crate) struct Events {
    cluster: Cluster,
    path: Path,
    started: Instant,
}

impl Events {
    /// Returns the events of a namespace; `None` means all namespaces.
    pub(crate) fn new(cluster: Cluster, namespace: Option<&str>) -> Result<Self, Error> {
        let path = match namespace {
            Some(namespace) => Path::new(["api", "v1", "namespaces", namespace, "events"])?,
            None => Path::new(["api", "v1", "events"])?,
        };
        Ok(Self { cluster, path, started: Instant::now() })
    }
}

impl Api for Events {
    type Watch = Lines;

    fn page(&mut self, next: Option<&str>) -> Result<Page, Error> {
        let path = self.path.clone().query("limit", PAGE);
        self.cluster.get_json(next.into_iter().fold(path, |path, next| path.query("continue", next)))
    }

    fn watch(&mut self, version: &str) -> Result<Lines, Error> {
        let path = self.path.clone().query("watch", "true").query("allowWatchBookmarks", "true");
        let path = path.query("resourceVersion", version);
        Ok(self.cluster.request("GET", path, &[("accept", "application/json")], &[])?.lines())
    }

    fn pause(&mut self, pause: Duration) {
        std::thread::sleep(pause);
    }

    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

impl Watch for Lines {
    fn next_line(&mut self) -> Result<Option<&[u8]>, Error> {
        Lines::next_line(self)
    }

    fn is_ready(&self) -> bool {
        Lines::is_ready(self)
    }

    fn cut_off(&self) -> bool {
        Lines::cut_off(self)
    }
}
