//! What a publisher says in an artifact's configuration that its component imports and exports ([Wasm OCI artifacts][1]).
//!
//! [1]: https://tag-runtime.cncf.io/wgs/wasm/deliverables/wasm-oci-artifact/

use serde::Deserialize;

use crate::inspect::Inspected;
use crate::registry::Artifact;

/// What was said. Only the content itself can prove it.
#[derive(Deserialize)]
pub(super) struct Declared {
    os: Option<String>,
    component: Option<Interface>,
}

/// What a component is said to import and export.
#[derive(Deserialize)]
pub(super) struct Interface {
    pub(super) exports: Vec<String>,
    pub(super) imports: Vec<String>,
}

impl Declared {
    /// Reads a configuration; `None` where it is one of another kind.
    pub(super) fn read(config: &Artifact) -> Option<Self> {
        serde_json::from_slice(config.bytes()).ok()
    }

    /// Whether it is said to be a core module.
    pub(super) fn is_core(&self) -> bool {
        self.component.is_none() && self.os.as_deref() == Some("wasip1")
    }

    /// What is said of a component.
    pub(super) fn interface(self) -> Option<Interface> {
        self.component
    }

    /// The network that a component imports and that nothing was said of: who looked before installing it was misled.
    pub(super) fn hides(&self, inspected: &Inspected) -> Option<&'static str> {
        let declared = self.component.as_ref()?;
        ["wasi:http", "wasi:sockets"].into_iter().find(|package| {
            let said = |name: &String| name.strip_prefix(package).is_some_and(|rest| rest.starts_with('/'));
            inspected.imports_any_of(package) && !declared.imports.iter().any(said)
        })
    }
}
