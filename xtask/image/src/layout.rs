//! An image of one layer, and the archive of its OCI layout (image-spec, image-layout.md).

use std::{collections::BTreeMap, io::Write as _};

use anyhow::Result;
use flate2::{Compression, GzBuilder};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tar::{Builder, Header};

/// How the image runs.
#[derive(Default)]
pub(crate) struct Configuration {
    pub(crate) entrypoint: Vec<String>,
    pub(crate) environment: Vec<String>,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) user: Option<u32>,
}

/// An image in memory, or several of one name, each for another kind of processor.
pub(crate) struct Image {
    blobs: Blobs,
    index: Value,
    summary: Value,
}

/// The content of each blob, by its digest.
#[derive(Default)]
struct Blobs(BTreeMap<String, Vec<u8>>);

impl Blobs {
    /// Adds a blob, and returns its descriptor.
    fn put(&mut self, kind: &str, content: Vec<u8>) -> Value {
        let digest = digest(&content);
        let descriptor = json!({"mediaType": kind, "digest": digest, "size": content.len()});
        self.0.insert(digest, content);
        descriptor
    }
}

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

impl Image {
    /// Makes an image of one layer, an uncompressed tar, for each architecture.
    ///
    /// # Errors
    /// If the layer cannot be compressed.
    pub(crate) fn new(
        layers: &[(&str, Vec<u8>)],
        configuration: &Configuration,
        name: Option<&str>,
    ) -> Result<Self> {
        let mut blobs = Blobs::default();
        let (mut manifests, mut sizes) = (Vec::new(), [0; 2]);
        for (architecture, tar) in layers {
            let compressed = gzip(tar)?;
            sizes = [sizes[0] + tar.len(), sizes[1] + compressed.len()];
            let layer = blobs.put("application/vnd.oci.image.layer.v1.tar+gzip", compressed);
            let text = image_configuration(configuration, architecture, &digest(tar)).to_string();
            let configuration = blobs.put("application/vnd.oci.image.config.v1+json", text.into_bytes());
            let manifest = json!({
                "schemaVersion": 2, "mediaType": MANIFEST, "config": configuration, "layers": [layer],
            });
            let mut entry = blobs.put(MANIFEST, manifest.to_string().into_bytes());
            entry["platform"] = json!({"os": "linux", "architecture": architecture});
            manifests.push(entry);
        }
        let mut top = match &mut manifests[..] {
            [only] => only.take(),
            _ => blobs.put(INDEX, index(&manifests).to_string().into_bytes()),
        };
        let summary = json!({"digest": top["digest"], "unpacked": sizes[0], "compressed": sizes[1]});
        if let Some(name) = name {
            top["annotations"] = json!({
                "io.containerd.image.name": name,
                "org.opencontainers.image.ref.name": name.rsplit(':').next().unwrap_or(name),
            });
        }
        Ok(Self { blobs, index: index(&[top]), summary })
    }

    /// Returns the digest of its manifest or index, and the bytes of its layers unpacked and compressed.
    pub(crate) fn summary(&self) -> &Value {
        &self.summary
    }

    /// Returns the archive of its layout.
    pub(crate) fn archive(&self) -> Result<Vec<u8>> {
        let mut tar = Builder::new(Vec::new());
        let mut add = |path: &str, content: &[u8]| {
            let mut header = Header::new_gnu();
            header.set_mode(0o644);
            header.set_mtime(0);
            header.set_size(content.len() as u64);
            tar.append_data(&mut header, path, content)
        };
        add("oci-layout", json!({"imageLayoutVersion": "1.0.0"}).to_string().as_bytes())?;
        add("index.json", self.index.to_string().as_bytes())?;
        for (digest, content) in &self.blobs.0 {
            add(&format!("blobs/{}", digest.replace(':', "/")), content)?;
        }
        Ok(tar.into_inner()?)
    }
}

fn index(manifests: &[Value]) -> Value {
    json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests})
}

fn image_configuration(configuration: &Configuration, architecture: &str, layer: &str) -> Value {
    let mut run = json!({
        "Entrypoint": configuration.entrypoint, "Env": configuration.environment, "Labels": configuration.labels,
    });
    if let Some(user) = configuration.user {
        run["User"] = format!("{user}:{user}").into();
    }
    json!({
        "architecture": architecture, "os": "linux", "config": run,
        "rootfs": {"type": "layers", "diff_ids": [layer]},
    })
}

/// Compresses without a name and a time in the header.
fn gzip(content: &[u8]) -> Result<Vec<u8>> {
    let mut writer = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    writer.write_all(content)?;
    Ok(writer.finish()?)
}

fn digest(content: &[u8]) -> String {
    format!("sha256:{:x}", Sha256::digest(content))
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, io::Read as _};

    use super::*;

    type Files = BTreeMap<String, Vec<u8>>;

    fn files(archive: &[u8]) -> Files {
        let mut files = BTreeMap::new();
        for entry in tar::Archive::new(archive).entries().unwrap() {
            let mut entry = entry.unwrap();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            files.insert(entry.path().unwrap().display().to_string(), content);
        }
        files
    }

    fn blob<'a>(files: &'a Files, descriptor: &Value) -> &'a [u8] {
        let content = &files[&format!("blobs/{}", descriptor["digest"].as_str().unwrap().replace(':', "/"))];
        assert_eq!(descriptor["size"], content.len());
        content
    }

    fn json(bytes: &[u8]) -> Value {
        serde_json::from_slice(bytes).unwrap()
    }

    /// Returns the configuration and the unpacked layer of an image.
    fn unpacked(files: &Files, descriptor: &Value) -> (Value, Vec<u8>) {
        let manifest = json(blob(files, descriptor));
        let mut layer = Vec::new();
        flate2::read::GzDecoder::new(blob(files, &manifest["layers"][0])).read_to_end(&mut layer).unwrap();
        let configuration = json(blob(files, &manifest["config"]));
        assert_eq!(configuration["rootfs"]["diff_ids"][0], digest(&layer));
        (configuration, layer)
    }

    #[test]
    fn an_archive_leads_from_its_index_to_the_layer_and_is_the_same_each_time() {
        let configuration = Configuration { user: Some(65532), ..Configuration::default() };
        let layers = [("amd64", b"a tar".to_vec())];
        let image = || Image::new(&layers, &configuration, Some("localhost/x:1")).unwrap();
        let archive = image().archive().unwrap();
        assert!(archive == image().archive().unwrap());
        let files = files(&archive);
        let (configuration, layer) = unpacked(&files, &json(&files["index.json"])["manifests"][0]);
        assert_eq!(configuration["config"]["User"], "65532:65532");
        assert_eq!(layer, b"a tar");
    }

    #[test]
    fn a_reader_finds_the_image_for_its_processor_below_one_name() {
        let layers = [("amd64", b"one".to_vec()), ("arm64", b"other".to_vec())];
        let archive =
            Image::new(&layers, &Configuration::default(), Some("localhost/x:1")).unwrap().archive().unwrap();
        let files = files(&archive);
        let top = json(&files["index.json"])["manifests"].take();
        assert_eq!(top.as_array().unwrap().len(), 1);
        assert_eq!(top[0]["annotations"]["org.opencontainers.image.ref.name"], "1");
        let index = json(blob(&files, &top[0]));
        for (entry, (architecture, tar)) in index["manifests"].as_array().unwrap().iter().zip(&layers) {
            assert_eq!(entry["platform"], json!({"os": "linux", "architecture": architecture}));
            let (configuration, layer) = unpacked(&files, entry);
            assert_eq!((configuration["architecture"].as_str().unwrap(), &layer), (*architecture, tar));
        }
    }
}
