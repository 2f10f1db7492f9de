//! The controls of a running server for tests: reading and seeding it, inspecting the requests, and making it
//! fail.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::credentials::BASIC_USER;
use crate::faults::Fault;
use crate::kubeconfig::{self, Context, Kubeconfig, User};
use crate::log::{Received, Sunk};
use crate::object::timestamp;
use crate::routes::{self, Route};
use crate::server::{ApiServer, StartError, file_of};
use crate::status::Refused;
use crate::store::Key;
use crate::tls::KeyedCertificate;

/// Addresses and credentials.
impl ApiServer {
    /// Returns scheme, host, port and base path, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the folder of its kubeconfigs, deleted with the server.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns a kubeconfig with one context, for `user`, in block-style YAML.
    #[must_use]
    pub fn kubeconfig(&self, user: User) -> PathBuf {
        file_of(self.folder(), user)
    }

    /// Returns a context for `user` to build other kubeconfigs from. It has no namespace, and its relative
    /// paths fit files in [`ApiServer::folder`].
    #[must_use]
    pub fn context(&self, user: User) -> Context {
        kubeconfig::context(user, &self.url, self.authority.as_deref(), &self.shared.credentials)
    }

    /// Writes a kubeconfig into [`ApiServer::folder`] and says where.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn write_kubeconfig(&self, file_name: &str, kubeconfig: &Kubeconfig) -> io::Result<PathBuf> {
        let path = self.folder().join(file_name);
        kubeconfig.write(&path)?;
        Ok(path)
    }

    /// Returns the CA of its certificate, PEM; `None` over plain HTTP.
    #[must_use]
    pub fn authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// Returns the client certificate of `user`; `None` for users without.
    #[must_use]
    pub fn client_certificate(&self, user: User) -> Option<&KeyedCertificate> {
        let credentials = &self.shared.credentials;
        match user {
            User::Certificate | User::CertificateFiles => Some(&credentials.certificate),
            User::ExpiredCertificate => Some(&credentials.expired),
            User::NotYetValidCertificate => Some(&credentials.not_yet_valid),
            User::ForeignCertificate => Some(&credentials.foreign),
            _ => None,
        }
    }

    /// Returns a client certificate of another user, made now.
    ///
    /// # Errors
    /// If no key can be made.
    pub fn certificate_of(&self, user: &str) -> Result<KeyedCertificate, StartError> {
        Ok(self.shared.credentials.certificate_of(user)?)
    }

    /// Returns the valid bearer token.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.shared.credentials.token
    }

    /// Returns user and password of basic authentication.
    #[must_use]
    pub fn basic(&self) -> (&str, &str) {
        (BASIC_USER, &self.shared.credentials.password)
    }

    /// Returns each text that must appear nowhere outside kubeconfigs: lines of the PEM of keys, their base64
    /// text in kubeconfigs, tokens, the password. Of all users, the bad ones too.
    #[must_use]
    pub fn secrets(&self) -> Vec<String> {
        self.shared.credentials.secrets()
    }
}

/// Objects. Paths are those of the API, such as `/api/v1/namespaces/shop/secrets/db`; `/api/v1/` may be left out.
impl ApiServer {
    /// Creates or replaces the object at the path of an item, or creates one at the path of a collection. Returns
    /// it as stored. Its namespace, and for an item its name, may be left to the path.
    ///
    /// # Errors
    /// The same refusals as from the API.
    pub fn put(&self, path: &str, mut object: Value) -> Result<Value, Refused> {
        let store = &self.shared.store;
        let stored = match parse(path) {
            Route::Collection { resource, namespace, .. } => {
                store.create(resource, namespace.as_deref(), object, false)
            }
            Route::Item { resource, namespace, name } => {
                let metadata =
                    object.as_object_mut().map(|object| object.entry("metadata").or_insert(json!({})));
                if let Some(Value::Object(metadata)) = metadata {
                    metadata.entry("name").or_insert(json!(name));
                    metadata.remove("resourceVersion");
                }
                let key =
                    Key { plural: resource.plural, namespace: namespace.clone().unwrap_or_default(), name };
                if store.get(&key).is_ok() {
                    store.update(resource, &key, false, |_| Ok(object))
                } else {
                    store.create(resource, namespace.as_deref(), object, false)
                }
            }
            _ => Err(Refused::unknown_path()),
        };
        stored.map(|stored| stored.object())
    }

    /// Returns the object at the path of an item, or an array of all at the path of a collection; `None` if
    /// there is none.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<Value> {
        let store = &self.shared.store;
        match parse(path) {
            Route::Collection { resource, namespace, .. } => {
                let all = store.snapshot(resource, namespace.as_deref()).objects;
                Some(all.iter().map(|(_, stored)| stored.object()).collect())
            }
            Route::Item { resource, namespace, name } => {
                let key = Key { plural: resource.plural, namespace: namespace.unwrap_or_default(), name };
                store.get(&key).ok().map(|stored| stored.object())
            }
            _ => None,
        }
    }

    /// Deletes the object at the path of an item.
    ///
    /// # Errors
    /// If there is none.
    pub fn delete(&self, path: &str) -> Result<(), Refused> {
        let Route::Item { resource, namespace, name } = parse(path) else {
            return Err(Refused::unknown_path());
        };
        let key = Key { plural: resource.plural, namespace: namespace.unwrap_or_default(), name };
        self.shared.store.delete(resource, &key, false, |_| Ok(())).map(drop)
    }

    /// Creates an event about the pod `web-0`, of the type `Normal`, and returns it.
    ///
    /// # Errors
    /// If `namespace` is not a valid name.
    pub fn create_event(&self, namespace: &str, reason: &str, message: &str) -> Result<Value, Refused> {
        let now = timestamp(OffsetDateTime::now_utc());
        let event = json!({
            "metadata": { "generateName": "web-0." },
            "involvedObject": { "apiVersion": "v1", "kind": "Pod", "name": "web-0", "namespace": namespace },
            "type": "Normal", "reason": reason, "message": message, "count": 1,
            "source": { "component": "kubelet" }, "firstTimestamp": now, "lastTimestamp": now,
        });
        self.put(&format!("namespaces/{namespace}/events"), event)
    }

    /// Returns the current `resourceVersion`.
    #[must_use]
    pub fn version(&self) -> u64 {
        *self.shared.store.versions().borrow()
    }

    /// Forgets the history: versions older than the current one are answered with 410 from now on.
    pub fn compact(&self) {
        self.shared.store.compact();
    }
}

/// The received requests, and the faults.
impl ApiServer {
    /// Returns all requests so far, in the order of their arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<Received> {
        self.shared.log.requests()
    }

    /// Returns the uploads to `/sink` that arrived completely.
    #[must_use]
    pub fn uploads(&self) -> Vec<Sunk> {
        self.shared.log.sunk()
    }

    /// Returns the number of connections, including those with a failed handshake.
    #[must_use]
    pub fn connections(&self) -> usize {
        usize::try_from(self.shared.connections.load(Ordering::Relaxed)).unwrap_or(usize::MAX)
    }

    /// Returns the number of open connections.
    #[must_use]
    pub fn open_connections(&self) -> usize {
        usize::try_from(self.shared.open.load(Ordering::Relaxed)).unwrap_or(usize::MAX)
    }

    /// Returns the abnormal ends of connections: failed handshakes, malformed HTTP, lost clients, cuts by
    /// faults. Each begins with `connection N: handshake:` or `connection N: http:`.
    #[must_use]
    pub fn failures(&self) -> Vec<String> {
        self.shared.log.failures()
    }

    /// Adds a fault after the existing ones.
    pub fn fault(&self, fault: Fault) {
        self.shared.faults.add(fault);
    }

    /// Returns the number of faults that wait for requests.
    #[must_use]
    pub fn faults(&self) -> usize {
        self.shared.faults.len()
    }

    /// Forgets all faults, and releases what they hold.
    pub fn clear_faults(&self) {
        self.shared.faults.clear();
        self.release();
    }

    /// Lets the answers continue that a fault has stalled.
    pub fn release(&self) {
        self.shared.faults.release();
    }

    /// Ends all watches of this moment properly.
    pub fn end_watches(&self) {
        self.shared.ends.send_modify(|ends| *ends += 1);
    }
}

fn parse(path: &str) -> Route {
    let path = path.trim_start_matches('/');
    routes::route("", &format!("/api/v1/{}", path.strip_prefix("api/v1/").unwrap_or(path)))
}
