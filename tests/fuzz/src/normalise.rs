//! The normaliser, fed with a request as text: `METHOD PATH?QUERY`, then a header a line, as `name:value`.

use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use kwasm::message::Explain as _;
use kwasm::policy::{Attempt, Context, Host, Policy, Reason, Target};

use super::percent;

/// Checks whatever a request has to be once it has passed, and what a refusal has to be.
pub(crate) fn holds(data: &[u8]) {
    let Some((method, uri, headers)) = request(data) else { return };
    let host = Host { name: "example.com".to_owned(), port: 443, private: false };
    for target in [Target::Context(Context::new("test", "shop", "test")), Target::Host(host)] {
        match Attempt::read(target.clone(), method.clone(), Some(&uri), &headers) {
            Ok(attempt) => {
                assert_eq!((attempt.method(), attempt.path()), (&method, uri.path()));
                passed(&attempt, &headers);
                assert_same(&attempt, &again(&attempt, &attempt.path_and_query(), &headers));
                if let Target::Context(context) = &target {
                    is_understood(&attempt);
                    is_allowed_by_its_hint(&attempt, context);
                }
            }
            Err(refusal) => {
                assert!(matches!(refusal.reason(), Reason::Ambiguous(_)), "{refusal}");
                assert!(refusal.to_string().chars().count() < 400, "{refusal}");
                assert!(!is_ordinary(&method, &uri, &headers), "refused for nothing: {refusal}");
            }
        }
    }
}

fn request(data: &[u8]) -> Option<(Method, PathAndQuery, HeaderMap)> {
    let mut lines = data.split(|byte| *byte == b'\n');
    let line = lines.next()?;
    let space = line.iter().position(|byte| *byte == b' ')?;
    let method = Method::from_bytes(&line[..space]).ok()?;
    let uri = PathAndQuery::try_from(&line[space + 1..]).ok()?;
    let headers = lines.filter_map(|line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = HeaderName::from_bytes(&line[..colon]).ok()?;
        Some((name, HeaderValue::from_bytes(&line[colon + 1..]).ok()?))
    });
    Some((method, uri, headers.collect()))
}

/// Checks that a request that passed contains nothing ambiguous.
fn passed(attempt: &Attempt, headers: &HeaderMap) {
    let path = attempt.path();
    assert!(path.starts_with('/') && path.len() <= 16 * 1024, "{path}");
    assert!(![Method::CONNECT, Method::TRACE].contains(attempt.method()));
    let segments: Vec<&str> = path[1..].split('/').collect();
    for (index, segment) in segments.iter().enumerate() {
        let text = decoded(segment).unwrap_or_else(|| panic!("{segment:?} cannot be decoded"));
        assert!(index + 1 == segments.len() || !text.is_empty(), "an empty segment: {path}");
        assert!(text != "." && text != "..", "a dot segment: {path}");
        assert!(!text.contains(['/', '\\']) && !text.contains(char::is_control), "{path}");
    }
    let number = |name: &str| headers.get_all(name).iter().count();
    assert!(number("host") <= 1 && number("content-length") <= 1);
    assert!(number("content-length") == 0 || number("transfer-encoding") == 0);
}

fn again(attempt: &Attempt, uri: &str, headers: &HeaderMap) -> Attempt {
    let uri = uri.parse().unwrap_or_else(|error| panic!("{uri:?}: {error}"));
    Attempt::read(attempt.target().clone(), attempt.method().clone(), Some(&uri), headers)
        .unwrap_or_else(|refusal| panic!("refused when read again: {refusal}"))
}

fn assert_same(attempt: &Attempt, other: &Attempt) {
    assert_eq!((attempt.path(), attempt.query()), (other.path(), other.query()));
    assert_eq!((attempt.info(), attempt.claims()), (other.info(), other.claims()));
}

/// Checks that the attributes are exactly those of the decoded path.
fn is_understood(attempt: &Attempt) {
    let info = attempt.info();
    assert_eq!(
        decoded(attempt.path()).as_deref(),
        Some(info.path.as_str()),
        "decoded once, no more and no less"
    );

    // Another spelling of the same is the same.
    let slashes: Vec<String> =
        info.path.split('/').map(|segment| percent::encoded(segment, || segment.len() % 3 == 0)).collect();
    let query = attempt.query().map(|query| format!("?{query}")).unwrap_or_default();
    let respelt = again(attempt, &format!("{}{query}", slashes.join("/")), &HeaderMap::new());
    assert_eq!(respelt.info(), info);

    let segments: Vec<&str> = info.path.split('/').filter(|segment| !segment.is_empty()).collect();
    if !info.is_resource_request {
        assert_eq!(info.verb, attempt.method().as_str().to_ascii_lowercase());
        let empty = [&info.api_group, &info.resource, &info.subresource, &info.namespace, &info.name];
        assert!(empty.iter().all(|attribute| attribute.is_empty()), "{info:?}");
        return;
    }
    // A resource lies below one of two prefixes, and its attributes come from the path.
    let start = if info.api_prefix == "api" { 2 } else { 3 };
    assert!(segments.len() >= start && segments[0] == info.api_prefix, "{info:?}");
    assert_eq!(segments[start - 1], info.api_version);
    assert_eq!(info.api_group, if start == 3 { segments[1] } else { "" });
    for attribute in [&info.namespace, &info.resource, &info.subresource] {
        assert!(attribute.is_empty() || segments[start..].contains(&attribute.as_str()), "{info:?}");
    }
    let reads = ["get", "list", "watch", "proxy"].contains(&info.verb.as_str());
    assert!(reads || attempt.method() != Method::GET, "{info:?}");
    if info.verb == "get" {
        assert!(segments[start..].contains(&info.name.as_str()), "{info:?}");
    }
    if info.verb == "deletecollection" {
        assert!(info.name.is_empty() && attempt.method() == Method::DELETE, "{info:?}");
    }
}

/// Checks that the rule proposed by a refusal, if it is valid in a policy, allows the refused request.
fn is_allowed_by_its_hint(attempt: &Attempt, context: &Context) {
    let none = Policy::none();
    let Err(reason) = none.decide(attempt) else { panic!("`none` allows {attempt}") };
    if let Reason::SpeaksAs(header) = &reason {
        return assert!(attempt.claims().contains(header));
    }
    let refusal = attempt.refused(reason);
    let hint = refusal.hint().expect("a policy would allow it");
    let (_, rule) = hint.split_once("allows it: ").expect("the hint names a rule");
    let text = format!(
        "apiVersion: kwasm.dev/v1\nkind: Policy\nmetadata: {{name: test}}\nspec: {{kubernetes: {{rules: [{rule}]}}}}\n"
    );
    let Ok(policy) = Policy::read("test.yaml", &text) else {
        return assert!(!is_named_as_kubernetes_does(attempt), "no rule: {rule}");
    };
    assert!(policy.decide(attempt).is_ok(), "{rule} does not allow {attempt} in {}", context.namespace());
}

/// Returns whether every name that a rule would contain is valid in Kubernetes, and the method has a verb.
fn is_named_as_kubernetes_does(attempt: &Attempt) -> bool {
    let info = attempt.info();
    let is_label = |text: &str| {
        !text.is_empty()
            && text.len() <= 63
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !text.starts_with('-')
            && !text.ends_with('-')
    };
    let verbs = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "proxy"];
    let methods = ["get", "head", "post", "put", "patch", "delete", "options"];
    if !info.is_resource_request {
        return methods.contains(&info.verb.as_str()) && !info.path.contains('*');
    }
    verbs.contains(&info.verb.as_str())
        && is_label(&info.resource)
        && (info.api_group.is_empty() || info.api_group.split('.').all(is_label))
        && [&info.namespace, &info.subresource].iter().all(|text| text.is_empty() || is_label(text))
}

/// Returns whether a request is ordinary, so that it has to pass.
fn is_ordinary(method: &Method, uri: &PathAndQuery, headers: &HeaderMap) -> bool {
    let ordinary = |segment: &str| {
        !segment.is_empty()
            && segment != "."
            && segment != ".."
            // Verbs in a path need a resource after them.
            && segment != "watch"
            && segment != "proxy"
            && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte))
    };
    ![Method::CONNECT, Method::TRACE].contains(method)
        && headers.is_empty()
        && uri.query().is_none()
        && uri.path().len() < 16 * 1024
        && (uri.path() == "/" || uri.path().starts_with('/') && uri.path()[1..].split('/').all(ordinary))
}

/// Decodes once, independently of kwasm's code. Returns `None` if that is not possible or not a text.
fn decoded(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let digits = part.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).ok()
}
