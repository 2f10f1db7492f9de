//! The hosts that are reached without the environment's proxy: a port of golang.org/x/net/http/httpproxy, and
//! of apimachinery's addition to it (`NewProxierWithNoProxyCIDR`: addresses may have leading zeroes).

use std::net::IpAddr;

/// One entry of `NO_PROXY`.
enum Rule<'a> {
    /// `*`
    All,
    /// `10.0.0.0/8`
    Network(IpAddr, u8),
    /// `10.0.0.1`, `[2001:db8::1]:443`
    Address(IpAddr, &'a str),
    /// `.example.com`, `example.com:6443`: the name behind the dot, whether the name itself matches too, and
    /// the port.
    Domain(String, bool, &'a str),
}

/// Returns whether `NO_PROXY` covers a host. This machine itself is always covered. `host` is in lower case,
/// an IPv6 address in brackets.
pub(super) fn covers(no_proxy: &str, host: &str, port: u16) -> bool {
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let address = sloppy(host);
    // Unlike Go's, Rust's `is_loopback` is not about an IPv4 address that is written as an IPv6 one.
    if host == "localhost" || address.is_some_and(|address| address.is_loopback()) {
        return true;
    }
    let port = port.to_string();
    let is_asked = |rule_port: &str| rule_port.is_empty() || rule_port == port;
    no_proxy.split(',').filter_map(|entry| read(entry.trim())).any(|rule| match rule {
        Rule::All => true,
        Rule::Network(network, bits) => address.is_some_and(|address| is_in(address, network, bits)),
        Rule::Address(named, rule_port) => address == Some(named) && is_asked(rule_port),
        Rule::Domain(suffix, itself, rule_port) => {
            let below = host.ends_with(&suffix) || (itself && suffix.get(1..) == Some(host));
            address.is_none() && below && is_asked(rule_port)
        }
    })
}

/// Reads an entry. Returns `None` for an empty or malformed one, which is skipped.
fn read(entry: &str) -> Option<Rule<'_>> {
    if entry == "*" {
        return Some(Rule::All);
    }
    if let Some((address, bits)) = entry.split_once('/')
        && let Some(address) = sloppy(address)
        && let Ok(bits) = bits.parse()
    {
        let most = if address.is_ipv4() { 32 } else { 128 };
        return (bits <= most).then_some(Rule::Network(address, bits));
    }
    let (host, port) = split(entry);
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    if let Ok(address) = host.parse::<IpAddr>() {
        return Some(Rule::Address(address.to_canonical(), port));
    }
    // `*.example.com` is `.example.com`.
    let host =
        host.strip_prefix('*').filter(|host| host.starts_with('.')).unwrap_or(host).to_ascii_lowercase();
    match host.chars().next()? {
        '.' => Some(Rule::Domain(host, false, port)),
        _ => Some(Rule::Domain(format!(".{host}"), true, port)),
    }
}

/// Splits off a port like Go's `net.SplitHostPort`: an address with more than one colon has a port only after
/// brackets.
fn split(entry: &str) -> (&str, &str) {
    match entry.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || (host.starts_with('[') && host.ends_with(']')) => {
            (host, port)
        }
        _ => (entry, ""),
    }
}

/// Reads an address, with leading zeroes in its parts as Go's parser accepted before 1.17. An IPv4 address
/// written as an IPv6 address is an IPv4 address.
fn sloppy(text: &str) -> Option<IpAddr> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address.to_canonical());
    }
    let parts = text.split('.').map(|part| match part.trim_start_matches('0') {
        "" if part.is_empty() => "",
        "" => "0",
        part => part,
    });
    parts.collect::<Vec<_>>().join(".").parse().ok()
}

fn is_in(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    let differ = match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            let differ = u32::from(address) ^ u32::from(network);
            differ.checked_shr(32 - u32::from(bits)).unwrap_or(0).into()
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            let differ = u128::from(address) ^ u128::from(network);
            differ.checked_shr(128 - u32::from(bits)).unwrap_or(0)
        }
        _ => return false,
    };
    differ == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of `proxy_test.go`: hosts at port 80, and whether they are proxied.
    const HOSTS: [(&str, bool); 28] = [
        ("localhost", false),
        ("127.0.0.1", false),
        ("127.0.0.2", false),
        ("[::1]", false),
        ("[::2]", true),
        ("192.168.1.1", false),
        ("192.168.1.2", true),
        ("192.168.1.3", false),
        ("192.168.1.4", true),
        ("10.0.0.2", false),
        ("[2001:db8::52:0:1]", false),
        ("[2001:db8::52:0:2]", true),
        ("[2001:db8::52:0:3]", false),
        ("[2002:db8:a::123]", false),
        ("[fe80::424b:c8be:1643:a1b6]", true),
        ("barbaz.net", true),
        ("www.barbaz.net", false),
        ("foobar.com", false),
        ("www.foobar.com", false),
        ("foofoobar.com", true),
        ("baz.com", true),
        ("localhost.net", true),
        ("local.localhost", true),
        ("barbarbaz.net", true),
        ("wildcard.io", true),
        ("nested.wildcard.io", false),
        ("awildcard.io", true),
        ("10.0.0.4", true),
    ];

    const NO_PROXY: &str = "foobar.com, .barbaz.net, *.wildcard.io, 192.168.1.1, 192.168.1.2:81, 192.168.1.3:80, \
        10.0.0.0/30, 2001:db8::52:0:1, [2001:db8::52:0:2]:443, [2001:db8::52:0:3]:80, 2002:db8:a::45/64";

    #[test]
    fn go_s_own_table_holds() {
        for (host, proxied) in HOSTS {
            assert_eq!(covers(NO_PROXY, host, 80), !proxied, "{host}");
            assert!(covers("*", host, 80), "{host}");
            assert!(covers(&format!("x, * ,{NO_PROXY}"), host, 80), "{host}");
        }
    }

    #[test]
    fn what_is_malformed_is_passed_over() {
        for entry in [":1", "", ",", " , ,", "10.0.0.0/33", "10.0.0.0/x", "[", "[]", "*:1", "/8"] {
            assert!(!covers(entry, "example.com", 80), "{entry}");
            assert!(!covers(entry, "10.0.0.1", 80), "{entry}");
            assert!(covers(&format!("{entry},example.com,"), "example.com", 80), "{entry}");
        }
    }

    #[test]
    fn case_and_blanks_do_not_matter_and_a_port_does() {
        assert!(covers(" EXAMPLE.com ,", "api.example.com", 6443));
        assert!(covers("example.com:6443", "api.example.com", 6443));
        assert!(!covers("example.com:443", "api.example.com", 6443));
        assert!(!covers(".example.com", "example.com", 6443));
        assert!(!covers("ample.com", "example.com", 6443));
    }

    #[test]
    fn a_network_may_be_written_with_zeroes_in_front_and_covers_addresses_alone() {
        assert!(covers("010.000.0.0/08", "10.1.2.3", 443));
        assert!(covers("10.0.0.0/8", "010.1.2.3", 443));
        assert!(covers("0.0.0.0/0", "10.1.2.3", 443));
        assert!(!covers("0.0.0.0/0", "example.com", 443));
        assert!(!covers("0.0.0.0/0", "[2001:db8::1]", 443));
        assert!(covers("::/0", "[2001:db8::1]", 443));
        assert!(!covers("2001:db8::/127", "[2001:db8::2]", 443));
    }
}
