//! `kwasm deploy --via image-volume`: a pod mounts the bytes that were judged, or there are no manifests.

use kwasm_registry::{Artifact, Fault, Kind, Wrong};
use serde_json::{Value, json};

use super::{at, bytes, publish};
use crate::support::{Kwasm, Run, component, registry};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// An image as any tool for images may make it, in parts that a test can spoil.
struct Image {
    layers: Vec<Vec<u8>>,
    layer_type: &'static str,
    config_type: &'static str,
    /// The content that its configuration names.
    mounted: Vec<Vec<u8>>,
}

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

fn image(guest: &str) -> Image {
    let layer = layer(guest);
    Image { layers: vec![layer.clone()], layer_type: LAYER, config_type: CONFIG, mounted: vec![layer] }
}

fn descriptor(media_type: &str, content: &[u8]) -> Value {
    json!({"mediaType": media_type, "digest": kwasm_registry::digest(content), "size": content.len()})
}

impl Image {
    /// Serves it, and returns an index's entry for it.
    fn serve(&self, registry: &Wrong, platform: &str) -> Value {
        let mounted: Vec<String> =
            self.mounted.iter().map(|content| kwasm_registry::digest(content)).collect();
        let config = json!({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": mounted}});
        let config = config.to_string();
        registry.put_blob(config.clone());
        for layer in &self.layers {
            registry.put_blob(layer.clone());
        }
        let layers: Vec<Value> = self.layers.iter().map(|layer| descriptor(self.layer_type, layer)).collect();
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "layers": layers,
            "config": descriptor(self.config_type, config.as_bytes())});
        let manifest = manifest.to_string();
        registry.put_manifest("acme/hello", manifest.clone());
        on(descriptor(MANIFEST, manifest.as_bytes()), platform)
    }
}

fn on(mut entry: Value, platform: &str) -> Value {
    if let Some((os, architecture)) = platform.split_once('/') {
        entry["platform"] = json!({"os": os, "architecture": architecture});
    }
    entry
}

/// Serves the plugin `hello` and these entries beside it, and returns the digest of the index.
fn serve(registry: &Wrong, others: &[Value]) -> String {
    let plugin = Artifact::component(bytes("hello"));
    registry.push("acme/hello", "1.0.0", &plugin);
    let plugin = on(descriptor(MANIFEST, plugin.manifest().as_bytes()), "wasip2/wasm");
    let manifests: Vec<Value> = [plugin].into_iter().chain(others.iter().cloned()).collect();
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}).to_string();
    let digest = registry.put_manifest("acme/hello", index);
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
fn images_with_the_component_alone_are_mounted_whoever_made_them() {
    let registry = Wrong::start().unwrap();
    let hello = image("hello");
    let entries = ["linux/amd64", "linux/s390x", "windows/amd64", ""].map(|it| hello.serve(&registry, it));
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
fn an_image_with_anything_else_is_not_mounted_whichever_node_would_take_it() {
    let registry = Wrong::start().unwrap();
    let hello = || image("hello");
    let second = Image { layers: vec![layer("hello"), layer("exits")], ..hello() };
    let under = Image { layers: vec![layer("exits"), layer("hello")], ..hello() };
    for (other, why) in [
        (image("exits"), "its layer is sha256:"),
        (second, "it has 2 layers, and not one"),
        (under, "it has 2 layers, and not one"),
        (Image { layers: Vec::new(), ..hello() }, "it has 0 layers, and not one"),
        // A node that has content of these digests mounts that.
        (Image { mounted: vec![layer("exits")], ..hello() }, "names other content than its layer"),
        (Image { mounted: Vec::new(), ..hello() }, "names other content than its layer"),
        (
            Image { mounted: vec![layer("hello"), layer("exits")], ..hello() },
            "names other content than its layer",
        ),
        (Image { layer_type: "application/wasm", ..hello() }, "its layer is application/wasm, and not"),
        (Image { config_type: "application/vnd.oci.empty.v1+json", ..hello() }, "its configuration is"),
    ] {
        for (platform, named) in
            [("linux/amd64", "linux/amd64"), ("windows/amd64", "windows/amd64"), ("", "any platform")]
        {
            let entry = other.serve(&registry, platform);
            serve(&registry, &[hello().serve(&registry, "linux/arm64"), entry]);
            refused(&registry, &format!("its image for {named} does not have the component alone: "));
            refused(&registry, why);
        }
    }
    // An index may call anything an attestation; a node asks for its platform alone.
    let mut disguised = image("exits").serve(&registry, "linux/amd64");
    disguised["annotations"] = json!({"vnd.docker.reference.type": "attestation-manifest"});
    serve(&registry, &[hello().serve(&registry, "linux/arm64"), disguised]);
    refused(&registry, "its image for linux/amd64 does not have the component alone");
}

#[test]
fn an_image_that_is_not_what_its_index_names_is_not_mounted() {
    let registry = Wrong::start().unwrap();
    let entry = image("hello").serve(&registry, "linux/amd64");
    let mut longer = entry.clone();
    longer["size"] = (entry["size"].as_u64().unwrap() + 1).into();
    serve(&registry, &[longer]);
    refused(&registry, "bytes, and the registry has");
    let list = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry.clone()]}).to_string();
    registry.put_manifest("acme/hello", list.clone());
    serve(&registry, &[entry.clone(), on(descriptor(INDEX, list.as_bytes()), "linux/arm64")]);
    refused(
        &registry,
        "its image for linux/arm64 does not have the component alone: its manifest cannot be read",
    );
    // Of the image, after what is fetched of the plugin: its manifest or its configuration, in other bytes.
    for (kind, before, why) in
        [(Kind::Manifest, 3, "is not what its manifest names"), (Kind::Blob, 1, "its manifest names")]
    {
        serve(&registry, std::slice::from_ref(&entry));
        for _ in 0..before {
            registry.fault(Fault::headers().on(kind));
        }
        registry.fault(Fault::body("{}").without_header("docker-content-digest").on(kind));
        let kwasm = at(&registry);
        let cache = kwasm.home().join("cache");
        let kwasm = kwasm.variable("XDG_CACHE_HOME", cache);
        let run = deploy(&kwasm, &format!("{}/acme/hello:1.0.0", registry.host())).fails(126);
        assert!(run.stderr.contains(why), "{}", run.shown());
        assert_eq!(run.stdout, "");
    }
    serve(&registry, &[entry]);
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
    serve(&registry, &[image("hello").serve(&registry, "windows/amd64")]);
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
