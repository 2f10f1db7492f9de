//! Go programs that `kwasm build` made components of run as they do natively: one on client-go, at the real
//! control plane, and one that checks its memory while the host writes into it.

use std::env::consts::EXE_SUFFIX;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Once;
use std::time::Duration;

use kwasm_apiserver::User as EmbeddedUser;
use kwasm_cluster::User;

use crate::support::{Kwasm, Real, Run, Running, kubeconfig, real, seed, skip};

/// Returns a program that `cargo xtask test` built (`xtask/src/go_guests.rs`).
fn built(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("KWASM_FOREIGN").map(|folder| PathBuf::from(folder).join("go"));
    let path = folder.map(|folder| folder.join(name)).filter(|path| path.exists());
    if path.is_none() {
        skip(&format!("go_guests, {name}"), "it is not built: cargo xtask test says why");
    }
    path
}

/// Returns the command `kwasm run FILE -- ARG…`.
fn kwasm_run(kwasm: &Kwasm, file: &Path, policy: &str, arguments: &[&str]) -> Command {
    let mut command = kwasm.command(["run", "--policy", policy]);
    command.arg(file).arg("--").args(arguments);
    command
}

/// A program as a component and as its native build, with the kubeconfig of a user.
struct Both {
    kwasm: Kwasm,
    component: PathBuf,
    native: PathBuf,
    kubeconfig: PathBuf,
}

/// A command of podtool, and the rules without which it is refused.
struct Line {
    arguments: &'static [&'static str],
    rules: &'static str,
    /// A part of what it prints.
    prints: &'static str,
}

const fn line(arguments: &'static [&'static str], rules: &'static str, prints: &'static str) -> Line {
    Line { arguments, rules, prints }
}

/// The commands that end by themselves and change nothing.
const LINES: [Line; 7] = [
    line(&["list"], "{apiGroups: [''], resources: [pods], verbs: [list]}", "web"),
    line(
        &["get", "pods", "web"],
        // Discovery comes first, by which the client finds out what pods are.
        "{apiGroups: [''], resources: [pods], verbs: [get]}, {nonResourceURLs: ['/api', '/api/*', '/apis', '/apis/*'], verbs: [get]}",
        "web ",
    ),
    line(
        &["watch", "--for", "2s"],
        "{apiGroups: [''], resources: [pods], verbs: [list, watch]}",
        "ADDED\tweb\tRunning\nticked: true listed: true\n",
    ),
    line(
        &["many", "--count", "20"],
        "{apiGroups: [''], resources: [pods], verbs: [list]}",
        "20 lists, 20 pods\n",
    ),
    line(
        &["exec", "web", "--", "echo", "hello"],
        "{apiGroups: [''], resources: [pods/exec], verbs: [get, create]}",
        "hello\n",
    ),
    line(
        &["exec", "--websocket", "web", "--", "echo", "hello"],
        "{apiGroups: [''], resources: [pods/exec], verbs: [get, create]}",
        "hello\n",
    ),
    line(
        &["forward", "web", "2379"],
        "{apiGroups: [''], resources: [pods/portforward], verbs: [get, create]}",
        // The answer of the control plane's etcd, which serves nothing at its root.
        "404 Not Found\n",
    ),
];

impl Both {
    fn of(real: &Real) -> Option<Self> {
        /// Compiling takes longer than a test waits for a line.
        static COMPILED: Once = Once::new();
        let kubeconfig = real.kubeconfig(User::Alice);
        let kwasm = Kwasm::new().kubeconfig(&kubeconfig);
        let component = built("podtool.wasm")?;
        let native = built(&format!("podtool{EXE_SUFFIX}"))?;
        COMPILED.call_once(|| {
            Run::of(&mut kwasm_run(&kwasm, &component, "none", &["--help"])).success();
        });
        Some(Self { kwasm, component, native, kubeconfig })
    }

    fn as_component(&self, policy: &str, arguments: &[&str]) -> Command {
        kwasm_run(&self.kwasm, &self.component, policy, arguments)
    }

    fn as_native(&self, arguments: &[&str]) -> Command {
        let mut command = self.kwasm.program(&self.native);
        command.args(arguments).env("KUBECONFIG", &self.kubeconfig);
        command
    }

    /// Writes a policy of these rules. Returns its path.
    fn policy(&self, rules: &str) -> String {
        let path = self.kwasm.home().join("policy.yaml");
        let head = "apiVersion: kwasm.dev/v1\nkind: Policy\nmetadata: {name: test}";
        fs::write(&path, format!("{head}\nspec: {{kubernetes: {{rules: [{rules}]}}}}\n")).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

/// Creates a namespace with a running pod in it.
fn namespace(real: &Real, name: &str) {
    real.feed(&["create", "namespace", name], "");
    real.feed(&["run", "web", "--image=none", "--namespace", name], "");
    real.feed(&["wait", "--for=condition=Ready", "pod/web", "--namespace", name, "--timeout=60s"], "");
}

/// Returns a line of output without the last of its columns if that is an age.
fn shown(line: &str, ages: bool) -> String {
    match line.trim_end().rsplit_once(' ') {
        Some((line, _)) if ages => line.trim_end().to_owned(),
        _ => line.to_owned(),
    }
}

#[test]
fn a_client_go_program_prints_what_its_native_build_prints_under_its_policy_and_is_refused_without() {
    let test = "a_client_go_program_prints_what_its_native_build_prints";
    let Some(real) = real(test) else { return };
    let Some(both) = Both::of(real) else { return };
    let _log = real.pod_log();
    namespace(real, "gophers");
    for Line { arguments, rules, prints } in &LINES {
        let arguments = [&["-n", "gophers"], *arguments].concat();
        let native = Run::of(&mut both.as_native(&arguments)).success();
        let policy = both.policy(rules);
        let component = Run::of(&mut both.as_component(&policy, &arguments)).success();
        assert!(component.stdout.contains(prints), "{arguments:?}: {}", component.shown());
        // A table has the age of what it shows.
        let ages = arguments.contains(&"get");
        let shown = |run: &Run| run.stdout.lines().map(|line| shown(line, ages)).collect::<Vec<_>>();
        assert_eq!(shown(&component), shown(&native), "{arguments:?}");
        let refused = Run::of(&mut both.as_component("none", &arguments));
        assert!(refused.code == Some(1), "{arguments:?}: {}", refused.shown());
        // Of a server's answer to its discovery, client-go shows nothing: it says "unknown".
        let said = if ages { "kwasm: refused: get /api: the policy" } else { "refused by kwasm" };
        assert!(refused.stderr.contains(said), "{arguments:?}: {}", refused.shown());
        // One of them counts what it got.
        assert!(matches!(refused.stdout.as_str(), "" | "20 lists, 0 pods\n"), "{}", refused.shown());
    }
}

#[cfg(unix)]
#[test]
fn a_client_go_program_follows_a_log_until_it_is_interrupted() {
    let Some(real) = real("a_client_go_program_follows_a_log_until_it_is_interrupted") else { return };
    let Some(both) = Both::of(real) else { return };
    let _log = real.pod_log();
    namespace(real, "followers");
    let policy = both.policy("{apiGroups: [''], resources: [pods/log], verbs: [get]}");
    let arguments = ["-n", "followers", "logs", "web", "-f"];
    let mut running = Running::of(both.as_component(&policy, &arguments));
    running.line_with("hello from a pod");
    while running.line_within(Duration::from_millis(200)).is_none_or(|line| !line.contains("said meanwhile"))
    {
        real.say("said meanwhile");
    }
    running.signal("INT");
    assert_eq!(running.end().code, Some(130));
    let refused = Run::of(&mut both.as_component("none", &arguments)).fails(1);
    assert!(refused.stderr.contains("refused by kwasm"), "{}", refused.shown());
}

#[cfg(unix)]
#[test]
fn an_informer_sees_what_others_change_while_it_runs() {
    let Some(real) = real("an_informer_sees_what_others_change_while_it_runs") else { return };
    let Some(both) = Both::of(real) else { return };
    namespace(real, "informed");
    let arguments = ["-n", "informed", "informer", "--changes", "2"];
    let mut running = Running::of(both.as_component("view", &arguments));
    running.line_with("1 pods, 0 deployments");
    real.feed(&["run", "late", "--image=none", "--namespace", "informed"], "");
    running.line_with("added late");
    real.feed(&["delete", "pod", "late", "--namespace", "informed", "--force"], "");
    running.line_with("deleted late");
    let run = running.end();
    assert_eq!(run.code, Some(0), "{}", run.shown());
    // It tries again for ever.
    let mut refused = Running::of(both.as_component("none", &arguments));
    refused.error_with("refused by kwasm");
    refused.signal("INT");
    assert_eq!(refused.end().code, Some(130));
}

#[test]
fn an_exit_code_is_the_programs_own() {
    let Some(file) = built("surroundings.wasm") else { return };
    let kwasm = Kwasm::new();
    for code in [0, 1, 7, 125, 255] {
        Run::of(&mut kwasm_run(&kwasm, &file, "none", &["exit", &code.to_string()])).fails(code);
    }
}

/// What a Go program finds out of its surroundings, by the name of the property (`tests/go/surroundings`).
const SURROUNDINGS: [(&[&str], &str); 11] = [
    (&["host"], "localhost <nil>\n"),
    (&["user"], "true / / <nil>\n"),
    (&["exec"], "exec: \"kubectl\": a WebAssembly plugin cannot start other programs true\n"),
    (&["terminal"], "/dev/stdin false\n/dev/stdout false\n/dev/stderr false\n"),
    (&["signal"], "no signal\n"),
    (
        &["look-up", "kubernetes.default.svc", "localhost", "nope.invalid", "192.0.2.1"],
        "kubernetes.default.svc [192.0.2.1] <nil>\nlocalhost [127.0.0.1 ::1] <nil>\nnope.invalid not found: true\n192.0.2.1 [192.0.2.1] <nil>\n",
    ),
    (
        &["dial", "192.0.2.1:80", "10.0.0.1:80"],
        "connected to 192.0.2.1:80 from true\n<nil> <nil>\n<nil> true\ndial tcp 10.0.0.1:80: connect: Permission denied\n",
    ),
    (&["listen"], "127.0.0.1:0 hello <nil>\n:0 hello <nil>\nlocalhost:0 hello <nil>\n"),
    // Of the last two: whether it is a folder, and whether the errors say that it does not exist.
    (&["file", "/", "/etc/passwd"], "/ false true true false\n/etc/passwd false false true true\n"),
    (&["half-close"], "<nil>\nHTTP/1.0 502 Bad Gateway <nil>\na write fails: true\n"),
    (&["cancel"], "cancelled: true\ndeadline: true\nclosed: true\n"),
];

#[test]
fn a_go_program_finds_in_its_surroundings_what_the_sandbox_has() {
    let Some(file) = built("surroundings.wasm") else { return };
    let kwasm = Kwasm::new();
    for (arguments, printed) in SURROUNDINGS {
        let run = Run::of(&mut kwasm_run(&kwasm, &file, "none", arguments));
        assert_eq!((run.stdout.as_str(), run.code), (printed, Some(0)), "{arguments:?}: {}", run.shown());
    }
    // Twice as many as it may have at a time: those that were closed are had again.
    let many = Run::of(&mut kwasm_run(&kwasm, &file, "none", &["many"]));
    assert_eq!(many.stdout.matches("64 connections, ").count(), 2, "{}", many.shown());
}

#[test]
fn goroutines_go_on_while_one_reads_the_standard_input() {
    let Some(file) = built("surroundings.wasm") else { return };
    let kwasm = Kwasm::new();
    let mut command = kwasm_run(&kwasm, &file, "none", &["stdin"]);
    command.stdin(Stdio::piped());
    let mut running = Running::of(command);
    let mut input = running.stdin();
    // Nothing says when the first tick comes: asked again, it has come at some time.
    loop {
        std::io::Write::write_all(&mut input, b"line\n").unwrap();
        if running.line_with("read LINE ").ends_with("true") {
            break;
        }
    }
    drop(input);
    running.line_with("end <nil>");
    assert_eq!(running.end().code, Some(0));
}

/// The memory of a Go program is its own, whoever allocates in it: the check finds the fault in a component made
/// of the same program by the plain adapter.
#[test]
fn no_one_writes_into_the_memory_of_a_go_program() {
    let Some(component) = built("memory.wasm") else { return };
    let Some(core) = built("memory-core.wasm") else { return };
    let server = seed();
    let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, EmbeddedUser::Token));
    let check = |file: &Path| {
        Run::of(&mut kwasm_run(&kwasm, file, "cluster", &["256", "192.0.2.1:80", "192.0.2.1:80"]))
    };
    for file in [&component, &core] {
        let run = check(file).fails(7);
        assert_eq!(run.stdout, "checked 256 MiB\n", "{}", run.shown());
    }
    let adapted = kwasm.home().join("adapted.wasm");
    fs::write(&adapted, kwasm::inspect::adapt(&fs::read(&core).unwrap()).unwrap()).unwrap();
    let run = check(&adapted);
    assert_ne!(run.code, Some(7), "{}", run.shown());
}
