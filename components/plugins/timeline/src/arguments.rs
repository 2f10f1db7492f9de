//! The command line.

use plugin_kit::{ALL_NAMESPACES, Arguments, Command, Failure, Flag, NAMESPACE, OUTPUT, Output};

static WATCH: Flag = Flag::switch("watch", Some('w'), "goes on with each event as it happens");

static SINCE: Flag = Flag::text("since", None, "DURATION", "nothing older, such as 30s, 10m, 1h30m, 2d");

static AGE: Flag = Flag::switch("age", None, "shows ages instead of times; not with --watch");

pub(crate) static COMMAND: Command = Command {
    name: "timeline",
    version: env!("CARGO_PKG_VERSION"),
    about: "Shows the events of a namespace in the order of time.",
    usage: &["[-n NAMESPACE | -A] [--watch] [--age] [--since DURATION]"],
    flags: &[&NAMESPACE, &ALL_NAMESPACES, &WATCH, &SINCE, &AGE, &OUTPUT],
    notes: "With --watch, -o json prints a line for each event, -o yaml a document.",
    complete: None,
};

/// How events are shown, and which.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Wanted {
    pub(crate) output: Output,
    pub(crate) watch: bool,
    /// Whether to show ages instead of times.
    pub(crate) age: bool,
    /// The greatest age in seconds.
    pub(crate) since: Option<i64>,
}

impl Wanted {
    /// Returns what the command line says.
    pub(crate) fn of(arguments: &Arguments) -> Result<Self, Failure> {
        if let Some(name) = arguments.words().first() {
            return Err(Failure::usage(format!("{name}: this plugin takes no names")));
        }
        let (watch, age) = (arguments.has(&WATCH), arguments.has(&AGE));
        if watch && age {
            let why = "--age: an age would be wrong as soon as it is printed; leave out --watch";
            return Err(Failure::usage(why));
        }
        Ok(Self { output: Output::of(arguments), watch, age, since: arguments.duration(&SINCE)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_flags_it_lists_the_times_of_all_events() {
        let wanted = Wanted::of(&Arguments::default()).unwrap();
        assert_eq!(wanted, Wanted { output: Output::Table, watch: false, age: false, since: None });
    }

    #[test]
    fn help_fits_a_terminal() {
        assert!(COMMAND.notes.lines().chain([COMMAND.about]).all(|line| line.len() <= 80));
        assert!(COMMAND.usage.iter().all(|form| "Usage: kubectl timeline ".len() + form.len() <= 80));
    }
}
