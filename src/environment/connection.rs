//! kubectl's connection flags, and how to find them among a plugin's own arguments.
//!
//! kubectl reads none of them for a plugin, but passes all of argv on. They have to be read by the owner of
//! the connection, which is kwasm. The flags are those of cli-runtime
//! (`pkg/genericclioptions/config_flags.go`), their forms pflag's: `--a=b`, `--a b`, `-nb`, `-n b`, `-n=b`.

use std::fmt;

use zeroize::Zeroizing;

/// A connection flag.
#[derive(Debug, Eq, PartialEq)]
pub struct Flag {
    /// The long name with its dashes, e.g. `--context`.
    pub long: &'static str,
    /// The short name with its dash, e.g. `-n`.
    pub short: Option<&'static str>,
    /// The name of its value; `None` for a flag without one.
    pub value: Option<&'static str>,
    /// Whether a guest sees the flag. Not if its value is a secret or a path of the host.
    shown: bool,
    /// The description, for the help of kwasm's own commands.
    pub help: &'static str,
}

impl Flag {
    const fn text(long: &'static str, value: &'static str, help: &'static str) -> Self {
        Self { long, short: None, value: Some(value), shown: true, help }
    }

    const fn hidden(long: &'static str, value: &'static str, help: &'static str) -> Self {
        Self { shown: false, ..Self::text(long, value, help) }
    }

    const fn truth(long: &'static str, help: &'static str) -> Self {
        Self { value: None, ..Self::text(long, "", help) }
    }

    const fn or(self, short: &'static str) -> Self {
        Self { short: Some(short), ..self }
    }
}

/// The error for a connection flag without its value, at the end.
#[derive(Debug, thiserror::Error)]
#[error("the flag {0} requires a value")]
pub struct MissingValue(String);

/// All flags, in the order in which help shows them.
pub const FLAGS: &[Flag] = &[
    Flag::hidden("--kubeconfig", "FILE", "The kubeconfig to read, instead of $KUBECONFIG or ~/.kube/config"),
    Flag::text("--context", "NAME", "The context to use, instead of the current one"),
    Flag::text("--cluster", "NAME", "The cluster to use, instead of the context's"),
    Flag::text("--user", "NAME", "The user to authenticate as, instead of the context's"),
    Flag::text("--namespace", "NAME", "The namespace, instead of the context's").or("-n"),
    Flag::text("--server", "URL", "The address of the API server").or("-s"),
    Flag::text("--tls-server-name", "NAME", "The name that the server's certificate must have"),
    Flag::truth("--insecure-skip-tls-verify", "Skip verification of the server's certificate"),
    Flag::hidden(
        "--certificate-authority",
        "FILE",
        "The certificate of the authority that signed the server's certificate",
    ),
    Flag::hidden("--client-certificate", "FILE", "The client certificate"),
    Flag::hidden("--client-key", "FILE", "The private key of the client certificate"),
    Flag::hidden("--token", "TOKEN", "The bearer token"),
    Flag::hidden("--username", "NAME", "The name for basic authentication"),
    Flag::hidden("--password", "PASSWORD", "The password for basic authentication"),
    Flag::text("--as", "USER", "The user to impersonate"),
    Flag::text("--as-uid", "UID", "The UID to impersonate"),
    Flag::text("--as-group", "GROUP", "A group to impersonate; may be repeated"),
    Flag::text("--as-user-extra", "KEY=VALUE", "An extra value to impersonate; may be repeated"),
    Flag::text("--request-timeout", "TIME", "How long a request may take, e.g. 30s [default: 0, no limit]"),
    Flag::truth("--disable-compression", "Do not request compressed responses"),
];

/// The flags that the user gave, in their order. Some values are secrets, hence no derived `Debug`.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Connection(Vec<(&'static Flag, Zeroizing<String>)>);

impl Connection {
    /// Reads the flags before the first `--`, except those that the plugin defines itself (`own`, with their
    /// dashes), and removes from `arguments` those that the guest must not see.
    ///
    /// # Errors
    /// If a flag lacks its value.
    pub fn take(arguments: &mut Vec<String>, own: &[String]) -> Result<Self, MissingValue> {
        let mut given = Self::default();
        let mut kept = Vec::with_capacity(arguments.len());
        let mut rest = std::mem::take(arguments).into_iter();
        while let Some(argument) = rest.next() {
            if argument == "--" {
                kept.push(argument);
                break;
            }
            let Some((flag, value)) = find(&argument, own) else {
                kept.push(argument);
                continue;
            };
            let next = if value.is_none() && flag.value.is_some() { rest.next() } else { None };
            let value = match (value, &next, flag.value) {
                (Some(value), ..) => value,
                (None, Some(next), _) => next,
                (None, None, None) => "true",
                (None, None, Some(_)) => return Err(MissingValue(argument)),
            };
            given.0.push((flag, Zeroizing::new(value.to_owned())));
            if flag.shown {
                kept.push(argument);
                kept.extend(next);
            }
        }
        kept.extend(rest);
        *arguments = kept;
        Ok(given)
    }

    /// Adds a flag that was given as an argument of kwasm's own.
    pub(crate) fn add(&mut self, flag: &'static Flag, value: String) {
        self.0.push((flag, Zeroizing::new(value)));
    }

    /// Returns the value of a flag, by its long name: the last one. As in kubectl, an empty one does not
    /// count.
    #[must_use]
    pub fn value(&self, long: &str) -> Option<&str> {
        self.values(long).last().filter(|value| !value.is_empty())
    }

    /// Returns all values of a flag, in their order.
    pub fn values(&self, long: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(flag, _)| flag.long == long).map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(flag, _)| flag.long)).finish()
    }
}

/// Returns the flag in an argument, and the value if it is part of the argument.
fn find<'a>(argument: &'a str, own: &[String]) -> Option<(&'static Flag, Option<&'a str>)> {
    let is_own = |name: &str| own.iter().any(|own| own == name);
    if argument.starts_with("--") {
        let (name, value) = match argument.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (argument, None),
        };
        let flag = FLAGS.iter().find(|flag| flag.long == name && !is_own(flag.long))?;
        return Some((flag, value));
    }
    FLAGS.iter().find_map(|flag| {
        let short = flag.short.filter(|short| !is_own(short))?;
        let rest = argument.strip_prefix(short)?;
        // pflag's `parseSingleShortArg`: of `-n=` the value is `=`.
        let value = rest.strip_prefix('=').filter(|value| !value.is_empty()).unwrap_or(rest);
        Some((flag, (!rest.is_empty()).then_some(value)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take_own(text: &str, own: &[&str]) -> (Connection, String) {
        let mut arguments: Vec<String> = text.split(' ').map(str::to_owned).collect();
        let own: Vec<String> = own.iter().map(|name| (*name).to_owned()).collect();
        let given = Connection::take(&mut arguments, &own).unwrap();
        (given, arguments.join(" "))
    }

    fn take(text: &str) -> (Connection, String) {
        take_own(text, &[])
    }

    #[test]
    fn a_namespace_is_read_in_every_form_and_stays_in_argv() {
        for text in [
            "get -n shop x",
            "get -nshop x",
            "get -n=shop x",
            "get --namespace shop x",
            "get --namespace=shop x",
        ] {
            let (given, left) = take(text);
            assert_eq!(given.value("--namespace"), Some("shop"), "{text}");
            assert_eq!(left, text);
        }
        assert_eq!(take("-n=").0.value("--namespace"), Some("="));
    }

    #[test]
    fn secrets_and_paths_of_the_host_are_taken_out_of_argv() {
        for long in FLAGS.iter().filter(|flag| !flag.shown).map(|flag| flag.long) {
            for text in [format!("a {long} /k b"), format!("a {long}=/k b")] {
                let (given, left) = take(&text);
                assert_eq!(given.value(long), Some("/k"));
                assert_eq!(left, "a b");
            }
        }
    }

    #[test]
    fn the_last_wins_an_empty_one_is_none_and_some_are_many() {
        assert_eq!(take("-n a -n b").0.value("--namespace"), Some("b"));
        assert_eq!(take("--context a --context=").0.value("--context"), None);
        assert_eq!(take("--as-group a --as-group=b").0.values("--as-group").collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn a_truth_takes_no_argument_that_follows() {
        let (given, left) = take("--insecure-skip-tls-verify x --disable-compression=false");
        assert_eq!(given.value("--insecure-skip-tls-verify"), Some("true"));
        assert_eq!(given.value("--disable-compression"), Some("false"));
        assert_eq!(left, "--insecure-skip-tls-verify x --disable-compression=false");
    }

    #[test]
    fn what_follows_two_dashes_is_left_alone() {
        let (given, left) = take("a -- -n x --kubeconfig y --as z");
        assert_eq!((given, left.as_str()), (Connection::default(), "a -- -n x --kubeconfig y --as z"));
    }

    #[test]
    fn a_flag_without_its_value_is_an_error_and_a_longer_name_is_no_flag() {
        for text in ["-n", "--as", "--token", "-s"] {
            assert!(Connection::take(&mut vec![text.to_owned()], &[]).is_err(), "{text}");
        }
        assert_eq!(take("--assume x --user-agent y").1, "--assume x --user-agent y");
    }

    #[test]
    fn what_a_plugin_has_for_itself_is_not_kwasms() {
        let (given, left) = take_own("-s 5m --token x -n y", &["-s", "--token"]);
        assert_eq!(given.value("--namespace"), Some("y"));
        assert_eq!((given.value("--server"), left.as_str()), (None, "-s 5m --token x -n y"));
        // The other name of the same flag is kubectl's still.
        assert_eq!(take_own("--server x", &["-s"]).0.value("--server"), Some("x"));
    }

    #[test]
    fn no_value_is_shown_where_flags_are() {
        assert_eq!(format!("{:?}", take("--token hunter2").0), r#"["--token"]"#);
    }
}
