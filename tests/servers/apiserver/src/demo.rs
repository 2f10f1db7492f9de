//! The objects of the demo: a namespace with a TLS secret, a database's secret, and some events.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use crate::object::timestamp;
use crate::server::{ApiServer, StartError};
use crate::tls::{Authority, Validity};

/// The namespace of the demo.
pub const NAMESPACE: &str = "shop";

/// Returns the demo as one JSON document, a `List` that `kubectl apply -f` (and `create`) accepts on any
/// cluster: the namespace [`NAMESPACE`], the secrets `web-tls` and `db`, and events about the pod `web-0`.
///
/// The certificate in `web-tls` is for `web.shop.example`, in two PEM blocks (itself and its intermediate),
/// and created by each call.
///
/// # Errors
/// If a certificate can't be made.
pub fn manifests() -> Result<Value, StartError> {
    let mut items =
        vec![json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": NAMESPACE } })];
    items.push(tls_secret()?);
    items.push(database_secret());
    items.extend(events());
    Ok(json!({ "apiVersion": "v1", "kind": "List", "items": items }))
}

/// Stores the objects of [`manifests`] in `server`.
///
/// # Errors
/// If a certificate can't be made, or an object of the demo exists already under a name that may not be changed.
pub fn seed(server: &ApiServer) -> Result<(), StartError> {
    let manifests = manifests()?;
    for object in manifests["items"].as_array().into_iter().flatten() {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let path = match object["kind"].as_str() {
            Some("Secret") => format!("namespaces/{NAMESPACE}/secrets/{name}"),
            Some("Event") => format!("namespaces/{NAMESPACE}/events/{name}"),
            _ => format!("namespaces/{name}"),
        };
        server.put(&path, object.clone())?;
    }
    Ok(())
}

fn tls_secret() -> Result<Value, StartError> {
    let intermediate = Authority::root("Shop Root CA")?.intermediate("Shop Issuing CA")?;
    let leaf = intermediate.server(&["web.shop.example", "www.shop.example"], Validity::Now)?;
    let chain = format!("{}{}", leaf.certificate, intermediate.pem());
    Ok(json!({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
        "metadata": {
            "name": "web-tls", "namespace": NAMESPACE,
            "labels": { "app": "web" },
            "annotations": { "shop.example/owner": "storefront" },
        },
        "data": { "tls.crt": STANDARD.encode(chain), "tls.key": STANDARD.encode(leaf.key) },
    }))
}

fn database_secret() -> Value {
    // No text in any encoding: what decodes it must not print it as such.
    let binary: [u8; 16] =
        [0x00, 0x01, 0xfe, 0xff, 0x80, 0x7f, 0xc3, 0x28, 0x1b, 0x5b, 0x33, 0x31, 0x6d, 0x00, 0x0a, 0xed];
    json!({
        "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
        "metadata": { "name": "db", "namespace": NAMESPACE, "labels": { "app": "db" } },
        "data": {
            "username": STANDARD.encode("shop"),
            "password": STANDARD.encode("correct horse battery staple"),
            "seed.bin": STANDARD.encode(binary),
        },
    })
}

fn events() -> Vec<Value> {
    let rows = [
        (9, "Normal", "Scheduled", "default-scheduler", 1, "Successfully assigned shop/web-0 to node-1"),
        (
            8,
            "Normal",
            "Pulled",
            "kubelet",
            1,
            "Container image \"registry.example/web:1.4\" already present on machine",
        ),
        (8, "Normal", "Started", "kubelet", 1, "Started container web"),
        (3, "Warning", "BackOff", "kubelet", 7, "Back-off restarting failed container web in pod web-0"),
    ];
    let now = OffsetDateTime::now_utc();
    let event = |(index, (minutes, kind, reason, component, count, message))| {
        let (first, last) =
            (timestamp(now - Duration::minutes(minutes)), timestamp(now - Duration::minutes(1)));
        json!({
            "apiVersion": "v1", "kind": "Event",
            "metadata": { "name": format!("web-0.{index}"), "namespace": NAMESPACE },
            "involvedObject": { "apiVersion": "v1", "kind": "Pod", "name": "web-0", "namespace": NAMESPACE },
            "type": kind, "reason": reason, "message": message, "count": count,
            "source": { "component": component },
            "firstTimestamp": first, "lastTimestamp": if count > 1 { &last } else { &first },
        })
    };
    rows.into_iter().enumerate().map(event).collect()
}
