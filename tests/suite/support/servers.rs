//! The two API servers: the embedded one, which does wrong on demand, and the real one.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;

use kwasm_apiserver::demo;
use kwasm_cluster::{Assets, Cluster, User, default_cache};

/// The real control plane, shared by all tests of this process.
pub(crate) struct Real {
    cluster: Cluster,
    log: Mutex<()>,
}

/// Returns the real control plane, or `None` if it is not available, which `cargo xtask test` reports.
///
/// # Panics
/// If `CI` is set, where nothing is skipped.
pub(crate) fn real(test: &str) -> Option<&'static Real> {
    static REAL: OnceLock<Result<Real, String>> = OnceLock::new();
    // The objects of the demo.
    available(test, &REAL, |real| {
        real.apply(&demo::manifests().unwrap().to_string());
        Ok(())
    })
}

/// Returns a control plane of its own that is as full as one that people use (`kwasm_cluster::filled`), or `None` if it is not
/// available. Tests only read it.
///
/// # Panics
/// If `CI` is set, where nothing is skipped.
pub(crate) fn filled(test: &str) -> Option<&'static Real> {
    static FILLED: OnceLock<Result<Real, String>> = OnceLock::new();
    available(test, &FILLED, |real| real.cluster.ready().fill().map_err(|error| error.to_string()))
}

fn available(
    test: &str,
    kept: &'static OnceLock<Result<Real, String>>,
    furnish: impl FnOnce(&Real) -> Result<(), String>,
) -> Option<&'static Real> {
    let started = kept.get_or_init(|| {
        let assets = Assets::find_or_build(&default_cache()).map_err(|error| error.to_string())?;
        let cluster = Cluster::start(&assets).map_err(|error| error.to_string())?;
        let real = Real { cluster, log: Mutex::new(()) };
        furnish(&real)?;
        Ok(real)
    });
    match started {
        Ok(real) => Some(real),
        Err(reason) => {
            skip(test, reason);
            None
        }
    }
}

/// Says that a test could not run, to `cargo xtask test` or, without it, to the reader.
///
/// # Panics
/// With `CI` set, where nothing is skipped.
pub(crate) fn skip(test: &str, reason: &str) {
    assert!(std::env::var_os("CI").is_none(), "{test}: {reason}");
    let line = format!("{test}: {}\n", reason.replace('\n', " "));
    match std::env::var_os("KWASM_SKIPS") {
        Some(path) => OpenOptions::new().append(true).open(path).unwrap().write_all(line.as_bytes()).unwrap(),
        None => eprint!("skipped {line}"),
    }
}

impl Real {
    /// Returns the kubeconfig of a user.
    pub(crate) fn kubeconfig(&self, user: User) -> std::path::PathBuf {
        self.cluster.kubeconfig(user)
    }

    /// Returns the API server's own understanding of requests, as a program.
    pub(crate) fn oracle(&self) -> Option<Command> {
        self.cluster.oracle()
    }

    /// Returns the audit log: a line of JSON for each request that got as far as having attributes.
    pub(crate) fn audit_log(&self) -> &Path {
        self.cluster.audit_log()
    }

    /// Returns a command of kubectl as the administrator.
    pub(crate) fn kubectl(&self) -> Command {
        self.cluster.kubectl()
    }

    /// Returns the path of kubectl.
    pub(crate) fn kubectl_program(&self) -> std::path::PathBuf {
        self.kubectl().get_program().into()
    }

    /// Creates or changes objects.
    pub(crate) fn apply(&self, manifest: &str) {
        self.feed(&["apply", "--server-side", "-f", "-"], manifest);
    }

    /// Runs kubectl as the administrator, with this input, and returns its output.
    pub(crate) fn feed(&self, arguments: &[&str], text: &str) -> String {
        let mut command = self.kubectl();
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut kubectl = command.spawn().unwrap();
        let mut stdin = kubectl.stdin.take().unwrap();
        let text = text.to_owned();
        // Both pipes would fill up and wait for each other.
        let writer = thread::spawn(move || stdin.write_all(text.as_bytes()).unwrap());
        let output = kubectl.wait_with_output().unwrap();
        writer.join().unwrap();
        assert!(output.status.success(), "kubectl {arguments:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Locks the only log that kwok has for all pods, for tests that read it or write to it.
    pub(crate) fn pod_log(&self) -> MutexGuard<'_, ()> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes all pods print a text, which their logs and attached clients receive.
    pub(crate) fn say(&self, text: &str) {
        let mut log = OpenOptions::new().append(true).open(self.cluster.dir().join("pod.log")).unwrap();
        writeln!(log, "2026-01-01T00:00:00.000000000Z stdout F {text}").unwrap();
    }

    /// Creates an event about a pod, as a controller would.
    pub(crate) fn event(&self, namespace: &str, name: &str, message: &str) {
        let event = serde_json::json!({
            "apiVersion": "v1", "kind": "Event", "metadata": {"name": name, "namespace": namespace},
            "involvedObject": {"apiVersion": "v1", "kind": "Pod", "name": "web-0", "namespace": namespace},
            "type": "Normal", "reason": "Tested", "message": message,
            "firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": "2026-01-01T00:00:00Z", "count": 1,
        });
        self.feed(&["create", "-f", "-"], &event.to_string());
    }
}

/// Returns an embedded API server with the objects of the demo.
pub(crate) fn seed() -> kwasm_apiserver::ApiServer {
    let server = kwasm_apiserver::ApiServer::start().unwrap();
    demo::seed(&server).unwrap();
    server
}
