//! The rules that would allow a request that no rule covers: the narrowest one, and one for requests like it.

use super::request_info::RequestInfo;
use super::rule::{NameSelector, ResourceRule, Rule, UrlRule};
use super::target::Context;

/// The trees of paths by which client libraries find out what a server has. Each is read in many requests, so
/// that a rule for one of them names its whole tree, as the cluster role `system:discovery` does.
const DISCOVERY: [&[&str]; 2] = [&["/api", "/apis"], &["/openapi"]];

/// Returns the narrowest rule that covers a request in a context, with these verbs.
///
/// Returns `None` if no rule covers only that: a part of the request is a word that means more in a rule, e.g. a
/// resource called `*`. No server has such a thing, and a user who allows the request must not allow everything.
pub(super) fn narrowest<'a>(
    info: &RequestInfo,
    verbs: impl Iterator<Item = &'a str>,
    context: &Context,
) -> Option<Rule> {
    let RequestInfo { api_group, resource, subresource, namespace, name, path, .. } = info;
    let verbs = verbs.map(str::to_owned).collect();
    if !info.is_resource_request {
        return (!path.contains('*')).then(|| Rule::Urls(UrlRule { verbs, urls: vec![path.clone()] }));
    }
    let namespaces = match namespace.as_str() {
        "" => NameSelector::All,
        namespace if namespace == context.namespace() => NameSelector::current(),
        "*" | "current" => return None,
        namespace => NameSelector::Some { current: false, names: vec![namespace.to_owned()] },
    };
    if [api_group, resource, subresource].iter().any(|word| word.contains('*')) {
        return None;
    }
    let resource =
        if subresource.is_empty() { resource.clone() } else { format!("{resource}/{subresource}") };
    Some(Rule::Resources(ResourceRule {
        verbs,
        api_groups: vec![api_group.clone()],
        resources: vec![resource],
        resource_names: Some(name.clone()).into_iter().filter(|name| !name.is_empty()).collect(),
        namespaces,
        except: Vec::new(),
    }))
}

/// Returns a rule that covers a request in a context, and those that a plugin will send in its place another
/// time: the namespace that the user chose is `current`, the API version does not matter, and discovery is
/// covered as a whole. A request for one object stays one for that object, even if a field selector of a list or a
/// watch names it.
///
/// Returns `None` if no rule covers only such requests: a part of the request is a word that means more in a rule,
/// e.g. a resource called `*`.
#[must_use]
pub fn generalise(info: &RequestInfo, context: &Context) -> Option<Rule> {
    narrowest(info, std::iter::once(info.verb.as_str()), context).map(widened)
}

/// Returns the rule for the whole tree, if it is one about reading discovery.
pub(super) fn widened(rule: Rule) -> Rule {
    match rule {
        Rule::Urls(UrlRule { verbs, urls }) if verbs.iter().all(|verb| verb == "get" || verb == "head") => {
            Rule::Urls(UrlRule { verbs, urls: urls.into_iter().flat_map(tree).collect() })
        }
        rule => rule,
    }
}

/// Returns the URLs of the tree of discovery that a path is in, or the path itself.
fn tree(path: String) -> Vec<String> {
    let is_below =
        |root: &&str| path.strip_prefix(*root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    match DISCOVERY.iter().find(|roots| roots.iter().any(is_below)) {
        Some(roots) => roots.iter().flat_map(|root| [(*root).to_owned(), format!("{root}/*")]).collect(),
        None => vec![path],
    }
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;

    fn generalised(method: &Method, path: &str) -> Option<Rule> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let info = RequestInfo::resolve(method, path, query).unwrap_or_else(|_| panic!("{path} is clear"));
        let context = Context::new("prod", "shop", "prod");
        let rule = generalise(&info, &context)?;
        assert!(rule.covers(&info, &context), "{rule}");
        Some(rule)
    }

    fn rule(method: &Method, path: &str) -> String {
        generalised(method, path).unwrap().to_string()
    }

    #[test]
    fn the_namespace_that_the_user_chose_is_the_current_one_and_another_is_named() {
        for (path, expected) in [
            (
                "/apis/apps/v1/namespaces/shop/deployments?watch=1",
                "{apiGroups: [apps], resources: [deployments], verbs: [watch], namespaces: [current]}",
            ),
            (
                "/api/v1/namespaces/other/pods",
                "{apiGroups: [\"\"], resources: [pods], verbs: [list], namespaces: [other]}",
            ),
            ("/api/v1/pods", "{apiGroups: [\"\"], resources: [pods], verbs: [list]}"),
        ] {
            assert_eq!(rule(&Method::GET, path), expected);
        }
    }

    #[test]
    fn a_request_for_one_object_stays_one_for_that_object() {
        let secrets = "/api/v1/namespaces/shop/secrets";
        let named = |verb: &str| {
            format!(
                "{{apiGroups: [\"\"], resources: [secrets], verbs: [{verb}], namespaces: [current], resourceNames: [db]}}"
            )
        };
        for (method, verb) in [
            (Method::GET, "get"),
            (Method::PATCH, "patch"),
            (Method::PUT, "update"),
            (Method::DELETE, "delete"),
        ] {
            assert_eq!(rule(&method, &format!("{secrets}/db")), named(verb));
        }
        // All others would be granted along with it.
        let selected = format!("{secrets}?watch=1&fieldSelector=metadata.name%3Ddb");
        assert_eq!(rule(&Method::GET, &selected), named("watch"));
        assert_eq!(
            rule(&Method::POST, "/api/v1/namespaces/shop/pods/web/exec"),
            "{apiGroups: [\"\"], resources: [pods/exec], verbs: [create], namespaces: [current], resourceNames: [web]}"
        );
    }

    #[test]
    fn discovery_is_read_as_a_whole_and_nothing_else_is() {
        let api = "{nonResourceURLs: [/api, \"/api/*\", /apis, \"/apis/*\"], verbs: [get]}";
        for path in ["/api", "/api/v1", "/apis", "/apis/apps", "/apis/apps/v1"] {
            assert_eq!(rule(&Method::GET, path), api, "{path}");
        }
        assert_eq!(
            rule(&Method::GET, "/openapi/v3/apis/apps/v1"),
            "{nonResourceURLs: [/openapi, \"/openapi/*\"], verbs: [get]}"
        );
        for path in ["/version", "/apiserver", "/logs/kube-apiserver.log", "/"] {
            assert_eq!(rule(&Method::GET, path), format!("{{nonResourceURLs: [{path}], verbs: [get]}}"));
        }
        assert_eq!(rule(&Method::POST, "/apis/apps"), "{nonResourceURLs: [/apis/apps], verbs: [post]}");
    }

    #[test]
    fn a_word_that_means_more_in_a_rule_makes_none() {
        for path in [
            "/api/v1/namespaces/shop/*",
            "/api/v1/namespaces/shop/pods/web/*",
            "/apis/*/v1/namespaces/shop/things",
            "/api/v1/namespaces/*/secrets",
            "/api/v1/namespaces/current/secrets",
            "/*",
            "/metrics/*",
        ] {
            assert_eq!(generalised(&Method::GET, path), None, "{path}");
        }
        // A name is never more than a name.
        assert!(rule(&Method::GET, "/api/v1/namespaces/shop/pods/*").contains("resourceNames: [\"*\"]"));
    }
}
