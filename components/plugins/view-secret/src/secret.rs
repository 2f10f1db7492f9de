//! A secret, and what its values are once they are decoded.

use data_encoding::BASE64;
use flate2::read::GzDecoder;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::Read;

/// The most that a compressed value may grow to. Helm's releases stay far below, since a secret is at most 1 MiB.
const LIMIT: u64 = 64 * 1024 * 1024;

/// A secret.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Secret {
    #[serde(default)]
    pub(crate) metadata: plugin_kit::Metadata,
    #[serde(default, rename = "type")]
    pub(crate) kind: String,
    data: Option<BTreeMap<String, Option<String>>>,
}

/// A key with its decoded value.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Entry<'a> {
    pub(crate) key: &'a str,
    pub(crate) value: Vec<u8>,
}

impl Secret {
    /// Returns the keys, in their order.
    pub(crate) fn keys(&self) -> Vec<&str> {
        self.data.iter().flatten().map(|(key, _)| key.as_str()).collect()
    }

    /// Decodes the value of a key; `None` if there is no such key. The error is `what: why`.
    pub(crate) fn entry(&self, key: &str) -> Option<Result<Entry<'_>, String>> {
        let (key, text) = self.data.as_ref()?.get_key_value(key)?;
        let text = text.as_deref().unwrap_or_default();
        Some(match decode(&self.kind, text) {
            Ok(value) => Ok(Entry { key, value }),
            Err(why) => Err(format!("`{}`: {why}", kube_guest::for_terminal_line(key))),
        })
    }

    /// Decodes all values.
    pub(crate) fn entries(&self) -> Result<Vec<Entry<'_>>, String> {
        self.keys().into_iter().filter_map(|key| self.entry(key)).collect()
    }
}

fn decode(kind: &str, text: &str) -> Result<Vec<u8>, String> {
    let value = base64(text.as_bytes())?;
    match kind {
        "helm.sh/release.v1" => gunzip(&base64(&value)?, LIMIT),
        "kubernetes.io/dockercfg" | "kubernetes.io/dockerconfigjson" => Ok(indented(value)),
        _ => Ok(value),
    }
}

fn base64(text: &[u8]) -> Result<Vec<u8>, String> {
    let text: Vec<u8> = text.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
    BASE64.decode(&text).map_err(|error| format!("no base64: {error}"))
}

fn gunzip(bytes: &[u8], limit: u64) -> Result<Vec<u8>, String> {
    let mut value = Vec::new();
    GzDecoder::new(bytes)
        .take(limit + 1)
        .read_to_end(&mut value)
        .map_err(|error| format!("no gzip: {error}"))?;
    if value.len() as u64 > limit {
        return Err(format!("more than {limit} bytes when decompressed"));
    }
    Ok(value)
}

/// Returns JSON with a member on each line; anything else as it is.
fn indented(value: Vec<u8>) -> Vec<u8> {
    let parsed = serde_json::from_slice::<serde_json::Value>(&value);
    parsed.ok().and_then(|json| serde_json::to_vec_pretty(&json).ok()).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    fn secret(kind: &str, data: &str) -> Secret {
        serde_json::from_str(&format!(r#"{{"type":"{kind}","data":{data}}}"#)).unwrap()
    }

    fn value(kind: &str, text: &str) -> Result<String, String> {
        let secret = secret(kind, &format!(r#"{{"key":"{text}"}}"#));
        secret.entry("key").unwrap().map(|entry| String::from_utf8(entry.value).unwrap())
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn values_are_decoded_by_the_secrets_type() {
        assert_eq!(value("Opaque", "YQ==").unwrap(), "a");
        assert_eq!(value("example.com/own", "YQ==").unwrap(), "a");
        let release = BASE64.encode(BASE64.encode(&gzip(b"a release")).as_bytes());
        assert_eq!(value("helm.sh/release.v1", &release).unwrap(), "a release");
        let config = BASE64.encode(br#"{"auths":{}}"#);
        assert_eq!(value("kubernetes.io/dockerconfigjson", &config).unwrap(), "{\n  \"auths\": {}\n}");
        assert_eq!(value("kubernetes.io/dockercfg", "YQ==").unwrap(), "a", "no JSON");
    }

    #[test]
    fn what_cannot_be_decoded_is_said() {
        assert!(value("Opaque", "Y").unwrap_err().starts_with("`key`: no base64: "));
        let broken = BASE64.encode(BASE64.encode(b"no gzip").as_bytes());
        assert!(value("helm.sh/release.v1", &broken).unwrap_err().starts_with("`key`: no gzip: "));
        let bomb = gzip(&[0; 1000]);
        assert_eq!(gunzip(&bomb, 1000).unwrap().len(), 1000);
        assert_eq!(gunzip(&bomb, 999).unwrap_err(), "more than 999 bytes when decompressed");
    }

    #[test]
    fn keys_come_in_their_order_and_may_be_none() {
        assert_eq!(secret("Opaque", r#"{"b":"Yg==","a":null}"#).keys(), ["a", "b"]);
        assert!(secret("Opaque", "null").keys().is_empty());
        assert!(secret("Opaque", r#"{"a":""}"#).entry("b").is_none());
        let entries = secret("Opaque", r#"{"b":"Yg==","a":null}"#);
        let values: Vec<_> = entries.entries().unwrap().into_iter().map(|entry| entry.value).collect();
        assert_eq!(values, [b"".to_vec(), b"b".to_vec()]);
    }
}
