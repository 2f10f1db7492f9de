//! Tests of files on the user's disk: compiled code of another user, a grant of another plugin. The tests of
//! both with all defences are in `tests/suite/code_cache.rs` and `plugin_lifecycle.rs`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use kwasm_apiserver::User;

use crate::support::{Kwasm, Run, component, files, kubeconfig, seed};

/// Returns the one file of machine code in a cache.
fn code(cache: &Path) -> PathBuf {
    let folder = cache.join("kwasm/compiled");
    folder.join(&files(&folder)[0])
}

/// Puts the code of another guest, which traps, in the place of that of `prints`, and lets everyone write it
/// or enter its folder.
fn planted(open: &str, by: impl FnOnce(Kwasm) -> Kwasm) -> Run {
    let kwasm = Kwasm::with_empty_cache();
    let cache = kwasm.home().join("cache");
    kwasm.run("prints", &["1"]).success();
    let other = Kwasm::with_empty_cache();
    other.run("traps", &[]).fails(125);
    fs::copy(code(&other.home().join("cache")), code(&cache)).unwrap();
    let (path, mode) = match open {
        "file" => (code(&cache), 0o622),
        "folder" => (cache.join("kwasm/compiled"), 0o777),
        _ => (code(&cache), 0o600),
    };
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    by(kwasm).run("prints", &["1"])
}

#[test]
fn planting_compiled_code_in_the_cache() {
    let ordinary = |kwasm: Kwasm| kwasm.variable("KWASM_WITHOUT", "cache-owner");
    let without = |kwasm: Kwasm| kwasm.without("cache-owner");
    for run in [planted("file", ordinary), planted("file", Kwasm::faulty)] {
        assert_eq!(run.success().stdout, "line 1\n");
    }
    for run in [planted("folder", ordinary), planted("folder", Kwasm::faulty)] {
        assert!(run.fails(125).stderr.contains("it is open to others"));
    }
    for open in ["file", "folder"] {
        assert_eq!(planted(open, without).fails(125).stdout, "trapping\n");
    }
    // Who can write as the user is the user: it is taken for what kwasm itself wrote.
    assert_eq!(planted("nothing", |kwasm| kwasm).fails(125).stdout, "trapping\n");
}

/// Installs `second` under the name that `first` was installed by with the policy `cluster`, and without a word about its own.
fn installed_over(first: &str, second: &str, by: impl FnOnce(Kwasm) -> Kwasm) -> (Kwasm, Run) {
    let kwasm = by(Kwasm::new());
    let install = |guest: &str| -> Vec<String> {
        ["install", component(guest).to_str().unwrap(), "--as", "x"].map(str::to_owned).into()
    };
    kwasm.call([install(first), vec!["--policy".to_owned(), "cluster".to_owned()]].concat()).success();
    let run = kwasm.call(install(second));
    (kwasm, run)
}

#[test]
fn claiming_the_identity_of_another_plugin() {
    let server = seed();
    let (first, second) = ("dials", "reads-secrets");
    for by in [|kwasm: Kwasm| kwasm.variable("KWASM_WITHOUT", "identity"), Kwasm::faulty] {
        let (kwasm, run) = installed_over(first, second, by);
        assert!(run.fails(2).stderr.contains("x: it is not decided what it may do"));
        // The one that was there is unchanged.
        let shown = kwasm.call(["inspect", "x"]).success().stdout;
        assert!(shown.contains(component(first).to_str().unwrap()), "{shown}");
    }
    let reads = |kwasm: Kwasm| {
        let run = kwasm.kubeconfig(kubeconfig(&server, User::Certificate)).call(["run", "x"]);
        assert!(run.success().stdout.contains("done: status 200"));
    };
    let (kwasm, run) = installed_over(first, second, |kwasm| kwasm.without("identity"));
    run.success();
    reads(kwasm);
    // The same source again keeps what it was granted.
    let (kwasm, run) = installed_over(second, second, |kwasm| kwasm);
    run.success();
    reads(kwasm);
}
