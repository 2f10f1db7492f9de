//! Policies and requests by which the judge is measured.

use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method};
use kwasm::policy::{Attempt, Context, Policy, Target};

/// Returns the headers that a client library sends.
pub(crate) fn headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in [("accept", "application/json"), ("user-agent", "plugin/1.0"), ("authorization", "")]
    {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
}

/// Returns the target as the gate has it before it reads a request.
pub(crate) fn target() -> Target {
    Target::Context(Context::new("prod", "shop", "prod"))
}

/// Returns a watch of one kind of object in the user's namespace, as plugins request it.
pub(crate) fn uri() -> PathAndQuery {
    PathAndQuery::from_static(
        "/apis/apps/v1/namespaces/shop/deployments?watch=true&resourceVersion=12345&labelSelector=app%3Dweb",
    )
}

/// Reads the request.
pub(crate) fn read(target: &Target, uri: &PathAndQuery, headers: &HeaderMap) -> Attempt {
    Attempt::read(target.clone(), Method::GET, Some(uri), headers).expect("nothing is wrong with it")
}

/// The decision that a policy makes about the request.
#[derive(Clone, Copy)]
pub(crate) enum Case {
    /// The last rule covers it.
    Last,
    /// No rule covers it: each is for another namespace.
    None,
    /// No rule covers it, since each takes it out again.
    NoneByExcept,
}

impl Case {
    pub(crate) fn is_allowed(self) -> bool {
        matches!(self, Self::Last)
    }
}

/// Returns a policy of this many rules, longer than most, in each of which the first words are those of the
/// request.
pub(crate) fn policy(rules: usize, case: Case) -> Policy {
    const HEAD: &str = "apiVersion: kwasm.dev/v1\nkind: Policy\nmetadata: {name: long}";
    let rule = |number: usize| {
        let resources = match case {
            Case::NoneByExcept => "['*'], except: [secrets, pods/exec, deployments]",
            _ => "[pods, pods/log, statefulsets, deployments], except: [secrets]",
        };
        let namespace = match case {
            Case::NoneByExcept => "current".to_owned(),
            Case::Last if number + 1 == rules => "current".to_owned(),
            _ => format!("team-{number}"),
        };
        format!(
            "{{apiGroups: ['', batch, apps], resources: {resources}, verbs: [get, list, watch], namespaces: [{namespace}]}}"
        )
    };
    let rules: Vec<String> = (0..rules).map(rule).collect();
    let text = format!("{HEAD}\nspec: {{kubernetes: {{rules: [{}]}}}}\n", rules.join(", "));
    Policy::read("long.yaml", &text).expect("it is a policy")
}
