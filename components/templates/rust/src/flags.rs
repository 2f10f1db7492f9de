//! Finds kubectl's connection flags among a plugin's arguments.

/// The flags that take a value, either after `=` or as the next argument.
const VALUED: [&str; 11] = [
    "--as",
    "--as-group",
    "--as-uid",
    "--as-user-extra",
    "--cluster",
    "--context",
    "--namespace",
    "--request-timeout",
    "--server",
    "--tls-server-name",
    "--user",
];

/// The short names of two of them, whose value may be joined with or without `=`.
const SHORT: [&str; 2] = ["-n", "-s"];

/// The flags without a value: the next argument does not belong to them.
const TRUTHS: [&str; 2] = ["--disable-compression", "--insecure-skip-tls-verify"];

/// Returns the plugin's own arguments: all but kubectl's connection flags before the first `--`.
///
/// kwasm has already applied these flags, so a plugin need not: the kubeconfig and `KWASM_NAMESPACE` say what they select.
/// kwasm removes the ones that contain a secret or a path of the user's machine; the others remain, and users may write them
/// for any plugin. A flag in `own`, with its dashes, belongs to the plugin and is kept.
///
/// A flag without its value is kept too: kwasm does not run a plugin with one, but in completion the value
/// may still be typed.
#[must_use]
pub fn without_connection_flags(arguments: impl IntoIterator<Item = String>, own: &[&str]) -> Vec<String> {
    let mut kept = Vec::new();
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        if argument == "--" {
            kept.push(argument);
            break;
        }
        match find(&argument, own) {
            Some(Value::Here) => {}
            Some(Value::Next) if arguments.next().is_some() => {}
            Some(Value::Next) | None => kept.push(argument),
        }
    }
    kept.extend(arguments);
    kept
}

/// The position of a flag's value.
enum Value {
    /// In the flag's own argument, or nowhere.
    Here,
    /// In the argument that follows.
    Next,
}

/// Returns the position of the value of the flag in an argument, if it is one.
fn find(argument: &str, own: &[&str]) -> Option<Value> {
    let value = |joined| if joined { Value::Here } else { Value::Next };
    if !argument.starts_with("--") {
        let short = SHORT.into_iter().find(|short| argument.starts_with(short) && !own.contains(short))?;
        return Some(value(argument != short));
    }
    let (name, joined) = argument.split_once('=').map_or((argument, false), |(name, _)| (name, true));
    if own.contains(&name) {
        None
    } else if TRUTHS.contains(&name) {
        Some(Value::Here)
    } else {
        VALUED.contains(&name).then(|| value(joined))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(line: &str, own: &[&str]) -> String {
        without_connection_flags(line.split(' ').map(str::to_owned), own).join(" ")
    }

    #[test]
    fn a_value_is_taken_in_every_form() {
        for flag in VALUED {
            for line in [format!("a {flag} v b"), format!("a {flag}=v b"), format!("a {flag}= b")] {
                assert_eq!(left(&line, &[]), "a b", "{line}");
            }
        }
        for flag in SHORT {
            for line in [format!("a {flag} v b"), format!("a {flag}v b"), format!("a {flag}=v b")] {
                assert_eq!(left(&line, &[]), "a b", "{line}");
            }
        }
        assert_eq!(left("a --as -n -n --as b", &[]), "a b", "a value may look like a flag");
    }

    #[test]
    fn a_truth_takes_no_argument_that_follows() {
        for flag in TRUTHS {
            assert_eq!(left(&format!("a {flag} b"), &[]), "a b");
            assert_eq!(left(&format!("a {flag}=false b"), &[]), "a b");
        }
    }

    #[test]
    fn what_follows_two_dashes_is_left_alone() {
        assert_eq!(left("-n x a -- -n x --as y -- -s z", &[]), "a -- -n x --as y -- -s z");
        assert_eq!(left("--as -- a", &[]), "a", "as a value they are none");
    }

    #[test]
    fn other_options_stay_and_so_do_longer_names() {
        for line in ["-A -w --watch x", "--assume x --user-agent=y --names z", "- -x -n", "--as"] {
            assert_eq!(left(line, &[]), line);
        }
    }

    #[test]
    fn what_a_plugin_has_for_itself_stays() {
        let line = "-s 5m -nx -n=x --namespace x --namespace=x --context=c --server y";
        let own = ["-s", "-n", "--namespace"];
        assert_eq!(left(line, &own), "-s 5m -nx -n=x --namespace x --namespace=x");
        assert_eq!(
            left("--insecure-skip-tls-verify", &["--insecure-skip-tls-verify"]),
            "--insecure-skip-tls-verify"
        );
    }
}
