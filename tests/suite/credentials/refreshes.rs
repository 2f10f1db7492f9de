//! Tests that a refresh token that can be used once is never lost: whatever ends the run, whichever other
//! program uses it, wherever it is stored.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use kwasm_apiserver::ApiServer;
use serde_json::json;

use super::issuer::{Issuer, NEW, OLD, jwt, kubeconfig, shown, tokens};
use super::program::{ask, send};
use crate::support::{Kwasm, Run, Running, seed, skip};

/// Returns a kubeconfig whose identity token has expired.
fn expired(server: &ApiServer, issuer: &Issuer) -> PathBuf {
    kubeconfig(server, issuer, &tokens(&jwt("mine", OLD), "first-refresh"))
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

/// Checks that it has the issuer's second token, and no lock.
#[track_caller]
fn has_the_second(path: &Path) {
    let text = text(path);
    assert!(text.contains("\"second-refresh\"") && text.contains(&jwt("fresh", NEW)), "{text}");
    assert!(!text.contains("first-refresh"), "{text}");
    let left = fs::read_dir(path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = left.filter(|name| name.to_string_lossy().contains("by-hand")).collect();
    assert_eq!(left, ["by-hand"]);
}

/// Returns a check, or a run, that heeds SIGHUP though this process may have been started by `nohup`.
#[cfg(unix)]
fn heeding(kwasm: &Kwasm, check: bool) -> Command {
    let asked =
        if check { kwasm.command(["cluster", "--check"]) } else { kwasm.guest("downloads", &["/version"]) };
    if !cfg!(target_os = "linux") {
        return asked;
    }
    let mut heeding = kwasm.program("env");
    heeding.arg("--default-signal=HUP").arg(asked.get_program()).args(asked.get_args());
    heeding
}

#[cfg(unix)]
#[test]
fn what_a_run_is_given_is_kept_when_a_signal_ends_it() {
    for signal in ["INT", "TERM", "HUP"] {
        if signal == "HUP" && !cfg!(target_os = "linux") {
            continue;
        }
        for check in [false, true] {
            let (server, (issuer, held)) = (seed(), Issuer::holding());
            let path = expired(&server, &issuer);
            let kwasm = Kwasm::new().kubeconfig(&path);
            let mut running = Running::of(heeding(&kwasm, check));
            issuer.wait();
            running.signal(signal);
            running.silent_for(Duration::from_millis(300));
            drop(held);
            running.end().fails(130);
            has_the_second(&path);
            assert!(server.requests().is_empty());
        }
    }
}

#[cfg(unix)]
#[test]
fn a_signal_that_is_ignored_ends_no_run() {
    let kwasm = Kwasm::new();
    let mut nohup = kwasm.program("nohup");
    nohup.arg(env!("CARGO_BIN_EXE_kwasm")).args(["run", "--policy", "cluster"]);
    nohup.arg(crate::support::component("downloads")).args(["--", "/version"]);
    let (server, (issuer, held)) = (seed(), Issuer::holding());
    nohup.env("KUBECONFIG", expired(&server, &issuer));
    let running = Running::of(nohup);
    issuer.wait();
    running.signal("HUP");
    drop(held);
    assert_ne!(running.end().code, Some(130));
    assert_eq!(shown(&server), [format!("Bearer {}", jwt("fresh", NEW))]);
}

#[test]
fn what_a_run_is_given_is_kept_when_its_time_is_up() {
    let (server, (issuer, held)) = (seed(), Issuer::holding());
    let path = expired(&server, &issuer);
    let rule = "{nonResourceURLs: [/version], verbs: [get]}";
    let spec = format!("{{kubernetes: {{rules: [{rule}]}}, limits: {{timeout: 6s}}}}");
    let kwasm = Kwasm::new().kubeconfig(&path).spec(&spec);
    let mut running = kwasm.start("downloads", &["/version"]);
    issuer.wait();
    running.silent_for(Duration::from_secs(7));
    drop(held);
    let run = running.end().fails(125);
    assert!(run.stderr.contains("limit"), "{}", run.shown());
    has_the_second(&path);
}

#[test]
fn of_two_at_once_one_refreshes_and_both_have_it() {
    let (server, (issuer, held)) = (seed(), Issuer::holding());
    let path = expired(&server, &issuer);
    let kwasm = Kwasm::new().kubeconfig(&path);
    let both = [(); 2].map(|()| kwasm.start("downloads", &["/version"]));
    issuer.wait();
    std::thread::sleep(Duration::from_secs(1));
    drop(held);
    for running in both {
        running.end();
    }
    assert_eq!(issuer.refreshed().len(), 1);
    assert_eq!(shown(&server), vec![format!("Bearer {}", jwt("fresh", NEW)); 2]);
    has_the_second(&path);
}

#[test]
fn two_contexts_of_one_user_refresh_once() {
    let (server, issuer) = (seed(), Issuer::rotating());
    let path = expired(&server, &issuer);
    let (cluster, context) = ("clusters: [{name: c, ", "contexts: [{name: c, ");
    let old = text(&path);
    let line = old.lines().find(|line| line.starts_with(cluster)).unwrap().strip_suffix(']').unwrap();
    let second = format!("{line}, {{name: d, {}]", line.strip_prefix(cluster).unwrap());
    let both = format!("{context}context: {{cluster: d, user: u}}}}, {{name: d, ");
    fs::write(&path, old.replace(&format!("{line}]"), &second).replace(context, &both)).unwrap();
    let spec = "{kubernetes: {contexts: '*', rules: [{nonResourceURLs: [/version], verbs: [get]}]}}";
    let kwasm = Kwasm::new().kubeconfig(&path).spec(spec);
    let asked = |number| json!(["GET", format!("http://192.0.2.{number}/version"), [], null]);
    send(&kwasm, &[asked(1), asked(2)]).success();
    assert_eq!(shown(&server), vec![format!("Bearer {}", jwt("fresh", NEW)); 2]);
    assert_eq!(issuer.refreshed().len(), 1);
    has_the_second(&path);
}

#[test]
fn kubectl_may_change_the_kubeconfig_meanwhile() {
    let (server, (issuer, held)) = (seed(), Issuer::holding());
    let path = expired(&server, &issuer);
    let kwasm = Kwasm::new().kubeconfig(&path);
    let running = kwasm.start("downloads", &["/version"]);
    issuer.wait();
    // As kubectl does it.
    let lock = path.with_file_name("by-hand.lock");
    File::create_new(&lock).unwrap();
    fs::write(&path, text(&path).replace("# the end", "preferences: {}")).unwrap();
    fs::remove_file(&lock).unwrap();
    drop(held);
    running.end();
    has_the_second(&path);
    assert!(text(&path).contains("preferences: {}"));
}

#[test]
fn who_logs_in_meanwhile_has_the_newer_tokens() {
    let (server, (issuer, held)) = (seed(), Issuer::holding());
    let path = expired(&server, &issuer);
    let kwasm = Kwasm::new().kubeconfig(&path);
    let running = kwasm.start("downloads", &["/version"]);
    issuer.wait();
    let newer = text(&path).replace("first-refresh", "of-another-login");
    fs::write(&path, &newer).unwrap();
    drop(held);
    running.end();
    assert_eq!(text(&path), newer);
    assert_eq!(shown(&server), [format!("Bearer {}", jwt("fresh", NEW))]);
}

#[test]
fn a_lock_that_stays_keeps_a_token_from_being_given_away() {
    for (age, told, hint) in [
        (0, "by-hand.lock is there: another program is changing the kubeconfig", "try again"),
        (600, "by-hand.lock has been there for 10 minutes: a program was killed while it", "remove it: rm /"),
    ] {
        let (server, issuer) = (seed(), Issuer::rotating());
        let path = expired(&server, &issuer);
        let lock = path.with_file_name("by-hand.lock");
        let made = SystemTime::now() - Duration::from_secs(age);
        File::create_new(&lock).unwrap().set_modified(made).unwrap();
        let run = ask(&Kwasm::new().kubeconfig(&path), 1);
        assert!(run.stderr.contains(told) && run.stderr.contains(hint), "{}", run.shown());
        assert!(issuer.asked.lock().unwrap().is_empty());
        assert!(lock.exists(), "it is the other one's");
    }
}

#[test]
fn a_lock_that_comes_and_stays_does_not_lose_a_token() {
    let (server, (issuer, held)) = (seed(), Issuer::holding());
    let path = expired(&server, &issuer);
    let kwasm = Kwasm::new().kubeconfig(&path);
    let running = kwasm.start("downloads", &["/version"]);
    issuer.wait();
    let lock = path.with_file_name("by-hand.lock");
    File::create_new(&lock).unwrap();
    drop(held);
    running.end();
    fs::remove_file(&lock).unwrap();
    has_the_second(&path);
}

#[test]
fn a_token_that_could_not_be_kept_is_not_given_away() {
    let (server, issuer) = (seed(), Issuer::rotating());
    let path = kubeconfig(&server, &issuer, "        refresh-token: >-\n          first-refresh");
    let before = text(&path);
    let run = ask(&Kwasm::new().kubeconfig(&path), 1);
    assert!(run.stderr.contains("is not refreshed: new tokens could not be kept in "), "{}", run.shown());
    assert!(!run.stderr.contains("log in again"), "{}", run.shown());
    assert_eq!((text(&path), issuer.asked.lock().unwrap().len()), (before, 0));
}

#[test]
fn what_is_kept_is_what_is_read() {
    for (old, new) in [
        // Of two equal keys the last counts, and of two documents the first.
        (
            "        refresh-token: none\n        refresh-token: first-refresh\n---\nusers: []",
            "second-refresh",
        ),
        ("        refresh-token: 'first\u{2d}refresh'", "-second: #\"'\\"),
        ("        refresh-token: \"first\\x2drefresh\"", "0123456789"),
    ] {
        let server = seed();
        let issuer = Issuer::answering(move |asked| {
            assert!(asked.body.contains("refresh_token=first-refresh"));
            (200, json!({"access_token": "a", "id_token": jwt("again", OLD), "refresh_token": new}))
        });
        let path = kubeconfig(&server, &issuer, old);
        ask(&Kwasm::new().kubeconfig(&path), 1);
        assert_eq!(issuer.refreshed().len(), 1);
        // The next run gives away the new one.
        let next = Issuer::answering(|_| (400, json!({})));
        fs::write(&path, text(&path).replace(&issuer.url, &next.url)).unwrap();
        ask(&Kwasm::new().kubeconfig(&path), 1);
        let form: Vec<_> = form_urlencoded::parse(next.refreshed()[0].body.as_bytes()).into_owned().collect();
        assert_eq!(form[1].1, new);
    }
}

#[test]
fn a_refresh_token_is_kept_even_where_there_is_no_identity_token() {
    for id in [json!(null), json!("no-jwt")] {
        let server = seed();
        let given = json!({"access_token": "a", "id_token": id, "refresh_token": "second-refresh"});
        let issuer = Issuer::answering(move |_| (200, given.clone()));
        let path = expired(&server, &issuer);
        let before = text(&path);
        let run = ask(&Kwasm::new().kubeconfig(&path), 1);
        assert!(run.stderr.contains("gave no id_token"), "{}", run.shown());
        assert_eq!(text(&path), before.replace("first-refresh", "second-refresh"));
    }
}

#[cfg(unix)]
#[test]
fn a_kubeconfig_keeps_its_owner_and_its_other_names() {
    use std::os::unix::fs::{MetadataExt as _, chown};
    let (server, issuer) = (seed(), Issuer::rotating());
    let path = expired(&server, &issuer);
    let (before, other) = (path.metadata().unwrap(), path.with_file_name("other-name"));
    fs::hard_link(&path, &other).unwrap();
    ask(&Kwasm::new().kubeconfig(&path), 1).success();
    assert_eq!(path.metadata().unwrap().ino(), before.ino());
    fs::remove_file(&other).unwrap();
    has_the_second(&path);
    let path = expired(&server, &issuer);
    if chown(&path, Some(before.uid() + 1), None).is_err() {
        return skip("a_kubeconfig_keeps_its_owner_and_its_other_names", "only root gives files away");
    }
    ask(&Kwasm::new().kubeconfig(&path), 1).success();
    assert_eq!(path.metadata().unwrap().uid(), before.uid() + 1);
    has_the_second(&path);
}

/// Runs a script that may mount.
#[cfg(unix)]
fn mounting(kwasm: &Kwasm, script: &str) -> Run {
    Run::of(kwasm.program("unshare").args(["--user", "--map-root-user", "--mount", "sh", "-c", script]))
}

#[cfg(unix)]
#[test]
fn a_kubeconfig_that_is_a_mount_of_its_own_is_written_in_its_place() {
    let name = "a_kubeconfig_that_is_a_mount_of_its_own_is_written_in_its_place";
    let unshare = Command::new("unshare").args(["--user", "--map-root-user", "--mount", "true"]).output();
    if !unshare.is_ok_and(|output| output.status.success()) {
        return skip(name, "nothing can be mounted here");
    }
    for (options, given) in [("bind", 1), ("ro,bind", 0)] {
        let (server, issuer) = (seed(), Issuer::rotating());
        let path = expired(&server, &issuer);
        let before = text(&path);
        let kwasm = Kwasm::new();
        fs::write(kwasm.home().join("mount"), "").unwrap();
        let program = env!("CARGO_BIN_EXE_kwasm");
        let script = format!(
            "set -e; mount --bind {} mount; mount -o remount,{options} mount; KUBECONFIG=mount {program} cluster --check",
            path.display()
        );
        let run = mounting(&kwasm, &script);
        assert_eq!(issuer.refreshed().len(), given, "{}", run.shown());
        if given == 1 {
            has_the_second(&path);
        } else {
            assert!(run.stderr.contains("could not be kept in mount: Read-only"), "{}", run.shown());
            assert!(run.stderr.contains("hint: ls -l mount shows who may write to it"), "{}", run.shown());
            assert_eq!(text(&path), before);
        }
    }
}
