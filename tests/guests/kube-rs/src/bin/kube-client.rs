//! `kube-client COMMAND …`: a plugin written with kube-rs as it is published, over tokio's TCP. Its server is
//! that of the kubeconfig, and nothing in it is specific to kwasm. The library describes the output of the
//! commands.

use kube::{Client, Config, Error};
use kube_rs_guests::Door;

/// kube-rs' own client: hyper over a socket.
struct Sockets;

impl Door for Sockets {
    const UPGRADES: bool = true;

    fn client(config: Config) -> Result<Client, Error> {
        Client::try_from(config)
    }
}

fn main() {
    kube_rs_guests::run::<Sockets>()
}
