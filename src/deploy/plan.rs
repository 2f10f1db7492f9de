//! What is to run in a cluster, and how.

use serde_json::{Value, json};

use super::review::Review;
use crate::policy::Limits;

/// What is to run, and how.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The plugin's name.
    pub name: String,
    /// The namespace in which it runs.
    pub namespace: String,
    /// The image of kwasm.
    pub image: String,
    /// The way in which the component comes into the pod.
    pub way: Way,
    /// What it does there.
    pub task: Task,
    /// The policy that limits it.
    pub policy: Grant,
    /// Its limits.
    pub limits: Limits,
    /// Whether it can send anything: only then it gets the token of its service account.
    pub uses_network: bool,
    /// Whether its service account is among other manifests already.
    pub has_account: bool,
    /// Its own arguments.
    pub arguments: Vec<String>,
}

/// A policy, as a pod gets it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Grant {
    /// One of kwasm's own, by its name.
    BuiltIn(String),
    /// The text of any other.
    Text(String),
}

/// The way in which a component comes into a pod.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Way {
    /// An init container of kwasm installs it from a registry, by this reference with its digest: signatures are verified.
    Install(String),
    /// A volume of an image, by this reference with its digest, that has `plugin.wasm` in it.
    ImageVolume(String),
    /// A `ConfigMap` with its content.
    ConfigMap(Vec<u8>),
    /// A `Secret` with its content.
    Secret(Vec<u8>),
    /// A shim of containerd runs it as the container itself, without kwasm.
    Shim {
        /// The `RuntimeClass`.
        class: String,
        /// The component's artifact.
        reference: String,
    },
}

/// What a plugin does in a cluster.
#[derive(Clone, Debug)]
pub enum Task {
    /// Runs once, in as many parts.
    Job {
        /// The number of parts, each of which is told which one it is.
        shards: Option<u32>,
    },
    /// Runs again and again.
    Cron {
        /// When, as in crontab(5).
        schedule: String,
        /// The number of parts.
        shards: Option<u32>,
    },
    /// Answers requests.
    Serve {
        /// The number of pods.
        replicas: u32,
    },
    /// Reviews admissions.
    Webhook {
        /// The number of pods.
        replicas: u32,
        /// What it reviews.
        review: Review,
    },
}

impl Plan {
    /// Returns the name of its objects: the same as that of its roles and its service account.
    #[must_use]
    pub fn object_name(&self) -> String {
        format!("kwasm-{}", self.name)
    }

    pub(super) fn object(&self, version: &str, kind: &str, content: Value) -> Value {
        self.entitled(version, kind, &self.object_name(), content)
    }

    pub(super) fn named(&self, version: &str, kind: &str, suffix: &str, content: Value) -> Value {
        self.entitled(version, kind, &format!("{}-{suffix}", self.object_name()), content)
    }

    fn entitled(&self, version: &str, kind: &str, name: &str, content: Value) -> Value {
        let mut object = content;
        object["apiVersion"] = version.into();
        object["kind"] = kind.into();
        object["metadata"] = json!({"name": name, "namespace": self.namespace, "labels": self.labels()});
        object
    }

    pub(super) fn labels(&self) -> Value {
        json!({"app.kubernetes.io/name": self.name, "app.kubernetes.io/managed-by": "kwasm"})
    }

    /// Returns its namespace as an object, unless every cluster has it. It comes before all others, roles too.
    #[must_use]
    pub fn namespace_object(&self) -> Option<Value> {
        const OF_ALL: [&str; 2] = ["default", "kube-system"];
        let labels = json!({"app.kubernetes.io/managed-by": "kwasm"});
        let metadata = json!({"name": self.namespace, "labels": labels});
        (!OF_ALL.contains(&&*self.namespace))
            .then(|| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}))
    }

    /// Returns the names by which the API server reaches its service.
    #[must_use]
    pub fn service_names(&self) -> Vec<String> {
        let (name, namespace) = (self.object_name(), &self.namespace);
        vec![format!("{name}.{namespace}.svc"), format!("{name}.{namespace}.svc.cluster.local")]
    }

    /// Returns the labels by which its pods are found.
    pub(super) fn selector(&self) -> Value {
        json!({"app.kubernetes.io/name": self.name})
    }

    /// Returns what operators must know of it, a line each.
    #[must_use]
    pub fn comments(&self) -> Vec<String> {
        match &self.way {
            Way::Shim { .. } => vec![
                "The shim of runwasi gives a component the whole network and the root folder of its container, and knows no policy: \
                 what limits it is the roles of its service account, if it has any."
                    .to_owned(),
            ],
            Way::ImageVolume(_) => vec![
                "The kubelet pulls the image of the volume, and verifies no signature: it is pinned by its digest."
                    .to_owned(),
            ],
            Way::ConfigMap(_) | Way::Secret(_) => vec![
                "Whoever may change the object with the component decides what runs with the rights of its service account."
                    .to_owned(),
                "It is too long for the annotation of an apply by the client: kubectl apply --server-side -f -".to_owned(),
            ],
            Way::Install(_) => Vec::new(),
        }
    }
}
