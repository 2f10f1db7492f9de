//! An image of one layer, and the archive of its OCI layout (image-spec, image-layout.md).

use std::{collections::BTreeMap, io::Write as _};

use anyhow::{Result, bail};
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

/// An image in memory.
pub(crate) struct Image {
    /// The content of each blob, by its digest.
    blobs: BTreeMap<String, Vec<u8>>,
    index: Value,
    summary: Value,
}

impl Image {
    /// Makes an image of one layer, an uncompressed tar.
    ///
    /// # Errors
    /// If there is no name in OCI for this machine's processor.
    pub(crate) fn new(tar: &[u8], configuration: &Configuration, name: Option<&str>) -> Result<Self> {
        let mut blobs = BTreeMap::new();
        let mut put = |kind: &str, content: Vec<u8>| {
            let digest = digest(&content);
            let described = json!({"mediaType": kind, "digest": digest, "size": content.len()});
            blobs.insert(digest, content);
            described
        };
        let compressed = gzip(tar)?;
        let size = compressed.len();
        let layer = put("application/vnd.oci.image.layer.v1.tar+gzip", compressed);
        let text = image_configuration(configuration, &digest(tar))?.to_string();
        let configuration = put("application/vnd.oci.image.config.v1+json", text.into_bytes());
        let manifest_type = "application/vnd.oci.image.manifest.v1+json";
        let manifest = json!({
            "schemaVersion": 2, "mediaType": manifest_type, "config": configuration, "layers": [layer],
        });
        let mut described = put(manifest_type, manifest.to_string().into_bytes());
        let summary = json!({"digest": described["digest"], "unpacked": tar.len(), "compressed": size});
        if let Some(name) = name {
            described["annotations"] = json!({
                "io.containerd.image.name": name,
                "org.opencontainers.image.ref.name": name.rsplit(':').next().unwrap_or(name),
            });
        }
        let index = json!({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [described],
        });
        Ok(Self { blobs, index, summary })
    }

    /// Returns the digest of its manifest, and the bytes of its layer unpacked and compressed.
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
        for (digest, content) in &self.blobs {
            add(&format!("blobs/{}", digest.replace(':', "/")), content)?;
        }
        Ok(tar.into_inner()?)
    }
}

fn image_configuration(configuration: &Configuration, layer: &str) -> Result<Value> {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => bail!("{other}: no image is made on this kind of processor"),
    };
    let mut run = json!({
        "Entrypoint": configuration.entrypoint, "Env": configuration.environment, "Labels": configuration.labels,
    });
    if let Some(user) = configuration.user {
        run["User"] = format!("{user}:{user}").into();
    }
    Ok(json!({
        "architecture": architecture, "os": "linux", "config": run,
        "rootfs": {"type": "layers", "diff_ids": [layer]},
    }))
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

    #[test]
    fn an_archive_leads_from_its_index_to_the_layer_and_is_the_same_each_time() {
        let configuration = Configuration { user: Some(65532), ..Configuration::default() };
        let image = || Image::new(b"a tar", &configuration, Some("localhost/x:1")).unwrap();
        let archive = image().archive().unwrap();
        assert!(archive == image().archive().unwrap());
        let mut files = BTreeMap::new();
        for entry in tar::Archive::new(&*archive).entries().unwrap() {
            let mut entry = entry.unwrap();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            files.insert(entry.path().unwrap().display().to_string(), content);
        }
        let json = |path: &str| serde_json::from_slice::<Value>(&files[path]).unwrap();
        let blob = |described: &Value| {
            let path = format!("blobs/{}", described["digest"].as_str().unwrap().replace(':', "/"));
            assert_eq!(described["size"], files[&path].len());
            path
        };
        let manifest = json(&blob(&json("index.json")["manifests"][0]));
        let run = json(&blob(&manifest["config"]));
        assert_eq!(run["config"]["User"], "65532:65532");
        assert_eq!(run["rootfs"]["diff_ids"][0], digest(b"a tar"));
        let mut layer = Vec::new();
        flate2::read::GzDecoder::new(&*files[&blob(&manifest["layers"][0])]).read_to_end(&mut layer).unwrap();
        assert_eq!(layer, b"a tar");
    }
}
