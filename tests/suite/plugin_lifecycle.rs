//! A plugin's life: installed, listed, called as kubectl calls it, removed.

use insta::assert_snapshot;

use crate::support::{Kwasm, Run, component, files, real};

fn installed(kwasm: &Kwasm, guest: &str, name: &str) -> Run {
    kwasm.call(["install", component(guest).to_str().unwrap(), "--as", name])
}

#[test]
fn install_makes_a_link_that_runs_the_plugin() {
    let kwasm = Kwasm::new();
    let run = installed(&kwasm, "hello", "my-plug").success();
    assert!(run.stderr.starts_with("installed my-plug (sha256:"), "{}", run.shown());
    let link = kwasm.links().join("kubectl-my_plug");
    // Even flags of kwasm's own are the plugin's here.
    let run = Run::of(kwasm.program(&link).args(["--help", "x"])).success();
    assert_eq!(run.stdout, "hello from kwasm: --help x\n");
    assert_eq!(kwasm.call(["run", "my-plug", "--", "y"]).success().stdout, "hello from kwasm: y\n");
}

#[test]
fn list_prints_bare_names_into_a_pipe_and_the_same_facts_in_every_form() {
    let kwasm = Kwasm::new();
    assert_eq!(kwasm.call(["list"]).success().stdout, "");
    installed(&kwasm, "hello", "b").success();
    installed(&kwasm, "exits", "a").success();
    assert_eq!(kwasm.call(["list"]).success().stdout, "a\nb\n");
    let json: serde_json::Value =
        serde_json::from_str(&kwasm.call(["ls", "-o", "json"]).success().stdout).unwrap();
    let keys: Vec<_> = json[0].as_object().unwrap().keys().cloned().collect();
    let known = [
        "ask",
        "audit",
        "description",
        "digest",
        "installedAt",
        "kind",
        "manifest",
        "name",
        "policy",
        "signed",
        "signers",
        "source",
    ];
    assert_eq!(keys, [known.as_slice(), &["version"]].concat());
    assert_eq!((&json[0]["name"], &json[1]["name"]), (&"a".into(), &"b".into()));
    assert!(kwasm.call(["list", "-o", "yaml"]).success().stdout.contains("name: b"));
    let table = kwasm.call(["list", "-o", "table"]).success().stdout;
    assert!(table.starts_with("NAME  VERSION  POLICY     DIGEST"), "{table}");
}

#[test]
fn uninstall_takes_away_link_receipt_and_content() {
    let kwasm = Kwasm::with_empty_cache();
    installed(&kwasm, "hello", "one").success();
    installed(&kwasm, "hello", "two").success();
    kwasm.call(["uninstall", "one"]).success();
    // What another plugin uses stays.
    assert_eq!(kwasm.call(["run", "two"]).success().stdout, "hello from kwasm\n");
    kwasm.call(["rm", "two"]).success();
    assert_eq!(files(kwasm.home()), ["data/lock"]);
}

#[test]
fn uninstall_of_a_misspelt_name_removes_nothing() {
    let kwasm = Kwasm::new();
    installed(&kwasm, "hello", "hello").success();
    assert_snapshot!(kwasm.call(["uninstall", "hello", "helo"]).shown(), @r"
    exit: 127
    --- stdout
    --- stderr
    kwasm: no plugin `helo` is installed
    hint: kwasm list shows what is installed
    ");
    assert_eq!(kwasm.call(["list"]).stdout, "hello\n");
}

#[test]
fn a_name_that_kubectl_has_is_refused_with_the_cure() {
    let kwasm = Kwasm::new();
    assert_snapshot!(installed(&kwasm, "hello", "top").shown(), @r"
    exit: 2
    --- stdout
    --- stderr
    kwasm: `top` is a command of kubectl or kwasm itself, which would always be run instead
    hint: choose another name: kwasm install FILE --as NAME
    ");
    assert_eq!(files(&kwasm.links()), Vec::<String>::new());
}

#[test]
fn a_file_that_is_not_ours_is_never_replaced() {
    let kwasm = Kwasm::new();
    std::fs::create_dir_all(kwasm.links()).unwrap();
    let theirs = kwasm.links().join("kubectl-hello");
    std::fs::write(&theirs, "theirs").unwrap();
    let run = installed(&kwasm, "hello", "hello").fails(125);
    assert!(run.stderr.contains("it already exists and is not a link to kwasm"), "{}", run.shown());
    assert_eq!(std::fs::read_to_string(theirs).unwrap(), "theirs");
    assert_eq!(kwasm.call(["list"]).stdout, "");
}

#[test]
fn both_links_are_claimed_before_anything_is_written() {
    let kwasm = Kwasm::new();
    std::fs::create_dir_all(kwasm.links()).unwrap();
    std::fs::write(kwasm.links().join("kubectl_complete-my_plug"), "theirs").unwrap();
    let run = installed(&kwasm, "hello", "my-plug").fails(125);
    assert!(run.stderr.contains("kubectl_complete-my_plug: it already exists"), "{}", run.shown());
    assert_eq!(files(&kwasm.links()), ["kubectl_complete-my_plug"]);
    assert_eq!(files(&kwasm.home().join("data")), Vec::<String>::new());
    std::fs::remove_file(kwasm.links().join("kubectl_complete-my_plug")).unwrap();
    installed(&kwasm, "hello", "my-plug").success();
    assert_eq!(files(&kwasm.links()), ["kubectl-my_plug", "kubectl_complete-my_plug"]);
    kwasm.call(["rm", "my-plug"]).success();
    assert_eq!(files(&kwasm.links()), Vec::<String>::new());
}

#[test]
fn what_cannot_run_is_not_installed() {
    let kwasm = Kwasm::new();
    std::fs::write(kwasm.home().join("x.wasm"), "text").unwrap();
    kwasm.call(["install", "x.wasm"]).fails(126);
    assert_eq!(kwasm.call(["list"]).stdout, "");
    assert_eq!(files(&kwasm.links()), Vec::<String>::new());
}

#[test]
fn the_policy_of_the_install_holds_in_later_runs() {
    let server = crate::support::seed();
    let kwasm = Kwasm::new().kubeconfig(server.kubeconfig(kwasm_apiserver::User::Token));
    let guest = component("dials");
    kwasm.call(["install", guest.to_str().unwrap(), "--policy", "none"]).success();
    let run = Run::of(kwasm.program(kwasm.links().join("kubectl-dials")).arg("http://192.0.2.1/version"));
    assert!(run.stdout.contains("status 403"), "{}", run.shown());
    assert!(server.requests().is_empty());
}

#[test]
fn a_content_that_was_changed_after_the_install_does_not_run() {
    let kwasm = Kwasm::with_empty_cache();
    installed(&kwasm, "hello", "hello").success();
    let blobs = kwasm.home().join("data/blobs/sha256");
    let blob = blobs.join(&files(&blobs)[0]);
    std::fs::copy(component("exits"), blob).unwrap();
    // Its machine code is lost, so the content is needed again.
    std::fs::remove_dir_all(kwasm.home().join("cache")).unwrap();
    let run = kwasm.call(["run", "hello"]).fails(126);
    assert!(run.stderr.contains("its content has changed"), "{}", run.shown());
}

#[test]
fn kubectl_lists_and_runs_the_plugins_without_a_warning() {
    let Some(real) = real("kubectl_lists_and_runs_the_plugins_without_a_warning") else { return };
    let kwasm = Kwasm::new();
    installed(&kwasm, "hello", "hello").success();
    installed(&kwasm, "hello", "my-plug").success();
    let kubectl = |arguments: &[&str]| {
        let mut command = kwasm.program(real.kubectl_program());
        // Only the links: another plugin of this machine might have a warning of its own.
        Run::of(command.args(arguments).env("PATH", kwasm.links()))
    };
    let list = kubectl(&["plugin", "list"]).success();
    assert!(list.stdout.contains("kubectl-my_plug") && !list.stderr.contains("warning"), "{}", list.shown());
    assert_eq!(kubectl(&["hello", "a"]).success().stdout, "hello from kwasm: a\n");
    assert_eq!(kubectl(&["my-plug", "b"]).success().stdout, "hello from kwasm: b\n");
}

#[test]
fn a_damaged_content_is_mended_by_installing_again() {
    let kwasm = Kwasm::with_empty_cache();
    installed(&kwasm, "hello", "hello").success();
    let blobs = kwasm.home().join("data/blobs/sha256");
    let blob = blobs.join(&files(&blobs)[0]);
    let mut bytes = std::fs::read(&blob).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&blob, bytes).unwrap();
    installed(&kwasm, "hello", "hello").success();
    std::fs::remove_dir_all(kwasm.home().join("cache")).unwrap();
    kwasm.call(["run", "hello"]).success();
}

#[test]
fn an_install_whose_link_cannot_be_made_leaves_what_was_there() {
    let kwasm = Kwasm::with_empty_cache();
    std::fs::write(kwasm.home().join("bin"), "a file where the folder of links should be").unwrap();
    installed(&kwasm, "hello", "hello").fails(125);
    assert_eq!(kwasm.call(["list"]).success().stdout, "");
    assert!(files(&kwasm.home().join("data/blobs")).is_empty());
}

#[test]
fn a_policy_stays_with_its_source_and_is_not_inherited_by_another() {
    let kwasm = Kwasm::new();
    let hello = component("hello");
    kwasm.call(["install", hello.to_str().unwrap(), "--as", "p", "--policy", "none"]).success();
    let policy = || -> serde_json::Value {
        let json: serde_json::Value =
            serde_json::from_str(&kwasm.call(["list", "-o", "json"]).stdout).unwrap();
        json[0]["policy"].clone()
    };
    installed(&kwasm, "hello", "p").success();
    assert_eq!(policy(), "none");
    let run = installed(&kwasm, "exits", "p").success();
    assert!(run.stderr.contains("it replaces sha256:"), "{}", run.shown());
    assert_eq!(policy(), "read-only");
}

#[test]
fn a_place_that_moves_with_the_working_directory_is_refused() {
    let kwasm = Kwasm::new();
    let mut command = kwasm.command(["list"]);
    let run = Run::of(command.env("KWASM_HOME", "relative")).fails(2);
    assert_eq!(run.stderr, "kwasm: KWASM_HOME: relative is not absolute\n");
}

#[test]
fn a_component_that_needs_what_there_is_not_is_not_installed() {
    use wasm_encoder::{
        Component, ComponentExportKind, ComponentExportSection, ComponentImportSection,
        ComponentInstanceSection, ComponentTypeRef, ComponentTypeSection, ComponentValType,
    };
    let mut types = ComponentTypeSection::new();
    types.function().params::<[(&str, ComponentValType); 0], _>([]).result(None);
    let mut imports = ComponentImportSection::new();
    imports.import("unheard-of", ComponentTypeRef::Func(0));
    let mut instances = ComponentInstanceSection::new();
    instances.export_items::<&str, [_; 0]>([]);
    let mut exports = ComponentExportSection::new();
    exports.export("wasi:cli/run@0.2.0", ComponentExportKind::Instance, 0, None);
    let mut component = Component::new();
    component.section(&types).section(&imports).section(&instances).section(&exports);
    let kwasm = Kwasm::with_empty_cache();
    std::fs::write(kwasm.home().join("x.wasm"), component.finish()).unwrap();
    let run = kwasm.call(["install", "x.wasm"]).fails(126);
    assert!(
        run.stderr.contains("it requires something that kwasm does not provide")
            && run.stderr.contains("unheard-of"),
        "{}",
        run.shown()
    );
    assert_eq!(kwasm.call(["list"]).stdout, "");
    assert_eq!(files(&kwasm.links()), Vec::<String>::new());
}
