//! The requests that may arrive at the server, described again and independently of kwasm's code.

use super::message::Head;

/// The user's token, which goes nowhere by plain HTTP: as with client-go, only TLS brings it along.
pub(super) const TOKEN: &str = "token-of-the-user";

/// The policy of the gate.
pub(super) const POLICY: &str = "apiVersion: kwasm.dev/v1
kind: Policy
metadata: {name: test}
spec:
  kubernetes:
    rules:
      - {apiGroups: [''], resources: [configmaps], verbs: [get, list, create], namespaces: [shop]}
      - {apiGroups: [''], resources: [pods/attach, pods/exec, pods/portforward], verbs: [get, create], namespaces: [shop]}
";

/// Headers that are of a connection, come from elsewhere, or say who is asking.
const NOBODYS: &[&str] = &[
    "authorization",
    "cookie",
    "forwarded",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "via",
];

/// Checks all of a request but its body.
pub(super) fn check(head: &Head, authority: &str) {
    let [method, target, version] = &head.first;
    assert_eq!(version, "HTTP/1.1");
    assert!(["GET", "HEAD", "POST"].contains(&method.as_str()), "{head:?}");
    let stream = check_target(method, target);

    let one = |name: &str, value: &str| assert_eq!(head.all(name).collect::<Vec<_>>(), [value], "{head:?}");
    one("host", authority);
    for (name, _) in &head.headers {
        check_name(name);
    }
    let upgrades: Vec<&str> = head.all("upgrade").collect();
    if upgrades.is_empty() {
        assert!(head.all("connection").next().is_none(), "{head:?}");
    } else {
        assert!(stream, "an upgrade of what is no stream: {head:?}");
        assert!(upgrades == ["websocket"] || upgrades == ["SPDY/3.1"], "{head:?}");
        one("connection", "Upgrade");
        assert!(head.all("transfer-encoding").next().is_none(), "{head:?}");
        assert!(head.all("content-length").all(|length| length == "0"), "{head:?}");
    }
}

/// Checks the name of a header or trailer.
pub(super) fn check_name(name: &str) {
    let prefixes = ["impersonate-", "x-forwarded-", "x-remote-"];
    let whose = NOBODYS.contains(&name) || prefixes.iter().any(|prefix| name.starts_with(prefix));
    assert!(!whose, "{name}");
}

/// Checks the target of a request, and returns whether it is a stream of a pod.
fn check_target(method: &str, target: &str) -> bool {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let path = decoded(path).unwrap_or_else(|| panic!("{target} cannot be decoded"));
    assert!(
        !path.contains("//") && !path.contains(['\\', '#']) && !path.contains(char::is_control),
        "{target}"
    );
    let segments: Vec<&str> = path.strip_suffix('/').unwrap_or(&path).split('/').collect();
    assert!(!segments[1..].iter().any(|segment| ["", ".", ".."].contains(segment)), "{target}");
    // As in RBAC, of which version makes no difference.
    let ["", "api", _, "namespaces", "shop", rest @ ..] = &segments[..] else {
        panic!("it is elsewhere: {target}")
    };
    match rest {
        ["configmaps"] => {
            assert!(method == "POST" || !is_watch(query), "it watches: {target}");
            false
        }
        ["configmaps", _] => false,
        ["pods", _, "attach" | "exec" | "portforward"] => true,
        _ => panic!("it is nothing that was granted: {target}"),
    }
}

/// Returns whether the API server reads the query of a list as that of a watch.
fn is_watch(query: &str) -> bool {
    let pairs = query.split('&').filter(|pair| !pair.contains(';'));
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let mut pairs = pairs.filter_map(|(key, value)| {
        Some((decoded(&key.replace('+', " "))?, decoded(&value.replace('+', " "))?))
    });
    pairs
        .find(|(key, _)| key == "watch")
        .is_some_and(|(_, value)| value != "0" && !value.eq_ignore_ascii_case("false"))
}

/// Decodes once. An encoded slash does not count as one.
fn decoded(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let digits = part.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
        bytes.push(u8::from_str_radix(digits, 16).ok().filter(|byte| *byte != b'/')?);
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).ok()
}
