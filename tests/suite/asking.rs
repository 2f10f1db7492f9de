//! Tests of `--ask`: a request that the policy does not allow waits, and the user is asked on the controlling
//! terminal, whatever the standard streams are.

use std::time::{Duration, Instant};

use kwasm::inspect::embed;
use kwasm_apiserver::{ApiServer, User};
use kwasm_registry::{Artifact, Wrong};
use serde_json::Value;

use crate::registries::{at, bytes};
use crate::support::{Conversation, Kwasm, Run, component, kubeconfig, seed};

/// The end of each question.
const PROMPT: &str = " [no]: ";

/// The end of a question about an installed plugin.
const ALWAYS: &str = "allow it? once / for this run / always / no [no]: ";

/// The end of a question about one that is not.
const NOT_ALWAYS: &str = "allow it? once / for this run / no [no]: ";

const VERSION: &str = "http://192.0.2.1/version";

fn at_server(server: &ApiServer) -> Kwasm {
    Kwasm::new().kubeconfig(kubeconfig(server, User::Token))
}

/// Installs a guest that is allowed nothing.
fn install(kwasm: &Kwasm, guest: &str, arguments: &[&str]) {
    let file = component(guest);
    kwasm.call([&["install", file.to_str().unwrap(), "--policy", "none"], arguments].concat()).success();
}

/// Starts `kubectl NAME ARG…` at a terminal.
fn kubectl(kwasm: &Kwasm, name: &str, arguments: &[&str]) -> Conversation {
    let mut command = kwasm.program(kwasm.links().join(format!("kubectl-{name}")));
    command.args(arguments);
    Conversation::start(&command)
}

/// Starts a shell at a terminal, in which `$0` is kwasm, and `$1` and the following are these.
fn shell(kwasm: &Kwasm, script: &str, arguments: &[&str]) -> Conversation {
    let mut command = kwasm.program("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_kwasm")]).args(arguments);
    Conversation::start(&command)
}

/// Starts a run of requests, one after the other, whose input is not the terminal.
fn send(kwasm: &Kwasm, urls: &[&str]) -> Conversation {
    let request = |url: &&str| format!("[\"GET\", \"{url}\", [], null]\n");
    std::fs::write(kwasm.home().join("requests"), urls.iter().map(request).collect::<String>()).unwrap();
    shell(kwasm, "exec \"$0\" run --ask sends-many <requests", &[])
}

#[test]
fn a_question_names_the_plugin_the_request_and_the_rule_and_is_not_among_the_output() {
    let server = seed();
    let kwasm = at_server(&server);
    install(&kwasm, "dials", &["--ask"]);
    let mut conversation =
        kubectl(&kwasm, "dials", &["-n", "shop", "http://192.0.2.1/api/v1/namespaces/shop/secrets/db"]);
    let question = conversation.wait_for(ALWAYS);
    insta::assert_snapshot!(question, @r#"
    kwasm: dials requests: get secrets "db" in namespace shop
    in the context `token`, where its policy `none` does not allow it; this rule
      does: {apiGroups: [""], resources: [secrets], verbs: [get], namespaces:
      [current], resourceNames: [db]}
    dangerous: secrets
    "#);
    conversation.enter("once\n");
    let (run, terminal) = conversation.end();
    let run = run.success();
    assert!(run.stdout.starts_with("status 200"), "{}", run.shown());
    assert_eq!(run.stderr, "");
    assert_eq!(terminal.matches(PROMPT).count(), 1, "{terminal}");
}

#[test]
fn once_is_once_and_for_this_run_is_for_all_of_it_and_no_longer() {
    for (answers, statuses) in [
        (["once\n", "no\n"].as_slice(), ["200", "403"]),
        (&["run\n"], ["200", "200"]),
        (&["o\n", "o\n"], ["200", "200"]),
        (&["no\n"], ["403", "403"]),
        (&["\n"], ["403", "403"]),
        // The end of the input.
        (&["\u{4}"], ["403", "403"]),
        (&["perhaps\n", "r\n"], ["200", "200"]),
        (&["yes\n", "y\n", "sure\n"], ["403", "403"]),
    ] {
        let server = seed();
        let kwasm = at_server(&server);
        install(&kwasm, "sends-many", &[]);
        // The second time is as the first.
        for _ in 0..2 {
            let mut conversation = send(&kwasm, &[VERSION, VERSION]);
            for answer in answers {
                conversation.wait_for(PROMPT);
                conversation.enter(answer);
            }
            let (run, terminal) = conversation.end();
            let said: Vec<&str> = run.stdout.lines().collect();
            let expected = statuses.map(|status| format!("status {status}"));
            assert_eq!(said, expected, "{answers:?}: {terminal}");
            assert_eq!(terminal.matches(PROMPT).count(), answers.len(), "{answers:?}: {terminal}");
            // A refusal is reported as it is without a question.
            let is_refused = statuses.contains(&"403");
            assert_eq!(run.stderr.contains("the policy `none` does not allow it"), is_refused, "{}", run.shown());
        }
    }
}

#[test]
fn always_is_written_into_the_grant() {
    let server = seed();
    let kwasm = at_server(&server);
    install(&kwasm, "dials", &["--ask"]);
    let path = "http://192.0.2.1/apis/apps/v1/namespaces/shop/deployments";
    let mut conversation = kubectl(&kwasm, "dials", &["-n", "shop", path]);
    conversation.wait_for(ALWAYS);
    conversation.enter("always\n");
    let (run, _) = conversation.end();
    assert!(run.stdout.starts_with("status 200"), "{}", run.shown());
    let shown: Value =
        serde_json::from_str(&kwasm.call(["policy", "show", "dials", "-o", "json"]).success().stdout).unwrap();
    let rule = "{apiGroups: [apps], resources: [deployments], verbs: [list], namespaces: [current]}";
    assert_eq!(shown["effective"][0]["line"], rule, "{shown}");
    // Another run does not ask, nor does one without a terminal.
    for arguments in [["-n", "shop", path], ["-n", "default", "http://192.0.2.1/apis/apps/v1/namespaces/default/deployments"]] {
        let run = Run::of(kwasm.program(kwasm.links().join("kubectl-dials")).args(arguments));
        assert!(run.stdout.starts_with("status 200"), "{}", run.shown());
    }
    // The rule is for the namespace that the user chose.
    let mut conversation = kubectl(&kwasm, "dials", &["-n", "default", path]);
    conversation.wait_for(ALWAYS);
    conversation.enter("no\n");
    assert!(conversation.end().0.stdout.starts_with("status 403"));
    kwasm.call(["policy", "revoke", "dials", "--rule", rule]).success();
}

#[test]
fn what_is_not_installed_or_has_a_policy_for_one_run_is_never_allowed_for_always() {
    let server = seed();
    let kwasm = at_server(&server);
    install(&kwasm, "dials", &[]);
    let guest = component("dials");
    for source in [guest.to_str().unwrap(), "dials"] {
        let command = kwasm.command(["run", "--ask", source, "--policy", "none", "--", VERSION]);
        let mut conversation = Conversation::start(&command);
        conversation.wait_for(NOT_ALWAYS);
        conversation.enter("always\n");
        conversation.wait_for("please answer: once / for this run / no [no]: ");
        conversation.enter("once\n");
        assert!(conversation.end().0.stdout.starts_with("status 200"));
    }
}

#[test]
fn two_requests_at_once_are_asked_one_after_the_other() {
    let server = seed();
    let kwasm = at_server(&server);
    let guest = component("floods-questions");
    let command = kwasm.command(["run", "--ask", "--policy", "none", guest.to_str().unwrap(), "--", "3"]);
    let mut conversation = Conversation::start(&command);
    let mut asked = Vec::new();
    for answer in ["once\n", "no\n", "run\n"] {
        let question = conversation.wait_for(PROMPT);
        // Nothing else is shown while it is open.
        assert_eq!(conversation.shows_within(Duration::from_millis(1500)), "");
        assert_eq!(question.matches("kwasm: ").count(), 1, "{question}");
        let name = question.split("configmaps \"").nth(1).unwrap().split('"').next().unwrap();
        asked.push(name.to_owned());
        conversation.enter(answer);
    }
    let (run, terminal) = conversation.end();
    assert!(run.stdout.contains("done: 2 of 3 answered"), "{}\n{terminal}", run.shown());
    asked.sort();
    assert_eq!(asked, ["flood-0", "flood-1", "flood-2"]);
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn other_requests_go_on_while_a_question_is_open() {
    let server = seed();
    let kwasm = at_server(&server).spec(
        "{kubernetes: {rules: [{apiGroups: [''], resources: [configmaps], resourceNames: [flood-0, flood-2], verbs: [get]}]}}",
    );
    let (policy, guest) = (kwasm.home().join("policy.yaml"), component("floods-questions"));
    let command = kwasm.command([
        "run",
        "--ask",
        "--policy",
        policy.to_str().unwrap(),
        guest.to_str().unwrap(),
        "--",
        "3",
    ]);
    let mut conversation = Conversation::start(&command);
    conversation.wait_for("configmaps \"flood-1\"");
    let start = Instant::now();
    while server.requests().len() < 2 {
        assert!(start.elapsed() < Duration::from_mins(1), "they wait for the answer");
        std::thread::sleep(Duration::from_millis(10));
    }
    conversation.wait_for(PROMPT);
    conversation.enter("once\n");
    let (run, terminal) = conversation.end();
    assert!(run.stdout.contains("done: 3 of 3 answered"), "{}\n{terminal}", run.shown());
}

#[test]
fn ctrl_c_at_a_question_ends_the_run_as_elsewhere() {
    let server = seed();
    let kwasm = at_server(&server);
    let guest = component("dials");
    let command = kwasm.command(["run", "--ask", "--policy", "none", guest.to_str().unwrap(), "--", VERSION]);
    let mut conversation = Conversation::start(&command);
    conversation.wait_for(PROMPT);
    conversation.enter("\u{3}");
    let (run, terminal) = conversation.end();
    assert_eq!(run.code, Some(130), "{}\n{terminal}", run.shown());
    assert!(server.requests().is_empty());
}

#[test]
fn without_a_terminal_the_answer_is_no() {
    let server = seed();
    let kwasm = at_server(&server);
    install(&kwasm, "dials", &["--ask"]);
    let mut session = kwasm.program("setsid");
    session.arg("--wait").arg(kwasm.links().join("kubectl-dials")).arg(VERSION);
    let run = Run::of(&mut session);
    assert!(run.stdout.starts_with("status 403"), "{}", run.shown());
    assert!(run.stderr.contains("the policy `none` does not allow it"), "{}", run.shown());
    // Nor is a process asked that runs in the background of a terminal, where reading would stop it.
    let mut conversation =
        shell(&kwasm, "set -m; \"$1\" \"$2\" & wait %1", &[kwasm.links().join("kubectl-dials").to_str().unwrap(), VERSION]);
    assert!(conversation.wait_for_or_end(PROMPT).is_none());
    let (run, _) = conversation.end();
    assert!(run.stdout.starts_with("status 403"), "{}", run.shown());
}

#[test]
fn what_only_the_plugins_request_refuses_is_not_asked() {
    let server = seed();
    let kwasm = at_server(&server);
    let asked = |rules: &str| {
        let request = format!(
            "apiVersion: kwasm.dev/v1\nkind: Policy\nmetadata: {{name: asked}}\nspec: {{kubernetes: {{rules: [{rules}]}}}}\n"
        );
        let file = kwasm.home().join("asks.wasm");
        std::fs::write(&file, embed(&bytes("dials"), &request).unwrap()).unwrap();
        let command = kwasm.command(["run", "--ask", "--policy", "none", "./asks.wasm", "--", VERSION]);
        let mut conversation = Conversation::start(&command);
        let asked = conversation.wait_for_or_end(PROMPT).is_some();
        if asked {
            conversation.enter("once\n");
        }
        (asked, conversation.end().0.stdout.contains("status 200"))
    };
    assert_eq!(asked("{nonResourceURLs: [/healthz], verbs: [get]}"), (false, false));
    assert_eq!(asked("{nonResourceURLs: [/version], verbs: [get]}"), (true, true));
}

#[test]
fn what_is_typed_before_the_question_is_not_an_answer_to_it() {
    let server = seed();
    let kwasm = at_server(&server);
    install(&kwasm, "dials", &["--ask"]);
    let script = "sleep 1; exec \"$1\" \"$2\"";
    let program = kwasm.links().join("kubectl-dials");
    let mut conversation = shell(&kwasm, script, &[program.to_str().unwrap(), VERSION]);
    conversation.enter("always\n");
    conversation.wait_for("kwasm: dials requests: get /version");
    conversation.enter("always\n");
    conversation.wait_for(ALWAYS);
    assert_eq!(conversation.shows_within(Duration::from_millis(500)), "");
    conversation.enter("no\n");
    assert!(conversation.end().0.stdout.starts_with("status 403"));
}

#[test]
fn a_plugin_cannot_write_over_a_question_nor_read_its_answer() {
    let server = seed();
    let kwasm = at_server(&server);
    install(&kwasm, "sends-many", &["--ask"]);
    // Its input is the terminal too: it reads the next request while it waits for nothing else.
    let mut command = kwasm.program(kwasm.links().join("kubectl-sends-many"));
    command.env("TERM", "xterm");
    let mut conversation = Conversation::start_whole(&command);
    conversation.enter("[\"GET\", \"http://192.0.2.1/version\", [], null]\n");
    conversation.wait_for(ALWAYS);
    conversation.enter("once\n");
    conversation.wait_for("status 200\n");
    conversation.enter("[\"GET\", \"http://192.0.2.1/healthz\", [], null]\n");
    conversation.wait_for(ALWAYS);
    conversation.enter("no\n");
    conversation.wait_for("status 403\n");
    conversation.enter("\u{4}");
    let (run, terminal) = conversation.end();
    assert_eq!(run.code, Some(0), "{terminal}");
    assert!(!terminal.contains("error"), "{terminal}");
}

#[test]
fn completing_a_line_asks_nothing() {
    let server = seed();
    let kwasm = at_server(&server);
    install(&kwasm, "decoder", &["--ask"]);
    let mut command = kwasm.program(kwasm.links().join("kubectl_complete-decoder"));
    command.args(["secret", ""]);
    let mut conversation = Conversation::start(&command);
    assert!(conversation.wait_for_or_end(PROMPT).is_none());
    let (run, terminal) = conversation.end();
    assert_eq!((run.code, terminal.as_str()), (Some(0), ""), "{}", run.shown());
}

#[test]
fn the_setting_is_of_the_last_install_and_an_upgrade_keeps_it() {
    let registry = Wrong::start().unwrap();
    registry.push("acme/dials", "1.0.0", &Artifact::component(bytes("dials")));
    let kwasm = at(&registry);
    let ask = || {
        let list = kwasm.call(["list", "-o", "json"]).success().stdout;
        serde_json::from_str::<Value>(&list).unwrap()[0]["ask"].clone()
    };
    kwasm.call(["install", "acme:dials", "--policy", "none", "--ask"]).success();
    assert_eq!(ask(), true);
    registry.push("acme/dials", "1.1.0", &Artifact::component(bytes("dials")));
    kwasm.call(["upgrade"]).success();
    assert_eq!(ask(), true);
    kwasm.call(["install", "acme:dials", "--policy", "none"]).success();
    assert_eq!(ask(), false);
}
