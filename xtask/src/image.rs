//! `cargo xtask image`: writes kwasm's image, which needs no container engine: [`kwasm-image`](../../image/src/main.rs) writes it.
//!
//! It has kwasm, the shared libraries that kwasm is linked to, and the authorities that this machine trusts; neither a shell nor a package
//! manager. kwasm runs as a user that is not root, and finds a home that is its own.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{cargo, places::Places, process, release, report::title};

/// The authorities that a Debian machine trusts, which kwasm looks for at this path too.
pub(crate) const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// The user of images without a shell, as which pods of `kwasm deploy` run too.
const USER: &str = "65532";

/// What kwasm is, in a line.
pub(crate) const DESCRIPTION: &str =
    "Runs kubectl plugins as WebAssembly components that never see a credential";

/// Where its sources are.
pub(crate) const SOURCE: &str = "https://github.com/kwasm-dev/kwasm";

/// What is told of the image beside its content, by the names of image-spec's annotations.
const LABELS: [(&str, &str); 4] =
    [("title", "kwasm"), ("description", DESCRIPTION), ("licenses", "Apache-2.0"), ("source", SOURCE)];

pub(crate) fn run(places: &Places) -> Result<ExitCode> {
    let kwasm = release::build(places)?;
    title("writing the image");
    let folder = places.target.join("image");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let archive = folder.join("kwasm.tar");
    let writer = Writer::build(places)?;
    let image = writer.kwasm(&[(None, &kwasm)], Path::new(AUTHORITIES), &[], archive)?;
    println!("{}\n{}\n{image}", image.archive.display(), image.digest);
    Ok(ExitCode::SUCCESS)
}

/// The program that writes images.
pub(crate) struct Writer(PathBuf);

/// An image in an archive of its OCI layout.
pub(crate) struct Image {
    pub(crate) archive: PathBuf,
    /// The digest of its manifest.
    pub(crate) digest: String,
    /// The bytes of its layer, compressed and unpacked.
    sizes: [u64; 2],
}

impl Writer {
    pub(crate) fn build(places: &Places) -> Result<Self> {
        let programs = cargo::build_dev(places, &["kwasm-image"])?;
        Ok(Self(cargo::program(&programs, "kwasm-image")?.to_owned()))
    }

    /// Writes an image of any kind, by the options of `kwasm-image`.
    pub(crate) fn write(&self, options: &[String], archive: PathBuf) -> Result<Image> {
        let line = process::output(Command::new(&self.0).args(options).arg(&archive))?;
        let summary: Value = serde_json::from_str(&line).context("kwasm-image said nothing of its image")?;
        let size = |name: &str| summary[name].as_u64().with_context(|| format!("an image without {name}"));
        let digest = summary["digest"].as_str().context("an image without a digest")?.to_owned();
        Ok(Image { archive, digest, sizes: [size("compressed")?, size("unpacked")?] })
    }

    /// Writes the image of a kwasm that trusts these authorities, with variables beside its own: a program for each processor,
    /// or for this machine's.
    pub(crate) fn kwasm(
        &self,
        programs: &[(Option<&str>, &Path)],
        authorities: &Path,
        variables: &[&str],
        archive: PathBuf,
    ) -> Result<Image> {
        let mut options = Vec::new();
        for (architecture, program) in programs {
            options.extend(architecture.map(|name| format!("--architecture={name}")));
            options.push(format!("--program=/usr/bin/kwasm={}", program.display()));
        }
        options.extend([
            format!("--file={AUTHORITIES}={}", authorities.display()),
            format!("--folder=/home/kwasm:{USER}"),
            "--temporary=/tmp".to_owned(),
            "--entrypoint=/usr/bin/kwasm".to_owned(),
            "--env=HOME=/home/kwasm".to_owned(),
            "--env=PATH=/usr/bin".to_owned(),
            format!("--label=org.opencontainers.image.version={}", env!("CARGO_PKG_VERSION")),
            format!("--user={USER}"),
        ]);
        options
            .extend(LABELS.map(|(name, value)| format!("--label=org.opencontainers.image.{name}={value}")));
        options.extend(variables.iter().map(|variable| format!("--env={variable}")));
        self.write(&options, archive)
    }
}

impl std::fmt::Display for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [compressed, unpacked] = self.sizes.map(|bytes| bytes / 100_000);
        let tenths = |size: u64| format!("{}.{}", size / 10, size % 10);
        write!(f, "{} MB, {} MB unpacked", tenths(compressed), tenths(unpacked))
    }
}
