//! Machine code is mapped only from where nobody but the user could have put it.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use crate::support::{Kwasm, component, files};

fn folder(kwasm: &Kwasm) -> PathBuf {
    kwasm.home().join("cache/kwasm/compiled")
}

/// The one file of machine code.
fn code(kwasm: &Kwasm) -> PathBuf {
    let folder = folder(kwasm);
    let names = files(&folder);
    assert_eq!(names.len(), 1, "{names:?}");
    folder.join(&names[0])
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn run(kwasm: &Kwasm) {
    assert_eq!(kwasm.run("hello", &[]).success().stdout, "hello from kwasm\n");
}

#[test]
fn code_is_kept_for_the_user_alone_and_used_again() {
    let kwasm = Kwasm::with_empty_cache();
    run(&kwasm);
    let code = code(&kwasm);
    assert_eq!((mode(&folder(&kwasm)), mode(&code)), (0o700, 0o600));
    let written = fs::metadata(&code).unwrap().modified().unwrap();
    run(&kwasm);
    assert_eq!(fs::metadata(&code).unwrap().modified().unwrap(), written);
}

#[test]
fn a_folder_that_others_may_enter_is_refused() {
    let kwasm = Kwasm::with_empty_cache();
    run(&kwasm);
    fs::set_permissions(folder(&kwasm), fs::Permissions::from_mode(0o755)).unwrap();
    let refused = kwasm.run("hello", &[]).fails(125);
    assert!(refused.stderr.contains("it is open to others: chmod 700 it"), "{}", refused.shown());
}

#[test]
fn code_that_others_may_write_is_not_run_but_made_anew() {
    let kwasm = Kwasm::with_empty_cache();
    run(&kwasm);
    // The code of another guest, under this one's name: were it run, it would end with 1 and say nothing.
    let other = Kwasm::with_empty_cache();
    other.run("traps", &[]).fails(125);
    fs::copy(code(&other), code(&kwasm)).unwrap();
    kwasm.run("hello", &[]).fails(125);
    fs::set_permissions(code(&kwasm), fs::Permissions::from_mode(0o622)).unwrap();
    run(&kwasm);
    assert_eq!(mode(&code(&kwasm)), 0o600);
}

#[test]
fn code_behind_a_link_is_not_run_but_made_anew() {
    let kwasm = Kwasm::with_empty_cache();
    run(&kwasm);
    let other = Kwasm::with_empty_cache();
    other.run("traps", &[]).fails(125);
    let path = code(&kwasm);
    fs::remove_file(&path).unwrap();
    symlink(code(&other), &path).unwrap();
    run(&kwasm);
    assert!(fs::symlink_metadata(&path).unwrap().is_file());
}

#[test]
fn code_that_is_cut_short_or_empty_or_of_another_engine_is_made_anew() {
    let kwasm = Kwasm::with_empty_cache();
    run(&kwasm);
    let whole = fs::read(code(&kwasm)).unwrap();
    let mut lengths: Vec<usize> = (0..40).map(|part| whole.len() * part / 40).collect();
    lengths.extend([1, 4, 64, whole.len() - 1, whole.len() - 64]);
    for length in lengths {
        fs::write(code(&kwasm), &whole[..length]).unwrap();
        run(&kwasm);
        assert_eq!(fs::read(code(&kwasm)).unwrap().len(), whole.len(), "{length}");
    }
    // Another version of kwasm signs its code in another way.
    let mark = b"kwasm-48";
    let at = whole.windows(mark.len()).position(|window| window == mark).unwrap();
    let mut foreign = whole.clone();
    foreign[at..at + mark.len()].copy_from_slice(b"kwasm-47");
    fs::write(code(&kwasm), &foreign).unwrap();
    run(&kwasm);
    assert!(fs::read(code(&kwasm)).unwrap() != foreign);
}

#[test]
fn a_cache_that_cannot_be_written_costs_only_time() {
    let kwasm = Kwasm::with_empty_cache();
    run(&kwasm);
    fs::remove_file(code(&kwasm)).unwrap();
    fs::set_permissions(folder(&kwasm), fs::Permissions::from_mode(0o500)).unwrap();
    run(&kwasm);
    fs::set_permissions(folder(&kwasm), fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn a_file_that_changed_is_never_taken_for_what_it_was() {
    let kwasm = Kwasm::with_empty_cache();
    let path = kwasm.home().join("plugin.wasm");
    for (guest, code) in [("hello", 0), ("traps", 125), ("hello", 0), ("traps", 125)] {
        fs::copy(component(guest), &path).unwrap();
        for _ in 0..2 {
            kwasm.call(["run", "./plugin.wasm"]).fails(code);
        }
    }
}

#[test]
fn where_there_can_be_no_cache_plugins_run_all_the_same() {
    let server = crate::support::seed();
    let kwasm = Kwasm::new();
    let blocked = kwasm.home().join("blocked");
    fs::write(&blocked, "a file where the cache should be").unwrap();
    let kwasm = kwasm
        .variable("XDG_CACHE_HOME", &blocked)
        .kubeconfig(server.kubeconfig(kwasm_apiserver::User::Token));
    run(&kwasm);
    let run = kwasm.run("dumps", &["/version"]).success();
    assert!(run.stdout.contains("http://192.0.2.1") && run.stdout.contains("status 200"), "{}", run.shown());
}
