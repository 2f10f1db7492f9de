//! Tests of the endings of a run: by itself, by a trap, by the user.

use std::process::Stdio;
use std::time::Duration;

use crate::support::{Kwasm, Run};

#[test]
fn a_plugin_keeps_its_own_code() {
    let kwasm = Kwasm::new();
    for guest in ["exits", "exits-core"] {
        for code in [0, 1, 2, 7, 125, 126, 255] {
            kwasm.run(guest, &[&code.to_string()]).fails(code);
        }
    }
}

#[test]
fn a_trap_is_kwasms_to_tell() {
    for guest in ["traps", "traps-core"] {
        let run = Kwasm::new().run(guest, &[]).fails(125);
        let told = "kwasm: the plugin trapped: wasm trap: wasm `unreachable` instruction executed";
        assert!(run.stderr.contains(told), "{}", run.shown());
    }
}

#[cfg(unix)]
#[test]
fn the_user_ends_a_busy_loop_and_a_sleep() {
    let kwasm = Kwasm::new();
    for guest in ["loops-forever", "sleeps-forever", "loops-forever-core", "sleeps-forever-core"] {
        for signal in ["INT", "TERM"] {
            let mut running = kwasm.start(guest, &[]);
            running.line();
            running.signal(signal);
            assert_eq!(running.end().code, Some(130), "{guest} by SIG{signal}");
        }
    }
}

#[cfg(unix)]
#[test]
fn the_user_ends_a_plugin_that_writes_to_a_pipe_which_nobody_reads() {
    let kwasm = Kwasm::new();
    for guest in ["prints", "prints-core"] {
        let mut command = kwasm.guest(guest, &["100000000"]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        // Its pipe is full long before.
        std::thread::sleep(Duration::from_secs(2));
        let sent =
            std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        assert_eq!(child.wait().unwrap().code(), Some(130), "{guest}");
    }
}

#[cfg(unix)]
#[test]
fn a_closed_pipe_on_stdout_is_no_error() {
    let kwasm = Kwasm::new();
    for guest in ["prints", "prints-core"] {
        let mut command = kwasm.guest(guest, &["1000000"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let run = Run::from(child.wait_with_output().unwrap());
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{guest}");
    }
    // A guest that prints like most programs, and panics if the reader is closed.
    let mut command = kwasm.guest("hello-cargo-component", &[]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    assert_eq!(command.stdout(writer).status().unwrap().code(), Some(0));
    let mut list = kwasm.command(["--help"]);
    let mut child = list.stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn stdin_streams_into_the_plugin() {
    use std::io::Write;
    let kwasm = Kwasm::new();
    for (guest, arguments) in [("echoes", &[][..]), ("echoes-core", &[]), ("wasi3", &["echo"])] {
        let mut running = kwasm.start_with_input(guest, arguments);
        let mut stdin = running.stdin();
        for word in ["one", "two"] {
            writeln!(stdin, "{word}").unwrap();
            stdin.flush().unwrap();
            assert_eq!(running.line(), word);
        }
        drop(stdin);
        running.end().success();
    }
}

#[test]
fn a_plugin_that_ends_does_not_wait_for_a_stdin_that_never_does() {
    let kwasm = Kwasm::new();
    for guest in ["hello", "hello-core"] {
        let mut running = kwasm.start_with_input(guest, &[]);
        assert_eq!(running.line(), "hello from kwasm");
        let stdin = running.stdin();
        let run: Run = running.end();
        drop(stdin);
        run.success();
    }
}

#[test]
fn a_plugin_takes_512_mib_of_memory_and_no_more() {
    for guest in ["fills-memory", "fills-memory-core"] {
        let run = Kwasm::new().run(guest, &[]);
        let taken =
            run.stdout.split(|c: char| !c.is_ascii_digit()).filter_map(|word| word.parse::<u64>().ok()).max();
        assert!((400..=512).contains(&taken.unwrap_or(0)), "{}", run.shown());
    }
}

#[test]
fn a_plugin_that_traps_for_want_of_memory_is_told_so() {
    for guest in ["fills-memory", "fills-memory-core"] {
        let run = Kwasm::new().run(guest, &["--trusting"]).fails(125);
        let told = "kwasm: the plugin ran into a limit: it needed more than 512 MiB of memory\nhint: ";
        assert!(run.stderr.contains(told), "{}", run.shown());
    }
}
