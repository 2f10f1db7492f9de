//! Components as different tools make them run unchanged.

use crate::support::{Kwasm, component};

#[test]
fn components_and_core_modules_of_any_maker_run_unchanged() {
    let kwasm = Kwasm::new();
    // By cargo for wasm32-wasip2; by cargo for wasm32-wasip1, a core module; by cargo-component, with its adapter.
    for (guest, said) in [
        ("hello", "hello from kwasm: a b\n"),
        ("hello-core", "hello from kwasm: a b\n"),
        ("hello-cargo-component", "hello from cargo-component: [a b]\n"),
    ] {
        for _ in 0..2 {
            let run = kwasm.run(guest, &["a", "b"]).success();
            assert_eq!((run.stdout.as_str(), run.stderr.as_str()), (said, ""), "{guest}");
        }
    }
}

#[test]
fn a_core_module_is_adapted_once_at_install() {
    let kwasm = Kwasm::new();
    kwasm.call(["install", component("hello-core").to_str().unwrap(), "--as", "core"]).success();
    let run = crate::support::Run::of(&mut kwasm.program(kwasm.links().join("kubectl-core"))).success();
    assert_eq!(run.stdout, "hello from kwasm\n");
    let list = kwasm.call(["list", "-o", "json"]).success();
    assert!(list.stdout.contains("\"kind\": \"core\""), "{}", list.shown());
}
