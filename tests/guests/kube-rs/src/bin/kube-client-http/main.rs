//! `kube-client-http COMMAND …`: the commands of `kube-client`, whose requests go through `wasi:http` instead of a
//! socket. It carries no upgrades: `exec`, `attach` and `port-forward` say so and end with 1.

// What the template of a Rust plugin has is what these tests run.
#[path = "../../../../../../components/templates/rust/src/wasi_http.rs"]
mod wasi_http;

use kube::client::ConfigExt as _;
use kube::{Client, Config, Error};
use kube_rs_guests::Door;
use tower::ServiceBuilder;
use wasi_http::WasiHttp;

/// `wasi:http/outgoing-handler`.
struct Http;

impl Door for Http {
    const UPGRADES: bool = false;

    fn client(config: Config) -> Result<Client, Error> {
        let service = ServiceBuilder::new().layer(config.base_uri_layer()).service(WasiHttp);
        Ok(Client::new(service, config.default_namespace))
    }
}

fn main() {
    kube_rs_guests::run::<Http>()
}
