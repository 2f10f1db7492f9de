//! The kinds this server keeps, one stored object, and what an object must be to be stored.

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::status::Refused;

/// A kind of the core group, version v1.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Resource {
    pub(crate) plural: &'static str,
    pub(crate) singular: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) short: &'static [&'static str],
    pub(crate) namespaced: bool,
    /// The fields that a field selector may name besides `metadata.name` and `metadata.namespace`.
    pub(crate) fields: &'static [&'static str],
}

/// All kinds, in the order of their plural names.
pub(crate) const RESOURCES: &[Resource] = &[
    Resource {
        plural: "configmaps",
        singular: "configmap",
        kind: "ConfigMap",
        short: &["cm"],
        namespaced: true,
        fields: &[],
    },
    Resource {
        plural: "events",
        singular: "event",
        kind: "Event",
        short: &["ev"],
        namespaced: true,
        fields: &[
            "reason",
            "type",
            "source",
            "reportingComponent",
            "involvedObject.kind",
            "involvedObject.name",
            "involvedObject.namespace",
            "involvedObject.uid",
        ],
    },
    Resource {
        plural: "namespaces",
        singular: "namespace",
        kind: "Namespace",
        short: &["ns"],
        namespaced: false,
        fields: &["status.phase"],
    },
    Resource {
        plural: "pods",
        singular: "pod",
        kind: "Pod",
        short: &["po"],
        namespaced: true,
        fields: &["spec.nodeName", "spec.restartPolicy", "spec.serviceAccountName", "status.phase"],
    },
    Resource {
        plural: "secrets",
        singular: "secret",
        kind: "Secret",
        short: &[],
        namespaced: true,
        fields: &["type"],
    },
];

impl Resource {
    pub(crate) fn find(plural: &str) -> Option<&'static Self> {
        RESOURCES.iter().find(|resource| resource.plural == plural)
    }
}

/// One version of an object, never changed once made.
#[derive(Debug)]
pub(crate) struct Stored {
    /// Without `kind` and `apiVersion`, as the items of a list are.
    pub(crate) value: Value,
    /// The same as JSON text.
    pub(crate) item: Bytes,
    kind: &'static str,
}

impl Stored {
    pub(crate) fn new(resource: &Resource, value: Value) -> Self {
        Self { item: Bytes::from(value.to_string()), value, kind: resource.kind }
    }

    /// Returns the whole object as JSON text, with `kind` and `apiVersion`.
    pub(crate) fn json(&self) -> Bytes {
        let mut text = Vec::with_capacity(self.item.len() + 40);
        self.write_json(&mut text);
        Bytes::from(text)
    }

    /// Appends the text of [`Stored::json`].
    pub(crate) fn write_json(&self, text: &mut Vec<u8>) {
        text.extend_from_slice(b"{\"kind\":\"");
        text.extend_from_slice(self.kind.as_bytes());
        text.extend_from_slice(b"\",\"apiVersion\":\"v1\",");
        // The metadata is always there, so the item is never `{}`.
        text.extend_from_slice(&self.item[1..]);
    }

    /// Returns the whole object, with `kind` and `apiVersion`.
    pub(crate) fn object(&self) -> Value {
        let mut value = self.value.clone();
        value["kind"] = json!(self.kind);
        value["apiVersion"] = json!("v1");
        value
    }

    pub(crate) fn uid(&self) -> &str {
        self.value["metadata"]["uid"].as_str().unwrap_or_default()
    }

    pub(crate) fn version(&self) -> &str {
        self.value["metadata"]["resourceVersion"].as_str().unwrap_or_default()
    }
}

/// Checks `value` as sent by a client for `namespace` and converts it to the form in which it is stored:
/// without `kind` and `apiVersion`, with the namespace set, a secret's `stringData` folded into `data`. The
/// name is not checked.
pub(crate) fn normalise(
    resource: &Resource,
    namespace: Option<&str>,
    value: Value,
) -> Result<Map<String, Value>, Refused> {
    let Value::Object(mut object) = value else {
        return Err(Refused::bad_request("the body of the request is not a JSON object"));
    };
    let (kind, version) = (object.remove("kind"), object.remove("apiVersion"));
    if kind.as_ref().is_some_and(|kind| kind != resource.kind)
        || version.is_some_and(|version| version != "v1")
    {
        let sent = kind.as_ref().and_then(Value::as_str).unwrap_or_default();
        return Err(Refused::bad_request(format!(
            "{sent} in version \"v1\" cannot be handled as a {}: the kind or the version is another",
            resource.kind
        )));
    }
    let metadata = object.entry("metadata").or_insert_with(|| json!({}));
    let Value::Object(metadata) = metadata else {
        return Err(Refused::bad_request("metadata is not a JSON object"));
    };
    if let Some(namespace) = namespace {
        let sent = metadata.get("namespace").and_then(Value::as_str).unwrap_or_default();
        if !sent.is_empty() && sent != namespace {
            return Err(Refused::bad_request(
                "the namespace of the provided object does not match the namespace sent on the request",
            ));
        }
        metadata.insert("namespace".to_owned(), json!(namespace));
    } else {
        metadata.remove("namespace");
    }
    match resource.kind {
        "Secret" => secret(&mut object)?,
        "Namespace" => drop(object.insert("status".to_owned(), json!({ "phase": "Active" }))),
        _ => {}
    }
    Ok(object)
}

/// Returns the name that a new object requests, or one made from its `generateName`.
pub(crate) fn name_of(resource: &Resource, object: &Map<String, Value>) -> Result<String, Refused> {
    let metadata = &object["metadata"];
    let name = match (metadata["name"].as_str(), metadata["generateName"].as_str()) {
        (Some(name), _) if !name.is_empty() => name.to_owned(),
        (_, Some(prefix)) if !prefix.is_empty() => format!("{prefix}{}", suffix()?),
        _ => {
            let problem = "Required value: name or generateName is required";
            return Err(Refused::invalid(resource.kind, "", "metadata.name", problem));
        }
    };
    if is_subdomain(&name) {
        return Ok(name);
    }
    let problem = format!(
        "Invalid value: \"{name}\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, \
         '-' or '.', and must start and end with an alphanumeric character"
    );
    Err(Refused::invalid(resource.kind, &name, "metadata.name", &problem))
}

/// Formats a time like Kubernetes: RFC 3339 in UTC, in whole seconds.
pub(crate) fn timestamp(when: OffsetDateTime) -> String {
    let seconds = OffsetDateTime::from_unix_timestamp(when.unix_timestamp()).unwrap_or(when);
    seconds.format(&Rfc3339).unwrap_or_default()
}

/// Returns a random UUID, version 4.
pub(crate) fn new_uid() -> Result<String, Refused> {
    let mut bytes: [u8; 16] = random()?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let digits = format!("{:032x}", u128::from_be_bytes(bytes));
    Ok([&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-"))
}

fn secret(object: &mut Map<String, Value>) -> Result<(), Refused> {
    let plain = object.remove("stringData");
    if let Some(Value::Object(plain)) = plain {
        let data = object.entry("data").or_insert_with(|| json!({}));
        for (key, value) in plain {
            data[key] = json!(STANDARD.encode(value.as_str().unwrap_or_default()));
        }
    }
    for (key, value) in object.get("data").and_then(Value::as_object).into_iter().flatten() {
        if value.as_str().is_none_or(|text| STANDARD.decode(text).is_err()) {
            return Err(Refused::bad_request(format!(
                "Secret in version \"v1\" cannot be handled as a Secret: illegal base64 data in data[{key}]"
            )));
        }
    }
    let kind = object.entry("type").or_insert_with(|| json!("Opaque"));
    if kind == "kubernetes.io/tls" {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        for key in ["tls.crt", "tls.key"] {
            if object.get("data").is_none_or(|data| data.get(key).is_none()) {
                return Err(Refused::invalid("Secret", name, &format!("data[{key}]"), "Required value"));
            }
        }
    }
    Ok(())
}

/// Returns five characters of the alphabet that Kubernetes uses, which has no vowels and so spells no words.
fn suffix() -> Result<String, Refused> {
    const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let bytes: [u8; 5] = random()?;
    Ok(bytes.iter().map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()])).collect())
}

fn random<const N: usize>() -> Result<[u8; N], Refused> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).map_err(|_| Refused::new(500, "the system gives no random bytes"))?;
    Ok(bytes)
}

fn is_subdomain(name: &str) -> bool {
    let label = |label: &str| {
        let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !label.is_empty() && label.bytes().all(inner) && !label.starts_with('-') && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets() -> &'static Resource {
        Resource::find("secrets").unwrap()
    }

    fn code(sent: Value) -> u16 {
        let normal = normalise(secrets(), Some("shop"), sent);
        normal.and_then(|object| name_of(secrets(), &object)).unwrap_err().code()
    }

    #[test]
    fn a_secret_is_normalised() {
        let sent =
            json!({ "kind": "Secret", "metadata": { "name": "db" }, "stringData": { "user": "jane" } });
        let object = normalise(secrets(), Some("shop"), sent).unwrap();
        let expected = json!({
            "metadata": { "name": "db", "namespace": "shop" }, "type": "Opaque", "data": { "user": "amFuZQ==" },
        });
        assert_eq!(Value::Object(object), expected);
    }

    #[test]
    fn what_the_real_server_refuses_is_refused() {
        assert_eq!(code(json!([])), 400);
        assert_eq!(code(json!({ "kind": "ConfigMap", "metadata": { "name": "a" } })), 400);
        assert_eq!(code(json!({ "metadata": { "name": "a", "namespace": "other" } })), 400);
        assert_eq!(code(json!({ "metadata": { "name": "a" }, "data": { "k": "no base64!" } })), 400);
        assert_eq!(code(json!({ "metadata": { "name": "Upper" } })), 422);
        assert_eq!(code(json!({ "metadata": {} })), 422);
        assert_eq!(code(json!({ "metadata": { "name": "a" }, "type": "kubernetes.io/tls" })), 422);
    }

    #[test]
    fn generated_names_and_uids_differ() {
        let object =
            normalise(secrets(), Some("shop"), json!({ "metadata": { "generateName": "a-" } })).unwrap();
        let names = [name_of(secrets(), &object).unwrap(), name_of(secrets(), &object).unwrap()];
        assert!(names.iter().all(|name| name.starts_with("a-") && name.len() == 7) && names[0] != names[1]);
        assert_ne!(new_uid().unwrap(), new_uid().unwrap());
    }

    #[test]
    fn an_object_says_its_kind_and_an_item_does_not() {
        let stored = Stored::new(secrets(), json!({ "metadata": { "name": "db" } }));
        assert_eq!(serde_json::from_slice::<Value>(&stored.json()).unwrap(), stored.object());
        assert_eq!(stored.item, r#"{"metadata":{"name":"db"}}"#);
    }
}
