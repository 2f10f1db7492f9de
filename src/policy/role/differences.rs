//! The differences between a policy and its roles, in words: what RBAC does not judge, and what it judges otherwise.

use crate::policy::flow::Word;
use crate::policy::inventory::needs_inventory;
use crate::policy::judge::{Layers, Policy};
use crate::policy::request_info::RequestInfo;
use crate::policy::rule::{NameSelector, ResourceRule, Rule};
use crate::policy::target::Context;

/// Returns the comments of the manifests. `rules` are what the policies together allow, with `current` as the current
/// namespace, and `unlisted` what the server did not list of its resources.
pub(super) fn describe(layers: &Layers, rules: &[Rule], current: &str, unlisted: &[String]) -> Vec<String> {
    let policies: Vec<&Policy> = layers.all().map(|(_, policy)| policy).collect();
    let parts: Vec<String> =
        layers.all().map(|(layer, policy)| format!("{layer} `{}`", policy.name())).collect();
    let mut lines = vec![match parts.as_slice() {
        [_] => format!("The rules of the policy `{}`.", layers.grant.name()),
        _ => format!("The rules that these have in common: {}.", parts.join(", ")),
    }];
    let has_current = |rule: &Rule| {
        let Rule::Resources(rule) = rule else { return false };
        matches!(rule.namespaces, NameSelector::Some { current: true, .. })
    };
    if policies.iter().any(|policy| policy.rules().iter().any(has_current)) {
        lines.push(format!("`current` is the namespace {}.", Word(current)));
    }
    let resources =
        || rules.iter().filter_map(|rule| if let Rule::Resources(rule) = rule { Some(rule) } else { None });
    let differences: [(bool, &str); 9] = [
        (true, ALWAYS),
        (policies.iter().all(|policy| *policy.contexts() != NameSelector::current()), CONTEXTS),
        (resources().any(needs_inventory), EXCEPT),
        (resources().any(|rule| rule.verbs.iter().any(|verb| verb == "*")), STAR),
        (resources().any(only_reads_a_stream), STREAMS),
        (resources().any(|rule| writes(rule, "rbac.authorization.k8s.io", ROLES)), BIND),
        (resources().any(|rule| writes(rule, "certificates.k8s.io", SIGNING)), APPROVE),
        (policies.iter().all(|policy| policy.impersonates()), IMPERSONATE),
        (policies.iter().all(|policy| !policy.hosts().is_empty()), HOSTS),
    ];
    lines.push("The server does not judge as kwasm does in this:".to_owned());
    lines.extend(differences.iter().filter(|(applies, _)| *applies).map(|(_, text)| format!("- {text}")));
    if !unlisted.is_empty() {
        lines.push(format!(
            "- The server did not list these, so they are not covered: {}.",
            unlisted.join(", ")
        ));
    }
    lines
}

const ALWAYS: &str = "A service account may also do what its groups may, discovery at least. Files, environment variables, \
                      limits and kubectl's flags of a plugin are not the server's concern.";
const CONTEXTS: &str = "A role is one cluster's: contexts are not part of it.";
const EXCEPT: &str =
    "`except` is written out with the resources that the server has now. Others are not covered.";
const STAR: &str = "`*` among verbs is written out as the verbs of requests. RBAC's own also allows impersonate, bind, \
                    escalate, approve, sign and the like, which no rule of a policy gives. A request without a verb \
                    (OPTIONS) is not covered.";
const STREAMS: &str = "`get` alone of pods/exec, pods/attach or pods/portforward opens nothing here, and a shell or a port at \
                       servers before v1.35: see that yours is not older.";
const BIND: &str = "Roles and bindings are written with your own rights here. The service account can only give what it has \
                    itself, unless it is allowed `bind` and `escalate`.";
const APPROVE: &str = "Certificates are approved and signed with your own rights here. The service account needs `approve` \
                       and `sign` on their signers too.";
const IMPERSONATE: &str = "`impersonate: true` is not part of it: the service account needs the verb `impersonate` on each \
                           user, group or service account that it is to act as.";
const HOSTS: &str = "Hosts outside the cluster are not part of it: egress is limited by network policies.";

/// The resources whose writing requires `bind` or `escalate`.
const ROLES: &[&str] = &["roles", "clusterroles", "rolebindings", "clusterrolebindings"];
/// The resources whose writing requires `approve` or `sign`.
const SIGNING: &[&str] = &["certificatesigningrequests/approval", "certificatesigningrequests/status"];

/// The streams of a pod.
const STREAMS_OF_PODS: &[&str] = &["exec", "attach", "portforward"];

/// Returns whether a rule covers requests with this verb, for objects of any name in any namespace.
fn covers(rule: &ResourceRule, verb: &str, group: &str, resource: &str, subresource: &str) -> bool {
    let info = RequestInfo {
        is_resource_request: true,
        verb: verb.to_owned(),
        api_group: group.to_owned(),
        resource: resource.to_owned(),
        subresource: subresource.to_owned(),
        ..RequestInfo::default()
    };
    let anywhere = ResourceRule { namespaces: NameSelector::All, resource_names: Vec::new(), ..rule.clone() };
    Rule::Resources(anywhere).covers(&info, &Context::new("", "", ""))
}

fn writes(rule: &ResourceRule, group: &str, resources: &[&str]) -> bool {
    resources.iter().any(|resource| {
        let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
        ["create", "update", "patch"].into_iter().any(|verb| covers(rule, verb, group, resource, subresource))
    })
}

/// Returns whether a rule allows to get a stream of a pod, and not to create it.
fn only_reads_a_stream(rule: &ResourceRule) -> bool {
    STREAMS_OF_PODS
        .iter()
        .any(|stream| covers(rule, "get", "", "pods", stream) && !covers(rule, "create", "", "pods", stream))
}
