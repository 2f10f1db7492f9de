//! Hosts outside the cluster that a policy grants.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A host that a guest may reach by HTTPS, without any of the user's credentials.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Host {
    /// A name or an address, in lower case; an IPv6 address in brackets.
    pub name: String,
    /// The port.
    pub port: u16,
    /// Whether it may be in the user's own network.
    pub private: bool,
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, self.port)
    }
}

impl Host {
    /// Returns the host as an entry of a policy's `network`, on one line.
    #[must_use]
    pub fn entry(&self) -> String {
        // An IPv6 address is quoted: its brackets are YAML's too.
        let quote = if self.name.starts_with('[') { "\"" } else { "" };
        let private = if self.private { ", private: true" } else { "" };
        format!("{{host: {quote}{}{quote}, port: {}{private}}}", self.name, self.port)
    }

    /// Returns the address, if the name is one.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.name.trim_start_matches('[').trim_end_matches(']').parse().ok()
    }
}

/// Returns the hosts that both policies grant, private ones only if both say so.
pub(super) fn both(ones: &[Host], others: &[Host]) -> Vec<Host> {
    let both = |one: &Host| {
        let is_it = |other: &&Host| (&other.name, other.port) == (&one.name, one.port);
        let mut same = others.iter().filter(is_it).peekable();
        same.peek()?;
        Some(Host { private: one.private && same.any(|other| other.private), ..one.clone() })
    };
    ones.iter().filter_map(both).collect()
}

/// Returns whether an address is a public one of the Internet: not of this machine, a private network, a link
/// or a cloud's metadata service, and not reserved (IANA's special-purpose registries, RFC 6890).
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || a == 0
        // Shared by carriers and their customers (RFC 6598), and by more than one cloud for its metadata.
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        // Relays of 6to4, and networks for benchmarks.
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (18..20).contains(&b))
        // Multicast, reserved, broadcast.
        || a >= 224)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(inner) = embedded(address) {
        return is_public_v4(inner);
    }
    let [a, b, ..] = address.segments();
    // All that is handed out is in 2000::/3; of that, documentation, benchmarks, Teredo and the like are not.
    (a & 0xe000) == 0x2000 && !(a == 0x2001 && (b < 0x200 || b == 0xdb8)) && (a & 0xfff0) != 0x3ff0
}

/// Returns the IPv4 address embedded in an IPv6 address: mapped, compatible, translated (RFC 6052) or 6to4.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let of = |high: u16, low: u16| {
        let ([first, second], [third, fourth]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(first, second, third, fourth)
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x2002, high, low, ..] => Some(of(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_granted_by_both_or_not_at_all_and_is_private_only_if_both_say_so() {
        let host = |name: &str, port, private| Host { name: name.to_owned(), port, private };
        let ones = [host("a", 443, true), host("b", 443, true), host("c", 443, false), host("d", 1, false)];
        let others = [host("a", 443, true), host("b", 443, false), host("d", 2, false)];
        assert_eq!(both(&ones, &others), [host("a", 443, true), host("b", 443, false)]);
        assert_eq!(both(&ones, &[]), []);
    }

    #[test]
    fn the_users_own_network_is_not_public_in_any_spelling() {
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "100.100.100.200",
            "0.0.0.0",
            "192.0.2.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "2001::1",
            "ff02::1",
            "3fff::1",
            "64:ff9b:1::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn addresses_of_the_internet_are_public() {
        for address in [
            "1.1.1.1",
            "140.82.121.6",
            "100.128.0.1",
            "172.32.0.1",
            "198.20.0.1",
            "2606:4700::1111",
            "2001:4860::8888",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
        ] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }
}
