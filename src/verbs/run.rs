//! `kwasm run SOURCE -- ARG…`, and `kubectl NAME ARG…`, which is the same for an installed plugin.

use crate::cli::Environment;
use crate::cluster::{Cluster, Flags, Kubeconfig, Selection};
use crate::gate::{Gate, Line};
use crate::policy::{NAME_A_KUBECONFIG, Policy};
use crate::reference::Source;
use crate::runtime::{Outcome, Sandbox, World};
use crate::store::Store;

use super::{Ending, Error, say};

pub(super) fn run(
    store: &Store,
    environment: &Environment,
    source: &Source,
    policy: Option<&str>,
    mut arguments: Vec<String>,
) -> Result<Ending, Error> {
    let plugin = store.open(source)?;
    let policy = match policy.or(plugin.policy()) {
        Some(name) => name.parse()?,
        None => Policy::cluster(),
    };
    let grant = policy.grant(plugin.inspected());
    // A component that can send nothing gets no kubeconfig, and nobody reads one for it.
    let selection = if plugin.inspected().uses_network() {
        let flags = Flags::take(&mut arguments)?;
        Some(Cluster::select(&Kubeconfig::load(environment, &flags)?, &flags)?)
    } else {
        None
    };
    let mut world = World::new(plugin.name(), arguments, environment);
    if let Some(selection) = &selection {
        world = world.show(selection, store.places())?;
    }
    let missing = match &selection {
        Some(Selection::Nothing(why)) => Some(why.clone()),
        _ => None,
    };
    let selection =
        selection.unwrap_or_else(|| Selection::Nothing("the plugin imports no network".to_owned()));
    let gate = Gate::new(grant, selection);
    let outcome = Sandbox::new(&plugin, gate.clone(), world, store.places())?.run()?;
    let mut lines = gate.report();
    // Many a client library gives up before it sends anything, and cannot say why there is nothing to send to.
    if let Some(why) = missing.filter(|_| lines.is_empty() && outcome != Outcome::Ended(0)) {
        lines.push(Line { text: why, hint: Some(NAME_A_KUBECONFIG.to_owned()) });
    }
    for line in lines {
        say(&format!("kwasm: {line}"));
        if let Some(hint) = line.hint {
            say(&format!("hint: {hint}"));
        }
    }
    Ok(Ending::Ran(outcome))
}
