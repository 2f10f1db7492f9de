//! `kubectl view-secret`: the decoded values of a secret.

mod choice;
mod print;
mod secret;

use kube_guest::{Cluster, Error, METADATA, Path, Resource, for_terminal_line};
use plugin_kit::{
    Arguments, Command, Explain, Failure, Flag, NAMESPACE, Object, Output, Scope, Style, Value,
};
use secret::Secret;
use std::io::{self, Write};

static ALL: Flag = Flag::switch("all", Some('a'), "decodes all keys");
static QUIET: Flag = Flag::switch("quiet", Some('q'), "says nothing beside the values");
static OUTPUT: Flag = Flag {
    long: "output",
    short: Some('o'),
    value: Value::OneOf("FORMAT", &["text", "json", "yaml"]),
    help: "text, json or yaml",
};

static COMMAND: Command = Command {
    name: "view-secret",
    version: env!("CARGO_PKG_VERSION"),
    about: "Decodes the values of a secret.",
    usage: &["[NAME [KEY | --all]] [-n NAMESPACE]"],
    flags: &[&ALL, &QUIET, &OUTPUT, &NAMESPACE],
    notes: "
Without a key it asks for one, and without a name for that too; off a terminal
it lists them. A value is printed as it is, but escaped on a terminal.",
    complete: Some(complete),
};

fn main() {
    plugin_kit::main(&COMMAND, run)
}

fn complete(cluster: &Cluster, arguments: &Arguments) -> Result<Vec<String>, Error> {
    let Scope::Namespace(namespace) = Scope::of(arguments, cluster) else { return Ok(Vec::new()) };
    match arguments.words() {
        [] => {
            let (version, name) = ("v1".to_owned(), "secrets".to_owned());
            let secrets = Resource { version, name, namespaced: true, ..Resource::default() };
            plugin_kit::names(cluster, &secrets, &namespace)
        }
        [name] => {
            let secret: Secret = cluster.get_json(path(&namespace, Some(name))?)?;
            Ok(secret.keys().into_iter().map(str::to_owned).collect())
        }
        _ => Ok(Vec::new()),
    }
}

fn path(namespace: &str, name: Option<&str>) -> Result<Path, kube_guest::BadPath> {
    Path::new(["api", "v1", "namespaces", namespace, "secrets"].into_iter().chain(name))
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    let (name, key) = match arguments.words() {
        [] => (None, None),
        [name] => (Some(name.clone()), None),
        [name, key] => (Some(name.clone()), Some(key.as_str())),
        [_, _, more, ..] => return Err(Failure::usage(format!("{more}: unexpected"))),
    };
    if key.is_some() && arguments.has(&ALL) {
        return Err(Failure::usage("--all: a key is named too"));
    }
    let cluster = Cluster::from_env()?;
    let scope = Scope::of(arguments, &cluster);
    let namespace = scope.namespace().unwrap_or(cluster.namespace());
    let name = match name {
        Some(name) => name,
        None => match choose_secret(&cluster, namespace, &scope)? {
            Some(name) => name,
            None => return Ok(()),
        },
    };
    let shown = format!("secret `{}` in {}", for_terminal_line(&name), scope.words());
    let secret: Secret = cluster.get_json(path(namespace, Some(&name))?).of(&shown)?;
    show(&secret, key, arguments, &shown)
}

/// Asks which secret is meant; off a terminal it lists them.
fn choose_secret(cluster: &Cluster, namespace: &str, scope: &Scope) -> Result<Option<String>, Failure> {
    // Of the others only the names are wanted.
    let list = cluster.begin_lists::<Object>([path(namespace, None)?], METADATA).finish_one();
    let names: Vec<String> =
        list.of("secrets")?.items.into_iter().map(|secret| secret.metadata.name).collect();
    if names.is_empty() {
        return Err(Failure::message(format!("{}: there are no secrets", scope.words())));
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    Ok(choose("Secret", &names)?.map(|index| names[index].to_owned()))
}

/// Asks for one of the names. Off a terminal, where nobody answers, it lists them and returns `None`.
fn choose(question: &str, names: &[&str]) -> Result<Option<usize>, Failure> {
    if choice::is_possible() {
        let chosen = choice::ask(question, names, &mut io::stdin().lock(), &mut io::stderr().lock())?;
        return chosen.map(Some).ok_or(Failure::Code(1));
    }
    let (style, mut out) = (Style::stdout(), io::stdout().lock());
    for name in names {
        writeln!(out, "{}", style.value(name))?;
    }
    Ok(None)
}

fn show(secret: &Secret, key: Option<&str>, arguments: &Arguments, shown: &str) -> Result<(), Failure> {
    let keys = secret.keys();
    if keys.is_empty() {
        return Err(Failure::message(format!("{shown}: it is empty")));
    }
    let output = Output::of(arguments);
    let broken = |why: String| Failure::message(format!("{shown}: {why}"));
    let one = |key: &str| match secret.entry(key) {
        Some(entry) => Ok(vec![entry.map_err(broken)?]),
        None => Err(broken(format!("it has no key `{}`", for_terminal_line(key)))
            .with_hint(format!("it has {}", for_terminal_line(&keys.join(", "))))),
    };
    let entries = match (key, keys.as_slice()) {
        (Some(key), _) => one(key)?,
        (None, _) if arguments.has(&ALL) => secret.entries().map_err(broken)?,
        (None, [only]) => {
            if !arguments.has(&QUIET) {
                eprintln!("Viewing only available key: {}", for_terminal_line(only));
            }
            one(only)?
        }
        // Without anybody to ask, a program gets the keys in the form that it asked for.
        (None, _) if output != Output::Table && !choice::is_possible() => {
            output.print(&print::document(secret, None))?;
            return Ok(());
        }
        (None, keys) => {
            let all: Vec<&str> = ["all"].into_iter().chain(keys.iter().copied()).collect();
            let offered = if choice::is_possible() { &all[..] } else { keys };
            match choose("Key", offered)? {
                None => return Ok(()),
                Some(0) => secret.entries().map_err(broken)?,
                Some(index) => one(all[index])?,
            }
        }
    };
    if !output.print(&print::document(secret, Some(&entries)))? {
        print::text(&entries, Style::stdout(), &mut io::stdout().lock())?;
    }
    Ok(())
}
