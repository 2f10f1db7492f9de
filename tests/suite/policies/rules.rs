//! Rules.

use insta::assert_snapshot;

use super::{told, with_spec};

/// Returns a policy with this one rule, in line 7.
fn rule(rule: &str) -> String {
    with_spec(&format!("  kubernetes:\n    rules:\n      - {rule}"))
}

#[test]
fn a_rule_about_resources_has_groups_resources_and_verbs() {
    let told = told(&[
        ("rules that are a map", with_spec("  kubernetes:\n    rules:\n      apiGroups: [\"\"]")),
        ("a rule that is a text", rule("pods")),
        ("nothing in it", rule("{}")),
        ("keys that are nearly right", rule("{apigroups: [\"\"], resource: [pods], verb: [get]}")),
        ("verbs that are not a list", rule("{apiGroups: [\"\"], resources: [pods], verbs: get}")),
        ("verbs that are none", rule("{apiGroups: [\"\"], resources: [pods], verbs: []}")),
        ("a method for a verb", rule("{apiGroups: [\"\"], resources: [pods], verbs: [get, post]}")),
        ("a verb that no request has", rule("{apiGroups: [\"\"], resources: [pods], verbs: [escalate]}")),
        ("a group with its version", rule("{apiGroups: [apps/v1], resources: [pods], verbs: [get]}")),
        ("a group that is nothing", rule("{apiGroups: [~], resources: [pods], verbs: [get]}")),
        (
            "all subresources of one resource",
            rule("{apiGroups: [\"\"], resources: [\"pods/*\"], verbs: [get]}"),
        ),
        ("a resource with capitals", rule("{apiGroups: [\"\"], resources: [Pods], verbs: [get]}")),
        (
            "a subresource of a subresource",
            rule("{apiGroups: [\"\"], resources: [pods/log/x], verbs: [get]}"),
        ),
        ("a resource that YAML takes for yes", rule("{apiGroups: [\"\"], resources: [on], verbs: [get]}")),
    ]);
    assert_snapshot!(told, @r#"
    # rules that are a map
    kwasm: bad.yaml:6: spec.kubernetes.rules: it is a map, not a list
    hint: each rule begins with a dash
    # a rule that is a text
    kwasm: bad.yaml:7: spec.kubernetes.rules[0]: it is a single value, not a map
    hint: its keys are apiGroups, resources, verbs, namespaces, resourceNames, except, reason, optional, nonResourceURLs
    # nothing in it
    kwasm: bad.yaml:7: spec.kubernetes.rules[0].apiGroups: it is missing
    hint: the core group is "", the others are listed by kubectl api-versions
    kwasm: bad.yaml:7: spec.kubernetes.rules[0].resources: it is missing
    hint: write it as kubectl api-resources does, with a subresource as in pods/log or "*/scale"
    kwasm: bad.yaml:7: spec.kubernetes.rules[0].verbs: it is missing
    hint: the verbs are get, list, watch, create, update, patch, delete, deletecollection, proxy, and "*" for all
    # keys that are nearly right
    kwasm: bad.yaml:7: spec.kubernetes.rules[0].apigroups: there is no such key
    hint: do you mean apiGroups?
    kwasm: bad.yaml:7: spec.kubernetes.rules[0].resource: there is no such key
    hint: do you mean resources?
    kwasm: bad.yaml:7: spec.kubernetes.rules[0].verb: there is no such key
    hint: do you mean verbs?
    # verbs that are not a list
    kwasm: bad.yaml:7: spec.kubernetes.rules[0].verbs: it is a single value, not a list
    hint: write it as a list: in brackets, with commas
    # verbs that are none
    kwasm: bad.yaml:7: spec.kubernetes.rules[0].verbs: without verbs it covers nothing
    hint: the verbs are get, list, watch, create, update, patch, delete, deletecollection, proxy, and "*" for all
    # a method for a verb
    kwasm: bad.yaml:7: spec.kubernetes.rules[0].verbs[1]: no request has the verb `post`
    hint: the verbs are get, list, watch, create, update, patch, delete, deletecollection, proxy, and "*" for all
    # a verb that no request has
    kwasm: bad.yaml:7: spec.kubernetes.rules[0].verbs[0]: no request has the verb `escalate`
    hint: the verbs are get, list, watch, create, update, patch, delete, deletecollection, proxy, and "*" for all
    # a group with its version
    kwasm: bad.yaml:7: spec.kubernetes.rules[0].apiGroups[0]: `apps/v1` is not an API group
    hint: the core group is "", the others are listed by kubectl api-versions
    # a group that is nothing
    kwasm: bad.yaml:7: spec.kubernetes.rules[0].apiGroups[0]: it is nothing, not a single value
    hint: the core group is "", the others are listed by kubectl api-versions
    # all subresources of one resource
    kwasm: bad.yaml:7: spec.kubernetes.rules[0].resources[0]: `pods/*` is not a resource as RBAC names them
    hint: write it as kubectl api-resources does, with a subresource as in pods/log or "*/scale"
    # a resource with capitals
    kwasm: bad.yaml:7: spec.kubernetes.rules[0].resources[0]: `Pods` is not a resource as RBAC names them
    hint: write it as kubectl api-resources does, with a subresource as in pods/log or "*/scale"
    # a subresource of a subresource
    kwasm: bad.yaml:7: spec.kubernetes.rules[0].resources[0]: `pods/log/x` is not a resource as RBAC names them
    hint: write it as kubectl api-resources does, with a subresource as in pods/log or "*/scale"
    # a resource that YAML takes for yes
    kwasm: bad.yaml:7: spec.kubernetes.rules[0].resources[0]: YAML reads it as true or false
    hint: put it in quotes
    "#);
}

#[test]
fn a_rule_says_well_where_it_holds() {
    let told = told(&[
        (
            "names that are not a list",
            rule("{apiGroups: [\"\"], resources: [pods], verbs: [get], resourceNames: db}"),
        ),
        (
            "names that are not kept as written",
            rule("{apiGroups: [\"\"], resources: [pods], verbs: [get], resourceNames: [1.10, 0x10, yes]}"),
        ),
        (
            "the name of a collection",
            rule("{apiGroups: [\"\"], resources: [pods], verbs: [get], resourceNames: [\"\"]}"),
        ),
        (
            "a namespace that is not a list",
            rule("{apiGroups: [\"\"], resources: [pods], verbs: [get], namespaces: current}"),
        ),
        (
            "namespaces that are none",
            rule("{apiGroups: [\"\"], resources: [pods], verbs: [get], namespaces: []}"),
        ),
        (
            "a pattern of namespaces",
            rule("{apiGroups: [\"\"], resources: [pods], verbs: [get], namespaces: [\"shop-*\"]}"),
        ),
        (
            "an exception of all",
            rule("{apiGroups: [\"*\"], resources: [\"*\"], verbs: [get], except: [\"*\"]}"),
        ),
        (
            "an exception that is not a resource",
            rule("{apiGroups: [\"*\"], resources: [\"*\"], verbs: [get], except: [\"secrets/*\"]}"),
        ),
        (
            "a reason and a choice",
            rule("{apiGroups: [\"\"], resources: [pods], verbs: [get], reason: [a], optional: 1}"),
        ),
    ]);
    assert_snapshot!(told, @r#"
    # names that are not a list
    kwasm: bad.yaml:7: spec.kubernetes.rules[0].resourceNames: it is a single value, not a list
    hint: write it as a list: in brackets, with commas
    # names that are not kept as written
    kwasm: bad.yaml:7: spec.kubernetes.rules[0].resourceNames[0]: YAML reads it as a number
    hint: put it in quotes
    kwasm: bad.yaml:7: spec.kubernetes.rules[0].resourceNames[1]: YAML reads it as a number
    hint: put it in quotes
    kwasm: bad.yaml:7: spec.kubernetes.rules[0].resourceNames[2]: YAML reads it as true or false
    hint: put it in quotes
    # the name of a collection
    kwasm: bad.yaml:7: spec.kubernetes.rules[0].resourceNames[0]: no object has an empty name
    hint: write the names of objects
    # a namespace that is not a list
    kwasm: bad.yaml:7: spec.kubernetes.rules[0].namespaces: it is a single value, not a list
    hint: write it as a list: in brackets, with commas
    # namespaces that are none
    kwasm: bad.yaml:7: spec.kubernetes.rules[0].namespaces: without namespaces it covers nothing
    hint: write "*" for all, or a list: [current], or namespace names
    # a pattern of namespaces
    kwasm: bad.yaml:7: spec.kubernetes.rules[0].namespaces[0]: `shop-*` is not a valid name
    hint: write "*" for all, or a list: [current], or namespace names
    # an exception of all
    kwasm: bad.yaml:7: spec.kubernetes.rules[0].except: it excludes all that the rule covers
    hint: name the resources, or remove the rule
    # an exception that is not a resource
    kwasm: bad.yaml:7: spec.kubernetes.rules[0].except[0]: `secrets/*` is not a resource as RBAC names them
    hint: write it as kubectl api-resources does, with a subresource as in pods/log or "*/scale"
    # a reason and a choice
    kwasm: bad.yaml:7: spec.kubernetes.rules[0].reason: it is a list, not a single value
    hint: write one sentence
    kwasm: bad.yaml:7: spec.kubernetes.rules[0].optional: it is a single value, and neither true nor false
    hint: write true or false
    "#);
}

#[test]
fn a_rule_about_urls_is_about_nothing_else() {
    let told = told(&[
        (
            "resources beside URLs",
            rule("{nonResourceURLs: [/version], verbs: [get], resources: [pods], namespaces: [current]}"),
        ),
        (
            "no path, a star within, two stars",
            rule("{nonResourceURLs: [version, \"/a/*/b\", \"/a**\"], verbs: [get]}"),
        ),
        ("no URL", rule("{nonResourceURLs: [], verbs: [get]}")),
        ("no verb", rule("{nonResourceURLs: [/version]}")),
        ("a verb for a method", rule("{nonResourceURLs: [/version], verbs: [list]}")),
    ]);
    assert_snapshot!(told, @r#"
    # resources beside URLs
    kwasm: bad.yaml:7: spec.kubernetes.rules[0].resources: it says nothing about nonResourceURLs
    hint: make two rules of it
    kwasm: bad.yaml:7: spec.kubernetes.rules[0].namespaces: it says nothing about nonResourceURLs
    hint: make two rules of it
    # no path, a star within, two stars
    kwasm: bad.yaml:7: spec.kubernetes.rules[0].nonResourceURLs[0]: `version` is not a path
    hint: write a path such as /version, or a prefix such as "/openapi/*"
    kwasm: bad.yaml:7: spec.kubernetes.rules[0].nonResourceURLs[1]: `/a/*/b` is not a path
    hint: write a path such as /version, or a prefix such as "/openapi/*"
    kwasm: bad.yaml:7: spec.kubernetes.rules[0].nonResourceURLs[2]: `/a**` is not a path
    hint: write a path such as /version, or a prefix such as "/openapi/*"
    # no URL
    kwasm: bad.yaml:7: spec.kubernetes.rules[0].nonResourceURLs: without URLs it covers nothing
    hint: write a path such as /version, or a prefix such as "/openapi/*"
    # no verb
    kwasm: bad.yaml:7: spec.kubernetes.rules[0].verbs: it is missing
    hint: the verbs are get, head, post, put, patch, delete, options, and "*" for all
    # a verb for a method
    kwasm: bad.yaml:7: spec.kubernetes.rules[0].verbs[0]: no request has the verb `list`
    hint: the verbs are get, head, post, put, patch, delete, options, and "*" for all
    "#);
}
