//! The differences between a policy and its roles, in words: what RBAC does not judge, and what it judges otherwise.

use crate::policy::inventory::needs_inventory;
use crate::policy::judge::Policy;
use crate::policy::request_info::RequestInfo;
use crate::policy::rule::{NameSelector, ResourceRule, Rule};
use crate::policy::target::Context;

/// Returns the comments of the manifests, a line each.
/// `current` is the namespace of that name, and `unlisted` the part of the server's resources that it did not list.
pub(super) fn describe(policy: &Policy, current: &str, unlisted: &[String]) -> Vec<String> {
    let mut lines = vec![format!("The rules of the policy `{}`, as roles.", policy.name())];
    let has = |found: &dyn Fn(&ResourceRule) -> bool| {
        policy.rules().iter().any(|rule| matches!(rule, Rule::Resources(rule) if found(rule)))
    };
    if has(&|rule| matches!(rule.namespaces, NameSelector::Some { current: true, .. })) {
        lines.push(format!("`current` is the namespace {current}."));
    }
    let differences: [(bool, &str); 9] = [
        (true, ALWAYS),
        (*policy.contexts() != NameSelector::current(), CONTEXTS),
        (has(&needs_inventory), EXCEPT),
        (has(&|rule| rule.verbs.iter().any(|verb| verb == "*")), STAR),
        (reads_streams(policy), STREAMS),
        (writes(policy, "rbac.authorization.k8s.io", ROLES), BIND),
        (writes(policy, "certificates.k8s.io", SIGNING), APPROVE),
        (policy.impersonates(), IMPERSONATE),
        (!policy.hosts().is_empty(), HOSTS),
    ];
    lines.push("They differ from the policy in this:".to_owned());
    lines.extend(differences.iter().filter(|(applies, _)| *applies).map(|(_, text)| format!("- {text}")));
    if !unlisted.is_empty() {
        lines.push(format!("- The server did not list these, so they are not covered: {}.", unlisted.join(", ")));
    }
    lines
}

const ALWAYS: &str = "A service account may also do what its groups may, discovery at least. Files, environment variables, \
                      limits and kubectl's flags of a plugin are not the server's concern.";
const CONTEXTS: &str = "A role is one cluster's: contexts are not part of it.";
const EXCEPT: &str = "`except` is written out with the resources that the server has now. Others are not covered.";
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

/// Returns whether a rule covers a request for an object of any name, in any namespace.
fn covers(rule: &ResourceRule, verb: &str, group: &str, resource: &str) -> bool {
    let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
    let info = RequestInfo {
        is_resource_request: true,
        verb: verb.to_owned(),
        api_group: group.to_owned(),
        resource: resource.to_owned(),
        subresource: subresource.to_owned(),
        ..RequestInfo::default()
    };
    let anywhere = ResourceRule {
        namespaces: NameSelector::All,
        resource_names: Vec::new(),
        ..rule.clone()
    };
    Rule::Resources(anywhere).covers(&info, &Context::new("", "", ""))
}

fn writes(policy: &Policy, group: &str, resources: &[&str]) -> bool {
    let covers = |rule: &ResourceRule| {
        let verbs = ["create", "update", "patch"].into_iter();
        verbs.flat_map(|verb| resources.iter().map(move |resource| (verb, resource)))
            .any(|(verb, resource)| covers(rule, verb, group, resource))
    };
    policy.rules().iter().any(|rule| matches!(rule, Rule::Resources(rule) if covers(rule)))
}

/// Returns whether a rule allows to get a stream of a pod, and not to create it.
fn reads_streams(policy: &Policy) -> bool {
    let reads = |rule: &ResourceRule| {
        let mut streams = ["pods/exec", "pods/attach", "pods/portforward"].into_iter();
        streams.any(|stream| covers(rule, "get", "", stream) && !covers(rule, "create", "", stream))
    };
    policy.rules().iter().any(|rule| matches!(rule, Rule::Resources(rule) if reads(rule)))
}
