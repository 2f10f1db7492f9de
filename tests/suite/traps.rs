//! What is said of a plugin that traps: where it was, by the names and lines of its source.

use std::fmt::Write as _;
use std::fs;

use crate::core_modules::wat;
use crate::support::{Kwasm, Run, component, files};

/// The message of a trap by the instruction `unreachable`.
const UNREACHABLE: &str = "kwasm: the plugin trapped: wasm trap: wasm `unreachable` instruction executed";

/// Runs a core module of the functions `names`, each of which calls the one before it, the first of which traps.
fn trapping(kwasm: &Kwasm, names: &[&str], options: &[&str]) -> Run {
    let functions: Vec<String> = names
        .iter()
        .enumerate()
        .map(|(number, name)| match number {
            0 => format!("(func $\"{name}\" (unreachable))"),
            number => format!("(func $\"{name}\" (call {}))", number - 1),
        })
        .collect();
    let start = names.len() - 1;
    let text = format!("(module {} (export \"_start\" (func {start})))", functions.concat());
    let path = wat(kwasm, "trapping", &text);
    kwasm.call([&["run"], options, &[path.to_str().unwrap()]].concat()).fails(125)
}

#[test]
fn the_innermost_functions_are_named_as_in_their_source() {
    let names = [
        "_ZN3std7process5abort17h0123456789abcdefE",
        "_ZN7podtool4list17h0123456789abcdefE",
        "_RNvC7podtool3run",
        "_ZN5space3fooEi",
        "main.main",
        "_start",
    ];
    let run = trapping(&Kwasm::new(), &names, &[]);
    assert_eq!(
        run.stderr,
        format!(
            "{UNREACHABLE}: in podtool::list, called by podtool::run, space::foo(int)\n\
             hint: kwasm run -v shows all calls that were under way\n"
        )
    );
    let run = trapping(&Kwasm::new(), &names, &["-v"]);
    let (calls, message) = run.stderr.split_once(UNREACHABLE).unwrap();
    insta::assert_snapshot!(without_offsets(calls), @r"
    call 0: std::process::abort
    call 1: podtool::list
    call 2: podtool::run
    call 3: space::foo(int)
    call 4: main.main
    call 5: _start
    ");
    assert_eq!(message, ": in podtool::list, called by podtool::run, space::foo(int)\n");
}

fn without_offsets(calls: &str) -> String {
    calls.lines().map(|line| line.split(" at 0x").next().unwrap()).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_plugin_without_names_is_reported_as_before_and_its_calls_by_number() {
    let run = Kwasm::new().run("computes", &["1", "--panic"]).fails(125);
    assert_eq!(run.stderr.lines().last(), Some(UNREACHABLE), "{}", run.shown());
    let kwasm = Kwasm::new();
    let path = component("computes");
    let run = kwasm.call(["run", "-v", path.to_str().unwrap(), "--", "1", "--panic"]).fails(125);
    assert!(run.stderr.contains("\ncall 0: function "), "{}", run.shown());
}

#[test]
fn a_plugin_with_dwarf_is_reported_with_file_and_line() {
    for guest in ["computes-debug", "computes-core-debug"] {
        let run = Kwasm::new().run(guest, &["1", "--panic"]).fails(125);
        let line = run.stderr.lines().find(|line| line.starts_with(UNREACHABLE)).unwrap();
        let place = |line: &str, function: &str| {
            let source = include_str!("../guests/src/bin/ordinary/computes.rs");
            let number = source.lines().position(|text| text.contains(line)).unwrap() + 1;
            format!("{function} (src/bin/ordinary/computes.rs:{number}:")
        };
        // Whether cargo gives the compiler an absolute path depends on the folder.
        let line = line.replace(&format!("{}/", env!("CARGO_MANIFEST_DIR")), "").replace("tests/guests/", "");
        let thrown = place("panic!(", "computes::give_up");
        // A function that was inlined has no path, in line tables alone.
        let called = place("give_up(millions);", "main");
        assert!(line.contains(&format!(": in {thrown}")), "{thrown}: {line}");
        assert!(line.contains(&format!(", called by {called}")), "{called}: {line}");
        // The program's own account of it comes first.
        assert!(run.stderr.contains("computed for 1 million rounds"), "{}", run.shown());
        let all = Kwasm::new();
        let path = component(guest);
        let all = all.call(["run", "-v", path.to_str().unwrap(), "--", "1", "--panic"]).fails(125);
        assert!(all.stderr.contains(": std::panicking::"), "{}", all.shown());
        assert!(!all.stderr.contains("hint: "), "{}", all.shown());
    }
}

/// Compiled code is kept on disk for each plugin, and mapped at each start.
#[test]
fn compiled_code_holds_no_dwarf_whatever_wasmtimes_variable_says() {
    let kwasm = Kwasm::with_empty_cache().variable("WASMTIME_BACKTRACE_DETAILS", "1");
    kwasm.run("computes-debug", &["1"]).success();
    let folder = kwasm.cache().join("kwasm/compiled");
    let code = || {
        let names = files(&folder);
        assert_eq!(names.len(), 1, "{names:?}");
        folder.join(&names[0])
    };
    let source = b"src/bin/ordinary/computes.rs";
    // A panic's message has the path too, once; DWARF would have that of each function.
    let contains = |bytes: &[u8], part: &[u8]| bytes.windows(part.len()).any(|at| at == part);
    let plugin = fs::read(component("computes-debug")).unwrap();
    assert!(contains(&plugin, source) && contains(&plugin, b".debug_line"));
    let compiled = fs::read(code()).unwrap();
    assert!(!contains(&compiled, b".wasmtime.dwarf") && contains(&compiled, b"computes"));
    let written = fs::metadata(code()).unwrap().modified().unwrap();
    drop(Run::of(kwasm.guest("computes-debug", &["1"]).env_remove("WASMTIME_BACKTRACE_DETAILS")).success());
    assert_eq!(fs::metadata(code()).unwrap().modified().unwrap(), written, "the same code fits both");
}

#[test]
fn a_limit_of_the_stack_is_reported_with_the_calls_that_took_it() {
    let kwasm = Kwasm::new();
    let path = wat(&kwasm, "deep", r#"(module (func $down (export "_start") (call $down)))"#);
    let run = kwasm.call(["run", "-v", path.to_str().unwrap()]).fails(125);
    assert!(
        run.stderr.starts_with("call 0: down, 64 times\nkwasm: the plugin ran into a limit: "),
        "{}",
        run.shown()
    );
    let run = kwasm.call(["run", path.to_str().unwrap()]).fails(125);
    assert!(run.stderr.starts_with("kwasm: the plugin ran into a limit: "), "{}", run.shown());
}

/// Names that would become gigabytes, or that are long already.
#[test]
fn hostile_names_neither_grow_nor_fill_the_screen() {
    // Of C++: each parameter is a template of the one before, ten times.
    let mut growing = format!("_Z1f1AI{}E", "i".repeat(10));
    for level in 0..10 {
        write!(growing, "S_I{}E", format!("S{level}_").repeat(10)).unwrap();
    }
    let kwasm = Kwasm::new();
    // WebAssembly's names have at most 100,000 bytes.
    for name in [growing, "x".repeat(90_000), format!("_ZN{}E", "1a".repeat(45_000))] {
        for options in [&[][..], &["-v"]] {
            let run = trapping(&kwasm, &[&name, "main.main"], options);
            assert!(run.stderr.len() < 3000, "{}", run.stderr.len());
            assert!(run.stderr.contains("main.main") && run.stderr.contains('…'), "{}", run.shown());
        }
    }
}

#[test]
fn broken_dwarf_names_no_lines() {
    let kwasm = Kwasm::new();
    let sections = [
        r#"(@custom ".debug_info" "\ff\ff\ff\ff\ff\ff\ff\ff") (@custom ".debug_abbrev" "\01\11\01")"#,
        r#"(@custom ".debug_info" "\07\00\00\00\04\00\00\00\00\00\04") (@custom ".debug_line" "\ff")"#,
    ];
    for sections in sections {
        let text = format!(r#"(module (func $main (export "_start") (unreachable)) {sections})"#);
        let path = wat(&kwasm, "broken", &text);
        let run = kwasm.call(["run", path.to_str().unwrap()]).fails(125);
        assert_eq!(run.stderr, format!("{UNREACHABLE}: in main\n"));
    }
}
