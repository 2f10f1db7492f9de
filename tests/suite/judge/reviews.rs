//! The judge says what the running API server says, asked by reviews of access (`SubjectAccessReview`) about users who
//! have the generated rules as roles.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::generator::Generator;
use super::rules::{self, Rbac, Subject};
use super::{CURRENT, ours, rng};
use crate::support::{Real, real};

/// The number of pairs of rules and a request.
const PAIRS: usize = 500;

/// The number of policies that they share, so that the roles are created in seconds.
const POLICIES: usize = 60;

const GROUP: &str = "rbac.authorization.k8s.io";

/// Returns a role and its binding to a user, in each namespace where the user has rules.
fn roles(user: &str, subject: &Subject) -> Vec<Value> {
    let mut objects = Vec::new();
    for (namespace, rules) in subject {
        let prefix = if namespace.is_empty() { "Cluster" } else { "" };
        let mut metadata = json!({"name": user});
        if !namespace.is_empty() {
            metadata["namespace"] = json!(namespace);
        }
        let (role, version) = (format!("{prefix}Role"), format!("{GROUP}/v1"));
        objects.push(json!({"apiVersion": version, "kind": role, "metadata": metadata, "rules": rules}));
        objects.push(json!({
            "apiVersion": version, "kind": format!("{prefix}RoleBinding"), "metadata": metadata,
            "roleRef": {"apiGroup": GROUP, "kind": role, "name": user},
            "subjects": [{"apiGroup": GROUP, "kind": "User", "name": user}],
        }));
    }
    objects
}

/// Returns the question whether a user may make a request.
pub(super) fn review(user: &str, info: &kwasm::policy::RequestInfo) -> Value {
    let asked = if info.is_resource_request {
        json!({"resourceAttributes": {
            "namespace": info.namespace, "verb": info.verb, "group": info.api_group, "version": info.api_version,
            "resource": info.resource, "subresource": info.subresource, "name": info.name,
        }})
    } else {
        json!({"nonResourceAttributes": {"path": info.path, "verb": info.verb}})
    };
    let mut spec = asked;
    spec["user"] = json!(user);
    json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec})
}

pub(super) fn list(items: &[Value]) -> String {
    json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string()
}

/// Returns the running server's answer to each review.
pub(super) fn ask(real: &Real, reviews: &[Value]) -> Vec<bool> {
    let answers = real.feed(&["create", "--validate=false", "-o", "json", "-f", "-"], &list(reviews));
    let answers: Vec<Value> =
        serde_json::Deserializer::from_str(&answers).into_iter().map(|answer| answer.unwrap()).collect();
    assert_eq!(answers.len(), reviews.len());
    for (answer, review) in answers.iter().zip(reviews) {
        assert_eq!(answer["spec"]["user"], review["spec"]["user"]);
    }
    answers.iter().map(|answer| answer["status"]["allowed"].as_bool().unwrap()).collect()
}

/// Waits until the authorizer knows all roles. It watches each kind in the order of creation, so the last
/// ones suffice.
fn wait_for_roles(real: &Real) {
    let user = "judged-last";
    let anything = json!({"verbs": ["get"], "apiGroups": ["*"], "resources": ["*"]});
    let url = json!({"verbs": ["get"], "nonResourceURLs": ["*"]});
    let subject = Subject::from([(String::new(), vec![url]), (CURRENT.to_owned(), vec![anything])]);
    real.apply(&list(&roles(user, &subject)));
    let reviews = ["/version", "/api/v1/namespaces/shop/pods/web"]
        .map(|path| review(user, ours("GET", path).unwrap().info()));
    for _ in 0..100 {
        if ask(real, &reviews) == [true, true] {
            return;
        }
        thread::sleep(Duration::from_millis(100));
    }
    panic!("the roles have no effect");
}

#[test]
fn the_running_server_reviews_access_as_the_judge_does() {
    let Some(real) = real("the_running_server_reviews_access_as_the_judge_does") else { return };
    let mut generator = Generator(rng());
    println!("seed {}", generator.0.get_seed());
    let namespaces = ["judged-a", "judged-b"]
        .map(|name| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}));
    real.apply(&list(&namespaces));

    let policies: Vec<_> = (0..POLICIES).map(|_| generator.rules()).collect();
    let user = |policy: usize, subject: usize| format!("judged-{policy}-{subject}");
    let asked: Vec<Rbac> = policies.iter().map(|rules| Rbac::of(rules)).collect();
    let objects: Vec<Value> = (asked.iter().enumerate())
        .flat_map(|(policy, rbac)| rbac.subjects().into_iter().enumerate().map(move |of| (policy, of)))
        .flat_map(|(policy, (index, subject))| roles(&user(policy, index), subject))
        .collect();
    real.apply(&list(&objects));
    wait_for_roles(real);

    let (mut pairs, mut reviews) = (Vec::new(), Vec::new());
    while pairs.len() < PAIRS {
        let policy = pairs.len() % POLICIES;
        let (method, url) = generator.request(&policies[policy]);
        let Some(attempt) = ours(&method, &url) else { continue };
        let subjects = 0..asked[policy].subjects().len();
        reviews.extend(subjects.map(|index| review(&user(policy, index), attempt.info())));
        pairs.push((policy, attempt));
    }
    let mut answers = ask(real, &reviews).into_iter();
    let mut allowed = 0;
    for (policy, attempt) in &pairs {
        let subjects: Vec<bool> = answers.by_ref().take(asked[*policy].subjects().len()).collect();
        let theirs = asked[*policy].allowed(&subjects);
        let rules = &policies[*policy];
        let ours = rules::policy(rules).decide(attempt).is_ok();
        assert_eq!(ours, theirs, "{attempt}\n{}", rules::text(rules));
        allowed += usize::from(ours);
    }
    println!(
        "{} pairs, {allowed} allowed, {} reviews, {} roles",
        pairs.len(),
        reviews.len(),
        objects.len() / 2
    );
    assert!(allowed * 100 >= pairs.len() * 40, "{allowed} allowed");
    assert!(allowed < pairs.len());
}
