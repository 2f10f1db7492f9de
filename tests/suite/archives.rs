//! Tests of archives: plugins saved in one home and loaded in another.

use std::fs;
use std::io::Read;
use std::process::Stdio;

use insta::assert_snapshot;
use kwasm::reference::Digest;

use crate::support::{Kwasm, Run, component, files, skip};

/// Returns a home with two plugins, one of which was a core module, and their archive.
fn saved() -> (Kwasm, std::path::PathBuf) {
    let kwasm = Kwasm::new();
    kwasm
        .call(["install", component("hello-core").to_str().unwrap(), "--as", "old", "--policy", "none"])
        .success();
    kwasm.call(["install", component("prints").to_str().unwrap()]).success();
    let archive = kwasm.home().join("plugins.tar");
    kwasm.call(["save", "prints", "old", "-f", archive.to_str().unwrap()]).success();
    (kwasm, archive)
}

fn plugin(kwasm: &Kwasm, name: &str) -> String {
    Run::of(kwasm.program(kwasm.links().join(format!("kubectl-{name}"))).arg("1")).success().stdout
}

#[test]
fn what_is_saved_in_one_home_runs_in_another_without_network() {
    let (there, archive) = saved();
    let here = Kwasm::with_empty_cache();
    let mut command = here.program("unshare");
    let alone = ["--user", "--map-root-user", "--net", env!("CARGO_BIN_EXE_kwasm")];
    let can = here.program("unshare").args(&alone[..3]).arg("true").output();
    if !can.is_ok_and(|output| output.status.success()) {
        skip(
            "what_is_saved_in_one_home_runs_in_another_without_network",
            "nothing can be run without network here",
        );
        return;
    }
    let run = Run::of(command.args(alone).args(["load", archive.to_str().unwrap()])).success();
    let told = |name: &str, policy: &str| {
        let archive = archive.display();
        format!(
            "hint: {name} had the policy `{policy}` where it was saved: kwasm load {archive} --policy NAME|FILE gives it another\n"
        )
    };
    assert!(
        run.stderr.contains(&told("old", "none")) && !run.stderr.contains("hint: prints"),
        "{}",
        run.shown()
    );
    assert_eq!(
        (plugin(&here, "old"), plugin(&here, "prints")),
        ("hello from kwasm: 1\n".into(), "line 1\n".into())
    );
    here.call(["doctor", "--deep"]).success();
    let list = |kwasm: &Kwasm| -> Vec<serde_json::Value> {
        serde_json::from_str(&kwasm.call(["list", "-o", "json"]).success().stdout).unwrap()
    };
    for (there, here) in list(&there).iter().zip(list(&here)) {
        for key in ["name", "digest", "source", "kind", "version"] {
            assert_eq!(there[key], here[key], "{key}");
        }
        // The person who saved it does not decide what it may do here.
        assert_eq!(here["policy"], "read-only");
    }
}

#[test]
fn the_same_plugins_make_the_same_archive_in_any_order_and_through_a_pipe() {
    let (kwasm, archive) = saved();
    let twin = kwasm.home().join("twin.tar");
    kwasm.call(["save", "old", "prints", "old", "-f", twin.to_str().unwrap()]).success();
    let archive = fs::read(archive).unwrap();
    assert!(archive == fs::read(twin).unwrap());
    let piped = kwasm.command(["save", "old", "prints", "-f", "-"]).output().unwrap();
    assert!(piped.stdout == archive && piped.stderr.is_empty());
    let here = Kwasm::new();
    let mut load =
        here.command(["-q", "load", "-", "--policy", "none"]).stdin(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut load.stdin.take().unwrap(), &archive).unwrap();
    assert!(load.wait().unwrap().success());
    assert_eq!(here.call(["list"]).stdout, "old\nprints\n");
}

#[test]
fn other_programs_read_an_archive_too() {
    let (kwasm, archive) = saved();
    let archive = format!("oci-archive:{}:prints", archive.display());
    let Ok(output) = kwasm.program("skopeo").args(["inspect", "--raw", &archive]).output() else {
        return skip("other_programs_read_an_archive_too", "there is no skopeo");
    };
    let raw = Run::from(output).success();
    let manifest: serde_json::Value = serde_json::from_str(&raw.stdout).unwrap();
    assert_eq!(manifest["config"]["mediaType"], "application/vnd.wasm.config.v0+json");
    assert_eq!(manifest["layers"][0]["annotations"]["org.opencontainers.image.title"], "prints.wasm");
    // Copied, so each digest is looked at.
    let copy = kwasm.home().join("copy");
    Run::of(kwasm.program("skopeo").args(["copy", &archive, &format!("oci:{}:x", copy.display())])).success();
    let layer = manifest["layers"][0]["digest"].as_str().unwrap().replace("sha256:", "blobs/sha256/");
    assert!(fs::read(copy.join(layer)).unwrap() == fs::read(component("prints")).unwrap());
}

#[test]
fn an_archive_is_loaded_whole_or_not_at_all() {
    let (_there, archive) = saved();
    let here = Kwasm::with_empty_cache();
    fs::create_dir_all(here.links()).unwrap();
    fs::write(here.links().join("kubectl-prints"), "theirs").unwrap();
    let run = here.call(["load", archive.to_str().unwrap()]).fails(125);
    assert!(run.stderr.contains("it already exists and is not a link to kwasm"), "{}", run.shown());
    assert_eq!(here.call(["list"]).stdout, "");
    assert_eq!(files(&here.links()), ["kubectl-prints"]);
    assert_eq!(files(&here.home().join("data")), Vec::<String>::new());
}

#[test]
fn what_is_no_archive_is_refused_with_what_helps_and_leaves_nothing() {
    let (_there, archive) = saved();
    let kwasm = Kwasm::with_empty_cache();
    let refused = |name: &str, content: &[u8]| {
        fs::write(kwasm.home().join(name), content).unwrap();
        let run = kwasm.call(["load", name]).fails(126);
        assert_eq!(files(kwasm.home()), [name], "{}", run.shown());
        fs::remove_file(kwasm.home().join(name)).unwrap();
        run.stderr
    };
    let whole = fs::read(&archive).unwrap();
    assert_snapshot!(refused("cut.tar", &whole[..whole.len() / 2]), @"kwasm: cut.tar: it is not a tar, or is cut short: unexpected end of file");
    assert_snapshot!(refused("x.tar.gz", &[0x1f, 0x8b, 8, 0]), @r"
    kwasm: x.tar.gz: it is compressed, and kwasm reads a plain tar
    hint: zcat x.tar.gz | kwasm load -, or zstdcat for zstd
    ");
    let text = refused("text.tar", &[b'x'; 1024]);
    assert!(text.starts_with("kwasm: text.tar: it is not a tar, or is cut short: "), "{text}");
    assert_snapshot!(refused("empty.tar", b""), @r"
    kwasm: empty.tar: it is not an OCI layout: it has no oci-layout
    hint: kwasm save NAME -f FILE makes one
    ");
    let mut changed = whole.clone();
    let place = whole.windows(4).position(|window| window == b"\0asm").unwrap();
    changed[place + 100] ^= 1;
    let refused = refused("changed.tar", &changed);
    assert!(refused.contains("has other content: it is sha256:"), "{refused}");
    let missing = kwasm.call(["load", "missing.tar"]).fails(127);
    assert_eq!(missing.stderr, "kwasm: missing.tar: there is no such file\n");
}

#[test]
fn what_cannot_run_is_not_loaded_and_neither_is_what_is_beside_it() {
    let (_there, archive) = saved();
    let here = Kwasm::with_empty_cache();
    let forged = here.home().join("forged.tar");
    fs::write(&forged, with_other_content(&archive, &fs::read(component("prints")).unwrap(), b"text"))
        .unwrap();
    let run = here.call(["load", forged.to_str().unwrap()]).fails(126);
    assert!(run.stderr.contains("prints.wasm: it is not WebAssembly but"), "{}", run.shown());
    assert_eq!(here.call(["list"]).stdout, "");
    assert_eq!(files(&here.home().join("data")), Vec::<String>::new());
    let run = here.call(["load", archive.to_str().unwrap(), "--policy", "missing"]).fails(2);
    assert!(run.stderr.contains("there is no policy `missing`"), "{}", run.shown());
    assert_eq!(here.call(["list"]).stdout, "");
}

/// Returns an archive that is right in itself, but for a content that was exchanged.
fn with_other_content(archive: &std::path::Path, content: &[u8], other: &[u8]) -> Vec<u8> {
    let mut names = vec![(Digest::of(content), Digest::of(other), content.len(), other.len())];
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    for entry in tar::Archive::new(fs::File::open(archive).unwrap()).entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        files.push((entry.path().unwrap().to_str().unwrap().to_owned(), bytes));
    }
    // What names an exchanged content is exchanged itself: the manifest, and then the index.
    for _ in 0..3 {
        for (path, bytes) in &mut files {
            let mut new = if *bytes == content { other.to_vec() } else { bytes.clone() };
            if let Ok(text) = String::from_utf8(new.clone()) {
                let exchanged = names.iter().fold(text, |text, (was, is, was_long, is_long)| {
                    if !text.contains(&was.to_string()) {
                        return text;
                    }
                    let size = |length: &usize| format!("\"size\":{length}");
                    text.replace(&was.to_string(), &is.to_string()).replace(&size(was_long), &size(is_long))
                });
                new = exchanged.into_bytes();
            }
            if path.starts_with("blobs/") && new != *bytes {
                names.push((Digest::of(bytes), Digest::of(&new), bytes.len(), new.len()));
                *path = format!("blobs/sha256/{}", Digest::of(&new).hex());
            }
            *bytes = new;
        }
    }
    let mut tar = tar::Builder::new(Vec::new());
    for (path, bytes) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        tar.append_data(&mut header, path, bytes.as_slice()).unwrap();
    }
    tar.into_inner().unwrap()
}

#[test]
fn what_is_damaged_is_not_saved() {
    let (kwasm, archive) = saved();
    fs::remove_file(&archive).unwrap();
    let blobs = kwasm.home().join("data/blobs/sha256");
    for blob in files(&blobs) {
        let mut content = fs::read(blobs.join(&blob)).unwrap();
        content[9] ^= 1;
        fs::write(blobs.join(&blob), content).unwrap();
    }
    let run = kwasm.call(["save", "old", "-f", archive.to_str().unwrap()]).fails(126);
    assert!(run.stderr.contains("its content has changed"), "{}", run.shown());
    assert!(!archive.exists());
    kwasm.call(["save", "old", "missing", "-f", "x.tar"]).fails(127);
    assert!(!kwasm.home().join("x.tar").exists());
}

#[test]
fn an_archive_that_cannot_be_written_is_told_and_leaves_nothing() {
    let (kwasm, _) = saved();
    let run = kwasm.call(["save", "old", "-f", "missing/x.tar"]).fails(125);
    assert!(run.stderr.starts_with("kwasm: missing/x.tar: it cannot be written to: "), "{}", run.shown());
    fs::create_dir(kwasm.home().join("folder")).unwrap();
    kwasm.call(["save", "old", "-f", "folder"]).fails(125);
    let left = files(kwasm.home()).into_iter().filter(|file| file.contains(".new")).count();
    assert_eq!(left, 0);
}
