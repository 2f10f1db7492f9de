//! `kwasm publish FILE TARGET [--request FILE] [--sign KEY] [--volume]`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use zeroize::Zeroizing;

use crate::cli::{Output, Target};
use crate::environment::Environment;
use crate::inspect::{self, Inspected, Kind};
use crate::reference::{Digest, Wanted, version_of};
use crate::registry::signature::PrivateKey;
use crate::registry::{Artifact, REQUEST, Registries, Terms};

use super::embed::Request;
use super::fetch::report_logins;
use super::policy::read_request;
use super::release::release;
use super::{Ending, Error, Reporter, print, table};

/// A published artifact in `-o json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    reference: String,
    /// What the tag leads to.
    digest: Digest,
    /// The artifact's own manifest: another one, if the tag leads to a list.
    manifest: Digest,
    content: Digest,
    signed: bool,
}

/// The options of the command.
pub(super) struct Wish {
    pub(super) file: PathBuf,
    pub(super) target: Target,
    pub(super) request: Option<PathBuf>,
    pub(super) key: Option<PathBuf>,
    pub(super) adapt: bool,
    pub(super) volume: bool,
    pub(super) output: Output,
}

pub(super) fn publish(environment: &Environment, reporter: Reporter, wish: &Wish) -> Result<Ending, Error> {
    let Wish { file, target, request, key, adapt, volume, output } = wish;
    // Checked before anything is pushed, so that nothing is pushed unsigned by mistake.
    let key = key.as_deref().map(private_key).transpose()?;
    let request = request.as_deref().map(Request::read).transpose()?;
    let mut content = Artifact::from_file(file)?;
    if *adapt {
        content = adapted(reporter, file, content)?;
    }
    if let Some(request) = request {
        content = request.embed(file, &content)?;
    }
    let registries = Registries::open(environment)?;
    let mut said = BTreeSet::new();
    let (image, version) = match target {
        Target::Image(image) => {
            let tag = image.tag();
            // The version itself may have what its tag cannot.
            let built = tag.filter(|tag| tag.contains('_')).and_then(version_of);
            (image.clone(), built.map(|version| version.to_string()).or(tag.map(str::to_owned)))
        }
        Target::Package(package) => {
            let Wanted::Exactly(version) = package.wanted() else {
                return Err(crate::cli::Error::NoVersion(package.to_string()).into());
            };
            let image = registries.image_of(package, version);
            report_logins(reporter, &registries, &image, &mut said);
            (image?, Some(version.to_string()))
        }
    };
    let title = file.file_name().unwrap_or_default().to_string_lossy();
    // What could not be run after all is not published.
    let release = release(content, &title, version.as_deref())
        .map_err(|source| Error::Inspect { path: file.display().to_string(), source })?;
    if let Some(text) = release.annotations.get(REQUEST) {
        read_request(&file.display().to_string(), text).map_err(Error::Request)?;
    }
    let terms = Terms { once: matches!(target, Target::Package(_)), volume: *volume, key: key.as_ref() };
    let published = registries.publish(&release, &image, &terms);
    report_logins(reporter, &registries, &published, &mut said);
    let published = published?;
    let pinned = format!("{}@{}", image.full_name(), published.digest);
    let signed = if key.is_some() { ", signed" } else { "" };
    reporter.note(&format!("published {} ({}){signed}", published.image, published.digest.short()));
    if *volume {
        reporter.note(&format!(
            "an image of it for volumes is there, too; the plugin alone is {}@{}",
            image.full_name(),
            published.manifest
        ));
        if terms.once {
            reporter.note("warning: wkg cannot get this version of the package: it takes the image instead");
        }
    }
    let row = Row {
        reference: published.image.to_string(),
        digest: published.digest,
        manifest: published.manifest,
        content: release.content.digest(),
        signed: key.is_some(),
    };
    print(&table::one(&row, *output, || format!("{pinned}\n"), || pinned.clone()))?;
    Ok(Ending::Done)
}

/// Returns the component made from a core module. A component is returned unchanged.
fn adapted(reporter: Reporter, file: &Path, content: Artifact) -> Result<Artifact, Error> {
    let unfit = |source| Error::Inspect { path: file.display().to_string(), source };
    if Inspected::read(content.bytes()).map_err(unfit)?.kind() == Kind::Component {
        return Ok(content);
    }
    let component = inspect::adapt(content.bytes()).map_err(unfit)?;
    reporter.note(
        "made a component of the core module: its exit codes become 0 and 1 only, and a program that manages its own memory (Go, Kotlin, AssemblyScript, C before 2023) may fail silently; kwasm also runs the module as it is",
    );
    Ok(Artifact::from_bytes(component))
}

/// Reads the private key to sign with.
pub(super) fn private_key(path: &Path) -> Result<PrivateKey, Error> {
    let pem = Zeroizing::new(
        fs::read(path).map_err(|source| crate::registry::Error::Unreadable { path: path.into(), source })?,
    );
    PrivateKey::from_pem(&pem).map_err(|source| Error::PrivateKey { path: path.into(), source })
}
