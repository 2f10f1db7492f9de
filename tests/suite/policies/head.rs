//! Tests of a policy's beginning.

use insta::assert_snapshot;

use super::{HEAD, told, with_spec};

/// Returns files that do not begin like a policy.
fn beginnings() -> Vec<(&'static str, String)> {
    vec![
        ("nothing", String::new()),
        ("nothing but a comment", "# a policy\n".to_owned()),
        ("a list", "- a\n- b\n".to_owned()),
        ("a text", "hello\n".to_owned()),
        ("no apiVersion", "kind: Policy\nmetadata: {name: test}\nspec: {}\n".to_owned()),
        (
            "another apiVersion",
            "apiVersion: kwasm.dev/v2\nkind: Policy\nmetadata: {name: test}\nspec: {}\n".to_owned(),
        ),
        ("no kind", "apiVersion: kwasm.dev/v1\nmetadata: {name: test}\nspec: {}\n".to_owned()),
        (
            "a kind in other letters",
            "apiVersion: kwasm.dev/v1\nkind: policy\nmetadata: {name: test}\nspec: {}\n".to_owned(),
        ),
        (
            "another kind",
            "apiVersion: v1\nkind: Pod\nmetadata: {name: test}\nspec: {hostNetwork: true}\n".to_owned(),
        ),
        ("no metadata", "apiVersion: kwasm.dev/v1\nkind: Policy\nspec: {}\n".to_owned()),
        ("no name", "apiVersion: kwasm.dev/v1\nkind: Policy\nmetadata: {}\nspec: {}\n".to_owned()),
        (
            "a name that is a number",
            "apiVersion: kwasm.dev/v1\nkind: Policy\nmetadata:\n  name: 1.10\nspec: {}\n".to_owned(),
        ),
        (
            "a name with capitals",
            "apiVersion: kwasm.dev/v1\nkind: Policy\nmetadata:\n  name: My_Policy\nspec: {}\n".to_owned(),
        ),
        (
            "labels",
            "apiVersion: kwasm.dev/v1\nkind: Policy\nmetadata:\n  name: test\n  labels: {a: b}\nspec: {}\n"
                .to_owned(),
        ),
        ("no spec", HEAD.to_owned()),
        ("an empty spec", format!("{HEAD}spec:\n")),
        ("a spec that is a list", format!("{HEAD}spec: []\n")),
    ]
}

#[test]
fn what_a_policy_begins_with_is_named_where_it_is_missing_or_wrong() {
    let told = told(&beginnings());
    assert_snapshot!(told, @r"
    # nothing
    kwasm: bad.yaml:1: it is empty
    hint: a policy begins with `apiVersion: kwasm.dev/v1` and `kind: Policy`
    # nothing but a comment
    kwasm: bad.yaml:2: it is empty
    hint: a policy begins with `apiVersion: kwasm.dev/v1` and `kind: Policy`
    # a list
    kwasm: bad.yaml:1: it is a list, not a map
    hint: its keys are apiVersion, kind, metadata, spec
    # a text
    kwasm: bad.yaml:1: it is a single value, not a map
    hint: its keys are apiVersion, kind, metadata, spec
    # no apiVersion
    kwasm: bad.yaml:1: apiVersion: it is missing
    hint: write `apiVersion: kwasm.dev/v1`
    # another apiVersion
    kwasm: bad.yaml:1: apiVersion: this version of kwasm supports only kwasm.dev/v1
    hint: write `apiVersion: kwasm.dev/v1`
    # no kind
    kwasm: bad.yaml:1: kind: it is missing
    hint: write `kind: Policy`
    # a kind in other letters
    kwasm: bad.yaml:2: kind: this version of kwasm supports only Policy
    hint: write `kind: Policy`
    # another kind
    kwasm: bad.yaml:2: kind: this is not a policy
    hint: a policy begins with `apiVersion: kwasm.dev/v1` and `kind: Policy`
    # no metadata
    kwasm: bad.yaml:1: metadata: it is missing
    hint: write `metadata: {name: NAME}`
    # no name
    kwasm: bad.yaml:3: metadata.name: it is missing
    hint: write `metadata: {name: NAME}`
    # a name that is a number
    kwasm: bad.yaml:4: metadata.name: YAML reads it as a number
    hint: put it in quotes
    # a name with capitals
    kwasm: bad.yaml:4: metadata.name: `My_Policy` is not a valid name
    hint: a name is up to 63 lower-case letters, digits and dashes
    # labels
    kwasm: bad.yaml:5: metadata.labels: there is no such key
    hint: its only key is name
    # no spec
    kwasm: bad.yaml:1: spec: it is missing
    hint: `spec: {}` allows nothing
    # an empty spec
    kwasm: bad.yaml:4: spec: it is nothing
    hint: `spec: {}` allows nothing
    # a spec that is a list
    kwasm: bad.yaml:4: spec: it is a list, not a map
    hint: its keys are description, kubernetes, files, environment, network, flags, limits, stableOnly
    ");
}

#[test]
fn a_key_is_known_and_there_once() {
    let told = told(&[
        ("a key with a letter missing", with_spec("  kubernets: {}")),
        ("a key of nothing known", with_spec("  everything: true")),
        ("a key in the wrong place", format!("{HEAD}spec: {{}}\nrules: []\n")),
        ("a key that appears twice", with_spec("  description: a\n  limits: {}\n  description: b")),
        ("keys that YAML would merge", with_spec("  kubernetes: &all {contexts: [current]}\n  <<: *all")),
        ("a flag that is the plugin's anyhow", with_spec("  flags: {own: [\"-s\", --user, --mine]}")),
        ("a description that is a list", with_spec("  description: [a, b]")),
        ("a cluster that is nothing", with_spec("  kubernetes:")),
        ("contexts that are not a list", with_spec("  kubernetes:\n    contexts: current")),
        ("contexts that are none", with_spec("  kubernetes:\n    contexts: []")),
        ("neither true nor false", with_spec("  kubernetes:\n    impersonate: maybe")),
    ]);
    assert_snapshot!(told, @r#"
    # a key with a letter missing
    kwasm: bad.yaml:5: spec.kubernets: there is no such key
    hint: do you mean kubernetes?
    # a key of nothing known
    kwasm: bad.yaml:5: spec.everything: there is no such key
    hint: its keys are description, kubernetes, files, environment, network, flags, limits, stableOnly
    # a key in the wrong place
    kwasm: bad.yaml:5: rules: there is no such key
    hint: its keys are apiVersion, kind, metadata, spec
    # a key that appears twice
    kwasm: bad.yaml:7: spec.description: it is given twice
    hint: remove one of them
    # keys that YAML would merge
    kwasm: bad.yaml:6: spec.<<: there is no such key
    hint: its keys are description, kubernetes, files, environment, network, flags, limits, stableOnly
    # a flag that is the plugin's anyhow
    kwasm: bad.yaml:5: spec.flags.own[2]: it is not one of kubectl's connection flags, so the plugin gets it anyway
    hint: write only flags that kubectl has too, e.g. "-s"
    # a description that is a list
    kwasm: bad.yaml:5: spec.description: it is a list, not a single value
    hint: write one sentence
    # a cluster that is nothing
    kwasm: bad.yaml:5: spec.kubernetes: it is nothing, not a map
    hint: its keys are contexts, impersonate, rules
    # contexts that are not a list
    kwasm: bad.yaml:6: spec.kubernetes.contexts: it is a single value, not a list
    hint: write it as a list: in brackets, with commas
    # contexts that are none
    kwasm: bad.yaml:6: spec.kubernetes.contexts: without contexts it covers nothing
    hint: write "*" for all, or a list: [current], or context names
    # neither true nor false
    kwasm: bad.yaml:6: spec.kubernetes.impersonate: it is a single value, and neither true nor false
    hint: write true or false
    "#);
}
