//! The flag by which a command is told how to print data.

use super::command::Output;
use crate::environment::Environment;

// How data is printed.
#[derive(clap::Args)]
pub(super) struct Form {
    /// The output format [default: a table on a terminal; elsewhere bare names, for lists]
    #[arg(short, long, value_enum)]
    output: Option<Output>,
}

impl Form {
    /// Returns the format for a list: bare names unless stdout is a terminal.
    pub(super) fn of_list(&self, environment: &Environment) -> Output {
        self.output.unwrap_or(if environment.terminal { Output::Table } else { Output::Name })
    }

    /// Returns the format for a single item.
    pub(super) fn of_one(&self) -> Output {
        self.output.unwrap_or(Output::Table)
    }
}
