//! The environment of cases: three servers that record requests, a folder for each case, and secrets.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use kwasm_apiserver::{ApiServer, KeyedCertificate};
use tempfile::TempDir;
use x509_parser::asn1_rs::Any;
use x509_parser::prelude::FromDer as _;

use super::case::{Case, Outcome};
use super::seen::{self, Seen};
use crate::support::{Kwasm, Run, component};

/// The path below which one of the servers is, as with Rancher.
const BASE: &str = "/k8s/clusters/c-1";

/// Abbreviations for phrases of many cases.
const PHRASES: [(&str, &str); 7] = [
    ("$TRUSTED", "server: '$TLS', certificate-authority-data: $CA"),
    ("$PAIR", "client-certificate-data: $ALICE, client-key-data: $ALICE_KEY"),
    ("$LOGIN", "username: jane, password: $PASSWORD"),
    ("$NEVER", "$V1, $CAT, interactiveMode: Never"),
    ("$CAT", "command: cat, args: [$DIR/answer]"),
    ("$V1", "apiVersion: client.authentication.k8s.io/v1"),
    ("$ISSUER", "idp-issuer-url: 'https://127.0.0.1:1', client-id: a"),
];

/// Three servers and what is known to them.
pub(super) struct Lab {
    tls: ApiServer,
    plain: ApiServer,
    below: ApiServer,
    /// The cache of kubectl's discovery.
    cache: TempDir,
    /// The values of placeholders, the longest names first.
    placeholders: Vec<(&'static str, String)>,
}

/// One run of a program, and what the servers saw of it.
pub(super) struct Done {
    pub(super) run: Run,
    /// In which way a server was asked; `None` if none was.
    pub(super) asked: Option<String>,
    /// The requested namespace, if any.
    pub(super) namespace: Option<String>,
}

impl Done {
    /// Returns how it ended, with the namespace if it is not `default`.
    pub(super) fn outcome(&self) -> Outcome {
        let Some(asked) = &self.asked else { return Outcome::Fails(self.said()) };
        match self.namespace.as_deref() {
            Some("default") => Outcome::Asks(asked.clone()),
            namespace => Outcome::Asks(format!("{asked} namespace={}", namespace.unwrap_or("none"))),
        }
    }

    /// Returns the messages about a failure, to the user and to the guest.
    fn said(&self) -> String {
        assert!(!self.run.stderr.contains("panicked"), "{}", self.run.shown());
        let to_guest = self.run.stdout.lines().filter(|line| line.starts_with("refused: "));
        std::iter::once(self.run.stderr.as_str()).chain(to_guest).collect::<Vec<_>>().join("\n")
    }
}

impl Lab {
    pub(super) fn new() -> Self {
        let [tls, below] = [ApiServer::builder(), ApiServer::builder().base_path(BASE)]
            .map(|server| server.takes_anybody().start().unwrap());
        let plain = ApiServer::builder().plain_http().takes_anybody().start().unwrap();
        let authorities = format!("{}{}", tls.authority().unwrap(), below.authority().unwrap());
        let [alice, bob] = ["alice", "bob"].map(|user| KeyedCertificate::of_stranger(user).unwrap());
        let placeholders = placeholders(&tls, &plain, &below, &authorities, [&alice, &bob]);
        Self { tls, plain, below, cache: tempfile::tempdir().unwrap(), placeholders }
    }

    /// Writes a case's files into a folder of its own.
    pub(super) fn folder(&self, case: &Case) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in case.all_files() {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let text = self.fill(&text, folder.path());
            fs::write(&path, &text).unwrap();
            if text.starts_with("#!") {
                fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
            }
        }
        fs::create_dir_all(folder.path().join("home")).unwrap();
        folder
    }

    /// Runs kubectl, which lists config maps. Its discovery is cached for all cases.
    pub(super) fn kubectl(&self, program: &Path, case: &Case, folder: &Path) -> Done {
        self.asked(folder, || {
            let mut command = self.kubectl_command(program, case, folder);
            Run::of(command.args(["get", "configmaps"]).args(self.flags(case, folder)))
        })
    }

    /// Returns a command of kubectl for a case, without arguments.
    pub(super) fn kubectl_command(&self, program: &Path, case: &Case, folder: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("KUBECACHEDIR", self.cache.path());
        // Otherwise it is localhost:8080, where another program may listen.
        command.env("KUBERNETES_MASTER", "http://127.0.0.1:1");
        self.prepare(&mut command, case, folder);
        command
    }

    /// Runs a plugin that requests the version.
    pub(super) fn kwasm(&self, kwasm: &Kwasm, case: &Case, folder: &Path) -> Done {
        let mut done = self.asked(folder, || self.plugin(kwasm, case, folder, &[]));
        done.namespace = seen::namespace_of_guest(&done.run.stdout);
        done
    }

    /// Runs a plugin that prints everything that it sees, including its arguments, and requests the version.
    pub(super) fn plugin(&self, kwasm: &Kwasm, case: &Case, folder: &Path, options: &[&str]) -> Run {
        let mut command = self.kwasm_command(kwasm, case, folder);
        command.args(["run", "--policy", "cluster"]).args(options).arg(component("dumps"));
        Run::of(command.args(["--", "/version"]).args(self.flags(case, folder)))
    }

    /// Runs a command of kwasm's own that accepts kubectl's flags.
    pub(super) fn verb(&self, kwasm: &Kwasm, case: &Case, folder: &Path, arguments: &[&str]) -> Run {
        let mut command = self.kwasm_command(kwasm, case, folder);
        Run::of(command.args(arguments).args(self.flags(case, folder)))
    }

    /// Returns a command of kwasm for a case, without arguments.
    pub(super) fn kwasm_command(&self, kwasm: &Kwasm, case: &Case, folder: &Path) -> Command {
        let mut command = kwasm.command::<&str>([]);
        self.prepare(&mut command, case, folder);
        command
    }

    fn prepare(&self, command: &mut Command, case: &Case, folder: &Path) {
        command.env("HOME", folder.join("home")).current_dir(folder).stdin(Stdio::null());
        for (name, value) in &case.variables {
            command.env(name, self.fill(value, folder));
        }
    }

    fn flags(&self, case: &Case, folder: &Path) -> Vec<String> {
        case.flags.iter().map(|flag| self.fill(flag, folder)).collect()
    }

    /// Runs something, and says what the servers saw meanwhile.
    fn asked(&self, folder: &Path, run: impl FnOnce() -> Run) -> Done {
        let servers = [("tls", &self.tls), ("plain", &self.plain), ("below", &self.below)];
        let before = servers.map(|(_, server)| server.requests().len());
        let run = run();
        let mut seen = None;
        for ((name, server), before) in servers.iter().zip(before) {
            let requests = server.requests();
            seen = requests[before..].iter().rev().find_map(|request| Seen::of(name, request)).or(seen);
        }
        let without = |text: &str| self.empty(text, folder);
        Done {
            asked: seen.as_ref().map(|seen| without(&seen.line)),
            namespace: seen.and_then(|seen| seen.namespace),
            run: Run { code: run.code, stdout: without(&run.stdout), stderr: without(&run.stderr) },
        }
    }

    /// Returns everything that must not be shown, in pieces, since a part of a secret is a secret too.
    pub(super) fn secrets(&self) -> Vec<String> {
        const NAMES: [&str; 10] = [
            "$TOKEN",
            "$OTHER",
            "$PASSWORD",
            "$JWT",
            "$ALICE_KEY_AS_RSA_PEM",
            "$ALICE_SEC1_KEY_PEM",
            "$ALICE_KEY_PEM",
            "$BOB_KEY_PEM",
            "$ALICE_KEY",
            "$BOB_KEY",
        ];
        let values = self.placeholders.iter().filter(|(name, _)| NAMES.contains(name));
        let lines = values.flat_map(|(_, value)| value.lines()).filter(|line| !line.starts_with("-----"));
        let pieces = lines.flat_map(|line| line.as_bytes().chunks_exact(16));
        pieces.map(|piece| String::from_utf8(piece.to_vec()).unwrap()).collect()
    }

    /// Replaces placeholders with their values.
    pub(super) fn fill(&self, text: &str, folder: &Path) -> String {
        let text = PHRASES.iter().fold(text.to_owned(), |text, (name, phrase)| text.replace(name, phrase));
        let text = text.replace("$DIR", folder.to_str().unwrap());
        self.placeholders.iter().fold(text, |text, (name, value)| text.replace(name, value))
    }

    /// Replaces values with their placeholders.
    fn empty(&self, text: &str, folder: &Path) -> String {
        let text = text.replace(folder.to_str().unwrap(), "$DIR");
        self.placeholders.iter().fold(text, |text, (name, value)| text.replace(value.as_str(), name))
    }
}

/// Returns the key in this PEM in SEC 1, still called what it was.
fn sec1(pem: &str) -> String {
    let base64: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let whole = STANDARD.decode(base64).unwrap();
    let (_, key) = Any::from_der(&whole).unwrap();
    let mut rest = key.data;
    for _ in 0..2 {
        (rest, _) = Any::from_der(rest).unwrap();
    }
    let (_, inner) = Any::from_der(rest).unwrap();
    // By itself it has to name its curve, P-256: between the key and its public half.
    let (_, key) = Any::from_der(inner.data).unwrap();
    let (behind_version, _) = Any::from_der(key.data).unwrap();
    let (public, _) = Any::from_der(behind_version).unwrap();
    let private = &key.data[..key.data.len() - public.len()];
    let curve = [0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
    let content = [private, &curve, public].concat();
    let length = u8::try_from(content.len()).unwrap();
    assert!(length < 0x80, "of P-256");
    let whole = [&[0x30, length][..], &content].concat();
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(whole))
}

fn placeholders(
    tls: &ApiServer,
    plain: &ApiServer,
    below: &ApiServer,
    authorities: &str,
    [alice, bob]: [&KeyedCertificate; 2],
) -> Vec<(&'static str, String)> {
    let port = |server: &ApiServer| server.port().to_string();
    let base64 = |pem: &str| STANDARD.encode(pem);
    vec![
        ("$WRAPPED_CA", wrapped(&base64(authorities))),
        ("$CA_PEM", authorities.to_owned()),
        ("$CA", base64(authorities)),
        ("$STRANGE_CA", base64(&alice.certificate)),
        ("$ALICE_KEY_AS_RSA_PEM", alice.key.replace("PRIVATE KEY", "RSA PRIVATE KEY")),
        ("$ALICE_SEC1_KEY_PEM", sec1(&alice.key)),
        ("$ALICE_PEM", alice.certificate.clone()),
        ("$ALICE_KEY_PEM", alice.key.clone()),
        ("$ALICE_KEY_JSON", alice.key.replace('\n', "\\n")),
        ("$ALICE_JSON", alice.certificate.replace('\n', "\\n")),
        ("$ALICE_KEY", base64(&alice.key)),
        ("$ALICE", base64(&alice.certificate)),
        ("$BOB_PEM", bob.certificate.clone()),
        ("$BOB_KEY_PEM", bob.key.clone()),
        ("$BOB_KEY", base64(&bob.key)),
        ("$BOB", base64(&bob.certificate)),
        ("$JWT", format!("e30.{}.c2ln{}", STANDARD_NO_PAD.encode(r#"{"exp":4102444800}"#), tls.token())),
        ("$TOKEN", tls.token().to_owned()),
        ("$OTHER", plain.token().to_owned()),
        ("$PASSWORD", tls.basic().1.to_owned()),
        ("$BELOW", below.url().to_owned()),
        ("$BORIGIN", below.url().replace(BASE, "")),
        ("$TLS", tls.url().to_owned()),
        ("$PLAIN", plain.url().to_owned()),
        ("$PPORT", port(plain)),
        ("$PORT", port(tls)),
    ]
}

/// Returns base64 in lines of 64, as in a kubeconfig.
fn wrapped(base64: &str) -> String {
    let lines: Vec<&str> = base64.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
    lines.join("\n      ")
}
