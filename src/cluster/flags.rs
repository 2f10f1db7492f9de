//! The connection flags in a plugin's argv, in the forms that kubectl takes: `--a=b`, `--a b`, `-nb`, `-n b`, `-n=b`.

use std::path::PathBuf;

use super::Error;

/// What the user chose on the plugin's command line.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Flags {
    /// `--context`
    pub context: Option<String>,
    /// `--kubeconfig`
    pub kubeconfig: Option<PathBuf>,
    /// `-n`, `--namespace`
    pub namespace: Option<String>,
}

/// Flags of kubectl that say who asks, or whom. They are not served yet; to pass over one would be to act with other
/// power than the user asked for.
const UNSERVED: &[&str] = &[
    "--as",
    "--as-group",
    "--as-uid",
    "--as-user-extra",
    "--certificate-authority",
    "--client-certificate",
    "--client-key",
    "--cluster",
    "--insecure-skip-tls-verify",
    "--password",
    "--server",
    "--tls-server-name",
    "--token",
    "--user",
    "--username",
];

impl Flags {
    /// Reads the flags before the first `--`, and takes out of `arguments` those that name a path of the host.
    ///
    /// As in kubectl the last of several wins, and an empty value is none.
    ///
    /// # Errors
    /// When a flag lacks its value, or is one that is not served yet.
    pub fn take(arguments: &mut Vec<String>) -> Result<Self, Error> {
        let mut flags = Self::default();
        let mut kept = Vec::with_capacity(arguments.len());
        let mut rest = std::mem::take(arguments).into_iter();
        while let Some(argument) = rest.next() {
            if argument == "--" {
                kept.push(argument);
                break;
            }
            let Some(flag) = Flag::read(&argument)? else {
                kept.push(argument);
                continue;
            };
            let next = if flag.value.is_none() { rest.next() } else { None };
            let value =
                flag.value.or(next.as_deref()).ok_or_else(|| Error::FlagValue(flag.name.to_owned()))?;
            let chosen = (!value.is_empty()).then(|| value.to_owned());
            match flag.name {
                "--context" => flags.context = chosen,
                "--kubeconfig" => {
                    flags.kubeconfig = chosen.map(PathBuf::from);
                    continue;
                }
                _ => flags.namespace = chosen,
            }
            kept.push(argument);
            kept.extend(next);
        }
        kept.extend(rest);
        *arguments = kept;
        Ok(flags)
    }
}

/// One argument that is a connection flag, with the value that is part of the same argument, if one is.
struct Flag<'a> {
    name: &'static str,
    value: Option<&'a str>,
}

impl<'a> Flag<'a> {
    fn read(argument: &'a str) -> Result<Option<Self>, Error> {
        if let Some(short) = argument.strip_prefix("-n") {
            let value = short.strip_prefix('=').unwrap_or(short);
            return Ok(Some(Self { name: "-n", value: (!short.is_empty()).then_some(value) }));
        }
        if argument.starts_with("-s") {
            return Err(Error::UnservedFlag("-s"));
        }
        let (name, value) = match argument.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (argument, None),
        };
        if let Some(flag) = UNSERVED.iter().find(|flag| **flag == name) {
            return Err(Error::UnservedFlag(flag));
        }
        let served = ["--context", "--kubeconfig", "--namespace"].into_iter().find(|flag| *flag == name);
        Ok(served.map(|name| Self { name, value }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(text: &str) -> (Flags, String) {
        let mut arguments: Vec<String> = text.split(' ').map(str::to_owned).collect();
        let flags = Flags::take(&mut arguments).unwrap();
        (flags, arguments.join(" "))
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
            let (flags, left) = take(text);
            assert_eq!(flags.namespace.as_deref(), Some("shop"), "{text}");
            assert_eq!(left, text);
        }
    }

    #[test]
    fn the_path_of_a_kubeconfig_is_taken_out_of_argv() {
        for text in ["a --kubeconfig /k b", "a --kubeconfig=/k b"] {
            let (flags, left) = take(text);
            assert_eq!(flags.kubeconfig, Some("/k".into()));
            assert_eq!(left, "a b");
        }
    }

    #[test]
    fn the_last_wins_and_an_empty_one_is_none() {
        assert_eq!(take("-n a -n b").0.namespace.as_deref(), Some("b"));
        assert_eq!(take("--context a --context=").0.context, None);
    }

    #[test]
    fn what_follows_two_dashes_is_left_alone() {
        let (flags, left) = take("a -- -n x --kubeconfig y --as z");
        assert_eq!((flags, left.as_str()), (Flags::default(), "a -- -n x --kubeconfig y --as z"));
    }

    #[test]
    fn a_flag_without_its_value_and_one_that_is_not_served_are_errors() {
        for text in
            ["-n", "--as=x", "--token", "--server https://x", "-s https://x", "-shttps://x", "-s=https://x"]
        {
            assert!(Flags::take(&mut text.split(' ').map(str::to_owned).collect()).is_err(), "{text}");
        }
        assert_eq!(take("--assume x --user-agent y").1, "--assume x --user-agent y");
    }
}
