//! The record of the printed events.

use crate::event::Event;
use std::collections::{HashMap, HashSet};

/// Remembers of each event the version that was printed, so that a list after a broken watch prints only what is new.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    versions: HashMap<String, String>,
}

impl Ledger {
    /// Records an event. Returns `false` if this version was recorded before.
    pub(crate) fn note(&mut self, event: &Event) -> bool {
        let version = &event.metadata.resource_version;
        match self.versions.get_mut(&event.metadata.uid) {
            Some(known) if known == version => false,
            Some(known) => {
                known.clone_from(version);
                true
            }
            None => {
                self.versions.insert(event.metadata.uid.clone(), version.clone());
                true
            }
        }
    }

    /// Forgets an event that is deleted.
    pub(crate) fn forget(&mut self, event: &Event) {
        self.versions.remove(&event.metadata.uid);
    }

    /// Forgets every event that the cluster has forgotten, so that the ledger of a long watch stays as small
    /// as its list.
    pub(crate) fn keep_only(&mut self, listed: &[Event]) {
        let listed: HashSet<&str> = listed.iter().map(|event| event.metadata.uid.as_str()).collect();
        self.versions.retain(|uid, _| listed.contains(uid.as_str()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(uid: &str, version: &str) -> Event {
        let mut event = Event::default();
        event.metadata.uid = uid.to_owned();
        event.metadata.resource_version = version.to_owned();
        event
    }

    #[test]
    fn each_version_of_an_event_is_new_once() {
        let mut ledger = Ledger::default();
        assert!(ledger.note(&event("a", "1")));
        assert!(!ledger.note(&event("a", "1")));
        assert!(ledger.note(&event("a", "2")));
        assert!(!ledger.note(&event("a", "2")));
        assert!(ledger.note(&event("b", "2")));
    }

    #[test]
    fn what_the_cluster_forgot_is_forgotten() {
        let mut ledger = Ledger::default();
        ledger.note(&event("a", "1"));
        ledger.note(&event("b", "1"));
        ledger.keep_only(&[event("b", "9")]);
        assert_eq!(ledger.versions.len(), 1);
        assert!(!ledger.note(&event("b", "1")));
        ledger.forget(&event("b", "2"));
        assert!(ledger.versions.is_empty());
    }
}
