//! Components in objects of a cluster, which are read as the user through a gate that allows nothing else.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use crate::cluster::{Contexts, Flags, Kubeconfig, Selection};
use crate::environment::{Connection, Environment};
use crate::gate::Gate;
use crate::policy::Policy;
use crate::reference::ObjectSource;
use crate::registry::Artifact;

use super::{Error, Reporter};

/// A component, and which object it was in.
pub(super) struct Brought {
    pub(super) content: Artifact,
    /// The identifier of the object, which no other one has in any cluster.
    pub(super) uid: String,
}

/// Fetches the component of an object, by the user's own kubeconfig.
///
/// # Errors
/// If there is no cluster, it does not give the object, or there is no component in it.
pub(super) fn fetch(
    environment: &Environment,
    reporter: Reporter,
    source: &ObjectSource,
    connection: &Connection,
) -> Result<Brought, Error> {
    let flags = Flags::of(connection)?;
    let kubeconfig = Kubeconfig::load(environment, &flags)?;
    let contexts = Contexts::choose(&kubeconfig, &flags, |name, selected| name == selected)?;
    if let Selection::Nothing(why) = contexts.selected() {
        return Err(Error::NoCluster(why.clone()));
    }
    let ObjectSource { kind, namespace, name, .. } = source;
    let policy = Policy::read("a source in a cluster", &policy(source)).map_err(Error::Policy)?;
    let gate = Gate::new(policy.grant_whole(), contexts, Vec::new(), None);
    let path = format!("/api/v1/namespaces/{namespace}/{}/{name}", kind.resource());
    match gate.object(&path) {
        Ok(Some(object)) => Ok(Brought {
            content: Artifact::from_bytes(content(source, &object)?),
            uid: object["metadata"]["uid"].as_str().unwrap_or_default().to_owned(),
        }),
        Ok(None) => Err(Error::Object { object: source.to_string(), why: "it was interrupted".to_owned() }),
        Err(lines) => {
            reporter.messages(&lines);
            Err(Error::Object { object: source.to_string(), why: "the cluster does not give it".to_owned() })
        }
    }
}

/// The policy for just this request.
fn policy(ObjectSource { kind, namespace, name, .. }: &ObjectSource) -> String {
    let rule = format!(
        "{{apiGroups: [''], resources: [{}], resourceNames: ['{name}'], namespaces: ['{namespace}'], verbs: [get]}}",
        kind.resource()
    );
    format!(
        "apiVersion: kwasm.dev/v1\nkind: Policy\nmetadata: {{name: source}}\nspec: {{kubernetes: {{rules: [{rule}]}}}}\n"
    )
}

/// Returns the component of an object: under its key, or the only one that there is.
fn content(source: &ObjectSource, object: &Value) -> Result<Vec<u8>, Error> {
    let fault = |why: String| Error::Object { object: source.to_string(), why };
    let data = object[source.kind.data()].as_object();
    let data: Vec<(&String, &Value)> = data.into_iter().flatten().collect();
    let named = |key: &String| data.iter().find(|(known, _)| *known == key).map(|(_, value)| *value);
    let value = match (&source.key, data.as_slice()) {
        (Some(key), _) => named(key)
            .ok_or_else(|| fault(format!("there is no key `{key}` in its {}", source.kind.data())))?,
        (None, [(_, value)]) => *value,
        (None, []) => return Err(fault(format!("there is nothing in its {}", source.kind.data()))),
        (None, several) => {
            let keys: Vec<&str> = several.iter().map(|(key, _)| key.as_str()).collect();
            return Err(fault(format!(
                "it has several keys, and its source names none: {}",
                keys.join(", ")
            )));
        }
    };
    let text = value.as_str().unwrap_or_default();
    BASE64_STANDARD.decode(text).map_err(|_| fault("its content is not base64".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_component_is_under_its_key_or_the_only_one() {
        let read = |source: &str, object: Value| content(&source.parse().unwrap(), &object);
        let two = json!({"binaryData": {"a.wasm": "AGFz", "b.wasm": "AA=="}});
        assert_eq!(read("configmap/x/y/b.wasm", two.clone()).unwrap(), [0]);
        assert_eq!(read("secret/x/y", json!({"data": {"a": "AGFz"}})).unwrap(), b"\0as");
        for (source, object, why) in [
            ("configmap/x/y", two.clone(), "several keys, and its source names none: a.wasm, b.wasm"),
            ("configmap/x/y/c", two, "there is no key `c` in its binaryData"),
            ("configmap/x/y", json!({"data": {"a": "text"}}), "there is nothing in its binaryData"),
            ("secret/x/y", json!({"data": {"a": "*"}}), "is not base64"),
        ] {
            let error = read(source, object).unwrap_err().to_string();
            assert!(error.starts_with(&format!("{source}: ")) && error.contains(why), "{error}");
        }
    }

    #[test]
    fn the_request_is_allowed_and_no_other() {
        assert!(Policy::read("test", &policy(&"secret/shop/tools.v1".parse().unwrap())).is_ok());
    }
}
