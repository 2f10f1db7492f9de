//! The claims of a publisher: a component's imports and exports, in an artifact's configuration ([Wasm OCI
//! artifacts][1]), and its request, in an annotation of the manifest.
//!
//! [1]: https://tag-runtime.cncf.io/wgs/wasm/deliverables/wasm-oci-artifact/

use serde::Deserialize;

use crate::inspect::Inspected;
use crate::registry::{Artifact, Manifest};

use super::Error;

/// The claims of a publisher. Only the content itself can prove them.
#[derive(Deserialize)]
pub(super) struct Declared {
    os: Option<String>,
    component: Option<Interface>,
}

/// The claimed imports and exports of a component.
#[derive(Deserialize)]
pub(super) struct Interface {
    pub(super) exports: Vec<String>,
    pub(super) imports: Vec<String>,
}

impl Declared {
    /// Reads a configuration. Returns `None` for a configuration of another kind.
    pub(super) fn read(config: &Artifact) -> Option<Self> {
        serde_json::from_slice(config.bytes()).ok()
    }

    /// Returns whether it claims to be a core module.
    pub(super) fn is_core(&self) -> bool {
        self.component.is_none() && self.os.as_deref() == Some("wasip1")
    }

    /// Returns the claims about a component.
    pub(super) fn interface(self) -> Option<Interface> {
        self.component
    }

    /// Returns a network interface that a component imports but its publisher did not claim. It misled anyone
    /// who looked before installing.
    pub(super) fn hides(&self, inspected: &Inspected) -> Option<&'static str> {
        let declared = self.component.as_ref()?;
        ["wasi:http", "wasi:sockets"].into_iter().find(|package| {
            let said = |name: &String| name.strip_prefix(package).is_some_and(|rest| rest.starts_with('/'));
            inspected.imports_any_of(package) && !declared.imports.iter().any(said)
        })
    }
}

/// Checks that a component has the request that its manifest states. A manifest may state none, as those of
/// other programs do.
///
/// # Errors
/// [`Error::RequestMissing`], [`Error::RequestDiffers`].
pub(super) fn prove_request(
    reference: &str,
    manifest: Option<&Manifest>,
    inspected: &Inspected,
) -> Result<(), Error> {
    let stated = manifest.and_then(Manifest::request);
    match (stated, inspected.request()) {
        (None, _) => Ok(()),
        (Some(stated), Some(request)) if stated == request => Ok(()),
        (Some(_), Some(_)) => Err(Error::RequestDiffers { reference: reference.to_owned() }),
        (Some(_), None) => Err(Error::RequestMissing { reference: reference.to_owned() }),
    }
}
