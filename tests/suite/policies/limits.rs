//! Limits.

use insta::assert_snapshot;

use super::{told, with_spec};

/// Returns a policy with these limits, from line 6.
fn limit(limit: &str) -> String {
    with_spec(&format!("  limits:\n    {limit}"))
}

/// Returns files with an invalid limit, or one out of range.
fn limits() -> Vec<(&'static str, String)> {
    vec![
        ("limits that are a list", with_spec("  limits: [memory]")),
        ("a limit that is none", limit("cpu: 1")),
        ("units of another kind", limit("memory: 512MB")),
        ("a fraction", limit("memory: 1.5Gi")),
        ("more memory than there may be", limit("memory: 64Gi")),
        ("less memory than there may be", limit("memory: 1")),
        ("headers without end", limit("headers: 1Gi")),
        ("less than nothing", limit("headers: -1")),
        ("a time without a unit", limit("timeout: 5")),
        ("a time without an end to its digits", limit("timeout: 99999999999999999999s")),
        ("a time that YAML takes for no", limit("timeout: off")),
        ("no requests", limit("requests: 0")),
        ("too many requests", limit("requests: 1025")),
        ("a number in words", limit("sockets: many")),
        ("a number that is a list", limit("sockets: [1, 2]")),
        (
            "several at once, in the order of their lines",
            limit("headers: 1\n    cpu: 1\n    timeout: soon\n    memory: 1Ti"),
        ),
    ]
}

#[test]
fn a_limit_has_its_unit_and_its_range() {
    let told = told(&limits());
    assert_snapshot!(told, @r"
    # limits that are a list
    kwasm: bad.yaml:5: spec.limits: it is a list, not a map
    hint: its keys are memory, timeout, requests, sockets, headers, stack, reuse
    # a limit that is none
    kwasm: bad.yaml:6: spec.limits.cpu: there is no such key
    hint: its keys are memory, timeout, requests, sockets, headers, stack, reuse
    # units of another kind
    kwasm: bad.yaml:6: spec.limits.memory: `512MB` is not a number of bytes
    hint: write 1Mi to 4Gi
    # a fraction
    kwasm: bad.yaml:6: spec.limits.memory: `1.5Gi` is not a number of bytes
    hint: write 1Mi to 4Gi
    # more memory than there may be
    kwasm: bad.yaml:6: spec.limits.memory: 64Gi is out of range
    hint: write 1Mi to 4Gi
    # less memory than there may be
    kwasm: bad.yaml:6: spec.limits.memory: 1 is out of range
    hint: write 1Mi to 4Gi
    # headers without end
    kwasm: bad.yaml:6: spec.limits.headers: 1Gi is out of range
    hint: write 1Ki to 1Mi
    # less than nothing
    kwasm: bad.yaml:6: spec.limits.headers: `-1` is not a number of bytes
    hint: write 1Ki to 1Mi
    # a time without a unit
    kwasm: bad.yaml:6: spec.limits.timeout: `5` is not a duration
    hint: write none, or e.g. 30s, 5m, 1h30m
    # a time without an end to its digits
    kwasm: bad.yaml:6: spec.limits.timeout: `99999999999999999999s` is not a duration
    hint: write none, or e.g. 30s, 5m, 1h30m
    # a time that YAML takes for no
    kwasm: bad.yaml:6: spec.limits.timeout: YAML reads it as true or false
    hint: write none, or e.g. 30s, 5m, 1h30m
    # no requests
    kwasm: bad.yaml:6: spec.limits.requests: `0` is not a number in its range
    hint: write a number from 1 to 1024
    # too many requests
    kwasm: bad.yaml:6: spec.limits.requests: `1025` is not a number in its range
    hint: write a number from 1 to 1024
    # a number in words
    kwasm: bad.yaml:6: spec.limits.sockets: `many` is not a number in its range
    hint: write a number from 1 to 1024
    # a number that is a list
    kwasm: bad.yaml:6: spec.limits.sockets: it is a list, not a single value
    hint: write a number from 1 to 1024
    # several at once, in the order of their lines
    kwasm: bad.yaml:6: spec.limits.headers: 1 is out of range
    hint: write 1Ki to 1Mi
    kwasm: bad.yaml:7: spec.limits.cpu: there is no such key
    hint: its keys are memory, timeout, requests, sockets, headers, stack, reuse
    kwasm: bad.yaml:8: spec.limits.timeout: `soon` is not a duration
    hint: write none, or e.g. 30s, 5m, 1h30m
    kwasm: bad.yaml:9: spec.limits.memory: `1Ti` is not a number of bytes
    hint: write 1Mi to 4Gi
    ");
}
