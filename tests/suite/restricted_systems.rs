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
        echo "$before" "$(stat -c %i "$cache"/kwasm/compiled/*.cwasm)"
        "$kwasm" doctor -o name"#;
    let run = shell(&kwasm, &unshare, script).fails(125);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert!(run.stderr.is_empty(), "{}", run.shown());
    let [first, second, files, "code", ..] = lines[..] else { panic!("{}", run.shown()) };
    assert_eq!((first, second), ("hello from kwasm", "hello from kwasm"));
    let (before, after) = files.split_once(' ').unwrap();
    assert_eq!(before, after, "the file of code is the same one");
}

/// Hardened systems (`SELinux`, systemd's `MemoryDenyWriteExecute`) let no memory be executed that was written to.
#[cfg(target_os = "linux")]
#[test]
fn a_system_that_lets_no_compiled_code_run_is_told_and_the_doctor_finds_it() {
    // PR_SET_MDWE with PR_MDWE_REFUSE_EXEC_GAIN, for this process and those that it starts.
    let deny = "import ctypes, os, sys\n\
        ctypes.CDLL(None).prctl(65, 1, 0, 0, 0) == 0 or sys.exit(77)\n\
        os.execvp(sys.argv[1], sys.argv[1:])";
    let kwasm = Kwasm::with_empty_cache();
    let denied = |script: &str| shell(&kwasm, &["python3", "-c", deny], script);
    let trial = denied("exit 0");
    if trial.code == Some(77) {
        return skip("restricted_systems::a_system_that_lets_no_compiled_code_run", "Linux before 6.3");
    }
    trial.success();
    let run = denied(r#"exec "$kwasm" run "$guest""#).fails(125);
    assert_eq!(
        run.stderr,
        "kwasm: this system does not let compiled code run: Permission denied (os error 13)\n\
         hint: kwasm doctor shows how it is allowed\n"
    );
    let run = denied(r#"exec "$kwasm" doctor -o json"#).fails(125);
    assert!(run.stdout.contains("it cannot be run: ") && run.stdout.contains("setsebool"), "{}", run.shown());
    // Where it is allowed, nothing of it is left.
    kwasm.run("hello", &[]).success();
    let run = kwasm.call(["doctor", "-o", "json"]);
    assert!(run.stdout.contains("runs what is compiled for"), "{}", run.shown());
}
