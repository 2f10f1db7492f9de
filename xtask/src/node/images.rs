//! The images that the node pulls: kwasm, kwasm without one of its defences, and plugins.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use super::cluster::Cluster;
use crate::{
    image::{self, Image, Writer},
    process,
};

/// The images in the node's registry, each by its digest.
pub(super) struct Images {
    pub(super) kwasm: String,
    /// One that takes a rule to cover every namespace, which kwasm itself never does.
    pub(super) faulty: String,
}

/// The defence that is taken away.
const WITHOUT: &str = "namespaces";

impl Images {
    /// Writes the images of these programs, and pushes them.
    pub(super) fn push(cluster: &Cluster, writer: &Writer, kwasm: &Path, faults: &Path) -> Result<Self> {
        let authorities = cluster.home().join("authorities.crt");
        let known =
            fs::read(image::AUTHORITIES).with_context(|| format!("cannot read {}", image::AUTHORITIES))?;
        // As an organisation adds its own authority to an image, for a registry of its own.
        fs::write(&authorities, [known, fs::read(cluster.authority()?)?].concat())?;
        let write = |program: &Path, name: &str, variables: &[&str]| -> Result<String> {
            let archive = cluster.home().join(format!("{name}.tar"));
            let image = writer.kwasm(&[(None, program)], &authorities, variables, archive)?;
            println!("image {name}: {image}");
            push(cluster, &image, name)
        };
        let without = format!("KWASM_WITHOUT={WITHOUT}");
        Ok(Self { kwasm: write(kwasm, "kwasm", &[])?, faulty: write(faults, "kwasm-faults", &[&without])? })
    }
}

/// Pushes an image, and returns its reference with its digest.
fn push(cluster: &Cluster, image: &Image, name: &str) -> Result<String> {
    let repository = format!("{}/{name}", cluster.registry()?);
    let mut skopeo = cluster.command("skopeo")?;
    let source = format!("oci-archive:{}", image.archive.display());
    // Signatures of images are another policy's than this machine's.
    let words = ["copy", "--quiet", "--insecure-policy", "--preserve-digests"];
    process::run(skopeo.args(words).args([source, format!("docker://{repository}:1")]))?;
    Ok(format!("{repository}@{}", image.digest))
}
