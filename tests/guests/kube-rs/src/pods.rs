//! The command for all pods of a namespace.

use crate::error::Error;
use crate::stdout::line;
use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;
use kube::{Api, Client};

/// Prints how many there are, and how many containers they have.
pub(crate) async fn count(client: Client) -> Result<(), Error> {
    let pods = Api::<Pod>::default_namespaced(client).list(&ListParams::default()).await?;
    let containers = pods.iter().filter_map(|pod| pod.spec.as_ref()).map(|spec| spec.containers.len());
    line(&format!("{} pods, {} containers", pods.items.len(), containers.sum::<usize>()))
}
