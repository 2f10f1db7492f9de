//! The headers that pass, in either direction.

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http_body::Frame;

use crate::defence::Defence;
use crate::policy::Target;

/// Hop-by-hop headers (RFC 9110 §7.6.1), including those that older peers add.
const HOP_BY_HOP: &[&str] = &[
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

/// Headers that state where a request came from, or that carry a session. The sender sets `host`.
const FOREIGN: &[&str] = &["cookie", "forwarded", "host", "via"];

/// Returns whether a guest may neither set a header nor see it in a response: such a header is an error in
/// its own `fields`.
///
/// `host` and the hop-by-hop ones are wasi:http's own list; `set-cookie` is here because the session of an
/// authenticating proxy is a credential.
pub(super) fn is_hidden(name: &HeaderName) -> bool {
    Defence::SessionCookies.stops(*name == header::SET_COOKIE)
        || (wasmtime_wasi_http::DEFAULT_FORBIDDEN_HEADERS.contains(name) && !is_let_through(name))
}

/// Returns whether a test lets a hop-by-hop header through. Never true except in a build for tests.
fn is_let_through(name: &HeaderName) -> bool {
    (*name == header::TRANSFER_ENCODING && !Defence::Framing.stands())
        || (*name == header::TRAILER && !Defence::Trailers.stands())
        || !Defence::HopHeaders.stands()
}

/// Returns a request's headers without those that a guest may not send. Headers that claim an identity at the
/// cluster never get here, since the judge refuses them. At another host, the guest may claim any identity.
#[must_use]
pub fn outgoing(headers: HeaderMap, target: &Target) -> HeaderMap {
    let listed = listed_in_connection(&headers);
    let elsewhere = matches!(target, Target::Host(_));
    filter(headers, |name, _| {
        let own = elsewhere && name == header::AUTHORIZATION;
        (is_sendable(name) || own) && !listed.contains(name)
    })
}

/// Returns the size of a message's headers: their number, and the bytes of their names and values.
#[must_use]
pub fn size(headers: &HeaderMap) -> (usize, u64) {
    let bytes = headers.iter().map(|(name, value)| name.as_str().len() + value.len());
    (headers.len(), bytes.sum::<usize>() as u64)
}

/// Filters trailers in the same way.
#[must_use]
pub fn outgoing_frame(frame: Frame<Bytes>) -> Frame<Bytes> {
    match frame.into_trailers() {
        Ok(trailers) => {
            let may_pass = |name: &HeaderName| is_sendable(name) && !claims_identity(name);
            Frame::trailers(filter(trailers, |name, _| Defence::Trailers.passes(may_pass(name))))
        }
        Err(frame) => frame,
    }
}

/// Returns a response's headers without hop-by-hop headers, and without those that could hand a credential to
/// the guest.
#[must_use]
pub fn incoming(headers: HeaderMap) -> HeaderMap {
    let listed = listed_in_connection(&headers);
    filter(headers, |name, value| {
        let challenge =
            Defence::Challenges.passes(*name != header::WWW_AUTHENTICATE || is_plain_challenge(value));
        !HOP_BY_HOP.contains(&name.as_str())
            && Defence::SessionCookies.passes(*name != header::SET_COOKIE)
            && challenge
            && !listed.contains(name)
    })
}

fn filter(headers: HeaderMap, keep: impl Fn(&HeaderName, &HeaderValue) -> bool) -> HeaderMap {
    let mut kept = HeaderMap::with_capacity(headers.len());
    let mut current = None;
    // A map yields each name once, before the first of its values.
    for (name, value) in headers {
        current = name.or(current);
        if let Some(name) = current.as_ref().filter(|name| keep(name, &value)) {
            kept.append(name.clone(), value);
        }
    }
    kept
}

fn is_sendable(name: &HeaderName) -> bool {
    let text = name.as_str();
    let foreign = FOREIGN.contains(&text) || text.starts_with("x-forwarded-");
    // An `authorization` that passed the judge is empty.
    let claim = Defence::Claims.stops(name == header::AUTHORIZATION);
    let of_this_hop = HOP_BY_HOP.contains(&text) && !is_let_through(name);
    !(of_this_hop || claim || Defence::ForeignHeaders.stops(foreign))
}

fn claims_identity(name: &HeaderName) -> bool {
    name == header::AUTHORIZATION
        || name.as_str().starts_with("impersonate-")
        || name.as_str().starts_with("x-remote-")
}

/// Returns the names that `connection` declares as hop-by-hop.
fn listed_in_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    if !Defence::HopHeaders.stands() {
        return Vec::new();
    }
    // As bytes: a non-ASCII value in one place must not hide its names.
    let values = headers.get_all(header::CONNECTION).iter().map(HeaderValue::as_bytes);
    let names = values.flat_map(|value| value.split(|byte| *byte == b','));
    names.filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok()).collect()
}

/// Returns whether challenges only state requirements (RFC 9110 §11.6.1), each by a scheme and its
/// parameters. Others, such as Negotiate, contain tokens, and may follow the first one.
fn is_plain_challenge(value: &HeaderValue) -> bool {
    let Some(text) = value.to_str().ok().and_then(without_quoted) else { return false };
    let mut parts = text.split(',').map(str::trim);
    let is_challenge = |part: &str| {
        let (scheme, parameter) = part.split_once(' ').unwrap_or((part, ""));
        (scheme.eq_ignore_ascii_case("basic") || scheme.eq_ignore_ascii_case("bearer"))
            && (parameter.trim().is_empty() || is_parameter(parameter))
    };
    parts.next().is_some_and(is_challenge)
        && parts.all(|part| part.is_empty() || is_parameter(part) || is_challenge(part))
}

/// Returns whether it is `name=value`, and not a credential that ends with `=`.
fn is_parameter(part: &str) -> bool {
    // Names of headers are RFC 9110's tokens.
    let is_token = |text: &str| HeaderName::from_bytes(text.as_bytes()).is_ok();
    part.split_once('=').is_some_and(|(name, value)| {
        is_token(name.trim()) && (value.trim() == "\"\"" || is_token(value.trim()))
    })
}

/// Returns the text without the contents of its quotes, or `None` if they do not match.
fn without_quoted(text: &str) -> Option<String> {
    let mut bare = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        bare.push(character);
        if character == '"' {
            loop {
                match characters.next()? {
                    '"' => break,
                    '\\' => drop(characters.next()?),
                    _ => {}
                }
            }
            bare.push('"');
        }
    }
    Some(bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    fn names(headers: &HeaderMap) -> Vec<&str> {
        headers.keys().map(HeaderName::as_str).collect()
    }

    fn cluster() -> Target {
        Target::Context(crate::policy::Context::new("c", "shop", "c"))
    }

    #[test]
    fn at_another_host_who_asks_is_the_guests_to_say() {
        let host = crate::policy::Host { name: "api.github.com".to_owned(), port: 443, private: false };
        let headers = map(&[("authorization", "Bearer own"), ("cookie", "c")]);
        assert_eq!(names(&outgoing(headers.clone(), &Target::Host(host))), ["authorization"]);
        assert!(outgoing(headers, &cluster()).is_empty());
    }

    #[test]
    fn a_request_keeps_what_is_the_guests_and_loses_the_rest() {
        let sent = outgoing(
            map(&[
                ("accept", "a"),
                ("cookie", "c"),
                ("host", "h"),
                ("via", "v"),
                ("forwarded", "f"),
                ("x-forwarded-for", "x"),
                ("authorization", ""),
                ("te", "trailers"),
                ("connection", "x-own, close"),
                ("x-own", "o"),
                ("x-other", "p"),
            ]),
            &cluster(),
        );
        assert_eq!(names(&sent), ["accept", "x-other"]);
    }

    #[test]
    fn a_response_keeps_its_content_and_loses_credentials() {
        let seen = incoming(map(&[
            ("content-type", "t"),
            ("set-cookie", "s"),
            ("www-authenticate", "Negotiate dG9rZW4="),
            ("keep-alive", "5"),
        ]));
        assert_eq!(names(&seen), ["content-type"]);
    }

    #[test]
    fn a_challenge_passes_that_carries_no_token_behind_another() {
        let passes = |value| !incoming(map(&[("www-authenticate", value)])).is_empty();
        for value in [
            "Basic",
            "Basic realm=\"x\"",
            "Bearer realm=\"a, Negotiate b\", scope = \"x y\"",
            "bearer error=invalid_token, Basic realm=\"\\\"\"",
        ] {
            assert!(passes(value), "{value}");
        }
        for value in [
            "",
            "Negotiate dG9rZW4=",
            "Basic realm=\"x\", Negotiate dG9rZW4=",
            "Basic realm=\"x\", NTLM",
            "Bearer dG9rZW4=",
            "Basic realm=\"x",
            "Basic realm=\"x\"dG9rZW4",
        ] {
            assert!(!passes(value), "{value}");
        }
    }

    #[test]
    fn what_is_no_ascii_hides_nothing_that_is_listed_beside_it() {
        let mut headers = map(&[("x-own", "o")]);
        headers.insert("connection", HeaderValue::from_bytes(b"\xff, x-own").unwrap());
        assert!(outgoing(headers.clone(), &cluster()).is_empty());
        assert!(incoming(headers).is_empty());
    }

    #[test]
    fn trailers_claim_nothing_either() {
        let frame = outgoing_frame(Frame::trailers(map(&[
            ("impersonate-user", "x"),
            ("x-sum", "y"),
            ("authorization", "z"),
        ])));
        assert_eq!(names(&frame.into_trailers().unwrap()), ["x-sum"]);
    }

    #[test]
    fn several_values_of_one_name_all_pass() {
        let mut headers = map(&[("accept", "a")]);
        headers.append("accept", HeaderValue::from_static("b"));
        assert_eq!(outgoing(headers, &cluster()).get_all("accept").iter().count(), 2);
    }
}
