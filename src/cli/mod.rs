//! Turns argv into one command.
//!
//! Started as `kubectl-NAME`, which is how kubectl starts a plugin, argv is the plugin's own.

mod command;
mod connection;
mod error;
mod line;
mod read;

pub use clap_complete::Shell;

pub use self::command::{Command, Output, Target};
pub use self::error::Error;
pub use self::read::definition;
