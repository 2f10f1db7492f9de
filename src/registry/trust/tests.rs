use std::cell::RefCell;
use std::io;
use std::path::Path;

use bytes::Bytes;

use super::*;
use crate::document::Fault;

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../../tests/fixtures/signatures/", $name))
    };
}

const HEAD: &str = "apiVersion: kwasm.dev/v1\nkind: Trust\n";

/// Reads a file located beside the keys of the fixtures.
fn read(text: &str) -> Result<Trust, Vec<Fault>> {
    Trust::read(Path::new("/home/me/trust.yaml"), text, |path| {
        match path.strip_prefix("/home/me").ok().and_then(Path::to_str) {
            Some("team.pub" | "again.pub") => Ok(fixture!("ecdsa.pub").into()),
            Some("keys/other.pub") => Ok(fixture!("other.pub").into()),
            Some("broken.pub") => Ok(b"broken".into()),
            _ => Err(io::Error::new(io::ErrorKind::NotFound, "no such file")),
        }
    })
}

pub(super) fn trust(rest: &str) -> Trust {
    read(&format!("{HEAD}{rest}")).unwrap()
}

#[track_caller]
fn fault(rest: &str) -> String {
    shown(&read(&format!("{HEAD}{rest}")).unwrap_err())
}

fn shown(faults: &[Fault]) -> String {
    faults.iter().map(|fault| format!("{fault}\n    {}", fault.hint)).collect::<Vec<_>>().join("\n")
}

/// Returns an artifact and its signature by `team.pub`.
pub(super) fn artifact() -> (Digest, Evidence) {
    let bundle = Evidence::Bundle(Bytes::from_static(fixture!("ecdsa-bundle.json").as_bytes()));
    (Digest::of(fixture!("manifest.json").as_bytes()), bundle)
}

pub(super) const RULES: &str = "\
default: warn
rules:
  - registry: registry.example.com
    signatures: ignore
  - registry: registry.example.com/team
    signatures: require
    keys: {anyOf: [keys/other.pub, team.pub]}
  - registry: Registry.Example.com:5000/team
    signatures: require
    keys: {allOf: [team.pub, keys/other.pub]}
  - namespace: acme
    signatures: warn
    keys:
      anyOf:
        - keys/other.pub
";

/// Describes the verdicts on an artifact signed by `team.pub`, and on the same without its signature.
fn judged(trust: &Trust, repository: &str, namespace: Option<&str>) -> String {
    let (manifest, evidence) = artifact();
    let demand = trust.demand(repository, namespace);
    let one = |evidence: &[Evidence]| match demand.judge(manifest, evidence) {
        Err(refusal) => {
            let source = std::error::Error::source(&refusal);
            source.map_or_else(
                || format!("refused: {refusal}"),
                |source| format!("refused: {refusal}: {source}"),
            )
        }
        Ok(verdict) if verdict == Verdict::default() => "nothing asked".to_owned(),
        Ok(verdict) => {
            let signers = verdict.signers().iter().map(|signer| format!("signed by {}", signer.name()));
            let warnings = verdict.warnings().iter().map(|warning| format!("warning: {warning}"));
            signers.chain(warnings).collect::<Vec<_>>().join("; ")
        }
    };
    format!("{}\n{}", one(&[evidence]), one(&[]))
}

#[test]
fn the_longest_prefix_that_matches_by_whole_segments_counts() {
    let trust = trust(RULES);
    insta::assert_snapshot!(judged(&trust, "registry.example.com/team/x", None), @r"
    signed by team.pub
    refused: the rule for registry.example.com/team (/home/me/trust.yaml:7) requires a signature: it is not signed
    ");
    insta::assert_snapshot!(judged(&trust, "registry.example.com/team", None), @r"
    signed by team.pub
    refused: the rule for registry.example.com/team (/home/me/trust.yaml:7) requires a signature: it is not signed
    ");
    insta::assert_snapshot!(judged(&trust, "registry.example.com/teams/x", None), @r"
    nothing asked
    nothing asked
    ");
    insta::assert_snapshot!(judged(&trust, "registry.example.com:5000/team/x/y", None), @r"
    refused: the rule for registry.example.com:5000/team (/home/me/trust.yaml:10) requires a signature: it is signed by `team.pub`, but not by `keys/other.pub`
    refused: the rule for registry.example.com:5000/team (/home/me/trust.yaml:10) requires a signature: it is not signed
    ");
    insta::assert_snapshot!(judged(&trust, "registry.example.com:5000/x", None), @r"
    warning: no rule of /home/me/trust.yaml names registry.example.com:5000/x, and its default requires a signature
    warning: no rule of /home/me/trust.yaml names registry.example.com:5000/x, and its default requires a signature
    ");
}

#[test]
fn a_package_is_held_to_the_rules_of_its_namespace_and_of_its_registry() {
    let trust = trust(RULES);
    insta::assert_snapshot!(judged(&trust, "registry.example.com/team/x", Some("acme")), @r"
    signed by team.pub; warning: the rule for the namespace acme (/home/me/trust.yaml:13) requires a signature: its signature does not verify with `keys/other.pub`
    refused: the rule for registry.example.com/team (/home/me/trust.yaml:7) requires a signature: it is not signed
    ");
    insta::assert_snapshot!(judged(&trust, "ghcr.io/x", Some("acme")), @r"
    warning: the rule for the namespace acme (/home/me/trust.yaml:13) requires a signature: its signature does not verify with `keys/other.pub`
    warning: the rule for the namespace acme (/home/me/trust.yaml:13) requires a signature: it is not signed
    ");
    insta::assert_snapshot!(judged(&trust, "ghcr.io/x", Some("acm")), @r"
    warning: no rule of /home/me/trust.yaml names ghcr.io/x, and its default requires a signature
    warning: no rule of /home/me/trust.yaml names ghcr.io/x, and its default requires a signature
    ");
}

#[test]
fn no_rule_is_got_around_by_another_spelling_of_its_host() {
    let text = "rules: [{registry: docker.io/acme, signatures: require, keys: {anyOf: [team.pub]}},
                        {registry: 'reg.example.com:443', signatures: require, keys: {anyOf: [team.pub]}},
                        {registry: '[::1]:5000', signatures: require, keys: {anyOf: [team.pub]}}]";
    let trust = trust(text);
    for repository in [
        "docker.io/acme/x",
        "index.docker.io/acme/x",
        "registry-1.docker.io:443/acme/x",
        "DOCKER.io/acme",
        "docker.io/acme:1.0.0",
        concat!("docker.io/acme@sha256:", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
        "docker.io/library/acme",
        "reg.example.com/x",
        "REG.example.com.:443/x",
        "reg.example.com:0443/x",
        "[::1]:5000/x",
        "[0:0::1]:05000/x",
    ] {
        assert!(trust.demand(repository, None).needs_evidence(), "{repository}");
    }
    for repository in [
        "docker.io/acmes/x",
        "docker.io/x/acme",
        "docker.io/library/acme/x",
        "docker.io:5000/acme/x",
        "reg.example.com:80/x",
        "[::1]/x",
    ] {
        assert!(!trust.demand(repository, None).needs_evidence(), "{repository}");
    }
}

#[test]
fn at_docker_hub_a_rule_holds_for_a_repository_and_the_namespace_of_its_name() {
    let text = "rules: [{registry: index.docker.io/library, signatures: ignore},
                        {registry: docker.io/x, signatures: require, keys: {anyOf: [team.pub]}},
                        {registry: docker.io/y, signatures: require, keys: {anyOf: [team.pub]}},
                        {registry: docker.io/library/y, signatures: ignore}]";
    let trust = trust(text);
    for (repository, asks) in [
        ("docker.io/x", true),
        ("docker.io/library/x", true),
        ("registry-1.docker.io/x/z", true),
        ("docker.io/y/z", true),
        ("docker.io/y", false),
        ("docker.io/z", false),
    ] {
        assert_eq!(trust.demand(repository, None).asks(), asks, "{repository}");
    }
}

#[test]
fn an_artifact_of_two_names_is_held_to_the_rules_of_both() {
    let text = "rules: [{registry: a.example, signatures: require, keys: {anyOf: [team.pub]}},
                        {registry: b.example, signatures: ignore},
                        {registry: c.example, signatures: ignore},
                        {namespace: acme, signatures: warn, keys: {anyOf: [keys/other.pub]}}]";
    let trust = trust(text);
    let both =
        |one: &str, other: &str, namespace| trust.demand(one, namespace).and(trust.demand(other, namespace));
    let manifest = artifact().0;
    for (one, other) in [("a.example/x", "b.example/x"), ("b.example/x", "a.example/x")] {
        let demand = both(one, other, None);
        assert!(demand.asks() && !demand.ignores() && demand.judge(manifest, &[]).is_err(), "{one}, {other}");
    }
    assert!(both("b.example/x", "c.example/x", None).ignores());
    assert!(!both("b.example/x", "d.example/x", None).ignores());
    // What both ask is asked once.
    let verdict = both("b.example/x", "c.example/x", Some("acme")).judge(manifest, &[]).unwrap();
    assert_eq!(verdict.warnings().len(), 1);
}

#[test]
fn without_a_rule_the_default_counts_and_nobodys_signature_will_do() {
    insta::assert_snapshot!(judged(&trust("default: require\n"), "ghcr.io/x", None), @r"
    refused: no rule of /home/me/trust.yaml names ghcr.io/x, and its default requires a signature
    refused: no rule of /home/me/trust.yaml names ghcr.io/x, and its default requires a signature
    ");
    assert!(!trust("default: require\n").demand("ghcr.io/x", None).needs_evidence());
    insta::assert_snapshot!(judged(&trust(""), "ghcr.io/x", None), @r"
    nothing asked
    nothing asked
    ");
    insta::assert_snapshot!(judged(&Trust::default(), "ghcr.io/x", Some("acme")), @r"
    nothing asked
    nothing asked
    ");
}

#[test]
fn a_key_may_be_written_in_the_file_and_is_called_by_its_line() {
    let pem = fixture!("ecdsa.pub").replace('\n', "\n        ");
    let text = format!(
        "rules:\n  - registry: ghcr.io\n    signatures: require\n    keys:\n      anyOf:\n      - |\n        {pem}\n"
    );
    insta::assert_snapshot!(judged(&trust(&text), "ghcr.io/x", None), @r"
    signed by trust.yaml:9
    refused: the rule for ghcr.io (/home/me/trust.yaml:4) requires a signature: it is not signed
    ");
}

#[track_caller]
fn fault_of_rule(rest: &str) -> String {
    fault(&format!("rules:\n  - registry: ghcr.io\n{rest}"))
}

#[test]
fn each_fault_of_a_file_has_its_line_and_its_cure() {
    let told = [
        shown(&read("").unwrap_err()),
        shown(&read("kind: Trust\n").unwrap_err()),
        shown(&read("apiVersion: kwasm.dev/v1\nkind: Policy\n").unwrap_err()),
        shown(&read("apiVersion: kwasm.dev/v2\nkind: Trust\n").unwrap_err()),
        fault("defaults: warn\n"),
        fault("default: strict\n"),
        fault("default: warn\ndefault: ignore\n"),
        fault("default:\n"),
        fault("rules:\n"),
        fault("rules: []\n"),
        fault("rules: {}\n"),
        fault("rules: [a\n"),
        fault("---\nrules: []\n"),
        fault_of_rule(""),
        fault_of_rule("    signatures: require\n"),
        fault_of_rule("    signatures: ignore\n  - registry: ghcr.io:443\n    signatures: ignore\n"),
        fault_of_rule("    signature: require\n    key: {anyOf: [team.pub]}\n"),
        fault_of_rule("    signatures: true\n"),
    ];
    insta::assert_snapshot!(told.join("\n"), @r"
    /home/me/trust.yaml:1: it is empty
        a trust file begins with `apiVersion: kwasm.dev/v1` and `kind: Trust`
    /home/me/trust.yaml:1: apiVersion: it is missing
        write `apiVersion: kwasm.dev/v1`
    /home/me/trust.yaml:2: kind: this is not a trust file
        a trust file begins with `apiVersion: kwasm.dev/v1` and `kind: Trust`
    /home/me/trust.yaml:1: apiVersion: this version of kwasm supports only kwasm.dev/v1
        write `apiVersion: kwasm.dev/v1`
    /home/me/trust.yaml:3: defaults: there is no such key
        do you mean default?
    /home/me/trust.yaml:3: default: it is not one of ignore, require, warn
        write one of them
    /home/me/trust.yaml:4: default: it is given twice
        remove one of them
    /home/me/trust.yaml:3: default: it is nothing, not a single value
        write `ignore`, `warn` or `require`
    /home/me/trust.yaml:3: rules: it is nothing, not a list
        write it in brackets, or a dash before each item
    /home/me/trust.yaml:3: rules: there is no rule in the list
        add one, or remove `rules`
    /home/me/trust.yaml:3: rules: it is a map, not a list
        write it in brackets, or a dash before each item
    /home/me/trust.yaml:3: it is not valid YAML
        check indentation, quotes and colons there and before
    /home/me/trust.yaml:4: a second document begins there
        a trust file is one document: remove what begins with `---`
    /home/me/trust.yaml:4: rules[0].signatures: it is missing
        write `signatures: ignore`, `warn` or `require`
    /home/me/trust.yaml:5: rules[0].signatures: without `keys`, no signature of ghcr.io is accepted
        write e.g. `keys: {anyOf: [team.pub]}`
    /home/me/trust.yaml:6: rules[1]: there is a rule for ghcr.io already, at line 4
        make one rule of them
    /home/me/trust.yaml:5: rules[0].signature: there is no such key
        do you mean signatures?
    /home/me/trust.yaml:6: rules[0].key: there is no such key
        do you mean keys?
    /home/me/trust.yaml:5: rules[0].signatures: YAML reads it as true or false
        write `ignore`, `warn` or `require`
    ");
}

#[test]
fn each_fault_of_keys_has_its_line_and_its_cure() {
    let keys = |keys: &str| fault_of_rule(&format!("    signatures: require\n    keys: {keys}\n"));
    let told = [
        keys("{}"),
        keys("{anyOf: []}"),
        keys("[team.pub]"),
        keys("{anyOf: [team.pub], allOf: [team.pub]}"),
        keys("{oneOf: [team.pub]}"),
        keys("{allOf: [team.pub, again.pub]}"),
        keys("{anyOf: [team.pub, gone.pub]}"),
        keys("{anyOf: [broken.pub]}"),
        keys("{anyOf: ['-----BEGIN EC PRIVATE KEY-----']}"),
    ];
    insta::assert_snapshot!(told.join("\n"), @r"
    /home/me/trust.yaml:6: rules[0].keys: there is neither `anyOf` nor `allOf`
        write `anyOf`, where one key has to sign, or `allOf`, where all keys have to
    /home/me/trust.yaml:6: rules[0].keys.anyOf: there is no key in it
        name a file beside this one, or write the PEM text itself
    /home/me/trust.yaml:6: rules[0].keys: it is a list, not a map
        its keys are anyOf, allOf
    /home/me/trust.yaml:6: rules[0].keys: there is both `anyOf` and `allOf`
        write `anyOf`, where one key has to sign, or `allOf`, where all keys have to
    /home/me/trust.yaml:6: rules[0].keys.oneOf: there is no such key
        do you mean anyOf?
    /home/me/trust.yaml:6: rules[0].keys.allOf: `team.pub` and `again.pub` are the same key
        remove one of them
    /home/me/trust.yaml:6: rules[0].keys.anyOf[1]: the key `gone.pub` cannot be read: no such file
        a key is a file beside this one, an absolute path, or the PEM text itself
    /home/me/trust.yaml:6: rules[0].keys.anyOf[0]: the key `broken.pub`: it has no line -----BEGIN PUBLIC KEY-----
        cosign public-key --key KEY prints the public key of a private one
    /home/me/trust.yaml:6: rules[0].keys.anyOf[0]: the key here: it holds a private key, which only its owner should have, and only public keys of ECDSA (P-256, P-384, P-521), RSA and Ed25519 are supported
        cosign public-key --key KEY prints the public key of a private one
    ");
}

#[test]
fn each_fault_of_a_scope_has_its_line_and_its_cure() {
    let scope = |scope: &str| fault(&format!("rules:\n  - {{{scope}, signatures: ignore}}\n"));
    let told = [
        scope("registry: ghcr.io, namespace: acme"),
        fault("rules:\n  - signatures: ignore\n"),
        scope("registry: 'https://ghcr.io'"),
        scope("registry: '*.ghcr.io'"),
        scope("registry: ghcr.io/acme/"),
        scope("registry: 'ghcr.io:99999'"),
        scope("registry: 'me@ghcr.io'"),
        scope("registry: 'ghcr.io/acme:1.0.0'"),
        scope("registry: ghcr.io/a._b"),
        scope("registry: '0xa000001:5000'"),
        scope("namespace: 'acme:x'"),
    ];
    insta::assert_snapshot!(told.join("\n"), @r"
    /home/me/trust.yaml:4: rules[0]: a rule is about a registry or a namespace, and this one is about both
        make two rules of it
    /home/me/trust.yaml:4: rules[0]: the rule names neither a registry nor a namespace
        write `registry: HOST[:PORT][/PREFIX]` or `namespace: NAME`
    /home/me/trust.yaml:4: rules[0].registry: `https://ghcr.io` has a scheme: write HOST[:PORT][/PREFIX] alone
        e.g. `registry: ghcr.io/acme`, or `namespace: acme`
    /home/me/trust.yaml:4: rules[0].registry: `*.ghcr.io` has a wildcard: a prefix covers all that is below it
        e.g. `registry: ghcr.io/acme`, or `namespace: acme`
    /home/me/trust.yaml:4: rules[0].registry: `ghcr.io/acme/` is not HOST[:PORT][/PREFIX]
        e.g. `registry: ghcr.io/acme`, or `namespace: acme`
    /home/me/trust.yaml:4: rules[0].registry: `ghcr.io:99999` is not HOST[:PORT][/PREFIX]
        e.g. `registry: ghcr.io/acme`, or `namespace: acme`
    /home/me/trust.yaml:4: rules[0].registry: `me@ghcr.io` is not HOST[:PORT][/PREFIX]
        e.g. `registry: ghcr.io/acme`, or `namespace: acme`
    /home/me/trust.yaml:4: rules[0].registry: `ghcr.io/acme:1.0.0` is not HOST[:PORT][/PREFIX]
        e.g. `registry: ghcr.io/acme`, or `namespace: acme`
    /home/me/trust.yaml:4: rules[0].registry: `ghcr.io/a._b` is not HOST[:PORT][/PREFIX]
        e.g. `registry: ghcr.io/acme`, or `namespace: acme`
    /home/me/trust.yaml:4: rules[0].registry: `0xa000001:5000`: its host is an address not in the form of four decimal numbers: write it as 192.0.2.1
        e.g. `registry: ghcr.io/acme`, or `namespace: acme`
    /home/me/trust.yaml:4: rules[0].namespace: `acme:x` is not a valid namespace: it is the `acme` of packages acme:NAME
        e.g. `registry: ghcr.io/acme`, or `namespace: acme`
    ");
}

#[test]
fn nothing_of_what_may_be_a_private_key_is_shown() {
    for rest in
        ["rules: sesame\n", "rules: [sesame]\n", "default: sesame\n", "rules: [{registry: [sesame]}]\n"]
    {
        assert!(!fault(rest).contains("sesame"), "{}", fault(rest));
    }
    // The base64 of a key, without its PEM, or as a key of a map.
    let key = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg";
    let of = |keys: &str| format!("rules: [{{registry: ghcr.io, signatures: require, keys: {keys}}}]\n");
    for keys in [
        format!("{{anyOf: [{key}]}}"),
        format!("{{allOf: [\"{key}\\n{key}\"]}}"),
        format!("{{{key}: x}}"),
        format!("{{anyOf: [{{{key}: {key}}}]}}"),
        format!("{{anyOf: {key}}}"),
        format!("{{anyOf: ['-----BEGIN PRIVATE KEY-----{key}']}}"),
        key.to_owned(),
    ] {
        assert!(!fault(&of(&keys)).contains(key), "{}", fault(&of(&keys)));
    }
}

#[test]
fn all_faults_of_a_file_are_reported_each_with_line_key_and_cure() {
    let text = "\
apiVersion: kwasm.dev/v2
kind: Trust
defaults: warn
rules:
  - registry: https://ghcr.io
    signatures: always
    keys: {anyOf: [team.pub, gone.pub, broken.pub]}
  - signatures: require
  - namespace: acme
    signatures: require
  - registry: reg.example
    namespace: acme
    keys: {}
  - namespace: acme
    signatures: ignore
";
    insta::assert_snapshot!(shown(&read(text).unwrap_err()), @r"
    /home/me/trust.yaml:1: apiVersion: this version of kwasm supports only kwasm.dev/v1
        write `apiVersion: kwasm.dev/v1`
    /home/me/trust.yaml:3: defaults: there is no such key
        do you mean default?
    /home/me/trust.yaml:5: rules[0].registry: `https://ghcr.io` has a scheme: write HOST[:PORT][/PREFIX] alone
        e.g. `registry: ghcr.io/acme`, or `namespace: acme`
    /home/me/trust.yaml:6: rules[0].signatures: it is not one of ignore, require, warn
        write one of them
    /home/me/trust.yaml:7: rules[0].keys.anyOf[1]: the key `gone.pub` cannot be read: no such file
        a key is a file beside this one, an absolute path, or the PEM text itself
    /home/me/trust.yaml:7: rules[0].keys.anyOf[2]: the key `broken.pub`: it has no line -----BEGIN PUBLIC KEY-----
        cosign public-key --key KEY prints the public key of a private one
    /home/me/trust.yaml:8: rules[1]: the rule names neither a registry nor a namespace
        write `registry: HOST[:PORT][/PREFIX]` or `namespace: NAME`
    /home/me/trust.yaml:8: rules[1].signatures: without `keys`, no signature is accepted
        write e.g. `keys: {anyOf: [team.pub]}`
    /home/me/trust.yaml:10: rules[2].signatures: without `keys`, no signature of the namespace acme is accepted
        write e.g. `keys: {anyOf: [team.pub]}`
    /home/me/trust.yaml:11: rules[3]: a rule is about a registry or a namespace, and this one is about both
        make two rules of it
    /home/me/trust.yaml:11: rules[3].signatures: it is missing
        write `signatures: ignore`, `warn` or `require`
    /home/me/trust.yaml:13: rules[3].keys: there is neither `anyOf` nor `allOf`
        write `anyOf`, where one key has to sign, or `allOf`, where all keys have to
    /home/me/trust.yaml:14: rules[4]: there is a rule for the namespace acme already, at line 9
        make one rule of them
    ");
}

#[test]
fn keys_are_looked_for_beside_the_file_or_where_their_path_says() {
    let asked = RefCell::new(Vec::new());
    let read = |key: &str| {
        let text = format!("{HEAD}rules: [{{namespace: a, signatures: ignore, keys: {{anyOf: [{key}]}}}}]");
        let key = |path: &Path| {
            asked.borrow_mut().push(path.to_owned());
            Err(io::Error::other("x"))
        };
        // Even where signatures are ignored, a key that is named has to be there.
        assert!(Trust::read(Path::new("/home/me/trust.yaml"), &text, key).is_err());
    };
    read("a.pub");
    read("/etc/keys/a.pub");
    assert_eq!(asked.into_inner(), [Path::new("/home/me/a.pub"), Path::new("/etc/keys/a.pub")]);
}

#[test]
fn a_file_that_is_not_there_asks_for_nothing_and_one_that_cannot_be_read_is_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trust.yaml");
    assert!(!Trust::load(&file).unwrap().demand("ghcr.io/x", None).needs_evidence());
    let unreadable = Trust::load(folder.path()).unwrap_err();
    assert_eq!(unreadable[0].what, "it cannot be read: it is not a file");
    assert_eq!(unreadable[0].line, None);

    std::fs::write(&file, format!("{HEAD}{RULES}")).unwrap();
    let faults = Trust::load(&file).unwrap_err();
    let lines: Vec<_> = faults.iter().map(|fault| fault.line.unwrap()).collect();
    assert_eq!(lines, [9, 9, 12, 12, 17], "one for each file of a key: {faults:?}");
    assert!(faults[0].what.starts_with("the key `keys/other.pub` cannot be read: "), "{}", faults[0]);

    std::fs::create_dir(folder.path().join("keys")).unwrap();
    std::fs::write(folder.path().join("keys/other.pub"), fixture!("other.pub")).unwrap();
    std::fs::write(folder.path().join("team.pub"), fixture!("ecdsa.pub")).unwrap();
    assert!(Trust::load(&file).unwrap().demand("registry.example.com/team/x", None).needs_evidence());

    std::fs::write(&file, vec![b' '; (1 << 20) + 1]).unwrap();
    assert_eq!(Trust::load(&file).unwrap_err()[0].what, "it cannot be read: it is longer than 1 MiB");
    std::fs::write(&file, [0xff]).unwrap();
    assert_eq!(Trust::load(&file).unwrap_err()[0].what, "it cannot be read: it is not UTF-8 text");
}
