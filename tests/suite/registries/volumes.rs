//! Plugins beside an image that a kubelet mounts as a volume: how they are published, and that they stay plugins as any
//! other. That containerd mounts the image is tested where there is a node.

use std::path::Path;

use serde_json::Value;

use super::{bytes, call, only, publish, trust};
use crate::support::{Kwasm, Layout, RealRegistry, Run, component, registry, registry_with_referrers};

fn registries(test: &str, programs: &[&str]) -> Vec<&'static RealRegistry> {
    [registry(test, programs), registry_with_referrers(test, programs)].into_iter().flatten().collect()
}

/// A plugin that was published with an image for volumes.
struct Volume {
    /// The repository.
    name: String,
    /// The digest of what its tag leads to, and of the plugin's own manifest.
    index: String,
    manifest: String,
}

impl Volume {
    /// Publishes a guest as version 1.0.0 of `greeter`, with more options.
    #[track_caller]
    fn publish(registry: &RealRegistry, kwasm: &Kwasm, guest: &str, options: &[&str]) -> Self {
        Self::publish_as(registry, kwasm, guest, "1.0.0", options)
    }

    #[track_caller]
    fn publish_as(registry: &RealRegistry, kwasm: &Kwasm, guest: &str, tag: &str, options: &[&str]) -> Self {
        let (name, file) = (registry.repository(kwasm, "greeter"), component(guest));
        let target = format!("{name}:{tag}");
        let all = [&["publish", file.to_str().unwrap(), &target, "--volume", "-o", "json"], options].concat();
        let row: Value = serde_json::from_str(&kwasm.call(all).success().stdout).unwrap();
        let digest = |key: &str| row[key].as_str().unwrap().to_owned();
        Self { name, index: digest("digest"), manifest: digest("manifest") }
    }

    fn tag(&self) -> String {
        format!("{}:1.0.0", self.name)
    }

    fn at(&self, digest: &str) -> String {
        format!("{}@{digest}", self.name)
    }
}

fn json(registry: &RealRegistry, kwasm: &Kwasm, reference: &str) -> Value {
    let fetched = Run::of(registry.oras(kwasm, "manifest").args(["fetch", reference])).success().stdout;
    serde_json::from_str(&fetched).unwrap()
}

#[test]
fn the_tag_leads_to_the_artifact_as_it_is_without_and_to_an_image_for_each_node() {
    for registry in registries("registries::the_tag_leads_to", &["oras", "skopeo"]) {
        let kwasm = registry.kwasm();
        let volume = Volume::publish(registry, &kwasm, "hello", &[]);
        let bare = publish(&kwasm, "hello", &format!("{}:1.0.0", registry.repository(&kwasm, "bare")));
        assert!(bare.success().stdout.trim().ends_with(&volume.manifest), "the same artifact as without");
        let index = json(registry, &kwasm, &volume.tag());
        let entry = |place: usize| {
            let platform = &index["manifests"][place]["platform"];
            let name = |key: &str| platform[key].as_str().unwrap().to_owned();
            let digest = index["manifests"][place]["digest"].as_str().unwrap().to_owned();
            (name("os"), name("architecture"), digest)
        };
        let image = entry(1).2;
        assert_eq!(entry(0), ("wasip2".to_owned(), "wasm".to_owned(), volume.manifest.clone()));
        assert_eq!(entry(1), ("linux".to_owned(), "amd64".to_owned(), image.clone()));
        assert_eq!(entry(2), ("linux".to_owned(), "arm64".to_owned(), image.clone()));
        assert_eq!(index["manifests"].as_array().unwrap().len(), 3);
        assert_eq!(index["annotations"]["org.opencontainers.image.version"], "1.0.0");
        // An image as any other program has it, for the platform of this machine.
        let mut copy = registry.skopeo(&kwasm);
        copy.args(["copy", &format!("docker://{}", volume.tag()), "dir:image"]);
        Run::of(&mut copy).success();
        let read = |name: &str| std::fs::read(kwasm.home().join("image").join(name)).unwrap();
        let hex = |digest: &Value| digest.as_str().unwrap()["sha256:".len()..].to_owned();
        let manifest: Value = serde_json::from_slice(&read("manifest.json")).unwrap();
        let layer = &manifest["layers"][0]["digest"];
        let config: Value = serde_json::from_slice(&read(&hex(&manifest["config"]["digest"]))).unwrap();
        assert_eq!(config["rootfs"]["diff_ids"], Value::from(vec![layer.clone()]));
        std::fs::create_dir(kwasm.home().join("root")).unwrap();
        let tar = kwasm.home().join("image").join(hex(layer));
        let mut unpack = kwasm.program("tar");
        Run::of(unpack.args(["-x", "-C", "root", "-f"]).arg(tar)).success();
        assert_eq!(listed(&kwasm.home().join("root")), ["plugin.wasm"]);
        assert!(std::fs::read(kwasm.home().join("root/plugin.wasm")).unwrap() == bytes("hello"));
        // Whenever it is published, it is the same.
        assert_eq!(Volume::publish(registry, &kwasm, "hello", &[]).index, volume.index);
    }
}

fn listed(folder: &Path) -> Vec<String> {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn it_is_run_inspected_installed_upgraded_and_carried_as_any_other() {
    for registry in registries("registries::it_is_run_inspected", &["oras"]) {
        let kwasm = registry.kwasm();
        let volume = Volume::publish(registry, &kwasm, "hello", &[]);
        for reference in [volume.tag(), volume.at(&volume.index), volume.at(&volume.manifest)] {
            let run = kwasm.call(["run", &reference, "--", "x"]).success();
            assert_eq!(run.stdout, "hello from kwasm: x\n");
            let page = kwasm.call(["inspect", &reference, "-o", "json"]).success().stdout;
            let page: Value = serde_json::from_str(&page).unwrap();
            assert_eq!(page["manifest"], *volume.manifest);
            let bare = reference.ends_with(&volume.manifest);
            assert_eq!(page["index"].as_str(), (!bare).then_some(&*volume.index));
        }
        // A digest pins, be it that of the index or of the plugin's own manifest.
        for pinned in [&volume.index, &volume.manifest] {
            kwasm.call(["install", &volume.at(pinned)]).success();
            assert_eq!(only(&kwasm)["manifest"], *volume.manifest);
            Volume::publish_as(registry, &kwasm, "exits", "1.1.0", &[]);
            assert_eq!(kwasm.call(["outdated", "-o", "name"]).success().stdout, "");
            kwasm.call(["upgrade"]).success();
            assert_eq!(call(&kwasm, "greeter").success().stdout, "hello from kwasm: x\n");
            kwasm.call(["uninstall", "greeter"]).success();
        }
        kwasm.call(["install", &volume.tag()]).success();
        assert_eq!(kwasm.call(["outdated", "-o", "name"]).success().stdout, "greeter\n");
        kwasm.call(["save", "greeter", "-f", "greeter.tar"]).success();
        kwasm.call(["upgrade"]).success();
        assert_eq!(only(&kwasm)["version"], "1.1.0");
        kwasm.call(["load", "greeter.tar"]).success();
        assert_eq!(only(&kwasm)["manifest"], *volume.manifest);
    }
}

#[test]
fn a_core_module_is_published_so_as_well() {
    let Some(registry) = registry("registries::a_core_module_is_published_so", &["oras"]) else { return };
    let kwasm = registry.kwasm();
    let volume = Volume::publish(registry, &kwasm, "hello-core", &[]);
    let plugin = &json(registry, &kwasm, &volume.tag())["manifests"][0]["platform"];
    assert_eq!(*plugin, serde_json::json!({"os": "wasip1", "architecture": "wasm"}));
    assert_eq!(kwasm.call(["run", &volume.tag(), "--", "x"]).success().stdout, "hello from kwasm: x\n");
}

#[test]
fn an_image_that_is_added_or_taken_away_is_no_other_plugin() {
    let Some(registry) = registry("registries::an_image_that_is_added", &[]) else { return };
    let kwasm = registry.kwasm();
    let tag = format!("{}:1.0.0", registry.repository(&kwasm, "greeter"));
    publish(&kwasm, "hello", &tag).success();
    kwasm.call(["install", &tag]).success();
    Volume::publish(registry, &kwasm, "hello", &[]);
    assert_eq!(kwasm.call(["outdated", "-o", "name"]).success().stdout, "");
    let again = kwasm.call(["install", &tag]).success();
    assert!(!again.stderr.contains("moved"), "{}", again.shown());
    publish(&kwasm, "hello", &tag).success();
    assert_eq!(kwasm.call(["outdated", "-o", "name"]).success().stdout, "");
    // Another plugin behind an index is.
    Volume::publish(registry, &kwasm, "exits", &[]);
    assert_eq!(kwasm.call(["outdated", "-o", "name"]).success().stdout, "greeter\n");
    let moved = kwasm.call(["install", &tag]).success();
    assert!(moved.stderr.contains("now: the tag was moved"), "{}", moved.shown());
}

#[test]
fn the_version_of_a_package_keeps_what_it_leads_to() {
    let Some(registry) = registry("registries::the_version_of_a_package", &[]) else { return };
    let kwasm = registry.kwasm();
    let file = component("hello");
    let file = file.to_str().unwrap();
    kwasm.call(["publish", file, "acme:hello@1.0.0", "--volume"]).success();
    kwasm.call(["publish", file, "acme:hello@1.0.0", "--volume"]).success();
    let run = kwasm.call(["publish", file, "acme:hello@1.0.0"]).fails(125);
    assert!(run.stderr.contains("this version is published already"), "{}", run.shown());
    kwasm.call(["install", "acme:hello"]).success();
    assert_eq!(call(&kwasm, "hello").success().stdout, "hello from kwasm: x\n");
}

/// What the README says of others at such a tag: oras takes the plugin, wkg the image for the platform of this machine.
#[test]
fn who_wants_the_plugin_alone_gets_it_by_its_own_digest() {
    let programs = ["oras", "wkg"];
    let Some(registry) = registry("registries::who_wants_the_plugin_alone", &programs) else { return };
    let kwasm = registry.kwasm();
    let volume = Volume::publish(registry, &kwasm, "hello", &[]);
    let hello = bytes("hello");
    for reference in [volume.tag(), volume.at(&volume.index), volume.at(&volume.manifest)] {
        Run::of(registry.oras(&kwasm, "pull").arg(&reference)).success();
        assert!(std::fs::read(kwasm.home().join("hello.wasm")).unwrap() == hello, "{reference}");
        std::fs::remove_file(kwasm.home().join("hello.wasm")).unwrap();
    }
    let pull = |reference: &str| {
        Run::of(registry.wkg(&kwasm).args(["oci", "pull", reference, "--output", "got.wasm"]))
    };
    let run = pull(&volume.tag()).fails(1);
    assert!(run.stderr.contains("Incompatible layer media type"), "{}", run.shown());
    pull(&volume.at(&volume.manifest)).success();
    assert!(std::fs::read(kwasm.home().join("got.wasm")).unwrap() == hello);
    // A package has nothing but its versions' tags, which is said to who publishes one like this.
    let file = component("hello");
    let published = |version: &str, options: &[&str]| {
        let package = format!("acme:hello@{version}");
        let run = kwasm.call([&["publish", file.to_str().unwrap(), &package], options].concat()).success();
        let mut get = registry.wkg(&kwasm);
        // What another test got, wkg would not ask for again.
        get.env("XDG_CACHE_HOME", kwasm.home().join("cache"));
        let got = Run::of(get.args(["get", "--overwrite", "--output", "./got.wasm", &package]));
        (run.stderr.contains("wkg cannot get this version"), got)
    };
    let (warned, got) = published("1.0.0", &["--volume"]);
    assert!(warned && got.code != Some(0), "{}", got.shown());
    let (warned, got) = published("1.1.0", &[]);
    assert!(!warned && got.code == Some(0), "{}", got.shown());
}

/// Writes key pairs by openssl, `our` and `other`.
fn keys(kwasm: &Kwasm) {
    let openssl = |arguments: &[&str]| Run::of(kwasm.program("openssl").args(arguments)).success();
    let folder = kwasm.home().join("config/kwasm");
    std::fs::create_dir_all(&folder).unwrap();
    for name in ["our", "other"] {
        let (private, public) = (format!("{name}.key"), format!("{name}.pub"));
        openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", &private]);
        openssl(&["pkey", "-in", &private, "-pubout", "-out", &public]);
        std::fs::copy(kwasm.home().join(&public), folder.join(&public)).unwrap();
    }
}

/// Returns the run of `cosign verify`.
fn cosign(registry: &RealRegistry, kwasm: &Kwasm, key: &str, reference: &str) -> Run {
    let mut verify = registry.cosign(kwasm);
    verify.args([
        "verify",
        "--insecure-ignore-tlog=true",
        "--private-infrastructure",
        "--key",
        key,
        reference,
    ]);
    Run::of(&mut verify)
}

#[test]
fn what_a_user_names_is_signed_to_cosign_and_to_kwasm() {
    for registry in registries("registries::what_a_user_names", &["oras", "cosign"]) {
        let kwasm = registry.kwasm();
        keys(&kwasm);
        let volume = Volume::publish(registry, &kwasm, "hello", &["--sign", "our.key"]);
        for reference in [volume.tag(), volume.at(&volume.index), volume.at(&volume.manifest)] {
            cosign(registry, &kwasm, "our.pub", &reference).success();
            assert_ne!(cosign(registry, &kwasm, "other.pub", &reference).code, Some(0), "{reference}");
            kwasm.call(["verify", &reference, "--key", "our.pub"]).success();
            kwasm.call(["verify", &reference, "--key", "other.pub"]).fails(126);
            trust(&kwasm, registry, "require", "{anyOf: [other.pub]}");
            kwasm.call(["install", &reference]).fails(126);
            kwasm.call(["run", &reference]).fails(126);
            trust(&kwasm, registry, "require", "{anyOf: [our.pub]}");
            kwasm.call(["install", &reference]).success();
            assert_eq!(only(&kwasm)["signers"][0], "our.pub");
            kwasm.call(["verify", "greeter", "--key", "our.pub"]).success();
            kwasm.call(["uninstall", "greeter"]).success();
        }
    }
}

#[test]
fn a_signature_of_the_index_alone_is_none_of_the_plugin() {
    for registry in registries("registries::a_signature_of_the_index", &["oras", "cosign"]) {
        let kwasm = registry.kwasm();
        let volume = Volume::publish(registry, &kwasm, "hello", &[]);
        let key = registry.key_pair(&kwasm, "team");
        registry.sign(&kwasm, &key, Layout::Bundle, &volume.name, &volume.index);
        cosign(registry, &kwasm, "team.pub", &volume.tag()).success();
        let run = kwasm.call(["verify", &volume.tag(), "--key", "team.pub"]).fails(126);
        let hint = format!(
            "a signature of the index {} alone does not count: cosign sign --recursive",
            volume.index
        );
        assert!(run.stderr.contains("it is not signed") && run.stderr.contains(&hint), "{}", run.shown());
        let folder = trust(&kwasm, registry, "require", "{anyOf: [team.pub]}");
        std::fs::copy(&key.public, folder.join("team.pub")).unwrap();
        let run = kwasm.call(["install", &volume.tag()]).fails(126);
        assert!(run.stderr.contains("it is not signed") && run.stderr.contains(&hint), "{}", run.shown());
        // The cure.
        let mut sign = registry.cosign(&kwasm);
        sign.args([
            "sign",
            "--yes",
            "--recursive",
            "--use-signing-config=false",
            "--tlog-upload=false",
            "--key",
        ]);
        Run::of(sign.arg(&key.private).arg(volume.at(&volume.index))).success();
        kwasm.call(["install", &volume.tag()]).success();
        assert_eq!(only(&kwasm)["signers"][0], "team.pub");
    }
}
