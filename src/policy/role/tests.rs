use insta::assert_snapshot;

use super::*;
use crate::policy::samples::policy;

fn inventory() -> Inventory {
    let mut inventory = Inventory::default();
    for resource in ["pods", "pods/exec", "pods/log", "secrets", "namespaces"] {
        inventory.add("", resource);
    }
    inventory.add("apps", "deployments");
    inventory.miss("metrics.k8s.io/v1beta1");
    inventory
}

fn roles(policy: &Policy, account: Option<&str>) -> Roles {
    let account = account.map(|account| account.parse().unwrap());
    RoleRules::of(&Layers::of(policy.clone()), "shop").roles("test", account, &inventory())
}

/// Returns the manifests without the comments.
fn manifests(spec: &str, account: Option<&str>) -> String {
    let text = roles(&policy(spec), account).to_string();
    let (_, manifests) = text.split_once("---\n").unwrap_or_default();
    manifests.to_owned()
}

/// Returns the comments as one text.
fn comments(spec: &str) -> String {
    roles(&policy(spec), None).comments.join("\n")
}

#[test]
fn a_rule_for_the_current_namespace_is_a_role_there_for_a_new_account() {
    let spec = "{kubernetes: {rules: [{apiGroups: [''], resources: [secrets], verbs: [get], namespaces: [current]}]}}";
    assert_snapshot!(roles(&policy(spec), None).to_string(), @r#"
    # The rules of the policy `test`.
    # `current` is the namespace shop.
    # The server does not judge as kwasm does in this:
    # - A service account may also do what its groups may, discovery at least. Files, environment
    #   variables, limits and kubectl's flags of a plugin are not the server's concern.
    # - The server did not list these, so they are not covered: metrics.k8s.io/v1beta1.
    ---
    apiVersion: v1
    kind: ServiceAccount
    metadata:
      name: kwasm-test
      namespace: shop
      labels: {app.kubernetes.io/managed-by: kwasm}
    ---
    apiVersion: rbac.authorization.k8s.io/v1
    kind: Role
    metadata:
      name: kwasm-test
      namespace: shop
      labels: {app.kubernetes.io/managed-by: kwasm}
    rules:
      - apiGroups: [""]
        resources: [secrets]
        verbs: [get]
    ---
    apiVersion: rbac.authorization.k8s.io/v1
    kind: RoleBinding
    metadata:
      name: "kwasm-test:shop:kwasm-test"
      namespace: shop
      labels: {app.kubernetes.io/managed-by: kwasm}
    roleRef:
      apiGroup: rbac.authorization.k8s.io
      kind: Role
      name: kwasm-test
    subjects:
      - kind: ServiceAccount
        namespace: shop
        name: kwasm-test
    "#);
}

#[test]
fn each_namespace_has_a_role_and_all_of_them_together_a_cluster_role() {
    let rules = "[{apiGroups: [apps], resources: [deployments], verbs: [list]},
        {apiGroups: [''], resources: [pods, pods/log], verbs: [get], resourceNames: ['a b'], namespaces: [current, other]},
        {apiGroups: [''], resources: [pods], verbs: [list], namespaces: [shop]},
        {nonResourceURLs: [/version, '/openapi/*'], verbs: ['*']}]";
    assert_snapshot!(manifests(&format!("{{kubernetes: {{rules: {rules}}}}}"), Some("jobs:runner")), @r#"
    apiVersion: rbac.authorization.k8s.io/v1
    kind: ClusterRole
    metadata:
      name: kwasm-test
      labels: {app.kubernetes.io/managed-by: kwasm}
    rules:
      - apiGroups: [apps]
        resources: [deployments]
        verbs: [list]
      - nonResourceURLs: [/version, "/openapi/*"]
        verbs: ["*"]
    ---
    apiVersion: rbac.authorization.k8s.io/v1
    kind: ClusterRoleBinding
    metadata:
      name: "kwasm-test:jobs:runner"
      labels: {app.kubernetes.io/managed-by: kwasm}
    roleRef:
      apiGroup: rbac.authorization.k8s.io
      kind: ClusterRole
      name: kwasm-test
    subjects:
      - kind: ServiceAccount
        namespace: jobs
        name: runner
    ---
    apiVersion: rbac.authorization.k8s.io/v1
    kind: Role
    metadata:
      name: kwasm-test
      namespace: other
      labels: {app.kubernetes.io/managed-by: kwasm}
    rules:
      - apiGroups: [""]
        resources: [pods, pods/log]
        resourceNames: ["a b"]
        verbs: [get]
    ---
    apiVersion: rbac.authorization.k8s.io/v1
    kind: RoleBinding
    metadata:
      name: "kwasm-test:jobs:runner"
      namespace: other
      labels: {app.kubernetes.io/managed-by: kwasm}
    roleRef:
      apiGroup: rbac.authorization.k8s.io
      kind: Role
      name: kwasm-test
    subjects:
      - kind: ServiceAccount
        namespace: jobs
        name: runner
    ---
    apiVersion: rbac.authorization.k8s.io/v1
    kind: Role
    metadata:
      name: kwasm-test
      namespace: shop
      labels: {app.kubernetes.io/managed-by: kwasm}
    rules:
      - apiGroups: [""]
        resources: [pods, pods/log]
        resourceNames: ["a b"]
        verbs: [get]
      - apiGroups: [""]
        resources: [pods]
        verbs: [list]
    ---
    apiVersion: rbac.authorization.k8s.io/v1
    kind: RoleBinding
    metadata:
      name: "kwasm-test:jobs:runner"
      namespace: shop
      labels: {app.kubernetes.io/managed-by: kwasm}
    roleRef:
      apiGroup: rbac.authorization.k8s.io
      kind: Role
      name: kwasm-test
    subjects:
      - kind: ServiceAccount
        namespace: jobs
        name: runner
    "#);
}

#[test]
fn what_is_excluded_is_written_out_and_no_verb_is_given_that_no_request_has() {
    let rules = "[{apiGroups: ['*'], resources: ['*'], verbs: ['*'], except: [secrets, '*/exec']}]";
    let spec = format!("{{kubernetes: {{rules: {rules}}}}}");
    assert!(RoleRules::of(&Layers::of(policy(&spec)), "shop").need_inventory());
    assert_snapshot!(manifests(&spec, Some("jobs:runner")), @r#"
    apiVersion: rbac.authorization.k8s.io/v1
    kind: ClusterRole
    metadata:
      name: kwasm-test
      labels: {app.kubernetes.io/managed-by: kwasm}
    rules:
      - apiGroups: [""]
        resources: [namespaces, pods, pods/log]
        verbs: [get, list, watch, create, update, patch, delete, deletecollection, proxy]
      - apiGroups: [apps]
        resources: [deployments]
        verbs: [get, list, watch, create, update, patch, delete, deletecollection, proxy]
    ---
    apiVersion: rbac.authorization.k8s.io/v1
    kind: ClusterRoleBinding
    metadata:
      name: "kwasm-test:jobs:runner"
      labels: {app.kubernetes.io/managed-by: kwasm}
    roleRef:
      apiGroup: rbac.authorization.k8s.io
      kind: ClusterRole
      name: kwasm-test
    subjects:
      - kind: ServiceAccount
        namespace: jobs
        name: runner
    "#);
}

#[test]
fn of_several_policies_the_roles_are_what_they_have_in_common() {
    let rule = |namespaces: &str, verbs: &str| {
        policy(&format!(
            "{{kubernetes: {{rules: [{{apiGroups: [''], resources: [pods], verbs: [{verbs}], namespaces: [{namespaces}]}}]}}}}"
        ))
    };
    let layers = Layers {
        request: Some(rule("current", "get, list")),
        grant: rule("shop, other", "list, watch"),
        ceiling: None,
        installed: None,
    };
    let roles = RoleRules::of(&layers, "shop").roles("test", Some("jobs:x".parse().unwrap()), &inventory());
    assert_snapshot!(roles.to_string(), @r#"
    # The rules that these have in common: request `test`, grant `test`.
    # `current` is the namespace shop.
    # The server does not judge as kwasm does in this:
    # - A service account may also do what its groups may, discovery at least. Files, environment
    #   variables, limits and kubectl's flags of a plugin are not the server's concern.
    # - The server did not list these, so they are not covered: metrics.k8s.io/v1beta1.
    ---
    apiVersion: rbac.authorization.k8s.io/v1
    kind: Role
    metadata:
      name: kwasm-test
      namespace: shop
      labels: {app.kubernetes.io/managed-by: kwasm}
    rules:
      - apiGroups: [""]
        resources: [pods]
        verbs: [list]
    ---
    apiVersion: rbac.authorization.k8s.io/v1
    kind: RoleBinding
    metadata:
      name: "kwasm-test:jobs:x"
      namespace: shop
      labels: {app.kubernetes.io/managed-by: kwasm}
    roleRef:
      apiGroup: rbac.authorization.k8s.io
      kind: Role
      name: kwasm-test
    subjects:
      - kind: ServiceAccount
        namespace: jobs
        name: x
    "#);
    assert!(RoleRules::of(&layers, "elsewhere").roles("test", None, &inventory()).are_empty());
}

#[test]
fn a_policy_that_allows_nothing_has_no_roles() {
    for spec in [
        "{}",
        "{kubernetes: {rules: [{apiGroups: [''], resources: [secrets], verbs: [get], except: [secrets]}]}}",
    ] {
        let roles = roles(&policy(spec), None);
        assert!(roles.are_empty(), "{roles}");
        assert!(roles.to_string().lines().all(|line| line.starts_with("# ")), "{roles}");
    }
}

#[test]
fn a_difference_is_described_where_there_is_one() {
    let rule = |rule: &str| format!("{{kubernetes: {{rules: [{rule}]}}}}");
    let of = |groups: &str, resources: &str, verbs: &str| {
        rule(&format!("{{apiGroups: [{groups}], resources: [{resources}], verbs: [{verbs}]}}"))
    };
    for (spec, nearest, words) in [
        (of("''", "pods/exec", "get"), of("''", "pods/exec", "get, create"), "before v1.35"),
        (of("''", "'*'", "get"), of("apps", "'*'", "get"), "before v1.35"),
        (
            of("rbac.authorization.k8s.io", "rolebindings", "create"),
            of("rbac.authorization.k8s.io", "rolebindings", "get"),
            "`bind`",
        ),
        (
            of("certificates.k8s.io", "certificatesigningrequests/approval", "update"),
            of("certificates.k8s.io", "certificatesigningrequests", "update"),
            "`approve`",
        ),
        (of("''", "pods", "'*'"), of("''", "pods", "get"), "verbs of requests"),
        (
            rule("{apiGroups: [''], resources: ['*'], verbs: [list], except: [secrets]}"),
            of("''", "pods, services", "list"),
            "`except`",
        ),
        ("{kubernetes: {impersonate: true}}".to_owned(), "{}".to_owned(), "`impersonate`"),
        (
            "{kubernetes: {contexts: '*'}}".to_owned(),
            "{kubernetes: {contexts: [current]}}".to_owned(),
            "contexts",
        ),
        ("{network: [{host: example.com}]}".to_owned(), "{}".to_owned(), "Hosts"),
    ] {
        assert!(comments(&spec).contains(words), "{spec}: {}", comments(&spec));
        assert!(!comments(&nearest).contains(words), "{nearest}: {}", comments(&nearest));
    }
    assert!(comments("{}").contains("metrics.k8s.io/v1beta1"));
}
