//! Tests that machine code is mapped only if no one but the user could have written it.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::core_modules::wat;
use crate::support::{Kwasm, Running, component, files};

fn folder(kwasm: &Kwasm) -> PathBuf {
    kwasm.home().join("cache/kwasm/compiled")
}

/// Returns the one file of machine code.
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
    let printed = || kwasm.run("prints", &["1"]).success().stdout;
    assert_eq!(printed(), "line 1\n");
    // The code of another guest that imports the same, under this one's name: were it run, it would trap.
    let other = Kwasm::with_empty_cache();
    other.run("traps", &[]).fails(125);
    fs::copy(code(&other), code(&kwasm)).unwrap();
    kwasm.run("prints", &["1"]).fails(125);
    fs::set_permissions(code(&kwasm), fs::Permissions::from_mode(0o622)).unwrap();
    assert_eq!(printed(), "line 1\n");
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

/// Returns a core module of this many functions, each of which takes noticeable time to compile.
fn large(functions: usize) -> String {
    let additions =
        "(i32.add (i32.mul (local.get 0) (i32.const 3)) (i32.load (local.get 0))) (local.set 0)".repeat(400);
    let function = format!("(func (param i32) (result i32) {additions} (local.get 0))");
    format!(
        r#"(module (memory (export "memory") 1) (func (export "_start")) {})"#,
        function.repeat(functions)
    )
}

#[test]
fn what_does_not_compile_is_remembered_and_said_again_in_the_same_words() {
    let kwasm = Kwasm::with_empty_cache();
    // Valid but for its last function, and so found out last.
    let text = large(20).replacen("(module", "(module (func (result i32))", 1);
    let path = wat(&kwasm, "broken", &text);
    let first = kwasm.call(["run", path.to_str().unwrap()]).fails(126);
    let kept = files(&folder(&kwasm));
    assert!(kept.len() == 1 && kept[0].ends_with(".verdict"), "{kept:?}");
    assert_eq!(mode(&folder(&kwasm).join(&kept[0])), 0o600);
    let verdict = fs::read(folder(&kwasm).join(&kept[0])).unwrap();
    // A changed text shows that it is read from the file, and not determined again.
    let other = String::from_utf8(verdict.clone()).unwrap().replace("type mismatch", "as remembered");
    assert!(first.stderr.contains("type mismatch"), "{}", first.shown());
    fs::write(folder(&kwasm).join(&kept[0]), other).unwrap();
    let again = kwasm.call(["run", path.to_str().unwrap()]).fails(126);
    assert_eq!(again.stderr, first.stderr.replace("type mismatch", "as remembered"));
    // A verdict found by other rules, e.g. those of another kwasm, does not count.
    let foreign =
        String::from_utf8(verdict.clone()).unwrap().replace("\"rules\":\"kwasm ", "\"rules\":\"kwasm 9");
    assert_ne!(foreign.as_bytes(), verdict);
    fs::write(folder(&kwasm).join(&kept[0]), foreign).unwrap();
    assert_eq!(kwasm.call(["run", path.to_str().unwrap()]).fails(126).stderr, first.stderr);
    // One that others could have written is not believed.
    fs::set_permissions(folder(&kwasm).join(&kept[0]), fs::Permissions::from_mode(0o666)).unwrap();
    let anew = kwasm.call(["run", path.to_str().unwrap()]).fails(126);
    assert_eq!(anew.stderr, first.stderr);
    assert_eq!(fs::read(folder(&kwasm).join(&kept[0])).unwrap(), verdict);
}

#[test]
fn code_that_no_installed_plugin_needs_is_bounded_and_the_longest_unused_goes_first() {
    let kwasm = Kwasm::with_empty_cache();
    kwasm.call(["install", component("hello").to_str().unwrap()]).success();
    let installed = code(&kwasm);
    // Three that were run some days ago, of more than the budget together.
    let old = |name: &str, days: u64| {
        let path = folder(&kwasm).join(name);
        let file = fs::File::create(&path).unwrap();
        file.set_len(200 << 20).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_hours(days * 24)).unwrap();
        path
    };
    let (oldest, older, newer) = (old("a.cwasm", 9), old("b.cwasm", 8), old("c.cwasm", 7));
    let ancient = SystemTime::now() - Duration::from_hours(2400);
    fs::File::options().append(true).open(&installed).unwrap().set_modified(ancient).unwrap();
    kwasm.run("traps", &[]).fails(125);
    assert_eq!(
        [&installed, &oldest, &older, &newer].map(|path| path.exists()),
        [true, false, true, true],
        "{:?}",
        files(&folder(&kwasm))
    );
    // A used file counts as recent again.
    crate::support::Run::of(&mut kwasm.program(kwasm.links().join("kubectl-hello"))).success();
    assert!(fs::metadata(&installed).unwrap().modified().unwrap() > ancient + Duration::from_hours(24));
}

#[test]
fn doctor_says_how_much_the_caches_take_and_empties_them() {
    let kwasm = Kwasm::with_empty_cache();
    kwasm.call(["install", component("hello").to_str().unwrap()]).success();
    let installed = code(&kwasm);
    kwasm.run("traps", &[]).fails(125);
    assert_eq!(files(&folder(&kwasm)).len(), 2);
    let page = kwasm.call(["doctor"]);
    assert!(page.stdout.contains("of compiled code, 0 B of downloads"), "{}", page.shown());
    let cleaned = kwasm.call(["doctor", "--clean"]);
    assert!(
        cleaned.stderr.contains("removed ") && cleaned.stderr.contains(" from the caches\n"),
        "{}",
        cleaned.shown()
    );
    assert_eq!(code(&kwasm), installed);
    assert_eq!(files(&kwasm.home().join("cache/kwasm/seen")), Vec::<String>::new());
}

/// Files that are not kwasm's own must not be removed by it.
#[test]
fn doctor_empties_no_folder_behind_a_link_and_removes_no_foreign_file() {
    let kwasm = Kwasm::with_empty_cache();
    run(&kwasm);
    fs::write(folder(&kwasm).join("notes.txt"), "mine").unwrap();
    kwasm.call(["doctor", "--clean"]);
    assert_eq!(files(&folder(&kwasm)), ["notes.txt"]);
    let other = kwasm.home().join("other");
    fs::rename(folder(&kwasm), &other).unwrap();
    fs::write(other.join("thesis.wasm"), "mine").unwrap();
    symlink(&other, folder(&kwasm)).unwrap();
    symlink(&other, kwasm.home().join("cache/kwasm/fetched")).unwrap();
    let refused = kwasm.call(["doctor", "--clean"]).fails(125);
    assert!(refused.stderr.contains("it is not a folder"), "{}", refused.shown());
    // All that is looked at is reported all the same.
    assert!(refused.stdout.starts_with("CHECK"), "{}", refused.shown());
    assert_eq!(files(&other), ["notes.txt", "thesis.wasm"]);
}

#[test]
fn a_broken_receipt_keeps_nothing_from_being_removed() {
    let kwasm = Kwasm::with_empty_cache();
    kwasm.call(["install", component("hello").to_str().unwrap()]).success();
    kwasm.call(["install", component("prints").to_str().unwrap()]).success();
    fs::write(kwasm.home().join("data/plugins/prints/receipt.json"), "{").unwrap();
    kwasm.run("traps", &[]).fails(125);
    assert_eq!(files(&folder(&kwasm)).len(), 3);
    let cleaned = kwasm.call(["doctor", "--clean"]).fails(125);
    assert!(cleaned.stderr.starts_with("removed "), "{}", cleaned.shown());
    assert_eq!(files(&folder(&kwasm)).len(), 1);
}

#[test]
fn compiling_ends_at_its_bounds_and_leaves_nothing() {
    for (variable, value, said) in [
        (
            "KWASM_COMPILE_MEMORY",
            "8Mi",
            "compiling it takes more than 8 MiB of memory, and was stopped\nhint: KWASM_COMPILE_MEMORY=16Mi in the environment allows more\n",
        ),
        (
            "KWASM_COMPILE_TIME",
            "1s",
            "compiling it takes longer than 1 s, and was stopped\nhint: KWASM_COMPILE_TIME=2s in the environment allows more\n",
        ),
    ] {
        let kwasm = Kwasm::with_empty_cache().variable(variable, value);
        let path = wat(&kwasm, "large", &large(1000));
        for verb in ["install", "run"] {
            let run = kwasm.call([verb, path.to_str().unwrap()]).fails(126);
            assert_eq!(run.stderr, format!("kwasm: large: {said}"), "{}", run.shown());
        }
        assert_eq!(files(&folder(&kwasm)), Vec::<String>::new());
        assert!(!kwasm.home().join("data/plugins/large").exists());
        let nonsense = kwasm.variable(variable, "much").call(["run", path.to_str().unwrap()]).fails(2);
        assert!(
            nonsense.stderr.starts_with(&format!("kwasm: {variable}: its value is not ")),
            "{}",
            nonsense.shown()
        );
    }
}

#[test]
fn the_user_ends_a_compilation_which_leaves_nothing() {
    // Sooner where this machine has compiled it before the signal.
    let ended = [1000, 500, 250, 125].into_iter().any(|delay| {
        let kwasm = Kwasm::with_empty_cache();
        let path = wat(&kwasm, "large", &large(1000));
        // A test that runs in the background of a shell inherits that Ctrl-C is ignored.
        let mut command = kwasm.program("env");
        command.arg("--default-signal=INT").arg(kwasm.command([""; 0]).get_program());
        command.args(["install", path.to_str().unwrap()]);
        let running = Running::of(command);
        std::thread::sleep(Duration::from_millis(delay));
        running.signal("INT");
        let ended = running.end().code != Some(0);
        if ended {
            assert_eq!(files(&folder(&kwasm)), Vec::<String>::new());
            assert_eq!(files(&kwasm.home().join("data")), Vec::<String>::new());
        }
        ended
    });
    assert!(ended, "it was installed each time");
}

#[test]
fn a_compilation_that_takes_long_is_shown_on_a_terminal_by_its_functions() {
    let kwasm = Kwasm::with_empty_cache().variable("TERM", "xterm");
    let path = wat(&kwasm, "large", &large(1000));
    let mut command = kwasm.command(["install", path.to_str().unwrap()]);
    let (code, shown) = crate::support::on_terminal(&mut command, 80);
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("large  compiling [") && shown.contains("/1001 functions"), "{shown:?}");
    // A plugin that is quick to compile, on a busy machine too, gets no line.
    let small = wat(&kwasm, "small", &large(1));
    let mut command = kwasm.command(["install", small.to_str().unwrap()]);
    let (_, shown) = crate::support::on_terminal(&mut command, 80);
    assert!(!shown.contains("compiling"), "{shown:?}");
}
