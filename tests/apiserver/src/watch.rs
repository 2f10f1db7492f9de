//! Watches: the history, sent line by line as it grows.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use tokio::sync::{mpsc, watch};

use crate::object::{Resource, Stored};
use crate::selectors::Selector;
use crate::status::Refused;
use crate::store::{Change, Store};

/// So many changes go into one piece at most.
const BATCH: usize = 500;

/// What one watch is about.
pub(crate) struct Watch {
    pub(crate) resource: &'static Resource,
    pub(crate) namespace: Option<String>,
    pub(crate) selector: Selector,
    /// Changes after this version; `None` begins with all objects there are.
    pub(crate) after: Option<u64>,
    pub(crate) timeout: Option<Duration>,
    /// It ends after so many events.
    pub(crate) events: Option<usize>,
}

/// Sends the events of `watch` until its time is over, the client has gone, `ends` changes, or its version is
/// forgotten.
pub(crate) async fn run(
    watch: Watch,
    store: Arc<Store>,
    mut ends: watch::Receiver<u64>,
    events: mpsc::Sender<Bytes>,
) {
    let timeout = watch.timeout;
    let over = async {
        match timeout {
            Some(timeout) => tokio::time::sleep(timeout).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = follow(watch, &store, &events) => {}
        () = over => {}
        _ = ends.changed() => {}
        () = events.closed() => {}
    }
}

/// The line that ends a watch which can't be served.
pub(crate) fn error_line(refused: &Refused) -> Bytes {
    Bytes::from(format!("{}\n", json!({ "type": "ERROR", "object": refused.to_status() })))
}

async fn follow(mut watch: Watch, store: &Store, events: &mpsc::Sender<Bytes>) {
    let mut versions = store.versions();
    let mut lines = Vec::new();
    let mut after = match watch.after {
        Some(after) => after,
        None => watch.begin(store, &mut lines),
    };
    loop {
        versions.borrow_and_update();
        let changes = match store.changes(after, BATCH) {
            Ok(changes) => changes,
            Err(refused) => {
                drop(events.send(error_line(&refused)).await);
                return;
            }
        };
        for change in &changes {
            watch.write(change, &mut lines);
        }
        if !lines.is_empty() && events.send(Bytes::from(std::mem::take(&mut lines))).await.is_err() {
            return;
        }
        if watch.events == Some(0) {
            return;
        }
        match changes.last() {
            Some(last) => after = last.version,
            None if versions.changed().await.is_err() => return,
            None => {}
        }
    }
}

impl Watch {
    /// All there is, as `ADDED`; gives the version that follows on.
    fn begin(&mut self, store: &Store, lines: &mut Vec<u8>) -> u64 {
        let snapshot = store.snapshot(self.resource, self.namespace.as_deref());
        for (_, stored) in &snapshot.objects {
            if self.selector.takes(&stored.value) {
                self.line("ADDED", stored, lines);
            }
        }
        snapshot.version
    }

    /// An object that enters the selection is added for this watch, one that leaves it is deleted.
    fn write(&mut self, change: &Change, lines: &mut Vec<u8>) {
        let elsewhere = self.namespace.as_ref().is_some_and(|namespace| *namespace != change.key.namespace);
        if change.key.plural != self.resource.plural || elsewhere {
            return;
        }
        let was = change.before.as_ref().is_some_and(|stored| self.selector.takes(&stored.value));
        let is = change.after.as_ref().is_some_and(|stored| self.selector.takes(&stored.value));
        match (was, is) {
            (false, false) => {}
            (false, true) => self.line("ADDED", &change.last, lines),
            (true, true) => self.line("MODIFIED", &change.last, lines),
            (true, false) => self.line("DELETED", &change.last, lines),
        }
    }

    fn line(&mut self, kind: &str, stored: &Stored, lines: &mut Vec<u8>) {
        match &mut self.events {
            Some(0) => return,
            Some(left) => *left -= 1,
            None => {}
        }
        lines.extend_from_slice(b"{\"type\":\"");
        lines.extend_from_slice(kind.as_bytes());
        lines.extend_from_slice(b"\",\"object\":");
        stored.write_json(lines);
        lines.extend_from_slice(b"}\n");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn watch(labels: &str, after: Option<u64>, events: usize) -> Watch {
        let resource = Resource::find("secrets").unwrap();
        let selector = Selector::parse(resource, Some(labels), None).unwrap();
        Watch {
            resource,
            namespace: Some("shop".into()),
            selector,
            after,
            timeout: None,
            events: Some(events),
        }
    }

    fn label(store: &Store, name: &str, label: &str) {
        let resource = Resource::find("secrets").unwrap();
        let sent = json!({ "metadata": { "name": name, "labels": { "app": label } } });
        let key = crate::store::Key { plural: "secrets", namespace: "shop".into(), name: name.into() };
        let stored = match store.get(&key) {
            Err(_) => store.create(resource, Some("shop"), sent, false),
            Ok(_) => store.update(resource, &key, false, |_| Ok(sent)),
        };
        stored.unwrap();
    }

    fn seen(store: &Store, watch: Watch) -> Vec<String> {
        let (sender, mut receiver) = mpsc::channel(64);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(follow(watch, store, &sender));
        let mut all = Vec::new();
        while let Ok(piece) = receiver.try_recv() {
            all.extend_from_slice(&piece);
        }
        let lines = String::from_utf8(all).unwrap();
        let events = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        events.map(|event| format!("{} {}", event["type"], event["object"]["metadata"]["name"])).collect()
    }

    #[test]
    fn objects_enter_and_leave_a_selection() {
        let store = Store::new(100);
        let start = *store.versions().borrow();
        label(&store, "a", "web");
        label(&store, "a", "db");
        label(&store, "b", "db");
        label(&store, "a", "web");
        let expected = ["\"ADDED\" \"a\"", "\"DELETED\" \"a\"", "\"ADDED\" \"a\""];
        assert_eq!(seen(&store, watch("app=web", Some(start), 3)), expected);
        assert_eq!(seen(&store, watch("app=db", None, 1)), ["\"ADDED\" \"b\""]);
    }
}
