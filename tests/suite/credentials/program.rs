//! A credential plugin that does what a test says, and the guests that ask.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use kwasm_apiserver::{ApiServer, KeyedCertificate};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Kwasm, Run};

pub(super) const V1: &str = "client.authentication.k8s.io/v1";
pub(super) const V1BETA1: &str = "client.authentication.k8s.io/v1beta1";

/// The folder of a credential plugin.
pub(super) struct Helper(TempDir);

/// Returns the program, which `cargo test --workspace` builds beside kwasm.
pub(super) fn program() -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_kwasm"))
        .with_file_name(format!("kwasm-credential-helper{}", std::env::consts::EXE_SUFFIX));
    assert!(program.exists(), "{} is missing: cargo build --package kwasm-apiserver", program.display());
    program
}

impl Helper {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Returns a helper that answers with this status each time.
    pub(super) fn saying(status: &Value) -> Self {
        let helper = Self::new();
        helper.answers(1, status);
        helper
    }

    pub(super) fn folder(&self) -> &Path {
        self.0.path()
    }

    /// Has it answer with this status from this run on.
    pub(super) fn answers(&self, run: usize, status: &Value) {
        let answer = json!({"kind": "ExecCredential", "apiVersion": V1, "status": status});
        self.set(&format!("answer-{run}"), &answer.to_string());
    }

    /// Writes one of its files.
    pub(super) fn set(&self, name: &str, text: &str) {
        std::fs::write(self.folder().join(name), text).unwrap();
    }

    /// Returns its input in each of its runs.
    pub(super) fn runs(&self) -> Vec<Value> {
        let runs = std::fs::read_to_string(self.folder().join("runs")).unwrap_or_default();
        runs.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Returns a user's `exec` that runs it.
    pub(super) fn exec(&self) -> Value {
        json!({
            "apiVersion": V1,
            "command": program(),
            "args": [self.folder()],
            "interactiveMode": "Never",
        })
    }

    /// Returns a user with this plugin.
    pub(super) fn user(&self) -> Value {
        self.user_with(&json!({}))
    }

    /// Returns the user with other fields of `exec`.
    pub(super) fn user_with(&self, fields: &Value) -> Value {
        let mut exec = self.exec();
        exec.as_object_mut().unwrap().extend(fields.as_object().cloned().unwrap());
        json!({ "exec": exec })
    }
}

/// Returns the status of a plugin that prints the server's valid token.
pub(super) fn token(server: &ApiServer) -> Value {
    json!({ "token": server.token() })
}

/// Returns the status of a plugin that prints a certificate.
pub(super) fn certificate(keyed: &KeyedCertificate) -> Value {
    json!({ "clientCertificateData": keyed.certificate, "clientKeyData": keyed.key })
}

/// Sends `GET /version` this many times, one after the other.
pub(super) fn ask(kwasm: &Kwasm, times: usize) -> Run {
    send(kwasm, &vec![json!(["GET", "http://192.0.2.1/version", [], null]); times])
}

/// Sends these requests, one after the other.
pub(super) fn send(kwasm: &Kwasm, requests: &[Value]) -> Run {
    let mut command = kwasm.guest("sends-many", &[]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    // A kwasm that refuses all of them reads none.
    drop(requests.iter().try_for_each(|request| writeln!(input, "{request}")));
    drop(input);
    Run::from(child.wait_with_output().unwrap())
}
