//! Tests of granted folders: a guest stays in them, changes none that it may only read, and gets none that holds
//! credentials or is not where its path says.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use tempfile::TempDir;

use super::Attempt;

/// Folders of a user: `granted` to be read, `writable` to be changed, `outside` of both, and a `home`.
struct Disk(TempDir);

impl Disk {
    fn new() -> Self {
        let disk = Self(tempfile::tempdir().unwrap());
        for folder in ["granted", "writable"] {
            fs::create_dir_all(disk.path(folder).join("empty")).unwrap();
            fs::create_dir(disk.path(folder).join("inner")).unwrap();
            for file in ["kept", "moved", "removed"] {
                fs::write(disk.path(folder).join(file), file).unwrap();
            }
        }
        for folder in ["outside", "home/.kube", "home/work"] {
            fs::create_dir_all(disk.path(folder)).unwrap();
        }
        fs::write(disk.path("outside/diary"), "dear diary").unwrap();
        fs::write(disk.path("home/.kube/config"), "users: []  # hunter2").unwrap();
        fs::write(disk.path("home/work/kept"), "kept").unwrap();
        disk
    }

    /// Returns the real path of something, by which it is granted and read.
    fn path(&self, path: &str) -> PathBuf {
        self.0.path().canonicalize().unwrap().join(path)
    }

    fn at(&self, path: &str) -> String {
        self.path(path).to_str().unwrap().to_owned()
    }

    /// Returns the attempt of a guest that may read `granted` and change `writable`.
    fn attempt(&self, guest: &'static str, arguments: &[&str]) -> Attempt<'static> {
        let (granted, writable) = (self.at("granted"), self.at("writable"));
        let spec = format!("{{files: [{{path: {granted}}}, {{path: {writable}, access: read-write}}]}}");
        Attempt::of(guest).spec(&spec).with(arguments)
    }
}

#[test]
fn climbing_out_of_a_granted_folder() {
    let disk = Disk::new();
    for guest in ["climbs-out-of-folder", "climbs-out-of-folder-core"] {
        disk.attempt(guest, &[&disk.at("granted/../outside/diary")])
            .fails("Operation not permitted")
            .succeeds_without("folders", "dear diary")
            .twin(&[&disk.at("granted/inner/../kept")]);
    }
}

#[test]
fn following_a_link_out_of_a_granted_folder() {
    let disk = Disk::new();
    symlink("../outside/diary", disk.path("granted/out")).unwrap();
    symlink("../kept", disk.path("granted/inner/in")).unwrap();
    for guest in ["follows-a-link", "follows-a-link-core"] {
        disk.attempt(guest, &[&disk.at("granted/out")])
            .fails("Operation not permitted")
            .succeeds_without("folders", "dear diary")
            .twin(&[&disk.at("granted/inner/in")]);
    }
}

#[test]
fn planting_a_link_in_a_granted_folder() {
    let disk = Disk::new();
    disk.attempt("plants-a-link", &[&disk.at("writable"), "../outside/diary"])
        .fails("Operation not permitted")
        .succeeds_without("folders", "dear diary")
        .twin(&[&disk.at("writable"), "kept"]);
}

#[test]
fn changing_a_folder_that_may_only_be_read() {
    let ways = [
        "overwrite",
        "append",
        "truncate",
        "set times",
        "create",
        "make a folder",
        "link",
        "rename",
        "remove",
        "remove a folder",
    ];
    // Each of them is open to a guest that may.
    let all = ways.map(|way| format!("{way}: changed")).join("; ");
    for guest in ["writes-read-only", "writes-read-only-core"] {
        let disk = Disk::new();
        let failing = disk.attempt(guest, &[&disk.at("granted")]).fails("overwrite: Operation not permitted");
        assert_eq!(fs::read_to_string(disk.path("granted/kept")).unwrap(), "kept");
        assert_eq!(fs::read_dir(disk.path("granted")).unwrap().count(), 5);
        failing.succeeds_without("read-only-folders", &all).twin(&[&disk.at("writable")]);
    }
}

#[test]
fn changing_a_file_under_another_name() {
    for guest in ["links-to-write", "links-to-write-core"] {
        let disk = Disk::new();
        let failing = disk
            .attempt(guest, &[&disk.at("granted/kept"), &disk.at("writable/linked")])
            .fails("Operation not permitted");
        assert_eq!(fs::read_to_string(disk.path("granted/kept")).unwrap(), "kept");
        failing
            .succeeds_without("read-only-folders", "overwritten")
            .twin(&[&disk.at("writable/kept"), &disk.at("writable/another")]);
    }
}

#[test]
fn reading_the_kubeconfig_in_a_granted_home_directory() {
    let disk = Disk::new();
    Attempt::of("reads-guarded-folder")
        .variable("HOME", disk.at("home"))
        .spec("{files: [{path: \"~\"}]}")
        .with(&[&disk.at("home/.kube/config")])
        .fails_with(126, ".kube/config, which may hold credentials")
        .succeeds_without("guarded-folders", "hunter2")
        .spec("{files: [{path: ~/work}]}")
        .twin(&[&disk.at("home/work/kept")]);
}

#[test]
fn getting_a_folder_that_the_guests_own_request_does_not_name() {
    let disk = Disk::new();
    let (granted, outside) = (disk.at("granted"), disk.at("outside"));
    Attempt::of("follows-a-link")
        .spec(&format!("{{files: [{{path: {granted}}}, {{path: {outside}}}]}}"))
        .requesting(&format!("{{files: [{{path: {granted}, access: read-write}}]}}"))
        .with(&[&disk.at("outside/diary")])
        .fails("No such file or directory")
        .succeeds_without("requested-files", "dear diary")
        .twin(&[&disk.at("granted/kept")]);
}

#[test]
fn getting_another_folder_by_a_link_in_the_place_of_a_granted_one() {
    let disk = Disk::new();
    symlink("../outside", disk.path("home/notes")).unwrap();
    symlink("work", disk.path("home/project")).unwrap();
    Attempt::of("follows-a-link")
        .variable("HOME", disk.at("home"))
        .spec("{files: [{path: ~/notes}]}")
        .with(&[&disk.at("home/notes/diary")])
        .fails_with(126, "~/notes: a link on its way leads to ")
        .succeeds_without("folder-places", "dear diary")
        .spec("{files: [{path: ~/project}]}")
        .twin(&[&disk.at("home/project/kept")]);
}
