//! `kubectl neat`: objects without what the cluster added to them.

mod defaults;
mod documents;
mod fetch;
mod neat;

use documents::{Documents, Form};
use kube_guest::{Cluster, Discovery, Error};
use plugin_kit::{ALL_NAMESPACES, Arguments, Command, Failure, Flag, NAMESPACE, SELECTOR, Value};
use std::io::{self, Write};

static OUTPUT: Flag = Flag {
    long: "output",
    short: Some('o'),
    value: Value::OneOf("FORMAT", &["json", "yaml"]),
    help: "json or yaml [default: as the input, or yaml]",
};

static COMMAND: Command = Command {
    name: "neat",
    version: env!("CARGO_PKG_VERSION"),
    about: "Shows objects without what the cluster added to them.",
    usage: &[
        "[-o json|yaml] < FILE",
        "get [--] KIND NAME... [-n NAMESPACE] [-o json|yaml]",
        "get [--] KIND/NAME... [-n NAMESPACE]",
        "get [--] KIND [-l SELECTOR] [-n NAMESPACE | -A]",
    ],
    flags: &[&NAMESPACE, &ALL_NAMESPACES, &SELECTOR, &OUTPUT],
    notes: "
Status, managed fields and other metadata of the server, defaults of the core
group, the node and what is empty are removed. Without `get`, it reads objects
or lists, in YAML or JSON, and prints the same form:
    kubectl get pod web -o yaml | kubectl neat",
    complete: Some(complete),
};

fn main() {
    plugin_kit::main(&COMMAND, run)
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    let (mut documents, form) = match arguments.words() {
        [] => Documents::read(io::stdin().lock())?,
        [word, ..] if word == "get" => {
            let query = fetch::Query::read(arguments)?;
            let form = query.form;
            (Documents::of(query.fetch(&Cluster::from_env()?)?), form.unwrap_or(Form::Yaml))
        }
        [word, ..] => {
            let word = kube_guest::for_terminal_line(word);
            return Err(Failure::usage(format!(
                "{word}: neither `get` nor nothing, with objects as the input"
            )));
        }
    };
    let form = match arguments.value(&OUTPUT) {
        Some("json") => Form::Json,
        Some(_) => Form::Yaml,
        None => form,
    };
    for document in documents.iter_mut() {
        neat::neat(document)?;
    }
    Ok(io::stdout().lock().write_all(documents.text(form)?.as_bytes())?)
}

/// Completes `get`, then kinds, then names of that kind.
fn complete(cluster: &Cluster, arguments: &Arguments) -> Result<Vec<String>, Error> {
    match arguments.words() {
        [] => Ok(vec!["get".to_owned()]),
        [_] => plugin_kit::kinds(cluster),
        [_, kind, ..] => {
            let discovery = Discovery::load(cluster)?;
            let namespace = arguments.value(&NAMESPACE).unwrap_or(cluster.namespace());
            plugin_kit::names(cluster, discovery.find(kind)?, namespace)
        }
    }
}
