//! `kwasm policy role NAME|FILE`: the roles by which an API server enforces what a plugin is allowed here.

use crate::cli::Verbosity;
use crate::cluster::{Contexts, Flags, Kubeconfig, Selection};
use crate::environment::{Connection, Environment};
use crate::gate::{Gate, Observer};
use crate::policy::{Inventory, Layers, Policy, RoleRules, Roles, ServiceAccount};
use crate::reference::PluginName;
use crate::runtime::OpenLine;
use crate::store::{self, Store};

use super::ceiling::ceiling;
use super::policy::{choose, granted, request};
use super::watching::Lines;
use super::{Ending, Error, Reporter, print};

/// The options of the command.
pub(super) struct Wish {
    /// The name of a plugin or policy, or a file.
    pub(super) subject: String,
    /// The service account; `None` for a new one.
    pub(super) account: Option<ServiceAccount>,
    /// The flags that select the cluster and the current namespace.
    pub(super) connection: Connection,
    pub(super) verbosity: Verbosity,
}

/// The namespace if neither a flag nor a context names one, as in kubectl.
const DEFAULT_NAMESPACE: &str = "default";

pub(super) fn role(
    store: &Store,
    environment: &Environment,
    reporter: Reporter,
    wish: Wish,
) -> Result<Ending, Error> {
    let Wish { subject, account, connection, verbosity } = wish;
    let (name, layers) = subject_of(store, &subject)?;
    let roles = match place(environment, reporter, &name, &layers, account, &connection, verbosity)? {
        Ok(Placed { roles, .. }) => roles,
        Err(ending) => return Ok(ending),
    };
    if roles.are_empty() {
        reporter.note(&format!("`{subject}` allows nothing in a cluster: there is no role for it"));
    }
    print(&roles.to_string())?;
    Ok(Ending::Done)
}

/// Roles, and the current namespace.
pub(super) struct Placed {
    pub(super) roles: Roles,
    pub(super) namespace: String,
}

/// Returns the roles for what policies together allow in the current namespace, which the server is asked about if they
/// depend on its resources. `Err`: the command ends.
///
/// # Errors
/// If there is no cluster to ask.
pub(super) fn place(
    environment: &Environment,
    reporter: Reporter,
    name: &str,
    layers: &Layers,
    account: Option<ServiceAccount>,
    connection: &Connection,
    verbosity: Verbosity,
) -> Result<Result<Placed, Ending>, Error> {
    let flags = Flags::of(connection)?;
    let kubeconfig = Kubeconfig::load(environment, &flags)?;
    let contexts = Contexts::choose(&kubeconfig, &flags, |name, selected| name == selected)?;
    let namespace = match contexts.selected() {
        Selection::Cluster(cluster) => cluster.namespace(),
        Selection::Nothing(_) => flags.namespace.as_deref().unwrap_or(DEFAULT_NAMESPACE),
    };
    let namespace = namespace.to_owned();
    let allowed = RoleRules::of(layers, &namespace);
    let mut inventory = Inventory::default();
    if allowed.need_inventory() {
        if let Selection::Nothing(why) = contexts.selected() {
            return Err(Error::NoCluster(why.clone()));
        }
        let lines = Lines::new(reporter, OpenLine::default());
        let observers = lines.observer(verbosity).into_iter().collect();
        match gate(contexts, observers)?.discover() {
            Ok(None) => return Ok(Err(Ending::Interrupted)),
            Ok(Some(found)) => inventory = found,
            Err(lines) => {
                reporter.messages(&lines);
                return Ok(Err(Ending::Faulty));
            }
        }
    }
    let roles = allowed.roles(name, account, &inventory);
    Ok(Ok(Placed { roles, namespace }))
}

/// Returns the name of a plugin or policy, and the policies that together limit it. An installed plugin comes before
/// a policy of the same name.
fn subject_of(store: &Store, subject: &str) -> Result<(String, Layers), Error> {
    if let Ok(name) = subject.parse::<PluginName>() {
        match store.find(&name) {
            Ok(plugin) => {
                let grant = match plugin.granted() {
                    Some(grant) => granted(grant)?.policy,
                    None => choose(None)?.policy,
                };
                let layers = Layers {
                    request: request(plugin.name(), plugin.inspected())?,
                    grant,
                    ceiling: ceiling()?,
                    installed: Some(name.to_string()),
                };
                return Ok((name.to_string(), layers));
            }
            Err(store::Error::Unknown(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    match choose(Some(subject)) {
        Ok(chosen) => Ok((chosen.policy.name().to_owned(), Layers::of(chosen.policy))),
        Err(Error::NoPolicy(name)) => Err(Error::NoSubject(name)),
        Err(error) => Err(error),
    }
}

/// The policy for kwasm's own requests: discovery.
const POLICY: &str = "
apiVersion: kwasm.dev/v1
kind: Policy
metadata: {name: discovery}
spec:
  kubernetes:
    rules:
    - {nonResourceURLs: [/api, \"/api/*\", /apis, \"/apis/*\"], verbs: [get]}
";

/// Returns a gate that allows exactly these requests.
fn gate(contexts: Contexts, observers: Vec<Observer>) -> Result<Gate, Error> {
    let policy = Policy::read("kwasm policy role", POLICY).map_err(Error::Policy)?;
    Ok(Gate::new(policy.grant_whole(), contexts, observers, None))
}
