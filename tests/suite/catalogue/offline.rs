//! Without a network, what was fetched before is searched, and what was not is named.

use std::fs;

use kwasm_registry::Wrong;

use super::{Published, asking, build, call, describe, publish, search};
use crate::registries::at;
use crate::support::registry;

#[test]
fn without_a_network_what_is_kept_is_searched_and_errors_name_what_is_missing() {
    let registry = Wrong::start().unwrap();
    let kwasm = at(&registry);
    let (repository, index) =
        (format!("{}/acme/greeter", registry.host()), format!("{}/acme/index:1", registry.host()));
    let first = publish(&kwasm, &asking(&kwasm, "hello"), &format!("{repository}:1.0.0"));
    describe(&kwasm, "greeter", &repository, &[("1.0.0", &first)], "");
    build(&kwasm, 1);
    kwasm.call(["index", "publish", "index.json", &index]).success();
    kwasm.call(["index", "add", "acme", &index]).success();
    kwasm.call(["install", "greeter", "--policy", "none"]).success();
    let host = registry.host().to_owned();
    drop(registry);

    assert_eq!(search(&kwasm, &["greeter"])[0]["version"], "1.0.0");
    let unreachable = format!("kwasm: {host}: it cannot be reached");
    let said = |arguments: &[&str]| {
        let run = kwasm.call(arguments).fails(125);
        assert!(run.stderr.starts_with(&unreachable), "{}", run.shown());
    };
    said(&["index", "update"]);
    said(&["install", "acme/greeter", "--as", "other"]);
    assert_eq!(search(&kwasm, &["greeter"])[0]["installedVersion"], "1.0.0");
    assert_eq!(call(&kwasm, "greeter").success().stdout, "hello from kwasm: x\n");
    // The index says what is newest, so nothing has to be asked.
    assert_eq!(kwasm.call(["outdated"]).success().stdout, "");
    let run = kwasm.call(["upgrade", "greeter"]).success();
    assert!(run.stderr.contains("greeter 1.0.0 is the newest"), "{}", run.shown());
    kwasm.call(["doctor"]).success();
}

#[test]
fn an_index_that_is_damaged_is_reported_and_hides_no_other() {
    let Some(registry) = registry("catalogue::an_index_that_is_damaged", &[]) else { return };
    let Published { kwasm, .. } = &Published::new(registry).added();
    fs::write(kwasm.home().join("data/indexes/broken.index"), "{}").unwrap();
    let run = kwasm.call(["search", "greeter"]).fails(125);
    assert_eq!(run.stdout, "acme/greeter\n");
    assert!(
        run.stderr.contains("hint: remove it, and add it again: kwasm index remove broken"),
        "{}",
        run.shown()
    );
    // It may have the plugin, too.
    kwasm.call(["install", "greeter"]).fails(125);
    let run = kwasm.call(["doctor"]).fails(125);
    assert!(run.stderr.contains("hint: kwasm index remove broken"), "{}", run.shown());
    kwasm.call(["index", "remove", "broken"]).success();
    kwasm.call(["doctor"]).success();
    kwasm.call(["install", "greeter", "--policy", "request"]).success();
}
