//! The destination of a request, as far as the judge has to know it.

use std::sync::Arc;

use super::host::Host;

/// Where a request goes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Target {
    /// The API server of a granted context.
    Context(Context),
    /// A host beside the cluster that the policy grants.
    Host(Host),
}

/// A context as far as the judge has to know it. Cloning it is cheap.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Context {
    name: Arc<str>,
    namespace: Arc<str>,
    selected: Arc<str>,
}

impl Context {
    /// The context `name`, in which the user chose `namespace`; `selected` is the context that the user chose.
    #[must_use]
    pub fn new(name: &str, namespace: &str, selected: &str) -> Self {
        Self { name: name.into(), namespace: namespace.into(), selected: selected.into() }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What `namespaces: [current]` is in it: `-n` on the command line, else its own, else `default`.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The name of the context that the user chose.
    #[must_use]
    pub fn selected(&self) -> &str {
        &self.selected
    }
}
