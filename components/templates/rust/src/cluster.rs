//! The cluster that the user chose.

use anyhow::Context as _;
use kube::client::ConfigExt as _;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use tower::ServiceBuilder;

use crate::wasi_http::WasiHttp;

/// Returns a client of the context, and in the namespace, that the user chose. kwasm has put both into the kubeconfig, which
/// holds no credentials: kwasm adds them to each request that the plugin's policy allows.
pub(crate) async fn client() -> anyhow::Result<Client> {
    // Not by `Config::infer` or `Kubeconfig::read`: both abort on wasip2, which has no `std::env::split_paths`.
    let path = std::env::var("KUBECONFIG").context("KUBECONFIG is not set")?;
    let kubeconfig = Kubeconfig::read_from(path)?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    let service = ServiceBuilder::new().layer(config.base_uri_layer()).service(WasiHttp);
    Ok(Client::new(service, config.default_namespace))
}
