//! Tests of hosts outside the cluster.

use insta::assert_snapshot;

use super::{told, with_spec};

/// Returns a policy with this one host, in line 6.
fn host(host: &str) -> String {
    with_spec(&format!("  network:\n    - {host}"))
}

/// Returns files with an invalid or forbidden host.
fn hosts() -> Vec<(&'static str, String)> {
    vec![
        ("hosts that are a map", with_spec("  network: {host: api.github.com}")),
        ("a host that is a text", host("api.github.com")),
        ("no host", host("{port: 443}")),
        ("keys that are nearly right", host("{hosts: api.github.com, ports: 443}")),
        ("a URL", host("{host: \"https://api.github.com\"}")),
        ("capitals", host("{host: API.github.com}")),
        ("a port in the name", host("{host: \"api.github.com:443\"}")),
        ("a wildcard", host("{host: \"*.github.com\"}")),
        ("a wildcard without quotes", host("{host: *.github.com}")),
        ("an empty label", host("{host: api..github.com}")),
        ("an empty name", host("{host: \"\"}")),
        ("an address of two numbers", host("{host: 127.1}")),
        ("an address of one number", host("{host: 2130706433}")),
        ("an address in another base", host("{host: 0x7f000001}")),
        ("an address of five numbers", host("{host: 1.2.3.4.5}")),
        ("a private address", host("{host: 10.0.0.1}")),
        ("this machine", host("{host: \"[::1]\"}")),
        ("the metadata of a cloud", host("{host: 169.254.169.254}")),
        ("neither true nor false", host("{host: 10.0.0.1, private: maybe}")),
        (
            "ports out of range",
            with_spec(
                "  network:\n    - {host: a.example, port: 0}\n    - {host: b.example, port: 65536}\n    - {host: c.example, port: https}",
            ),
        ),
    ]
}

#[test]
#[expect(clippy::too_many_lines, reason = "it is a table of what is said")]
fn a_host_is_a_name_or_an_address_and_nothing_more() {
    let told = told(&hosts());
    assert_snapshot!(told, @r#"
    # hosts that are a map
    kwasm: bad.yaml:5: spec.network: it is a map, not a list
    hint: each host begins with a dash
    # a host that is a text
    kwasm: bad.yaml:6: spec.network[0]: it is a single value, not a map
    hint: its keys are host, port, private
    # no host
    kwasm: bad.yaml:6: spec.network[0].host: it is missing
    hint: write the host alone, in lower case, e.g. api.github.com
    # keys that are nearly right
    kwasm: bad.yaml:6: spec.network[0].hosts: there is no such key
    hint: do you mean host?
    kwasm: bad.yaml:6: spec.network[0].ports: there is no such key
    hint: do you mean port?
    # a URL
    kwasm: bad.yaml:6: spec.network[0].host: `https://api.github.com` is not a valid host
    hint: write the host alone, in lower case, e.g. api.github.com
    # capitals
    kwasm: bad.yaml:6: spec.network[0].host: `API.github.com` is not a valid host
    hint: write the host alone, in lower case, e.g. api.github.com
    # a port in the name
    kwasm: bad.yaml:6: spec.network[0].host: `api.github.com:443` is not a valid host
    hint: write the host alone, in lower case, e.g. api.github.com
    # a wildcard
    kwasm: bad.yaml:6: spec.network[0].host: `*.github.com` is not a valid host
    hint: write the host alone, in lower case, e.g. api.github.com
    # a wildcard without quotes
    kwasm: bad.yaml:6: it is not valid YAML
    hint: put what has an asterisk in quotes: "*"
    # an empty label
    kwasm: bad.yaml:6: spec.network[0].host: `api..github.com` is not a valid host
    hint: write the host alone, in lower case, e.g. api.github.com
    # an empty name
    kwasm: bad.yaml:6: spec.network[0].host: `` is not a valid host
    hint: write the host alone, in lower case, e.g. api.github.com
    # an address of two numbers
    kwasm: bad.yaml:6: spec.network[0].host: `127.1` is an unusual spelling of an address
    hint: write all four numbers
    # an address of one number
    kwasm: bad.yaml:6: spec.network[0].host: `2130706433` is an unusual spelling of an address
    hint: write all four numbers
    # an address in another base
    kwasm: bad.yaml:6: spec.network[0].host: `2130706433` is an unusual spelling of an address
    hint: write all four numbers
    # an address of five numbers
    kwasm: bad.yaml:6: spec.network[0].host: `1.2.3.4.5` is an unusual spelling of an address
    hint: write all four numbers
    # a private address
    kwasm: bad.yaml:6: spec.network[0].host: 10.0.0.1 is a private address
    hint: add `private: true` if that is intended
    # this machine
    kwasm: bad.yaml:6: spec.network[0].host: [::1] is a private address
    hint: add `private: true` if that is intended
    # the metadata of a cloud
    kwasm: bad.yaml:6: spec.network[0].host: 169.254.169.254 is a private address
    hint: add `private: true` if that is intended
    # neither true nor false
    kwasm: bad.yaml:6: spec.network[0].private: it is a single value, and neither true nor false
    hint: write true or false
    kwasm: bad.yaml:6: spec.network[0].host: 10.0.0.1 is a private address
    hint: add `private: true` if that is intended
    # ports out of range
    kwasm: bad.yaml:6: spec.network[0].port: `0` is not a number in its range
    hint: write a number from 1 to 65535
    kwasm: bad.yaml:7: spec.network[1].port: `65536` is not a number in its range
    hint: write a number from 1 to 65535
    kwasm: bad.yaml:8: spec.network[2].port: `https` is not a number in its range
    hint: write a number from 1 to 65535
    "#);
}
