//! An ordinary Kubernetes client runs as a plugin: kube-rs as it is published, over a socket, at the real control plane.

use std::io::Write as _;
use std::time::Duration;

use kwasm_apiserver::{CERTIFICATE_USER, TOKEN_USER, User as EmbeddedUser};
use kwasm_cluster::User;

use crate::support::{Kwasm, Real, Run, kubeconfig, real, seed};

/// A command of kube-client, with the only rule that it needs, and its expected output.
struct Command {
    line: &'static [&'static str],
    rule: &'static str,
    prints: &'static str,
    /// Whether it continues until the user ends it.
    lasts: bool,
}

const fn command(line: &'static [&'static str], rule: &'static str, prints: &'static str) -> Command {
    Command { line, rule, prints, lasts: false }
}

const fn lasting(line: &'static [&'static str], rule: &'static str, prints: &'static str) -> Command {
    Command { line, rule, prints, lasts: true }
}

/// In an order in which each finds what it needs.
const COMMANDS: [Command; 11] = [
    command(
        &["create", "made", "a=b"],
        "{apiGroups: [''], resources: [configmaps], verbs: [create]}",
        "created made",
    ),
    command(&["list"], "{apiGroups: [''], resources: [configmaps], verbs: [list]}", "made\n"),
    command(&["get", "made"], "{apiGroups: [''], resources: [configmaps], verbs: [get]}", "a=b"),
    command(
        &["patch", "made", "c=d"],
        "{apiGroups: [''], resources: [configmaps], verbs: [patch]}",
        "patched made",
    ),
    command(&["watch", "1"], "{apiGroups: [''], resources: [configmaps], verbs: [watch]}", "ADDED"),
    command(
        &["delete", "made"],
        "{apiGroups: [''], resources: [configmaps], verbs: [delete]}",
        "deleted made",
    ),
    command(&["logs", "web"], "{apiGroups: [''], resources: [pods/log], verbs: [get]}", "hello from a pod"),
    lasting(
        &["logs", "web", "--follow"],
        "{apiGroups: [''], resources: [pods/log], verbs: [get]}",
        "hello from a pod",
    ),
    command(
        &["exec", "web", "--", "echo", "hello"],
        "{apiGroups: [''], resources: [pods/exec], verbs: [get, create]}",
        "hello\n",
    ),
    lasting(
        &["attach", "web"],
        "{apiGroups: [''], resources: [pods/attach], verbs: [get, create]}",
        "said while attached",
    ),
    lasting(
        &["port-forward", "web", "2379"],
        "{apiGroups: [''], resources: [pods/portforward], verbs: [get, create]}",
        "HTTP/1.0 200 OK",
    ),
];

/// Creates a namespace with a running pod in it.
fn namespace(real: &Real, name: &str) {
    real.feed(&["create", "namespace", name], "");
    real.feed(&["run", "web", "--image=none", "--namespace", name], "");
    real.feed(&["wait", "--for=condition=Ready", "pod/web", "--namespace", name, "--timeout=60s"], "");
}

fn policy<'a>(rules: impl Iterator<Item = &'a str>) -> String {
    let rules: Vec<&str> = rules.collect();
    format!("{{kubernetes: {{rules: [{}]}}}}", rules.join(", "))
}

impl Command {
    /// Does it, and looks for what it prints.
    #[track_caller]
    fn succeeds(&self, real: &Real, kwasm: &Kwasm, namespace: &str) {
        let line = [&["-n", namespace], self.line].concat();
        if !self.lasts {
            let run = kwasm.run("kube-client", &line).success();
            assert!(run.stdout.contains(self.prints), "{line:?}: {}", run.shown());
            return;
        }
        let mut running = kwasm.start_with_input("kube-client", &line);
        let mut input = running.stdin();
        input.write_all(b"GET /version HTTP/1.0\r\n\r\n").unwrap();
        if self.line[0] == "attach" {
            // Earlier output is not repeated, and there is no signal for when it begins.
            while running.line_within(Duration::from_millis(200)).is_none() {
                real.say(self.prints);
            }
        } else {
            running.line_with(self.prints);
        }
        #[cfg(unix)]
        {
            running.signal("INT");
            assert_eq!(running.end().code, Some(130), "{line:?}");
        }
    }

    /// Checks that it is refused, in words that name the request.
    #[track_caller]
    fn is_refused(&self, kwasm: &Kwasm, namespace: &str) {
        let run = kwasm.run("kube-client", &[&["-n", namespace], self.line].concat()).fails(1);
        assert!(run.stderr.contains("error: refused by kwasm: "), "{:?}: {}", self.line, run.shown());
        assert!(run.stdout.is_empty(), "{:?}: {}", self.line, run.shown());
    }
}

#[test]
fn kube_rs_as_published_does_all_that_its_policy_lists() {
    let Some(real) = real("kube_rs_as_published_does_all_that_its_policy_lists") else { return };
    let _log = real.pod_log();
    namespace(real, "doors");
    let spec = policy(COMMANDS.iter().map(|command| command.rule));
    let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(User::Alice)).spec(&spec);
    for command in &COMMANDS {
        command.succeeds(real, &kwasm, "doors");
    }
}

#[test]
fn kube_rs_as_published_does_nothing_whose_rule_is_taken_away() {
    let Some(real) = real("kube_rs_as_published_does_nothing_whose_rule_is_taken_away") else { return };
    for command in &COMMANDS {
        let others = COMMANDS.iter().map(|other| other.rule).filter(|rule| *rule != command.rule);
        let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(User::Alice)).spec(&policy(others));
        command.is_refused(&kwasm, "shop");
    }
}

/// A WebSocket begins with a GET. The API server requires `create` too, with the permissions of the user, not
/// of the guest.
#[test]
fn to_read_is_not_to_run() {
    let Some(real) = real("to_read_is_not_to_run") else { return };
    let exec = COMMANDS.iter().find(|command| command.line[0] == "exec").unwrap();
    for verb in ["get", "create"] {
        let spec = policy([exec.rule.replace("get, create", verb).as_str()].into_iter());
        let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(User::Alice)).spec(&spec);
        let run = kwasm.run("kube-client", &[&["-n", "shop"], exec.line].concat()).fails(1);
        assert!(run.stderr.contains("verbs: [get, create]"), "{}", run.shown());
    }
}

#[test]
fn a_process_in_a_pod_has_its_own_two_outputs_and_its_input() {
    let Some(real) = real("a_process_in_a_pod_has_its_own_two_outputs_and_its_input") else { return };
    namespace(real, "processes");
    let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(User::Alice));
    let both = ["-n", "processes", "exec", "web", "--", "sh", "-c", "echo out; echo err >&2"];
    let run = kwasm.run("kube-client", &both).success();
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("out\n", "err\n"));
    // kwok does not see the end of an input: the program ends by itself.
    let input = ["-n", "processes", "exec", "web", "--stdin", "--", "head", "-c", "5"];
    let mut running = kwasm.start_with_input("kube-client", &input);
    running.stdin().write_all(b"hello, and more").unwrap();
    assert_eq!(running.end().success().stdout.trim_end(), "hello");
}

/// A node that cannot connect says so in a channel of its own, and closes at once: that must not look like a peer that closes.
#[test]
fn a_port_where_nobody_listens_is_an_error() {
    let Some(real) = real("a_port_where_nobody_listens_is_an_error") else { return };
    namespace(real, "ports");
    let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(User::Alice));
    let run = kwasm.run("kube-client", &["-n", "ports", "port-forward", "web", "2"]).fails(1);
    assert!(run.stderr.starts_with("error: port 2: error forwarding port 2 to pod"), "{}", run.shown());
}

/// Runs one command through either door.
fn through_both(kwasm: &Kwasm, line: &[&str]) -> [Run; 2] {
    ["kube-client", "kube-client-http"].map(|guest| kwasm.run(guest, line))
}

#[test]
fn the_same_source_gives_the_same_output_through_both_doors() {
    let Some(real) = real("the_same_source_gives_the_same_output_through_both_doors") else { return };
    let _log = real.pod_log();
    namespace(real, "same");
    real.feed(&["create", "configmap", "one", "--from-literal=a=b", "--namespace", "same"], "");
    let everything = Kwasm::new().kubeconfig(real.kubeconfig(User::Alice));
    let nothing = Kwasm::new().kubeconfig(real.kubeconfig(User::Alice)).policy("none");
    for line in [
        ["list"].as_slice(),
        &["get", "one"],
        &["get", "absent"],
        &["patch", "one", "c=d"],
        &["create", "one", "a=b"],
        &["delete", "absent"],
        &["watch", "2"],
        &["logs", "web"],
        &["logs", "web", "--lines", "1"],
        &["logs", "absent"],
        &["contexts"],
    ] {
        for kwasm in [&everything, &nothing] {
            let [sockets, http] = through_both(kwasm, &[&["-n", "same"], line].concat());
            assert_eq!(sockets.code, http.code, "{line:?}: {}", http.shown());
            assert_eq!(sockets.stdout, http.stdout, "{line:?}");
            assert_eq!(sockets.stderr, http.stderr, "{line:?}");
        }
    }
    let exec = everything.run("kube-client-http", &["-n", "same", "exec", "web", "--", "true"]).fails(1);
    assert!(exec.stderr.contains("wasi:http"), "{}", exec.shown());
}

/// Two servers, each a context; a third that leads nowhere.
#[test]
fn a_plugin_reaches_the_contexts_that_its_policy_grants_through_both_doors() {
    let (one, two) = (seed(), seed());
    let home = Kwasm::new();
    let path = home.home().join("two.kubeconfig");
    std::fs::write(&path, two_contexts(&one, &two)).unwrap();
    let table = [("[current]", "one v1.36.0\n"), ("[current, two]", "one v1.36.0\ntwo v1.36.0\n")];
    for (contexts, printed) in table {
        let spec = format!(
            "{{kubernetes: {{contexts: {contexts}, rules: [{{nonResourceURLs: ['*'], verbs: [get]}}]}}}}"
        );
        let kwasm = Kwasm::new().kubeconfig(&path).spec(&spec);
        for run in through_both(&kwasm, &["contexts"]) {
            assert_eq!(run.stdout, printed, "{contexts}: {}", run.shown());
        }
    }
    let kwasm = Kwasm::new()
        .kubeconfig(&path)
        .spec("{kubernetes: {contexts: '*', rules: [{nonResourceURLs: ['*'], verbs: [get]}]}}");
    for run in through_both(&kwasm, &["contexts"]) {
        assert!(
            run.stderr.contains("context `broken`: the kubeconfig has no cluster `nowhere`"),
            "{}",
            run.shown()
        );
    }
    // Each was asked with its own credentials, and neither with the other's.
    for (server, user) in [(&one, CERTIFICATE_USER), (&two, TOKEN_USER)] {
        let requests = server.requests();
        assert!(!requests.is_empty());
        assert!(requests.iter().all(|request| request.user.as_deref() == Some(user)), "{requests:#?}");
    }
    let spec = "{kubernetes: {contexts: [two], rules: [{nonResourceURLs: ['*'], verbs: [get]}]}}";
    for run in through_both(&Kwasm::new().kubeconfig(&path).spec(spec), &["contexts"]) {
        assert!(run.stderr.contains("the policy `test` does not grant the context `one`"), "{}", run.shown());
    }
}

fn two_contexts(one: &kwasm_apiserver::ApiServer, two: &kwasm_apiserver::ApiServer) -> String {
    let mut merged = serde_json::json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "one",
        "clusters": [], "users": [],
        "contexts": [{"name": "broken", "context": {"cluster": "nowhere", "user": "one"}}],
    });
    for (name, server, user) in [("one", one, EmbeddedUser::Certificate), ("two", two, EmbeddedUser::Token)] {
        let text = std::fs::read_to_string(kubeconfig(server, user)).unwrap();
        let config: serde_json::Value = serde_saphyr::from_str(&text).unwrap();
        let mut take = |list: &str, key: &str| {
            let entry = config[list][0][key].clone();
            merged[list].as_array_mut().unwrap().push(serde_json::json!({"name": name, key: entry}));
        };
        take("clusters", "cluster");
        take("users", "user");
        let context = serde_json::json!({"name": name, "context": {"cluster": name, "user": name}});
        merged["contexts"].as_array_mut().unwrap().push(context);
    }
    merged.to_string()
}
