//! Components in objects of a cluster: `configmap/NAMESPACE/NAME[/KEY]` and `secret/NAMESPACE/NAME[/KEY]`.

use std::fmt;
use std::str::FromStr;

/// A component in an object of a cluster.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ObjectSource {
    /// The kind of the object.
    pub kind: ObjectKind,
    /// The namespace.
    pub namespace: String,
    /// The object's name.
    pub name: String,
    /// The key of its data; `None` for the only one.
    pub key: Option<String>,
}

/// The kinds of objects that can have a component.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ObjectKind {
    /// A `ConfigMap`, which has it in `binaryData`.
    ConfigMap,
    /// A `Secret`.
    Secret,
}

impl ObjectKind {
    /// Returns the word by which a source begins, which is kubectl's for the kind.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::ConfigMap => "configmap",
            Self::Secret => "secret",
        }
    }

    /// Returns the resource, as paths of the API have it.
    #[must_use]
    pub fn resource(self) -> &'static str {
        match self {
            Self::ConfigMap => "configmaps",
            Self::Secret => "secrets",
        }
    }

    /// Returns the key of an object with the data in base64.
    #[must_use]
    pub fn data(self) -> &'static str {
        match self {
            Self::ConfigMap => "binaryData",
            Self::Secret => "data",
        }
    }
}

impl FromStr for ObjectSource {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split('/');
        let kind = match parts.next() {
            Some("configmap") => ObjectKind::ConfigMap,
            Some("secret") => ObjectKind::Secret,
            _ => return Err(()),
        };
        let (namespace, name, key) = (parts.next().ok_or(())?, parts.next().ok_or(())?, parts.next());
        let is_key = |key: &str| is_word(key, |byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        if parts.next().is_some()
            || !is_label(namespace)
            || !name.split('.').all(is_label)
            || !key.is_none_or(is_key)
        {
            return Err(());
        }
        Ok(Self { kind, namespace: namespace.to_owned(), name: name.to_owned(), key: key.map(str::to_owned) })
    }
}

/// Returns whether a text is a label of RFC 1123: what a namespace is named, and each part of another object's name.
fn is_label(text: &str) -> bool {
    is_word(text, |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

fn is_word(text: &str, fits: impl Fn(u8) -> bool) -> bool {
    !text.is_empty() && text.len() <= 253 && text.bytes().all(fits)
}

impl fmt::Display for ObjectSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.kind.word(), self.namespace, self.name)?;
        self.key.as_ref().map_or(Ok(()), |key| write!(f, "/{key}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_has_a_namespace_a_name_and_maybe_a_key() {
        for text in ["configmap/shop/tools", "secret/shop/tools.v1/plugin_1.wasm"] {
            assert_eq!(text.parse::<ObjectSource>().unwrap().to_string(), text);
        }
        for text in [
            "configmap/shop",
            "configmap//x",
            "configmap/shop/",
            "configmap/a/b/c/d",
            "configmap/Shop/x",
            "configmap/a/../b",
            "configmap/a/b/..%2f",
            "pod/a/b",
            "configmaps/a/b",
            "configmap/a.b/c",
        ] {
            assert!(text.parse::<ObjectSource>().is_err(), "{text}");
        }
    }
}
