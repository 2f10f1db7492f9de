//! What users are told of plugins that use what wasmtime calls unstable, and the refusal of those.

use crate::inspect::Inspected;
use crate::policy::Layers;

use super::{Error, Reporter};

/// Refuses a plugin that a policy keeps from running. Of one that runs, the user is told once: at install, or each
/// time that it is run from where it is.
///
/// # Errors
/// [`Error::Unstable`].
pub(super) fn check(
    reporter: Reporter,
    layers: &Layers,
    plugin: &str,
    inspected: &Inspected,
    is_told: bool,
) -> Result<(), Error> {
    if let Some((_, by)) = layers.forbids(inspected) {
        return Err(Error::Unstable { plugin: plugin.to_owned(), by: by.to_owned() });
    }
    if inspected.is_unstable() && !is_told {
        reporter.note(&format!(
            "{plugin} uses WASI 0.3, which wasmtime {} calls unstable and may give no security patches; \
             `stableOnly: true` in a policy refuses such plugins",
            crate::runtime::WASMTIME
        ));
    }
    Ok(())
}
