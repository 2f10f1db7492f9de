//! `logs`: what a pod has written.

use crate::error::Error;
use crate::stdout;
use k8s_openapi::api::core::v1::Pod;
use kube::api::LogParams;
use kube::{Api, Client};

/// Prints it as it comes, with `follow` until the pod or the user ends it.
pub(crate) async fn show(client: Client, pod: &str, follow: bool, lines: Option<i64>) -> Result<(), Error> {
    let pods: Api<Pod> = Api::default_namespaced(client);
    let wanted = LogParams { follow, tail_lines: lines, ..LogParams::default() };
    stdout::copy_answer(pods.log_stream(pod, &wanted).await?).await
}
