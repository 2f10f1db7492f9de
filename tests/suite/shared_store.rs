//! A store that an administrator fills for all users, and a kubeconfig that can be read once.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::{Kwasm, Run, component, skip};

/// A user of no machine.
const NOBODY: u32 = 12_345;

/// A store with a plugin, filled by this user with this umask.
struct Shared {
    kwasm: Kwasm,
    /// The other user's home.
    home: PathBuf,
}

impl Shared {
    /// Returns a filled store, or `None` if this process cannot switch users.
    fn filled(test: &str, umask: &str) -> Option<Self> {
        let kwasm = Kwasm::with_empty_cache();
        let open = |path: &Path| fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        open(kwasm.home());
        let home = kwasm.home().join("theirs");
        fs::create_dir(&home).unwrap();
        if chown(&home, Some(NOBODY), Some(NOBODY)).is_err() {
            skip(test, "no one can be another user here");
            return None;
        }
        // The program under test, where the other user can get at it: links lead there.
        let program = kwasm.home().join("kwasm");
        fs::copy(env!("CARGO_BIN_EXE_kwasm"), &program).unwrap();
        let mut shell = kwasm.program("sh");
        let install = format!("umask {umask}; exec \"$0\" install \"$1\"");
        shell.args(["-c", &install]).arg(program).arg(component("hello"));
        Run::of(&mut shell).success();
        Some(Self { kwasm, home })
    }

    /// Returns the program as the other user runs it.
    fn theirs(&self, arguments: &[&str]) -> Run {
        Run::of(&mut self.command(arguments))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let program = self.kwasm.home().join("kwasm");
        let mut command = Command::new("setpriv");
        let id = NOBODY.to_string();
        command.args(["--reuid", &id, "--regid", &id, "--clear-groups"]).arg(program).args(arguments);
        command.env_clear().env("KWASM_HOME", self.kwasm.home().join("data")).env("HOME", &self.home);
        let path = format!("{}:/usr/bin:/bin", self.kwasm.links().display());
        command.env("KWASM_BIN_DIR", self.kwasm.links()).env("PATH", path);
        command.current_dir("/").stdin(Stdio::null());
        command
    }
}

#[test]
fn what_root_installed_others_run_and_cannot_change() {
    // Where a group has write permission by default, a store gives it none.
    for umask in ["022", "002"] {
        let Some(shared) = Shared::filled("what_root_installed_others_run_and_cannot_change", umask) else {
            return;
        };
        // The first time it is compiled, and then it is kept.
        for _ in 0..2 {
            let run = shared.theirs(&["run", "hello", "--", umask]).success();
            assert_eq!((run.stdout, run.stderr), (format!("hello from kwasm: {umask}\n"), String::new()));
        }
        assert_eq!(shared.theirs(&["list"]).success().stdout, "hello\n");
        let run = shared.theirs(&["doctor", "--deep"]).success();
        assert!(run.stdout.contains("is writable only by root"), "{}", run.shown());
        let run = shared.theirs(&["uninstall", "hello"]).fails(125);
        assert!(run.stderr.contains("KWASM_HOME"), "{}", run.shown());
        assert_eq!(shared.theirs(&["list"]).success().stdout, "hello\n");
        for file in crate::support::files(&shared.kwasm.home().join("data")) {
            let mode = shared.kwasm.home().join("data").join(&file).metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o644, "{file}");
        }
    }
}

#[test]
fn what_others_do_is_recorded_in_a_folder_of_their_own() {
    let Some(shared) = Shared::filled("what_others_do_is_recorded_in_a_folder_of_their_own", "022") else {
        return;
    };
    let (kwasm, server) = (&shared.kwasm, crate::support::seed());
    let config = shared.home.join("kubeconfig");
    fs::copy(crate::support::kubeconfig(&server, kwasm_apiserver::User::Token), &config).unwrap();
    fs::set_permissions(&config, fs::Permissions::from_mode(0o644)).unwrap();
    let dials = component("dials");
    kwasm.call(["install", dials.to_str().unwrap(), "--policy", "cluster"]).success();
    kwasm.call(["audit", "--on", "dials"]).success();
    let run = ["run", "dials", "--", "--kubeconfig", config.to_str().unwrap(), "http://192.0.2.1/version"];
    shared.theirs(&run).success();
    let log = shared.home.join(".local/state/kwasm/audit/dials/audit.jsonl");
    assert_eq!(log.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(shared.theirs(&["audit", "dials", "-o", "json"]).success().stdout.matches("/version").count(), 1);
    // The administrator's own runs are beside the receipt.
    assert!(kwasm.call(["audit", "dials"]).success().stderr.contains("no request of dials is recorded yet"));
    kwasm.call(run).success();
    assert_eq!(kwasm.call(["audit", "dials", "-o", "json"]).success().stdout.matches("/version").count(), 1);
    // Others cannot turn it off, and do not run it where they cannot record it.
    shared.theirs(&["audit", "--off", "dials"]).fails(125);
    let refused = Run::of(shared.command(&run).env_remove("HOME")).fails(125);
    assert!(refused.stderr.contains("the audit log cannot be written"), "{}", refused.shown());
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn one_without_a_home_runs_it_too() {
    let Some(shared) = Shared::filled("one_without_a_home_runs_it_too", "022") else { return };
    // A cache beside the store is the administrator's own, if there is one.
    let root = shared.kwasm.home().join("data");
    for _ in 0..2 {
        let run = Run::of(shared.command(&["run", "hello"]).env_remove("HOME")).success();
        assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("hello from kwasm\n", ""));
        let mut own = shared.kwasm.command(["run", "hello"]);
        Run::of(own.env_remove("HOME").env_remove("XDG_CACHE_HOME")).success();
        assert!(root.join("cache-0/compiled").exists());
    }
}

#[test]
fn what_is_compiled_stays_each_users_own() {
    let Some(shared) = Shared::filled("what_is_compiled_stays_each_users_own", "022") else { return };
    shared.theirs(&["run", "hello"]).success();
    let compiled = shared.home.join(".cache/kwasm/compiled");
    assert_eq!(compiled.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    for code in fs::read_dir(compiled).unwrap() {
        assert_eq!(code.unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn a_store_that_others_may_not_read_is_reported_with_the_cure() {
    let Some(shared) = Shared::filled("a_store_that_others_may_not_read_is_reported_with_the_cure", "077")
    else {
        return;
    };
    let root = shared.kwasm.home().join("data");
    let cure = format!("chmod -R a+rX {}", root.display());
    // Its folders are closed, so that it is not even seen what there is.
    let run = shared.theirs(&["run", "hello"]);
    assert_ne!(run.code, Some(0));
    // A store of an earlier kwasm: folders that are open, and files that are not.
    for folder in ["data", "data/plugins", "data/plugins/hello", "data/blobs", "data/blobs/sha256"] {
        let path = shared.kwasm.home().join(folder);
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let run = shared.theirs(&["run", "hello"]).fails(125);
    assert!(run.stderr.contains("receipt.json: it cannot be read: Permission denied"), "{}", run.shown());
    assert!(run.stderr.contains(&cure), "{}", run.shown());
    assert!(shared.theirs(&["doctor"]).fails(125).stderr.contains(&cure));
    assert!(Command::new("sh").args(["-c", &cure]).status().unwrap().success());
    shared.theirs(&["run", "hello"]).success();
}

#[test]
fn a_kubeconfig_that_can_be_read_once_is_read_once() {
    let kwasm = Kwasm::new();
    let config = r#"{"current-context": "here", "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": {"token": "t"}}], "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}]}"#;
    fs::write(kwasm.home().join("config"), config).unwrap();
    for command in [
        "cat config | KUBECONFIG=/dev/stdin \"$0\" doctor",
        "mkfifo pipe; cat config >pipe & KUBECONFIG=$PWD/pipe \"$0\" doctor",
        "rm pipe; mkfifo pipe; cat config >pipe & \"$0\" doctor --kubeconfig pipe",
    ] {
        let mut shell = kwasm.program("sh");
        let run = Run::of(shell.args(["-c", command, env!("CARGO_BIN_EXE_kwasm")])).success();
        assert!(run.stdout.contains("kubeconfig  1 context in 1 file\n"), "{command}: {}", run.shown());
        assert!(
            run.stdout.contains("cluster     here at https://127.0.0.1:1\n"),
            "{command}: {}",
            run.shown()
        );
    }
}

#[test]
fn a_policy_that_can_be_read_once_is_that_of_all_plugins_of_a_command() {
    let kwasm = Kwasm::new();
    let policy = "apiVersion: kwasm.dev/v1\nkind: Policy\nmetadata: {name: piped}\nspec: {}\n";
    fs::write(kwasm.home().join("p.yaml"), policy).unwrap();
    let (hello, prints) = (component("hello"), component("prints"));
    for command in [
        "cat p.yaml | \"$0\" install \"$1\" \"$2\" --policy /dev/stdin && \"$0\" save hello prints -f a.tar",
        "cat p.yaml | \"$0\" load a.tar --policy /dev/stdin",
    ] {
        let mut shell = kwasm.program("sh");
        shell.args(["-c", command, env!("CARGO_BIN_EXE_kwasm")]).args([&hello, &prints]);
        Run::of(&mut shell).success();
        let list: serde_json::Value =
            serde_json::from_str(&kwasm.call(["list", "-o", "json"]).success().stdout).unwrap();
        assert_eq!((&list[0]["policy"], &list[1]["policy"]), (&"piped".into(), &"piped".into()), "{list}");
    }
}
