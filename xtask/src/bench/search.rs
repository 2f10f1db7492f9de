//! The duration of a search among 10,000 plugins of an index.

use std::{
    fs,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::measure::{Bar, Figure, Line, Samples};
use crate::{home::Home, places::Places, process, report::title};

const PLUGINS: usize = 10_000;
const PEER: &str = "what it may take";
const BAR: Duration = Duration::from_millis(50);

/// What is searched for, and how many plugins fit.
const SEARCHES: [(&str, &[&str], usize); 3] = [
    ("search a name", &["plugin-777"], 11),
    ("search words", &["job", "number", "9999"], 1),
    ("search nothing", &["no-such-plugin"], 0),
];

/// Measures searches of each kind.
pub(crate) fn measure(places: &Places, kwasm: &Path, runs: usize) -> Result<Vec<Line>> {
    title(&format!("search: {runs} searches among {PLUGINS} plugins"));
    let home = Home::new(places, "bench-search", kwasm)?;
    let index = home.path().join("index.json");
    fs::write(&index, listing().to_string())?;
    process::output(home.kwasm()?.args(["index", "add", "acme"]).arg(&index))?;
    let mut lines = Vec::new();
    for (row, words, found) in SEARCHES {
        let mut command = home.kwasm()?;
        command.arg("search").args(words).stdin(Stdio::null());
        let mut times = Vec::new();
        for _ in 0..runs {
            let start = Instant::now();
            let output = command.output().context("cannot start kwasm")?;
            times.push(start.elapsed());
            let lines = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count();
            if lines != found {
                bail!(
                    "{row} finds {lines} plugins, not {found}: {}",
                    String::from_utf8_lossy(&output.stderr)
                );
            }
        }
        lines.push(Line {
            row: row.to_owned(),
            peer: PEER,
            ours: Figure::time(&Samples::new(times), 0.5),
            theirs: Figure::time(&Samples::new(vec![BAR]), 0.5),
            bar: Bar::AtMost(1.0),
        });
    }
    Ok(lines)
}

/// Returns an index in which each plugin has three versions, and asks for something.
fn listing() -> Value {
    let plugins: Vec<_> = (0..PLUGINS)
        .map(|number| {
            let versions = (0..3).map(|patch| {
                let digest = format!("sha256:{:064x}", number * 3 + patch);
                json!({"version": format!("1.0.{patch}"), "digest": digest})
            });
            let request = json!({
                "apiVersion": "kwasm.dev/v1", "kind": "Policy", "metadata": {"name": format!("plugin-{number}")},
                "spec": {"kubernetes": {"rules": [
                    {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"], "reason": "Lists pods."},
                ]}},
            });
            json!({
                "name": format!("plugin-{number}"),
                "description": format!("Does the job number {number} for everyone who wants it to be done"),
                "source": format!("registry.example/acme/plugins/plugin-{number}"),
                "versions": versions.collect::<Vec<_>>(), "request": request.to_string(),
                "homepage": format!("https://acme.example/plugins/{number}"), "license": "Apache-2.0",
            })
        })
        .collect();
    json!({"apiVersion": "kwasm.dev/v1", "kind": "Index", "revision": 1, "plugins": plugins})
}
