//! The pod in which kwasm runs a plugin.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::plan::{Grant, Plan, Task, Way};
use crate::registry::VOLUME_FILE;

/// The ports of a server in its pod.
pub(super) const PORT: u16 = 8443;
pub(super) const METRICS: u16 = 9090;

/// The user as which kwasm runs: that of images without a shell, which has no name.
const USER: u32 = 65532;

/// What kwasm needs beside its guest's memory: itself, and the compiler in a first run.
const OWN_MEMORY: u64 = 256 << 20;

/// The folders in a container.
const STATE: &str = "/kwasm";
const PLUGIN: &str = "/plugin";
const POLICY: &str = "/policy";
const CERTIFICATE: &str = "/certificate";

/// The instances of a server at a time, each of which may have the memory that the policy gives a guest.
const GUESTS: u32 = 8;

/// The seconds that a pod may take to come up, beside what its policy gives the plugin.
const START: u64 = 300;

fn is_server(plan: &Plan) -> bool {
    matches!(plan.task, Task::Serve { .. } | Task::Webhook { .. })
}

/// The template of a pod.
pub(super) struct Pod(Value);

/// Returns the object that holds the component, if an object does.
pub(super) fn content(plan: &Plan) -> Option<Value> {
    let (kind, key, bytes) = match &plan.way {
        Way::ConfigMap(bytes) => ("ConfigMap", "binaryData", bytes),
        Way::Secret(bytes) => ("Secret", "data", bytes),
        Way::Install(_) | Way::ImageVolume { .. } | Way::Shim { .. } => return None,
    };
    let data = json!({VOLUME_FILE: BASE64_STANDARD.encode(bytes)});
    let name = plan.content_name("component", bytes);
    Some(plan.entitled("v1", kind, &name, json!({key: data, "immutable": true})))
}

impl Pod {
    pub(super) fn of(plan: &Plan) -> Self {
        let (volumes, mounts) = volumes(plan);
        let mut container = container(plan, "plugin", &arguments(plan), &mounts);
        let mut spec = json!({
            "serviceAccountName": plan.object_name(),
            "automountServiceAccountToken": plan.has_roles,
            "enableServiceLinks": false,
            "securityContext": {
                "runAsNonRoot": true, "runAsUser": USER, "runAsGroup": USER, "fsGroup": USER,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "volumes": volumes,
        });
        match &plan.way {
            Way::Install(reference) => {
                let mut install =
                    vec!["install".to_owned(), reference.clone(), "--as".to_owned(), plan.object_name()];
                install.extend(policy(plan));
                spec["initContainers"] = json!([self::container(plan, "install", &install, &mounts)]);
            }
            Way::Shim { class, reference } => {
                spec["runtimeClassName"] = class.clone().into();
                container["image"] = reference.clone().into();
                container["args"] = json!(plan.arguments);
            }
            Way::ImageVolume { .. } | Way::ConfigMap(_) | Way::Secret(_) => {}
        }
        if is_server(plan) {
            serving(&mut container);
            // Longer than what is under way may take: see `kwasm serve --grace`.
            spec["terminationGracePeriodSeconds"] = 45.into();
        } else {
            spec["restartPolicy"] = "Never".into();
            if let Some(timeout) = plan.limits.timeout {
                spec["activeDeadlineSeconds"] = (timeout.as_secs() + START).into();
            }
        }
        spec["containers"] = json!([container]);
        Self(json!({"metadata": {"labels": plan.labels()}, "spec": spec}))
    }

    /// Tells each of the parts of a job which one it is.
    pub(super) fn in_shards(mut self, shards: u32) -> Self {
        let index = json!({"fieldRef": {"fieldPath": "metadata.annotations['batch.kubernetes.io/job-completion-index']"}});
        if let Some(environment) = self.0["spec"]["containers"][0]["env"].as_array_mut() {
            environment.push(json!({"name": "KWASM_SHARD", "valueFrom": index}));
            environment.push(json!({"name": "KWASM_SHARDS", "value": shards.to_string()}));
        }
        self
    }

    pub(super) fn into_template(self) -> Value {
        self.0
    }
}

fn container(plan: &Plan, name: &str, arguments: &[String], mounts: &[Value]) -> Value {
    let guests = if is_server(plan) { u64::from(GUESTS) } else { 1 };
    let memory = (plan.limits.memory.saturating_mul(guests).saturating_add(OWN_MEMORY)) >> 20;
    let variable = |name: &str, folder: &str| json!({"name": name, "value": format!("{STATE}{folder}")});
    json!({
        "name": name,
        "image": plan.image,
        "args": arguments,
        "env": [
            variable("HOME", ""), variable("KWASM_HOME", "/data"), variable("KWASM_BIN_DIR", "/bin"),
            variable("XDG_CACHE_HOME", "/cache"),
            // The next run is in another pod: nothing is optimized for it in the background.
            {"name": "KWASM_COMPILE", "value": "optimized"},
        ],
        "resources": {
            "requests": {"cpu": "50m", "memory": "64Mi"},
            "limits": {"memory": format!("{memory}Mi")},
        },
        "securityContext": {
            "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": mounts,
    })
}

/// Returns the volumes of a pod, and where they are in its containers.
fn volumes(plan: &Plan) -> (Vec<Value>, Vec<Value>) {
    let mut volumes = vec![json!({"name": "state", "emptyDir": {"sizeLimit": "1Gi"}})];
    let mut mounts = vec![json!({"name": "state", "mountPath": STATE})];
    let mut add = |name: &str, folder: &str, volume: Value| {
        let mut volume = volume;
        volume["name"] = name.into();
        volumes.push(volume);
        mounts.push(json!({"name": name, "mountPath": folder, "readOnly": true}));
    };
    match &plan.way {
        Way::ImageVolume { reference, .. } => {
            add("plugin", PLUGIN, json!({"image": {"reference": reference, "pullPolicy": "IfNotPresent"}}));
        }
        Way::ConfigMap(bytes) => {
            add("plugin", PLUGIN, json!({"configMap": {"name": plan.content_name("component", bytes)}}));
        }
        Way::Secret(bytes) => {
            add("plugin", PLUGIN, json!({"secret": {"secretName": plan.content_name("component", bytes)}}));
        }
        Way::Install(_) | Way::Shim { .. } => {}
    }
    if let Grant::Text(text) = &plan.policy {
        let name = plan.content_name("policy", text.as_bytes());
        add("policy", POLICY, json!({"configMap": {"name": name}}));
    }
    if let Task::Webhook { .. } = plan.task {
        add(
            "certificate",
            CERTIFICATE,
            json!({"secret": {"secretName": format!("{}-certificate", plan.object_name())}}),
        );
    }
    (volumes, mounts)
}

fn policy(plan: &Plan) -> [String; 2] {
    let policy = match &plan.policy {
        Grant::BuiltIn(name) => name.clone(),
        Grant::Text(_) => format!("{POLICY}/policy.yaml"),
    };
    ["--policy".to_owned(), policy]
}

/// Returns the arguments of kwasm.
fn arguments(plan: &Plan) -> Vec<String> {
    let mut all: Vec<String> = match &plan.task {
        Task::Job { .. } | Task::Cron { .. } => vec!["run".to_owned()],
        Task::Serve { .. } | Task::Webhook { .. } => [
            "serve",
            "--addr",
            &format!("0.0.0.0:{PORT}"),
            "--metrics-addr",
            &format!("0.0.0.0:{METRICS}"),
            "--max-requests",
            &GUESTS.to_string(),
        ]
        .map(str::to_owned)
        .to_vec(),
    };
    if let Task::Webhook { review, .. } = &plan.task {
        let kind = if review.mutates { "mutating" } else { "validating" };
        all.push(format!("--webhook={kind}"));
        for (flag, file) in [("--tls-cert", "tls.crt"), ("--tls-key", "tls.key")] {
            all.extend([flag.to_owned(), format!("{CERTIFICATE}/{file}")]);
        }
    }
    if let Way::Install(_) = plan.way {
        // Its policy was granted when it was installed.
        all.push(plan.object_name());
    } else {
        all.push(format!("{PLUGIN}/{VOLUME_FILE}"));
        all.extend(policy(plan));
    }
    if !plan.arguments.is_empty() {
        all.push("--".to_owned());
        all.extend(plan.arguments.iter().cloned());
    }
    all
}

/// Adds what a server's container has: its ports, and how it is asked for its health.
fn serving(container: &mut Value) {
    container["ports"] =
        json!([{"name": "requests", "containerPort": PORT}, {"name": "metrics", "containerPort": METRICS}]);
    let probe = |path: &str, period: u32| json!({"httpGet": {"path": path, "port": "metrics"}, "periodSeconds": period, "timeoutSeconds": 5});
    container["readinessProbe"] = probe("/readyz", 2);
    container["livenessProbe"] = probe("/healthz", 10);
    // A large component compiles for a minute in its first run.
    container["startupProbe"] = json!({
        "httpGet": {"path": "/readyz", "port": "metrics"}, "periodSeconds": 1, "failureThreshold": 300,
    });
    // Until all of the cluster knows that the pod ends, requests still come.
    container["lifecycle"] = json!({"preStop": {"sleep": {"seconds": 5}}});
}
