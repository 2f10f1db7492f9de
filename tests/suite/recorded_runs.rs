//! A run is recorded, and replayed without a cluster, a kubeconfig or a network: its output is the same, byte by byte.

mod files;
mod secrets;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use kwasm_apiserver::{ApiServer, Cut, Fault, User};
use kwasm_cluster::User as RealUser;

use crate::support::{Kwasm, Run, Running, component, kubeconfig, real, seed};

/// A kwasm that records, and where.
struct Session {
    kwasm: Kwasm,
    file: PathBuf,
}

impl Session {
    fn at(kubeconfig: impl AsRef<Path>) -> Self {
        let kwasm = Kwasm::new().kubeconfig(kubeconfig);
        let file = kwasm.home().join("record.jsonl");
        Self { kwasm, file }
    }

    fn of(server: &ApiServer) -> Self {
        Self::at(kubeconfig(server, User::Certificate))
    }

    /// Returns the command that records a guest.
    fn recording(&self, policy: &str, guest: &str, arguments: &[&str]) -> Command {
        command(&self.kwasm, &["--policy", policy, "--record", self.path()], guest, arguments)
    }

    fn record(&self, policy: &str, guest: &str, arguments: &[&str]) -> Run {
        Run::of(&mut self.recording(policy, guest, arguments))
    }

    /// Replays what was recorded where there is neither a kubeconfig nor a network.
    fn replay(&self, policy: &str, guest: &str, arguments: &[&str]) -> Run {
        self.replay_with(&["--policy", policy], guest, arguments)
    }

    fn replay_with(&self, options: &[&str], guest: &str, arguments: &[&str]) -> Run {
        Run::of(&mut command(&away(), &[options, &["--replay", self.path()]].concat(), guest, arguments))
    }

    /// Records a guest, does something else, and replays it: the output is the same.
    #[track_caller]
    fn is_replayed(&self, policy: &str, guest: &str, arguments: &[&str], meanwhile: impl FnOnce()) -> Run {
        let recorded = self.record(policy, guest, arguments);
        meanwhile();
        let replayed = self.replay(policy, guest, arguments);
        self.are_equal(&recorded, &replayed, &format!("{guest} {arguments:?}"));
        recorded
    }

    #[track_caller]
    fn are_equal(&self, recorded: &Run, replayed: &Run, what: &str) {
        assert_eq!(recorded.shown(), replayed.shown(), "{what}\n{}", self.text());
    }

    fn path(&self) -> &str {
        self.file.to_str().unwrap()
    }

    fn text(&self) -> String {
        std::fs::read_to_string(&self.file).unwrap()
    }
}

/// Returns a kwasm without a kubeconfig, whose proxies lead nowhere.
fn away() -> Kwasm {
    Kwasm::new().variable("HTTPS_PROXY", "http://127.0.0.1:1").variable("HTTP_PROXY", "http://127.0.0.1:1")
}

fn command(kwasm: &Kwasm, options: &[&str], guest: &str, arguments: &[&str]) -> Command {
    let mut command = kwasm.command([&["run"], options].concat());
    command.arg(component(guest)).arg("--").args(arguments);
    command
}

/// A policy that allows only config maps.
const CONFIG_MAPS: &str = "apiVersion: kwasm.dev/v1\nkind: Policy\nmetadata: {name: test}\nspec: {kubernetes: {rules: [{apiGroups: [''], resources: [configmaps], verbs: [list, get]}]}}\n";

#[test]
fn a_list_and_a_refused_request_are_replayed_through_either_door() {
    for guest in ["kube-client", "kube-client-http"] {
        for (policy, line, code) in [
            ("cluster", &["list"][..], 0),
            ("cluster", &["get", "absent"], 1),
            ("cluster", &["create", "made", "a=b"], 0),
            ("none", &["list"], 1),
            ("read-only", &["create", "made", "a=b"], 1),
        ] {
            let server = seed();
            let session = Session::of(&server);
            let line = [&["-n", "shop"], line].concat();
            // It is stopped before the replay.
            let run = session.is_replayed(policy, guest, &line, || drop(server));
            assert_eq!(run.code, Some(code), "{}", run.shown());
            assert_eq!(run.stderr.contains("refused"), policy != "cluster", "{}", run.shown());
        }
    }
}

/// It prints its variables, its kubeconfig, and the headers of the answer.
#[test]
fn a_plugin_sees_the_same_world_in_a_replay() {
    let server = seed();
    let session = Session::of(&server);
    let run = session.is_replayed("cluster", "dumps", &["/version", "-n", "shop"], || drop(server));
    assert!(
        run.stdout.contains("KWASM_NAMESPACE=shop") && run.stdout.contains("status 200"),
        "{}",
        run.shown()
    );
}

#[test]
fn ages_and_times_are_those_of_the_record() {
    let server = seed();
    let session = Session::of(&server);
    let run = session.is_replayed("cluster", "timeline", &["-n", "shop"], || {
        drop(server);
        // Whoever prints an age in seconds would print another one.
        std::thread::sleep(std::time::Duration::from_millis(2100));
    });
    assert!(run.stdout.contains("Back-off"), "{}", run.shown());
}

#[cfg(unix)]
#[test]
fn a_watch_that_the_user_ends_is_replayed_to_its_end() {
    for door in [&[][..], &["--sockets"]] {
        let server = seed();
        let session = Session::of(&server);
        let arguments = [&["/api/v1/namespaces/shop/events?watch=true"], door].concat();
        let mut running = Running::of(session.recording("cluster", "follows", &arguments));
        running.line_with("web-0.3");
        for number in 0..3 {
            let event = server.create_event("shop", "Tested", &format!("number {number}")).unwrap();
            running.line_with(event["metadata"]["name"].as_str().unwrap());
        }
        running.signal("INT");
        let recorded = running.end().fails(130);
        drop(server);
        for options in [&["--policy", "cluster"][..], &["--policy", "cluster", "--replay-timing"]] {
            let replayed = session.replay_with(options, "follows", &arguments);
            session.are_equal(&recorded, &replayed, "follows");
        }
    }
}

#[test]
fn what_the_real_server_answers_is_replayed_through_either_door() {
    let Some(real) = real("what_the_real_server_answers_is_replayed_through_either_door") else { return };
    let _log = real.pod_log();
    real.feed(&["create", "namespace", "recorded"], "");
    real.feed(&["run", "web", "--image=none", "--namespace", "recorded"], "");
    real.feed(&["wait", "--for=condition=Ready", "pod/web", "--namespace", "recorded", "--timeout=60s"], "");
    for guest in ["kube-client", "kube-client-http"] {
        let session = Session::at(real.kubeconfig(RealUser::Alice));
        let policy = session.kwasm.home().join("policy.yaml");
        std::fs::write(&policy, CONFIG_MAPS).unwrap();
        for (line, printed) in [
            (&["list"][..], "kube-root-ca.crt"),
            (&["get", "kube-root-ca.crt"], "BEGIN CERTIFICATE"),
            (&["watch", "1"], "ADDED kube-root-ca.crt"),
            (&["logs", "web"], "hello from a pod"),
            (&["create", guest, "a=b"], "created"),
            (&["patch", guest, "c=d"], "patched"),
            (&["delete", guest], "deleted"),
        ] {
            let line = [&["-n", "recorded"], line].concat();
            let run = session.is_replayed("cluster", guest, &line, || {}).success();
            assert!(run.stdout.contains(printed), "{}", run.shown());
        }
        for line in [&["logs", "web"][..], &["create", "other", "a=b"], &["watch", "1"]] {
            let line = [&["-n", "recorded"], line].concat();
            let run = session.is_replayed(policy.to_str().unwrap(), guest, &line, || {}).fails(1);
            assert!(run.stderr.contains("refused by kwasm"), "{}", run.shown());
            assert!(session.text().contains("{\"refused\":"), "{}", session.text());
        }
    }
}

#[cfg(unix)]
#[test]
fn a_followed_log_of_the_real_server_is_replayed_through_either_door() {
    let Some(real) = real("a_followed_log_of_the_real_server_is_replayed_through_either_door") else {
        return;
    };
    let _log = real.pod_log();
    real.feed(&["create", "namespace", "followed"], "");
    real.feed(&["run", "web", "--image=none", "--namespace", "followed"], "");
    real.feed(&["wait", "--for=condition=Ready", "pod/web", "--namespace", "followed", "--timeout=60s"], "");
    for guest in ["kube-client", "kube-client-http"] {
        let session = Session::at(real.kubeconfig(RealUser::Alice));
        let line = ["-n", "followed", "logs", "web", "--follow"];
        let mut running = Running::of(session.recording("cluster", guest, &line));
        running.line_with("hello from a pod");
        let said = format!("said to {guest}");
        real.say(&said);
        running.line_with(&said);
        running.signal("INT");
        let recorded = running.end().fails(130);
        session.are_equal(&recorded, &session.replay("cluster", guest, &line), guest);
    }
}

#[test]
fn a_failure_is_replayed_with_what_was_reported_of_it() {
    for guest in ["kube-client", "kube-client-http"] {
        let server = seed();
        let session = Session::of(&server);
        let line = ["-n", "shop", "list"];
        server.fault(Fault::unauthorized().standing());
        let run = session.is_replayed("cluster", guest, &line, || {}).fails(1);
        assert!(run.stderr.contains("401"), "{}", run.shown());
        server.clear_faults();
        server.fault(Fault::cut_after(20, Cut::Reset).standing());
        session.is_replayed("cluster", guest, &line, || {}).fails(1);
        let config = session.kwasm.home().join("kubeconfig");
        std::fs::copy(kubeconfig(&server, User::Token), &config).unwrap();
        drop(server);
        let session = Session::at(&config);
        let run = session.is_replayed("cluster", guest, &line, || {}).fails(1);
        assert!(run.stderr.contains("connection refused"), "{}", run.shown());
    }
}

/// What a watch brings after a request comes after it, however fast the replay is.
#[test]
fn the_order_of_a_record_is_kept() {
    let server = seed();
    let session = Session::of(&server);
    let arguments = ["/api/v1/namespaces/shop/events?watch=true", "/version"];
    let mut command = session.recording("cluster", "watches-and-asks", &arguments);
    command.stdin(Stdio::piped());
    let mut running = Running::of(command);
    running.line_with("watching: status 200");
    running.stdin().write_all(b"\n").unwrap();
    running.line_with("asked: status 200");
    server.create_event("shop", "Tested", "after the request").unwrap();
    running.line_with("after the request");
    server.end_watches();
    let recorded = running.end().success();
    drop(server);
    for _ in 0..5 {
        let replayed = session.replay("cluster", "watches-and-asks", &arguments);
        session.are_equal(&recorded, &replayed, "watches-and-asks");
    }
}

/// What a guest sends through a stream differs in each run: `WebSocket`s have masks and a key.
#[test]
fn streams_of_the_real_servers_pods_are_replayed() {
    let Some(real) = real("streams_of_the_real_servers_pods_are_replayed") else { return };
    real.feed(&["create", "namespace", "streamed"], "");
    real.feed(&["run", "web", "--image=none", "--namespace", "streamed"], "");
    real.feed(&["wait", "--for=condition=Ready", "pod/web", "--namespace", "streamed", "--timeout=60s"], "");
    let session = Session::at(real.kubeconfig(RealUser::Alice));
    for (command, code) in [("echo out; echo err >&2", 0), ("echo out; exit 7", 1)] {
        let line = ["-n", "streamed", "exec", "web", "--", "sh", "-c", command];
        session.is_replayed("cluster", "kube-client", &line, || {}).fails(code);
    }
    let line = ["-n", "streamed", "exec", "web", "--stdin", "--", "head", "-c", "5"];
    let with_input = |mut command: Command| {
        command.stdin(Stdio::piped());
        let mut running = Running::of(command);
        running.stdin().write_all(b"xyzzy, and more").unwrap();
        running.end().success()
    };
    let recorded = with_input(session.recording("cluster", "kube-client", &line));
    let options = ["--policy", "cluster", "--replay", session.path()];
    let replayed = with_input(command(&away(), &options, "kube-client", &line));
    session.are_equal(&recorded, &replayed, "exec --stdin");
}
