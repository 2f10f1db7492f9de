//! From a registry and back: docker-registry over TLS with a private CA and a password file.

use kwasm_registry::{Kind, Wrong};
use serde_json::Value;

use super::{at, call, only, publish, with_hello};
use crate::support::{Kwasm, Run, component, files, registry};

/// Gives it a cache of its own, to check what is left there.
fn with_own_cache(kwasm: Kwasm) -> Kwasm {
    let cache = kwasm.home().join("cache");
    kwasm.variable("XDG_CACHE_HOME", cache)
}

/// Checks that there is neither a receipt, nor content, nor a link, nor compiled code.
#[track_caller]
fn nothing_installed(kwasm: &Kwasm) {
    let left = |folder: std::path::PathBuf| {
        files(&folder).into_iter().filter(|file| file != "lock").collect::<Vec<_>>()
    };
    assert_eq!(left(kwasm.home().join("data")), Vec::<String>::new());
    assert_eq!(left(kwasm.links()), Vec::<String>::new());
    assert_eq!(left(kwasm.cache().join("kwasm/compiled")), Vec::<String>::new());
}

#[test]
fn a_plugin_lives_by_its_tag() {
    let Some(registry) = registry("registries::a_plugin_lives_by_its_tag", &[]) else { return };
    let kwasm = with_own_cache(registry.kwasm());
    let repository = registry.repository(&kwasm, "greeter");
    let run = publish(&kwasm, "hello", &format!("{repository}:1.0.0")).success();
    assert!(run.stdout.starts_with(&format!("{repository}@sha256:")), "{}", run.shown());
    let page = kwasm.call(["inspect", &format!("{repository}:1.0.0")]).success().stdout;
    assert!(page.contains("version     1.0.0") && page.contains("wasi:cli/run@0.2"), "{page}");
    assert_eq!(files(&kwasm.home().join("data")), Vec::<String>::new(), "to inspect leaves nothing");

    let run = kwasm.call(["install", &format!("{repository}:1.0.0")]).success();
    assert!(run.stderr.contains("installed greeter 1.0.0 (sha256:"), "{}", run.shown());
    assert!(run.stderr.contains("is not signed"), "{}", run.shown());
    assert_eq!(call(&kwasm, "greeter").success().stdout, "hello from kwasm: x\n");
    assert_eq!((&only(&kwasm)["version"], &only(&kwasm)["policy"]), (&"1.0.0".into(), &"read-only".into()));

    assert!(kwasm.call(["upgrade"]).success().stderr.contains("greeter 1.0.0 is the newest"));
    publish(&kwasm, "exits", &format!("{repository}:1.1.0")).success();
    publish(&kwasm, "traps", &format!("{repository}:2.0.0-rc.1")).success();
    assert_eq!(kwasm.call(["outdated"]).success().stdout, "greeter\n");
    let run = kwasm.call(["upgrade", "greeter"]).success();
    assert!(run.stderr.contains("greeter: from 1.0.0 (sha256:"), "{}", run.shown());
    assert_eq!(only(&kwasm)["version"], "1.1.0");
    assert_eq!(only(&kwasm)["source"], format!("{repository}:1.1.0"));
    assert_eq!(kwasm.call(["outdated"]).success().stdout, "");
    // `exits` is what it is now: it ends with the code that it is given.
    Run::of(kwasm.program(kwasm.links().join("kubectl-greeter")).arg("7")).fails(7);
    kwasm.call(["uninstall", "greeter"]).success();
    nothing_installed(&kwasm);
}

#[test]
fn a_plugin_that_is_pinned_by_its_digest_stays_what_it_is() {
    let Some(registry) = registry("registries::a_plugin_that_is_pinned", &[]) else { return };
    let kwasm = with_own_cache(registry.kwasm());
    let repository = registry.repository(&kwasm, "greeter");
    let pinned = publish(&kwasm, "hello", &format!("{repository}:1.0.0")).success().stdout;
    let page = kwasm.call(["inspect", pinned.trim()]).success().stdout;
    assert!(page.contains("version     1.0.0") && page.contains("wasi:cli/run@0.2"), "{page}");
    let run = kwasm.call(["run", pinned.trim(), "--", "y"]).success();
    assert_eq!(run.stdout, "hello from kwasm: y\n");
    assert_eq!(files(&kwasm.home().join("data")), Vec::<String>::new(), "to run installs nothing");
    kwasm.call(["install", pinned.trim()]).success();
    publish(&kwasm, "exits", &format!("{repository}:1.1.0")).success();
    assert_eq!(kwasm.call(["outdated"]).success().stdout, "");
    let run = kwasm.call(["upgrade", "greeter"]).success();
    assert!(run.stderr.contains("greeter is unchanged"), "{}", run.shown());
    assert_eq!(call(&kwasm, "greeter").success().stdout, "hello from kwasm: x\n");
    kwasm.call(["uninstall", "greeter"]).success();
    nothing_installed(&kwasm);
}

#[test]
fn a_plugin_lives_by_the_name_of_its_package() {
    let Some(registry) = registry("registries::a_plugin_lives_by_the_name", &[]) else { return };
    let kwasm = registry.kwasm();
    publish(&kwasm, "hello", "acme:greeter@1.0.0").success();
    let run = publish(&kwasm, "exits", "acme:greeter@1.0.0").fails(125);
    assert!(run.stderr.contains("published already, with other content"), "{}", run.shown());
    publish(&kwasm, "hello", "acme:greeter@1.0.0").success();
    assert!(kwasm.call(["inspect", "acme:greeter"]).success().stdout.contains("version     1.0.0"));
    assert_eq!(kwasm.call(["run", "acme:greeter@1", "--", "x"]).success().stdout, "hello from kwasm: x\n");
    kwasm.call(["pull", "acme:greeter", "--as", "my-greeter"]).success();
    publish(&kwasm, "hello", "acme:greeter@1.2.0").success();
    publish(&kwasm, "exits", "acme:greeter@2.0.0").success();
    kwasm.call(["upgrade"]).success();
    assert_eq!((&only(&kwasm)["version"], &only(&kwasm)["name"]), (&"2.0.0".into(), &"my-greeter".into()));
    let run = kwasm.call(["install", "acme:greeter@3"]).fails(127);
    assert!(run.stderr.contains("hint: it has 2.0.0, 1.2.0, 1.0.0"), "{}", run.shown());
}

#[test]
fn a_package_that_is_held_within_a_range_stays_within_it() {
    let Some(registry) = registry("registries::a_package_that_is_held", &[]) else { return };
    let kwasm = registry.kwasm();
    publish(&kwasm, "hello", "acme:held@1.0.0").success();
    kwasm.call(["install", "acme:held@1"]).success();
    publish(&kwasm, "hello", "acme:held@1.4.0").success();
    publish(&kwasm, "hello", "acme:held@2.0.0").success();
    kwasm.call(["upgrade"]).success();
    assert_eq!(only(&kwasm)["version"], "1.4.0");
    assert_eq!(kwasm.call(["outdated"]).success().stdout, "");
}

#[test]
fn several_are_installed_at_once_or_none() {
    let Some(registry) = registry("registries::several_are_installed", &[]) else { return };
    let kwasm = registry.kwasm();
    let one = format!("{}:1", registry.repository(&kwasm, "one"));
    publish(&kwasm, "hello", &one).success();
    let file = component("exits");
    kwasm.call(["install", &one, file.to_str().unwrap(), "acme:is-not-there"]).fails(127);
    assert_eq!(kwasm.call(["list"]).success().stdout, "");
    kwasm.call(["install", &one, file.to_str().unwrap()]).success();
    assert_eq!(kwasm.call(["list"]).success().stdout, "exits\none\n");
    let run = kwasm.call(["install", &one, &one]).fails(2);
    assert_eq!(run.stderr, "kwasm: two of these would be called `one`\n");
}

#[test]
fn a_tag_that_leads_elsewhere_is_an_upgrade_that_is_shown_and_not_taken_unasked() {
    let Some(registry) = registry("registries::a_tag_that_leads_elsewhere", &[]) else { return };
    let kwasm = registry.kwasm();
    let reference = format!("{}:1.0.0", registry.repository(&kwasm, "greeter"));
    publish(&kwasm, "hello", &reference).success();
    kwasm.call(["install", &reference]).success();
    let before = only(&kwasm)["digest"].clone();
    publish(&kwasm, "exits", &reference).success();
    // The plugin stays the same, whatever is done with it.
    assert_eq!(call(&kwasm, "greeter").success().stdout, "hello from kwasm: x\n");
    assert_eq!(kwasm.call(["run", "greeter", "--", "x"]).success().stdout, "hello from kwasm: x\n");
    assert_eq!(only(&kwasm)["digest"], before);
    let rows: Value = serde_json::from_str(&kwasm.call(["outdated", "-o", "json"]).success().stdout).unwrap();
    assert_eq!((&rows[0]["tagMoved"], &rows[0]["version"]), (&true.into(), &"1.0.0".into()));
    assert_ne!(rows[0]["digest"], rows[0]["newestDigest"]);
    assert!(kwasm.call(["outdated", "-o", "table"]).success().stdout.contains("same tag, other content"));
    let run = kwasm.call(["upgrade"]).success();
    assert!(run.stderr.contains("the tag was moved"), "{}", run.shown());
    assert_ne!(only(&kwasm)["digest"], before);
}

#[test]
fn what_is_run_from_a_registry_is_downloaded_once() {
    let registry = Wrong::start().unwrap();
    let reference = with_hello(&registry);
    let kwasm = with_own_cache(at(&registry));
    let run = || {
        let run = kwasm.call(["run", &reference, "--", "x"]).success();
        assert_eq!(run.stdout, "hello from kwasm: x\n");
        (registry.requests_for(Kind::Blob).len(), registry.requests_for(Kind::Manifest).len())
    };
    let (blobs, manifests) = run();
    assert!(blobs > 0);
    // The tag is resolved each time, but fetched content is not requested again.
    let content = kwasm_registry::digest(&std::fs::read(component("hello")).unwrap());
    registry.remove(&content);
    let again = run();
    assert_eq!(again.0, blobs);
    assert!(again.1 > manifests);
    assert_eq!(files(&kwasm.cache().join("kwasm/fetched")).len(), 1);
    assert_eq!(kwasm.call(["list"]).success().stdout, "");
}

#[test]
fn a_registry_that_is_not_there_is_told_and_nothing_is_left_behind() {
    let kwasm = Kwasm::with_empty_cache();
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let run = kwasm.call(["install", &format!("localhost:{port}/a/b")]).fails(125);
    assert!(run.stderr.contains(&format!("localhost:{port}: it cannot be reached: ")), "{}", run.shown());
    let run = kwasm.call(["install", "nobody:has-this"]).fails(2);
    assert!(
        run.stderr.starts_with("kwasm: no registry is known for packages of `nobody`\nhint: "),
        "{}",
        run.shown()
    );
    assert_eq!(files(kwasm.home()), Vec::<String>::new());
}

#[test]
fn a_private_authority_has_to_be_configured() {
    let Some(registry) = registry("registries::a_private_authority", &[]) else { return };
    let kwasm = registry.kwasm().variable("XDG_CONFIG_HOME", "/nowhere");
    let reference = format!("{}:1", registry.repository(&kwasm, "greeter"));
    let run = kwasm.call(["inspect", &reference]).fails(125);
    assert!(
        run.stderr.contains("UnknownIssuer") && run.stderr.contains("extra_root_certificates"),
        "{}",
        run.shown()
    );
    let mut trusting = kwasm.command(["inspect", &reference]);
    Run::of(trusting.env("SSL_CERT_FILE", registry.authority())).fails(127);
}

#[test]
fn a_package_may_be_in_a_folder() {
    let kwasm = Kwasm::new();
    let config = kwasm.home().join("config");
    let packages = kwasm.home().join("packages/acme/greeter");
    std::fs::create_dir_all(&packages).unwrap();
    std::fs::create_dir_all(config.join("wasm-pkg")).unwrap();
    let text = format!(
        "[namespace_registries]\nacme = \"packages.example\"\n[registry.\"packages.example\"]\ntype = \"local\"\n\
         [registry.\"packages.example\".local]\nroot = \"{}\"\n",
        kwasm.home().join("packages").display()
    );
    std::fs::write(config.join("wasm-pkg/config.toml"), text).unwrap();
    let kwasm = kwasm.variable("XDG_CONFIG_HOME", &config);
    std::fs::copy(component("hello"), packages.join("1.0.0.wasm")).unwrap();
    kwasm.call(["install", "acme:greeter"]).success();
    assert_eq!(call(&kwasm, "greeter").success().stdout, "hello from kwasm: x\n");
    std::fs::copy(component("exits"), packages.join("1.1.0.wasm")).unwrap();
    kwasm.call(["upgrade"]).success();
    assert_eq!(only(&kwasm)["version"], "1.1.0");
}
