//! Tests that output goes to the path that a user names, whatever it is: a device, a pipe, a link, a file
//! with another name.

use std::fs;
use std::io::Read;
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use crate::support::{Kwasm, Run, component, files, skip};

/// Returns a home with a plugin, and its archive.
fn saved() -> (Kwasm, Vec<u8>) {
    let kwasm = Kwasm::new();
    kwasm.call(["install", component("prints").to_str().unwrap()]).success();
    let archive = kwasm.command(["save", "prints", "-f", "-"]).output().unwrap().stdout;
    assert!(archive.len() > 10_000);
    (kwasm, archive)
}

fn make_pipe(kwasm: &Kwasm, name: &str) -> PathBuf {
    let pipe = kwasm.home().join(name);
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    pipe
}

/// Reads a pipe to its end.
fn drained(pipe: &Path) -> thread::JoinHandle<Vec<u8>> {
    let pipe = pipe.to_owned();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        fs::File::open(pipe).unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    })
}

#[test]
fn a_link_stays_and_the_archive_goes_where_it_leads() {
    let (kwasm, archive) = saved();
    let at = |name: &str| kwasm.home().join(name);
    fs::write(at("real.tar"), "old").unwrap();
    symlink("real.tar", at("link.tar")).unwrap();
    symlink("not-yet.tar", at("dangling.tar")).unwrap();
    for (link, target) in [("link.tar", "real.tar"), ("dangling.tar", "not-yet.tar")] {
        let run = kwasm.call(["save", "prints", "-f", link]).success();
        assert_eq!(run.stderr, format!("saved prints to {link}\n"));
        assert!(at(link).is_symlink(), "{link}");
        assert!(fs::read(at(target)).unwrap() == archive, "{target}");
    }
}

#[test]
fn the_reader_of_a_pipe_gets_the_archive() {
    let (kwasm, archive) = saved();
    let pipe = make_pipe(&kwasm, "pipe");
    let reader = drained(&pipe);
    kwasm.call(["save", "prints", "-f", "pipe"]).success();
    assert!(reader.join().unwrap() == archive);
    assert!(pipe.symlink_metadata().unwrap().file_type().is_fifo());
}

#[test]
fn a_device_is_written_to_and_stays_one() {
    let (kwasm, _) = saved();
    let null = kwasm.home().join("null");
    // One of this test's own: a device of the machine is nothing to try this on.
    let made = Command::new("mknod").arg(&null).args(["c", "1", "3"]).stderr(Stdio::null()).status();
    if !made.is_ok_and(|status| status.success()) {
        return skip("a_device_is_written_to_and_stays_one", "no device can be made here");
    }
    let run = kwasm.call(["save", "prints", "-f", "null"]);
    let metadata = null.symlink_metadata().unwrap();
    assert!(metadata.file_type().is_char_device(), "{}", run.shown());
    // A folder that is mounted without devices lets no one open one.
    if !run.stderr.contains("Permission denied") {
        run.success();
    }
}

#[test]
fn the_name_of_stdout_is_stdout() {
    let (kwasm, archive) = saved();
    for name in ["/dev/stdout", "/dev/fd/1"] {
        let piped = kwasm.command(["save", "prints", "-f", name]).output().unwrap();
        assert!(piped.status.success() && piped.stdout == archive, "{name}");
    }
    // It continues after the earlier output, and nothing is cut off.
    let shared = kwasm.home().join("shared");
    let script = "echo before; \"$0\" -q save prints -f /dev/stdout; echo behind";
    let mut shell = kwasm.program("sh");
    shell.args(["-c", script, env!("CARGO_BIN_EXE_kwasm")]);
    let status = shell.stdout(fs::File::create(&shared).unwrap()).status().unwrap();
    assert!(status.success());
    assert!(fs::read(shared).unwrap() == [b"before\n", archive.as_slice(), b"behind\n"].concat());
}

#[test]
fn a_file_is_replaced_whole_and_keeps_who_may_read_it() {
    let (kwasm, archive) = saved();
    let file = kwasm.home().join("a.tar");
    for mode in [0o600, 0o644] {
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        kwasm.call(["save", "prints", "-f", "a.tar"]).success();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, mode);
        assert!(fs::read(&file).unwrap() == archive);
    }
    assert!(!files(kwasm.home()).iter().any(|file| file.contains(".new")));
}

#[test]
fn a_page_is_written_where_its_name_leads() {
    let kwasm = Kwasm::new();
    fs::create_dir_all(kwasm.home().join("pages/man1")).unwrap();
    let pipe = make_pipe(&kwasm, "pages/man1/kwasm.1");
    symlink("../elsewhere", kwasm.home().join("pages/man1/kwasm-run.1")).unwrap();
    let reader = drained(&pipe);
    kwasm.call(["man", "--dir", "pages"]).success();
    assert_eq!(String::from_utf8(reader.join().unwrap()).unwrap(), kwasm.call(["man"]).success().stdout);
    assert!(pipe.symlink_metadata().unwrap().file_type().is_fifo());
    let page = fs::read_to_string(kwasm.home().join("pages/elsewhere")).unwrap();
    assert_eq!(page, kwasm.call(["man", "run"]).success().stdout);
}

#[test]
fn a_place_that_cannot_be_written_is_reported_with_what_helps_there() {
    let (kwasm, _) = saved();
    fs::create_dir(kwasm.home().join("folder")).unwrap();
    for (place, hint) in [
        ("folder", "hint: name a file in it: folder/FILE\n"),
        ("missing/a.tar", "hint: make its folder first: mkdir -p missing\n"),
    ] {
        let run = kwasm.call(["save", "prints", "-f", place]).fails(125);
        assert!(run.stderr.ends_with(hint) && !run.stderr.contains("KWASM_HOME"), "{}", run.shown());
    }
    let full = Run::of(&mut kwasm.command(["save", "prints", "-f", "/dev/full"]));
    assert!(full.fails(125).stderr.starts_with("kwasm: /dev/full: it cannot be written to: No space left"));
}
