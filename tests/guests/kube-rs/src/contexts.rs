//! `contexts`: every context of the kubeconfig, and its server's version.

use crate::door::Door;
use crate::error::Error;
use crate::{stdout, target};

/// Prints one `CONTEXT VERSION` per line, in the order of the kubeconfig. Stops at a server that returns no
/// version.
pub(crate) async fn show<D: Door>() -> Result<(), Error> {
    let kubeconfig = target::kubeconfig()?;
    for context in &kubeconfig.contexts {
        let config = target::config(kubeconfig.clone(), Some(&context.name)).await?;
        let version = D::client(config)?.apiserver_version().await?;
        stdout::line(&format!("{} {}", context.name, version.git_version))?;
    }
    Ok(())
}
