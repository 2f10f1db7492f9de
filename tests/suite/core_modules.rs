//! Core modules of WASI's preview 1 run as they are, in the same sandbox as components.

use std::fs;
use std::path::PathBuf;

use crate::support::{Kwasm, Run, component};

/// Writes a module or component that is given as text into the home.
pub(crate) fn wat(kwasm: &Kwasm, name: &str, text: &str) -> PathBuf {
    let path = kwasm.home().join(format!("{name}.wasm"));
    fs::write(&path, wat::parse_str(text).unwrap()).unwrap();
    path
}

/// Returns a core module whose main function is this.
fn main(imports: &str, body: &str) -> String {
    format!(r#"(module {imports} (memory (export "memory") 1) (func (export "_start") {body}))"#)
}

const EXIT: &str = r#"(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))"#;

#[test]
fn a_module_keeps_its_own_exit_code_to_the_last_that_a_process_has() {
    let kwasm = Kwasm::new();
    for (code, ends) in
        [(0, 0), (1, 1), (3, 3), (10, 10), (125, 125), (126, 126), (255, 255), (256, 1), (-1, 1)]
    {
        let path = wat(&kwasm, "exits", &main(EXIT, &format!("(call $exit (i32.const {code}))")));
        let run = kwasm.call(["run", path.to_str().unwrap()]).fails(ends);
        assert_eq!(run.stderr, "", "{code}");
    }
}

#[test]
fn a_module_that_was_installed_runs_as_it_was_fetched() {
    let kwasm = Kwasm::new();
    let source = component("hello-core");
    kwasm.call(["install", source.to_str().unwrap(), "--as", "core"]).success();
    let run = Run::of(&mut kwasm.program(kwasm.links().join("kubectl-core"))).success();
    assert_eq!(run.stdout, "hello from kwasm\n");
    let listed: serde_json::Value =
        serde_json::from_str(&kwasm.call(["list", "-o", "json"]).success().stdout).unwrap();
    let blob = kwasm
        .home()
        .join("data/blobs/sha256")
        .join(&listed[0]["digest"].as_str().unwrap()["sha256:".len()..]);
    assert_eq!(fs::read(blob).unwrap(), fs::read(source).unwrap());
    assert_eq!(listed[0]["kind"], "core");
}

/// An earlier kwasm made a component of a core module, kept both, and ran the component.
#[test]
fn a_module_that_an_earlier_kwasm_made_a_component_of_runs_as_it_was_fetched() {
    let kwasm = Kwasm::new();
    let module = wat(&kwasm, "exits", &main(EXIT, "(call $exit (i32.const 42))"));
    kwasm.call(["install", module.to_str().unwrap()]).success();
    // A component with that digest is in its place, and is not what runs.
    let other = component("hello");
    kwasm.call(["install", other.to_str().unwrap()]).success();
    let receipt = |name: &str| kwasm.home().join(format!("data/plugins/{name}/receipt.json"));
    let read = |name: &str| -> serde_json::Value {
        serde_json::from_slice(&fs::read(receipt(name)).unwrap()).unwrap()
    };
    let (mut old, component) = (read("exits"), read("hello"));
    old["digest"] = component["digest"].clone();
    old["size"] = component["size"].clone();
    old["inspected"] = component["inspected"].clone();
    fs::write(receipt("exits"), old.to_string()).unwrap();
    Run::of(&mut kwasm.program(kwasm.links().join("kubectl-exits"))).fails(42);
    let page = kwasm.call(["inspect", "exits"]).success().stdout;
    assert!(page.contains("wasi_snapshot_preview1: proc_exit"), "{page}");
}

#[test]
fn a_trap_and_a_limit_of_a_module_are_reported_as_those_of_a_component() {
    let kwasm = Kwasm::new();
    for (name, body, said) in [
        (
            "traps",
            "unreachable",
            "kwasm: the plugin trapped: wasm trap: wasm `unreachable` instruction executed\n",
        ),
        ("recurses", "(call 0)", "kwasm: the plugin ran into a limit: its calls are nested deeper than the "),
        (
            "grows",
            "(loop (br_if 0 (i32.ge_s (memory.grow (i32.const 1000)) (i32.const 0)))) unreachable",
            "kwasm: the plugin ran into a limit: it needed more than 512 MiB of memory\nhint: a policy with `limits: {memory: 1Gi}`",
        ),
    ] {
        let path = wat(&kwasm, name, &main("", body));
        let run = kwasm.call(["run", path.to_str().unwrap()]).fails(125);
        assert!(run.stderr.starts_with(said), "{}", run.shown());
    }
}

/// Objects that the host collects lie in a memory as well.
#[test]
fn a_module_that_fills_memory_with_objects_runs_into_the_limit_of_memory() {
    let kwasm = Kwasm::new().spec("{limits: {memory: 64Mi}}");
    let text = r#"(module
        (type $bytes (array (mut i8)))
        (type $node (struct (field (ref null $node)) (field (ref $bytes))))
        (func (export "_start") (local $last (ref null $node))
            (loop (local.set $last (struct.new $node (local.get $last) (array.new_default $bytes (i32.const 1000000)))) (br 0))))"#;
    let path = wat(&kwasm, "collects", text);
    let run = kwasm.call([
        "run",
        path.to_str().unwrap(),
        "--policy",
        kwasm.home().join("policy.yaml").to_str().unwrap(),
    ]);
    let run = run.fails(125);
    assert!(run.stderr.contains("it needed more than 64 MiB of memory"), "{}", run.shown());
}

#[test]
fn the_stack_is_as_deep_as_the_policy_says() {
    let text = main(
        r"(func $down (param i32) (if (local.get 0) (then (call $down (i32.sub (local.get 0) (i32.const 1))))))",
        "(call $down (i32.const 40000))",
    );
    let run = |stack: &str| {
        let kwasm = Kwasm::new().spec(&format!("{{limits: {{stack: {stack}}}}}"));
        let (path, policy) = (wat(&kwasm, "deep", &text), kwasm.home().join("policy.yaml"));
        kwasm.call(["run", path.to_str().unwrap(), "--policy", policy.to_str().unwrap()])
    };
    run("8Mi").success();
    let refused = run("64Ki").fails(125);
    assert_eq!(
        refused.stderr,
        "kwasm: the plugin ran into a limit: its calls are nested deeper than the 64 KiB of stack that it has\n\
         hint: a policy with `limits: {stack: 128Ki}` raises it: --policy FILE\n"
    );
}

#[test]
fn a_component_is_made_of_a_module_for_publishing_only_when_asked_and_with_a_warning() {
    let test = "core_modules::a_component_is_made_of_a_module";
    let Some(registry) = crate::support::registry(test, &[]) else { return };
    let kwasm = registry.kwasm();
    let source = component("hello-core");
    let target = |name: &str| format!("{}:1.0.0", registry.repository(&kwasm, name));
    let publish = |name: &str, options: &[&str]| {
        kwasm.call([&["publish", source.to_str().unwrap(), &target(name)], options].concat()).success()
    };
    let as_it_is = publish("core", &[]);
    assert!(!as_it_is.stderr.contains("component"), "{}", as_it_is.shown());
    let adapted = publish("adapted", &["--adapt"]);
    assert!(
        adapted.stderr.starts_with("made a component of the core module: its exit codes become"),
        "{}",
        adapted.shown()
    );
    for (name, kind) in [("core", "core module"), ("adapted", "component")] {
        let page = kwasm.call(["inspect", &target(name)]).success().stdout;
        assert!(page.contains(&format!("kind        {kind}\n")), "{page}");
    }
}

/// Writes `text` to a file descriptor, and then traps or calls the next function.
fn writes(descriptor: u8, text: &str) -> String {
    format!(
        r#"(module
            (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 1)
            (data (i32.const 0) "\10\00\00\00\{:02x}\00\00\00") (data (i32.const 16) "{}")
            (func (export "_start") (drop (call $write (i32.const {descriptor}) (i32.const 0) (i32.const 1) (i32.const 8))) unreachable))"#,
        text.len(),
        text.replace('\n', "\\n")
    )
}

#[test]
fn what_kwasm_says_begins_on_a_line_of_its_own() {
    let kwasm = Kwasm::new();
    for (name, text, shown) in
        [("unfinished", "line 2857", "line 2857\nkwasm: "), ("finished", "done\n", "done\nkwasm: ")]
    {
        let path = wat(&kwasm, name, &writes(2, text));
        let run = kwasm.call(["run", path.to_str().unwrap()]).fails(125);
        assert!(run.stderr.starts_with(shown), "{}", run.shown());
        // Output to a file is not one of kwasm's lines.
        let path = wat(&kwasm, name, &writes(1, text));
        let run = kwasm.call(["run", path.to_str().unwrap()]).fails(125);
        assert!(run.stdout == text && run.stderr.starts_with("kwasm: "), "{}", run.shown());
    }
}

/// C's `fwrite` of a large buffer is one call, and few programs check its result.
#[test]
fn many_mebibytes_are_written_in_one_call() {
    let kwasm = Kwasm::new();
    let length = 20 << 20;
    let text = format!(
        r#"(module
            (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (memory (export "memory") 400)
            (func (export "_start")
                (i32.store (i32.const 0) (i32.const 1024)) (i32.store (i32.const 4) (i32.const {length}))
                (call $exit (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#
    );
    let path = wat(&kwasm, "large", &text);
    let run = kwasm.call(["run", path.to_str().unwrap()]).success();
    assert_eq!(run.stdout.len(), length, "{}", run.stderr);
}
