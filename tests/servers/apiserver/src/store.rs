//! All objects, their versions, and the history that watches read.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use tokio::sync::watch;

use crate::object::{self, Resource, Stored};
use crate::status::Refused;

/// Names one object; ordered by kind, namespace, name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) plural: &'static str,
    /// Empty for what belongs to no namespace.
    pub(crate) namespace: String,
    pub(crate) name: String,
}

/// One step of the history: `before` is absent for a creation, `after` for a deletion.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) version: u64,
    pub(crate) key: Key,
    pub(crate) before: Option<Arc<Stored>>,
    pub(crate) after: Option<Arc<Stored>>,
    /// The last state, which a watch shows under the version of the deletion.
    pub(crate) last: Arc<Stored>,
}

/// The state of a list at one version.
pub(crate) struct Snapshot {
    pub(crate) version: u64,
    pub(crate) objects: Vec<(Key, Arc<Stored>)>,
}

pub(crate) struct Store {
    state: Mutex<State>,
    version: watch::Sender<u64>,
    capacity: usize,
}

struct State {
    version: u64,
    /// Changes up to this version are forgotten.
    compacted: u64,
    objects: BTreeMap<Key, Arc<Stored>>,
    history: VecDeque<Change>,
}

impl Store {
    /// Returns an empty store that keeps the last `capacity` changes for watches.
    pub(crate) fn new(capacity: usize) -> Self {
        // As in a real cluster the first versions are long gone.
        let start = 1000;
        let state =
            State { version: start, compacted: start, objects: BTreeMap::new(), history: VecDeque::new() };
        Self { state: Mutex::new(state), version: watch::Sender::new(start), capacity }
    }

    /// Returns the current version, and a way to wait for the next.
    pub(crate) fn versions(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    pub(crate) fn get(&self, key: &Key) -> Result<Arc<Stored>, Refused> {
        self.lock().get(key)
    }

    /// Returns all objects of a kind in `namespace`, or in all namespaces, by namespace and name.
    pub(crate) fn snapshot(&self, resource: &'static Resource, namespace: Option<&str>) -> Snapshot {
        let state = self.lock();
        let first = Key {
            plural: resource.plural,
            namespace: namespace.unwrap_or_default().to_owned(),
            name: String::new(),
        };
        let objects = state.objects.range(first..).take_while(|(key, _)| {
            key.plural == resource.plural && namespace.is_none_or(|namespace| key.namespace == namespace)
        });
        let objects = objects.map(|(key, stored)| (key.clone(), Arc::clone(stored))).collect();
        Snapshot { version: state.version, objects }
    }

    /// Stores a new object; its namespace comes into being with it. With `dry_run` nothing is kept.
    pub(crate) fn create(
        &self,
        resource: &'static Resource,
        namespace: Option<&str>,
        sent: Value,
        dry_run: bool,
    ) -> Result<Arc<Stored>, Refused> {
        let mut object = object::normalise(resource, namespace, sent)?;
        let name = object::name_of(resource, &object)?;
        let namespace_part = namespace.unwrap_or_default().to_owned();
        let mut key = Key { plural: resource.plural, namespace: namespace_part, name };
        let mut state = self.lock();
        // A generated name may be taken by chance; the real server tries as often.
        for _ in 0..8 {
            if state.objects.contains_key(&key) {
                key.name = object::name_of(resource, &object)?;
            }
        }
        if state.objects.contains_key(&key) {
            return Err(Refused::already_exists(key.plural, &key.name));
        }
        if let Some(namespace) = namespace.filter(|_| !dry_run) {
            self.ensure_namespace(&mut state, namespace)?;
        }
        let metadata = &mut object["metadata"];
        metadata["name"] = json!(key.name);
        metadata["uid"] = json!(object::new_uid()?);
        metadata["creationTimestamp"] = json!(object::timestamp(OffsetDateTime::now_utc()));
        Ok(self.write(&mut state, resource, key, object, dry_run))
    }

    /// Replaces an object by what `edit` makes of it (given and returned with `kind` and `apiVersion`).
    ///
    /// A `resourceVersion` in the result must be the current one; an edit that changes nothing makes no version.
    pub(crate) fn update(
        &self,
        resource: &'static Resource,
        key: &Key,
        dry_run: bool,
        edit: impl FnOnce(&Value) -> Result<Value, Refused>,
    ) -> Result<Arc<Stored>, Refused> {
        let mut state = self.lock();
        let current = state.get(key)?;
        let namespace = Some(key.namespace.as_str()).filter(|namespace| !namespace.is_empty());
        let mut object = object::normalise(resource, namespace, edit(&current.object())?)?;
        let metadata = &mut object["metadata"];
        if metadata["name"] != key.name {
            let sent = metadata["name"].as_str().unwrap_or_default();
            return Err(Refused::bad_request(format!(
                "the name of the object ({sent}) does not match the name on the URL ({})",
                key.name
            )));
        }
        let sent = metadata["resourceVersion"].as_str().unwrap_or_default();
        if !sent.is_empty() && sent != current.version() {
            let why =
                "the object has been modified; please apply your changes to the latest version and try again";
            return Err(Refused::conflict(key.plural, &key.name, why));
        }
        for kept in ["uid", "creationTimestamp", "resourceVersion"] {
            metadata[kept] = current.value["metadata"][kept].clone();
        }
        if current.value.as_object() == Some(&object) {
            return Ok(current);
        }
        Ok(self.write(&mut state, resource, key.clone(), object, dry_run))
    }

    /// Removes an object and returns its last state; `allowed` may check it first.
    pub(crate) fn delete(
        &self,
        resource: &'static Resource,
        key: &Key,
        dry_run: bool,
        allowed: impl FnOnce(&Stored) -> Result<(), Refused>,
    ) -> Result<Arc<Stored>, Refused> {
        let mut state = self.lock();
        let current = state.get(key)?;
        allowed(&current)?;
        if dry_run {
            return Ok(current);
        }
        state.objects.remove(key);
        let version = state.version + 1;
        let mut last = current.value.clone();
        last["metadata"]["resourceVersion"] = json!(version.to_string());
        let last = Arc::new(Stored::new(resource, last));
        let change = Change { version, key: key.clone(), before: Some(current), after: None, last };
        let last = Arc::clone(&change.last);
        self.record(&mut state, change);
        Ok(last)
    }

    /// Returns up to `most` changes after `version`, oldest first; refused with 410 when some of them are
    /// forgotten.
    pub(crate) fn changes(&self, version: u64, most: usize) -> Result<Vec<Change>, Refused> {
        let state = self.lock();
        if version < state.compacted {
            return Err(Refused::expired(format!(
                "too old resource version: {version} ({})",
                state.compacted
            )));
        }
        let first = state.history.partition_point(|change| change.version <= version);
        Ok(state.history.iter().skip(first).take(most).cloned().collect())
    }

    /// Checks that no changes after `version` are forgotten. Otherwise refuses with 410.
    pub(crate) fn still_known(&self, version: u64) -> Result<(), Refused> {
        self.changes(version, 0).map(drop)
    }

    /// Forgets the history: every version but the current one is too old from now on.
    pub(crate) fn compact(&self) {
        let mut state = self.lock();
        state.compacted = state.version;
        state.history.clear();
    }

    pub(crate) fn ensure(&self, namespace: &str) -> Result<(), Refused> {
        self.ensure_namespace(&mut self.lock(), namespace)
    }

    fn ensure_namespace(&self, state: &mut State, name: &str) -> Result<(), Refused> {
        let Some(resource) = Resource::find("namespaces") else {
            return Ok(());
        };
        let key = Key { plural: resource.plural, namespace: String::new(), name: name.to_owned() };
        if state.objects.contains_key(&key) {
            return Ok(());
        }
        let metadata = json!({
            "name": name,
            "uid": object::new_uid()?,
            "creationTimestamp": object::timestamp(OffsetDateTime::now_utc()),
            "labels": { "kubernetes.io/metadata.name": name },
        });
        let object = object::normalise(resource, None, json!({ "metadata": metadata }))?;
        object::name_of(resource, &object)?;
        self.write(state, resource, key, object, false);
        Ok(())
    }

    fn write(
        &self,
        state: &mut State,
        resource: &'static Resource,
        key: Key,
        mut object: Map<String, Value>,
        dry_run: bool,
    ) -> Arc<Stored> {
        if dry_run {
            return Arc::new(Stored::new(resource, Value::Object(object)));
        }
        let version = state.version + 1;
        object["metadata"]["resourceVersion"] = json!(version.to_string());
        let stored = Arc::new(Stored::new(resource, Value::Object(object)));
        let before = state.objects.insert(key.clone(), Arc::clone(&stored));
        let after = Some(Arc::clone(&stored));
        self.record(state, Change { version, key, before, after, last: Arc::clone(&stored) });
        stored
    }

    fn record(&self, state: &mut State, change: Change) {
        state.version = change.version;
        state.history.push_back(change);
        if state.history.len() > self.capacity
            && let Some(forgotten) = state.history.pop_front()
        {
            state.compacted = forgotten.version;
        }
        self.version.send_replace(state.version);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn get(&self, key: &Key) -> Result<Arc<Stored>, Refused> {
        let found = self.objects.get(key).cloned();
        found.ok_or_else(|| Refused::not_found(key.plural, &key.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets() -> &'static Resource {
        Resource::find("secrets").unwrap()
    }

    fn key(name: &str) -> Key {
        Key { plural: "secrets", namespace: "shop".to_owned(), name: name.to_owned() }
    }

    fn create(store: &Store, name: &str) -> Result<Arc<Stored>, Refused> {
        store.create(secrets(), Some("shop"), json!({ "metadata": { "name": name } }), false)
    }

    #[test]
    fn an_object_is_created_once_with_all_that_the_server_sets() {
        let store = Store::new(10);
        let stored = create(&store, "a").unwrap();
        let metadata = &stored.value["metadata"];
        assert!(metadata["uid"].as_str().unwrap().len() == 36 && metadata["creationTimestamp"].is_string());
        assert_eq!(stored.version(), store.versions().borrow().to_string());
        assert_eq!(create(&store, "a").unwrap_err().reason(), "AlreadyExists");
        let namespaces = Resource::find("namespaces").unwrap();
        assert_eq!(store.snapshot(namespaces, None).objects.len(), 1);
    }

    #[test]
    fn a_dry_run_keeps_nothing() {
        let store = Store::new(10);
        store.create(secrets(), Some("shop"), json!({ "metadata": { "name": "a" } }), true).unwrap();
        assert_eq!(store.get(&key("a")).unwrap_err().code(), 404);
        create(&store, "a").unwrap();
        store.delete(secrets(), &key("a"), true, |_| Ok(())).unwrap();
        assert!(store.get(&key("a")).is_ok());
    }

    #[test]
    fn an_update_of_an_old_version_conflicts_and_an_empty_one_makes_no_version() {
        let store = Store::new(10);
        let first = create(&store, "a").unwrap();
        let edited = store.update(secrets(), &key("a"), false, |object| {
            let mut object = object.clone();
            object["metadata"]["labels"] = json!({ "x": "y" });
            Ok(object)
        });
        let second = edited.unwrap();
        assert_ne!(first.version(), second.version());
        let old = store.update(secrets(), &key("a"), false, |_| Ok(first.object()));
        assert_eq!(old.unwrap_err().reason(), "Conflict");
        let same = store.update(secrets(), &key("a"), false, |object| Ok(object.clone())).unwrap();
        assert_eq!(same.version(), second.version());
    }

    #[test]
    fn history_is_forgotten_when_compacted_or_full() {
        let store = Store::new(2);
        let start = *store.versions().borrow();
        create(&store, "a").unwrap();
        assert_eq!(store.changes(start, 9).unwrap().len(), 2, "the namespace and the secret");
        create(&store, "b").unwrap();
        assert_eq!(store.changes(start, 9).unwrap_err().code(), 410);
        assert_eq!(store.changes(start + 1, 9).unwrap().len(), 2);
        store.compact();
        let now = *store.versions().borrow();
        assert_eq!(store.still_known(now - 1).unwrap_err().code(), 410);
        assert!(store.changes(now, 9).unwrap().is_empty());
    }
}
