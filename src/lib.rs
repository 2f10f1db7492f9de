//! `kwasm` runs kubectl plugins that are WebAssembly components. A plugin never sees a credential and reaches
//! nothing but what its policy grants.
//!
//! This library is internal to the program and not a public interface: it has no versioning of its own. Its
//! rooms stand in the order in which a command passes through them, and each uses only those before it (see
//! `src/README.md`).

// Without tests, all of the code is checked for it.
#![cfg_attr(test, expect(clippy::disallowed_methods, reason = "tests make the files that they read"))]

pub(crate) mod defence;

pub mod message;

pub(crate) mod platform;

pub mod document;

pub mod environment;

pub mod reference;

pub mod proxy;

pub mod registry;

pub mod inspect;

pub mod build;

pub mod template;

pub mod store;

pub mod policy;

pub mod catalogue;

pub mod cluster;

pub mod record;

pub mod gate;

pub mod deploy;

pub mod runtime;

pub mod server;

pub mod cli;

pub mod verbs;

pub mod exit;

/// Executes the command line, reports to the user how it ended, and returns the exit code.
#[must_use]
pub fn run(environment: &environment::Environment) -> std::process::ExitCode {
    exit::Exit::of(environment, verbs::perform(environment)).into()
}
