//! Many at once.

use std::process::Child;

use super::{HELLO, Home, NAMES};
use crate::support::{Kwasm, Run, component};

/// Starts all, then waits for all.
fn all_at_once(commands: impl Iterator<Item = std::process::Command>) {
    let started: Vec<Child> = commands.map(|mut command| command.spawn().unwrap()).collect();
    for mut child in started {
        assert!(child.wait().unwrap().success());
    }
}

fn install(kwasm: &Kwasm, guest: &str, name: &str) -> std::process::Command {
    let mut command = kwasm.command(["-q", "install", component(guest).to_str().unwrap(), "--as", name]);
    command.stderr(std::process::Stdio::null());
    command
}

#[test]
fn twenty_installs_of_twenty_names_are_all_there() {
    let kwasm = Kwasm::with_empty_cache();
    let names: Vec<String> = (10..30).map(|number| format!("p{number}")).collect();
    all_at_once(names.iter().map(|name| install(&kwasm, "hello", name)));
    assert_eq!(kwasm.call(["list"]).success().stdout.lines().collect::<Vec<_>>(), names);
    for name in &names {
        let run = Run::of(kwasm.program(kwasm.links().join(format!("kubectl-{name}"))).arg("1")).success();
        assert_eq!(run.stdout, HELLO);
    }
    kwasm.call(["doctor", "--deep"]).success();
}

#[test]
fn twenty_installs_of_one_name_leave_one_of_them() {
    let kwasm = Kwasm::with_empty_cache();
    let guests = ["hello", "prints"].into_iter().cycle().take(20);
    all_at_once(guests.map(|guest| install(&kwasm, guest, "p")));
    assert_eq!(super::state(&kwasm).keys().copied().collect::<Vec<_>>(), ["p"]);
    kwasm.call(["doctor", "--deep"]).success();
    assert_eq!(crate::support::files(&kwasm.home().join("data/blobs")).len(), 1);
}

#[test]
fn installs_and_uninstalls_at_once_leave_what_was_not_uninstalled() {
    let home = Home::with(&[("p", "hello"), ("q", "prints")]);
    let kwasm = &home.kwasm;
    let uninstalls = ["p", "q"].into_iter().map(|name| kwasm.command(["-q", "uninstall", name]));
    all_at_once(uninstalls.chain([install(kwasm, "hello", "r")]));
    let left = kwasm.call(["list"]).success().stdout;
    assert_eq!(left.lines().collect::<Vec<_>>(), [NAMES[0], NAMES[3]]);
    kwasm.call(["doctor", "--deep"]).success();
}
