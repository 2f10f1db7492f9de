//! The server, and the namespace there.

use crate::door::Door;
use crate::error::Error;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

/// Returns the kubeconfig that kwasm gives the guest. `Kubeconfig::read` and `Config::infer` cannot be used:
/// both abort on wasip2, which has no `std::env::split_paths`.
pub(crate) fn kubeconfig() -> Result<Kubeconfig, Error> {
    let path = variable("KUBECONFIG").ok_or(Error::NoKubeconfig)?;
    Ok(Kubeconfig::read_from(path)?)
}

/// Returns the configuration of a context, or of the one that kwasm chose.
pub(crate) async fn config(kubeconfig: Kubeconfig, context: Option<&str>) -> Result<Config, Error> {
    let context = context.map(str::to_owned);
    let options = KubeConfigOptions { context, ..KubeConfigOptions::default() };
    Ok(Config::from_custom_kubeconfig(kubeconfig, &options).await?)
}

/// Returns a client of the context, and in the namespace, that kwasm resolved from the command line and the
/// user's kubeconfig.
pub(crate) async fn client<D: Door>() -> Result<Client, Error> {
    let kubeconfig = kubeconfig()?;
    let known = |name: &String| kubeconfig.contexts.iter().any(|context| context.name == *name);
    let context = variable("KWASM_CONTEXT").filter(known);
    let mut config = config(kubeconfig, context.as_deref()).await?;
    if let Some(namespace) = variable("KWASM_NAMESPACE") {
        config.default_namespace = namespace;
    }
    Ok(D::client(config)?)
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
