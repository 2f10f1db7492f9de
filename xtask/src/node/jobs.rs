//! Plugins as Jobs: the same output as on a laptop, by either way into the pod, and no more than the policy says.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use super::{Stage, cluster::run};

const PLUGIN: &str = "resource-capacity";
const NAMESPACE: &str = "tools";
/// The service account of its pods.
const ACCOUNT: &str = "system:serviceaccount:tools:kwasm-resource-capacity";

/// What the plugin reports on: a namespace in which nothing changes.
const SHOP: &str = r#"{"apiVersion": "v1", "kind": "List", "items": [
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}},
    {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop"}, "spec": {
        "automountServiceAccountToken": false, "terminationGracePeriodSeconds": 1,
        "containers": [{"name": "web", "image": "localhost/pause:1", "resources": {
            "requests": {"cpu": "20m", "memory": "16Mi"}, "limits": {"cpu": "200m", "memory": "64Mi"}}}]}}]}"#;

/// The arguments with which it is run.
const ARGUMENTS: [&str; 3] = ["--pods", "-n", "shop"];

/// A policy for that namespace alone, which is less than the plugin asks for.
const NARROW: &str = "\
apiVersion: kwasm.dev/v1
kind: Policy
metadata: {name: shop-only}
spec:
  kubernetes:
    rules:
      - {apiGroups: [\"\"], resources: [nodes], verbs: [list]}
      - {apiGroups: [\"\"], resources: [pods], verbs: [list], namespaces: [shop]}
";

/// The time that a Job may take, its component's compilation included.
const PATIENCE: Duration = Duration::from_mins(3);

pub(super) fn check(stage: &Stage<'_>) -> Result<()> {
    let cluster = stage.cluster;
    cluster.apply(SHOP)?;
    cluster.ask(&["wait", "-n", "shop", "--for=condition=Ready", "--timeout=60s", "pod/web"])?;
    let reference = stage.publish(PLUGIN)?;
    let narrow = cluster.home().join("shop-only.yaml");
    fs::write(&narrow, NARROW)?;
    let narrow = narrow.to_str().context("a path that is not UTF-8")?;
    let job = |image: &str, policy: &str, way: &str, arguments: &[&str]| Job {
        image: image.to_owned(),
        words: [&[reference.as_str(), "--policy", policy, "--via", way, "--"], arguments]
            .concat()
            .into_iter()
            .map(str::to_owned)
            .collect(),
    };
    let laptop = laptop(stage, &reference, "request", &ARGUMENTS)?;
    print!("on a laptop:\n{laptop}");
    for (name, way) in [("init container", "install"), ("image volume", "image-volume")] {
        let (ended, took) = job(&stage.images.kwasm, "request", way, &ARGUMENTS).run(stage)?;
        println!("as a Job, by {name}: {:.1} s from apply to its end", took.as_secs_f64());
        ended.is("succeeded", &laptop)?;
        // The namespaces that it does not name are all, of which this policy grants one.
        let before = cluster.answers_to(ACCOUNT)?;
        let (ended, _) = job(&stage.images.kwasm, narrow, way, &["--pods"]).run(stage)?;
        println!("more than its policy says: {}", ended.log.trim());
        ended.is_refused("refused by kwasm")?;
        if cluster.answers_to(ACCOUNT)? != before {
            bail!("what kwasm refused came to the API server");
        }
        let (ended, _) = job(&stage.images.faulty, narrow, way, &["--pods"]).run(stage)?;
        println!("the same without kwasm's own judgement: {}", ended.log.trim());
        ended.is_refused(&format!("pods is forbidden: User \"{ACCOUNT}\" cannot list"))?;
        let answers = cluster.answers_to(ACCOUNT)?;
        if answers[before.len()..] != [403] {
            bail!("the API server should have answered 403 once: {answers:?}");
        }
        println!("which the API server answered with 403");
    }
    Ok(())
}

/// Runs the plugin as a user does, at the same API server.
fn laptop(stage: &Stage<'_>, reference: &str, policy: &str, arguments: &[&str]) -> Result<String> {
    let words = [&["run", reference, "--policy", policy, "--"], arguments].concat();
    run(&mut stage.cluster.kwasm(&words)?)?.success("kwasm run")
}

/// What is deployed.
struct Job {
    image: String,
    words: Vec<String>,
}

/// How a Job ended, and what its plugin has written.
struct Ended {
    succeeded: bool,
    log: String,
}

impl Job {
    /// Deploys it, waits for its end, and takes all that it made away. Returns how long it took from apply to the end.
    fn run(&self, stage: &Stage<'_>) -> Result<(Ended, Duration)> {
        let cluster = stage.cluster;
        let deploy = ["deploy", "-n", NAMESPACE, "--create-namespace", "--image", &self.image];
        let deployed = run(cluster.kwasm(&deploy)?.args(&self.words))?.success("kwasm deploy")?;
        let start = Instant::now();
        let applied = cluster.feed(&["apply", "--server-side", "-f", "-"], &deployed)?;
        let applied = applied.success("kubectl apply")?;
        let job = deployed_job(&applied)?;
        let succeeded = self.wait(stage, job)?;
        let took = start.elapsed();
        let log = cluster.ask(&["logs", "-n", NAMESPACE, job, "-c", "plugin"])?;
        cluster.feed(&["delete", "--wait", "-f", "-"], &deployed)?;
        Ok((Ended { succeeded, log }, took))
    }

    /// Waits for a Job's end, and returns whether that is a success. One whose first pod failed is not waited for: it tries again.
    fn wait(&self, stage: &Stage<'_>, job: &str) -> Result<bool> {
        let deadline = Instant::now() + PATIENCE;
        let end = "jsonpath={.status.conditions[*].type} failed={.status.failed}";
        while Instant::now() < deadline {
            let end = stage.cluster.ask(&["get", "-n", NAMESPACE, job, "-o", end])?;
            let is = |word: &str| end.split(' ').any(|other| other == word);
            if is("Complete") {
                return Ok(true);
            }
            if is("Failed") || is("failed=1") {
                return Ok(false);
            }
            thread::sleep(Duration::from_millis(50));
        }
        let events = stage.cluster.ask(&["events", "-n", NAMESPACE])?;
        bail!("{} did not end:\n{events}", self.image);
    }
}

/// Returns `job.batch/NAME` of what kubectl says of applied manifests.
fn deployed_job(applied: &str) -> Result<&str> {
    let line = applied.lines().find(|line| line.starts_with("job.batch/")).context("no Job was applied")?;
    Ok(line.split(' ').next().unwrap_or(line))
}

impl Ended {
    fn is(&self, how: &str, log: &str) -> Result<()> {
        if !self.succeeded || self.log != log {
            bail!("the Job should have {how} with\n{log}but it ended with\n{}", self.log);
        }
        Ok(())
    }

    fn is_refused(&self, text: &str) -> Result<()> {
        if self.succeeded || !self.log.contains(text) {
            bail!("the Job should have failed with `{text}`, but it ended with\n{}", self.log);
        }
        Ok(())
    }
}
