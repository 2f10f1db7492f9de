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

/// A granted context that is not the selected one.
struct Other {
    name: String,
    selection: Selection,
}

/// The most contexts of one run: TEST-NET-1 (RFC 5737) has no more addresses.
pub const MOST: usize = 254;

/// The name by which workloads inside a cluster know its API server.
const IN_CLUSTER_SERVER: &str = "https://kubernetes.default.svc";

/// One context as a guest sees it.
#[derive(Clone, Copy)]
pub struct Numbered<'a> {
    /// What of 192.0.2.N it is: 1 is the selected one.
    pub number: u8,
    /// Its name. `None` where no context is selected.
    pub name: Option<&'a str>,
    /// Its cluster, or why there is none.
    pub selection: &'a Selection,
}

impl Contexts {
    /// The selected context, and of the kubeconfig's others those that are `granted` (their name, the selected one's), in
    /// the order in which they stand there.
    ///
    /// # Errors
    /// When the selected one leads nowhere. Another that does is there, and says so when it is asked: a plugin that
    /// never asks it has no need of it.
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

    /// None at all, and why.
    #[must_use]
    pub fn none(why: &str) -> Self {
        Self { selected: Selection::Nothing(why.to_owned()), others: Vec::new(), left_out: 0 }
    }

    /// How many were granted and have no address any more.
    #[must_use]
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// What the user selected.
    #[must_use]
    pub fn selected(&self) -> &Selection {
        &self.selected
    }

    /// The clusters of those that lead to one.
    pub(crate) fn into_clusters(self) -> impl Iterator<Item = Box<Cluster>> {
        let others = self.others.into_iter().map(|other| other.selection);
        std::iter::once(self.selected).chain(others).filter_map(|selection| match selection {
            Selection::Cluster(cluster) => Some(cluster),
            Selection::Nothing(_) => None,
        })
    }

    /// All of them, the selected one first, with the numbers that they have for the guest.
    pub fn numbered(&self) -> impl Iterator<Item = Numbered<'_>> {
        let name = self.selected.cluster().map(Cluster::context);
        let others = self.others.iter().map(|other| (Some(other.name.as_str()), &other.selection));
        // There are no more than `MOST`. A range without an end would step past 255 behind the last of so many.
        (1..=u8::MAX)
            .zip(std::iter::once((name, &self.selected)).chain(others))
            .map(|(number, (name, selection))| Numbered { number, name, selection })
    }
}

impl<'a> Numbered<'a> {
    /// Its cluster, if it leads to one.
    #[must_use]
    pub fn cluster(self) -> Option<&'a Cluster> {
        self.selection.cluster()
    }

    /// The server in the guest's kubeconfig: an address of TEST-NET-1 (RFC 5737), which no network routes. An IP
    /// literal, since clients on WASI cannot resolve names without threads; plain HTTP, since TLS is the gate's.
    #[must_use]
    pub fn server(self) -> String {
        format!("http://192.0.2.{}", self.number)
    }

    /// The addresses by which a guest may name it. The selected one has those of its cluster too.
    pub fn names(self) -> impl Iterator<Item = Endpoint> + 'a {
        let first = self.number == 1;
        let in_cluster = first.then(|| Endpoint::read(IN_CLUSTER_SERVER)).flatten();
        let own = self.cluster().filter(|_| first).map(|cluster| cluster.endpoint().clone());
        Endpoint::read(&self.server()).into_iter().chain(in_cluster).chain(own)
    }
}
