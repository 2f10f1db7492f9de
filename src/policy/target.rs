//! The destination of a request, with the properties that the judge needs.

use std::sync::Arc;

use super::host::Host;

/// The destination of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Target {
    /// The API server of a granted context.
    Context(Context),
    /// A host outside the cluster that the policy grants.
    Host(Host),
}

/// The properties of a context that the judge needs. Cheap to clone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Context {
    name: Arc<str>,
    namespace: Arc<str>,
    selected: Arc<str>,
}

impl Context {
    /// Returns the context `name`, in which the user chose `namespace`; `selected` is the context that the
    /// user chose.
    #[must_use]
    pub fn new(name: &str, namespace: &str, selected: &str) -> Self {
        Self { name: name.into(), namespace: namespace.into(), selected: selected.into() }
    }

    /// Returns the name of the context.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the namespace that `namespaces: [current]` denotes in it: `-n` on the command line, or else
    /// the context's own, or else `default`.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Returns the name of the context that the user chose.
    #[must_use]
    pub fn selected(&self) -> &str {
        &self.selected
    }
}
