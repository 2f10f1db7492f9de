//! The duration of one request for a secret at a real API server, and of showing it.

use anyhow::{Result, bail};
use serde_json::json;

use super::{
    measure::{self, Line},
    stage::{Stage, time},
};
use crate::{process, report::title};

const PEER: &str = "kubectl get secret -o json";
const BAR: f64 = 0.12;
const NAME: &str = "measured";

/// Measures `kubectl decoder secret`, installed, against kubectl's own `get`.
pub(crate) fn measure(stage: &Stage<'_>, runs: usize) -> Result<Vec<Line>> {
    title(&format!("secret: {runs} runs of each"));
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": NAME, "namespace": "default"},
        "stringData": {"password": "correct horse", "user": "carol"},
    });
    stage.plane.create(&stage.home, &secret)?;
    process::output(
        stage.home.kwasm()?.args(["install", "--policy", "request"]).arg(stage.component("decoder")),
    )?;
    let mut decoder = stage.home.command(stage.home.link("decoder"))?;
    let ours = stage.plane.as_admin(decoder.args(["secret", NAME, "-n", "default"]))?;
    let mut kubectl = stage.plane.kubectl(&stage.home)?;
    let theirs =
        stage.plane.as_admin(kubectl.args(["get", "secret", NAME, "-n", "default", "-o", "json"]))?;
    // What is encoded by the one is decoded by the other.
    for (command, text) in [(&mut *ours, "correct horse"), (&mut *theirs, "Y29ycmVjdCBob3JzZQ==")] {
        let shown = process::output(command)?;
        if !shown.contains(text) {
            bail!("`{}` does not show the secret: {shown}", process::shown(command));
        }
    }
    let (ours, theirs) = measure::interleaved(runs, || time(ours), || time(theirs))?;
    Ok(vec![Line::of_medians("secret", PEER, &ours, &theirs, BAR)])
}
