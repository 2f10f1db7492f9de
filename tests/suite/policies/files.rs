//! Tests of files that are not policies, and of valid ones.

use insta::assert_snapshot;

use super::{HEAD, assert_form, check, told, with_spec};
use crate::support::{Kwasm, kubeconfig, seed};

#[test]
fn what_is_no_yaml_is_told_by_its_line() {
    let told = told(&[
        ("a tab", with_spec("\tdescription: x")),
        ("a quote that does not end", with_spec("  description: \"x")),
        ("a colon too many", with_spec("  description: a: b")),
        ("indentation that changes", with_spec("  limits:\n   memory: 1Gi\n    timeout: none")),
        (
            "an asterisk without quotes",
            with_spec("  kubernetes:\n    rules:\n      - {apiGroups: [*], resources: [pods], verbs: [get]}"),
        ),
        ("an alias of nothing", with_spec("  limits: *nothing")),
        ("an alias within itself", with_spec("  limits: &all [*all]")),
        ("a tag", with_spec("  description: !mine x")),
        ("a key that is a list", with_spec("  ? [a]\n  : b")),
        ("a second document", format!("{HEAD}spec: {{}}\n---\n{HEAD}spec: {{}}\n")),
        ("text after the end", format!("{HEAD}spec: {{}}\n...\nmore: true\n")),
        ("a bomb of aliases", bomb()),
        ("a tower of lists", with_spec(&format!("  kubernetes: {}{}", "[".repeat(100), "]".repeat(100)))),
        ("more than 1 MiB", format!("{HEAD}spec: {{}}\n{}", "#".repeat(1 << 20))),
        ("more than is read, cut within a letter", format!("{HEAD}spec: {{}}\n#{}", "ü".repeat(1 << 20))),
    ]);
    assert_snapshot!(told, @r#"
    # a tab
    kwasm: bad.yaml:5: it is not valid YAML
    hint: indent with spaces, not with tabs
    # a quote that does not end
    kwasm: bad.yaml:6: it is not valid YAML
    hint: check indentation, quotes and colons there and before
    # a colon too many
    kwasm: bad.yaml:5: it is not valid YAML
    hint: check indentation, quotes and colons there and before
    # indentation that changes
    kwasm: bad.yaml:7: it is not valid YAML
    hint: check indentation, quotes and colons there and before
    # an asterisk without quotes
    kwasm: bad.yaml:7: it is not valid YAML
    hint: put what has an asterisk in quotes: "*"
    # an alias of nothing
    kwasm: bad.yaml:5: it is not valid YAML
    hint: put what has an asterisk in quotes: "*"
    # an alias within itself
    kwasm: bad.yaml:5: it is not valid YAML
    hint: put what has an asterisk in quotes: "*"
    # a tag
    kwasm: bad.yaml:5: it is not valid YAML
    hint: put what has an exclamation mark in quotes
    # a key that is a list
    kwasm: bad.yaml:5: it is not valid YAML
    hint: check indentation, quotes and colons there and before
    # a second document
    kwasm: bad.yaml:6: a second document begins there
    hint: a policy is one document: remove what begins with `---`
    # text after the end
    kwasm: bad.yaml:6: a second document begins there
    hint: a policy is one document: remove what begins with `---`
    # a bomb of aliases
    kwasm: bad.yaml:5: it is deeper or larger than a policy can be
    hint: write it without anchors and aliases
    # a tower of lists
    kwasm: bad.yaml:5: it is deeper or larger than a policy can be
    hint: write it without anchors and aliases
    # more than 1 MiB
    kwasm: bad.yaml:1: it is longer than 1 MiB
    hint: a policy is a short YAML file
    # more than is read, cut within a letter
    kwasm: bad.yaml:1: it is longer than 1 MiB
    hint: a policy is a short YAML file
    "#);
}

/// Returns ten levels of nine aliases each: three and a half thousand million times `x`.
fn bomb() -> String {
    let mut text = "a: &a [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (of, name) in ('a'..='i').zip('b'..='j') {
        let line = format!("{name}: &{name} [{}]\n", vec![format!("*{of}"); 9].join(", "));
        text.push_str(&line);
    }
    text
}

#[test]
fn a_file_that_is_no_text_is_told_by_its_line() {
    let utf16: Vec<u8> = HEAD.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let told = told(&[
        ("a byte that is not a letter", [HEAD.as_bytes(), b"spec: {} # \xff\n"].concat()),
        ("UTF-16", [b"\xff\xfe".as_slice(), &utf16].concat()),
    ]);
    assert_snapshot!(told, @r"
    # a byte that is not a letter
    kwasm: bad.yaml:4: it is not UTF-8 text
    hint: save it as UTF-8
    # UTF-16
    kwasm: bad.yaml:1: it is not UTF-8 text
    hint: save it as UTF-8
    ");
}

#[test]
fn of_a_kubeconfig_that_is_given_by_mistake_no_word_is_shown() {
    let server = seed();
    let text = std::fs::read_to_string(kubeconfig(&server, kwasm_apiserver::User::Token)).unwrap();
    for text in [text.clone(), text.replace("kind:", "kind :\t- ")] {
        let run = check(&text).fails(2);
        assert_form(&run);
        let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 2);
        // The beginning of a policy is explained whatever the file is.
        for word in words.filter(|word| !["apiVersion", "kind", "kwasm"].contains(word)) {
            assert!(!run.stderr.contains(word), "{word}: {}", run.shown());
        }
    }
}

#[test]
fn what_cannot_be_read_is_told() {
    let kwasm = Kwasm::new();
    std::fs::create_dir(kwasm.home().join("folder.yaml")).unwrap();
    assert_snapshot!(kwasm.call(["policy", "check", "folder.yaml"]).shown(), @r"
    exit: 2
    --- stdout
    --- stderr
    kwasm: folder.yaml: it cannot be read: it is a folder
    hint: a policy is one of the built-in ones, or a YAML file
    ");
    assert_snapshot!(kwasm.call(["policy", "check", "missing.yaml"]).shown(), @r"
    exit: 2
    --- stdout
    --- stderr
    kwasm: missing.yaml: it cannot be read: there is no such file
    hint: a policy is one of the built-in ones, or a YAML file
    ");
}

#[test]
fn a_fault_cannot_drive_the_terminal() {
    let run = check(with_spec("  \"x\\e[2J\\nkwasm: fine\": 1")).fails(2);
    assert_snapshot!(run.stderr, @r"
    kwasm: bad.yaml:5: spec.x\u{1b}[2J\u{a}kwasm: fine: there is no such key
    hint: its keys are description, kubernetes, files, environment, network, flags, limits, stableOnly
    ");
}

#[test]
fn the_faults_of_several_files_are_told_together_and_not_without_end() {
    let kwasm = Kwasm::new();
    std::fs::write(kwasm.home().join("one.yaml"), "spec: {}\n").unwrap();
    std::fs::write(kwasm.home().join("two.yaml"), with_spec(&"  x: y\n".repeat(30))).unwrap();
    let run = kwasm.call(["policy", "check", "one.yaml", "two.yaml"]).fails(2);
    let of =
        |file: &str| run.stderr.lines().filter(|line| line.starts_with(&format!("kwasm: {file}:"))).count();
    assert_eq!((of("one.yaml"), of("two.yaml")), (3, 17), "{}", run.shown());
    assert!(run.stderr.ends_with("\nkwasm: and 13 more\n"), "{}", run.shown());
}

#[test]
fn the_policies_that_kwasm_brings_along_are_good() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<_> = files.filter(|file| file.extension().is_some_and(|end| end == "yaml")).collect();
    files.sort();
    for file in &files {
        let name = file.file_stem().unwrap().to_str().unwrap();
        let run = Kwasm::new().call(["policy".as_ref(), "check".as_ref(), file.as_os_str()]).success();
        assert!(run.stderr.contains(&format!("policy `{name}`: ")), "{}", run.shown());
    }
    let all =
        ["policy".as_ref(), "check".as_ref()].into_iter().chain(files.iter().map(|file| file.as_os_str()));
    assert_eq!(Kwasm::new().call(all).success().stderr.lines().count(), files.len());
}

/// All that there is in a policy.
const EVERYTHING: &str = "\
apiVersion: kwasm.dev/v1
kind: Policy
metadata:
  name: everything
spec:
  description: All that there is in a policy.
  kubernetes:
    contexts: [current, prod]
    impersonate: true
    rules:
      - apiGroups: [\"\", apps]
        resources: [pods, pods/log, \"*/scale\"]
        verbs: [get, list, watch, create, update, patch, delete, deletecollection, proxy]
        namespaces: [current, shop]
        resourceNames: [db, \"1.10\"]
        except: [pods/exec]
        reason: Does it all.
        optional: true
      - {nonResourceURLs: [/version, \"/openapi/*\"], verbs: [get, head]}
  files:
    - {path: ., access: read-only}
    - {path: $XDG_CACHE_HOME/everything, access: read-write}
  environment: [EDITOR, \"MY_*\"]
  network:
    - {host: api.github.com, port: 8443}
    - {host: 10.0.0.1, private: true}
    - {host: \"[::1]\", private: true}
  limits: {memory: 512Mi, timeout: 1h30m, requests: 64, sockets: 64, headers: 128Ki, reuse: 2}
";

#[test]
fn a_policy_with_every_key_is_good_in_each_way_to_write_it() {
    let crlf = EVERYTHING.replace('\n', "\r\n");
    for text in [EVERYTHING, &crlf, &format!("\u{feff}{EVERYTHING}"), &format!("---\n{EVERYTHING}...\n")] {
        let run = check(text).success();
        assert_eq!(run.stderr, "bad.yaml: policy `everything`: rules: 2, hosts: 3, files: 2, variables: 2\n");
    }
    let json =
        r#"{"apiVersion": "kwasm.dev/v1", "kind": "Policy", "metadata": {"name": "json"}, "spec": {}}"#;
    assert_eq!(check(json).success().stderr, "bad.yaml: policy `json`: rules: 0, hosts: 0\n");
}
