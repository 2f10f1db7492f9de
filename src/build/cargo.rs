//! Builds a Rust program by cargo for `wasm32-wasip2`, of which rustc makes components itself.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::job::{Built, Job};
use super::tools::Call;
use super::{Error, Language};

/// The target of components.
const TARGET: &str = "wasm32-wasip2";

/// The arguments of cargo that would give something else than one component, or no word of where it is.
const SPOILING: [&str; 3] = ["--target", "--message-format", "--manifest-path"];

/// Builds the program of a package, in the profile `release` unless the arguments name another.
pub(super) fn build(job: &Job<'_>) -> Result<Built, Error> {
    check(job.arguments)?;
    require_target(job)?;
    let mut call = Call::new("cargo", &job.folder).args(["build", "--target", TARGET]);
    call = call.args(["--message-format=json-render-diagnostics"]);
    let is_profile =
        |argument: &String| is(argument, "--profile") || argument == "--release" || argument == "-r";
    if !job.arguments.iter().any(is_profile) {
        call = call.args(["--release"]);
    }
    if let Some(package) = job.package {
        call = call.args(["--package", package]);
    }
    let call = call.args(job.arguments);
    let messages = job.tools.read(&call)?.ok_or(Error::NoTool {
        tool: "cargo",
        language: Language::Rust,
        cure: "install Rust 1.95 or newer: https://rustup.rs",
    })?;
    let mut programs = programs(&messages);
    if programs.is_empty() {
        return Err(Error::Manifest {
            path: job.folder.join(Language::Rust.file()),
            why: "it has no program".to_owned(),
            cure: "a plugin is a program: src/main.rs, or [[bin]]",
        });
    }
    let (Some(program), true) = (programs.pop(), programs.is_empty()) else {
        return Err(Error::Programs {
            path: job.folder.join(Language::Rust.file()),
            programs: all_programs(&messages),
            cure: "name one: kwasm build -- --bin NAME, or kwasm build PACKAGE in a workspace",
        });
    };
    Built::read(program.name, &program.file)
}

fn check(arguments: &[String]) -> Result<(), Error> {
    match arguments.iter().find(|argument| SPOILING.into_iter().any(|flag| is(argument, flag))) {
        Some(argument) => Err(Error::Argument {
            tool: "cargo build",
            argument: argument.clone(),
            why: "a component is built for wasm32-wasip2, and found by cargo's messages",
            cure: "leave it out; another project is named by its folder: kwasm build ./FOLDER",
        }),
        None => Ok(()),
    }
}

/// Returns whether an argument is a flag, with its value or without.
fn is(argument: &str, flag: &str) -> bool {
    argument.strip_prefix(flag).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
}

/// Checks that the standard library for the target is there: without it, rustc's own errors name every crate but the cause.
fn require_target(job: &Job<'_>) -> Result<(), Error> {
    let call = Call::new("rustc", &job.folder).args(["--print", "target-libdir", "--target", TARGET]);
    // Where rustc is not on PATH, or does not know the target, cargo reports it.
    let Some(answer) = job.tools.attempt(&call)?.filter(|answer| answer.success) else { return Ok(()) };
    let is_std = |entry: fs::DirEntry| entry.file_name().to_string_lossy().starts_with("libstd-");
    if fs::read_dir(Path::new(answer.stdout.trim())).into_iter().flatten().flatten().any(is_std) {
        return Ok(());
    }
    Err(Error::Lacking {
        what: TARGET.to_owned(),
        why: "the standard library of Rust for it is not installed".to_owned(),
        cure: format!("rustup target add {TARGET}"),
    })
}

/// A program that cargo built.
#[derive(Debug, Eq, PartialEq)]
struct Program {
    name: String,
    file: PathBuf,
}

/// One of cargo's messages, each a line of JSON.
///
/// <https://doc.rust-lang.org/cargo/reference/external-tools.html#json-messages>
#[derive(Deserialize)]
struct Message {
    reason: String,
    target: Option<Target>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

/// Reads which programs were built, or were there already.
fn programs(messages: &str) -> Vec<Program> {
    // Build scripts and wrappers may write lines of their own.
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Message>(line).ok());
    let artifacts = messages.filter(|message| message.reason == "compiler-artifact");
    let program = |message: Message| Some(Program { name: message.target?.name, file: message.executable? });
    artifacts.filter_map(program).collect()
}

fn all_programs(messages: &str) -> Vec<String> {
    programs(messages).into_iter().map(|program| program.name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_read_from_the_messages_of_cargo() {
        let messages = r#"
{"reason":"compiler-artifact","target":{"kind":["lib"],"name":"serde"},"executable":null}
{"reason":"compiler-message","target":{"kind":["bin"],"name":"hello"},"message":{}}
a line of a build script
{"reason":"compiler-artifact","target":{"kind":["bin"],"name":"hello"},"executable":"/t/release/hello.wasm","fresh":true}
{"reason":"build-finished","success":true}
"#;
        let hello = Program { name: "hello".to_owned(), file: "/t/release/hello.wasm".into() };
        assert_eq!(programs(messages), [hello]);
    }

    #[test]
    fn arguments_that_would_build_something_else_are_refused() {
        let checked = |argument: &str| check(&["--locked".to_owned(), argument.to_owned()]);
        for argument in ["--target", "--target=wasm32-wasip1", "--message-format=short", "--manifest-path=x"]
        {
            assert!(matches!(checked(argument), Err(Error::Argument { .. })), "{argument}");
        }
        for argument in ["--target-dir=x", "--features=a", "--bin"] {
            checked(argument).unwrap();
        }
    }
}
