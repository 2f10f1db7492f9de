//! Manifests by which a cluster runs a plugin under the same policy as on a laptop: what kwasm enforces inside the pod, and by
//! roles the API server outside of it. A plan in, objects out; only a certificate takes the clock and random numbers.

mod certificate;
mod error;
mod plan;
mod pod;
mod review;
mod webhook;
mod workload;

use serde_json::{Value, json};

pub use self::certificate::{Certificate, Issued, issue};
pub use self::error::Error;
pub use self::plan::{Grant, Plan, Task, Way};
use self::pod::Pod;
pub use self::review::{FailurePolicy, Operation, Resource, ResourceError, Review};

/// Returns the objects of a plan, in the order in which they are to be created.
#[must_use]
pub fn objects(plan: &Plan) -> Vec<Value> {
    let mut objects = Vec::new();
    if !plan.has_roles {
        let account = json!({"automountServiceAccountToken": false});
        objects.push(plan.entitled("v1", "ServiceAccount", &plan.object_name(), account));
    }
    if let Grant::Text(text) = &plan.policy {
        let name = plan.content_name("policy", text.as_bytes());
        objects.push(plan.entitled("v1", "ConfigMap", &name, json!({"data": {"policy.yaml": text}})));
    }
    objects.extend(pod::content(plan));
    let pod = Pod::of(plan);
    match &plan.task {
        Task::Job { shards } => objects.push(workload::job(plan, pod, *shards)),
        Task::Cron { schedule, shards } => objects.push(workload::cron_job(plan, pod, schedule, *shards)),
        Task::Serve { replicas } => objects.extend(workload::deployment(plan, pod, *replicas)),
        Task::Webhook { replicas, review } => {
            objects.extend(webhook::certificate(plan, &review.certificate));
            objects.extend(workload::deployment(plan, pod, *replicas));
            objects.push(webhook::configuration(plan, review));
        }
    }
    objects
}

#[cfg(test)]
mod tests;
