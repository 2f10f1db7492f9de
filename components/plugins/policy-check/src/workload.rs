//! Objects that run pods, as lists and manifests have them.

use crate::pod::{Container, PodSpec, Resources, SecurityContext, Volume, truth};
use plugin_kit::Owner;
use serde::Deserialize;

/// An object: a pod, one with a template of pods, or any other.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Object {
    pub(crate) metadata: Metadata,
    spec: Option<Spec>,
}

/// The metadata that is judged.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Metadata {
    pub(crate) name: String,
    pub(crate) generate_name: Option<String>,
    pub(crate) namespace: String,
    pub(crate) uid: String,
    pub(crate) owner_references: Option<Vec<Owner>>,
}

/// The specifications of a pod and of what has templates of it, in one: no key means different things in them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Spec {
    template: Option<Template>,
    job_template: Option<JobTemplate>,
    init_containers: Option<Vec<Container>>,
    containers: Option<Vec<Container>>,
    ephemeral_containers: Option<Vec<Container>>,
    volumes: Option<Vec<Volume>>,
    #[serde(deserialize_with = "truth")]
    host_network: bool,
    #[serde(deserialize_with = "truth", rename = "hostPID")]
    host_pid: bool,
    #[serde(deserialize_with = "truth", rename = "hostIPC")]
    host_ipc: bool,
    resources: Option<Resources>,
    security_context: Option<SecurityContext>,
}

/// `v1.PodTemplateSpec`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Template {
    spec: Option<PodSpec>,
}

/// `batch/v1.JobTemplateSpec`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct JobTemplate {
    spec: Option<JobSpec>,
}

/// `batch/v1.JobSpec`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct JobSpec {
    template: Option<Template>,
}

/// Where an object of some kind has its pods.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Form {
    Pod,
    Template,
    JobTemplate,
}

/// Returns where objects of a kind have their pods; `None` of those that run none.
pub(crate) fn form(api_version: &str, kind: &str) -> Option<Form> {
    // Old versions of a group have the same form.
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    Some(match (group, kind) {
        ("", "Pod") => Form::Pod,
        ("", "ReplicationController")
        | ("apps" | "extensions", "Deployment" | "ReplicaSet" | "DaemonSet" | "StatefulSet")
        | ("batch", "Job") => Form::Template,
        ("batch", "CronJob") => Form::JobTemplate,
        _ => return None,
    })
}

impl Object {
    /// Returns the pod that the object is, or makes; one that says nothing of it is an empty one.
    pub(crate) fn into_pod(self, form: Form) -> PodSpec {
        let Some(spec) = self.spec else { return PodSpec::default() };
        let template = match form {
            Form::Pod => return spec.into_pod(),
            Form::Template => spec.template,
            Form::JobTemplate => spec.job_template.and_then(|job| job.spec).and_then(|job| job.template),
        };
        template.and_then(|template| template.spec).unwrap_or_default()
    }
}

impl Spec {
    fn into_pod(self) -> PodSpec {
        PodSpec {
            init_containers: self.init_containers,
            containers: self.containers,
            ephemeral_containers: self.ephemeral_containers,
            volumes: self.volumes,
            host_network: self.host_network,
            host_pid: self.host_pid,
            host_ipc: self.host_ipc,
            resources: self.resources,
            security_context: self.security_context,
        }
    }
}

impl Metadata {
    /// Returns the name, or what a name is made of.
    pub(crate) fn shown_name(&self) -> &str {
        if self.name.is_empty() { self.generate_name.as_deref().unwrap_or_default() } else { &self.name }
    }

    /// Returns the UID of the object that manages this one.
    pub(crate) fn controller(&self) -> Option<&str> {
        let mut owners = self.owner_references.iter().flatten();
        owners.find(|owner| owner.controller == Some(true)).map(|owner| owner.uid.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn containers(api_version: &str, kind: &str, spec: &str) -> usize {
        let object: Object =
            serde_json::from_str(&format!(r#"{{"metadata": {{"name": "a"}}, "spec": {spec}}}"#)).unwrap();
        object.into_pod(form(api_version, kind).unwrap()).containers.map_or(0, |containers| containers.len())
    }

    #[test]
    fn each_kind_has_its_pod_somewhere_else() {
        let pod = r#"{"containers": [{"name": "a"}]}"#;
        let template = format!(r#"{{"template": {{"spec": {pod}}}}}"#);
        let cron = format!(r#"{{"jobTemplate": {{"spec": {template}}}}}"#);
        assert_eq!(containers("v1", "Pod", pod), 1);
        assert_eq!(containers("apps/v1", "Deployment", &template), 1);
        assert_eq!(containers("extensions/v1beta1", "DaemonSet", &template), 1);
        assert_eq!(containers("batch/v1", "CronJob", &cron), 1);
        assert_eq!(containers("batch/v1", "CronJob", "null"), 0);
        assert!(form("v1", "Service").is_none() && form("apps/v1", "Pod").is_none());
    }
}
