//! Several indexes, large ones, and words that find nothing.

use std::time::Instant;

use kwasm_registry::digest;
use serde_json::json;

use super::{ASKS, search, write};
use crate::support::Kwasm;

/// Adds an index with plugins of these names from a file.
#[track_caller]
fn add(kwasm: &Kwasm, index: &str, names: &[&str]) {
    let plugins: Vec<_> = names
        .iter()
        .map(|name| {
            json!({
                "name": name, "description": format!("The {name} of {index}"), "source": format!("ghcr.io/{index}/{name}"),
                "versions": [{"version": "1.0.0", "digest": digest(name.as_bytes())}],
            })
        })
        .collect();
    let text = json!({"apiVersion": "kwasm.dev/v1", "kind": "Index", "revision": 1, "plugins": plugins});
    let file = format!("{index}.json");
    write(kwasm, &file, text.to_string());
    kwasm.call(["index", "add", index, &file]).success();
}

#[test]
fn a_name_in_two_indexes_is_an_error_that_names_both() {
    let kwasm = Kwasm::new();
    add(&kwasm, "acme", &["tail", "tree"]);
    add(&kwasm, "corp", &["tail"]);
    assert_eq!(kwasm.call(["search", "tail"]).success().stdout, "acme/tail\ncorp/tail\n");
    let run = kwasm.call(["install", "tail"]).fails(2);
    insta::assert_snapshot!(run.stderr, @"
    kwasm: `tail` is in several indexes: acme/tail, corp/tail
    hint: name one of them: kwasm install acme/tail
    ");
    let run = kwasm.call(["index", "add", "acme", "corp.json"]).fails(2);
    assert!(run.stderr.contains("there is an index `acme` already: "), "{}", run.shown());
    kwasm.call(["index", "remove", "acme", "corp"]).success();
    let run = kwasm.call(["index", "remove", "acme"]).fails(2);
    assert!(run.stderr.starts_with("kwasm: there is no index `acme`\n"), "{}", run.shown());
}

#[test]
fn a_name_that_no_index_has_is_told_with_the_one_that_was_meant() {
    let kwasm = Kwasm::new();
    let said = |arguments: &[&str], code: i32| kwasm.call(arguments).fails(code).stderr;
    insta::assert_snapshot!(said(&["install", "tail"], 127), @"
    kwasm: no plugin `tail` is known: no index has been added
    hint: kwasm index add NAME SOURCE adds one; a file is named ./x.wasm, an artifact HOST/REPOSITORY:TAG
    ");
    assert_eq!(
        kwasm.call(["search", "-o", "table"]).success().stderr,
        "there is no index to search: kwasm index add NAME SOURCE\n"
    );
    add(&kwasm, "acme", &["tail", "view-secret"]);
    insta::assert_snapshot!(said(&["install", "tial"], 127), @"
    kwasm: no plugin `tial` is known: the only index does not have it
    hint: do you mean tail?
    ");
    insta::assert_snapshot!(said(&["install", "acme/veiw-secret"], 127), @"
    kwasm: the index `acme` has no plugin `veiw-secret`
    hint: do you mean view-secret?
    ");
    insta::assert_snapshot!(said(&["install", "acme/tail@2"], 127), @"
    kwasm: acme/tail@^2: the index has no such version
    hint: it has 1.0.0
    ");
    insta::assert_snapshot!(said(&["install", "corp/tail"], 2), @"
    kwasm: there is no index `corp`
    hint: kwasm index list shows all; a file is named ./FOLDER/FILE
    ");
    let run = kwasm.call(["search", "tial", "-o", "table"]).success();
    assert_eq!(
        (run.stdout.as_str(), run.stderr.as_str()),
        ("", "nothing found for tial\nhint: do you mean tail?\n")
    );
    assert_eq!(search(&kwasm, &["tial"]).len(), 0);
}

#[test]
fn what_is_found_is_shown_with_what_it_asks_for() {
    let kwasm = Kwasm::new();
    let plugins = json!([
        {"name": "tail", "description": "Follows logs", "source": "ghcr.io/acme/tail", "request": ASKS,
         "versions": [{"version": "1.0.0", "digest": digest(b"x")}], "homepage": "https://acme.example/tail"},
        {"name": "tree", "description": "Shows owners", "source": "ghcr.io/acme/tree",
         "versions": [{"version": "0.9.0", "digest": digest(b"y")}, {"version": "0.10.0", "digest": digest(b"z")}]},
    ]);
    let text = json!({"apiVersion": "kwasm.dev/v1", "kind": "Index", "revision": 1, "plugins": plugins});
    write(&kwasm, "index.json", text.to_string());
    kwasm.call(["index", "add", "acme", "index.json"]).success();
    let component = crate::support::component("hello");
    kwasm.call(["install", component.to_str().unwrap(), "--as", "tree"]).success();
    insta::assert_snapshot!(kwasm.call(["search", "-o", "table"]).success().stdout, @"
    NAME  VERSION  INDEX  INSTALLED  DESCRIPTION   ASKS FOR
    tail  1.0.0    acme   -          Follows logs  get, list pods in the current namespace
    tree  0.10.0   acme   another    Shows owners  not stated
    ");
}

#[test]
fn ten_thousand_plugins_are_searched() {
    let kwasm = Kwasm::new();
    let plugins: Vec<_> = (0..10_000)
        .map(|number| {
            // An unoptimised kwasm takes a millisecond or two for each request.
            let request = (number % 10 == 0).then_some(ASKS);
            json!({
                "name": format!("plugin-{number}"),
                "description": format!("Does the job number {number} for everyone who wants it to be done"),
                "source": format!("ghcr.io/acme/plugins/plugin-{number}"),
                "versions": (0..3).map(|patch| json!({"version": format!("1.0.{patch}"), "digest": digest(&[patch])})).collect::<Vec<_>>(),
                "request": request, "homepage": format!("https://acme.example/plugins/{number}"), "license": "Apache-2.0",
            })
        })
        .collect();
    let text = json!({"apiVersion": "kwasm.dev/v1", "kind": "Index", "revision": 1, "plugins": plugins});
    write(&kwasm, "index.json", text.to_string());
    let timed = |arguments: &[&str]| {
        let begun = Instant::now();
        let run = kwasm.call(arguments).success();
        eprintln!("kwasm {}: {:?}", arguments.join(" "), begun.elapsed());
        run
    };
    timed(&["index", "add", "acme", "index.json"]);
    assert_eq!(timed(&["search", "plugin-777"]).stdout.lines().next(), Some("acme/plugin-777"));
    assert_eq!(timed(&["search", "job", "number", "9999"]).stdout, "acme/plugin-9999\n");
    assert_eq!(timed(&["search", "-o", "wide"]).stdout.lines().count(), 10_001);
    let run = timed(&["search", "plugni-1", "-o", "table"]);
    assert!(run.stderr.contains("hint: do you mean plugin-1"), "{}", run.shown());
}
