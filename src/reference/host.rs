//! Hosts of registries, each in one spelling, so that rules about a registry hold however it is spelled.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use reqwest::Url;

/// The name of Docker's own registry in references, wherever its API is.
pub const DOCKER_HUB: &str = "docker.io";

/// `HOST[:PORT]` of a registry, in the one spelling used to compare and connect: a name in lower case without
/// a trailing dot, or an address, and without the port if it is that of HTTPS.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RegistryHost(String);

/// The reason why a text is not a valid host of a registry.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum HostError {
    /// An IPv4 address in another notation than four decimal numbers.
    #[error("its host is an address not in the form of four decimal numbers: write it as 192.0.2.1")]
    Disguised,
    /// Neither a name nor an address, or an invalid port.
    #[error("its host is not HOST or HOST:PORT")]
    Form,
}

impl RegistryHost {
    /// Returns the host as it begins a reference.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether it is Docker's own registry, where a repository without a `/` is in `library/`.
    #[must_use]
    pub fn is_docker_hub(&self) -> bool {
        self.0 == DOCKER_HUB
    }
}

impl fmt::Display for RegistryHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for RegistryHost {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, HostError> {
        let (name, port) = match text.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => (name, self::port(port)?),
            _ => (text, HTTPS),
        };
        let name = self::name(name)?;
        Ok(Self(match (name.as_str(), port) {
            // As Docker Hub is called in configurations, and on the wire.
            ("index.docker.io" | "registry-1.docker.io", HTTPS) => DOCKER_HUB.to_owned(),
            (_, HTTPS) => name,
            (_, port) => format!("{name}:{port}"),
        }))
    }
}

/// The default port, which is not written.
const HTTPS: u16 = 443;

fn port(text: &str) -> Result<u16, HostError> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port != 0).ok_or(HostError::Form)
}

/// Returns a name or an address as [`Url`] writes it, since that is what is connected to.
fn name(text: &str) -> Result<String, HostError> {
    let text = text.strip_suffix('.').unwrap_or(text);
    let address = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let address = address.map(|address| address.parse::<Ipv6Addr>().map_err(|_| HostError::Form));
    if let Some(address) = address.transpose()? {
        // `[::ffff:192.0.2.1]` leads where 192.0.2.1 leads.
        return Ok(address
            .to_ipv4_mapped()
            .map_or_else(|| in_brackets(address), |address| address.to_string()));
    }
    if !is_name(text) {
        return Err(HostError::Form);
    }
    let url: Url = format!("https://{text}/").parse().map_err(|_| HostError::Form)?;
    let written = url.host_str().ok_or(HostError::Form)?;
    // To a `Url`, `0xc0000201` and `192.513` are 192.0.2.1.
    if written != text && written.parse::<Ipv4Addr>().is_ok() {
        return Err(HostError::Disguised);
    }
    Ok(written.to_owned())
}

/// Returns the address in brackets, without the dots that [`Ipv6Addr`] writes into some.
fn in_brackets(address: Ipv6Addr) -> String {
    let plain = format!("[{address}]");
    let url: Option<Url> = format!("https://{plain}/").parse().ok();
    url.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or(plain)
}

/// Returns whether a text consists of labels of letters, digits and inner dashes.
fn is_name(text: &str) -> bool {
    let is_label = |label: &str| {
        label.starts_with(|first: char| first.is_ascii_alphanumeric())
            && label.ends_with(|last: char| last.is_ascii_alphanumeric())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, HostError> {
        text.parse::<RegistryHost>().map(|host| host.to_string())
    }

    #[test]
    fn a_host_has_one_spelling() {
        for (one, spellings) in [
            ("ghcr.io", &["ghcr.io", "GHCR.io", "ghcr.io.", "ghcr.io:443", "Ghcr.IO.:0443"][..]),
            ("ghcr.io:80", &["ghcr.io:80", "ghcr.io.:080"]),
            ("docker.io", &["docker.io", "index.docker.io:443", "Registry-1.Docker.io."]),
            ("docker.io:5000", &["docker.io:5000"]),
            ("192.0.2.1:5000", &["192.0.2.1:5000", "[::ffff:192.0.2.1]:5000", "[::FFFF:c000:201]:5000"]),
            ("[2001:db8::1]", &["[2001:db8::1]", "[2001:DB8:0:0::1]:443"]),
            ("[::1]:5000", &["[::1]:5000", "[0:0:0:0:0:0:0:1]:05000"]),
            ("registry", &["registry", "REGISTRY"]),
            ("xn--bcher-kva.example", &["xn--bcher-kva.example", "XN--Bcher-KVA.example"]),
        ] {
            for spelling in spellings {
                assert_eq!(read(spelling).as_deref(), Ok(one), "{spelling}");
            }
        }
    }

    #[test]
    fn an_address_in_other_figures_is_refused() {
        for text in
            ["0xa000001", "167772161:5000", "10.1", "010.0.0.1", "0XA.0.0.1", "10.0.0.01.", "0x7f.1:443"]
        {
            assert_eq!(read(text), Err(HostError::Disguised), "{text}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in [
            "",
            ".",
            "a..b",
            "a..",
            "-a.b",
            "a-.b",
            "a_b",
            "me@a.b",
            "a.b:",
            "a.b:0",
            "a.b:+1",
            "a.b:65536",
            "a:b:1",
            "[::1",
            "::1",
            "[::1]x",
            "[::1%25eth0]",
            "[192.0.2.1]",
            "192.0.2.256",
            "a.1",
            "a b",
            "a%2eb",
            "b\u{fc}cher.example",
            "xn--a.example",
        ] {
            assert_eq!(read(text), Err(HostError::Form), "{text}");
        }
        assert_eq!(read(&["a"; 128].join(".")), Err(HostError::Form));
    }

    #[test]
    fn what_is_connected_to_is_what_is_compared() {
        let characters: Vec<char> = "019.afx-AX:[]".chars().collect();
        let mut random = fastrand::Rng::with_seed(1);
        let mut hosts = 0;
        for _ in 0..100_000 {
            let text: String =
                (0..random.usize(1..9)).map(|_| characters[random.usize(..characters.len())]).collect();
            let Ok(host) = text.parse::<RegistryHost>() else { continue };
            assert_eq!(host.as_str().parse(), Ok(host.clone()), "{text}");
            let url: Url = format!("https://{host}/").parse().unwrap();
            assert_eq!(url.authority(), host.as_str(), "{text}");
            hosts += 1;
        }
        assert!(hosts > 1000, "{hosts}");
    }
}
