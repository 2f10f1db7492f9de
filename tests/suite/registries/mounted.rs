//! `kwasm deploy --via image-volume`: a pod mounts the bytes that were judged, or there are no manifests.

use kwasm_registry::{Artifact, Wrong};
use serde_json::{Value, json};

use super::{at, bytes, publish};
use crate::support::{Kwasm, Run, component, registry};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// Returns a layer with one file, as the tar crate writes it.
fn layer(guest: &str) -> Vec<u8> {
    let content = bytes(guest);
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(tar::EntryType::Regular);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(content.len() as u64);
    let mut tar = tar::Builder::new(Vec::new());
    tar.append_data(&mut header, "plugin.wasm", &content[..]).unwrap();
    tar.into_inner().unwrap()
}

/// Returns the manifest of the image with a component as its only file, as it follows from the component.
fn image(guest: &str) -> Value {
    let layer = layer(guest);
    let config = json!({"created": "1970-01-01T00:00:00Z", "architecture": "amd64", "os": "linux", "config": {},
        "rootfs": {"type": "layers", "diff_ids": [kwasm_registry::digest(&layer)]}});
    json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": descriptor(CONFIG, config.to_string().as_bytes()),
        "layers": [descriptor(LAYER, &layer)]})
}

fn descriptor(media_type: &str, content: &[u8]) -> Value {
    json!({"mediaType": media_type, "digest": kwasm_registry::digest(content), "size": content.len()})
}

fn on(mut entry: Value, platform: &str) -> Value {
    if let Some((os, architecture)) = platform.split_once('/') {
        entry["platform"] = json!({"os": os, "architecture": architecture});
    }
    entry
}

/// Returns an index's entry for an image.
fn entry(image: &Value, platform: &str) -> Value {
    on(descriptor(MANIFEST, image.to_string().as_bytes()), platform)
}

/// Serves the plugin `hello` and these entries beside it, and returns the digest of the index.
fn serve(registry: &Wrong, others: &[Value]) -> String {
    list(registry, others, Value::to_string)
}

/// Serves an index as it is written.
fn list(registry: &Wrong, others: &[Value], written: impl Fn(&Value) -> String) -> String {
    let plugin = Artifact::component(bytes("hello"));
    registry.push("acme/hello", "1.0.0", &plugin);
    let plugin = on(descriptor(MANIFEST, plugin.manifest().as_bytes()), "wasip2/wasm");
    let manifests: Vec<Value> = [plugin].into_iter().chain(others.iter().cloned()).collect();
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
    let digest = registry.put_manifest("acme/hello", written(&index));
    registry.tag("acme/hello", "1.0.0", &digest);
    digest
}

fn deploy(kwasm: &Kwasm, source: &str) -> Run {
    kwasm.call(["deploy", source, "-n", "tools", "--policy", "none", "--via", "image-volume"])
}

fn deployed(registry: &Wrong) -> Run {
    deploy(&at(registry), &format!("{}/acme/hello:1.0.0", registry.host()))
}

/// Returns the reference of the image in the manifests.
fn mounted(run: Run) -> String {
    let run = run.success();
    let (_, behind) = run.stdout.split_once("reference: ").unwrap();
    // A long one is on a line of its own.
    behind.trim_start_matches(">-").split_whitespace().next().unwrap().to_owned()
}

#[track_caller]
fn refused(registry: &Wrong, why: &str) {
    let run = deployed(registry).fails(126);
    assert!(run.stderr.contains(why), "{}", run.shown());
    assert_eq!(run.stdout, "");
}

#[test]
fn the_image_of_the_component_is_mounted_whoever_listed_it() {
    let registry = Wrong::start().unwrap();
    let entries = ["linux/amd64", "linux/s390x", "windows/amd64", ""].map(|it| entry(&image("hello"), it));
    // What no node chooses is not looked at.
    let attestation = on(descriptor(MANIFEST, b"not there"), "unknown/unknown");
    for others in [&entries[..1], &entries[1..2], &entries[..], &[entries[0].clone(), attestation]] {
        let index = serve(&registry, others);
        let run = deployed(&registry).success();
        assert!(run.stdout.contains("byte by byte"), "{}", run.shown());
        assert_eq!(mounted(run), format!("{}/acme/hello@{index}", registry.host()));
    }
}

#[test]
fn an_index_with_anything_else_is_not_mounted_whichever_node_would_take_it() {
    let registry = Wrong::start().unwrap();
    let hello = || entry(&image("hello"), "linux/arm64");
    let changed = |change: fn(&mut Value)| {
        let mut image = image("hello");
        change(&mut image);
        image
    };
    for other in [
        image("exits"),
        changed(|image| image["layers"] = json!([])),
        changed(|image| image["config"]["digest"] = image["layers"][0]["digest"].clone()),
        // A node takes the last of the fields that differ by case alone.
        changed(|image| image["layerS"] = json!([descriptor(LAYER, &layer("exits"))])),
        changed(|image| image["annotations"] = json!({"by": "another tool"})),
    ] {
        for (platform, named) in
            [("linux/amd64", "linux/amd64"), ("windows/amd64", "windows/amd64"), ("", "any platform")]
        {
            serve(&registry, &[hello(), entry(&other, platform)]);
            refused(
                &registry,
                &format!("its image for {named} is another than the component's: it is sha256:"),
            );
        }
    }
    // An index may call anything an attestation; a node asks for its platform alone.
    let mut disguised = entry(&image("exits"), "linux/amd64");
    disguised["annotations"] = json!({"vnd.docker.reference.type": "attestation-manifest"});
    serve(&registry, &[hello(), disguised]);
    refused(&registry, "its image for linux/amd64 is another than the component's");
}

#[test]
fn an_index_that_a_node_may_read_in_another_way_is_refused() {
    let registry = Wrong::start().unwrap();
    let hello = || entry(&image("hello"), "linux/amd64");
    let exits = entry(&image("exits"), "linux/amd64");
    let mut folded = hello();
    folded["Digest"] = exits["digest"].clone();
    serve(&registry, &[folded]);
    refused(&registry, "its field `Digest` may be taken for `digest`");
    list(&registry, &[hello()], |index| {
        let mut index = index.clone();
        index["Manifests"] = json!([exits]);
        index.to_string()
    });
    refused(&registry, "its field `Manifests` may be taken for `manifests`");
    list(&registry, &[hello()], |index| index.to_string().replacen('{', r#"{"manifests": [], "#, 1));
    refused(&registry, "duplicate field `manifests`");
    serve(&registry, &[hello()]);
    deployed(&registry).success();
}

#[test]
fn an_index_of_which_a_node_may_choose_the_plugin_itself_is_not_mounted() {
    let registry = Wrong::start().unwrap();
    let typed = |platform: &str| {
        list(&registry, &[entry(&image("hello"), "linux/arm64")], |index| {
            let mut index = index.clone();
            let plugin = &mut index["manifests"][0];
            plugin["artifactType"] = "application/vnd.wasm.config.v0+json".into();
            plugin.as_object_mut().unwrap().remove("platform");
            *plugin = on(plugin.clone(), platform);
            index.to_string()
        });
    };
    for (platform, named) in [("linux/amd64", "linux/amd64"), ("", "any platform")] {
        typed(platform);
        refused(
            &registry,
            &format!("its image for {named} is another than the component's: it is the plugin itself"),
        );
    }
    typed("wasi/wasm");
    deployed(&registry).success();
}

#[test]
fn where_no_image_is_the_cure_is_to_publish_one() {
    let registry = Wrong::start().unwrap();
    let without = |registry: &Wrong| {
        let run = deployed(registry).fails(2);
        assert!(run.stderr.contains("it has no image for volumes"), "{}", run.shown());
        assert!(run.stderr.contains("hint: publish it again with kwasm publish --volume"), "{}", run.shown());
        assert_eq!(run.stdout, "");
    };
    registry.push("acme/hello", "1.0.0", &Artifact::component(bytes("hello")));
    without(&registry);
    serve(&registry, &[]);
    without(&registry);
    serve(&registry, &[entry(&image("hello"), "windows/amd64")]);
    without(&registry);
    let kwasm = at(&registry);
    let target = format!("{}/acme/hello:1.0.0", registry.host());
    kwasm.call(["publish", component("hello").to_str().unwrap(), &target, "--volume"]).success();
    deployed(&registry).success();
    // What the user names instead is not compared, and this is said.
    let image = format!("registry.example/tools/hello@{}", kwasm_registry::digest(b"x"));
    let all = ["deploy", &target, "-n", "tools", "--via", "image-volume", "--volume-image", &image];
    let run = kwasm.call(all).success();
    assert!(run.stdout.contains("was not compared with the plugin"), "{}", run.shown());
    assert_eq!(mounted(run), image);
}

#[test]
fn a_plugin_is_mounted_by_whatever_it_is_named_until_its_tag_leads_elsewhere() {
    let Some(registry) = registry("registries::a_plugin_is_mounted", &[]) else { return };
    let kwasm = registry.kwasm();
    let hello = component("hello");
    kwasm.call(["publish", hello.to_str().unwrap(), "acme:greeter@1.0.0", "--volume"]).success();
    let repository = registry.repository(&kwasm, "acme/greeter");
    let tag = format!("{repository}:1.0.0");
    let by_tag = mounted(deploy(&kwasm, &tag));
    let (name, index) = by_tag.split_once('@').unwrap();
    assert_eq!(name, repository);
    assert_eq!(mounted(deploy(&kwasm, &by_tag)), by_tag);
    assert_eq!(mounted(deploy(&kwasm, "acme:greeter")), by_tag);
    for installed in [&tag, &by_tag] {
        kwasm.call(["install", installed]).success();
        assert_eq!(mounted(deploy(&kwasm, "greeter")), by_tag);
    }
    let page: Value =
        serde_json::from_str(&kwasm.call(["inspect", &tag, "-o", "json"]).success().stdout).unwrap();
    assert_eq!(page["index"], index);
    // Its own digest does not lead to the image.
    let own = format!("{repository}@{}", page["manifest"].as_str().unwrap());
    let run = deploy(&kwasm, &own).fails(2);
    assert!(run.stderr.contains("it has no image for volumes"), "{}", run.shown());
    kwasm.call(["install", &tag]).success();
    publish(&kwasm, "exits", &tag).success();
    let run = deploy(&kwasm, "greeter").fails(126);
    let why = format!("greeter: {tag} leads to another artifact now than when it was installed");
    assert!(run.stderr.contains(&why), "{}", run.shown());
    assert_eq!(run.stdout, "");
}
