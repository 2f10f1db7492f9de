//! Admission webhooks in pods: what the API server tells kubectl of them, and a restart of all pods of one under load.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::{
    Stage,
    cluster::{Run, run},
    load::{self, Load},
};

const NAMESPACE: &str = "hooks";
/// The namespace of what is reviewed.
const SHOP: &str = "reviewed";

/// The reviews under load, at least.
const REQUESTS: usize = 10_000;
/// The connections by which they come.
const CONNECTIONS: usize = 8;
/// What comes some seconds after the pods of a webhook are ready.
const KNOWN: &str = "the API server knows of the webhook";
/// The time for anything: two pods compile a component.
const PATIENCE: Duration = Duration::from_mins(3);

pub(super) fn check(stage: &Stage<'_>) -> Result<()> {
    let cluster = stage.cluster;
    cluster.ask(&["create", "namespace", SHOP])?;
    let validating = Webhook::deploy(stage, "policy-check", "validating", "deployments.apps")?;
    until(KNOWN, || {
        let denied = create(stage, &deployment("privileged", true))?;
        Ok(denied.stderr.contains("is privileged"))
    })?;
    let denied = create(stage, &deployment("privileged", true))?;
    print!("kubectl create, denied: {}", denied.stderr);
    let texts = ["denied the request", "privileged: container main: is privileged"];
    if denied.code == Some(0) || !texts.iter().all(|text| denied.stderr.contains(text)) {
        bail!("kubectl should have been told that it is denied: {}", denied.stderr);
    }
    let warned = create(stage, &deployment("proper", false))?;
    print!("kubectl create, warned: {}{}", warned.stderr, warned.stdout);
    if warned.code != Some(0) || !warned.stderr.contains("Warning: image-digest: container main:") {
        bail!("kubectl should have been warned: {}", warned.stderr);
    }
    restart_under_load(&validating)?;
    validating.delete()?;
    patched(stage)
}

/// Shows that a mutating webhook changes what is stored.
fn patched(stage: &Stage<'_>) -> Result<()> {
    let mutating = Webhook::deploy(stage, "admits", "mutating", "configmaps")?;
    let object = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "patched", "namespace": SHOP, "labels": {"do": "patch"}},
    });
    let label = || {
        let words = ["create", "--dry-run=server", "-f", "-", "-o", "jsonpath={.metadata.labels.seen-by}"];
        stage.cluster.feed(&words, &object.to_string()).map(|run| run.stdout)
    };
    until(KNOWN, || Ok(label()? == "admin"))?;
    println!("the mutating webhook adds to a config map the label seen-by: {}", label()?);
    mutating.delete()
}

/// Replaces all pods of a webhook, twice, while many requests wait for its reviews, none of which may be lost.
fn restart_under_load(webhook: &Webhook<'_>) -> Result<()> {
    let cluster = webhook.stage.cluster;
    let mut load = Load::start(
        cluster,
        CONNECTIONS,
        &[
            load::Request::new(&deployment("proper", false), 201, ""),
            load::Request::new(&deployment("privileged", true), 403, "is privileged"),
        ],
    )?;
    let start = Instant::now();
    let name = format!("deployment/{}", webhook.name);
    let pods = ["get", "pods", "-n", NAMESPACE, "-l", &webhook.selector(), "-o", "name"];
    for _ in 0..2 {
        cluster.ask(&["rollout", "restart", "-n", NAMESPACE, &name])?;
        webhook.roll_out()?;
        until("the pods of before end", || {
            load.check()?;
            Ok(cluster.ask(&pods)?.lines().count() <= 2)
        })?;
    }
    until("so many are reviewed", || {
        load.check()?;
        Ok(load.done() >= REQUESTS)
    })?;
    let done = load.end()?;
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "two restarts of all pods under load: {done} requests in {seconds:.0} s, each denied or warned as it should be"
    );
    Ok(())
}

/// A plugin that reviews admissions in pods of the cluster.
struct Webhook<'a> {
    stage: &'a Stage<'a>,
    manifests: String,
    plugin: &'static str,
    name: String,
}

impl<'a> Webhook<'a> {
    fn deploy(stage: &'a Stage<'a>, plugin: &'static str, kind: &str, resources: &str) -> Result<Self> {
        let reference = stage.publish(plugin)?;
        let name = format!("kwasm-{plugin}-{}", if kind == "mutating" { kind } else { "webhook" });
        let kind = format!("--webhook={kind}");
        let image = &stage.images.kwasm;
        let words = ["deploy", &reference, "-n", NAMESPACE, "--create-namespace", "--policy", "none", &kind];
        let mut deploy = stage.cluster.kwasm(&words)?;
        let deployed = run(deploy.args(["--for", resources, "--image", image]))?;
        let manifests = deployed.success("kwasm deploy")?;
        stage.cluster.apply(&manifests)?;
        let webhook = Self { stage, manifests, plugin, name };
        webhook.roll_out()?;
        Ok(webhook)
    }

    /// Waits until all its pods are ready.
    fn roll_out(&self) -> Result<()> {
        let name = format!("deployment/{}", self.name);
        let timeout = format!("--timeout={}s", PATIENCE.as_secs());
        let words = ["rollout", "status", "-n", NAMESPACE, &name, &timeout];
        let ended = run(&mut self.stage.cluster.kubectl(&words)?)?;
        if ended.code == Some(0) {
            return Ok(());
        }
        let events = self.stage.cluster.ask(&["events", "-n", NAMESPACE])?;
        bail!("{}{events}", ended.stderr)
    }

    fn selector(&self) -> String {
        format!("app.kubernetes.io/name={},app.kubernetes.io/component=webhook", self.plugin)
    }

    fn delete(&self) -> Result<()> {
        let deleted = self.stage.cluster.feed(&["delete", "-f", "-"], &self.manifests)?;
        deleted.success("kubectl delete").map(drop)
    }
}

/// Waits until something is so.
fn until(what: &str, mut is: impl FnMut() -> Result<bool>) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while !is()? {
        if Instant::now() > deadline {
            bail!("not within {} s: {what}", PATIENCE.as_secs());
        }
        thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

/// Lets kubectl create an object, of which the API server keeps nothing.
fn create(stage: &Stage<'_>, object: &Value) -> Result<Run> {
    stage.cluster.feed(&["create", "--dry-run=server", "-f", "-"], &object.to_string())
}

/// Returns a deployment in whose pod a container may do all, or nothing special.
fn deployment(name: &str, is_privileged: bool) -> Value {
    let container = json!({
        "name": "main", "image": "registry.example/web:1", "securityContext": {"privileged": is_privileged},
        "resources": {"limits": {"cpu": "1", "memory": "64Mi"}},
    });
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": SHOP},
        "spec": {"selector": {"matchLabels": {"app": name}}, "template": {
            "metadata": {"labels": {"app": name}}, "spec": {"containers": [container]},
        }},
    })
}
