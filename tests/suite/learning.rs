//! `kwasm policy learn`: the policy that it writes lets a plugin do again what it did, and none of its rules can be spared.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use kwasm::policy::{Policy, Rule};
use kwasm_apiserver::User;
use kwasm_cluster::User as RealUser;

use crate::support::{Kwasm, Real, Run, Running, component, kubeconfig, real, seed};

/// A plugin with its arguments, and what it prints.
struct Task {
    guest: &'static str,
    arguments: &'static [&'static str],
    prints: &'static str,
    /// Waits until a plugin that continues until the user ends it has done everything. Returns whether it has.
    lasts: Option<fn(&Real, &mut Running) -> bool>,
}

const fn task(guest: &'static str, arguments: &'static [&'static str], prints: &'static str) -> Task {
    Task { guest, arguments, prints, lasts: None }
}

const DECODER: Task = task("decoder", &["secret", "web-tls", "-n", "shop"], "web.shop.example");
const TIMELINE: Task = task("timeline", &["-n", "learnt"], "learnt from");
const TIMELINE_LASTS: Task =
    Task { lasts: Some(watches_an_event), ..task("timeline", &["-n", "learnt", "--watch"], "") };

/// What an ordinary client does, each a run of its own.
const KUBE_RS: [Task; 3] = [
    task("kube-client", &["-n", "learnt", "list"], "kube-root-ca.crt"),
    task("kube-client", &["-n", "learnt", "watch", "1"], "ADDED"),
    Task {
        lasts: Some(|_, running| prints(running, "hello from a pod")),
        ..task("kube-client", &["-n", "learnt", "logs", "web", "--follow"], "")
    },
];

/// Returns whether a line with this text comes before the plugin ends.
fn prints(running: &mut Running, text: &str) -> bool {
    while let Some(line) = running.line_within(Duration::from_mins(1)) {
        if line.contains(text) {
            return true;
        }
    }
    false
}

/// Creates an event once the others are listed, and waits for it, which only a watch brings.
fn watches_an_event(real: &Real, running: &mut Running) -> bool {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let text = format!("seen by watch {}", NEXT.fetch_add(1, Ordering::Relaxed));
    prints(running, "learnt from") && {
        real.event("learnt", &text.replace(' ', "-"), &text);
        prints(running, &text)
    }
}

impl Task {
    fn command(&self, kwasm: &Kwasm, words: &[&str]) -> Command {
        let guest = component(self.guest);
        kwasm.command([words, &[guest.to_str().unwrap(), "--"], self.arguments].concat())
    }

    /// Runs a command of kwasm that runs the plugin, which ends by itself.
    fn run(&self, kwasm: &Kwasm, words: &[&str]) -> Run {
        Run::of(&mut self.command(kwasm, words))
    }

    /// Returns whether the plugin does what it should, by a command of kwasm.
    #[track_caller]
    fn succeeds(&self, real: &Real, kwasm: &Kwasm, words: &[&str]) -> bool {
        let (done, run) = match self.lasts {
            None => {
                let run = self.run(kwasm, words);
                (run.code == Some(0) && run.stdout.contains(self.prints), run)
            }
            Some(lasts) => {
                let mut running = Running::of(self.command(kwasm, words));
                let done = lasts(real, &mut running);
                if done {
                    running.signal("INT");
                }
                let run = running.end();
                (done && run.code == Some(130), run)
            }
        };
        // It does everything or is refused something, and nothing else goes wrong.
        assert_eq!(done, !run.stderr.contains("refused: "), "{}", run.shown());
        done
    }

    /// Returns the policy that is learnt from a run.
    #[track_caller]
    fn learn(&self, real: &Real, kwasm: &Kwasm) -> Policy {
        let file = kwasm.home().join("learnt.yaml");
        assert!(self.succeeds(real, kwasm, &["policy", "learn", "-o", file.to_str().unwrap()]));
        read(&file)
    }

    /// Returns whether the plugin does the same with a policy.
    #[track_caller]
    fn does(&self, real: &Real, kwasm: &Kwasm, policy: &Policy) -> bool {
        let file = kwasm.home().join("policy.yaml");
        fs::write(&file, policy.to_string()).unwrap();
        self.succeeds(real, kwasm, &["run", "--policy", file.to_str().unwrap()])
    }
}

fn read(file: &Path) -> Policy {
    Policy::read("learnt.yaml", &fs::read_to_string(file).unwrap()).unwrap()
}

/// Creates the namespace in which there is something to learn from, once.
fn namespace(real: &Real) {
    real.feed(&["create", "namespace", "learnt"], "");
    real.feed(&["run", "web", "--image=none", "--namespace", "learnt"], "");
    real.feed(&["wait", "--for=condition=Ready", "pod/web", "--namespace", "learnt", "--timeout=60s"], "");
    real.event("learnt", "first", "learnt from");
}

fn shown(policy: &Policy) -> Vec<String> {
    policy.rules().iter().map(Rule::to_string).collect()
}

#[test]
fn what_is_learnt_of_a_plugin_lets_it_run_and_no_rule_of_it_can_be_spared() {
    let Some(real) = real("what_is_learnt_of_a_plugin_lets_it_run_and_no_rule_of_it_can_be_spared") else {
        return;
    };
    let _log = real.pod_log();
    namespace(real);
    let kwasm = Kwasm::new().kubeconfig(real.kubeconfig(RealUser::Alice));
    let mut spared = 0;
    let tasks = [&[DECODER][..], &[TIMELINE], &[TIMELINE_LASTS], &KUBE_RS];
    for tasks in tasks {
        // Of several runs, one policy has the rules of all.
        let mut policy = Policy::named("learnt");
        for task in tasks {
            let learnt = task.learn(real, &kwasm);
            assert!(task.does(real, &kwasm, &learnt), "{learnt}");
            learnt
                .stated()
                .map(kwasm::policy::Stated::cloned)
                .for_each(|(rule, words)| policy.add(rule, words));
        }
        println!("{}", shown(&policy).join("\n"));
        for rule in policy.rules() {
            let others = policy.clone().only(|stated| stated.rule != rule);
            assert!(
                !tasks.iter().all(|task| task.does(real, &kwasm, &others)),
                "{rule} can be spared: {policy}"
            );
            spared += 1;
        }
    }
    assert!(spared >= 6, "{spared}");
}

#[test]
fn a_policy_names_what_a_plugin_used_if_that_is_wanted() {
    let server = seed();
    let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Token));
    let file = kwasm.home().join("learnt.yaml");
    let learn = |options: &[&str]| {
        let words = [&["policy", "learn", "-o", file.to_str().unwrap()], options].concat();
        let run = DECODER.run(&kwasm, &words).success();
        assert!(run.stderr.contains("learnt.yaml: rules: 1, hosts: 0\n"), "{}", run.shown());
        shown(&read(&file))
    };
    let rule = "{apiGroups: [\"\"], resources: [secrets], verbs: [get], namespaces: [current]";
    assert_eq!(learn(&[]), [format!("{rule}}}")]);
    assert_eq!(learn(&["--keep-names"]), [format!("{rule}, resourceNames: [web-tls]}}")]);
    let words = ["run", "--policy", file.to_str().unwrap()];
    DECODER.run(&kwasm, &words).success();
    let other = task("decoder", &["secret", "db", "-n", "shop"], "");
    let run = other.run(&kwasm, &words).fails(1);
    assert!(run.stderr.contains("refused: get secrets \"db\" in namespace shop"), "{}", run.shown());
}

#[test]
fn only_reads_are_let_through_unless_writes_are_allowed() {
    let server = seed();
    let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Certificate));
    let arguments = &["http://192.0.2.1/api/v1/namespaces/shop/secrets/db", "--method", "DELETE"];
    let delete = task("dials", arguments, "");
    let file = kwasm.home().join("learnt.yaml");
    let words = ["policy", "learn", "-o", file.to_str().unwrap()];
    let run = delete.run(&kwasm, &words);
    assert!(run.stdout.starts_with("status 403"), "{}", run.shown());
    for hint in ["--policy FILE with this rule in spec.kubernetes.rules", "--allow-writes lets it do more"] {
        assert!(run.stderr.contains(&format!("hint: {hint}")), "{}", run.shown());
    }
    assert_eq!(shown(&read(&file)), [""; 0]);
    assert!(server.requests().is_empty());
    let run = delete.run(&kwasm, &[&words[..], &["--allow-writes"]].concat());
    assert!(!run.stderr.contains("refused"), "{}", run.shown());
    assert_eq!(server.requests().len(), 1);
    let rule = "{apiGroups: [\"\"], resources: [secrets], verbs: [delete], namespaces: [shop]}";
    assert_eq!(shown(&read(&file)), [rule]);
}

#[test]
fn a_host_that_a_plugin_tries_is_an_entry_of_network() {
    let server = seed();
    let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Certificate));
    let file = kwasm.home().join("learnt.yaml");
    let elsewhere = task("dials", &["https://hooks.example.com:8443/x?token=secret"], "");
    let run = elsewhere.run(&kwasm, &["policy", "learn", "-o", file.to_str().unwrap()]);
    assert!(run.stderr.contains("the policy does not grant this host"), "{}", run.shown());
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("    - {host: hooks.example.com, port: 8443}\n"), "{text}");
    assert!(!text.contains("secret"), "{text}");
}

#[test]
fn stdout_is_the_plugins_so_that_the_policy_needs_a_file() {
    let server = seed();
    let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Certificate));
    let run = DECODER.run(&kwasm, &["policy", "learn"]).fails(2);
    assert_eq!(
        run.stderr,
        "kwasm: stdout is the plugin's, and not a terminal: the policy would be mixed with its output\n\
         hint: name a file: kwasm policy learn SOURCE -o FILE -- ARG…\n"
    );
    assert!(server.requests().is_empty());
    // It can be wanted nevertheless.
    let run = DECODER.run(&kwasm, &["policy", "learn", "-o", "-"]).success();
    assert!(
        run.stdout.contains("web.shop.example") && run.stdout.contains("kind: Policy"),
        "{}",
        run.shown()
    );
    let run = DECODER.run(&kwasm, &["policy", "learn", "-o", "missing/learnt.yaml"]).fails(125);
    assert!(run.stderr.contains("it cannot be written to"), "{}", run.shown());
}

#[test]
fn a_plugin_that_fails_is_learnt_from_and_its_exit_code_kept() {
    let server = seed();
    let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Token));
    let file = kwasm.home().join("learnt.yaml");
    let absent = task("decoder", &["secret", "absent", "-n", "shop"], "");
    let run = absent.run(&kwasm, &["policy", "learn", "-o", file.to_str().unwrap()]).fails(1);
    assert!(run.stderr.contains("not found"), "{}", run.shown());
    assert_eq!(read(&file).rules().len(), 1);
}

/// The folders and variables that a component requests are not granted by running it, and so not part of the policy.
#[test]
fn a_request_gives_nothing_while_a_plugin_is_learnt() {
    let server = seed();
    let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Token));
    let (plugin, file) = (kwasm.home().join("plugin.wasm"), kwasm.home().join("learnt.yaml"));
    let request = kwasm.home().join("request.yaml");
    let spec =
        "{files: [{path: '~', access: read-write}], environment: [HOME], network: [{host: a.example}]}";
    let head = "apiVersion: kwasm.dev/v1\nkind: Policy\nmetadata: {name: greedy}\n";
    fs::write(&request, format!("{head}spec: {spec}\n")).unwrap();
    let (plugin, request) = (plugin.to_str().unwrap(), request.to_str().unwrap());
    let decoder = component("decoder");
    kwasm.call(["policy", "embed", decoder.to_str().unwrap(), "--request", request, "-o", plugin]).success();
    let words = ["policy", "learn", plugin, "-o", file.to_str().unwrap(), "--"];
    kwasm.call([&words[..], DECODER.arguments].concat()).success();
    let policy = read(&file);
    assert_eq!((policy.rules().len(), policy.hosts().len()), (1, 0));
    assert!(policy.files().is_empty() && policy.variables().is_empty(), "{policy}");
}
