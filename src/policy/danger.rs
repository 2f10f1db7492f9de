//! The dangerous parts of a policy, as a user is shown them before granting it.

use std::collections::BTreeSet;
use std::fmt;

use super::files::{Access, FileGrant};
use super::rule::{ResourceRule, Rule};
use super::variables::VariablePattern;

/// A reason to think twice before granting a rule.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Danger {
    /// Secrets contain credentials, of other clusters and services too.
    Secrets,
    /// Permissions can be raised: by roles and bindings, tokens of service accounts, approved certificates or
    /// a kubelet's own API ([RBAC good practices][1]).
    ///
    /// [1]: https://kubernetes.io/docs/concepts/security/rbac-good-practices/#privilege-escalation-risks
    Escalation,
    /// The plugin can act as another user.
    Impersonation,
    /// A pod can mount every secret of its namespace and run as every service account there.
    Pods,
    /// Commands run in pods, or connections reach into them.
    Exec,
    /// Objects are deleted.
    Deletes,
    /// Objects are created or changed.
    Writes,
    /// The rule covers kinds, groups or verbs that no one has listed.
    Wildcards,
    /// Files are changed. In a folder of programs, or of a project, that is as good as running some.
    FileWrites,
    /// Files outside the working directory are read.
    Files,
    /// A variable is passed that may hold a credential.
    Variables,
    /// The plugin can send what it reads to another host.
    Hosts,
    /// The plugin reaches more contexts than the current one.
    Contexts,
}

impl fmt::Display for Danger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Secrets => "secrets",
            Self::Escalation => "can raise permissions",
            Self::Impersonation => "acts as other users",
            Self::Pods => "creates pods: as good as reading every secret there",
            Self::Exec => "reaches into pods",
            Self::Deletes => "deletes",
            Self::Writes => "writes",
            Self::Wildcards => "wildcard",
            Self::FileWrites => "changes files",
            Self::Files => "files outside the working directory",
            Self::Variables => "may be a credential",
            Self::Hosts => "reaches another host",
            Self::Contexts => "reaches other contexts",
        })
    }
}

/// The verbs that create or change an object.
const WRITES: &[&str] = &["create", "update", "patch"];

/// The verbs that remove objects.
const DELETES: &[&str] = &["delete", "deletecollection"];

/// The verbs that return an object's content.
const READS: &[&str] = &["get", "list", "watch"];

/// The resources by which whoever may write them raises permissions, with their API groups.
const ESCALATES: &[(&str, &str)] = &[
    ("rbac.authorization.k8s.io", "roles"),
    ("rbac.authorization.k8s.io", "rolebindings"),
    ("rbac.authorization.k8s.io", "clusterroles"),
    ("rbac.authorization.k8s.io", "clusterrolebindings"),
    ("", "serviceaccounts/token"),
    ("certificates.k8s.io", "certificatesigningrequests/approval"),
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations"),
    ("admissionregistration.k8s.io", "validatingwebhookconfigurations"),
];

/// The resources that are pods, or from whose templates a controller makes pods.
const PODS: &[(&str, &str)] = &[
    ("", "pods"),
    ("", "replicationcontrollers"),
    ("apps", "deployments"),
    ("apps", "daemonsets"),
    ("apps", "replicasets"),
    ("apps", "statefulsets"),
    ("batch", "jobs"),
    ("batch", "cronjobs"),
];

/// The subresources that lead into a pod, or through the API server to somewhere else.
const REACHES: &[(&str, &str)] = &[
    ("", "pods/exec"),
    ("", "pods/attach"),
    ("", "pods/portforward"),
    ("", "pods/ephemeralcontainers"),
    ("", "pods/proxy"),
    ("", "services/proxy"),
    ("", "nodes/proxy"),
];

impl Rule {
    /// Returns the dangers of granting it, the worst first.
    #[must_use]
    pub fn dangers(&self) -> BTreeSet<Danger> {
        match self {
            Self::Resources(rule) => rule.dangers(),
            // Discovery and health checks are harmless; a kubelet's logs and everything else at once are not.
            Self::Urls(rule) => {
                let all = |listed: &[String]| listed.iter().any(|listed| listed == "*");
                let writes =
                    rule.verbs.iter().any(|verb| !["get", "head", "options"].contains(&verb.as_str()));
                let wild = (all(&rule.verbs) || all(&rule.urls)).then_some(Danger::Wildcards);
                wild.into_iter().chain(writes.then_some(Danger::Writes)).collect()
            }
        }
    }
}

impl ResourceRule {
    fn dangers(&self) -> BTreeSet<Danger> {
        let reaches = |verbs: &[&str], kinds: &[(&str, &str)]| {
            self.has_verb(verbs) && kinds.iter().any(|(group, resource)| self.has_kind(group, resource))
        };
        let any = [READS, WRITES, DELETES, &["proxy"]].concat();
        let changes = [WRITES, DELETES].concat();
        let escalates = reaches(&changes, ESCALATES) || reaches(&any, &[("", "nodes/proxy")]);
        let wild = [&self.verbs, &self.api_groups, &self.resources]
            .iter()
            .any(|listed| listed.iter().any(|entry| entry.contains('*')));
        [
            (reaches(&any, &[("", "secrets")]), Danger::Secrets),
            (escalates, Danger::Escalation),
            (reaches(WRITES, PODS), Danger::Pods),
            (reaches(&any, REACHES), Danger::Exec),
            (self.has_verb(DELETES), Danger::Deletes),
            (self.has_verb(WRITES), Danger::Writes),
            (wild, Danger::Wildcards),
        ]
        .into_iter()
        .filter_map(|(is_there, danger)| is_there.then_some(danger))
        .collect()
    }

    fn has_verb(&self, verbs: &[&str]) -> bool {
        self.verbs.iter().any(|listed| listed == "*" || verbs.contains(&listed.as_str()))
    }

    /// Returns whether it covers a kind of objects, some of them at least.
    fn has_kind(&self, group: &str, kind: &str) -> bool {
        let (resource, subresource) = kind.split_once('/').unwrap_or((kind, ""));
        self.api_groups.iter().any(|listed| listed == "*" || listed == group)
            && self.names_resource(resource, subresource)
    }
}

impl FileGrant {
    /// Returns the dangers of granting it, the worst first.
    #[must_use]
    pub fn dangers(&self) -> BTreeSet<Danger> {
        let writes = (self.access() == Access::ReadWrite).then_some(Danger::FileWrites);
        let elsewhere = self.is_elsewhere().then_some(Danger::Files);
        writes.into_iter().chain(elsewhere).collect()
    }
}

impl VariablePattern {
    /// Returns the danger of granting it, if there is one.
    #[must_use]
    pub fn danger(&self) -> Option<Danger> {
        self.is_credential().then_some(Danger::Variables)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Policy, samples};

    fn dangers(rule: &str) -> Vec<Danger> {
        samples::rules(rule).rules()[0].dangers().into_iter().collect()
    }

    #[test]
    fn each_danger_is_found_and_its_harmless_neighbour_is_not() {
        for (rule, found) in [
            ("{apiGroups: [''], resources: [secrets], verbs: [get]}", vec![Danger::Secrets]),
            ("{apiGroups: [''], resources: [configmaps], verbs: [get, list, watch]}", vec![]),
            ("{apiGroups: [example.com], resources: [secrets], verbs: [get]}", vec![]),
            ("{apiGroups: [''], resources: [pods/log], verbs: [get]}", vec![]),
            ("{apiGroups: [''], resources: [pods/exec], verbs: [get]}", vec![Danger::Exec]),
            (
                "{apiGroups: [''], resources: [nodes/proxy], verbs: [get]}",
                vec![Danger::Escalation, Danger::Exec],
            ),
            (
                "{apiGroups: [''], resources: [serviceaccounts/token], verbs: [create]}",
                vec![Danger::Escalation, Danger::Writes],
            ),
            ("{apiGroups: [rbac.authorization.k8s.io], resources: [roles], verbs: [get]}", vec![]),
            (
                "{apiGroups: [rbac.authorization.k8s.io], resources: [roles], verbs: [patch]}",
                vec![Danger::Escalation, Danger::Writes],
            ),
            (
                "{apiGroups: [apps], resources: [deployments], verbs: [create]}",
                vec![Danger::Pods, Danger::Writes],
            ),
            ("{apiGroups: [apps], resources: [deployments], verbs: [delete]}", vec![Danger::Deletes]),
            (
                "{apiGroups: [''], resources: ['*'], verbs: [get], except: [secrets, '*/exec', '*/attach', '*/portforward', '*/proxy', '*/ephemeralcontainers']}",
                vec![Danger::Wildcards],
            ),
            ("{nonResourceURLs: [/version], verbs: [get]}", vec![]),
            ("{nonResourceURLs: ['*'], verbs: [post]}", vec![Danger::Writes, Danger::Wildcards]),
        ] {
            assert_eq!(dangers(rule), found, "{rule}");
        }
    }

    #[test]
    fn writing_leaving_the_working_directory_and_credentials_are_dangers() {
        for (spec, found) in [
            ("{files: [{path: .}], environment: [EDITOR, 'MY_*']}", vec![]),
            ("{files: [{path: out, access: read-write}]}", vec![Danger::FileWrites]),
            ("{files: [{path: .}, {path: ~/x}]}", vec![Danger::Files]),
            ("{environment: [AWS_REGION]}", vec![Danger::Variables]),
        ] {
            let policy = samples::policy(spec);
            let dangers = policy.beyond(&Policy::none()).into_iter().flat_map(|allowed| allowed.dangers);
            assert_eq!(dangers.collect::<Vec<_>>(), found, "{spec}");
        }
    }
}
