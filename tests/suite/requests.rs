//! The request that a plugin carries: written into it, shown, kept, compared with what its publisher states, and refused
//! where it is not one.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use kwasm::inspect::{LONGEST_REQUEST, embed};
use kwasm_registry::{Artifact, Wrong, digest};
use serde_json::{Value, json};

use crate::core_modules::wat;
use crate::registries::{at, bytes};
use crate::support::{Kwasm, component, files, on_terminal_whole, registry};

const HEAD: &str = "apiVersion: kwasm.dev/v1\nkind: Policy\nmetadata: {name: pods}\n";

/// A request, with what its author wrote to its readers.
fn asks() -> String {
    format!(
        "{HEAD}# Of pods alone.\nspec:\n  kubernetes:\n    rules:\n      - apiGroups: [\"\"]\n        resources: [pods]\n        \
         verbs: [list]\n        namespaces: [current]\n        reason: Shows them.\n"
    )
}

/// Returns the lines of [`asks`] in a page whose keys are as wide as the longest, `key`.
fn shown(key: &str) -> String {
    let rule = "{apiGroups: [\"\"], resources: [pods], verbs: [list], namespaces: [current]}  # Shows them.";
    let width = key.len();
    format!("{:<width$}  pods\n{:<width$}  {rule}\n", "request", "")
}

/// Puts a guest and a request into the home, as `x.wasm` and `asks.yaml`.
fn author(guest: &str, request: &str) -> Kwasm {
    let kwasm = Kwasm::new();
    fs::copy(component(guest), kwasm.home().join("x.wasm")).unwrap();
    fs::write(kwasm.home().join("asks.yaml"), request).unwrap();
    kwasm
}

/// Writes a guest with a request into the home.
fn asking(kwasm: &Kwasm, name: &str, guest: &str, request: &str) -> PathBuf {
    let path = kwasm.home().join(format!("{name}.wasm"));
    fs::write(&path, embed(&bytes(guest), request).unwrap()).unwrap();
    path
}

/// Returns what `kwasm inspect -o json` says.
fn inspected(kwasm: &Kwasm, source: &str) -> Value {
    serde_json::from_str(&kwasm.call(["inspect", source, "-o", "json"]).success().stdout).unwrap()
}

const EMBED: [&str; 5] = ["policy", "embed", "x.wasm", "--request", "asks.yaml"];

#[test]
fn a_request_is_written_into_a_plugin_and_shown_from_there_as_it_was_written() {
    for guest in ["hello", "hello-core"] {
        // A byte order mark is an editor's, and not part of the text.
        let kwasm = author(guest, &format!("\u{feff}{}", asks()));
        let page = kwasm.call(["inspect", "./x.wasm"]).success().stdout;
        assert!(page.ends_with("\nrequest   none\n"), "{page}");
        assert_eq!(inspected(&kwasm, "./x.wasm")["request"], Value::Null);
        let run = kwasm.call(EMBED).success();
        assert!(run.stderr.starts_with("wrote the request `pods` into x.wasm (sha256:"), "{}", run.shown());
        let page = kwasm.call(["inspect", "./x.wasm"]).success().stdout;
        assert!(page.ends_with(&shown("features")), "{page}");
        let request = json!({"text": asks(), "valid": true, "declared": false});
        assert_eq!(inspected(&kwasm, "./x.wasm")["request"], request);
        let yaml = kwasm.call(["inspect", "./x.wasm", "-o", "yaml"]).success().stdout;
        assert_eq!(serde_saphyr::from_str::<Value>(&yaml).unwrap()["request"], request);
        let run = kwasm.call(["run", "./x.wasm", "--", "y"]).success();
        assert_eq!(run.stdout, "hello from kwasm: y\n");
    }
}

#[test]
fn a_request_that_is_written_again_replaces_the_first() {
    let kwasm = author("hello", "");
    fs::write(kwasm.home().join("asks.yaml"), asks()).unwrap();
    kwasm.call(EMBED).success();
    let once = fs::read(kwasm.home().join("x.wasm")).unwrap();
    kwasm.call(EMBED).success();
    assert!(fs::read(kwasm.home().join("x.wasm")).unwrap() == once);
    fs::write(kwasm.home().join("asks.yaml"), asks().replace("[list]", "[get]")).unwrap();
    kwasm.call(EMBED).success();
    let page = kwasm.call(["inspect", "./x.wasm"]).success().stdout;
    assert!(page.contains("verbs: [get]") && !page.contains("verbs: [list]"), "{page}");
}

#[test]
fn a_component_is_replaced_whole_and_keeps_its_permissions_or_another_file_is_written() {
    let kwasm = author("hello", &asks());
    let at = |name: &str| kwasm.home().join(name);
    let before = fs::read(at("x.wasm")).unwrap();
    let expected = embed(&before, &asks()).unwrap();
    let elsewhere = |output: &'static str| [EMBED.as_slice(), &["-o", output]].concat();
    kwasm.call(elsewhere("y.wasm")).success();
    assert!(fs::read(at("y.wasm")).unwrap() == expected);
    let piped = kwasm.command(elsewhere("-")).output().unwrap();
    assert!(piped.status.success() && piped.stdout == expected);
    assert!(fs::read(at("x.wasm")).unwrap() == before, "it is left as it is");
    for mode in [0o600, 0o755] {
        fs::write(at("x.wasm"), &before).unwrap();
        fs::set_permissions(at("x.wasm"), fs::Permissions::from_mode(mode)).unwrap();
        kwasm.call(EMBED).success();
        assert_eq!(at("x.wasm").metadata().unwrap().permissions().mode() & 0o777, mode);
        assert!(fs::read(at("x.wasm")).unwrap() == expected);
    }
    fs::write(at("x.wasm"), &before).unwrap();
    fs::rename(at("x.wasm"), at("real.wasm")).unwrap();
    symlink("real.wasm", at("x.wasm")).unwrap();
    kwasm.call(EMBED).success();
    assert!(at("x.wasm").is_symlink() && fs::read(at("real.wasm")).unwrap() == expected);
    assert!(!files(kwasm.home()).iter().any(|file| file.contains(".new")));
}

#[test]
fn a_component_is_not_written_to_a_terminal() {
    let kwasm = author("hello", &asks());
    let (code, said) = on_terminal_whole(kwasm.command(EMBED).args(["-o", "-"]), 200);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("kwasm: a component is not written to a terminal"), "{said}");
    assert!(
        said.contains("hint: name a file: kwasm policy embed FILE --request FILE.yaml -o FILE"),
        "{said}"
    );
}

#[test]
fn what_is_no_request_is_not_written_and_all_that_is_wrong_with_it_is_said() {
    let refused = |kwasm: &Kwasm, code: i32| {
        let before = fs::read(kwasm.home().join("x.wasm")).unwrap();
        let run = kwasm.call(EMBED).fails(code);
        assert!(fs::read(kwasm.home().join("x.wasm")).unwrap() == before, "nothing was written");
        run.stderr
    };
    let faults = format!("{HEAD}spec: {{kubernetes: {{rules: [{{nonResourceURLs: [version]}}]}}}}\n");
    insta::assert_snapshot!(refused(&author("hello", &faults), 2), @r#"
    kwasm: asks.yaml:4: spec.kubernetes.rules[0].nonResourceURLs[0]: `version` is not a path
    hint: write a path such as /version, or a prefix such as "/openapi/*"
    kwasm: asks.yaml:4: spec.kubernetes.rules[0].verbs: it is missing
    hint: the verbs are get, head, post, put, patch, delete, options, and "*" for all
    "#);
    let long = format!("{}# {}\n", asks(), "x".repeat(LONGEST_REQUEST));
    let said = refused(&author("hello", &long), 2);
    let size = long.len();
    assert_eq!(
        said,
        format!(
            "kwasm: asks.yaml: it has {size} bytes, and a request has at most 65536\nhint: shorten its comments and reasons\n"
        )
    );
    let kwasm = author("hello", &asks());
    fs::remove_file(kwasm.home().join("asks.yaml")).unwrap();
    assert!(refused(&kwasm, 2).starts_with("kwasm: asks.yaml: it cannot be read: there is no such file\n"));
}

#[test]
fn what_cannot_be_a_plugin_gets_no_request() {
    let kwasm = author("hello", &asks());
    let refused = |content: &[u8]| {
        fs::write(kwasm.home().join("x.wasm"), content).unwrap();
        let run = kwasm.call(EMBED).fails(126);
        assert!(fs::read(kwasm.home().join("x.wasm")).unwrap() == content, "nothing was written");
        run.stderr.lines().next().unwrap().to_owned()
    };
    assert_eq!(refused(b"<html>"), "kwasm: x.wasm: it is not WebAssembly but a web page");
    let library = wat::parse_str("(module (func (export \"f\")))").unwrap();
    assert_eq!(
        refused(&library),
        "kwasm: x.wasm: it is a core module without `_start`: a library, not a command"
    );
    let inner = wat::parse_str("(component (core module (@custom \"kwasm:policy\" \"x\")))").unwrap();
    assert_eq!(
        refused(&inner),
        "kwasm: x.wasm: a module or component inside it has a request (a custom section `kwasm:policy`), which only the \
         outermost one can have"
    );
}

/// A core module that ends at once, with these sections.
fn module(sections: &str) -> String {
    format!("(module {sections} (func (export \"_start\")))")
}

/// Returns a custom section in the text format.
fn section(content: &str) -> String {
    format!("(@custom \"kwasm:policy\" {content:?})")
}

#[test]
fn a_plugin_whose_request_is_not_the_only_one_or_cannot_be_read_is_described_and_does_not_run() {
    let one = section("a: b");
    let cases = [
        (
            "second",
            module(&format!("{one} {one}")),
            "it has two requests (custom sections `kwasm:policy`), and a plugin has one at most\n\
             hint: kwasm policy embed FILE --request FILE.yaml puts a single one in their place\n",
        ),
        (
            "nested",
            r#"(component (core module (@custom "kwasm:policy" "a: b")) (component $i) (instance $i (instantiate $i))
                (export "wasi:cli/run@0.2.3" (instance $i)))"#
                .to_owned(),
            "a module or component inside it has a request (a custom section `kwasm:policy`), which only the outermost one can \
             have\n\
             hint: wasm-tools strip --delete '^kwasm:policy$' FILE -o FILE removes it, and kwasm policy embed FILE --request \
             FILE.yaml writes one for the whole\n",
        ),
        (
            "large",
            module(&section(&"x".repeat(LONGEST_REQUEST + 1))),
            "its request (the custom section `kwasm:policy`) has 65537 bytes, of at most 65536\n\
             hint: kwasm policy embed FILE --request FILE.yaml puts another one in its place\n",
        ),
        (
            "bytes",
            module(r#"(@custom "kwasm:policy" "\ff")"#),
            "its request (the custom section `kwasm:policy`) is not UTF-8 text\n\
             hint: kwasm policy embed FILE --request FILE.yaml puts another one in its place\n",
        ),
    ];
    let kwasm = Kwasm::new();
    for (name, text, reason) in cases {
        let path = wat(&kwasm, name, &text);
        let inspected = kwasm.call(["inspect", &format!("./{name}.wasm")]).fails(126);
        assert!(inspected.stdout.ends_with("\nrequest  not a valid policy\n"), "{}", inspected.shown());
        assert_eq!(inspected.stderr, format!("kwasm: ./{name}.wasm: {reason}"));
        let json = kwasm.call(["inspect", &format!("./{name}.wasm"), "-o", "json"]).fails(126);
        let json: Value = serde_json::from_str(&json.stdout).unwrap();
        let (what, _) = reason.split_once('\n').unwrap();
        assert_eq!(json["unfit"], what);
        assert_eq!(json["request"], json!({"valid": false, "declared": false, "faults": [what]}));
        for verb in ["install", "run"] {
            let refused = kwasm.call([verb, path.to_str().unwrap(), "--policy", "none"]).fails(126);
            assert!(refused.stderr.ends_with(reason), "{verb}: {}", refused.shown());
        }
    }
    assert_eq!(kwasm.call(["list"]).success().stdout, "");
    // The nearest ones that have one request, as large as it may be.
    let longest = format!("{HEAD}spec: {{}}\n# ");
    let longest = format!("{longest}{}", "x".repeat(LONGEST_REQUEST - longest.len()));
    wat(&kwasm, "longest", &module(&section(&longest)));
    kwasm.call(["inspect", "./longest.wasm"]).success();
    kwasm.call(["install", "./longest.wasm"]).success();
    kwasm.call(["run", "longest"]).success();
}

#[test]
fn a_plugin_whose_request_is_no_policy_is_shown_with_its_faults_and_does_not_run() {
    let kwasm = Kwasm::new();
    let text = format!("{HEAD}spec:\n");
    let path = asking(&kwasm, "x", "hello", &text);
    let faults = |of: &str| {
        format!("kwasm: the request of {of}:4: spec: it is nothing\nhint: `spec: {{}}` allows nothing\n")
    };
    let run = kwasm.call(["inspect", "./x.wasm"]).fails(126);
    assert!(run.stdout.ends_with("request   not a valid policy\n"), "{}", run.shown());
    assert_eq!(run.stderr, faults("./x.wasm"));
    let json: Value =
        serde_json::from_str(&kwasm.call(["inspect", "./x.wasm", "-o", "json"]).fails(126).stdout).unwrap();
    assert_eq!(json["unfit"], Value::Null);
    let fault = "the request of ./x.wasm:4: spec: it is nothing";
    assert_eq!(json["request"], json!({"text": text, "valid": false, "declared": false, "faults": [fault]}));
    // No choice of the user's makes up for it.
    for policy in ["none", "cluster"] {
        for verb in ["install", "run"] {
            let run = kwasm.call([verb, path.to_str().unwrap(), "--policy", policy]).fails(126);
            assert_eq!(run.stderr, faults("x"), "{verb} {policy}");
        }
    }
    assert_eq!(kwasm.call(["list"]).success().stdout, "");
    let registry = Wrong::start().unwrap();
    let target = format!("{}/acme/x:1.0.0", registry.host());
    let run = at(&registry).call(["publish", path.to_str().unwrap(), &target]).fails(126);
    assert_eq!(run.stderr, faults(path.to_str().unwrap()));
    assert!(registry.requests().is_empty(), "{:?}", registry.requests());
}

#[test]
fn an_installed_plugin_keeps_its_request_and_one_of_before_there_were_requests_has_none() {
    let kwasm = Kwasm::new();
    let path = asking(&kwasm, "greets", "hello", &asks());
    kwasm.call(["install", path.to_str().unwrap(), "--policy", "request"]).success();
    let path = kwasm.home().join("data/plugins/greets/receipt.json");
    let mut receipt: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(receipt["inspected"]["request"], asks());
    let page = kwasm.call(["inspect", "greets"]).success().stdout;
    assert!(page.ends_with(&shown("installed")), "{page}");
    receipt["inspected"].as_object_mut().unwrap().remove("request");
    fs::write(&path, receipt.to_string()).unwrap();
    assert_eq!(kwasm.call(["list"]).success().stdout, "greets\n");
    kwasm.call(["run", "greets"]).success();
}

#[test]
fn a_published_request_is_shown_without_a_download_and_proven_by_it() {
    let registry = Wrong::start().unwrap();
    let kwasm = at(&registry);
    fs::write(kwasm.home().join("asks.yaml"), asks()).unwrap();
    let reference = format!("{}/acme/x:1.0.0", registry.host());
    let hello = component("hello");
    let publish = |more: &[&str]| {
        let arguments = ["publish", hello.to_str().unwrap(), &reference, "-o", "json"];
        kwasm.call([arguments.as_slice(), more].concat())
    };
    let row: Value = serde_json::from_str(&publish(&["--request", "asks.yaml"]).success().stdout).unwrap();
    assert_eq!(row["content"], digest(&embed(&bytes("hello"), &asks()).unwrap()));
    kwasm.call(["install", &reference, "--policy", "request"]).success();
    let receipt = fs::read_to_string(kwasm.home().join("data/plugins/x/receipt.json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&receipt).unwrap()["inspected"]["request"], asks());
    kwasm.call(["run", &reference, "--", "y"]).success();
    kwasm.call(["save", "x", "-f", "x.tar"]).success();
    kwasm.call(["load", "x.tar"]).success();
    // The component is not there any more, and not missed.
    registry.remove(row["content"].as_str().unwrap());
    let page = kwasm.call(["inspect", &reference]).success().stdout;
    let word = "            (reported by its publisher; inspected at install)\n";
    assert!(page.ends_with(&format!("{}{word}", shown("signatures"))), "{page}");
    let json = inspected(&kwasm, &reference);
    assert_eq!(json["request"], json!({"text": asks(), "valid": true, "declared": true}));
    assert_eq!(json["annotations"]["dev.kwasm.policy"], Value::Null, "it is there once");
    // Without a request nothing is stated, and it is said that nothing is.
    publish(&[]).success();
    let page = kwasm.call(["inspect", &reference]).success().stdout;
    assert!(page.contains("\nrequest     not reported\n"), "{page}");
    assert_eq!(inspected(&kwasm, &reference)["request"], Value::Null);
    // What is wrong with it is found before anything is pushed.
    fs::write(kwasm.home().join("asks.yaml"), "apiVersion: kwasm.dev/v1\n").unwrap();
    let before = registry.requests().len();
    publish(&["--request", "asks.yaml"]).fails(2);
    assert_eq!(registry.requests().len(), before);
}

#[test]
fn a_real_registry_keeps_a_request_as_it_was_written() {
    let Some(registry) = registry("requests::a_real_registry_keeps_a_request", &[]) else { return };
    let kwasm = registry.kwasm();
    let request = format!("{}# \u{8868} \"\\\t\u{e9}\r\n", asks());
    fs::write(kwasm.home().join("asks.yaml"), &request).unwrap();
    let reference = format!("{}:1.0.0", registry.repository(&kwasm, "asks"));
    for guest in ["hello", "hello-core"] {
        let file = component(guest);
        let arguments = ["publish", file.to_str().unwrap(), &reference, "--request", "asks.yaml"];
        kwasm.call(arguments).success();
        let stated = json!({"text": request, "valid": true, "declared": true});
        assert_eq!(inspected(&kwasm, &reference)["request"], stated);
        kwasm.call(["install", &reference, "--policy", "request"]).success();
        let installed = json!({"text": request, "valid": true, "declared": false});
        assert_eq!(inspected(&kwasm, "asks")["request"], installed);
    }
}

#[test]
fn a_core_module_that_is_published_as_a_component_takes_its_request_along() {
    let registry = Wrong::start().unwrap();
    let kwasm = at(&registry);
    let path = asking(&kwasm, "x", "hello-core", &asks());
    let reference = format!("{}/acme/x:1.0.0", registry.host());
    kwasm.call(["publish", path.to_str().unwrap(), &reference, "--adapt"]).success();
    kwasm.call(["install", &reference, "--policy", "request"]).success();
    let json = inspected(&kwasm, "x");
    assert_eq!((&json["kind"], &json["request"]["text"]), (&"component".into(), &asks().into()));
}

const DIFFERS: &str = "HOST/acme/x:1.0.0: the request in its manifest (annotation `dev.kwasm.policy`) is not the one in its \
    component (section `kwasm:policy`)";
const MISSING: &str = "HOST/acme/x:1.0.0: its manifest has a request (annotation `dev.kwasm.policy`), and its component has none \
    (section `kwasm:policy`)";

#[test]
fn a_manifest_that_states_another_request_than_its_component_has_is_refused() {
    let narrower = asks().replace("[pods]", "[services]");
    for (stated, has, refused) in [
        (Some(asks()), Some(asks()), None),
        // Other programs publish without it.
        (None, Some(asks()), None),
        (None, None, None),
        (Some(narrower), Some(asks()), Some(DIFFERS)),
        (Some(format!("{}\n", asks())), Some(asks()), Some(DIFFERS)),
        (Some(String::new()), Some(asks()), Some(DIFFERS)),
        (Some(asks()), None, Some(MISSING)),
    ] {
        let registry = Wrong::start().unwrap();
        let content = has.map_or_else(|| bytes("hello"), |text| embed(&bytes("hello"), &text).unwrap());
        let mut artifact = Artifact::component(content);
        if let Some(stated) = &stated {
            artifact = artifact.annotation("dev.kwasm.policy", stated);
        }
        registry.push("acme/x", "1.0.0", &artifact);
        let reference = format!("{}/acme/x:1.0.0", registry.host());
        let kwasm = at(&registry);
        let policy = ["--policy", "none"].as_slice();
        for (verb, options) in [("install", policy), ("run", policy), ("run", policy), ("inspect", &[])] {
            let run = kwasm.call([&[verb, &reference], options].concat());
            let Some(refused) = refused else {
                run.success();
                continue;
            };
            let run = run.fails(126);
            let said = format!(
                "kwasm: {refused}\nhint: its manifest misstates what it asks for: ask its publisher, who publishes it with \
                 kwasm publish\n"
            );
            assert_eq!(run.stderr.replace(registry.host(), "HOST"), said, "{verb}");
            // What the component really has is shown.
            assert!(verb != "inspect" || run.stdout.contains("\nrequest"), "{}", run.shown());
        }
        assert_eq!(kwasm.call(["list"]).success().stdout.is_empty(), refused.is_some());
    }
}

/// Returns the files of an archive that `kwasm save` wrote.
fn unpacked(archive: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut archive = tar::Archive::new(fs::File::open(archive).unwrap());
    let unpacked = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        (entry.path().unwrap().to_str().unwrap().to_owned(), content)
    });
    unpacked.collect()
}

#[test]
fn an_archive_whose_manifest_states_another_request_is_refused() {
    let kwasm = Kwasm::new();
    let path = asking(&kwasm, "x", "hello", &asks());
    kwasm.call(["install", path.to_str().unwrap(), "--policy", "request"]).success();
    kwasm.call(["save", "x", "-f", "x.tar"]).success();
    let mut parts = unpacked(&kwasm.home().join("x.tar"));
    let mut index: Value = serde_json::from_slice(&parts["index.json"]).unwrap();
    let named = index["manifests"][0]["digest"].as_str().unwrap().replace(':', "/");
    let manifest = parts.remove(&format!("blobs/{named}")).unwrap();
    let mut manifest: Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(manifest["annotations"]["dev.kwasm.policy"], asks());
    manifest["annotations"]["dev.kwasm.policy"] = asks().replace("[pods]", "[services]").into();
    let manifest = manifest.to_string().into_bytes();
    index["manifests"][0]["digest"] = digest(&manifest).into();
    index["manifests"][0]["size"] = manifest.len().into();
    parts.insert(format!("blobs/{}", digest(&manifest).replace(':', "/")), manifest);
    parts.insert("index.json".to_owned(), index.to_string().into_bytes());
    let mut archive = tar::Builder::new(fs::File::create(kwasm.home().join("y.tar")).unwrap());
    for (path, content) in &parts {
        let mut header = tar::Header::new_ustar();
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        archive.append_data(&mut header, path, content.as_slice()).unwrap();
    }
    archive.finish().unwrap();
    let there = Kwasm::new();
    let load = |archive: &str| {
        there.call(["load", kwasm.home().join(archive).to_str().unwrap(), "--policy", "request"])
    };
    let run = load("y.tar").fails(126);
    let (_, differs) = DIFFERS.split_once(": ").unwrap();
    assert!(run.stderr.starts_with(&format!("kwasm: x: {differs}\n")), "{}", run.shown());
    assert_eq!(there.call(["list"]).success().stdout, "");
    load("x.tar").success();
    assert_eq!(inspected(&there, "x")["request"]["text"], asks());
}

#[test]
fn each_shipped_plugin_carries_the_policy_of_its_name() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let kwasm = Kwasm::new();
    for plugin in fs::read_dir(root.join("components/plugins")).unwrap().map(Result::unwrap) {
        if !plugin.path().is_dir() {
            continue;
        }
        let name = plugin.file_name().into_string().unwrap();
        let policy = fs::read_to_string(root.join(format!("policies/{name}.yaml"))).unwrap();
        let request = &inspected(&kwasm, component(&name).to_str().unwrap())["request"];
        assert_eq!(*request, json!({"text": policy, "valid": true, "declared": false}), "{name}");
    }
}
