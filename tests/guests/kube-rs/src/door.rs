//! The differences between the two guests.

use kube::{Client, Config, Error};

/// A way out of the sandbox.
pub trait Door {
    /// Whether a connection can be upgraded, which `exec`, `attach` and `port-forward` require.
    const UPGRADES: bool;

    /// Returns a client whose requests go to the configuration's server by this way. It is called inside a
    /// tokio runtime.
    ///
    /// # Errors
    ///
    /// What kube-rs says of the configuration.
    fn client(config: Config) -> Result<Client, Error>;
}
