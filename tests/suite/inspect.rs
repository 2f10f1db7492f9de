//! Tests of `kwasm inspect`, for plugins that run and for those that do not.

use crate::core_modules::wat;
use crate::support::{Kwasm, component};

#[test]
fn a_core_module_shows_its_imports_by_module_its_exports_and_its_features() {
    let kwasm = Kwasm::new();
    let text = r#"(module
        (import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))
        (import "wasi_snapshot_preview1" "sched_yield" (func (result i32)))
        (memory (export "memory") 1)
        (func (export "_start") (return_call 1) (drop (i32.atomic.load (i32.const 0)))))"#;
    wat(&kwasm, "x", &text.replace("(return_call 1)", "(drop (call 1))"));
    let page = kwasm.call(["inspect", "./x.wasm"]).success().stdout;
    insta::assert_snapshot!(without_digest(&page), @r"
    source    ./x.wasm
    digest    …
    size      143 B
    kind      core module
    features  threads
    imports   wasi_snapshot_preview1: proc_exit, sched_yield
    exports   memory
              _start
    request   none
    ");
    let json: serde_json::Value =
        serde_json::from_str(&kwasm.call(["inspect", "./x.wasm", "-o", "json"]).success().stdout).unwrap();
    assert_eq!(json["imports"], serde_json::json!(["wasi_snapshot_preview1"]));
    assert_eq!(
        json["importedNames"]["wasi_snapshot_preview1"],
        serde_json::json!(["proc_exit", "sched_yield"])
    );
    assert_eq!(json["features"], serde_json::json!(["threads"]));
}

#[test]
fn a_component_shows_its_interfaces_and_features() {
    let kwasm = Kwasm::new();
    let page = kwasm.call(["inspect", component("hello").to_str().unwrap()]).success().stdout;
    assert!(page.contains("kind      component\n") && page.contains("features  bulk-memory"), "{page}");
    assert!(page.contains("imports   wasi:cli/environment@0.2"), "{page}");
    assert!(page.contains("wasi      0.2\n"), "{page}");
}

/// Of Rust's standard library are 0.2's, and of the bindings 0.3's.
#[test]
fn a_component_shows_which_wasi_it_speaks() {
    let kwasm = Kwasm::new();
    let both = component("hello-wasi3");
    let page = kwasm.call(["inspect", both.to_str().unwrap()]).success().stdout;
    assert!(page.contains("wasi      0.2, 0.3\n") && page.contains("wasi:cli/run@0.3.0"), "{page}");
    let json = kwasm.call(["inspect", both.to_str().unwrap(), "-o", "json"]).success().stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["wasi"], serde_json::json!(["0.2", "0.3"]));
    // One that has nothing of the standard library.
    wat(
        &kwasm,
        "three",
        r#"(component (component $i) (instance $i (instantiate $i)) (export "wasi:cli/run@0.3.0" (instance $i)))"#,
    );
    let page = kwasm.call(["inspect", "./three.wasm"]).success().stdout;
    assert!(page.contains("wasi     0.3\n"), "{page}");
}

/// Binaries that do not run: a name, the text, the expected output, and the reason with its hint.
const UNFIT: &[(&str, &str, &str, &str)] = &[
    (
        "shared",
        r#"(module (memory (export "memory") 1 2 shared) (func (export "_start")))"#,
        "shared-memory\n",
        "it needs the WebAssembly feature `shared-memory`, which kwasm does not run\n\
         hint: build it without threads: without -pthread, and not for wasm32-wasip1-threads\n",
    ),
    (
        "switching",
        r#"(module (type $f (func)) (type $c (cont $f)) (func (param (ref $c))) (func (export "_start")))"#,
        "stack-switching\n",
        "it needs the WebAssembly feature `stack-switching`, which kwasm does not run\n",
    ),
    (
        "browser",
        r#"(module (import "env" "memory" (memory 1)) (import "env" "print" (func)))"#,
        "env: memory, print\n",
        "it is a core module that imports a function of `env`, a memory of `env`, and kwasm has only the functions of \
         wasi_snapshot_preview1\n\
         hint: it was made for another host, such as a browser or Node.js: look for a build of it for WASI\n",
    ),
    (
        "rust",
        r#"(module (@producers (language "Rust" "2021")) (import "env" "print" (func)))"#,
        "env: print\n",
        "it is a core module that imports a function of `env`, and kwasm has only the functions of wasi_snapshot_preview1\n\
         hint: it was made for another host, such as a browser; for kwasm: cargo build --target wasm32-wasip2\n",
    ),
    (
        "library",
        r#"(module (func (export "add")))"#,
        "add\n",
        "it is a core module without `_start`: a library, not a command\n\
         hint: a plugin is a program with a main function, built for WASI\n",
    ),
    (
        "unfinished",
        r#"(module (@custom "component-type:world" "") (import "wasi:cli/environment@0.2.3" "get-arguments" (func)) (func (export "wasi:cli/run@0.2.3#run")))"#,
        "wasi:cli/environment@0.2.3: get-arguments\n",
        "it is a core module that still has to be made into a component\n\
         hint: make the component: wasm-tools component new FILE -o COMPONENT.wasm\n",
    ),
    (
        "draft",
        r#"(module (import "wasi_unstable" "fd_write" (func)) (func (export "_start")))"#,
        "wasi_unstable: fd_write\n",
        "it is made for wasi_unstable, an early draft of WASI from before wasi_snapshot_preview1\n\
         hint: rebuild it with a current compiler, or look for a newer release of it\n",
    ),
    (
        "draft-server",
        r#"(component (core module (func)) (component $i) (instance $i (instantiate $i)) (export "wasi:http/handler@0.3.0-rc-2026-03-15" (instance $i)))"#,
        "wasi:http/handler@0.3.0-rc-2026-03-15\n",
        "it is made for a draft of WASI 0.3 (`wasi:http/handler@0.3.0-rc-2026-03-15`), and kwasm runs the release\n\
         hint: build it with tools that make WASI 0.3.0, or for WASI 0.2\n",
    ),
    (
        "draft-of-3",
        r#"(component (import "wasi:http/client@0.3.0-rc-2026-03-15" (instance)) (component $i) (instance $i (instantiate $i)) (export "wasi:cli/run@0.3.0-rc-2026-03-15" (instance $i)))"#,
        "wasi:http/client@0.3.0-rc-2026-03-15\n",
        "it is made for a draft of WASI 0.3 (`wasi:http/client@0.3.0-rc-2026-03-15`), and kwasm runs the release\n\
         hint: build it with tools that make WASI 0.3.0, or for WASI 0.2\n",
    ),
    (
        "unratified",
        r#"(component (import "wasi:keyvalue/store@0.3.1" (instance)) (component $i) (instance $i (instantiate $i)) (export "wasi:cli/run@0.3.1" (instance $i)))"#,
        "wasi:keyvalue/store@0.3.1\n",
        "it uses `wasi:keyvalue/store@0.3.1`, which the WASI 0.3 of this kwasm does not have\n\
         hint: build it against WASI 0.3.0, or take a newer kwasm\n",
    ),
    (
        "middleware",
        r#"(component (import "wasi:http/handler@0.3.0" (instance)) (component $i) (instance $i (instantiate $i)) (export "wasi:cli/run@0.3.0" (instance $i)))"#,
        "wasi:http/handler@0.3.0\n",
        "it uses `wasi:http/handler@0.3.0`, which the WASI 0.3 of this kwasm does not have\n\
         hint: a command sends its requests through wasi:http/client\n",
    ),
    (
        "wit",
        r#"(component (type (component)) (export "x" (type 0)))"#,
        "x\n",
        "it is a package of interfaces (WIT) in binary form: there is no code in it\n\
         hint: look for the component that implements them\n",
    ),
];

/// A binary that cannot run here is described all the same, followed by the reason.
#[test]
fn what_does_not_run_is_shown_with_the_reason_and_what_helps() {
    let kwasm = Kwasm::new();
    for (name, text, shown, reason) in UNFIT {
        let path = wat(&kwasm, name, text);
        let inspected = kwasm.call(["inspect", &format!("./{name}.wasm")]).fails(126);
        assert!(inspected.stdout.contains(shown), "{}", inspected.shown());
        assert_eq!(inspected.stderr, format!("kwasm: ./{name}.wasm: {reason}"));
        // Install and run say the same, and at once: nothing was compiled.
        for verb in ["install", "run"] {
            let refused = kwasm.call([verb, path.to_str().unwrap()]).fails(126);
            assert!(refused.stderr.ends_with(reason), "{verb}: {}", refused.shown());
        }
    }
}

fn without_digest(page: &str) -> String {
    let line =
        |line: &str| if line.starts_with("digest") { "digest    …".to_owned() } else { line.to_owned() };
    page.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_table_of_features_for_authors_says_what_runs() {
    let readme =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/components/README.md")).unwrap();
    let (_, table) = readme.split_once("## WebAssembly features").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    for feature in kwasm::inspect::Feature::ALL {
        let name = format!("`{feature}`");
        let rows: Vec<&str> = table
            .lines()
            .filter(|line| line.split('|').nth(1).is_some_and(|cell| cell.contains(&name)))
            .collect();
        let [row] = rows[..] else { panic!("{feature} is in {} rows", rows.len()) };
        let runs = row.split('|').nth(2).unwrap().trim();
        assert_eq!(runs, if feature.runs() { "yes" } else { "no" }, "{feature}");
    }
}

/// A name with escapes, and with characters that turn the direction of writing.
#[test]
fn names_cannot_drive_the_terminal_in_any_form() {
    let kwasm = Kwasm::new();
    let name = "a\u{1b}[2K\u{202e}b\u{61c}c\u{9b}";
    let text = format!(
        r#"(module (import "{name}" "f\u{{202e}}" (func)) (func (export "{name}")))"#,
        name = "a\\1b[2K\\u{202e}b\\u{61c}c\\u{9b}"
    );
    wat(&kwasm, "names", &text);
    for form in ["table", "wide", "json", "yaml", "name"] {
        let run = kwasm.call(["inspect", "./names.wasm", "-o", form]).fails(126);
        for said in [&run.stdout, &run.stderr] {
            let drives = |c: &char| c.is_control() && *c != '\n' || ['\u{202e}', '\u{61c}'].contains(c);
            assert_eq!(said.chars().find(drives), None, "{form}: {}", run.shown().escape_debug());
        }
        // As data it is what it is.
        if ["json", "yaml"].contains(&form) {
            let read: serde_json::Value = serde_saphyr::from_str(&run.stdout).unwrap();
            assert_eq!(read["exports"], serde_json::json!([name]), "{form}");
        }
    }
}
