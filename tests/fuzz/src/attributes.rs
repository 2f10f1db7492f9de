//! Attributes: requests are generated from their meaning, so that kwasm's reading can be compared with it,
//! and are then rewritten in other spellings.

use std::sync::LazyLock;

use arbitrary::{Result, Unstructured};
use http::uri::PathAndQuery;
use http::{HeaderMap, Method};
use kwasm::policy::{Attempt, Context, Policy, RequestInfo, Target};

use super::percent;

/// Checks one request that is made of these bytes.
pub(crate) fn holds(data: &[u8]) {
    // Bytes from which no request can be made are not a finding.
    let (Ok(()) | Err(_)) = made(&mut Unstructured::new(data));
}

fn made(random: &mut Unstructured<'_>) -> Result<()> {
    has_its_meaning(&meant(random)?, random);
    is_the_same_in_other_words(&free(random)?, random)
}

/// A request in its parts, none of them encoded.
struct Asked {
    method: Method,
    segments: Vec<String>,
    /// A slash after the last one.
    slash: bool,
    query: Vec<(String, String)>,
}

const METHODS: &[Method] = &[
    Method::GET,
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
];

const GROUPS: &[&str] = &["apps", "batch", "events.k8s.io", "example.com"];

const RESOURCES: &[&str] =
    &["pods", "secrets", "configmaps", "deployments", "events", "nodes", "services", "api"];

const SUBRESOURCES: &[&str] = &["log", "exec", "status", "scale", "proxy", "portforward", "watch", "secrets"];

const NAMES: &[&str] =
    &["db", "web-0", "shop", "namespaces", "pods", "a b", "x:y", "ü", "100%", "a%2fb", "...", "*"];

const NAMESPACES: &[&str] = &["shop", "other", "default", "watch", "pods"];

const WORDS: &[&str] = &[
    "api",
    "apis",
    "v1",
    "apps",
    "namespaces",
    "shop",
    "pods",
    "secrets",
    "db",
    "log",
    "status",
    "finalize",
    "watch",
    "proxy",
    "",
    ".",
    "..",
    "a/b",
    "a\\b",
    "\0",
    "%2e",
    "%",
    "ü",
    "version",
    "openapi",
];

const KEYS: &[&str] =
    &["watch", "fieldSelector", "labelSelector", "limit", "timeoutSeconds", "x", "Watch", "watch "];

const VALUES: &[&str] = &[
    "",
    "0",
    "1",
    "true",
    "false",
    "FALSE",
    "x",
    "10",
    "-1",
    "metadata.name=db",
    "metadata.name==db,a=b",
    "a!=b",
    "a=b",
    "a in (b)",
    "metadata.name=a\\,b",
    ";",
    "&",
];

/// Keys that do not affect the meaning of a query.
const UNRELATED: &[&str] =
    &["x", "pretty", "resourceVersion", "continue", "Watch", "WATCH", "watc", "fieldselector", "a;b"];

/// Generates attributes that the API server has to derive, and the request.
fn meant(random: &mut Unstructured<'_>) -> Result<(Asked, RequestInfo)> {
    let pick = |random: &mut Unstructured<'_>, words: &[&str]| Ok((*random.choose(words)?).to_owned());
    let method = random.choose(METHODS)?.clone();
    let core: bool = random.arbitrary()?;
    let group = if core { String::new() } else { pick(random, GROUPS)? };
    let prefix = if core { "api" } else { "apis" }.to_owned();
    let mut info = RequestInfo {
        is_resource_request: true,
        verb: verb(&method).to_owned(),
        api_prefix: prefix.clone(),
        api_group: group.clone(),
        api_version: "v1".to_owned(),
        resource: pick(random, RESOURCES)?,
        ..RequestInfo::default()
    };
    let mut segments = vec![prefix, group, info.api_version.clone()];
    segments.retain(|segment| !segment.is_empty());
    if random.ratio(1, 8)? {
        "watch".clone_into(&mut info.verb);
        segments.push("watch".to_owned());
    }
    if random.arbitrary()? {
        info.namespace = pick(random, NAMESPACES)?;
        segments.extend(["namespaces".to_owned(), info.namespace.clone()]);
    }
    segments.push(info.resource.clone());
    if random.arbitrary()? {
        info.name = if random.ratio(1, 4)? { segment(random)? } else { pick(random, NAMES)? };
        segments.push(info.name.clone());
        if random.arbitrary()? {
            info.subresource = pick(random, SUBRESOURCES)?;
            segments.push(info.subresource.clone());
            for _ in 0..random.int_in_range(0..=2)? {
                segments.push(segment(random)?);
            }
        }
    }
    let mut query = Vec::new();
    if info.name.is_empty() && info.verb == "get" {
        "list".clone_into(&mut info.verb);
        if random.arbitrary()? {
            let name = pick(random, &["db", "x", "a-b"])?;
            query.push(("fieldSelector".to_owned(), format!("metadata.name={name}")));
            info.name = name;
        }
        if random.arbitrary()? {
            "watch".clone_into(&mut info.verb);
            query.push(("watch".to_owned(), pick(random, &["1", "true", "", "yes", "no"])?));
        }
    } else if info.name.is_empty() && info.verb == "delete" {
        "deletecollection".clone_into(&mut info.verb);
    }
    // After an object a slash changes nothing, nor after a collection.
    let slash = random.ratio(1, 8)?;
    info.path = format!("/{}{}", segments.join("/"), if slash { "/" } else { "" });
    Ok((Asked { method, segments, slash, query }, info))
}

fn verb(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" | "HEAD" => "get",
        "POST" => "create",
        "PUT" => "update",
        "PATCH" => "patch",
        "DELETE" => "delete",
        _ => "",
    }
}

/// Generates a text that is valid as a segment.
fn segment(random: &mut Unstructured<'_>) -> Result<String> {
    let text: String = random.arbitrary()?;
    let text: String =
        text.chars().filter(|character| !character.is_control() && !"/\\".contains(*character)).collect();
    Ok(if ["", ".", ".."].contains(&text.as_str()) { "x".to_owned() } else { text })
}

/// Generates a request of arbitrary parts, valid or not.
fn free(random: &mut Unstructured<'_>) -> Result<Asked> {
    let method = random.choose(METHODS)?.clone();
    let mut asked = Asked { method, segments: Vec::new(), slash: random.arbitrary()?, query: Vec::new() };
    for _ in 0..random.int_in_range(1..=8)? {
        let word =
            if random.ratio(7, 8)? { (*random.choose(WORDS)?).to_owned() } else { random.arbitrary()? };
        asked.segments.push(word);
    }
    for _ in 0..random.int_in_range(0..=4)? {
        let key = (*random.choose(KEYS)?).to_owned();
        let value =
            if random.ratio(7, 8)? { (*random.choose(VALUES)?).to_owned() } else { random.arbitrary()? };
        asked.query.push((key, value));
    }
    Ok(asked)
}

fn context(namespace: &str) -> Target {
    Target::Context(Context::new("test", namespace, "test"))
}

/// Reads a request, in which a character that needs no encoding is encoded if `too` returns true.
fn read(asked: &Asked, namespace: &str, mut too: impl FnMut() -> bool) -> Option<Attempt> {
    let segments: Vec<String> = asked.segments.iter().map(|text| percent::encoded(text, &mut too)).collect();
    let mut uri = format!("/{}{}", segments.join("/"), if asked.slash { "/" } else { "" });
    for (index, (key, value)) in asked.query.iter().enumerate() {
        uri.push(if index == 0 { '?' } else { '&' });
        uri.push_str(&percent::encoded(key, &mut too));
        uri.push('=');
        let value = percent::encoded(value, &mut too);
        uri.push_str(&if value.len() % 2 == 0 { value.replace("%20", "+") } else { value });
    }
    let uri: PathAndQuery = uri.parse().unwrap_or_else(|error| panic!("{uri:?}: {error}"));
    Attempt::read(context(namespace), asked.method.clone(), Some(&uri), &HeaderMap::new()).ok()
}

/// Returns a random choice, for a quarter of the characters.
fn some(random: &mut Unstructured<'_>) -> impl FnMut() -> bool {
    || random.ratio(1, 4).unwrap_or(false)
}

fn has_its_meaning((asked, info): &(Asked, RequestInfo), random: &mut Unstructured<'_>) {
    let Some(attempt) = read(asked, "shop", some(random)) else { panic!("refused: {info:?}") };
    assert_eq!(attempt.info(), info);
    let decoder = allows("decoder", &attempt);
    let reads = ["get", "list", "watch"].contains(&info.verb.as_str());
    let is_the_one = (info.resource.as_str(), info.subresource.as_str()) == ("secrets", "");
    assert_eq!(
        decoder,
        reads && is_the_one && info.api_group.is_empty() && info.namespace == "shop",
        "{info:?}"
    );
    let Some(elsewhere) = read(asked, "elsewhere", some(random)) else { panic!("refused: {info:?}") };
    assert!(!allows("decoder", &elsewhere), "{info:?}");

    let reaches_further = ["attach", "exec", "portforward", "proxy"].contains(&info.subresource.as_str());
    let secret = info.resource == "secrets" && info.subresource.is_empty();
    assert_eq!(allows("read-only", &attempt), reads && !reaches_further && !secret, "{info:?}");
}

/// Checks that neither other spellings nor unrelated pairs of a query change the meaning.
fn is_the_same_in_other_words(asked: &Asked, random: &mut Unstructured<'_>) -> Result<()> {
    let plain = read(asked, "shop", || false);
    let inner = if asked.slash { &asked.segments[..] } else { &asked.segments[..asked.segments.len() - 1] };
    let has_fault = |text: &String| {
        text == "." || text == ".." || text.contains(['/', '\\']) || text.contains(char::is_control)
    };
    if asked.segments.iter().any(has_fault) || inner.iter().any(String::is_empty) {
        assert!(plain.is_none(), "{:?} passes", asked.segments);
    }
    let mut other = Asked {
        method: if asked.method == Method::HEAD { Method::GET } else { asked.method.clone() },
        segments: asked.segments.clone(),
        slash: asked.slash,
        query: asked.query.clone(),
    };
    for _ in 0..random.int_in_range(0..=3)? {
        let key = (*random.choose(UNRELATED)?).to_owned();
        let at = random.int_in_range(0..=other.query.len())?;
        other.query.insert(at, (key, random.arbitrary()?));
    }
    let respelt = read(&other, "shop", some(random));
    let (plain, respelt) = match (plain, respelt) {
        (Some(plain), Some(respelt)) => (plain, respelt),
        (plain, respelt) => {
            assert_eq!(plain.is_some(), respelt.is_some(), "{:?}", asked.segments);
            return Ok(());
        }
    };
    if plain.info().is_resource_request || asked.method != Method::HEAD {
        assert_eq!(plain.info(), respelt.info());
    }
    let policies = ["none", "timeline", "decoder", "view", "read-only", "cluster"];
    let allowed = policies.map(|name| allows(name, &plain));
    if asked.method != Method::HEAD {
        assert_eq!(allowed, policies.map(|name| allows(name, &respelt)));
    }
    let [none, timeline, decoder, view, read_only, cluster] = allowed;
    assert!(!none && cluster);
    // Each of these is a part of the next.
    assert!(timeline <= view && view <= read_only, "{:?}", plain.info());
    assert!(!(decoder && read_only), "{:?}", plain.info());
    Ok(())
}

fn allows(policy: &str, attempt: &Attempt) -> bool {
    builtin(policy).decide(attempt).is_ok()
}

/// Returns a built-in policy, which is cached since reading it takes longer than the checks here.
fn builtin(name: &str) -> &'static Policy {
    static POLICIES: LazyLock<Vec<Policy>> = LazyLock::new(|| {
        kwasm::policy::builtins()
            .map(|name| Policy::builtin(name).expect("built in").expect("sound"))
            .collect()
    });
    POLICIES.iter().find(|policy| policy.name() == name).expect("built in")
}
