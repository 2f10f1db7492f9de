//! The parts of a pod's specification that rules are about (`core/v1`).

use serde::de::{self, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::fmt;

/// `v1.PodSpec`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct PodSpec {
    pub(crate) init_containers: Option<Vec<Container>>,
    pub(crate) containers: Option<Vec<Container>>,
    pub(crate) ephemeral_containers: Option<Vec<Container>>,
    pub(crate) volumes: Option<Vec<Volume>>,
    #[serde(deserialize_with = "truth")]
    pub(crate) host_network: bool,
    #[serde(deserialize_with = "truth", rename = "hostPID")]
    pub(crate) host_pid: bool,
    #[serde(deserialize_with = "truth", rename = "hostIPC")]
    pub(crate) host_ipc: bool,
    /// Those of the whole pod, which its containers share.
    pub(crate) resources: Option<Resources>,
    pub(crate) security_context: Option<SecurityContext>,
}

/// `v1.Container`, and `v1.EphemeralContainer`, which has no resources.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Container {
    pub(crate) name: String,
    pub(crate) image: Option<String>,
    pub(crate) resources: Option<Resources>,
    pub(crate) security_context: Option<SecurityContext>,
}

/// `v1.ResourceRequirements`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Resources {
    pub(crate) requests: Option<BTreeMap<String, Amount>>,
    pub(crate) limits: Option<BTreeMap<String, Amount>>,
}

/// `v1.SecurityContext`, and `v1.PodSecurityContext`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct SecurityContext {
    #[serde(deserialize_with = "truth")]
    pub(crate) privileged: bool,
    pub(crate) capabilities: Option<Capabilities>,
    pub(crate) windows_options: Option<WindowsOptions>,
}

/// `v1.Capabilities`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Capabilities {
    pub(crate) add: Option<Vec<String>>,
}

/// `v1.WindowsSecurityContextOptions`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct WindowsOptions {
    #[serde(deserialize_with = "truth")]
    pub(crate) host_process: bool,
}

/// `v1.Volume`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Volume {
    pub(crate) name: String,
    pub(crate) host_path: Option<HostPath>,
}

/// `v1.HostPathVolumeSource`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct HostPath {
    pub(crate) path: String,
}

/// An amount of a resource, as it is written: in YAML a number too.
#[derive(Clone, Debug)]
pub(crate) struct Amount(pub(crate) String);

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;

        impl Visitor<'_> for Written {
            type Value = Amount;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a quantity")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Amount, E> {
                Ok(Amount(text.to_owned()))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Amount, E> {
                Ok(Amount(number.to_string()))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Amount, E> {
                Ok(Amount(number.to_string()))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Amount, E> {
                Ok(Amount(number.to_string()))
            }
        }

        deserializer.deserialize_any(Written)
    }
}

/// Reads a truth value as kubectl does, for which those of YAML 1.1 are some too: a `privileged: yes` must not pass.
pub(crate) fn truth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    struct Truth;

    impl Visitor<'_> for Truth {
        type Value = bool;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("true or false")
        }

        fn visit_bool<E: de::Error>(self, value: bool) -> Result<bool, E> {
            Ok(value)
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<bool, E> {
            match text.to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" | "y" => Ok(true),
                "false" | "no" | "off" | "n" => Ok(false),
                _ => Err(E::invalid_value(Unexpected::Str(text), &self)),
            }
        }

        fn visit_unit<E: de::Error>(self) -> Result<bool, E> {
            Ok(false)
        }
    }

    deserializer.deserialize_any(Truth)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_truth_of_yaml_1_1_is_read_too() {
        for (text, expected) in [("true", true), ("\"yes\"", true), ("\"Off\"", false), ("null", false)] {
            let pod: PodSpec = serde_json::from_str(&format!("{{\"hostNetwork\": {text}}}")).unwrap();
            assert_eq!(pod.host_network, expected, "{text}");
        }
        assert!(serde_json::from_str::<PodSpec>(r#"{"hostPID": "maybe"}"#).is_err());
        assert!(serde_json::from_str::<PodSpec>(r#"{"hostIPC": 1}"#).is_err());
    }

    #[test]
    fn absent_lists_may_be_null() {
        let text = r#"{"containers": null, "volumes": null, "securityContext": null, "resources": {"limits": {"cpu": 1, "memory": "1Gi"}}}"#;
        let pod: PodSpec = serde_json::from_str(text).unwrap();
        assert_eq!(pod.resources.unwrap().limits.unwrap()["cpu"].0, "1");
    }
}
