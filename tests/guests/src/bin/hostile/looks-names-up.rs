//! `looks-names-up [NAME]`: looks a name up, `localhost` by default: a resolver reveals the user's network,
//! and sends the names away. Defence: a guest has no resolver.

use guests::attempt::{self, Arguments};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use wasip2::sockets::instance_network::instance_network;
use wasip2::sockets::ip_name_lookup::resolve_addresses;
use wasip2::sockets::network::{ErrorCode, IpAddress};

fn main() {
    let [name] = Arguments::of("looks-names-up [NAME]").values(["localhost"]);
    attempt::tell(match look_up(&name) {
        Ok(addresses) if addresses.is_empty() => Err("no address".to_owned()),
        Ok(addresses) => Ok(addresses.join(", ")),
        Err(code) => Err(code.name().to_owned()),
    })
}

/// Looks a name up by wasi:sockets itself, since the standard library turns all of its errors into one. As
/// there, an address resolves to itself without asking the host.
fn look_up(name: &str) -> Result<Vec<String>, ErrorCode> {
    if name.parse::<IpAddr>().is_ok() {
        return Ok(vec![name.to_owned()]);
    }
    let found = resolve_addresses(&instance_network(), name)?;
    let mut addresses = Vec::new();
    loop {
        found.subscribe().block();
        addresses.push(match found.resolve_next_address()? {
            Some(IpAddress::Ipv4(parts)) => Ipv4Addr::from(<[u8; 4]>::from(parts)).to_string(),
            Some(IpAddress::Ipv6(parts)) => Ipv6Addr::from(<[u16; 8]>::from(parts)).to_string(),
            None => return Ok(addresses),
        });
    }
}
