//! kubectl's connection flags as arguments of kwasm's own commands.

use clap::{Arg, ArgAction, ArgMatches};

use crate::environment::{CONNECTION_FLAGS, Connection};

/// Defines the same flags for kwasm's own commands.
impl clap::Args for Connection {
    fn augment_args(command: clap::Command) -> clap::Command {
        CONNECTION_FLAGS.iter().fold(command, |command, flag| {
            let name = flag.long.trim_start_matches('-');
            let arg = Arg::new(name).long(name).action(ArgAction::Append).help(flag.help);
            let arg = match flag.short.and_then(|short| short.chars().nth(1)) {
                Some(short) => arg.short(short),
                None => arg,
            };
            command.arg(match flag.value {
                Some(value) => arg.value_name(value).allow_hyphen_values(true),
                None => {
                    arg.value_name("BOOL").num_args(0..=1).require_equals(true).default_missing_value("true")
                }
            })
        })
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl clap::FromArgMatches for Connection {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut given = Self::default();
        given.update_from_arg_matches(matches)?;
        Ok(given)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for flag in CONNECTION_FLAGS {
            let values = matches.get_many::<String>(flag.long.trim_start_matches('-'));
            values.into_iter().flatten().for_each(|value| self.add(flag, value.clone()));
        }
        Ok(())
    }
}
