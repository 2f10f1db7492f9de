//! `kubectl access-matrix`: what you may do with each resource, or who may do what with one.

mod matrix;
mod mine;
mod subjects;

use kube_guest::{Cluster, Error};
use matrix::{Matrix, Named, Verb};
use plugin_kit::{Arguments, Command, Failure, Flag, Output, Style, Value};
use serde::Serialize;
use std::io;

static VERBS: Flag = Flag::text("verbs", None, "VERBS", "which verbs [default: list,create,update,delete]");
static NAMESPACE: Flag = Flag {
    long: "namespace",
    short: Some('n'),
    value: Value::Namespace,
    help: "the namespace [default: the whole cluster]",
};
static OUTPUT: Flag = Flag {
    long: "output",
    short: Some('o'),
    value: Value::OneOf("FORMAT", &["icon-table", "ascii-table", "json", "yaml"]),
    help: "icon-table, ascii-table, json or yaml",
};

static COMMAND: Command = Command {
    name: "access-matrix",
    version: env!("CARGO_PKG_VERSION"),
    about: "Shows what you may do with each resource, or who may do what with one.",
    usage: &["[-n NAMESPACE]", "resource RESOURCE [NAME] [-n NAMESPACE]"],
    flags: &[&VERBS, &NAMESPACE, &OUTPUT],
    notes: "
Verbs are separated by commas; all means those that resources have. For another
user, see --as. Who may do what is read from roles and bindings: what other
authorizers allow is not shown.",
    complete: Some(complete),
};

/// The words that ask who may do something.
const RESOURCE: &[&str] = &["resource", "for", "r"];

fn main() {
    plugin_kit::main(&COMMAND, run)
}

fn complete(cluster: &Cluster, arguments: &Arguments) -> Result<Vec<String>, Error> {
    match arguments.words() {
        [] => Ok(vec!["resource\twho may do what with one".to_owned()]),
        [word] if RESOURCE.contains(&word.as_str()) => plugin_kit::kinds(cluster),
        _ => Ok(Vec::new()),
    }
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    let verbs = arguments.value(&VERBS).unwrap_or("list,create,update,delete");
    let verbs = Verb::list(verbs).map_err(Failure::usage)?;
    let namespace = arguments.value(&NAMESPACE).filter(|namespace| !namespace.is_empty());
    let words: Vec<&str> = arguments.words().iter().map(String::as_str).collect();
    match words.as_slice() {
        [] => mine(arguments, verbs, namespace),
        [word, resource, object @ ..] if RESOURCE.contains(word) && object.len() <= 1 => {
            let object = object.first().copied().unwrap_or_default();
            subjects(arguments, verbs, namespace, (resource, object))
        }
        [word] if RESOURCE.contains(word) => Err(Failure::usage("RESOURCE: missing")),
        [word, _, _, more, ..] if RESOURCE.contains(word) => {
            Err(Failure::usage(format!("{more}: unexpected")))
        }
        [word, ..] => Err(Failure::usage(format!("{word}: unexpected"))),
    }
}

fn mine(arguments: &Arguments, verbs: Vec<Verb>, namespace: Option<&str>) -> Result<(), Failure> {
    let (matrix, failed) = mine::ask(&Cluster::from_env()?, verbs, namespace)?;
    print(&matrix, arguments)?;
    if namespace.is_none() {
        eprintln!("access-matrix: this is your access in the whole cluster; -n shows that in a namespace");
    }
    match failed {
        None => Ok(()),
        Some((error, number)) => Err(Failure::message(format!("{number} reviews: {error}"))),
    }
}

fn subjects(
    arguments: &Arguments,
    verbs: Vec<Verb>,
    namespace: Option<&str>,
    of: (&str, &str),
) -> Result<(), Failure> {
    let (matrix, missing) = subjects::read(&Cluster::from_env()?, verbs, namespace, of)?;
    print(&matrix, arguments)?;
    if matrix.rows.is_empty() && missing.is_empty() {
        eprintln!("access-matrix: no role gives anybody these verbs");
    }
    if namespace.is_none() {
        eprintln!("access-matrix: only ClusterRoleBindings are considered; -n adds those of a namespace");
    }
    missing.report(COMMAND.name)
}

fn print<N: Named + Serialize>(matrix: &Matrix<N>, arguments: &Arguments) -> Result<(), Failure> {
    if !Output::of(arguments).print(&matrix.document())? {
        let icons = arguments.value(&OUTPUT) != Some("ascii-table");
        matrix.print(icons, Style::stdout(), &mut io::stdout().lock())?;
    }
    Ok(())
}
