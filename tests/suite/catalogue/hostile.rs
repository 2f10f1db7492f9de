//! Indexes that lie, and those that are none: nothing is installed.

use kwasm_registry::digest;
use serde_json::{Value, json};

use super::{ASKS, Published, asking, build, describe, nothing_installed, publish, search, write};
use crate::support::{Kwasm, registry};

/// Adds an index of this text from a file.
fn add(kwasm: &Kwasm, text: &str) -> crate::support::Run {
    write(kwasm, "index.json", text);
    kwasm.call(["index", "add", "acme", "./index.json"])
}

fn index(plugins: &Value) -> String {
    json!({"apiVersion": "kwasm.dev/v1", "kind": "Index", "revision": 1, "plugins": plugins}).to_string()
}

fn plugin() -> Value {
    json!({
        "name": "greeter", "description": "Greets", "source": "ghcr.io/acme/greeter",
        "versions": [{"version": "1.0.0", "digest": digest(b"x")}],
    })
}

#[test]
fn what_an_index_names_is_what_is_installed_or_nothing_is() {
    let Some(registry) = registry("catalogue::what_an_index_names", &[]) else { return };
    let published = Published::new(registry);
    let Published { kwasm, repository, first, .. } = &published;
    let other = publish(kwasm, &asking(kwasm, "exits"), &format!("{repository}:1.1.0"));
    let unasking =
        publish(kwasm, crate::support::component("hello").to_str().unwrap(), &format!("{repository}:2.0.0"));
    let install = |versions: &[(&str, &str)]| {
        published.describe(versions);
        build(kwasm, 1);
        kwasm.call(["index", "add", "acme", "index.json"]).success();
        let run = kwasm.call(["install", "greeter", "--policy", "request"]);
        kwasm.call(["index", "remove", "acme"]).success();
        run
    };
    let nowhere = digest(b"nowhere");
    let run = install(&[("1.0.0", &nowhere)]).fails(126);
    assert_eq!(
        run.stderr.lines().next().unwrap(),
        format!("kwasm: acme/greeter@1.0.0: the index names {nowhere}, and {repository} does not have it")
    );
    nothing_installed(kwasm);
    // The digest is there, but it is that of another version.
    let run = install(&[("1.0.0", &other)]).fails(126);
    assert!(run.stderr.contains("what the index names is version 1.1.0"), "{}", run.shown());
    nothing_installed(kwasm);
    // The plugin is there, but it asks for something else than was shown.
    let run = install(&[("2.0.0", &unasking)]).fails(126);
    assert!(run.stderr.contains("is not what the plugin itself requests"), "{}", run.shown());
    nothing_installed(kwasm);
    // Only the newest version is described: others ask for what they ask.
    install(&[("1.0.0", first)]).success();
    // A tag that moved since does not matter to what is pinned.
    publish(kwasm, &asking(kwasm, "traps"), &format!("{repository}:1.0.0"));
    kwasm.call(["uninstall", "greeter"]).success();
    install(&[("1.0.0", first)]).success();
}

#[test]
fn what_is_not_an_index_is_not_added() {
    let Some(registry) = registry("catalogue::what_is_not_an_index", &[]) else { return };
    let published = Published::new(registry);
    let Published { kwasm, repository, .. } = &published;
    let run = kwasm.call(["index", "add", "acme", &format!("{repository}:1.0.0")]).fails(126);
    assert!(run.stderr.contains("its layer is application/wasm"), "{}", run.shown());
    // Nor is an index a plugin.
    published.describe(&[("1.0.0", &published.first)]);
    build(kwasm, 1);
    kwasm.call(["index", "publish", "index.json", &published.index()]).success();
    let run = kwasm.call(["install", &published.index()]).fails(126);
    assert!(run.stderr.contains("its layer is application/vnd.kwasm.index.v1+json"), "{}", run.shown());
    kwasm.call(["index", "add", "acme", &format!("{}-gone", published.index())]).fails(127);
    kwasm.call(["index", "add", "acme", "gone.json"]).fails(127);
    kwasm.call(["index", "add", "acme", "acme"]).fails(2);
    kwasm.call(["index", "add", "Acme", "./index.json"]).fails(2);
    assert_eq!(kwasm.call(["index", "list"]).success().stdout, "");
}

#[test]
fn an_index_has_one_form_and_everything_else_is_refused() {
    let kwasm = Kwasm::new();
    let wrong = |key: &str, value: Value| {
        let mut plugin = plugin();
        plugin[key] = value;
        let run = add(&kwasm, &index(&json!([plugin]))).fails(126);
        run.stderr.lines().next().unwrap().to_owned()
    };
    assert!(wrong("name", json!("../x")).contains("not a valid plugin name"));
    assert!(wrong("name", json!("get")).contains("a command of kubectl"));
    assert!(wrong("description", json!("a\u{1b}[2Jb")).contains("control character"));
    assert!(wrong("source", json!("ghcr.io/acme/greeter:1")).contains("write ghcr.io/acme/greeter"));
    assert!(wrong("versions", json!([])).contains("there are 0"));
    assert!(wrong("homepage", json!("javascript:alert(1)")).contains("homepage"));
    assert!(wrong("extra", json!(1)).contains("unknown field"));
    for text in ["", "[]", "{}", "kind: Index", &index(&json!([plugin(), plugin()]))] {
        add(&kwasm, text).fails(126);
    }
    let deep = "[".repeat(100_000);
    add(&kwasm, &deep).fails(126);
    std::fs::File::create(kwasm.home().join("index.json")).unwrap().set_len((64 << 20) + 1).unwrap();
    let run = kwasm.call(["index", "add", "acme", "index.json"]).fails(126);
    assert!(run.stderr.contains("an index has at most 67108864"), "{}", run.shown());
    assert_eq!(search(&kwasm, &[]).len(), 0);
}

#[test]
fn what_drives_a_terminal_is_shown_escaped_in_every_form() {
    let kwasm = Kwasm::new();
    let mut plugin = plugin();
    // No control characters, and yet they turn or hide text.
    plugin["description"] = json!("Greets\u{202e}\u{2066}\u{feff}\u{e0041}");
    plugin["license"] = json!("MIT");
    add(&kwasm, &index(&json!([plugin]))).success();
    for form in ["table", "wide", "json", "yaml", "name"] {
        let run = kwasm.call(["search", "greets", "-o", form]).success();
        assert!(run.stdout.is_ascii(), "{form}: {}", run.stdout.escape_debug());
        assert!(form == "name" || run.stdout.contains("202e"), "{form}: {}", run.stdout);
    }
    let request = ASKS.replace("[pods]", "[\"pods\\u202e\"]");
    plugin["request"] = json!(request);
    plugin["name"] = json!("other");
    kwasm.call(["index", "remove", "acme"]).success();
    add(&kwasm, &index(&json!([plugin]))).success();
    assert!(kwasm.call(["search", "other", "-o", "wide"]).success().stdout.is_ascii());
}

#[test]
fn a_description_that_is_wrong_makes_no_index() {
    let kwasm = Kwasm::new();
    describe(
        &kwasm,
        "greeter",
        "ghcr.io/acme/greeter:1",
        &[("1.x", &digest(b"x"))],
        "request: gone.yaml\nmore: 1\n",
    );
    let run = kwasm.call(["index", "build", "descriptions", "-o", "index.json"]).fails(2);
    for key in ["source", "versions[0].version", "request", "more"] {
        assert!(run.stderr.contains(&format!(": {key}: ")), "{key}: {}", run.shown());
    }
    assert!(!kwasm.home().join("index.json").exists());
    kwasm.call(["index", "build", "gone", "-o", "index.json"]).fails(125);
    let run = kwasm.call(["index", "build", ".", "-o", "index.json"]).fails(2);
    assert!(run.stderr.contains("it contains no descriptions of plugins"), "{}", run.shown());
}
