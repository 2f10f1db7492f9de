//! The imports and exports that a publisher claims in an artifact's configuration ([Wasm OCI artifacts][1]).
//!
//! [1]: https://tag-runtime.cncf.io/wgs/wasm/deliverables/wasm-oci-artifact/

use serde::Deserialize;

use crate::inspect::Inspected;
use crate::registry::Artifact;

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
