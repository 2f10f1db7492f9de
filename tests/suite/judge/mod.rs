//! The judge takes a request for what the API server takes it for, and allows what RBAC allows. Compared with the API
//! server's own code and with a running one.

mod attributes;
mod audit;
mod cases;
mod decisions;
mod explain;
mod generator;
mod layers;
mod reviews;
mod roles;
mod rules;

use std::io::{BufRead, BufReader, BufWriter, Write};
use std::process::{Command, Stdio};
use std::thread;

use http::uri::PathAndQuery;
use http::{HeaderMap, Method};
use kwasm::policy::{Attempt, Context, Target};
use serde_json::Value;

use crate::support::{real, skip};

/// The namespace that the user chose.
const CURRENT: &str = "shop";

/// Returns the context of every request here.
fn context() -> Context {
    Context::new("test", CURRENT, "test")
}

/// Returns kwasm's reading of a request, or `None` if it refuses it.
fn ours(method: &str, url: &str) -> Option<Attempt> {
    let uri: PathAndQuery = url.parse().ok()?;
    let method = Method::from_bytes(method.as_bytes()).ok()?;
    Attempt::read(Target::Context(context()), method, Some(&uri), &HeaderMap::new()).ok()
}

/// Returns the answers of the API server's code to questions, in the form of
/// `tests/servers/cluster/oracle.go`.
fn ask(mut oracle: Command, questions: &[Value]) -> Vec<Value> {
    let mut child =
        oracle.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut stdin = BufWriter::new(child.stdin.take().unwrap());
    let answers: Vec<Value> = thread::scope(|scope| {
        // Both pipes would fill up and wait for each other.
        scope.spawn(move || {
            for question in questions {
                writeln!(stdin, "{question}").unwrap();
            }
        });
        let answers = BufReader::new(child.stdout.take().unwrap()).lines();
        answers.map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect()
    });
    assert!(child.wait().unwrap().success());
    assert_eq!(answers.len(), questions.len());
    answers
}

/// Returns the oracle; `None` if it is not available, which `cargo xtask test` reports.
fn oracle(test: &str) -> Option<Command> {
    let oracle = real(test)?.oracle();
    if oracle.is_none() {
        skip(test, "this control plane comes without kube-oracle, which is built with Go");
    }
    oracle
}

/// Returns random numbers with the seed of `KWASM_SEED`, or else with a constant one.
fn rng() -> fastrand::Rng {
    let seed = std::env::var("KWASM_SEED").ok().and_then(|seed| seed.parse().ok());
    fastrand::Rng::with_seed(seed.unwrap_or(0x6b77_6173_6d00_0001))
}
