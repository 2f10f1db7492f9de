//! Parses argv into one command.
//!
//! If kwasm is started as `kubectl-NAME`, as kubectl starts a plugin, the arguments are the plugin's own.

mod command;
mod connection;
mod deploy;
mod deployment;
mod error;
mod form;
mod index;
mod line;
mod policy;
mod read;
mod serve;

pub use clap_complete::Shell;

pub use self::command::{Command, IndexCommand, Output, PolicyCommand, Target, Traffic, Verbosity};
pub use self::deployment::{DeployedTask, Deployment, Via};
pub use self::error::Error;
pub(crate) use self::read::OPTIMIZE;
pub use self::read::definition;
