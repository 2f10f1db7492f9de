//! The file of a record: who may read it, what is not valid in one, and what is not in it.

use std::fs;

use kwasm_apiserver::User;

use super::{Session, away, command};
use crate::support::{Kwasm, Run, kubeconfig, seed};

const LIST: [&str; 3] = ["-n", "shop", "list"];

#[cfg(unix)]
#[test]
fn a_record_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let server = seed();
    let session = Session::of(&server);
    for _ in 0..2 {
        session.record("cluster", "kube-client", &LIST).success();
        let mode = session.file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::set_permissions(&session.file, fs::Permissions::from_mode(0o644)).unwrap();
    }
}

#[test]
fn a_run_whose_record_cannot_be_written_does_not_begin() {
    let server = seed();
    let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Token));
    for place in ["missing/record.jsonl", "."] {
        let options = ["--policy", "cluster", "--record", place];
        let run = Run::of(&mut command(&kwasm, &options, "kube-client", &LIST)).fails(125);
        assert!(run.stderr.contains("it cannot be written to"), "{}", run.shown());
    }
    assert!(server.requests().is_empty());
}

#[test]
fn a_file_that_is_not_a_record_is_one_error_with_its_reason_and_cure() {
    let server = seed();
    let session = Session::of(&server);
    session.record("cluster", "kube-client", &LIST).success();
    let text = session.text();
    let half = &text[..text.len() - 10];
    let lines = text.lines().count();
    let path = session.path().to_owned();
    for (content, fault) in [
        (b"\xff\0".to_vec(), ": it is not a record of version 1".to_owned()),
        (Vec::new(), ": it is not a record of version 1".to_owned()),
        (
            text.replacen("\"version\":1", "\"version\":9", 1).into(),
            ": it is not a record of version 1".to_owned(),
        ),
        (half.into(), format!(":{lines}: it is not a line of a record: EOF while parsing")),
        (
            text.replacen("\"status\":200", "\"status\":101", 1).into(),
            ": its status is not one of an answer".to_owned(),
        ),
        ((text.clone() + &text).into(), format!(":{}: the first line of a record is there again", lines + 1)),
        (vec![b'\n'; (64 << 20) + 1], ": it is larger than 64 MiB".to_owned()),
        (
            format!("{}\n{}", text.lines().next().unwrap(), "[".repeat(100_000)).into(),
            ":2: it is not a line of a record".to_owned(),
        ),
    ] {
        fs::write(&session.file, content).unwrap();
        let run = session.replay("cluster", "kube-client", &LIST).fails(2);
        assert!(run.stderr.contains(&path) && run.stderr.contains(&fault), "{fault}: {}", run.shown());
        assert!(run.stderr.contains("\nhint: record it again: kwasm run --record"), "{}", run.shown());
        assert_eq!((run.stderr.lines().count(), run.stdout.as_str()), (2, ""), "{}", run.shown());
    }
    fs::remove_file(&session.file).unwrap();
    let run = session.replay("cluster", "kube-client", &LIST).fails(2);
    assert!(run.stderr.contains("it cannot be read"), "{}", run.shown());
}

#[test]
fn a_request_that_is_not_in_the_record_is_named_with_the_nearest_one() {
    let server = seed();
    let session = Session::of(&server);
    for guest in ["kube-client", "kube-client-http"] {
        session.record("cluster", guest, &LIST).success();
        let run = session.replay("cluster", guest, &["-n", "shop", "get", "one"]).fails(1);
        assert!(
            run.stderr.contains(
                "kwasm: GET /api/v1/namespaces/shop/configmaps/one: it is not in the record\nhint: the nearest request in the record is GET /api/v1/namespaces/shop/configmaps?"
            ),
            "{}",
            run.shown()
        );
        assert!(run.stderr.contains("error: "), "the plugin sees a failure: {}", run.shown());
        // Another namespace is another request.
        let run = session.replay("cluster", guest, &["-n", "other", "list"]).fails(1);
        assert!(run.stderr.contains("GET /api/v1/namespaces/other/configmaps"), "{}", run.shown());
        // The policy judges a replay too.
        let run = session.replay("none", guest, &LIST).fails(1);
        assert!(run.stderr.contains("refused: list configmaps"), "{}", run.shown());
    }
    session.record("none", "kube-client", &LIST).fails(1);
    let run = session.replay("cluster", "kube-client", &LIST).fails(1);
    assert!(
        run.stderr.contains(
            "the policy refused it when this was recorded\nhint: the policy was none then: --policy none"
        ),
        "{}",
        run.shown()
    );
    assert!(!server.requests().is_empty());
}

#[test]
fn a_request_is_answered_as_often_as_in_the_record() {
    let server = seed();
    let session = Session::of(&server);
    let requests = session.kwasm.home().join("requests");
    let line = "[\"GET\", \"/version\", [], null]\n";
    let run = |options: &[&str], times: usize| {
        fs::write(&requests, line.repeat(times)).unwrap();
        let kwasm = away().kubeconfig(kubeconfig(&server, User::Token));
        let mut command = command(&kwasm, &[&["--policy", "cluster"], options].concat(), "sends-many", &[]);
        command.stdin(fs::File::open(&requests).unwrap());
        Run::of(&mut command)
    };
    let recorded = Kwasm::new().kubeconfig(kubeconfig(&server, User::Token));
    fs::write(&requests, line.repeat(2)).unwrap();
    let mut recording =
        command(&recorded, &["--policy", "cluster", "--record", session.path()], "sends-many", &[]);
    recording.stdin(fs::File::open(&requests).unwrap());
    Run::of(&mut recording).success();
    let replay = ["--replay", session.path()];
    assert_eq!(run(&replay, 2).success().stdout, "status 200\nstatus 200\n");
    let more = run(&replay, 3);
    assert!(
        more.stderr.contains("kwasm: GET /version: the record answers it 2 times, and it was made again"),
        "{}",
        more.shown()
    );
    let less = run(&["-v", "--replay", session.path()], 1).success();
    assert!(less.stderr.contains("not replayed: GET /version\n"), "{}", less.shown());
    assert!(!run(&replay, 1).success().stderr.contains("not replayed"));
}

/// What an author edits is what the plugin gets, however long it is then.
#[test]
fn a_record_can_be_edited() {
    let server = seed();
    let session = Session::of(&server);
    for guest in ["kube-client", "kube-client-http"] {
        session.record("cluster", guest, &["-n", "shop", "create", "made", "a=b"]);
        session.record("cluster", guest, &["-n", "shop", "get", "made"]).success();
        let text = session.text().replace("\"a\":\"b\"", "\"a\":\"a much longer value\"");
        fs::write(&session.file, text).unwrap();
        let run = session.replay("cluster", guest, &["-n", "shop", "get", "made"]).success();
        assert_eq!(run.stdout, "a=a much longer value\n");
    }
}

/// The path of a request to another host may be a secret as a whole.
#[test]
fn requests_to_other_hosts_are_named_and_not_recorded_unless_they_are_wanted() {
    let server = seed();
    let session = Session::of(&server);
    let policy = session.kwasm.home().join("policy.yaml");
    let head = "apiVersion: kwasm.dev/v1\nkind: Policy\nmetadata: {name: test}\nspec:";
    // A name that no resolver has (RFC 6761 §6.4).
    fs::write(&policy, format!("{head} {{network: [{{host: hooks.invalid}}]}}\n")).unwrap();
    let (policy, url) = (policy.to_str().unwrap(), "https://hooks.invalid/T0/B0/xyzzy");
    let run = session.record(policy, "dials", &[url]).fails(1);
    assert!(run.stderr.contains("not recorded: GET https://hooks.invalid:443/"), "{}", run.shown());
    assert!(!session.text().contains("xyzzy"), "{}", session.text());
    let run = session.replay(policy, "dials", &[url]).fails(1);
    assert!(
        run.stderr.contains("requests to other servers are not in this record\nhint: "),
        "{}",
        run.shown()
    );
    let options = ["--policy", policy, "--record-secrets", "--record", session.path()];
    let recorded = Run::of(&mut command(&session.kwasm, &options, "dials", &[url])).fails(1);
    session.are_equal(&recorded, &session.replay(policy, "dials", &[url]), "dials");
}
