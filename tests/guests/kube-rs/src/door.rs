//! What the two guests do not share.

use kube::{Client, Config, Error};

/// A way out of the sandbox.
pub trait Door {
    /// Whether a connection can change its protocol, which `exec`, `attach` and `port-forward` need.
    const UPGRADES: bool;

    /// A client whose requests go to the configuration's server by this way. It is called inside a tokio runtime.
    ///
    /// # Errors
    ///
    /// What kube-rs says of the configuration.
    fn client(config: Config) -> Result<Client, Error>;
}
