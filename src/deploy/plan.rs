//! What is to run in a cluster, and how.

use serde_json::{Value, json};

use super::certificate::{Certificate, DAYS};
use super::review::Review;
use crate::policy::Limits;
use crate::reference::Digest;

/// What is to run, and how.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The plugin's name.
    pub name: String,
    /// By what the names of its objects end, after the plugin's.
    pub suffix: &'static str,
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
    /// Whether its namespace is among the objects.
    pub creates_namespace: bool,
    /// Whether this machine has a ceiling, which does not come with it.
    pub has_ceiling: bool,
    /// Whether its service account is among other manifests already, with roles: only then a pod gets its token.
    pub has_roles: bool,
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
    /// An init container of kwasm installs it from a registry, by this reference with its digest.
    Install(String),
    /// A volume of an image that has `plugin.wasm` in it.
    ImageVolume {
        /// The reference of the image.
        reference: String,
        /// Whether it is known to have exactly the component.
        proven: bool,
    },
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
    /// Returns the name of its roles, its service account, and what runs it.
    #[must_use]
    pub fn object_name(&self) -> String {
        format!("kwasm-{}{}", self.name, self.suffix)
    }

    /// Returns the name of an object with this content. Another content has another name, so that pods which have the old
    /// one are replaced.
    pub(super) fn content_name(&self, suffix: &str, content: &[u8]) -> String {
        let digest: String = Digest::of(content).hex().chars().take(10).collect();
        format!("{}-{suffix}-{digest}", self.object_name())
    }

    pub(super) fn object(&self, version: &str, kind: &str, content: Value) -> Value {
        self.entitled(version, kind, &self.object_name(), content)
    }

    pub(super) fn entitled(&self, version: &str, kind: &str, name: &str, content: Value) -> Value {
        let mut object = content;
        object["apiVersion"] = version.into();
        object["kind"] = kind.into();
        object["metadata"] = json!({"name": name, "namespace": self.namespace, "labels": self.labels()});
        object
    }

    pub(super) fn labels(&self) -> Value {
        let mut labels = self.selector();
        labels["app.kubernetes.io/managed-by"] = "kwasm".into();
        labels
    }

    /// Returns its namespace as an object, if that is to be created. It comes before all others, roles too.
    #[must_use]
    pub fn namespace_object(&self) -> Option<Value> {
        let labels = json!({"app.kubernetes.io/managed-by": "kwasm"});
        let metadata = json!({"name": self.namespace, "labels": labels});
        self.creates_namespace.then(|| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}))
    }

    /// Returns the names by which the API server reaches its service.
    #[must_use]
    pub fn service_names(&self) -> Vec<String> {
        let (name, namespace) = (self.object_name(), &self.namespace);
        vec![format!("{name}.{namespace}.svc"), format!("{name}.{namespace}.svc.cluster.local")]
    }

    /// Returns the labels by which its pods are found.
    pub(super) fn selector(&self) -> Value {
        let task = match self.task {
            Task::Job { .. } => "job",
            Task::Cron { .. } => "cron",
            Task::Serve { .. } => "serve",
            Task::Webhook { .. } => "webhook",
        };
        json!({"app.kubernetes.io/name": self.name, "app.kubernetes.io/component": task})
    }

    /// Returns what operators must know of it, a line each.
    #[must_use]
    pub fn comments(&self) -> Vec<String> {
        let mut comments: Vec<String> = match &self.way {
            Way::Shim { .. } => vec![
                "The shim of runwasi gives a component the whole network and the root folder of its container, and knows no policy: \
                 what limits it is the roles of its service account, if it has any.",
            ],
            Way::ImageVolume { proven: true, .. } => vec![
                "The kubelet pulls the image of the volume, and verifies no signature: it is pinned by its digest, and has the \
                 component that was judged here, byte by byte.",
            ],
            Way::ImageVolume { proven: false, .. } => vec![
                "The kubelet pulls the image of the volume, and verifies no signature: it is pinned by its digest, and what is in \
                 it was not compared with the plugin.",
            ],
            Way::ConfigMap(_) | Way::Secret(_) => vec![
                "Whoever may change the object with the component decides what runs with the rights of its service account.",
                "It is too long for the annotation of an apply by the client: kubectl apply --server-side -f -",
            ],
            Way::Install(_) => vec![
                "Its signatures were judged here, by this machine's trust.yaml; the pod installs the same digest.",
            ],
        }
        .into_iter()
        .map(str::to_owned)
        .collect();
        if self.has_ceiling {
            comments.push("The ceiling of this machine limits the roles, and is not in the pod.".to_owned());
        }
        if let Task::Webhook { review, .. } = &self.task {
            comments.push(format!("Objects in `{}` and in kube-system are not reviewed.", self.namespace));
            if let Certificate::Own(_) = review.certificate {
                comments.push(format!(
                    "Its certificate holds for {DAYS} days, and each deploy makes a new one, which takes a minute to be everywhere: \
                     --cert-manager has it renewed."
                ));
            }
        }
        comments
    }
}
