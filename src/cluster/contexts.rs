//! The contexts that one run may reach, each with the address by which its guest names it.

use std::collections::BTreeSet;

use super::endpoint::Endpoint;
use super::{Cluster, Error, Flags, Kubeconfig, Selection, Shared};

/// The selected context, and the others that the policy grants.
pub struct Contexts {
    selected: Selection,
    others: Vec<Other>,
    left_out: usize,
}

/// A granted context other than the selected one.
struct Other {
    name: String,
    selection: Selection,
}

/// The largest number of contexts in one run: TEST-NET-1 (RFC 5737) has no more addresses.
pub const MOST: usize = 254;

/// The API server's name for workloads inside a cluster.
const IN_CLUSTER_SERVER: &str = "https://kubernetes.default.svc";

/// One context as a guest sees it.
#[derive(Clone, Copy)]
pub struct Numbered<'a> {
    /// The last byte N of its address 192.0.2.N: 1 is the selected context.
    pub number: u8,
    /// The name; `None` if no context is selected.
    pub name: Option<&'a str>,
    /// The cluster, or the reason why there is none.
    pub selection: &'a Selection,
}

impl Contexts {
    /// Returns the selected context and those of the kubeconfig's others that are `granted` (called with
    /// their name and the selected one's), in the kubeconfig's order.
    ///
    /// # Errors
    /// If the selected context is not usable. Another one that is not usable is included, and its error is
    /// reported on the first request to it, since the plugin may never use it.
    pub fn choose(
        kubeconfig: &Kubeconfig,
        flags: &Flags,
        granted: impl Fn(&str, &str) -> bool,
    ) -> Result<Self, Error> {
        let mut shared = Shared::new();
        let selected = Cluster::selected(kubeconfig, flags, &mut shared)?;
        let current = selected.cluster().map(Cluster::context);
        // Of two with one name the first is meant.
        let mut known: BTreeSet<&str> = current.into_iter().collect();
        let others = kubeconfig.contexts();
        let names = others.filter(|name| granted(name, current.unwrap_or_default()) && known.insert(name));
        let mut others: Vec<&str> = names.collect();
        let left_out = others.len().saturating_sub(MOST - 1);
        others.truncate(MOST - 1);
        let theirs = flags.for_others();
        let others = others.into_iter().map(|name| Other {
            name: name.to_owned(),
            selection: Cluster::named(kubeconfig, name, &theirs, &mut shared)
                .unwrap_or_else(|error| Selection::Nothing(error.to_string())),
        });
        let others = others.collect();
        Ok(Self { selected, others, left_out })
    }

    /// Returns no contexts, with the reason.
    #[must_use]
    pub fn none(why: &str) -> Self {
        Self { selected: Selection::Nothing(why.to_owned()), others: Vec::new(), left_out: 0 }
    }

    /// Returns how many granted contexts were left out because there are no more addresses.
    #[must_use]
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// Returns the user's selection.
    #[must_use]
    pub fn selected(&self) -> &Selection {
        &self.selected
    }

    /// Returns the clusters of the usable contexts.
    pub(crate) fn into_clusters(self) -> impl Iterator<Item = Box<Cluster>> {
        let others = self.others.into_iter().map(|other| other.selection);
        std::iter::once(self.selected).chain(others).filter_map(|selection| match selection {
            Selection::Cluster(cluster) => Some(cluster),
            Selection::Nothing(_) => None,
        })
    }

    /// Returns all contexts with their numbers for the guest, the selected one first.
    pub fn numbered(&self) -> impl Iterator<Item = Numbered<'_>> {
        let name = self.selected.cluster().map(Cluster::context);
        let others = self.others.iter().map(|other| (Some(other.name.as_str()), &other.selection));
        // There are no more than `MOST`. An unbounded range would step past 255 after the last of that many.
        (1..=u8::MAX)
            .zip(std::iter::once((name, &self.selected)).chain(others))
            .map(|(number, (name, selection))| Numbered { number, name, selection })
    }
}

impl<'a> Numbered<'a> {
    /// Returns the cluster, if the context is usable.
    #[must_use]
    pub fn cluster(self) -> Option<&'a Cluster> {
        self.selection.cluster()
    }

    /// Returns the server for the guest's kubeconfig: an address of TEST-NET-1 (RFC 5737), which no network
    /// routes. It is an IP literal, since clients on WASI cannot resolve names without threads, and plain
    /// HTTP, since the gate does TLS.
    #[must_use]
    pub fn server(self) -> String {
        format!("http://192.0.2.{}", self.number)
    }

    /// Returns the addresses by which a guest may name it. The selected context has those of its cluster too.
    pub fn names(self) -> impl Iterator<Item = Endpoint> + 'a {
        let first = self.number == 1;
        let in_cluster = first.then(|| Endpoint::read(IN_CLUSTER_SERVER)).flatten();
        let own = self.cluster().filter(|_| first).map(|cluster| cluster.endpoint().clone());
        Endpoint::read(&self.server()).into_iter().chain(in_cluster).chain(own)
    }
}
