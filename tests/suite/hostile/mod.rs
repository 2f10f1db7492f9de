//! Tests that each hostile guest fails at the defence that it is about, and succeeds if exactly that one is
//! disabled.
//!
//! A guest's failure proves little: it may have failed for another reason. So each attempt is made three
//! times: with the ordinary program, in which no defence can be disabled; with the one for tests with all
//! defences, to show that it is the same; and with that one without the defence. The nearest allowed attempt
//! is made too.

mod destination;
mod door;
#[cfg(unix)]
mod endless;
#[cfg(unix)]
mod folders;
mod headers;
mod journal;
mod limits;
mod path;
#[cfg(target_os = "linux")]
mod questions;
mod rules;
mod sockets;
#[cfg(unix)]
mod stored_files;
mod wasi3;
mod world;

use std::fs;
use std::path::{Path, PathBuf};

use kwasm::inspect::embed;
use kwasm_apiserver::{ApiServer, User};

use crate::support::{Kwasm, Run, component, faults_program, kubeconfig};

/// The attempt of a hostile guest, and its circumstances. Each attempt ends with its twin.
#[must_use]
struct Attempt<'a> {
    guest: &'static str,
    arguments: Vec<String>,
    kubeconfig: Option<PathBuf>,
    variables: Vec<(&'static str, String)>,
    grant: Grant,
    /// The `spec` of the request that the guest carries, if it carries one.
    request: Option<String>,
    /// Servers at which nothing of a failed attempt may arrive.
    deaf: Vec<&'a ApiServer>,
    /// With which code it ends when it fails, and what is said then.
    failure: (i32, String),
}

/// The permissions of the guest.
enum Grant {
    Named(String),
    Spec(String),
}

impl<'a> Attempt<'a> {
    /// Returns the attempt of a guest without arguments, without a cluster, and with all of its user's
    /// permissions.
    fn of(guest: &'static str) -> Self {
        Self {
            guest,
            arguments: Vec::new(),
            kubeconfig: None,
            variables: Vec::new(),
            grant: Grant::Named("cluster".to_owned()),
            request: None,
            deaf: Vec::new(),
            failure: (1, String::new()),
        }
    }

    fn with(self, arguments: &[&str]) -> Self {
        Self { arguments: owned(arguments), ..self }
    }

    /// Sets the server, which no request may reach if the guest fails.
    fn at(self, server: &'a ApiServer, user: User) -> Self {
        self.asking(server, user).unheard_by(server)
    }

    /// Sets the server, which the guest may send its request to.
    fn asking(self, server: &ApiServer, user: User) -> Self {
        Self { kubeconfig: Some(kubeconfig(server, user)), ..self }
    }

    fn unheard_by(mut self, server: &'a ApiServer) -> Self {
        self.deaf.push(server);
        self
    }

    fn policy(self, name: &str) -> Self {
        Self { grant: Grant::Named(name.to_owned()), ..self }
    }

    /// Sets a policy with this `spec`.
    fn spec(self, spec: &str) -> Self {
        Self { grant: Grant::Spec(spec.to_owned()), ..self }
    }

    /// Puts a request with this `spec` into the guest.
    fn requesting(self, spec: &str) -> Self {
        Self { request: Some(spec.to_owned()), ..self }
    }

    fn variable(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    /// Expects it to fail, with this text in a message to the guest or the user.
    #[track_caller]
    fn fails(self, why: &str) -> Self {
        self.fails_with(1, why)
    }

    /// Expects kwasm to end it, with this text in a message to the user.
    #[track_caller]
    fn ends(self, why: &str) -> Self {
        self.fails_with(125, why)
    }

    #[track_caller]
    fn fails_with(self, code: i32, why: &str) -> Self {
        let failing = Self { failure: (code, why.to_owned()), ..self };
        failing.failing("all defences", Kwasm::faulty);
        failing
    }

    /// Checks that it succeeds without this defence, and only then, with this text in its result.
    #[track_caller]
    fn succeeds_without(self, defence: &str, got: &str) -> Self {
        // To the ordinary program the variable means nothing.
        self.failing("the ordinary program", |kwasm| kwasm.variable("KWASM_WITHOUT", defence));
        let before = self.heard();
        let run = self.run(&self.arguments, |kwasm| kwasm.without(defence));
        self.told(&format!("without {defence}"), &run);
        assert!(run.code == Some(0) && run.stdout.contains(got), "without {defence}: {}", run.shown());
        let arrived = self.deaf.is_empty() || self.heard() != before;
        assert!(arrived, "without {defence} it has to arrive somewhere: {}", run.shown());
        self
    }

    /// Checks that it succeeds with these arguments and the current policy, without any error message.
    #[track_caller]
    fn twin(self, arguments: &[&str]) {
        let guest = self.guest;
        self.twin_of(guest, arguments);
    }

    /// Checks the twin, which is another guest here.
    #[track_caller]
    fn twin_of(self, guest: &'static str, arguments: &[&str]) {
        let twin = Self { guest, ..self };
        let run = twin.run(&owned(arguments), |kwasm| kwasm);
        twin.told("the twin", &run);
        assert!(run.code == Some(0) && run.complaints().is_empty(), "the twin: {}", run.shown());
    }

    #[track_caller]
    fn failing(&self, place: &str, changed: impl FnOnce(Kwasm) -> Kwasm) {
        let before = self.heard();
        let run = self.run(&self.arguments, changed);
        self.told(place, &run);
        let (code, why) = &self.failure;
        assert!(run.code == Some(*code) && run.stderr.contains(why), "{place}, `{why}`: {}", run.shown());
        assert_eq!(self.heard(), before, "{place}: nothing arrives: {}", run.shown());
    }

    /// Returns the connections and requests at the servers that must not be reached.
    fn heard(&self) -> Vec<(usize, usize)> {
        self.deaf.iter().map(|server| (server.connections(), server.requests().len())).collect()
    }

    fn run(&self, arguments: &[String], changed: impl FnOnce(Kwasm) -> Kwasm) -> Run {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let kwasm = changed(self.kwasm());
        let Some(spec) = &self.request else { return kwasm.run(self.guest, &arguments) };
        let head = "apiVersion: kwasm.dev/v1\nkind: Policy\nmetadata: {name: requested}\nspec:";
        let guest = fs::read(component(self.guest)).unwrap();
        let path = kwasm.home().join("requesting");
        fs::write(path.with_extension("wasm"), embed(&guest, &format!("{head} {spec}\n")).unwrap()).unwrap();
        kwasm.run(path.to_str().unwrap(), &arguments)
    }

    /// Returns a kwasm in these circumstances.
    fn kwasm(&self) -> Kwasm {
        let mut kwasm = match &self.grant {
            Grant::Named(name) => Kwasm::new().policy(name),
            Grant::Spec(spec) => Kwasm::new().spec(spec),
        };
        for (name, value) in &self.variables {
            kwasm = kwasm.variable(name, value);
        }
        match &self.kubeconfig {
            Some(path) => kwasm.kubeconfig(path),
            None => kwasm,
        }
    }

    /// Prints the run for readers of a test's output.
    fn told(&self, place: &str, run: &Run) {
        let said = format!("{}{}", run.stdout, run.stderr);
        let first: String = said.lines().next().unwrap_or_default().chars().take(160).collect();
        eprintln!("{} | {place} | {:?} | {first}", self.guest, run.code);
    }
}

fn owned(arguments: &[&str]) -> Vec<String> {
    arguments.iter().map(|&argument| argument.to_owned()).collect()
}

/// Returns the text of a file of this repository.
fn text(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// Returns the text of all tests in this folder.
fn tests() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/hostile");
    fs::read_dir(folder).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap()).collect()
}

/// Returns the names of all hostile guests: each is a file or a folder.
fn guests() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guests/src/bin/hostile");
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

#[test]
fn each_hostile_guest_and_each_defence_has_its_test() {
    let guests = guests();
    let defences = text("src/defence.rs");
    let defences = defences.lines().filter_map(|line| line.trim().strip_suffix("\",")?.split(" = \"").nth(1));
    let defences = defences.map(str::to_owned).collect::<Vec<_>>();
    assert!(guests.len() > 50 && defences.len() > 40, "{guests:?} {defences:?}");
    let tests = tests();
    // One of them has a value.
    let named = |name: &String| ["\"", "="].iter().any(|end| tests.contains(&format!("\"{name}{end}")));
    let missing: Vec<_> = guests.iter().chain(&defences).filter(|name| !named(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let security = text(".github/SECURITY.md");
    let unlisted: Vec<_> = guests.iter().filter(|name| !security.contains(&format!("`{name}`"))).collect();
    assert!(unlisted.is_empty(), "SECURITY.md lacks {unlisted:?}");
}

#[test]
fn the_ordinary_program_has_no_switch() {
    let has_switch = |program: PathBuf| {
        let bytes = fs::read(program).unwrap();
        String::from_utf8_lossy(&bytes).contains("KWASM_WITHOUT")
    };
    assert!(!has_switch(env!("CARGO_BIN_EXE_kwasm").into()));
    assert!(has_switch(faults_program()));
}
