//! The gate's filters of headers, fed with a header a line, as `name:value`.

use std::sync::LazyLock;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use http_body::Frame;
use kwasm::gate::headers;
use kwasm::policy::{Attempt, Context, Host, Policy, Target};

/// The headers that never pass in either direction: hop-by-hop headers (RFC 9110 §7.6.1).
const OF_THE_CONNECTION: &[&str] = &[
    "connection",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The headers that are never sent: forwarding, sessions, and those that the sender sets itself.
const OF_THE_HOST: &[&str] = &["cookie", "forwarded", "host", "via"];

/// Checks all directions.
pub(crate) fn holds(data: &[u8]) {
    let given = given(data);
    let (number, bytes) = headers::size(&given);
    assert_eq!(number, given.iter().count());
    assert_eq!(
        bytes,
        given.iter().map(|(name, value)| (name.as_str().len() + value.len()) as u64).sum::<u64>()
    );

    let listed = listed(&given);
    let cluster = Target::Context(Context::new("test", "shop", "test"));
    let host = Target::Host(Host { name: "example.com".to_owned(), port: 443, private: false });
    let sendable = |name: &HeaderName| {
        let name = name.as_str();
        ![OF_THE_CONNECTION, OF_THE_HOST].concat().contains(&name) && !name.starts_with("x-forwarded-")
    };
    let no_authorization = |name: &HeaderName| sendable(name) && name != "authorization";
    let own = |name: &HeaderName, _: &HeaderValue| no_authorization(name) && !listed.contains(name);
    keeps(&given, |map| headers::outgoing(map, &cluster), own);
    let own = |name: &HeaderName, _: &HeaderValue| sendable(name) && !listed.contains(name);
    keeps(&given, |map| headers::outgoing(map, &host), own);

    let own = |name: &HeaderName, value: &HeaderValue| {
        !OF_THE_CONNECTION.contains(&name.as_str())
            && name != "set-cookie"
            && !listed.contains(name)
            && (name != "www-authenticate" || !carries_a_token(value))
    };
    keeps(&given, headers::incoming, own);

    let own = |name: &HeaderName, _: &HeaderValue| no_authorization(name) && !claims(name);
    keeps(
        &given,
        |map| headers::outgoing_frame(Frame::trailers(map)).into_trailers().unwrap_or_default(),
        own,
    );
    let frame = headers::outgoing_frame(Frame::data(Bytes::copy_from_slice(data)));
    assert_eq!(frame.into_data().ok().as_deref(), Some(data), "data is not touched");

    no_claim_passes(&given, &cluster);
}

/// Checks that the filter keeps what it should, in order, and that a second pass removes nothing more.
fn keeps(
    given: &HeaderMap,
    filter: impl Fn(HeaderMap) -> HeaderMap,
    keep: impl Fn(&HeaderName, &HeaderValue) -> bool,
) {
    let kept = filter(given.clone());
    let expected: Vec<_> = given.iter().filter(|(name, value)| keep(name, value)).collect();
    assert_eq!(kept.iter().collect::<Vec<_>>(), expected);
    assert_eq!(filter(kept.clone()), kept);
}

/// Checks that judge and filter together let no request with a claimed identity through.
fn no_claim_passes(given: &HeaderMap, cluster: &Target) {
    let Ok(attempt) = Attempt::read(cluster.clone(), Method::GET, None, given) else { return };
    let claimed = given.iter().any(|(name, value)| {
        claims(name)
            && (name != "authorization" || value.as_bytes().iter().any(|byte| !byte.is_ascii_whitespace()))
    });
    let allowed = EVERYTHING.decide(&attempt).is_ok();
    assert_eq!(allowed, !claimed);
    let sent = headers::outgoing(given.clone(), cluster);
    if allowed {
        assert!(!sent.keys().any(claims));
    }
    if IMPERSONATING.decide(&attempt).is_ok() {
        let claimed: Vec<_> = sent.keys().filter(|name| claims(name)).collect();
        assert!(claimed.iter().all(|name| name.as_str().starts_with("impersonate-")), "{claimed:?}");
    }
}

static EVERYTHING: LazyLock<Policy> = LazyLock::new(|| everything(false));
static IMPERSONATING: LazyLock<Policy> = LazyLock::new(|| everything(true));

fn everything(impersonate: bool) -> Policy {
    let spec = format!(
        "{{kubernetes: {{impersonate: {impersonate}, rules: [{{nonResourceURLs: ['*'], verbs: ['*']}}]}}}}"
    );
    let text = format!("apiVersion: kwasm.dev/v1\nkind: Policy\nmetadata: {{name: test}}\nspec: {spec}\n");
    Policy::read("test.yaml", &text).expect("it is a policy")
}

fn given(data: &[u8]) -> HeaderMap {
    let lines = data.split(|byte| *byte == b'\n').filter_map(|line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = HeaderName::from_bytes(&line[..colon]).ok()?;
        Some((name, HeaderValue::from_bytes(&line[colon + 1..]).ok()?))
    });
    lines.collect()
}

fn claims(name: &HeaderName) -> bool {
    let name = name.as_str();
    name == "authorization" || name.starts_with("impersonate-") || name.starts_with("x-remote-")
}

/// Returns the headers that `connection` lists, which are hop-by-hop whatever else it contains.
fn listed(given: &HeaderMap) -> Vec<HeaderName> {
    let values = given
        .get_all("connection")
        .into_iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    values.filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok()).collect()
}

/// Returns whether a value of `www-authenticate` (RFC 9110 §11.6.1) contains more than Basic's or Bearer's
/// parameters.
fn carries_a_token(value: &HeaderValue) -> bool {
    let Ok(text) = value.to_str() else { return true };
    // Texts in quotes cannot be taken for anything else once they are gone.
    let mut bare = String::new();
    let (mut quoted, mut escaped) = (false, false);
    for character in text.chars() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => {
                quoted = !quoted;
                bare.push('"');
            }
            _ if quoted => {}
            character => bare.push(character),
        }
    }
    let is_token = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
    };
    let is_parameter = |text: &str| {
        text.split_once('=').is_some_and(|(name, value)| {
            let value = value.trim();
            is_token(name.trim()) && (value == "\"\"" || is_token(value))
        })
    };
    let is_challenge = |text: &str| {
        let (scheme, rest) = text.split_once(' ').unwrap_or((text, ""));
        ["basic", "bearer"].contains(&scheme.to_ascii_lowercase().as_str())
            && (rest.trim().is_empty() || is_parameter(rest))
    };
    let mut parts = bare.split(',').map(str::trim);
    quoted
        || !parts.next().is_some_and(is_challenge)
        || !parts.all(|part| part.is_empty() || is_parameter(part) || is_challenge(part))
}
