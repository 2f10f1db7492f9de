//! The command line.

use kube_guest::without_connection_flags;

/// The command that the user requests.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Command {
    Help,
    Version,
    Show(Wanted),
}

/// The events to show, and the options.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Wanted {
    pub(crate) scope: Scope,
    pub(crate) watch: bool,
    /// Whether to show ages instead of times.
    pub(crate) age: bool,
    /// The greatest age in seconds.
    pub(crate) since: Option<i64>,
}

/// The objects whose events are shown.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) enum Scope {
    #[default]
    ContextsNamespace,
    Namespace(String),
    AllNamespaces,
}

pub(crate) const USAGE: &str =
    "usage: kubectl timeline [-n NAMESPACE | -A] [--watch] [--age] [--since DURATION]";

pub(crate) const HELP: &str = "\
Shows the events of a namespace in the order of time.

Usage: kubectl timeline [-n NAMESPACE | -A] [--watch]

Options:
  -n, --namespace NAMESPACE  whose events [default: the context's namespace]
  -A, --all-namespaces       the events of all namespaces
  -w, --watch                goes on with each event as it happens
      --since DURATION       nothing older, such as 30s, 10m, 1h30m, 2d
      --age                  shows ages instead of times; not with --watch
  -h, --help                 shows this
      --version              shows the version

kubectl's connection flags work too, such as --context and --as.";

/// Reads the command line, without the plugin's own name. The error is one line, `what: why`.
pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Command, String> {
    let mut arguments = without_connection_flags(arguments, &["-n", "--namespace"]).into_iter();
    let mut wanted = Wanted::default();
    let (mut namespace, mut all) = (None, false);
    while let Some(argument) = arguments.next() {
        let (flag, value) = split(&argument);
        let mut take =
            || value.map(str::to_owned).or_else(|| arguments.next()).ok_or(format!("{flag}: needs a value"));
        match (flag, value) {
            ("-n" | "--namespace", _) => namespace = Some(take()?),
            ("--since", _) => {
                let text = take()?;
                wanted.since =
                    Some(duration(&text).ok_or(format!("--since {text}: no duration such as 10m or 1h"))?);
            }
            ("-A" | "--all-namespaces", None) => all = true,
            ("-w" | "--watch", None) => wanted.watch = true,
            ("--age", None) => wanted.age = true,
            ("-h" | "--help", None) => return Ok(Command::Help),
            ("--version", None) => return Ok(Command::Version),
            _ if flag.starts_with('-') => return Err(format!("{argument}: no such option")),
            _ => return Err(format!("{argument}: this plugin takes no names")),
        }
    }
    wanted.scope = match namespace.filter(|namespace| !namespace.is_empty()) {
        // As in kubectl: all means all.
        _ if all => Scope::AllNamespaces,
        Some(namespace) => Scope::Namespace(namespace),
        None => Scope::ContextsNamespace,
    };
    if wanted.watch && wanted.age {
        return Err("--age: an age would be wrong as soon as it is printed; leave out --watch".to_owned());
    }
    Ok(Command::Show(wanted))
}

/// Splits a flag from its value, in `--namespace=x` and `-nx`.
fn split(argument: &str) -> (&str, Option<&str>) {
    match argument.strip_prefix("-n") {
        Some("") => (argument, None),
        Some(value) => ("-n", Some(value.strip_prefix('=').unwrap_or(value))),
        None => argument.split_once('=').map_or((argument, None), |(flag, value)| (flag, Some(value))),
    }
}

/// Returns the seconds of a duration such as `1h30m`.
fn duration(text: &str) -> Option<i64> {
    let (mut total, mut rest) = (0_i64, text);
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit())?;
        let number: i64 = rest[..digits].parse().ok()?;
        let unit = match rest.as_bytes()[digits] {
            b's' => 1,
            b'm' => 60,
            b'h' => 3600,
            b'd' => 86_400,
            _ => return None,
        };
        total = total.checked_add(number.checked_mul(unit)?)?;
        rest = &rest[digits + 1..];
    }
    (!text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Result<Command, String> {
        parse(text.split_whitespace().map(str::to_owned))
    }

    fn shown(text: &str) -> Wanted {
        match line(text) {
            Ok(Command::Show(wanted)) => wanted,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn flags_come_in_any_spelling() {
        assert_eq!(shown(""), Wanted::default());
        let shop = || Scope::Namespace("shop".to_owned());
        assert_eq!(shown("-n shop -w"), Wanted { scope: shop(), watch: true, ..Wanted::default() });
        assert_eq!(shown("--namespace=shop --context=c"), Wanted { scope: shop(), ..Wanted::default() });
        assert_eq!(shown("-nshop -A"), Wanted { scope: Scope::AllNamespaces, ..Wanted::default() });
        assert_eq!(
            shown("--since 1h30m --age"),
            Wanted { since: Some(5400), age: true, ..Wanted::default() }
        );
    }

    #[test]
    fn kubectls_connection_flags_are_no_error() {
        let shop = Scope::Namespace("shop".to_owned());
        assert_eq!(
            shown("--as alice -n shop --request-timeout=5s -s https://h --disable-compression -w"),
            Wanted { scope: shop, watch: true, ..Wanted::default() }
        );
    }

    #[test]
    fn a_usage_error_says_what_and_why() {
        assert_eq!(line("pods").unwrap_err(), "pods: this plugin takes no names");
        assert_eq!(line("--follow").unwrap_err(), "--follow: no such option");
        assert_eq!(line("--watch=x").unwrap_err(), "--watch=x: no such option");
        assert_eq!(line("-n").unwrap_err(), "-n: needs a value");
        assert!(line("-w --age").unwrap_err().starts_with("--age: "));
        for bad in ["", "5", "m", "5x", "5m5", "99999999999999999999s", "9223372036854775807d", "5ü"] {
            assert!(duration(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn help_fits_a_terminal() {
        assert_eq!(line("-h"), Ok(Command::Help));
        assert_eq!(line("--version"), Ok(Command::Version));
        assert!(HELP.lines().chain([USAGE]).all(|line| line.len() <= 80));
    }
}
