//! A plugin's help.

use crate::{Command, Flag, Value};
use std::fmt::Write;

/// Returns whether one of these flags was typed before `--`, and not as the value of another flag.
pub(crate) fn is_asked(command: &Command, typed: &[String], wanted: &[&str]) -> bool {
    let mut before: Option<&str> = None;
    for argument in typed.iter().take_while(|argument| *argument != "--") {
        let is_value = before.is_some_and(|before| takes_next(command, before));
        if !is_value && wanted.contains(&argument.as_str()) {
            return true;
        }
        before = if is_value { None } else { Some(argument) };
    }
    false
}

/// Returns whether the argument after this one is its value.
pub(crate) fn takes_next(command: &Command, argument: &str) -> bool {
    let flag = match argument.strip_prefix("--") {
        Some(long) => command.long(long),
        None => argument.strip_prefix('-').and_then(|rest| command.short(rest.chars().last()?)),
    };
    flag.is_some_and(|flag| flag.value != Value::None)
}

/// Returns the lines of the usage, without a newline at the end.
pub(crate) fn usage(command: &Command) -> String {
    let line = |form: &&str| format!("kubectl {} {form}", command.name);
    format!("usage: {}", command.usage.iter().map(line).collect::<Vec<_>>().join("\n       "))
}

/// Returns the whole help.
pub(crate) fn text(command: &Command) -> String {
    let mut text = format!("{}\n\n", command.about);
    for (index, form) in command.usage.iter().enumerate() {
        let before = if index == 0 { "Usage:" } else { "      " };
        let _ = writeln!(text, "{before} kubectl {} {form}", command.name);
    }
    text.push_str("\nFlags:\n");
    let help = Flag::switch("help", Some('h'), "shows this");
    let version = Flag::switch("version", None, "shows the version");
    let flags: Vec<&Flag> = command.flags.iter().copied().chain([&help, &version]).collect();
    let left: Vec<String> = flags.iter().map(|flag| left(flag)).collect();
    let width = left.iter().map(|left| left.chars().count()).max().unwrap_or(0);
    for (flag, left) in flags.iter().zip(left) {
        let _ = writeln!(text, "  {left:<width$}  {}", flag.help);
    }
    text.push_str("\nkubectl's connection flags work too, such as --context and --as.\n");
    if !command.notes.is_empty() {
        let _ = writeln!(text, "{}", command.notes);
    }
    text
}

fn left(flag: &Flag) -> String {
    let short = flag.short.map_or("    ".to_owned(), |short| format!("-{short}, "));
    let value = flag.value_name().map(|name| format!(" {name}")).unwrap_or_default();
    format!("{short}--{}{value}", flag.long)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ALL_NAMESPACES, NAMESPACE};

    static COMMAND: Command = Command {
        name: "count",
        version: "1",
        about: "Counts pods.",
        usage: &["[NAME]", "-A"],
        flags: &[&NAMESPACE, &ALL_NAMESPACES],
        notes: "A note.",
        complete: None,
    };

    #[test]
    fn the_help_shows_all_flags() {
        let expected = "\
Counts pods.

Usage: kubectl count [NAME]
       kubectl count -A

Flags:
  -n, --namespace NAMESPACE  the namespace [default: the context's]
  -A, --all-namespaces       all namespaces
  -h, --help                 shows this
      --version              shows the version

kubectl's connection flags work too, such as --context and --as.
A note.
";
        assert_eq!(text(&COMMAND), expected);
        assert_eq!(usage(&COMMAND), "usage: kubectl count [NAME]\n       kubectl count -A");
    }

    #[test]
    fn help_is_asked_for_anywhere_but_as_a_value() {
        let asked = |line: &str| {
            let typed: Vec<String> = line.split(' ').map(str::to_owned).collect();
            is_asked(&COMMAND, &typed, &["-h", "--help"])
        };
        assert!(asked("-h") && asked("a -A --help") && asked("-n shop -h") && asked("-n=x -h"));
        assert!(!asked("-n -h") && !asked("a -- -h") && !asked("--namespace --help"));
    }
}
