//! Project automation: `cargo xtask COMMAND`, described by `cargo xtask --help`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "xtask talks to the person at the terminal")]
#![expect(
    clippy::disallowed_methods,
    reason = "the bans are for the host, which is confined; this is a tool of the house"
)]

mod apiserver;
mod bench;
mod cargo;
mod cli;
mod cluster;
mod components;
mod counterparts;
mod cross;
mod demo;
mod dist;
mod foreign;
mod fresh;
mod go_guests;
mod go_module;
mod home;
mod idle;
mod image;
mod languages;
mod lint;
mod node;
mod places;
mod plane;
mod platforms;
mod process;
mod projects;
mod reader;
mod release;
mod report;
mod request;
mod test;
mod tools;
mod wasm;

use std::process::ExitCode;

use cli::{Command, Parsed};
use places::Places;

fn main() -> ExitCode {
    let command = match cli::parse(std::env::args_os().skip(1)) {
        Ok(Parsed::Command(command)) => command,
        Ok(Parsed::Help(text)) => {
            println!("{text}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("xtask: {error}");
            return ExitCode::from(2);
        }
    };
    match run(command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    let places = Places::find()?;
    match command {
        Command::Bench(options) => bench::run(&places, &options),
        Command::Cluster { arguments } => cluster::run(&places, &arguments),
        Command::Components { install, names } => components::run(&places, install, &names),
        Command::Demo => demo::run(&places),
        Command::Dist(options) => dist::run(&places, &options),
        Command::Idle { minutes } => idle::run(&places, minutes),
        Command::Image => image::run(&places),
        Command::Languages => languages::run(&places),
        Command::Lint(options) => Ok(lint::run(&places, &options)),
        Command::Node(options) => node::run(&places, &options),
        Command::Platforms { targets } => platforms::run(&places, &targets),
        Command::Release => release::run(&places),
        Command::Test { quick, arguments } => test::run(&places, quick, &arguments),
    }
}
