//! The command line of a plugin.

use crate::{Command, Failure, Flag, Value, suggestion};
use kube_guest::{for_terminal_line, without_connection_flags};
use lexopt::Arg;
use std::ffi::OsString;
use std::str::FromStr;

/// What was typed: names and flags, in any order.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Arguments {
    words: Vec<String>,
    flags: Vec<(&'static str, String)>,
}

impl Arguments {
    /// Reads a command line without the plugin's own name. The error is `what: why`.
    /// Reads those of the program, for a plugin that is not started as a command: one that answers requests.
    ///
    /// # Errors
    /// [`Failure::Usage`].
    pub fn of(command: &Command) -> Result<Self, Failure> {
        Self::read(command, std::env::args().skip(1)).map_err(Failure::Usage)
    }

    pub(crate) fn read(command: &Command, typed: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let own = own(command);
        let own: Vec<&str> = own.iter().map(String::as_str).collect();
        let mut parser = lexopt::Parser::from_args(without_connection_flags(typed, &own));
        let mut found = Self::default();
        loop {
            let argument = parser.next().map_err(|error| lexed(&error))?;
            let is_long = matches!(argument, Some(Arg::Long(_)));
            let (flag, shown) = match argument {
                None => return Ok(found),
                Some(Arg::Value(word)) => {
                    found.words.push(text(word)?);
                    continue;
                }
                Some(Arg::Short(short)) => (command.short(short), format!("-{short}")),
                Some(Arg::Long(long)) => (command.long(long), format!("--{long}")),
            };
            let Some(flag) = flag else { return Err(unknown(command, &shown)) };
            let value = match flag.value {
                // After a short flag other short ones may follow, as in `-An shop`.
                Value::None if is_long => truth(&shown, parser.optional_value())?,
                Value::None => "true".to_owned(),
                _ => match parser.value() {
                    Ok(value) => one_of(flag, &shown, text(value)?)?,
                    Err(_) => return Err(format!("{shown}: needs a value")),
                },
            };
            found.flags.push((flag.long, value));
        }
    }

    /// Returns the names: what is neither a flag nor a flag's value.
    #[must_use]
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// Returns exactly this number of names.
    ///
    /// # Errors
    ///
    /// [`Failure::Usage`] if there are fewer or more. `names` are what the help calls them.
    pub fn exactly<const N: usize>(&self, names: [&str; N]) -> Result<[&str; N], Failure> {
        if let Some(more) = self.words.get(N) {
            return Err(Failure::usage(format!("{more}: unexpected")));
        }
        let mut found = [""; N];
        for (index, name) in names.iter().enumerate() {
            found[index] = self.words.get(index).ok_or_else(|| Failure::usage(format!("{name}: missing")))?;
        }
        Ok(found)
    }

    /// Returns whether a flag without a value was given.
    #[must_use]
    pub fn has(&self, flag: &Flag) -> bool {
        self.value(flag).is_some_and(|value| value != "false")
    }

    /// Returns the value of a flag; of several, the last one.
    #[must_use]
    pub fn value(&self, flag: &Flag) -> Option<&str> {
        self.flags.iter().rev().find(|(long, _)| *long == flag.long).map(|(_, value)| value.as_str())
    }

    /// Returns all values of a flag that may be given more than once.
    pub fn values(&self, flag: &Flag) -> impl Iterator<Item = &str> {
        self.flags.iter().filter(move |(long, _)| *long == flag.long).map(|(_, value)| value.as_str())
    }

    /// Returns the value of a flag, read as `T`.
    ///
    /// # Errors
    ///
    /// [`Failure::Usage`] if it cannot be read; `expected` says what can, such as "a number".
    pub fn parsed<T: FromStr>(&self, flag: &Flag, expected: &str) -> Result<Option<T>, Failure> {
        let read = |value: &str| {
            let message = || format!("--{} {}: not {expected}", flag.long, for_terminal_line(value));
            value.parse().map_err(|_| Failure::usage(message()))
        };
        self.value(flag).map(read).transpose()
    }

    /// Returns the seconds of a duration, such as `1h30m`.
    ///
    /// # Errors
    ///
    /// [`Failure::Usage`] if it is none.
    pub fn duration(&self, flag: &Flag) -> Result<Option<i64>, Failure> {
        let read = |value: &str| {
            let message =
                || format!("--{} {}: no duration such as 10m or 1h30m", flag.long, for_terminal_line(value));
            seconds(value).ok_or_else(|| Failure::usage(message()))
        };
        self.value(flag).map(read).transpose()
    }
}

/// Returns the flags with which the plugin takes a connection flag of kubectl for itself, or reads it too.
pub(crate) fn own(command: &Command) -> Vec<String> {
    let names = |flag: &&Flag| {
        let short = flag.short.map(|short| format!("-{short}"));
        [Some(format!("--{}", flag.long)), short].into_iter().flatten()
    };
    command.flags.iter().flat_map(names).collect()
}

fn text(value: OsString) -> Result<String, String> {
    value.into_string().map_err(|value| format!("{}: not UTF-8", for_terminal_line(&value.to_string_lossy())))
}

fn truth(shown: &str, value: Option<OsString>) -> Result<String, String> {
    let Some(value) = value else { return Ok("true".to_owned()) };
    match text(value)?.as_str() {
        "true" => Ok("true".to_owned()),
        "false" => Ok("false".to_owned()),
        other => Err(format!("{shown}={}: neither true nor false", for_terminal_line(other))),
    }
}

fn one_of(flag: &Flag, shown: &str, value: String) -> Result<String, String> {
    match flag.value {
        Value::OneOf(_, known) if !known.contains(&value.as_str()) => {
            Err(format!("{shown} {}: none of {}", for_terminal_line(&value), known.join(", ")))
        }
        _ => Ok(value),
    }
}

fn unknown(command: &Command, shown: &str) -> String {
    let known = own(command);
    let nearest = suggestion::nearest(shown, known.iter().map(String::as_str));
    let question = nearest.map(|nearest| format!("; did you mean {nearest}?")).unwrap_or_default();
    format!("{}: no such flag{question}", for_terminal_line(shown))
}

fn lexed(error: &lexopt::Error) -> String {
    match error {
        lexopt::Error::UnexpectedValue { option, value } => {
            let value = value.to_string_lossy();
            format!("{}={}: takes no value", for_terminal_line(option), for_terminal_line(&value))
        }
        other => for_terminal_line(&other.to_string()).into_owned(),
    }
}

/// Returns the seconds of a duration, such as `1h30m`.
fn seconds(text: &str) -> Option<i64> {
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
    use crate::{ALL_NAMESPACES, NAMESPACE, OUTPUT};

    static SINCE: Flag = Flag::text("since", Some('s'), "DURATION", "nothing older");
    static COMMAND: Command = Command {
        name: "test",
        version: "1",
        about: "",
        usage: &[],
        flags: &[&NAMESPACE, &ALL_NAMESPACES, &OUTPUT, &SINCE],
        notes: "",
        complete: None,
    };

    fn read(line: &str) -> Result<Arguments, String> {
        Arguments::read(&COMMAND, line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn names_and_flags_come_in_any_order_and_spelling() {
        for line in
            ["a -n shop b -A", "-nshop a -A b", "--namespace=shop a b --all-namespaces=true", "-An shop a b"]
        {
            let found = read(line).unwrap();
            assert_eq!(found.words(), ["a", "b"], "{line}");
            assert_eq!(found.value(&NAMESPACE), Some("shop"), "{line}");
            assert!(found.has(&ALL_NAMESPACES), "{line}");
        }
        assert!(!read("-A --all-namespaces=false").unwrap().has(&ALL_NAMESPACES));
        assert_eq!(read("-- -n x").unwrap().words(), ["-n", "x"]);
    }

    #[test]
    fn connection_flags_are_no_error_unless_the_plugin_has_them_for_itself() {
        let found = read("a --as alice --context=c -s 5m --server h --insecure-skip-tls-verify").unwrap();
        assert_eq!(found.words(), ["a"]);
        assert_eq!(found.duration(&SINCE).unwrap(), Some(300));
    }

    #[test]
    fn a_mistake_says_what_and_why() {
        let said = |line: &str| read(line).unwrap_err();
        assert_eq!(said("-n"), "-n: needs a value");
        assert_eq!(said("--namspace x"), "--namspace: no such flag; did you mean --namespace?");
        assert_eq!(said("--zzz"), "--zzz: no such flag");
        assert_eq!(said("-A=true"), "-A=true: takes no value");
        assert_eq!(said("-o xml"), "-o xml: none of json, yaml");
        assert_eq!(said("--all-namespaces=maybe"), "--all-namespaces=maybe: neither true nor false");
    }

    #[test]
    fn the_number_of_names_is_checked() {
        let words = read("pod web").unwrap();
        assert_eq!(words.exactly(["KIND", "NAME"]).unwrap(), ["pod", "web"]);
        assert!(matches!(words.exactly(["KIND"]), Err(Failure::Usage(why)) if why == "web: unexpected"));
        let missing = words.exactly(["KIND", "NAME", "MORE"]);
        assert!(matches!(missing, Err(Failure::Usage(why)) if why == "MORE: missing"));
    }

    #[test]
    fn a_duration_has_units() {
        assert_eq!(seconds("1h30m"), Some(5400));
        assert_eq!(seconds("2d"), Some(172_800));
        for bad in ["", "5", "m", "5x", "5m5", "99999999999999999999s", "9223372036854775807d", "5ü"] {
            assert!(seconds(bad).is_none(), "{bad}");
        }
    }
}
