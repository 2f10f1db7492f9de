//! A plugin about which a decision is needed.

use crate::inspect::Inspected;
use crate::reference::PluginName;
use crate::store::{Origin, Receipt};

/// A plugin about which a decision is needed.
pub(in crate::verbs) struct Candidate<'a> {
    pub(in crate::verbs) name: &'a PluginName,
    pub(in crate::verbs) inspected: &'a Inspected,
    /// The artifact that it was in.
    pub(in crate::verbs) origin: Option<&'a Origin>,
    /// The plugin of the same source that it replaces, whose grant it keeps if it requests no more.
    pub(in crate::verbs) previous: Option<&'a Receipt>,
}
