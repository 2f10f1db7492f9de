//! `kube-client-wasi3 COMMAND …`: the commands of `kube-client` as a component of WASI 0.3, whose requests go through its
//! `wasi:http/client`. It carries no upgrades: `exec`, `attach` and `port-forward` say so and end with 1.
//!
//! Its standard streams, its clock and its kubeconfig are those of Rust's standard library, which are of WASI 0.2.

mod wasi_http;

use kube::client::ConfigExt as _;
use kube::{Client, Config, Error};
use kube_rs_guests::Door;
use tower::ServiceBuilder;
use wasi_http::WasiHttp;

wasip3::cli::command::export!(Guest);

struct Guest;

impl wasip3::exports::cli::run::Guest for Guest {
    async fn run() -> Result<(), ()> {
        kube_rs_guests::run_within::<Http>().await
    }
}

/// `wasi:http/client`.
struct Http;

impl Door for Http {
    const UPGRADES: bool = false;

    fn client(config: Config) -> Result<Client, Error> {
        let service = ServiceBuilder::new().layer(config.base_uri_layer()).service(WasiHttp);
        Ok(Client::new(service, config.default_namespace))
    }
}
