//! `kubectl who-can`: who is allowed to do something, by the roles and bindings of the cluster.

mod action;
mod judge;
mod print;
mod resolve;

use action::{Action, Target};
use judge::{Found, Granting};
use kube_guest::{Cluster, Error, List, Path, Pool};
use plugin_kit::rbac::{self, Binding, Role};
use plugin_kit::{
    ALL_NAMESPACES, Arguments, Command, Failure, Flag, Missing, NAMESPACE, Output, Scope, Style, Value,
};
use resolve::Wanted;

const JSON: &str = "application/json";

static SUBRESOURCE: Flag = Flag::text("subresource", None, "NAME", "a subresource, such as log of pods");

static OUTPUT: Flag = Flag {
    long: "output",
    short: Some('o'),
    value: Value::OneOf("FORMAT", &["wide", "json", "yaml"]),
    help: "wide (with roles), json or yaml",
};

static COMMAND: Command = Command {
    name: "who-can",
    version: env!("CARGO_PKG_VERSION"),
    about: "Shows which users, groups and service accounts may do something.",
    usage: &["VERB TYPE[/NAME] [-n NAMESPACE | -A]", "VERB NONRESOURCEURL"],
    flags: &[&SUBRESOURCE, &NAMESPACE, &ALL_NAMESPACES, &OUTPUT],
    notes: "
Examples:
  kubectl who-can create pods -n shop
  kubectl who-can get secrets/login
  kubectl who-can get pods --subresource=log -A
  kubectl who-can '*' deployments.apps
  kubectl who-can get /logs

It reads roles and bindings: what other authorizers allow is not shown.",
    complete: Some(complete),
};

fn main() {
    plugin_kit::main(&COMMAND, run)
}

fn complete(cluster: &Cluster, arguments: &Arguments) -> Result<Vec<String>, Error> {
    match arguments.words() {
        [] => Ok(action::VERBS.iter().map(|verb| (*verb).to_owned()).collect()),
        [_] => plugin_kit::kinds(cluster),
        _ => Ok(Vec::new()),
    }
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    let action = Action::of(arguments)?;
    let cluster = Cluster::from_env()?;
    let scope = Scope::of(arguments, &cluster);
    // What takes longest is under way while the resource is looked up, and the rest follows on the same connections.
    let cluster_roles = cluster.begin_lists::<Role>([rbac::path("clusterroles", None)?], JSON);
    let cluster_bindings = cluster.begin_lists::<Binding>([rbac::path("clusterrolebindings", None)?], JSON);
    let wanted = resolve::resolve(&cluster, &action)?;
    let mut reading = Reading::default();
    // Paths that are no resources are only allowed by cluster roles, bound to the whole cluster.
    let about_paths = matches!(action.target, Target::Path(_));
    if about_paths {
        reading.take_roles("clusterroles", cluster_roles.finish_one(), &wanted);
    } else {
        let place = scope.namespace();
        let roles = cluster.begin_lists::<Role>([rbac::path("roles", place)?], JSON);
        let mut namespace = Pool::new(&cluster);
        if let Some(name) = place {
            namespace.get((), Path::new(["api", "v1", "namespaces", name])?);
            namespace.start();
        }
        reading.take_roles("clusterroles", cluster_roles.finish_one(), &wanted);
        let bindings = cluster.begin_lists::<Binding>([rbac::path("rolebindings", place)?], JSON);
        reading.take_namespace(namespace.next().map(|((), answer)| answer), &scope)?;
        reading.take_roles(&in_scope("roles", &scope), roles.finish_one(), &wanted);
        reading.take_bindings(&in_scope("rolebindings", &scope), bindings.finish_one());
    }
    reading.take_bindings("clusterrolebindings", cluster_bindings.finish_one());
    let Reading { found, missing, .. } = reading;
    if !Output::of(arguments).print(&print::document(&found, about_paths))? {
        let wide = arguments.value(&OUTPUT) == Some("wide");
        let printer = print::Printer { style: Style::stdout(), wide, complete: missing.is_empty() };
        printer.print(&found, &action, &mut std::io::stdout().lock())?;
    }
    missing.report(COMMAND.name)
}

/// What has been read so far: roles come before their bindings.
#[derive(Default)]
struct Reading {
    granting: Granting,
    found: Found,
    missing: Missing,
}

impl Reading {
    fn take_roles(&mut self, what: &str, list: Result<List<Role>, Error>, wanted: &Wanted) {
        match list {
            Ok(list) => self.granting.add(&list.items, wanted),
            Err(error) => self.missing.add(what, &error),
        }
    }

    fn take_bindings(&mut self, what: &str, list: Result<List<Binding>, Error>) {
        match list {
            Ok(list) => self.found.add(list.items, &self.granting),
            Err(error) => self.missing.add(what, &error),
        }
    }

    fn take_namespace(
        &mut self,
        answer: Option<Result<Vec<u8>, Error>>,
        scope: &Scope,
    ) -> Result<(), Failure> {
        match answer {
            Some(Err(error)) if error.status() == Some(404) => {
                return Err(Failure::message(format!("{}: there is no such namespace", scope.words())));
            }
            // A user who may not get it may still read what is in it.
            Some(Err(Error::Status(status))) if status.is_denied() => {
                self.missing.add(scope.words(), &status.into());
            }
            _ => {}
        }
        Ok(())
    }
}

fn in_scope(resource: &str, scope: &Scope) -> String {
    match scope {
        Scope::Namespace(_) => format!("{resource} of {}", scope.words()),
        Scope::All => resource.to_owned(),
    }
}
