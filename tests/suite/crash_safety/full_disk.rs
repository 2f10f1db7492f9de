//! On a full disk, one that is not to be written to, and where a file is in the way.

use std::fs;
use std::process::Command;

use super::{HELLO, Scene, fragile_command, scenes, sound, state, untouched};
use crate::support::{Kwasm, Run, component, files, skip};

#[test]
fn a_disk_that_is_full_at_any_change_leaves_the_old_plugin_and_one_error() {
    for scene in scenes() {
        let changes = changes(&scene);
        let mut failed = 0;
        // Without a cache the first changes are of that; with one all are of the store.
        let cold = (1..=8).map(|number| (number, scene.home()));
        for (number, kwasm) in cold.chain((1..=changes).map(|number| (number, scene.warm_home()))) {
            let run = Run::of(&mut fragile_command(&kwasm, &scene, &format!("room={number}")));
            if run.code == Some(0) {
                // Writing to a cache may fail without a loss.
                assert_eq!(sound(&kwasm, &scene), "after", "{number}");
                continue;
            }
            failed += 1;
            let run = run.fails(125);
            assert_eq!(run.stderr.matches("kwasm: ").count(), 1, "{}", run.shown());
            assert!(run.stderr.contains("hint: "), "{}", run.shown());
            if run.stderr.contains("could not be removed") {
                assert_eq!(sound(&kwasm, &scene), "after", "{number}: {}", run.shown());
            } else {
                assert!(run.stderr.contains("No space left on device"), "{}", run.shown());
                // At once, before a later process could repair it.
                let found = state(&kwasm);
                assert_eq!(untouched(&kwasm, &scene, &found), "before", "{number}: {}", run.shown());
                sound(&kwasm, &scene);
            }
        }
        assert!(failed >= 4, "{}: {failed} of {changes}", scene.name);
    }
}

/// Returns the number of changes to the disk that a command makes when everything is compiled.
fn changes(scene: &Scene) -> usize {
    let kwasm = scene.warm_home();
    let told = kwasm.home().join("told");
    Run::of(&mut fragile_command(&kwasm, scene, &format!("secrecy={}", told.display()))).success();
    fs::read_to_string(told).unwrap().lines().count()
}

/// Runs a script where `data` and `bin` of the home are on a disk of their own, made with these options.
fn on_disk(kwasm: &Kwasm, options: &str, script: &str) -> Run {
    for folder in ["data", "bin"] {
        fs::create_dir_all(kwasm.home().join(folder)).unwrap();
    }
    let mount = |folder: &str| format!("mount -t tmpfs -o {options} tmpfs {folder}");
    // Both folders are of one disk.
    let disk = format!(
        "set -e; mkdir -p disk; {}; mkdir disk/data disk/bin; mount --bind disk/data data; mount --bind disk/bin bin; set +e\n{script}",
        mount("disk")
    );
    Run::of(kwasm.program("unshare").args(["--user", "--map-root-user", "--mount", "sh", "-c", &disk]))
}

/// Returns whether this machine lets its users mount file systems.
fn mounts(test: &str) -> bool {
    if Command::new("unshare").arg("--version").output().is_err() {
        skip(test, "there can be no small disk here: there is no unshare");
        return false;
    }
    let run = on_disk(&Kwasm::new(), "size=64k", "true");
    if run.code != Some(0) {
        skip(test, &format!("there can be no small disk here: {}", run.stderr.trim()));
    }
    run.code == Some(0)
}

#[test]
fn a_disk_that_is_really_full_leaves_the_old_plugin_and_one_error() {
    if !mounts("a_disk_that_is_really_full_leaves_the_old_plugin_and_one_error") {
        return;
    }
    let kwasm = env!("CARGO_BIN_EXE_kwasm");
    let (hello, prints) = (component("hello"), component("prints"));
    let script = format!(
        "{kwasm} install {} --as p; echo $?; find data bin | sort >before; {kwasm} install {} --as p; echo $?\n\
         find data bin | sort >after; {kwasm} doctor >/dev/null; echo $?; {kwasm} list; bin/kubectl-p 1; \
         cmp -s before after; echo $?",
        hello.display(),
        prints.display()
    );
    let (mut neither, mut first, mut both) = (0, 0, 0);
    let sizes = (4..=56).step_by(4).map(|pages| format!("size={}k", pages * 4));
    let inodes = (6..=16).map(|inodes| format!("nr_inodes={inodes}"));
    for options in sizes.chain(inodes) {
        let home = Kwasm::new();
        let run = on_disk(&home, &options, &script);
        let lines: Vec<&str> = run.stdout.lines().collect();
        let full = run.stderr.matches("No space left on device").count();
        match lines[..] {
            // Nothing is listed, and nothing runs.
            ["125", "125", "0", "0"] => neither += 1,
            ["0", "125", "0", "p", "hello from kwasm: 1", "0"] => first += 1,
            ["0", "0", "0", "p", "line 1", _] => both += 1,
            _ => panic!("{options}: {}", run.shown()),
        }
        assert_eq!(full, lines.iter().filter(|line| **line == "125").count(), "{options}: {}", run.shown());
    }
    assert!(neither > 3 && first > 3 && both > 3, "{neither}, {first}, {both}");
}

#[test]
fn a_disk_that_is_not_to_be_written_to_is_named_with_what_helps() {
    if !mounts("a_disk_that_is_not_to_be_written_to_is_named_with_what_helps") {
        return;
    }
    let home = Kwasm::new();
    let (kwasm, hello) = (env!("CARGO_BIN_EXE_kwasm"), component("hello"));
    let install = format!("{kwasm} install {} --as", hello.display());
    let script = format!(
        "{install} p; mount -o remount,ro,bind data; {kwasm} list; bin/kubectl-p 1; {install} q; {kwasm} rm p; {kwasm} doctor >/dev/null; echo $?"
    );
    let run = on_disk(&home, "size=1m", &script);
    let shown = run.shown_without(&[(home.home().to_str().unwrap(), "HOME")]);
    let (_, errors) = shown.split_once("kubectl p\n").unwrap();
    insta::assert_snapshot!(errors, @r"
    kwasm: HOME/data/lock: the lock cannot be taken: Read-only file system (os error 30)
    hint: ls -ld HOME/data shows who may write there; KWASM_HOME, and KWASM_BIN_DIR for links, set another folder
    kwasm: HOME/data/lock: the lock cannot be taken: Read-only file system (os error 30)
    hint: ls -ld HOME/data shows who may write there; KWASM_HOME, and KWASM_BIN_DIR for links, set another folder
    ");
    assert!(shown.contains(&format!("p\n{HELLO}")), "{shown}");
}

#[test]
fn a_file_where_a_folder_should_be_is_named_with_what_helps() {
    for place in ["data", "data/plugins", "data/blobs", "bin"] {
        let kwasm = Kwasm::with_empty_cache();
        let path = kwasm.home().join(place);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "in the way").unwrap();
        let before = files(kwasm.home());
        let run = kwasm.call(["install", component("hello").to_str().unwrap(), "--as", "p"]).fails(125);
        let named = path.display();
        assert!(run.stderr.starts_with(&format!("kwasm: {named}: ")), "{}", run.shown());
        assert!(
            run.stderr.contains(&format!("hint: move it away: mv {named} {named}.old")),
            "{}",
            run.shown()
        );
        let kept = |file: &String| *file != "data/lock" && !file.starts_with("cache/");
        let after: Vec<_> = files(kwasm.home()).into_iter().filter(kept).collect();
        assert_eq!(after, before, "{place}");
    }
}
