//! Standard streams that are none of the blocking pipes that programs expect: nothing is lost, and nothing that is lost
//! looks like success.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::AsFd;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use nix::pty::{OpenptyResult, openpty};

use crate::support::{Kwasm, Run, component};

/// The bytes that fill a pipe of Linux except for a few.
const FULL: &[u8] = &[b'#'; 65_530];

fn unblock(stream: &impl AsFd) {
    rustix::io::ioctl_fionbio(stream, true).unwrap();
}

/// Returns a pipe whose writer does not block.
fn unblocked_output() -> (PipeReader, PipeWriter) {
    let (reader, writer) = io::pipe().unwrap();
    unblock(&writer);
    (reader, writer)
}

/// Returns a pipe whose reader does not block.
fn unblocked_input() -> (PipeReader, PipeWriter) {
    let (reader, writer) = io::pipe().unwrap();
    unblock(&reader);
    (reader, writer)
}

/// Runs a program whose stdout does not block, has been filled with this before, and is read late.
fn read_late(command: &mut Command, before: &[u8]) -> Run {
    let (mut reader, mut writer) = unblocked_output();
    writer.write_all(before).unwrap();
    let child = command.stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
    // No one but the child writes.
    command.stdout(Stdio::null());
    thread::sleep(Duration::from_millis(300));
    let mut all = Vec::new();
    reader.read_to_end(&mut all).unwrap();
    let mut output = child.wait_with_output().unwrap();
    assert!(all.starts_with(before));
    output.stdout = all.split_off(before.len());
    Run::from(output)
}

fn lines(count: usize) -> String {
    let mut text = String::new();
    (1..=count).for_each(|line| writeln!(text, "line {line}").unwrap());
    text
}

#[test]
fn a_plugin_writes_all_it_has_to_say_to_a_stdout_that_does_not_block() {
    let run = read_late(&mut Kwasm::new().guest("prints", &["100000"]), b"").success();
    assert!(run.stdout == lines(100_000), "{} bytes: {}", run.stdout.len(), run.stderr);
}

#[test]
fn a_core_module_does_so_too() {
    let run = read_late(&mut Kwasm::new().guest("hello-core", &["x"]), FULL).success();
    assert_eq!(run.stdout, "hello from kwasm: x\n");
}

#[test]
fn a_terminal_that_does_not_block_gets_all_of_it() {
    let OpenptyResult { master, slave } = openpty(None, None).unwrap();
    unblock(&slave);
    let mut child = Kwasm::new().guest("prints", &["20000"]).stdout(slave).spawn().unwrap();
    thread::sleep(Duration::from_millis(300));
    let (mut shown, mut terminal) = (Vec::new(), File::from(master));
    // When no one holds the other side any more, reading fails.
    drop(terminal.read_to_end(&mut shown));
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(String::from_utf8(shown).unwrap().replace("\r\n", "\n") == lines(20_000));
}

#[test]
fn a_stdin_that_does_not_block_is_waited_for() {
    let kwasm = Kwasm::new();
    let (reader, mut writer) = unblocked_input();
    let mut theirs = reader.try_clone().unwrap();
    let mut child = kwasm.guest("echoes", &[]).stdin(reader).stdout(Stdio::piped()).spawn().unwrap();
    for word in ["one ", "two ", "three"] {
        thread::sleep(Duration::from_millis(200));
        writer.write_all(word.as_bytes()).unwrap();
        // It may have to be compiled first.
        let mut echo = vec![0; word.len()];
        child.stdout.as_mut().unwrap().read_exact(&mut echo).unwrap();
        assert_eq!(echo, word.as_bytes());
    }
    // Its flags belong to every process that has it open, and stay the same.
    assert_eq!(theirs.read(&mut [0]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    drop(writer);
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn kwasms_own_words_are_written_whole_too() {
    let kwasm = Kwasm::new();
    let plain = kwasm.call(["completion", "bash"]).success().stdout;
    assert!(read_late(&mut kwasm.command(["completion", "bash"]), FULL).success().stdout == plain);
}

#[test]
fn what_is_said_on_a_stderr_that_does_not_block_is_said_whole() {
    let kwasm = Kwasm::new();
    let (mut reader, mut writer) = unblocked_output();
    writer.write_all(FULL).unwrap();
    let mut command = kwasm.command(["run", "missing"]);
    let mut child = command.stderr(writer).spawn().unwrap();
    drop(command);
    thread::sleep(Duration::from_millis(300));
    let mut all = Vec::new();
    reader.read_to_end(&mut all).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(127));
    let told = String::from_utf8_lossy(&all[FULL.len()..]).into_owned();
    assert_eq!(told, kwasm.call(["run", "missing"]).stderr);
}

#[test]
fn an_archive_goes_and_comes_through_streams_that_do_not_block() {
    let (there, here) = (Kwasm::new(), Kwasm::new());
    there.call(["install", component("prints").to_str().unwrap()]).success();
    let (reader, writer) = io::pipe().unwrap();
    unblock(&reader);
    unblock(&writer);
    let mut load = here.command(["load", "-"]);
    let loading = load.stdin(reader).stderr(Stdio::piped()).spawn().unwrap();
    drop(load);
    thread::sleep(Duration::from_millis(200));
    let mut save = there.command(["save", "prints", "-f", "-"]);
    assert_eq!(save.stdout(writer).status().unwrap().code(), Some(0));
    drop(save);
    Run::from(loading.wait_with_output().unwrap()).success();
    assert_eq!(here.call(["list"]).stdout, "prints\n");
}

#[test]
fn a_stdout_that_is_not_open_for_writing_is_an_error() {
    let kwasm = Kwasm::new();
    let only_to_read = || File::open("/dev/null").unwrap();
    let run = Run::of(&mut read_only(kwasm.command(["completion", "bash"]), only_to_read())).fails(125);
    assert_eq!(run.stderr, "kwasm: stdout cannot be written to: Bad file descriptor (os error 9)\n");
    let mut echoes = kwasm.guest("echoes", &[]);
    let (reader, mut writer) = io::pipe().unwrap();
    writer.write_all(b"x").unwrap();
    drop(writer);
    let output = echoes.stdin(reader).stdout(only_to_read()).output().unwrap();
    // What the guest makes of it is its own.
    assert_eq!(output.status.code(), Some(1));
    // One that takes no notice is not believed.
    let run = Run::of(&mut read_only(kwasm.guest("prints", &["9"]), only_to_read())).fails(125);
    assert_eq!(run.stderr, "kwasm: stdout cannot be written to: Bad file descriptor (os error 9)\n");
}

#[test]
fn output_that_a_full_disk_cuts_short_is_no_success() {
    let kwasm = Kwasm::new();
    let full = || File::options().write(true).open("/dev/full").unwrap();
    let run = Run::of(kwasm.guest("prints", &["9"]).stdout(full())).fails(125);
    assert_eq!(run.stderr, "kwasm: stdout cannot be written to: No space left on device (os error 28)\n");
    let run = Run::of(kwasm.guest("hello-core", &["9"]).stdout(full()));
    assert_ne!(run.code, Some(0), "{}", run.shown());
    // A guest that has nothing to say loses nothing.
    Run::of(kwasm.guest("prints", &["0"]).stdout(full())).success();
}

fn read_only(mut command: Command, stdout: File) -> Command {
    command.stdout(stdout);
    command
}

#[test]
fn a_stdin_that_is_a_folder_or_not_open_for_reading_is_an_error() {
    let kwasm = Kwasm::new();
    let sink = || File::options().write(true).open("/dev/null").unwrap();
    let folder = || File::open(kwasm.home()).unwrap();
    for (stdin, why) in
        [(folder(), "Is a directory (os error 21)"), (sink(), "Bad file descriptor (os error 9)")]
    {
        let run = Run::of(kwasm.guest("echoes", &[]).stdin(stdin)).fails(1);
        // A component's libc cannot say which error it was.
        assert!(run.stderr.ends_with(&format!("kwasm: stdin cannot be read: {why}\n")), "{}", run.shown());
    }
    // One that does not read has no need of it.
    assert_eq!(Run::of(kwasm.guest("hello", &[]).stdin(folder())).success().stderr, "");
    let run = Run::of(kwasm.command(["load", "-"]).stdin(folder())).fails(126);
    assert!(run.stderr.contains("Is a directory"), "{}", run.shown());
}
