//! Which endpoints a guest may name, and where each leads.

use ::http::Uri;
use ::http::uri::PathAndQuery;

use crate::cluster::{Endpoint, Origin, Selection, virtual_names};
use crate::policy::{Context, Host, Reason, Target};

/// The endpoints by which a guest may name something, most specific first where one contains another.
pub(super) struct Table(Vec<(Endpoint, Place)>);

/// Where an endpoint leads.
enum Place {
    Target(Target),
    /// A name of the cluster where there is none; why.
    Nothing(String),
}

impl Table {
    /// The names of what was selected, and of the hosts that were granted.
    ///
    /// The selected cluster's names come first: no host of a policy takes its place, and its credentials go nowhere
    /// else.
    pub(super) fn new(selection: &Selection, hosts: &[Host]) -> Self {
        let mut entries: Vec<(Endpoint, Place)> = match selection {
            Selection::Cluster(cluster) => {
                let context = Context::new(cluster.context(), cluster.namespace(), cluster.context());
                cluster.names().map(|name| (name, Place::Target(Target::Context(context.clone())))).collect()
            }
            Selection::Nothing(why) => {
                virtual_names().map(|name| (name, Place::Nothing(why.clone()))).collect()
            }
        };
        entries.extend(hosts.iter().filter_map(|host| {
            Some((Endpoint::read(&format!("https://{host}"))?, Place::Target(Target::Host(host.clone()))))
        }));
        Self(entries)
    }

    /// Finds what a URI names, and what of its path is meant for it.
    pub(super) fn identify(&self, uri: &Uri) -> Result<(Target, Option<PathAndQuery>), Reason> {
        let origin =
            uri.scheme().zip(uri.authority()).and_then(|(scheme, authority)| Origin::of(scheme, authority));
        let origin = origin.ok_or(Reason::Destination)?;
        let whole = uri.path_and_query().map_or("/", PathAndQuery::as_str);
        let named = self.0.iter().filter(|(name, _)| *name.origin() == origin);
        let found = named.into_iter().find_map(|(name, place)| {
            let rest = whole.strip_prefix(name.prefix())?;
            (rest.is_empty() || rest.starts_with(['/', '?'])).then_some((place, rest))
        });
        let (place, rest) = found.ok_or(Reason::Destination)?;
        let path = match rest {
            "" => None,
            rest => Some(rest.parse().map_err(|_| Reason::Ambiguous("its path is no path"))?),
        };
        match place {
            Place::Target(target) => Ok((target.clone(), path)),
            Place::Nothing(why) => Err(Reason::NoCluster(why.clone())),
        }
    }
}
