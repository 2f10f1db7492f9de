//! Every documented limit, at its edge: what just fits passes, and what is one too much is reported. This program
//! is built with checks of overflow, as the one that is released is.

use std::fmt::Write as _;
use std::fs;
use std::time::{Duration, Instant};

use kwasm_apiserver::User;

use crate::support::{Kwasm, Run, kubeconfig, seed};

const MIB: usize = 1 << 20;

/// Returns a kubeconfig with this text, followed by this many contexts, each with a cluster and a user of its
/// own.
fn contexts(count: usize, head: &str) -> String {
    let mut text = format!("{head}apiVersion: v1\nkind: Config\ncurrent-context: c0\n");
    for (list, entry) in [
        ("clusters", "cluster: {server: 'https://127.0.0.1:6443'}"),
        ("users", "user: {token: t}"),
        ("contexts", ""),
    ] {
        writeln!(text, "{list}:").unwrap();
        for number in 0..count {
            match entry {
                "" => {
                    writeln!(text, "- {{name: c{number}, context: {{cluster: c{number}, user: c{number}}}}}")
                }
                entry => writeln!(text, "- {{name: c{number}, {entry}}}"),
            }
            .unwrap();
        }
    }
    text
}

fn with_kubeconfig(text: &str) -> Kwasm {
    let kwasm = Kwasm::new();
    let path = kwasm.home().join("config");
    fs::write(&path, text).unwrap();
    kwasm.kubeconfig(path)
}

#[test]
fn a_run_has_254_contexts_and_says_that_there_are_more() {
    let spec = "{kubernetes: {contexts: '*', rules: [{nonResourceURLs: ['*'], verbs: [get]}]}}";
    for count in [1, 253, 254, 255, 256, 257, 300, 1000] {
        let kwasm = with_kubeconfig(&contexts(count, "")).spec(spec);
        let run = kwasm.call(["doctor"]).success();
        let s = if count == 1 { "" } else { "s" };
        assert!(
            run.stdout.contains(&format!("kubeconfig  {count} context{s} in 1 file\n")),
            "{}",
            run.shown()
        );
        let run = kwasm.run("dumps", &[]).success();
        // As a file, and as its kubeconfig.
        let servers = run.stdout.matches("http://192.0.2.").count() / 2;
        assert_eq!(servers, count.min(254), "{count}");
        assert_eq!(run.stdout.contains("192.0.2.254"), count >= 254, "{count}");
        assert_eq!(run.stderr.is_empty(), count <= 254, "{count}: {}", run.stderr);
    }
}

#[test]
fn twelve_thousand_contexts_are_read_in_no_more_than_a_moment() {
    let kwasm = with_kubeconfig(&contexts(12_000, ""));
    let start = Instant::now();
    let run = kwasm.call(["doctor"]).success();
    assert!(run.stdout.contains("kubeconfig  12000 contexts in 1 file\n"), "{}", run.shown());
    // Not a bar of how fast it is, which differs from machine to machine: of what grows with the square of their number.
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
}

#[test]
fn a_kubeconfig_has_16_mib() {
    let text = contexts(1, "");
    for (length, fits) in [(16 * MIB, true), (16 * MIB + 1, false)] {
        let line = "# as other programs write them\n";
        let comment = line.repeat((length - text.len()) / line.len());
        let rest = length - text.len() - comment.len();
        let filler = if rest == 0 { String::new() } else { format!("{}\n", "#".repeat(rest - 1)) };
        let kwasm = with_kubeconfig(&format!("{comment}{filler}{text}"));
        assert_eq!(kwasm.home().join("config").metadata().unwrap().len(), length as u64);
        let run = kwasm.call(["cluster"]);
        if fits {
            run.success();
        } else {
            let run = run.fails(125);
            assert!(
                run.stderr.contains("config: it cannot be read: it is longer than 16 MiB"),
                "{}",
                run.shown()
            );
            assert!(run.stderr.contains("kubectl config view --minify --flatten"), "{}", run.shown());
        }
    }
}

/// Runs `policy check` on a policy with this spec.
fn checked(kwasm: &Kwasm, spec: &str) -> Run {
    let text = format!("apiVersion: kwasm.dev/v1\nkind: Policy\nmetadata: {{name: test}}\nspec: {spec}\n");
    fs::write(kwasm.home().join("checked.yaml"), text).unwrap();
    kwasm.call(["policy", "check", "checked.yaml"])
}

#[test]
fn the_limits_of_a_policy_have_their_own() {
    let kwasm = Kwasm::new();
    for (key, least, most) in [
        ("memory", 1 << 20, 4_u64 << 30),
        ("headers", 1 << 10, 1 << 20),
        ("requests", 1, 1024),
        ("sockets", 1, 1024),
    ] {
        for (value, fits) in [(least - 1, false), (least, true), (most, true), (most + 1, false)] {
            let run = checked(&kwasm, &format!("{{limits: {{{key}: {value}}}}}"));
            assert_eq!(run.code, Some(if fits { 0 } else { 2 }), "{key}: {value}: {}", run.shown());
        }
    }
    for (time, fits) in [("0s", false), ("1s", true), ("8784h", true), ("8784h1s", false)] {
        let run = checked(&kwasm, &format!("{{limits: {{timeout: {time}}}}}"));
        assert_eq!(run.code, Some(if fits { 0 } else { 2 }), "{time}: {}", run.shown());
    }
}

#[test]
fn a_policy_has_a_mebibyte() {
    let kwasm = Kwasm::new();
    let policy = "apiVersion: kwasm.dev/v1\nkind: Policy\nmetadata: {name: test}\nspec: {}\n";
    for (length, fits) in [(MIB, true), (MIB + 1, false)] {
        let text = format!("{policy}#{}\n", "x".repeat(length - policy.len() - 2));
        fs::write(kwasm.home().join("long.yaml"), text).unwrap();
        let run = kwasm.call(["policy", "check", "long.yaml"]);
        assert_eq!(run.code, Some(if fits { 0 } else { 2 }), "{length}: {}", run.shown());
        assert_eq!(run.stderr.contains("it is longer than 1 MiB"), !fits, "{}", run.shown());
    }
}

#[test]
fn a_path_has_16_kib() {
    let server = seed();
    let spec = "{kubernetes: {rules: [{nonResourceURLs: ['*'], verbs: [get]}]}}";
    let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Token)).spec(spec);
    for (length, fits) in [(16 << 10, true), ((16 << 10) + 1, false)] {
        let url = format!("http://192.0.2.1/{}", "a".repeat(length - 1));
        let run = kwasm.run("dials", &[&url]);
        // The server has no such path, and says so.
        assert_eq!(run.stdout.starts_with("status 404"), fits, "{length}: {}", run.stderr);
        assert_eq!(server.requests().len(), 1, "{length}");
    }
}

#[test]
fn a_message_has_100_headers_and_as_many_bytes_of_them_as_the_policy_says() {
    let server = seed();
    let rules = "kubernetes: {rules: [{nonResourceURLs: [/version], verbs: [get]}]}";
    let kwasm = |limits: &str| {
        let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Token));
        kwasm.spec(&format!("{{{limits}{rules}}}"))
    };
    kwasm("").run("floods-headers", &["100", "1"]).success();
    kwasm("").run("floods-headers", &["101", "1"]).fails(125);
    // `x-0` to `x-7`, three bytes each, with the 72 that each takes to be kept.
    let limits = "limits: {headers: 1Ki}, ";
    kwasm(limits).run("floods-headers", &["8", "53"]).success();
    let run = kwasm(limits).run("floods-headers", &["8", "54"]).fails(125);
    assert!(run.stderr.contains("one of its messages had more than 1 KiB of headers"), "{}", run.shown());
}

#[test]
fn a_run_has_as_many_requests_and_sockets_as_its_policy_says() {
    let server = seed();
    let rules = "kubernetes: {rules: [{apiGroups: [''], resources: [configmaps], verbs: [list, watch]}]}";
    for (most, count) in [(1, 1), (1, 2), (64, 64), (64, 65)] {
        let limits = format!("{{limits: {{requests: {most}, sockets: {most}}}, {rules}}}");
        let kwasm = Kwasm::new().kubeconfig(kubeconfig(&server, User::Certificate)).spec(&limits);
        for guest in ["floods-requests", "hoards-sockets"] {
            let run = kwasm.run(guest, &[&count.to_string()]);
            assert_eq!(run.code == Some(0), count <= most, "{guest} {count} of {most}: {}", run.shown());
        }
    }
}

#[test]
fn a_call_gives_a_mebibyte_of_random_bytes_and_a_guest_has_the_memory_of_its_policy() {
    let kwasm = Kwasm::new();
    kwasm.run("asks-for-random", &["1048576"]).success();
    kwasm.run("asks-for-random", &["1048577"]).fails(125);
    let kwasm = Kwasm::new().spec("{limits: {memory: 64Mi}}");
    let taken = kwasm.run("fills-memory", &["--trusting", "128"]).fails(125);
    assert!(taken.stderr.contains("it needed more than 64 MiB of memory"), "{}", taken.shown());
    kwasm.run("fills-memory", &["--trusting", "60"]).success();
}

#[test]
fn a_receipt_keeps_a_policy_as_long_as_it_has_a_mebibyte_itself() {
    let policy = "apiVersion: kwasm.dev/v1\nkind: Policy\nmetadata: {name: test}\nspec: {}\n";
    let hello = crate::support::component("hello");
    let install = |kwasm: &Kwasm, length: usize| {
        fs::write(kwasm.home().join("p.yaml"), format!("{policy}#{}\n", "x".repeat(length))).unwrap();
        kwasm.call(["install", hello.to_str().unwrap(), "--policy", "p.yaml"])
    };
    let kwasm = Kwasm::new();
    install(&kwasm, 1).success();
    let receipt = kwasm.home().join("data/plugins/hello/receipt.json");
    let head = usize::try_from(receipt.metadata().unwrap().len()).unwrap() - 1;
    install(&kwasm, MIB - head).success();
    assert_eq!(receipt.metadata().unwrap().len(), MIB as u64);
    assert_eq!(kwasm.call(["run", "hello"]).success().stdout, "hello from kwasm\n");
    let run = install(&kwasm, MIB - head + 1).fails(125);
    assert!(run.stderr.contains("it would have 1048577 bytes, of at most 1048576"), "{}", run.shown());
    assert_eq!(kwasm.call(["run", "hello"]).success().stdout, "hello from kwasm\n");
}
