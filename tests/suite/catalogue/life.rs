//! From descriptions to an installed plugin and its upgrade, with a real registry.

use serde_json::json;

use super::{IN_WORDS, Published, asking, build, call, key_pair, nothing_installed, publish, search, write};
use crate::support::{Kwasm, registry, registry_with_referrers, skip};

#[test]
fn a_plugin_is_found_in_an_index_and_installed_by_its_name() {
    let Some(registry) = registry("catalogue::a_plugin_is_found", &[]) else { return };
    let Published { kwasm, repository, first, .. } = &Published::new(registry).added();

    let rows = search(kwasm, &["greet"]);
    assert_eq!(
        rows,
        [json!({
            "name": "greeter", "version": "1.0.0", "index": "acme", "installed": false, "installedVersion": null,
            "nameTaken": false, "description": "Greets whoever is there", "asksFor": [IN_WORDS],
            "source": repository, "homepage": null, "license": "MIT",
        })]
    );
    assert_eq!(kwasm.call(["search", "WHOEVER"]).success().stdout, "acme/greeter\n");
    let run = kwasm.call(["install", "greeter", "--policy", "request"]).success();
    assert!(run.stderr.contains("installed greeter 1.0.0 (sha256:"), "{}", run.shown());
    assert_eq!(call(kwasm, "greeter").success().stdout, "hello from kwasm: x\n");
    assert_eq!(search(kwasm, &["greeter"])[0]["installedVersion"], "1.0.0");
    let list: Vec<serde_json::Value> =
        serde_json::from_str(&kwasm.call(["list", "-o", "json"]).success().stdout).unwrap();
    assert_eq!((&list[0]["source"], &list[0]["manifest"]), (&json!("acme/greeter"), &json!(first)));
    let run = kwasm.call(["install", "greeter"]).fails(2);
    assert!(run.stderr.contains("hint: kwasm upgrade greeter"), "{}", run.shown());
    kwasm.call(["install", "acme/greeter", "--policy", "request"]).success();
    kwasm.call(["install", "acme/greeter@1.0.0", "--as", "other", "--policy", "request"]).success();
    kwasm.call(["verify", "acme/greeter", "--key", "none.pub"]).fails(125);
    let page = kwasm.call(["inspect", "acme/greeter"]).success().stdout;
    assert!(page.contains(first.as_str()), "{page}");
    kwasm.call(["doctor"]).success();
}

#[test]
fn an_index_is_updated_and_its_plugins_are_upgraded_to_what_it_names() {
    let Some(registry) = registry("catalogue::an_index_is_updated", &[]) else { return };
    let published = Published::new(registry).added();
    let Published { kwasm, repository, first, .. } = &published;
    kwasm.call(["install", "greeter", "--policy", "request"]).success();
    let second = publish(kwasm, &asking(kwasm, "exits"), &format!("{repository}:1.1.0"));
    // The registry has it, and the index does not know.
    assert_eq!(kwasm.call(["outdated"]).success().stdout, "");
    let run = kwasm.call(["upgrade"]).success();
    assert!(run.stderr.contains("greeter 1.0.0 is the newest"), "{}", run.shown());
    published.describe(&[("1.0.0", first), ("1.1.0", &second)]);
    build(kwasm, 2);
    kwasm.call(["index", "publish", "index.json", &published.index()]).success();
    assert_eq!(search(kwasm, &["greeter"])[0]["version"], "1.0.0");
    let run = kwasm.call(["index", "update"]).success();
    assert!(run.stderr.starts_with("updated the index acme: 1 plugin, revision 2\n"), "{}", run.shown());
    let run = kwasm.call(["index", "update", "acme"]).success();
    assert!(
        run.stderr.starts_with("found no news in the index acme: 1 plugin, revision 2\n"),
        "{}",
        run.shown()
    );
    assert_eq!(search(kwasm, &["greeter"])[0]["version"], "1.1.0");
    assert_eq!(kwasm.call(["outdated"]).success().stdout, "greeter\n");
    let run = kwasm.call(["upgrade", "greeter"]).success();
    assert!(run.stderr.contains("greeter: from 1.0.0 (sha256:"), "{}", run.shown());
    assert_eq!(search(kwasm, &["greeter"])[0]["installedVersion"], "1.1.0");
    assert_eq!(kwasm.call(["outdated"]).success().stdout, "");

    // An edition that goes back is not taken, and what is kept stays.
    published.describe(&[("1.0.0", first)]);
    build(kwasm, 1);
    kwasm.call(["index", "publish", "index.json", &published.index()]).success();
    let run = kwasm.call(["index", "update"]).fails(126);
    assert!(run.stderr.contains("revision 1, and not 2 or later"), "{}", run.shown());
    assert_eq!(search(kwasm, &["greeter"])[0]["version"], "1.1.0");

    // A version that becomes another artifact is pointed out.
    published.describe(&[("1.0.0", &second), ("1.1.0", &second)]);
    build(kwasm, 3);
    kwasm.call(["index", "publish", "index.json", &published.index()]).success();
    let run = kwasm.call(["index", "update"]).success();
    assert!(run.stderr.contains("warning: acme: greeter 1.0.0 was sha256:"), "{}", run.shown());
}

#[test]
fn an_index_is_as_signed_as_trust_yaml_requires() {
    let test = "catalogue::an_index_is_as_signed";
    for registry in [registry(test, &[]), registry_with_referrers(test, &[])].into_iter().flatten() {
        let published = Published::new(registry);
        let Published { kwasm, first, .. } = &published;
        if key_pair(kwasm).is_none() {
            return skip(test, "there is no openssl");
        }
        published.describe(&[("1.0.0", first)]);
        build(kwasm, 1);
        let index = published.index();
        kwasm.call(["index", "publish", "index.json", &index]).success();
        trust(kwasm, index.trim_end_matches(":latest"));
        let run = kwasm.call(["index", "add", "acme", &index]).fails(126);
        assert!(run.stderr.contains("it is not signed"), "{}", run.shown());
        assert_eq!(kwasm.call(["index", "list"]).success().stdout, "");
        assert_eq!(search(kwasm, &[]).len(), 0);

        let run = kwasm.call(["index", "publish", "index.json", &index, "--sign", "team.key"]).success();
        assert!(run.stderr.contains("signed"), "{}", run.shown());
        let run = kwasm.call(["index", "add", "acme", &index]).success();
        assert!(run.stderr.contains("is signed by team.pub"), "{}", run.shown());
        let listed = kwasm.call(["index", "list", "-o", "json"]).success().stdout;
        let listed: Vec<serde_json::Value> = serde_json::from_str(&listed).unwrap();
        assert_eq!(listed[0]["signers"], json!(["team.pub"]));

        // What was signed is not followed by what is not, whatever trust.yaml says by now.
        std::fs::remove_file(kwasm.home().join("config/kwasm/trust.yaml")).unwrap();
        build(kwasm, 2);
        kwasm.call(["index", "publish", "index.json", &index]).success();
        let run = kwasm.call(["index", "update"]).fails(126);
        assert!(run.stderr.contains("it is not signed, and"), "{}", run.shown());
        assert_eq!(search(kwasm, &[]).len(), 1);
        nothing_installed(kwasm);
    }
}

/// Requires signatures of the team in a repository.
fn trust(kwasm: &Kwasm, repository: &str) {
    let rule = format!("- registry: {repository}\n  signatures: require\n  keys: {{anyOf: [team.pub]}}\n");
    write(kwasm, "config/kwasm/trust.yaml", format!("apiVersion: kwasm.dev/v1\nkind: Trust\nrules:\n{rule}"));
}

#[test]
fn a_file_is_an_index_too_and_its_plugins_may_be_files() {
    let kwasm = Kwasm::new();
    let component = asking(&kwasm, "hello");
    std::fs::rename(component, kwasm.home().join("greeter.wasm")).unwrap();
    let description = "apiVersion: kwasm.dev/v1\nkind: Plugin\nname: greeter\ndescription: Greets\nsource: ../greeter.wasm\nversions: [{version: 1.0.0}]\n";
    write(&kwasm, "descriptions/greeter.yaml", description);
    let run = kwasm.call(["index", "build", "descriptions", "-o", "index.json", "--revision", "1"]).success();
    assert_eq!(run.stderr, "wrote 1 plugin to index.json: revision 1\n");
    let text = std::fs::read_to_string(kwasm.home().join("index.json")).unwrap();
    assert!(text.contains("\"./greeter.wasm\"") && text.contains("kind: Policy"), "{text}");
    kwasm.call(["index", "add", "mine", "index.json"]).success();
    assert_eq!(search(&kwasm, &["greeter"])[0]["asksFor"], json!([IN_WORDS]));
    kwasm.call(["install", "greeter", "--policy", "request"]).success();
    assert_eq!(call(&kwasm, "greeter").success().stdout, "hello from kwasm: x\n");
    // Without its index it stays as it is.
    let run = kwasm.call(["index", "remove", "mine"]).success();
    insta::assert_snapshot!(run.stderr, @"
    removed the index mine
    still installed from it, without upgrades until it is added again: greeter
    ");
    let run = kwasm.call(["upgrade", "greeter"]).fails(2);
    assert!(run.stderr.starts_with("kwasm: there is no index `mine`\n"), "{}", run.shown());
    assert_eq!(call(&kwasm, "greeter").success().stdout, "hello from kwasm: x\n");
    kwasm.call(["index", "add", "mine", "index.json"]).success();
    kwasm.call(["upgrade", "greeter"]).success();
    kwasm.call(["uninstall", "greeter"]).success();
    // Paths of this machine are of no use in a registry.
    let run = kwasm.call(["index", "publish", "index.json", "localhost:1/index"]).fails(126);
    assert!(run.stderr.contains("only an index in a file may name files"), "{}", run.shown());
    // Another file is in its place.
    std::fs::copy(crate::support::component("exits"), kwasm.home().join("greeter.wasm")).unwrap();
    let run = kwasm.call(["install", "greeter"]).fails(126);
    assert!(run.stderr.contains("the index names sha256:"), "{}", run.shown());
    kwasm.call(["run", "mine/greeter"]).fails(126);
    nothing_installed(&kwasm);
    let run = kwasm.call(["index", "remove", "mine"]).success();
    assert_eq!(run.stderr, "removed the index mine\n");
    assert_eq!(kwasm.call(["index", "list"]).success().stdout, "");
}
