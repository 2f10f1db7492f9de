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

/// The largest number of changes in one piece.
const BATCH: usize = 500;

/// The objects and options of a watch.
pub(crate) struct Watch {
    pub(crate) resource: &'static Resource,
    pub(crate) namespace: Option<String>,
    pub(crate) selector: Selector,
    /// Changes after this version; `None` begins with all objects there are.
    pub(crate) after: Option<u64>,
    pub(crate) timeout: Option<Duration>,
    /// The number of events after which it ends.
    pub(crate) events: Option<usize>,
}

/// A watch whose first events are settled: what happens from now on will be seen, even if the history is compacted
/// before anything is sent.
pub(crate) struct Begun {
    watch: Watch,
    lines: Vec<u8>,
    /// The version seen last; `None` when the watch is over.
    seen: Option<u64>,
}

/// Sends the events of a watch until its time is over, the client has gone, `ends` changes, or its version is
/// forgotten.
pub(crate) async fn run(
    begun: Begun,
    store: Arc<Store>,
    mut ends: watch::Receiver<u64>,
    events: mpsc::Sender<Bytes>,
) {
    let timeout = begun.watch.timeout;
    let over = async {
        match timeout {
            Some(timeout) => tokio::time::sleep(timeout).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = follow(begun, &store, &events) => {}
        () = over => {}
        _ = ends.changed() => {}
        () = events.closed() => {}
    }
}

/// Returns the line that ends a watch which can't be served.
pub(crate) fn error_line(refused: &Refused) -> Bytes {
    Bytes::from(format!("{}\n", json!({ "type": "ERROR", "object": refused.to_status() })))
}

async fn follow(mut begun: Begun, store: &Store, events: &mpsc::Sender<Bytes>) {
    let mut versions = store.versions();
    loop {
        let lines = std::mem::take(&mut begun.lines);
        if !lines.is_empty() && events.send(Bytes::from(lines)).await.is_err() {
            return;
        }
        versions.borrow_and_update();
        let before = begun.seen;
        begun.proceed(store);
        // Unrelated changes are not a reason to wait: more may be there.
        if begun.lines.is_empty() {
            match begun.seen {
                None => return,
                seen if seen == before && versions.changed().await.is_err() => return,
                Some(_) => {}
            }
        }
    }
}

impl Begun {
    /// Takes in the next changes.
    fn proceed(&mut self, store: &Store) {
        let Some(seen) = self.seen.filter(|_| self.watch.events != Some(0)) else {
            self.seen = None;
            return;
        };
        match store.changes(seen, BATCH) {
            Ok(changes) => {
                for change in &changes {
                    self.watch.write(change, &mut self.lines);
                }
                self.seen = Some(changes.last().map_or(seen, |last| last.version));
            }
            Err(refused) => {
                self.lines.extend_from_slice(&error_line(&refused));
                self.seen = None;
            }
        }
    }
}

impl Watch {
    /// Settles what it begins with: all there is, or what the history has by now.
    pub(crate) fn begin(mut self, store: &Store) -> Begun {
        let mut lines = Vec::new();
        let Some(after) = self.after else {
            let snapshot = store.snapshot(self.resource, self.namespace.as_deref());
            for (_, stored) in &snapshot.objects {
                if self.selector.takes(&stored.value) {
                    self.line("ADDED", stored, &mut lines);
                }
            }
            return Begun { watch: self, lines, seen: Some(snapshot.version) };
        };
        let mut begun = Begun { watch: self, lines, seen: Some(after) };
        loop {
            let before = begun.seen;
            begun.proceed(store);
            if begun.seen == before || begun.seen.is_none() {
                return begun;
            }
        }
    }

    /// Writes a change. An object that enters the selection is added for this watch, and one that leaves it
    /// is deleted.
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

    fn seen(store: &Store, begun: Begun) -> Vec<String> {
        let (sender, mut receiver) = mpsc::channel(64);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let followed =
            async { tokio::time::timeout(Duration::from_mins(1), follow(begun, store, &sender)).await };
        runtime.block_on(followed).expect("the watch hangs");
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
        assert_eq!(seen(&store, watch("app=web", Some(start), 3).begin(&store)), expected);
        assert_eq!(seen(&store, watch("app=db", None, 1).begin(&store)), ["\"ADDED\" \"b\""]);
    }
    #[test]
    fn many_changes_elsewhere_hold_nothing_up() {
        let store = Store::new(10_000);
        let begun = watch("", Some(*store.versions().borrow()), 1).begin(&store);
        let elsewhere = Resource::find("configmaps").unwrap();
        for _ in 0..3 * BATCH {
            let sent = json!({ "metadata": { "generateName": "c-" } });
            store.create(elsewhere, Some("shop"), sent, false).unwrap();
        }
        label(&store, "a", "web");
        assert_eq!(seen(&store, begun), ["\"ADDED\" \"a\""]);
    }
}
