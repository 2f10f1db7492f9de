//! The command line.

use kube_guest::without_connection_flags;

/// The connection flags of kubectl that this plugin reads itself.
pub(crate) const OWN: [&str; 2] = ["-n", "--namespace"];

/// The command that the user requests.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Command {
    Help,
    Version,
    Secret(Secret),
}

/// The secret to show, and its format.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Secret {
    pub(crate) name: String,
    /// `None` is the namespace of the context.
    pub(crate) namespace: Option<String>,
    pub(crate) explain_certificates: bool,
}

pub(crate) const USAGE: &str = "usage: kubectl decoder secret NAME [-n NAMESPACE] [--disable-cert-decoding]";

pub(crate) const HELP: &str = "\
Shows a secret decoded, its certificates explained.

Usage: kubectl decoder secret NAME [-n NAMESPACE]

Options:
  -n, --namespace NAMESPACE    the secret's namespace [default: the context's]
      --disable-cert-decoding  shows certificates as they are stored
  -h, --help                   shows this
      --version                shows the version

kubectl's connection flags work too, such as --context and --as.
Private keys and passwords are shown as they are: that is what decoding means.
Colours: NO_COLOR and CLICOLOR=0 switch them off, CLICOLOR_FORCE=1 on.";

/// Reads the command line, without the plugin's own name. The error is one line, `what: why`.
pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Command, String> {
    let mut arguments = without_connection_flags(arguments, &OWN).into_iter();
    let mut words: Vec<String> = Vec::new();
    let (mut namespace, mut explain_certificates, mut options) = (None, true, true);
    while let Some(argument) = arguments.next() {
        if !options || !argument.starts_with('-') || argument == "-" {
            words.push(argument);
            continue;
        }
        let (flag, value) = split(&argument);
        let mut take =
            || value.map(str::to_owned).or_else(|| arguments.next()).ok_or(format!("{flag}: needs a value"));
        match flag {
            "--" => options = false,
            "-n" | "--namespace" => namespace = Some(take()?),
            "-h" | "--help" => return Ok(Command::Help),
            "--version" => return Ok(Command::Version),
            "--disable-cert-decoding" if value.is_none() => explain_certificates = false,
            _ => return Err(format!("{argument}: no such option")),
        }
    }
    let name = name(&words)?;
    let namespace = namespace.filter(|namespace| !namespace.is_empty());
    Ok(Command::Secret(Secret { name, namespace, explain_certificates }))
}

/// Splits a flag from its value, in `--namespace=x` and `-nx`.
pub(crate) fn split(argument: &str) -> (&str, Option<&str>) {
    match argument.strip_prefix("-n") {
        Some("") => (argument, None),
        Some(value) => ("-n", Some(value.strip_prefix('=').unwrap_or(value))),
        None => argument.split_once('=').map_or((argument, None), |(flag, value)| (flag, Some(value))),
    }
}

/// Reads `secret NAME` or, as in kubectl, `secret/NAME`.
fn name(words: &[String]) -> Result<String, String> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (kind, name) = match words[..] {
        [] => return Err("secret NAME: missing".to_owned()),
        [word] => word.split_once('/').ok_or(match word {
            "secret" | "secrets" => "NAME: missing".to_owned(),
            _ => format!("{word}: only `secret NAME` can be decoded"),
        })?,
        [kind, name] => (kind, name),
        [_, _, more, ..] => return Err(format!("{more}: one name is enough")),
    };
    match kind {
        "secret" | "secrets" => Ok(name.to_owned()),
        _ => Err(format!("{kind}: only secrets can be decoded")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Result<Command, String> {
        parse(text.split_whitespace().map(str::to_owned))
    }

    fn secret(name: &str, namespace: Option<&str>, explain_certificates: bool) -> Command {
        let namespace = namespace.map(str::to_owned);
        Command::Secret(Secret { name: name.to_owned(), namespace, explain_certificates })
    }

    #[test]
    fn flags_may_stand_anywhere_and_in_any_spelling() {
        assert_eq!(line("secret web"), Ok(secret("web", None, true)));
        assert_eq!(line("-n shop secret web"), Ok(secret("web", Some("shop"), true)));
        assert_eq!(line("secret -nshop web --disable-cert-decoding"), Ok(secret("web", Some("shop"), false)));
        assert_eq!(line("secret/web --namespace=shop --context prod"), Ok(secret("web", Some("shop"), true)));
        assert_eq!(line("secret -- -web"), Ok(secret("-web", None, true)));
    }

    #[test]
    fn kubectls_connection_flags_are_no_error() {
        let typed =
            "secret --as alice web --request-timeout=5s -n shop -s https://h --insecure-skip-tls-verify";
        assert_eq!(line(typed), Ok(secret("web", Some("shop"), true)));
        assert_eq!(line("secret web -- --as").unwrap_err(), "--as: one name is enough");
    }

    #[test]
    fn a_usage_error_says_what_and_why() {
        assert_eq!(line("").unwrap_err(), "secret NAME: missing");
        assert_eq!(line("secret").unwrap_err(), "NAME: missing");
        assert_eq!(line("pod web").unwrap_err(), "pod: only secrets can be decoded");
        assert_eq!(line("secret web -n").unwrap_err(), "-n: needs a value");
        assert_eq!(line("secret web --color").unwrap_err(), "--color: no such option");
        assert_eq!(line("secret a b").unwrap_err(), "b: one name is enough");
    }

    #[test]
    fn help_needs_no_name() {
        assert_eq!(line("--help"), Ok(Command::Help));
        assert_eq!(line("secret -h"), Ok(Command::Help));
        assert_eq!(line("--version"), Ok(Command::Version));
        assert!(HELP.lines().all(|line| line.len() <= 80));
    }
}
