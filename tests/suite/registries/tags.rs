//! Repositories with more tags than one page has.

use kwasm_registry::{Artifact, Fault, Kind, Paging, Wrong};

use super::{at, bytes, only};
use crate::support::registry;

/// Upgrades a plugin in a registry with 150 versions, of which the newest is neither the last in the alphabet nor
/// on the first page. Returns the registry, and the new version with the messages.
fn upgraded(paging: Paging) -> (Wrong, String) {
    let registry = Wrong::builder().tag_pages(100, paging).start().unwrap();
    let (old, new) = (Artifact::component(bytes("hello")), Artifact::component(bytes("exits")));
    for minor in 0..149 {
        registry.push("acme/hello", &format!("1.{minor}.0"), &old);
    }
    registry.push("acme/hello", "1.149.0", &new);
    for other in ["latest", "nightly", "9.9.9-beta.1", "sha256-0000.sig"] {
        registry.push("acme/hello", other, &old);
    }
    let kwasm = at(&registry);
    let run = kwasm.call(["install", &format!("{}/acme/hello:1.7.0", registry.host())]).success();
    assert!(run.stderr.contains("installed hello 1.7.0"), "{}", run.shown());
    let run = kwasm.call(["upgrade"]);
    let version = only(&kwasm)["version"].as_str().unwrap().to_owned();
    (registry, format!("{version} {}", run.stderr))
}

#[test]
fn the_newest_is_found_on_whichever_page_it_is() {
    for paging in [Paging::Relative, Paging::Absolute, Paging::LastOnly] {
        let (registry, said) = upgraded(paging);
        assert!(said.starts_with("1.149.0 "), "{paging:?}: {said}");
        assert!(registry.requests_for(Kind::Tags).len() >= 2, "{paging:?}");
    }
}

#[test]
fn pages_that_lead_in_a_circle_come_to_an_end() {
    let (registry, said) = upgraded(Paging::Loop);
    assert_eq!(registry.requests_for(Kind::Tags).len(), 2, "{said}");
}

#[test]
fn a_page_at_another_host_is_not_asked_for() {
    let (_registry, said) = upgraded(Paging::Elsewhere);
    assert!(said.starts_with("1.7.0 kwasm: ") && said.contains("its next page is at another host"), "{said}");
}

#[test]
fn what_is_longer_than_any_tag_is_none() {
    let registry = Wrong::start().unwrap();
    let version = |length: usize| format!("1.0.0-{}", "a".repeat(length - "1.0.0-".len()));
    let list = format!(r#"{{"tags": ["1.0.0", "{}", "{}"]}}"#, version(128), version(129));
    registry.fault(Fault::body(list).on(Kind::Tags));
    super::with_hello(&registry);
    let run = at(&registry).call(["install", "acme:hello@9"]).fails(127);
    assert!(run.stderr.ends_with(&format!("hint: it has 1.0.0, {}\n", version(128))), "{}", run.shown());
}

#[test]
fn a_list_of_tags_has_an_end() {
    let registry = Wrong::builder().tag_pages(1, Paging::Relative).start().unwrap();
    let reference = super::with_hello(&registry);
    let kwasm = at(&registry);
    kwasm.call(["install", &reference]).success();
    let content = Artifact::component(bytes("hello"));
    for minor in 0..1_000 {
        registry.push("acme/hello", &format!("0.{minor}.0"), &content);
    }
    let run = kwasm.call(["upgrade"]).fails(125);
    assert!(run.stderr.contains("its list of tags has more than 1000 pages"), "{}", run.shown());
    registry.untag("acme/hello", "0.0.0");
    kwasm.call(["upgrade"]).success();
}

#[test]
fn the_newest_of_more_than_a_hundred_is_found_in_a_real_registry() {
    let Some(registry) = registry("registries::the_newest_of_more_than_a_hundred", &["oras"]) else { return };
    let kwasm = registry.kwasm();
    let repository = registry.repository(&kwasm, "busy");
    super::publish(&kwasm, "hello", &format!("{repository}:0.1.0")).success();
    let tags: Vec<String> = (2..=130).map(|minor| format!("0.{minor}.0")).collect();
    let mut tag = registry.oras(&kwasm, "tag");
    crate::support::Run::of(tag.arg(format!("{repository}:0.1.0")).args(&tags)).success();
    kwasm.call(["install", &format!("{repository}:0.1.0")]).success();
    super::publish(&kwasm, "exits", &format!("{repository}:0.131.0")).success();
    kwasm.call(["upgrade"]).success();
    assert_eq!(only(&kwasm)["version"], "0.131.0");
}
