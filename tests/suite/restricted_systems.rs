//! Tests of environments where the system gives a process less than usual.

use std::process::Command;

use crate::support::{Kwasm, Run, component, skip};

/// Runs a script of the shell in which `"$kwasm" run "$guest"` is that.
fn shell(kwasm: &Kwasm, before: &[&str], script: &str) -> Run {
    let mut command = kwasm.program(before.first().copied().unwrap_or("sh"));
    command
        .args(before.iter().skip(1))
        .args(if before.is_empty() { &[][..] } else { &["sh"] })
        .args(["-c", script])
        .env("kwasm", env!("CARGO_BIN_EXE_kwasm"))
        .env("guest", component("hello"))
        .env("core", component("hello-core"))
        .env("cache", kwasm.cache());
    Run::of(&mut command)
}

#[test]
fn a_limit_of_addresses_is_reported_as_that_with_what_helps() {
    let kwasm = Kwasm::new();
    // Compiled before, so that it is only run.
    kwasm.run("hello", &[]).success();
    kwasm.run("hello-core", &[]).success();
    for guest in ["guest", "core"] {
        let run =
            shell(&kwasm, &[], &format!("ulimit -v 3000000; exec \"$kwasm\" run \"${guest}\"")).fails(125);
        assert_eq!(
            run.stderr,
            "kwasm: the plugin ran into a limit: the system gives it no address space for its memory\n\
             hint: ulimit -v unlimited, or at least 16000000\n",
            "{guest}"
        );
        shell(&kwasm, &[], &format!("ulimit -v 16000000; exec \"$kwasm\" run \"${guest}\"")).success();
    }
}

/// On a file system that is mounted `noexec`, code cannot be mapped to be executed.
#[cfg(target_os = "linux")]
#[test]
fn code_on_a_file_system_without_execution_is_used_and_not_compiled_anew() {
    let unshare = ["unshare", "--mount"];
    let kwasm = Kwasm::with_empty_cache();
    std::fs::create_dir_all(kwasm.cache()).unwrap();
    let mut attempt = Command::new("unshare");
    attempt.args(["--mount", "mount", "-t", "tmpfs", "-o", "noexec", "none"]).arg(kwasm.cache());
    if !attempt.output().is_ok_and(|output| output.status.success()) {
        return skip("surroundings::code_on_a_file_system", "no mount without privileges: run it as root");
    }
    let script = r#"
        mount -t tmpfs -o noexec none "$cache" && "$kwasm" run "$guest" || exit 1
        before=$(stat -c %i "$cache"/kwasm/compiled/*.cwasm)
        "$kwasm" run "$guest" || exit 1
        echo "$before" "$(stat -c %i "$cache"/kwasm/compiled/*.cwasm)""#;
    let run = shell(&kwasm, &unshare, script).success();
    let lines: Vec<&str> = run.stdout.lines().collect();
    let [first, second, files] = lines[..] else { panic!("{}", run.shown()) };
    assert_eq!((first, second), ("hello from kwasm", "hello from kwasm"));
    let (before, after) = files.split_once(' ').unwrap();
    assert_eq!(before, after, "the file of code is the same one");
}
