//! `decoder __complete ARG…`: prints the possible next arguments, as kubectl requests them when `TAB` is
//! pressed.
//!
//! One candidate per line, with a tab and a description, and a last line with a directive for the shell
//! ([cobra][1]'s convention). Names are listed only if the policy allows it.
//!
//! [1]: https://github.com/spf13/cobra/blob/main/site/content/completions/_index.md

use crate::arguments::{OWN, split};
use kube_guest::{Cluster, Path, without_connection_flags};
use serde::Deserialize;

/// The word with which kubectl requests completions.
pub(crate) const WORD: &str = "__complete";

/// The directive without file names, since none are expected.
const DIRECTIVE: &str = ":4\n";

const FLAGS: [(&str, &str); 5] = [
    ("--context", "the context of the kubeconfig"),
    ("--disable-cert-decoding", "show certificates as they are stored"),
    ("--help", "show the help"),
    ("--namespace", "the secret's namespace"),
    ("--version", "show the version"),
];

/// The possible completions.
#[derive(Debug, Eq, PartialEq)]
enum Next {
    Flag,
    Kind,
    /// The name of a secret, in this namespace or the context's.
    Name(Option<String>),
    Nothing,
}

/// Prints the completions; the last argument is being typed.
pub(crate) fn complete(arguments: &[String]) -> String {
    let (typed, before) =
        arguments.split_last().map_or(("", &[][..]), |(last, before)| (last.as_str(), before));
    let candidates: Vec<String> = match next(typed, before) {
        Next::Flag => FLAGS.iter().map(|(flag, what)| format!("{flag}\t{what}")).collect(),
        Next::Kind => vec!["secret\tshow a secret decoded".to_owned()],
        // A namespace that may not be listed, or cannot be reached, is not completed.
        Next::Name(namespace) => names(namespace.as_deref()).unwrap_or_default(),
        Next::Nothing => Vec::new(),
    };
    let fitting = candidates.into_iter().filter(|candidate| candidate.starts_with(typed));
    fitting.map(|candidate| candidate + "\n").chain([DIRECTIVE.to_owned()]).collect()
}

fn next(typed: &str, before: &[String]) -> Next {
    let mut namespace = None;
    let mut words = 0;
    let mut before = without_connection_flags(before.iter().cloned(), &OWN).into_iter();
    while let Some(argument) = before.next() {
        let (flag, value) = split(&argument);
        match flag {
            "-n" | "--namespace" => match value.map(str::to_owned).or_else(|| before.next()) {
                Some(value) => namespace = Some(value),
                None => return Next::Nothing,
            },
            "--" | "--disable-cert-decoding" => {}
            // The value of a connection flag is being typed, help is requested, or it is a mistake.
            _ if flag.starts_with('-') => return Next::Nothing,
            _ => words += 1,
        }
    }
    match words {
        _ if typed.starts_with('-') => Next::Flag,
        0 => Next::Kind,
        1 => Next::Name(namespace),
        _ => Next::Nothing,
    }
}

#[derive(Deserialize)]
struct List {
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
}

fn names(namespace: Option<&str>) -> Option<Vec<String>> {
    let cluster = Cluster::from_env().ok()?;
    let namespace = namespace.unwrap_or(cluster.namespace());
    let path = Path::new(["api", "v1", "namespaces", namespace, "secrets"]).ok()?.query("limit", "500");
    let list: List = cluster.get_json(&path).ok()?;
    Some(list.items.into_iter().map(|item| item.metadata.name).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(line: &str) -> Next {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let (typed, before) = words.split_last().unwrap();
        next(typed, before)
    }

    #[test]
    fn what_comes_next_depends_on_what_was_typed() {
        assert_eq!(after(""), Next::Kind);
        assert_eq!(after("se"), Next::Kind);
        assert_eq!(after("secret "), Next::Name(None));
        assert_eq!(after("-n shop secret we"), Next::Name(Some("shop".to_owned())));
        assert_eq!(after("secret --namespace=shop "), Next::Name(Some("shop".to_owned())));
        assert_eq!(after("secret web "), Next::Nothing);
        assert_eq!(after("secret -n=shop -- "), Next::Name(Some("shop".to_owned())));
        assert_eq!(after("secret -n "), Next::Nothing);
        assert_eq!(after("--context c secret --as=alice we"), Next::Name(None));
        assert_eq!(after("secret --as "), Next::Nothing);
        assert_eq!(after("secret --"), Next::Flag);
    }

    #[test]
    fn candidates_begin_with_what_was_typed_and_end_with_the_directive() {
        let complete =
            |words: &[&str]| complete(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        assert_eq!(complete(&["s"]), "secret\tshow a secret decoded\n:4\n");
        assert_eq!(complete(&["x"]), ":4\n");
        assert_eq!(complete(&["--n"]), "--namespace\tthe secret's namespace\n:4\n");
        assert_eq!(complete(&[]), "secret\tshow a secret decoded\n:4\n");
    }
}
