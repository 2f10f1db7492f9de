//! What makes pods: jobs, and deployments with their service.

use serde_json::{Value, json};

use super::plan::{Plan, Task};
use super::pod::{METRICS, PORT, Pod};

/// The exit codes of kwasm by which another try ends in the same way: usage, refused, not found.
const HOPELESS: [u8; 3] = [2, 126, 127];

/// The tries after one that failed, of each part of a job.
const RETRIES: u32 = 3;

/// The seconds for which an ended job is kept, to be looked at.
const KEPT: u32 = 24 * 60 * 60;

pub(super) fn job(plan: &Plan, pod: Pod, shards: Option<u32>) -> Value {
    let mut spec = job_spec(pod, shards);
    spec["ttlSecondsAfterFinished"] = KEPT.into();
    // A job cannot be changed: another one has another name.
    let name = plan.content_name("job", spec.to_string().as_bytes());
    plan.entitled("batch/v1", "Job", &name, json!({"spec": spec}))
}

pub(super) fn cron_job(plan: &Plan, pod: Pod, schedule: &str, shards: Option<u32>) -> Value {
    let spec = json!({
        "schedule": schedule, "concurrencyPolicy": "Forbid", "successfulJobsHistoryLimit": 3, "failedJobsHistoryLimit": 3,
        "jobTemplate": {"metadata": {"labels": plan.labels()}, "spec": job_spec(pod, shards)},
    });
    plan.object("batch/v1", "CronJob", json!({"spec": spec}))
}

fn job_spec(pod: Pod, shards: Option<u32>) -> Value {
    let pod = match shards {
        Some(shards) => pod.in_shards(shards),
        None => pod,
    };
    let hopeless = json!({"containerName": "plugin", "operator": "In", "values": HOPELESS});
    let disrupted = json!([{"type": "DisruptionTarget"}]);
    let mut spec = json!({
        "podFailurePolicy": {"rules": [
            {"action": "FailJob", "onExitCodes": hopeless},
            {"action": "Ignore", "onPodConditions": disrupted},
        ]},
        "template": pod.into_template(),
    });
    if let Some(shards) = shards {
        spec["completionMode"] = "Indexed".into();
        spec["completions"] = shards.into();
        spec["parallelism"] = shards.into();
        spec["backoffLimitPerIndex"] = RETRIES.into();
    } else {
        spec["backoffLimit"] = RETRIES.into();
    }
    spec
}

/// Returns a deployment with its service, and what keeps one of its pods when nodes are drained.
pub(super) fn deployment(plan: &Plan, pod: Pod, replicas: u32) -> Vec<Value> {
    let selector = plan.selector();
    let spec = json!({
        "replicas": replicas,
        "selector": {"matchLabels": selector},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
        "template": pod.into_template(),
    });
    let port = if matches!(plan.task, Task::Webhook { .. }) { 443 } else { 80 };
    let service = json!({
        "selector": selector,
        "ports": [
            {"name": "requests", "port": port, "targetPort": PORT}, {"name": "metrics", "port": METRICS, "targetPort": METRICS},
        ],
    });
    let mut objects = vec![
        plan.object("v1", "Service", json!({"spec": service})),
        plan.object("apps/v1", "Deployment", json!({"spec": spec})),
    ];
    if replicas > 1 {
        let budget = json!({"minAvailable": 1, "selector": {"matchLabels": selector}});
        objects.push(plan.object("policy/v1", "PodDisruptionBudget", json!({"spec": budget})));
    }
    objects
}
