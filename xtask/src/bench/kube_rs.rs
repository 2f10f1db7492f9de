//! A client of kube-rs as a plugin, beside the same source as a program of this machine: what the sandbox and the gate cost.

use std::{path::PathBuf, process::Command, thread, time::Duration};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::{
    measure::{self, Line},
    stage::{Run, Stage, time},
};
use crate::{cargo, places::Places, plane::Proxy, process, report::title};

const PEER: &str = "the same source, natively";
/// The processor's time for a list, and the time for single requests one after the other.
const BARS: (f64, f64) = (1.6, 1.1);
const RUNS: usize = 15;
const NAMESPACE: &str = "typed";
const PODS: usize = 5000;
const REQUESTS: usize = 1000;
/// The guest, whose name is the native program's too.
const GUEST: &str = "kube-client";

/// Measures a typed list of 5,000 pods, and 1,000 requests on one connection.
pub(crate) fn measure(places: &Places, stage: &Stage<'_>) -> Result<Vec<Line>> {
    title("kube-rs: building the native program");
    let native = native(places)?;
    title(&format!("kube-rs: {PODS} pods, {REQUESTS} requests"));
    fill(stage)?;
    let sides = |arguments: &[&str]| -> Result<[Command; 2]> {
        let ours = stage.admins_guest(GUEST, &[&["-n", NAMESPACE], arguments].concat())?;
        let mut theirs = stage.home.command(&native)?;
        stage.plane.as_admin(&mut theirs)?.args(arguments).env("KWASM_NAMESPACE", NAMESPACE);
        Ok([ours, theirs])
    };
    let times = REQUESTS.to_string();
    let [mut list, mut native_list] = sides(&["pods"])?;
    let [mut gets, mut native_gets] = sides(&["get-many", "small", &times])?;
    same(&mut list, &mut native_list, &format!("{PODS} pods, {PODS} containers\n"))?;
    same(&mut gets, &mut native_gets, &format!("{REQUESTS} entries\n"))?;
    let (ours, theirs) =
        measure::interleaved(RUNS, || processor_time(&mut list), || processor_time(&mut native_list))?;
    let listed = Line::of_medians("kube-rs list, processor", PEER, &ours, &theirs, BARS.0);
    let (ours, theirs) = measure::interleaved(RUNS, || time(&mut gets), || time(&mut native_gets))?;
    Ok(vec![listed, Line::of_medians("kube-rs requests", PEER, &ours, &theirs, BARS.1)])
}

/// Builds the guest for this machine, with TLS of its own: kube-rs' on the same rustls and aws-lc-rs.
fn native(places: &Places) -> Result<PathBuf> {
    let mut build = cargo::command(&places.guests());
    build.args(["build", "--locked", "--package", "kube-rs-guests", "--features", "native", "--bin", GUEST]);
    // Its workspace makes small programs.
    build.args(["--release", "--config", "profile.release.opt-level=3"]);
    let programs = cargo::build(build.env("CARGO_TARGET_DIR", places.target.join("native")))?;
    cargo::program(&programs, GUEST).map(ToOwned::to_owned)
}

/// Creates the pods, for a scheduler that there is not, so that nothing changes them.
fn fill(stage: &Stage<'_>) -> Result<()> {
    const WRITERS: usize = 4;
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}});
    stage.plane.create(&stage.home, &namespace)?;
    let small = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "small", "namespace": NAMESPACE}, "data": {"a": "b"},
    });
    stage.plane.create(&stage.home, &small)?;
    let mut kubectl = stage.plane.kubectl(&stage.home)?;
    let wait = ["wait", "--for=create", "--timeout=60s", "serviceaccount/default", "-n", NAMESPACE];
    process::output(stage.plane.as_admin(&mut kubectl)?.args(wait))?;
    let proxy = &Proxy::start(&stage.plane, &stage.home)?;
    thread::scope(|scope| {
        let write = |first: usize| -> Result<()> {
            let mut connection = proxy.connect()?;
            for number in (first..PODS).step_by(WRITERS) {
                connection.post(&format!("/api/v1/namespaces/{NAMESPACE}/pods"), &pod(number))?;
            }
            Ok(())
        };
        let writers: Vec<_> = (0..WRITERS).map(|first| scope.spawn(move || write(first))).collect();
        writers
            .into_iter()
            .try_for_each(|writer| writer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

fn pod(number: usize) -> Value {
    let labels = json!({"app": "web", "pod-template-hash": format!("{number:010}")});
    let resources = json!({"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}});
    let container = json!({
        "name": "main", "image": "registry.example/web:1.3", "resources": resources,
        "env": [{"name": "MODE", "value": "production"}], "ports": [{"containerPort": 8080}],
    });
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": format!("web-{number}"), "labels": labels},
        "spec": {"schedulerName": "none", "containers": [container]},
    })
}

/// Checks that both sides read all of it.
fn same(ours: &mut Command, theirs: &mut Command, expected: &str) -> Result<()> {
    for command in [ours, theirs] {
        let printed = Run::of(command)?.stdout;
        if printed != expected {
            bail!("`{}` printed {printed} instead of {expected}", process::shown(command));
        }
    }
    Ok(())
}

/// Runs a command to its end, and returns how long it and what it started had a processor.
fn processor_time(command: &mut Command) -> Result<Duration> {
    let spent =
        || process::time_of_children().context("this system does not say how long a process had a processor");
    let before = spent()?;
    time(command)?;
    Ok(spent()?.saturating_sub(before))
}
