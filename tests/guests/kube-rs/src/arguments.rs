//! The command line.

use crate::error::Error;
use std::str::FromStr;

pub(crate) const USAGE: &str = "\
usage: kube-client COMMAND
  list
  get NAME
  get-many NAME TIMES
  create NAME KEY=VALUE
  patch NAME KEY=VALUE
  delete NAME
  watch [COUNT]
  logs POD [--follow] [--lines N]
  exec POD [--stdin] -- COMMAND...
  attach POD [--stdin]
  port-forward POD PORT [--linger SECONDS]
  pods
  contexts
kubectl's connection flags work too";

/// The command: with config maps up to `Watch`, with a pod from `Logs` on, with all of them: `Pods`.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Command {
    List,
    Get { name: String },
    GetMany { name: String, times: usize },
    Create { name: String, key: String, value: String },
    Patch { name: String, key: String, value: String },
    Delete { name: String },
    Watch { count: Option<usize> },
    Logs { pod: String, follow: bool, lines: Option<i64> },
    Exec { pod: String, line: Vec<String>, stdin: bool },
    Attach { pod: String, stdin: bool },
    PortForward { pod: String, port: u16, linger: Option<u64> },
    Pods,
    Contexts,
}

impl Command {
    /// Returns the command's name, if it needs a connection that changes its protocol.
    pub(crate) fn upgrades(&self) -> Option<&'static str> {
        match self {
            Self::Attach { .. } => Some("attach"),
            Self::Exec { .. } => Some("exec"),
            Self::PortForward { .. } => Some("port-forward"),
            _ => None,
        }
    }
}

/// Options may appear anywhere before `--`, including kubectl's connection flags.
pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Command, Error> {
    let mut given = kube_guest::without_connection_flags(arguments, &[]);
    let line = match given.iter().position(|argument| argument == "--") {
        Some(at) => given.split_off(at).split_off(1),
        None => Vec::new(),
    };
    let (follow, stdin) = (flag(&mut given, "--follow"), flag(&mut given, "--stdin"));
    let lines = option(&mut given, "--lines")?.map(|text| number("--lines", &text)).transpose()?;
    let linger = option(&mut given, "--linger")?.map(|text| number("--linger", &text)).transpose()?;
    if let Some(unknown) = given.iter().find(|argument| argument.starts_with('-')) {
        return Err(Error::Usage(format!("unknown option `{unknown}`")));
    }
    let words: Vec<&str> = given.iter().map(String::as_str).collect();
    Ok(match *words {
        ["list"] => Command::List,
        ["get", name] => Command::Get { name: name.to_owned() },
        ["get-many", name, times] => {
            Command::GetMany { name: name.to_owned(), times: number("TIMES", times)? }
        }
        ["create", name, entry] => {
            let (key, value) = pair(entry)?;
            Command::Create { name: name.to_owned(), key, value }
        }
        ["patch", name, entry] => {
            let (key, value) = pair(entry)?;
            Command::Patch { name: name.to_owned(), key, value }
        }
        ["delete", name] => Command::Delete { name: name.to_owned() },
        ["watch"] => Command::Watch { count: None },
        ["watch", count] => Command::Watch { count: Some(number("COUNT", count)?) },
        ["logs", pod] => Command::Logs { pod: pod.to_owned(), follow, lines },
        ["exec", pod] if !line.is_empty() => Command::Exec { pod: pod.to_owned(), line, stdin },
        ["attach", pod] => Command::Attach { pod: pod.to_owned(), stdin },
        ["port-forward", pod, port] => {
            Command::PortForward { pod: pod.to_owned(), port: number("PORT", port)?, linger }
        }
        ["pods"] => Command::Pods,
        ["contexts"] => Command::Contexts,
        _ => return Err(Error::Usage("no such command".to_owned())),
    })
}

fn flag(given: &mut Vec<String>, name: &str) -> bool {
    let before = given.len();
    given.retain(|argument| argument != name);
    given.len() < before
}

/// Returns the value of the last of this name that is given, as `--name VALUE` or `--name=VALUE`.
fn option(given: &mut Vec<String>, name: &str) -> Result<Option<String>, Error> {
    let mut value = None;
    let mut rest = Vec::new();
    let mut arguments = std::mem::take(given).into_iter();
    while let Some(argument) = arguments.next() {
        let joined = argument.split_once('=').filter(|(given, _)| *given == name);
        if let Some((_, joined)) = joined {
            value = Some(joined.to_owned());
        } else if argument == name {
            let missing = || Error::Usage(format!("`{argument}` needs a value"));
            value = Some(arguments.next().ok_or_else(missing)?);
        } else {
            rest.push(argument);
        }
    }
    *given = rest;
    Ok(value)
}

fn number<T: FromStr>(what: &str, text: &str) -> Result<T, Error> {
    text.parse().map_err(|_| Error::Usage(format!("{what}: `{text}` is no number that fits")))
}

fn pair(entry: &str) -> Result<(String, String), Error> {
    let parts = entry.split_once('=').filter(|(key, _)| !key.is_empty());
    let (key, value) = parts.ok_or_else(|| Error::Usage(format!("`{entry}` is no KEY=VALUE")))?;
    Ok((key.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Command, Error> {
        super::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn options_may_stand_anywhere_before_the_two_dashes() {
        let command = parse("-nshop exec web --stdin --as alice --context=kind -- cat -n --follow").unwrap();
        let line = ["cat", "-n", "--follow"].map(str::to_owned).to_vec();
        assert_eq!(command, Command::Exec { pod: "web".to_owned(), line, stdin: true });
    }

    #[test]
    fn a_value_may_hold_an_equals_sign() {
        let command = parse("create a k=x=y").unwrap();
        let (name, key, value) = ("a".to_owned(), "k".to_owned(), "x=y".to_owned());
        assert_eq!(command, Command::Create { name, key, value });
        assert!(parse("create a =x").is_err());
    }

    #[test]
    fn what_is_not_known_is_a_usage_error() {
        for line in ["", "lists", "list --all", "exec web", "port-forward web 70000", "watch -1", "get a -n"]
        {
            assert!(matches!(parse(line), Err(Error::Usage(_))), "{line}");
        }
    }
}
