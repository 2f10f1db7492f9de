//! The command line.

use kube_guest::{Cluster, Error, Resource};
use plugin_kit::{Arguments, Command, Failure, Flag, NAMESPACE, OUTPUT, Scope};

pub(crate) static DISABLE_CERTIFICATES: Flag =
    Flag::switch("disable-cert-decoding", None, "shows certificates as they are stored");

pub(crate) static RAW: Flag = Flag::switch("raw", None, "explains nothing, shows values as they are stored");

pub(crate) static WATCH: Flag = Flag::switch("watch", Some('w'), "shows the secret again when it changes");

pub(crate) static COMMAND: Command = Command {
    name: "decoder",
    version: env!("CARGO_PKG_VERSION"),
    about: "Shows a secret decoded: its certificates, registry logins and tokens explained.",
    usage: &["secret NAME [-n NAMESPACE] [--watch] [-o json|yaml]"],
    flags: &[&NAMESPACE, &DISABLE_CERTIFICATES, &RAW, &WATCH, &OUTPUT],
    notes: "Private keys, tokens and passwords are shown as they are: that is what decoding
means. No signature is verified. Keystores (PKCS #12, JKS) are named only.
Colours: NO_COLOR and CLICOLOR=0 switch them off, CLICOLOR_FORCE=1 on.",
    complete: Some(complete),
};

/// Reads `secret NAME` or, as in kubectl, `secret/NAME`.
pub(crate) fn name(words: &[String]) -> Result<String, Failure> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (kind, name) = match words[..] {
        [] => return Err(Failure::usage("secret NAME: missing")),
        [word] => word.split_once('/').ok_or_else(|| match word {
            "secret" | "secrets" => Failure::usage("NAME: missing"),
            _ => Failure::usage(format!("{word}: only `secret NAME` can be decoded")),
        })?,
        [kind, name] => (kind, name),
        [_, _, more, ..] => return Err(Failure::usage(format!("{more}: one name is enough"))),
    };
    match kind {
        "secret" | "secrets" => Ok(name.to_owned()),
        _ => Err(Failure::usage(format!("{kind}: only secrets can be decoded"))),
    }
}

/// Returns what may come next: the kind, then the names of secrets.
fn complete(cluster: &Cluster, arguments: &Arguments) -> Result<Vec<String>, Error> {
    match arguments.words().len() {
        0 => Ok(vec!["secret\tshow a secret decoded".to_owned()]),
        1 => {
            let secrets = Resource {
                version: "v1".to_owned(),
                name: "secrets".to_owned(),
                namespaced: true,
                ..Resource::default()
            };
            let scope = Scope::of(arguments, cluster);
            plugin_kit::names(cluster, &secrets, scope.namespace().unwrap_or(cluster.namespace()))
        }
        _ => Ok(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str) -> Result<String, String> {
        let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        name(&words).map_err(|failure| match failure {
            Failure::Usage(why) => why,
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn a_secret_is_named_as_for_kubectl() {
        for line in ["secret web", "secrets web", "secret/web", "secrets/web"] {
            assert_eq!(named(line).unwrap(), "web", "{line}");
        }
    }

    #[test]
    fn a_usage_error_says_what_and_why() {
        assert_eq!(named("").unwrap_err(), "secret NAME: missing");
        assert_eq!(named("secret").unwrap_err(), "NAME: missing");
        assert_eq!(named("web").unwrap_err(), "web: only `secret NAME` can be decoded");
        assert_eq!(named("pod web").unwrap_err(), "pod: only secrets can be decoded");
        assert_eq!(named("secret a b").unwrap_err(), "b: one name is enough");
    }

    #[test]
    fn the_help_fits_a_terminal() {
        assert!(COMMAND.notes.lines().chain([COMMAND.about]).all(|line| line.len() <= 80));
        assert!(COMMAND.usage.iter().all(|form| "Usage: kubectl decoder ".len() + form.len() <= 80));
    }
}
