//! Tests of the audit log: each request of a plugin's runs, whatever becomes of the request, the run and the disk.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use kwasm_apiserver::{ApiServer, Cut, Fault, User};
use serde_json::{Value, json};

use crate::support::{Kwasm, Run, Running, component, files, kubeconfig, seed};

/// Installs a guest with a policy, and records its requests.
fn audited(kwasm: &Kwasm, guest: &str, policy: &str) {
    install(kwasm, guest, policy);
    kwasm.call(["audit", "--on", guest]).success();
}

fn install(kwasm: &Kwasm, guest: &str, policy: &str) {
    let file = component(guest);
    kwasm.call(["install", file.to_str().unwrap(), "--policy", policy]).success();
}

fn at_server(server: &ApiServer) -> Kwasm {
    Kwasm::new().kubeconfig(kubeconfig(server, User::Token))
}

fn kubectl(kwasm: &Kwasm, name: &str, arguments: &[&str]) -> Command {
    let mut command = kwasm.program(kwasm.links().join(format!("kubectl-{}", name.replace('-', "_"))));
    command.args(arguments);
    command
}

fn folder(kwasm: &Kwasm, name: &str) -> PathBuf {
    kwasm.home().join("data/plugins").join(name)
}

/// Returns what is recorded.
#[track_caller]
fn recorded(kwasm: &Kwasm, name: &str) -> Vec<Value> {
    let run = kwasm.call(["audit", name, "-o", "json"]).success();
    serde_json::from_str(&run.stdout).unwrap()
}

/// Returns the value of a key in each row.
fn column(rows: &[Value], key: &str) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    rows.iter().map(|row| text(&row[key])).collect()
}

/// Writes requests for `sends-many`, and returns the file.
fn requests(kwasm: &Kwasm, paths: &[String]) -> PathBuf {
    let file = kwasm.home().join("requests");
    let line = |path: &String| json!(["GET", format!("http://192.0.2.1{path}"), [], null]).to_string() + "\n";
    fs::write(&file, paths.iter().map(line).collect::<String>()).unwrap();
    file
}

fn sends(kwasm: &Kwasm, file: &PathBuf) -> Command {
    let mut command = kubectl(kwasm, "sends-many", &[]);
    command.stdin(fs::File::open(file).unwrap());
    command
}

#[test]
fn nothing_is_recorded_unless_that_was_said() {
    let server = seed();
    let kwasm = at_server(&server);
    install(&kwasm, "dials", "cluster");
    let dial = || Run::of(&mut kubectl(&kwasm, "dials", &["http://192.0.2.1/version"])).success();
    dial();
    assert_eq!(files(&folder(&kwasm, "dials")), ["receipt.json"]);
    let run = kwasm.call(["audit", "dials"]).success();
    assert_eq!(run.stdout, "");
    assert_eq!(run.stderr, "the requests of dials are not recorded: kwasm audit --on dials\n");
    kwasm.call(["audit", "--on", "dials"]).success();
    let run = kwasm.call(["audit", "dials"]).success();
    assert_eq!(run.stderr, "no request of dials is recorded yet\n");
    dial();
    kwasm.call(["audit", "--off", "dials"]).success();
    dial();
    // What was recorded stays.
    assert_eq!(recorded(&kwasm, "dials").len(), 1);
    kwasm.call(["audit", "--on", "dials", "missing"]).fails(127);
    let list: Value = serde_json::from_str(&kwasm.call(["list", "-o", "json"]).success().stdout).unwrap();
    // One name that is not installed, and none is changed.
    assert_eq!(list[0]["audit"], false, "{list}");
    kwasm.call(["audit", "--on", "dials"]).success();
    kwasm.call(["policy", "learn", "dials", "-o", "learnt.yaml", "--", "http://192.0.2.1/version"]).success();
    assert_eq!(recorded(&kwasm, "dials").len(), 2);
    // A run of the same file that is not installed is no run of the plugin.
    kwasm.run("dials", &["http://192.0.2.1/version"]).success();
    assert_eq!(recorded(&kwasm, "dials").len(), 2);
}

#[test]
fn the_setting_outlives_another_install_and_the_log_goes_with_the_plugin() {
    let server = seed();
    let kwasm = at_server(&server);
    audited(&kwasm, "dials", "cluster");
    install(&kwasm, "dials", "read-only");
    Run::of(&mut kubectl(&kwasm, "dials", &["http://192.0.2.1/version"])).success();
    assert_eq!(recorded(&kwasm, "dials").len(), 1);
    kwasm.call(["uninstall", "dials"]).success();
    assert_eq!(files(&kwasm.home().join("data/plugins")), [""; 0]);
    install(&kwasm, "dials", "read-only");
    assert_eq!(recorded(&kwasm, "dials").len(), 0);
}

#[test]
fn each_decision_is_a_line_with_what_was_asked_for_and_no_secret() {
    let server = seed();
    server.fault(Fault::cut(Cut::Close).on("GET", "/healthz"));
    let kwasm = at_server(&server);
    let policy = kwasm.home().join("p.yaml");
    let rules = "[{apiGroups: [''], resources: [secrets, configmaps], verbs: [get, create], namespaces: [shop]}, \
                  {nonResourceURLs: [/healthz], verbs: [get]}]";
    let text = format!(
        "apiVersion: kwasm.dev/v1\nkind: Policy\nmetadata: {{name: p}}\nspec: {{kubernetes: {{rules: {rules}}}}}\n"
    );
    fs::write(&policy, text).unwrap();
    audited(&kwasm, "dials", policy.to_str().unwrap());
    let dial = |url: &str, more: &[&str]| {
        let arguments = [&[url][..], more].concat();
        drop(kubectl(&kwasm, "dials", &arguments).output().unwrap());
    };
    let api = "http://192.0.2.1";
    let body = r#"{"metadata":{"name":"hunter2"}}"#;
    dial(&format!("{api}/api/v1/namespaces/shop/secrets/db?x=hunter2"), &["--header", "X-A: hunter2"]);
    let configmaps = format!("{api}/api/v1/namespaces/shop/configmaps");
    dial(&configmaps, &["--method", "POST", "--header", "content-type: application/json", "--body", body]);
    dial(&format!("{api}/apis/apps/v1/namespaces/shop/deployments/web/scale"), &[]);
    dial(&format!("{api}/healthz"), &[]);
    dial(&format!("{api}/version?token=hunter2"), &[]);
    dial("https://hunter2:hunter2@example.com:8443/hunter2?hunter2", &[]);
    dial(&format!("{api}/api/../version?hunter2"), &[]);
    dial(&format!("{api}/version"), &["--header", "Authorization: Bearer hunter2"]);
    let rows = recorded(&kwasm, "dials");
    let line = |row: &Value| {
        let keys = [
            "verb",
            "group",
            "resource",
            "subresource",
            "namespace",
            "name",
            "path",
            "host",
            "decision",
            "status",
        ];
        keys.map(|key| column(std::slice::from_ref(row), key).remove(0)).join("|")
    };
    let lines: Vec<String> = rows.iter().map(line).collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    get||secrets||shop|db|||allowed|200
    create||configmaps||shop||||allowed|201
    get|apps|deployments|scale|shop|web|||refused|null
    get||||||/healthz||allowed|null
    get||||||/version||refused|null
    get|||||||example.com:8443|refused|null
    get||||||/api/../version||refused|null
    get||||||/version||refused|null
    ");
    assert_eq!(
        rows[0]["rule"],
        "{apiGroups: [\"\"], resources: [secrets, configmaps], verbs: [get, create], namespaces: [shop]}"
    );
    assert_eq!(rows[2]["reason"], "the policy `p` does not allow it");
    let answer = server.get("/api/v1/namespaces/shop/secrets/db").unwrap();
    assert!(rows[0]["bytes"].as_u64().unwrap() > 0 && answer.is_object());
    let log = fs::read_to_string(folder(&kwasm, "dials").join("audit.jsonl")).unwrap();
    assert!(!log.contains("hunter2"), "{log}");
    for secret in server.secrets() {
        assert!(!log.contains(&secret), "{log}");
    }
    // Each run is one of its own.
    let runs: std::collections::BTreeSet<String> = column(&rows, "run").into_iter().collect();
    assert_eq!(runs.len(), rows.len());
}

#[test]
fn the_log_is_its_owners_alone() {
    let server = seed();
    let kwasm = at_server(&server);
    audited(&kwasm, "dials", "cluster");
    Run::of(&mut kubectl(&kwasm, "dials", &["http://192.0.2.1/version"])).success();
    let log = folder(&kwasm, "dials").join("audit.jsonl");
    assert_eq!(log.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    // One that others may write to is not relied on.
    fs::set_permissions(&log, fs::Permissions::from_mode(0o666)).unwrap();
    let run = Run::of(&mut kubectl(&kwasm, "dials", &["http://192.0.2.1/version"])).fails(125);
    assert!(run.stderr.contains("others may write to it"), "{}", run.shown());
}

#[test]
fn an_answer_that_the_plugin_keeps_to_its_end_is_recorded_too() {
    let server = seed();
    let kwasm = at_server(&server);
    audited(&kwasm, "floods-requests", "cluster");
    Run::of(&mut kubectl(&kwasm, "floods-requests", &["3"])).success();
    let rows = recorded(&kwasm, "floods-requests");
    assert_eq!(column(&rows, "verb"), ["watch"; 3]);
    assert_eq!(column(&rows, "status"), ["200"; 3]);
    // And so is a watch that the user interrupts.
    audited(&kwasm, "follows", "cluster");
    let mut running =
        Running::of(kubectl(&kwasm, "follows", &["/api/v1/namespaces/shop/secrets?watch=true"]));
    running.line();
    running.signal("INT");
    running.end().fails(130);
    let rows = recorded(&kwasm, "follows");
    assert_eq!(column(&rows, "verb"), ["watch"]);
    assert!(rows[0]["bytes"].as_u64().unwrap() > 0);
}

#[test]
fn names_of_others_drive_no_terminal_and_take_no_line_of_their_own() {
    let server = seed();
    let kwasm = at_server(&server);
    audited(&kwasm, "dials", "cluster");
    let name = "%E2%80%AE%C2%9B2J%0Akwasm";
    let harmless = "%E2%80%AE%D8%9C%22%7B%7D";
    for name in [name, harmless, &"x".repeat(9000)] {
        let url = format!("http://192.0.2.1/api/v1/namespaces/shop/secrets/{name}");
        drop(kubectl(&kwasm, "dials", &[&url]).output().unwrap());
    }
    let rows = recorded(&kwasm, "dials");
    assert_eq!(rows.len(), 3);
    // A control character is not accepted in a path, and so not decoded.
    assert_eq!(column(&rows, "path")[0], format!("/api/v1/namespaces/shop/secrets/{name}"));
    assert_eq!(column(&rows, "name")[1], "\u{202e}\u{61c}\"{}");
    assert!(column(&rows, "name")[2].len() < 400);
    for form in ["table", "wide", "json", "yaml", "name"] {
        let run = kwasm.call(["audit", "dials", "-o", form]).success();
        let drives =
            |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{61c}' | '\u{202a}'..='\u{202e}');
        assert!(!run.stdout.contains(drives), "{form}: {:?}", run.stdout);
        assert!(["\\u{202e}", "\\u202e"].iter().any(|text| run.stdout.contains(text)), "{}", run.stdout);
    }
}

#[test]
fn twenty_runs_at_once_lose_and_mix_no_line_even_while_the_file_is_changed() {
    const RUNS: usize = 20;
    const EACH: usize = 40;
    let server = seed();
    let kwasm = at_server(&server);
    audited(&kwasm, "sends-many", "cluster");
    // Almost as large as it becomes, so that it is changed by one of the runs.
    let log = folder(&kwasm, "sends-many").join("audit.jsonl");
    let line =
        json!({"time": "2026-01-01T00:00:00Z", "run": "before", "name": "x".repeat(1000)}).to_string() + "\n";
    let before = (4 << 20) / line.len() - 20;
    fs::write(&log, line.repeat(before)).unwrap();
    fs::set_permissions(&log, fs::Permissions::from_mode(0o600)).unwrap();
    let paths: Vec<String> =
        (0..EACH).map(|number| format!("/api/v1/namespaces/shop/configmaps/name-{number}")).collect();
    let file = requests(&kwasm, &paths);
    let started: Vec<_> = (0..RUNS)
        .map(|_| sends(&kwasm, &file).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
        .collect();
    for mut child in started {
        assert!(child.wait().unwrap().success());
    }
    assert!(log.with_file_name("audit.1.jsonl").exists() && log.exists());
    let run = kwasm.call(["audit", "sends-many", "-o", "json"]).success();
    assert_eq!(run.stderr, "");
    let rows: Vec<Value> = serde_json::from_str(&run.stdout).unwrap();
    let mut runs: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in &rows {
        let [run, name] = ["run", "name"].map(|key| row[key].as_str().unwrap().to_owned());
        runs.entry(run).or_default().push(name);
    }
    assert_eq!(runs.remove("before").unwrap().len(), before);
    assert_eq!(runs.len(), RUNS);
    let names: Vec<String> = (0..EACH).map(|number| format!("name-{number}")).collect();
    assert!(runs.values().all(|seen| *seen == names));
}

#[test]
fn a_run_that_is_killed_leaves_what_it_had_recorded() {
    let server = seed();
    let kwasm = at_server(&server);
    audited(&kwasm, "sends-many", "cluster");
    let mut command = kubectl(&kwasm, "sends-many", &[]);
    command.stdin(Stdio::piped());
    let mut running = Running::of(command);
    let mut input = running.stdin();
    for number in 1..=3 {
        use std::io::Write as _;
        writeln!(input, "{}", json!(["GET", "http://192.0.2.1/version", [], null])).unwrap();
        assert_eq!(running.line(), "status 200");
        assert!(recorded(&kwasm, "sends-many").len() >= number - 1);
    }
    running.signal("KILL");
    drop(running.end());
    let left = recorded(&kwasm, "sends-many").len();
    assert!((2..=3).contains(&left), "{left}");
    Run::of(&mut sends(&kwasm, &requests(&kwasm, &["/version".to_owned()]))).success();
    assert_eq!(recorded(&kwasm, "sends-many").len(), left + 1);
}

#[test]
fn a_kill_at_any_change_to_the_disk_tears_one_line_at_most() {
    let server = seed();
    let kwasm = at_server(&server).faulty();
    audited(&kwasm, "sends-many", "cluster");
    let file = requests(&kwasm, &["/version".to_owned(), "/healthz".to_owned(), "/api".to_owned()]);
    let (mut whole, mut torn) = (0, 0);
    for number in 1.. {
        let mut command = kwasm.command(["run", "sends-many"]);
        command.stdin(fs::File::open(&file).unwrap()).env("KWASM_WITHOUT", format!("life={number}"));
        let ended = command.output().unwrap().status;
        let run = kwasm.call(["audit", "sends-many", "-o", "json"]).success();
        let rows: Vec<Value> = serde_json::from_str(&run.stdout).unwrap();
        let lines =
            run.stderr.lines().find_map(|line| line.strip_prefix("incomplete lines that are left out: "));
        let now = lines.map_or(0, |line| line.split(',').next().unwrap().parse().unwrap());
        assert!((whole..=whole + 3).contains(&rows.len()) && (torn..=torn + 1).contains(&now), "{number}");
        if ended.success() {
            assert_eq!(rows.len(), whole + 3, "{number}");
            break;
        }
        (whole, torn) = (rows.len(), now);
    }
    assert!(torn >= 3 && whole >= 3, "{torn} {whole}");
}

#[test]
fn what_cannot_be_recorded_does_not_happen() {
    let server = seed();
    let kwasm = at_server(&server);
    audited(&kwasm, "dials", "cluster");
    let log = folder(&kwasm, "dials").join("audit.jsonl");
    fs::create_dir(&log).unwrap();
    let run = Run::of(&mut kubectl(&kwasm, "dials", &["http://192.0.2.1/version"])).fails(125);
    let stderr = run.stderr.replace(log.to_str().unwrap(), "LOG");
    insta::assert_snapshot!(stderr, @r"
    kwasm: LOG: the audit log cannot be written: Is a directory (os error 21)
    hint: kwasm audit --off NAME lets a plugin run without one
    ");
    assert!(server.requests().is_empty());
    kwasm.call(["audit", "--off", "dials"]).success();
    Run::of(&mut kubectl(&kwasm, "dials", &["http://192.0.2.1/version"])).success();
}

#[test]
fn where_the_disk_becomes_full_one_request_is_missing_and_no_further_one_is_sent() {
    let mut stopped = 0;
    for number in 1.. {
        let server = seed();
        let kwasm = at_server(&server).faulty();
        audited(&kwasm, "sends-many", "cluster");
        let file = requests(&kwasm, &["/version".to_owned(), "/healthz".to_owned(), "/api".to_owned()]);
        let mut command = kwasm.command(["run", "sends-many"]);
        command.stdin(fs::File::open(&file).unwrap()).env("KWASM_WITHOUT", format!("room={number}"));
        let run = Run::of(&mut command);
        let (sent, rows) = (server.requests().len(), recorded(&kwasm, "sends-many"));
        let allowed = column(&rows, "decision").iter().filter(|decision| *decision == "allowed").count();
        assert!(sent - allowed <= 1, "{number}: {}", run.shown());
        if sent > allowed {
            assert!(run.stderr.contains("audit.jsonl: the audit log cannot be written: "), "{}", run.shown());
            assert!(run.stdout.ends_with("status 403\n") || sent == 3, "{}", run.shown());
            stopped += 1;
        }
        if sent == 3 && allowed == 3 {
            break;
        }
    }
    assert!(stopped >= 3, "{stopped}");
}
