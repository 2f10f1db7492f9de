//! The contexts that one run may reach, each with the address by which its guest names it.

use std::collections::BTreeSet;

use super::document::{ClusterEntry, UserEntry};
use super::endpoint::Endpoint;
use super::select::Selected;
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

/// A context by what a guest sees of it, from which a replay makes it again.
#[derive(Clone, Copy, Debug)]
pub struct Recalled<'a> {
    /// The name; `None` if no context was selected.
    pub name: Option<&'a str>,
    /// The namespace, or the reason why the context is not usable.
    pub namespace: Result<&'a str, &'a str>,
}

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

    /// Returns contexts of which no more is known than what a guest sees, the selected one first, for a replay, which
    /// connects to none. Of the flags, those count that a guest sees too: the context, the namespace, the server's
    /// address and the impersonated user.
    ///
    /// # Errors
    /// If a flag names another context, or one of the names is not valid.
    pub fn recalled(recalled: &[Recalled<'_>], flags: &Flags) -> Result<Self, Error> {
        let names = || recalled.iter().filter_map(|context| context.name);
        let selected = match flags.context.as_deref() {
            None => 0,
            Some(wanted) => {
                let known = || names().map(str::to_owned).collect();
                recalled.iter().position(|context| context.name == Some(wanted)).ok_or_else(|| {
                    Error::Unknown { kind: "context", name: wanted.to_owned(), known: known() }
                })?
            }
        };
        let Some(context) = recalled.get(selected) else {
            return Ok(Self::none("the record has no context"));
        };
        let theirs = flags.for_others();
        let own =
            Flags { namespace: flags.namespace.clone(), server: flags.server.clone(), ..theirs.clone() };
        let mut known: BTreeSet<&str> = context.name.into_iter().collect();
        let context = context.selection(&own)?;
        let others = recalled.iter().enumerate().filter(|(position, _)| *position != selected);
        let others =
            others.filter_map(|(_, other)| Some((other.name.filter(|name| known.insert(name))?, other)));
        let others = others
            .take(MOST - 1)
            .map(|(name, other)| Ok(Other { name: name.to_owned(), selection: other.selection(&theirs)? }));
        Ok(Self { others: others.collect::<Result<_, Error>>()?, selected: context, left_out: 0 })
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

impl Recalled<'_> {
    fn selection(&self, flags: &Flags) -> Result<Selection, Error> {
        let (name, namespace) = match (self.name, self.namespace) {
            (Some(name), Ok(namespace)) => (name, namespace),
            (_, Err(why)) => return Ok(Selection::Nothing(why.to_owned())),
            (None, Ok(_)) => return Ok(Selection::Nothing("the record has no context".to_owned())),
        };
        // An address that nothing is sent to.
        let server = Some("http://192.0.2.1".to_owned());
        let selected = Selected {
            context: name.to_owned(),
            cluster_name: name.to_owned(),
            cluster: ClusterEntry { server, ..ClusterEntry::default() },
            user_name: name.to_owned(),
            user: UserEntry::default(),
            namespace: flags.namespace.clone().unwrap_or_else(|| namespace.to_owned()),
        };
        let selected = selected.overridden_by(flags)?;
        let cluster = Cluster::of(&Kubeconfig::default(), selected, flags, &mut Shared::new())?;
        Ok(Selection::Cluster(Box::new(cluster)))
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
