//! `PLUGIN __complete ARG…`: the possible next arguments, as kubectl requests them when TAB is pressed.
//!
//! One candidate per line, with a tab and a description, and a last line with a directive for the shell
//! ([cobra][1]'s convention). What may not be listed is not completed.
//!
//! [1]: https://github.com/spf13/cobra/blob/main/site/content/completions/_index.md

use crate::arguments::own;
use crate::object::Objects;
use crate::{Arguments, Command, Flag, Object, Value, help};
use kube_guest::{
    Cluster, Discovery, Error, METADATA, Path, Resource, for_terminal_line, without_connection_flags,
};

/// The word with which kubectl requests completions.
pub(crate) const WORD: &str = "__complete";

/// The directive without file names, since none are expected.
const DIRECTIVE: &str = ":4\n";

/// Returns the completions; the last argument is being typed.
pub(crate) fn complete(command: &Command, typed: &[String]) -> String {
    let (word, before) = typed.split_last().map_or(("", &[][..]), |(last, before)| (last.as_str(), before));
    let candidates = candidates(command, word, before);
    let fitting = candidates.into_iter().filter(|candidate| candidate.starts_with(word));
    fitting.map(|candidate| candidate + "\n").chain([DIRECTIVE.to_owned()]).collect()
}

fn candidates(command: &Command, word: &str, before: &[String]) -> Vec<String> {
    let own = own(command);
    let own: Vec<&str> = own.iter().map(String::as_str).collect();
    let mut before = without_connection_flags(before.iter().cloned(), &own);
    let options = !before.iter().any(|argument| argument == "--");
    if options && let Some(flag) = before.last().and_then(|last| waiting(command, last)) {
        return values(flag);
    }
    if options && word.starts_with('-') {
        return match word
            .split_once('=')
            .and_then(|(name, _)| Some((name, command.long(name.strip_prefix("--")?)?)))
        {
            Some((name, flag)) => values(flag).into_iter().map(|value| format!("{name}={value}")).collect(),
            None => flags(command),
        };
    }
    // A mistake is told when the command is run.
    before.retain(|argument| !matches!(argument.as_str(), "-h" | "--help" | "--version"));
    let (Some(complete), Ok(arguments)) = (command.complete, Arguments::read(command, before)) else {
        return Vec::new();
    };
    let found = Cluster::from_env().and_then(|cluster| complete(&cluster, &arguments));
    found.unwrap_or_default().iter().map(|name| for_candidate(name)).collect()
}

/// Keeps the tab between a candidate and its description.
fn for_candidate(text: &str) -> String {
    text.split('\t').map(for_terminal_line).collect::<Vec<_>>().join("\t")
}

/// Returns the flag whose value comes after this argument.
fn waiting(command: &Command, last: &str) -> Option<&'static Flag> {
    if !help::takes_next(command, last) {
        return None;
    }
    match last.strip_prefix("--") {
        Some(long) => command.long(long),
        None => command.short(last.chars().last()?),
    }
}

fn flags(command: &Command) -> Vec<String> {
    let ours = command.flags.iter().map(|flag| format!("--{}\t{}", flag.long, flag.help));
    let all = [
        "--context\tthe context of the kubeconfig".to_owned(),
        "--help\tshows the help".to_owned(),
        "--version\tshows the version".to_owned(),
    ];
    let mut flags: Vec<String> = ours.chain(all).collect();
    flags.sort();
    flags
}

fn values(flag: &Flag) -> Vec<String> {
    match flag.value {
        Value::OneOf(_, known) => known.iter().map(|known| (*known).to_owned()).collect(),
        Value::Namespace => Cluster::from_env().and_then(|cluster| namespaces(&cluster)).unwrap_or_default(),
        Value::None | Value::Text(_) => Vec::new(),
    }
}

fn namespaces(cluster: &Cluster) -> Result<Vec<String>, Error> {
    listed(cluster, Path::new(["api", "v1", "namespaces"])?)
}

/// Returns the resources that can be listed, by their plural names, with their groups as descriptions.
///
/// # Errors
///
/// The same as [`Discovery::load`].
pub fn kinds(cluster: &Cluster) -> Result<Vec<String>, Error> {
    let found = Discovery::load(cluster)?;
    let describe = |resource: &Resource| match resource.group.as_str() {
        "" => resource.name.clone(),
        group => format!("{}\t{group}", resource.name),
    };
    Ok(found.resources().iter().filter(|resource| resource.has("list")).map(describe).collect())
}

/// Returns the names of a resource's objects, in a namespace if it has those.
///
/// # Errors
///
/// The same as [`Cluster::get_json`].
pub fn names(cluster: &Cluster, resource: &Resource, namespace: &str) -> Result<Vec<String>, Error> {
    listed(cluster, resource.path(Some(namespace))?)
}

/// Returns the names of the first objects of a list: more than 500 are too many to choose among.
fn listed(cluster: &Cluster, path: Path) -> Result<Vec<String>, Error> {
    let headers = [("accept", METADATA)];
    let body = cluster.request("GET", path.query("limit", "500"), &headers, &[])?.read_to_end()?;
    let list: Objects = serde_json::from_slice(&body).map_err(Error::Json)?;
    Ok(list.items.into_iter().map(|object: Object| object.metadata.name).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NAMESPACE, OUTPUT};

    static COMMAND: Command = Command {
        name: "test",
        version: "1",
        about: "",
        usage: &[],
        flags: &[&NAMESPACE, &OUTPUT],
        notes: "",
        complete: None,
    };

    fn after(line: &str) -> String {
        complete(&COMMAND, &line.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn flags_begin_with_what_was_typed_and_the_directive_comes_last() {
        assert_eq!(after("a --n"), "--namespace\tthe namespace [default: the context's]\n:4\n");
        assert_eq!(after("-- --n"), ":4\n");
        assert_eq!(after(""), ":4\n");
    }

    #[test]
    fn the_values_of_a_flag_are_completed_in_either_form() {
        assert_eq!(after("-o "), "json\nyaml\n:4\n");
        assert_eq!(after("a --output y"), "yaml\n:4\n");
        assert_eq!(after("--output=j"), "--output=json\n:4\n");
    }
}
