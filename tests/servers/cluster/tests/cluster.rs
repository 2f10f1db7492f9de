//! The cluster against itself: what it promises to the tests that are built on it.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]
#![expect(clippy::disallowed_methods, reason = "the bans are for the host; this runs beside it, in tests")]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use serde_json::{Value, json};

use kwasm_cluster::{Assets, Cluster, Program, User, default_cache};

/// The binary of this package, as cargo has just built it.
const BINARY: &str = env!("CARGO_BIN_EXE_kwasm-cluster");

#[test]
fn every_user_is_known_by_name_and_group() {
    let Some(assets) = assets() else { return };
    let cluster = start(&assets);
    assert_eq!(stdout(cluster.kubectl().args(["get", "--raw", "/readyz"])), "ok");
    for user in User::ALL {
        let mut whoami = cluster.kubectl();
        whoami.arg("--kubeconfig").arg(cluster.kubeconfig(user)).args(["auth", "whoami"]);
        whoami.arg("--output=jsonpath={.status.userInfo.username} {.status.userInfo.groups[0]}");
        assert_eq!(stdout(&mut whoami), format!("{} {}", user.name(), user.group()));
    }
    for user in [User::Alice, User::Bob, User::Carol] {
        assert_may_read_secrets_but_not_nodes(&cluster, user);
    }
}

#[test]
fn a_pod_runs_logs_executes_and_is_audited() {
    let Some(assets) = assets() else { return };
    if !assets.missing().is_empty() {
        return skip(&format!("{} lacks {:?}", assets.folder().display(), assets.missing()));
    }
    let cluster = start(&assets);
    stdout(cluster.kubectl().args(["create", "deployment", "web", "--image=none"]));
    stdout(cluster.kubectl().args(["wait", "deployment/web", "--for=condition=Available", "--timeout=60s"]));
    assert_eq!(stdout(cluster.kubectl().args(["logs", "deployment/web"])), "hello from a pod\n");
    let user = format!("--kubeconfig={}", cluster.kubeconfig(User::Alice).display());
    let mut exec = cluster.kubectl();
    exec.args([&user, "exec", "deployment/web", "--", "sh", "-c", "echo executed; env"]);
    let executed = stdout(&mut exec);
    assert!(executed.starts_with("executed\n") && !executed.contains("SUPERVISED"), "{executed}");

    let log = std::fs::read_to_string(cluster.audit_log()).unwrap();
    let exec = log.lines().find(|line| line.contains(r#""subresource":"exec""#)).unwrap();
    assert!(exec.contains(r#""username":"alice""#), "{exec}");
}

#[test]
fn the_oracle_answers_as_the_api_server_would() {
    let Some(assets) = assets() else { return };
    let Some(oracle) = assets.program(Program::KubeOracle) else {
        return skip(&format!("{} lacks kube-oracle", assets.folder().display()));
    };
    let mut child = Command::new(oracle).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    for resource in ["pods/log", "pods"] {
        let rules = json!([{ "verbs": ["get"], "apiGroups": [""], "resources": [resource] }]);
        let url = "/api/v1/namespaces/a/pods/x/log?follow=1";
        let question = json!({ "method": "GET", "url": url, "rules": rules, "roleNamespace": "a" });
        writeln!(stdin, "{question}").unwrap();
    }
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let answers = serde_json::Deserializer::from_slice(&output.stdout).into_iter::<Value>();
    let facts = answers
        .map(Result::unwrap)
        .map(|answer| json!([answer["verb"], answer["resource"], answer["subresource"], answer["allowed"]]));
    let expected = [json!(["get", "pods", "log", true]), json!(["get", "pods", "log", false])];
    assert_eq!(facts.collect::<Vec<_>>(), expected);
}

#[test]
fn clusters_stand_side_by_side_and_apart() {
    let Some(assets) = assets() else { return };
    let (one, other) = thread::scope(|scope| {
        let one = scope.spawn(|| start(&assets));
        let other = scope.spawn(|| start(&assets));
        (one.join().unwrap(), other.join().unwrap())
    });
    stdout(one.kubectl().args(["create", "configmap", "here"]));
    let find = ["get", "configmap", "here", "--ignore-not-found", "--output=name"];
    assert_eq!(stdout(one.kubectl().args(find)), "configmap/here\n");
    assert_eq!(stdout(other.kubectl().args(find)), "");

    let dir = one.dir().to_owned();
    drop(one);
    assert!(!dir.exists());
    assert_eq!(stdout(other.kubectl().args(["get", "--raw", "/readyz"])), "ok");
}

#[cfg(unix)]
#[test]
fn a_killed_supervisor_leaves_no_program() {
    let Some(assets) = assets() else { return };
    let cluster = start(&assets);
    let programs = children(&cluster);
    assert_eq!(programs.len(), cluster.ready().programs.len());
    signal("KILL", &cluster);
    wait_until_gone(&programs);
}

#[cfg(unix)]
#[test]
fn a_terminated_supervisor_leaves_neither_program_nor_folder() {
    let Some(assets) = assets() else { return };
    let cluster = start(&assets);
    let (programs, dir) = (children(&cluster), cluster.dir().to_owned());
    signal("TERM", &cluster);
    // Waits for it.
    drop(cluster);
    wait_until_gone(&programs);
    assert!(!dir.exists());
}

/// As in the folder of `setup-envtest`: foreign programs, no controllers, no kwok.
#[cfg(target_os = "linux")]
#[test]
fn three_programs_of_anyone_make_a_cluster_that_ends_as_surely() {
    let Some(assets) = assets() else { return };
    let folder = tempfile::tempdir().unwrap();
    for program in Program::REQUIRED {
        let path = assets.program(program).unwrap();
        std::os::unix::fs::symlink(path, folder.path().join(program.file())).unwrap();
    }
    let cluster = start(&Assets::given(folder.path()).unwrap());
    assert_eq!(cluster.ready().programs, ["etcd", "kube-apiserver"]);
    assert!(cluster.oracle().is_none());
    assert_may_read_secrets_but_not_nodes(&cluster, User::Alice);
    stdout(cluster.kubectl().args(["run", "pending", "--image=none"]));

    let programs = children(&cluster);
    signal("KILL", &cluster);
    wait_until_gone(&programs);
}

#[test]
fn a_standing_cluster_stands_from_up_to_down() {
    /// Takes the cluster down even when the test fails.
    struct Down<'a>(&'a Path);
    impl Drop for Down<'_> {
        fn drop(&mut self) {
            let _status = Command::new(BINARY).arg("down").arg("--cache").arg(self.0).output();
        }
    }

    let Some(assets) = assets() else { return };
    let cache = tempfile::tempdir().unwrap();
    let kwasm_cluster = |arguments: &[&str]| {
        let mut command = Command::new(BINARY);
        // The programs are not built into this cache, too.
        command.env("KUBEBUILDER_ASSETS", assets.folder()).arg("--cache").arg(cache.path()).args(arguments);
        command
    };
    let down = Down(cache.path());
    let up = stdout(&mut kwasm_cluster(&["up"]));
    let config = up.lines().find_map(|line| line.strip_prefix("export KUBECONFIG=")).unwrap();
    assert!(stdout(&mut kwasm_cluster(&["up"])).starts_with("# stands already"));

    let bob = stdout(&mut kwasm_cluster(&["kubeconfig", "bob"]));
    let mut whoami = Command::new(assets.program(Program::Kubectl).unwrap());
    whoami.args(["auth", "whoami", "--output=name", "--kubeconfig", bob.trim()]).env("KUBERC", "off");
    whoami.env("KUBECACHEDIR", cache.path()).arg("--output=jsonpath={.status.userInfo.username}");
    assert_eq!(stdout(&mut whoami), "bob");

    stdout(&mut kwasm_cluster(&["down"]));
    assert!(!Path::new(config).exists());
    let again = kwasm_cluster(&["down"]).output().unwrap();
    assert_eq!(
        String::from_utf8(again.stderr).unwrap(),
        "error: no standing cluster: start one by `kwasm-cluster up`\n"
    );
    drop(down);
}

/// Returns the programs, unless this machine has none.
fn assets() -> Option<Assets> {
    Assets::find_or_build(&default_cache()).map_err(|e| skip(&e.to_string())).ok()
}

/// Says why a test is skipped, which in continuous integration is a failure.
#[expect(clippy::disallowed_methods, clippy::print_stderr, reason = "the environment says whether to skip")]
#[track_caller]
fn skip(reason: &str) {
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{reason}");
    eprintln!("skipped: {reason}");
}

fn start(assets: &Assets) -> Cluster {
    Cluster::start_by(Path::new(BINARY), assets).unwrap_or_else(|e| panic!("{e}"))
}

#[track_caller]
fn stdout(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn assert_may_read_secrets_but_not_nodes(cluster: &Cluster, user: User) {
    let get = |what: &str| {
        let config = format!("--kubeconfig={}", cluster.kubeconfig(user).display());
        cluster.kubectl().args([&config, "get", what, "--all-namespaces"]).output().unwrap()
    };
    let secrets = get("secrets,pods,events");
    assert!(secrets.status.success(), "{}: {}", user.name(), String::from_utf8_lossy(&secrets.stderr));
    let refused = String::from_utf8(get("nodes").stderr).unwrap();
    assert!(
        refused.contains(&format!("User \"{}\" cannot list resource \"nodes\"", user.name())),
        "{refused}"
    );
}

/// Returns the ids of the supervisor's programs.
#[cfg(unix)]
fn children(cluster: &Cluster) -> Vec<String> {
    let ids = stdout(Command::new("pgrep").args(["-P", &cluster.supervisor_id().to_string()]));
    ids.lines().map(str::to_owned).collect()
}

#[cfg(unix)]
fn signal(name: &str, cluster: &Cluster) {
    stdout(Command::new("kill").args(["-s", name, &cluster.supervisor_id().to_string()]));
}

#[cfg(unix)]
fn wait_until_gone(ids: &[String]) {
    use std::time::{Duration, Instant};

    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        // An ended process stays a zombie until its new parent has waited for it.
        let states = Command::new("ps").args(["-o", "stat=,args=", "-p", &ids.join(",")]).output().unwrap();
        let states = String::from_utf8(states.stdout).unwrap();
        if states.lines().all(|state| state.trim_start().starts_with('Z')) {
            return;
        }
        assert!(Instant::now() < deadline, "still there:\n{states}");
        thread::sleep(Duration::from_millis(20));
    }
}
