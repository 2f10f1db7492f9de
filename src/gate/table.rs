//! The endpoints that a guest may name, and their destinations.

use ::http::Uri;
use ::http::uri::PathAndQuery;

use crate::cluster::{Cluster, Contexts, Endpoint, Numbered, Origin, Selection};
use crate::policy::{Context, Host, Reason, Target};

/// The endpoints that a guest may name, the most specific first if one contains another.
pub(super) struct Table(Vec<(Endpoint, Destination)>);

/// The destination of an endpoint.
enum Destination {
    Target(Target),
    /// A name of a cluster that does not exist, with the reason.
    Nothing(Reason),
}

impl Table {
    /// Returns a table of the names of the contexts and of the granted hosts.
    ///
    /// The contexts' names come first, so that no host of a policy can replace one, and its credentials go
    /// nowhere else.
    pub(super) fn new(contexts: &Contexts, hosts: &[Host]) -> Self {
        let selected = contexts.selected().cluster().map_or("", Cluster::context);
        let mut entries: Vec<(Endpoint, Destination)> = Vec::new();
        for context in contexts.numbered() {
            for name in context.names() {
                entries.push((name, Destination::of(context, selected)));
            }
        }
        entries.extend(hosts.iter().filter_map(|host| {
            Some((
                Endpoint::read(&format!("https://{host}"))?,
                Destination::Target(Target::Host(host.clone())),
            ))
        }));
        Self(entries)
    }

    /// Returns whether an entry has this address as its name.
    pub(super) fn names(&self, endpoint: &Endpoint) -> bool {
        self.0.iter().any(|(name, _)| name == endpoint)
    }

    /// Finds the entry that a URI names, and the part of its path that is meant for it.
    pub(super) fn identify(&self, uri: &Uri) -> Result<(Target, Option<PathAndQuery>), Reason> {
        let origin =
            uri.scheme().zip(uri.authority()).and_then(|(scheme, authority)| Origin::of(scheme, authority));
        let origin = origin.ok_or(Reason::Destination)?;
        let whole = uri.path_and_query().map_or("/", PathAndQuery::as_str);
        let named = self.0.iter().filter(|(name, _)| *name.origin() == origin);
        let found = named.into_iter().find_map(|(name, destination)| {
            let rest = whole.strip_prefix(name.prefix())?;
            (rest.is_empty() || rest.starts_with(['/', '?'])).then_some((destination, rest))
        });
        let (destination, rest) = found.ok_or(Reason::Destination)?;
        let path = match rest {
            "" => None,
            rest => Some(rest.parse().map_err(|_| Reason::Ambiguous("its path is not valid"))?),
        };
        match destination {
            Destination::Target(target) => Ok((target.clone(), path)),
            Destination::Nothing(reason) => Err(reason.clone()),
        }
    }
}

impl Destination {
    fn of(context: Numbered<'_>, selected: &str) -> Self {
        match (context.selection, context.name) {
            (Selection::Cluster(cluster), _) => {
                Self::Target(Target::Context(Context::new(cluster.context(), cluster.namespace(), selected)))
            }
            (Selection::Nothing(why), None) => Self::Nothing(Reason::NoCluster(why.clone())),
            (Selection::Nothing(why), Some(name)) => {
                Self::Nothing(Reason::BrokenContext { name: name.to_owned(), why: why.clone() })
            }
        }
    }
}
