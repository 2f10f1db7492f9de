//! From a source to one artifact, identified by its manifest.

use std::sync::Arc;

use futures_util::TryStreamExt;
use semver::Version;
use tokio::runtime::{Builder, Runtime};
use wasm_pkg_client::PackageRef;

use super::host::Host;
use super::manifest::{Kind, Manifest};
use super::manifest_list::ManifestList;
use super::packages::{self, PackageLocation};
use super::referrers::{self, Signature};
use super::settings::Settings;
use super::transfer::{self, proven};
use super::watcher::Nobody;
use super::{Artifact, Error, LIMIT, Step, Watcher, tags};
use crate::environment::Environment;
use crate::reference::{Digest, Image, Package, Source, subject_of, tag_of, version_of};

/// The registries, as this user reaches them.
pub struct Registries {
    pub(super) runtime: Runtime,
    pub(super) settings: Settings,
}

/// An artifact that a source names. Its manifest is proven, but nothing else is fetched yet.
#[derive(Clone)]
pub struct Found {
    location: Location,
    version: Option<Version>,
    configured: Option<String>,
}

#[derive(Clone)]
enum Location {
    /// An artifact in a repository.
    Registry {
        host: Arc<Host>,
        image: Image,
        manifest: Box<Manifest>,
        /// The list that named the manifest, if the reference leads to one.
        list: Option<Box<ManifestList>>,
    },
    /// An artifact in a folder from the configuration of package registries.
    Local { package: PackageRef, digest: Digest },
}

/// The largest configuration that is read, in bytes.
const LONGEST_CONFIG: u64 = 1 << 20;

impl Registries {
    /// Reads the settings for registries, without contacting any.
    ///
    /// # Errors
    /// [`Error::Settings`], [`Error::System`].
    pub fn open(environment: &Environment) -> Result<Self, Error> {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(Error::System)?;
        let settings = runtime.block_on(Settings::load(environment))?;
        Ok(Self { runtime, settings })
    }

    /// Resolves a source.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NoVersion`], [`Error::Manifest`], and an error if its registry's
    /// response is invalid.
    pub fn find(&self, source: &Source) -> Result<Found, Error> {
        self.runtime.block_on(async {
            match source {
                Source::Image(image) => self.image(image).await,
                Source::Package(package) => self.package(package).await,
                Source::Installed(_) | Source::Listed(_) | Source::Object(_) | Source::Path(_) => {
                    Err(Error::NotFound(source.to_string()))
                }
            }
        })
    }

    /// Resolves the reference of an index of plugins.
    ///
    /// # Errors
    /// The same as [`Self::find`].
    pub fn find_index(&self, image: &Image) -> Result<Found, Error> {
        self.runtime.block_on(async {
            let host = self.host(image).await?;
            self.artifact_at(Arc::new(host), image, Kind::Index).await
        })
    }

    /// Finds the newest artifact that can replace the one that `source` names: for a version, the newest
    /// version; for any other tag, what it leads to now. Returns `None` if it is pinned by its digest.
    ///
    /// # Errors
    /// The same as [`Self::find`].
    pub fn newest(&self, source: &Source) -> Result<Option<Found>, Error> {
        self.runtime.block_on(async {
            match source {
                Source::Image(image) if image.digest().is_some() => Ok(None),
                Source::Image(image) => self.newest_tag(image).await.map(Some),
                Source::Package(package) => self.package(&package.unpinned()).await.map(Some),
                Source::Installed(_) | Source::Listed(_) | Source::Object(_) | Source::Path(_) => Ok(None),
            }
        })
    }

    /// Downloads the component, core module or index of an artifact.
    ///
    /// # Errors
    /// [`Error::CutOff`], [`Error::Length`], [`Error::Altered`].
    pub fn fetch(&self, found: &Found, watcher: &dyn Watcher) -> Result<Artifact, Error> {
        self.runtime.block_on(async {
            match &found.location {
                Location::Registry { host, image, manifest, .. } => {
                    let reference = image.to_string();
                    transfer::blob(host, manifest.layer().named(&reference), watcher).await
                }
                Location::Local { package, digest } => {
                    self.local_content(found, package, *digest, watcher).await
                }
            }
        })
    }

    /// Downloads the configuration of an artifact, or returns `None` if it has none.
    ///
    /// # Errors
    /// The same as [`Self::fetch`].
    pub fn config(&self, found: &Found) -> Result<Option<Artifact>, Error> {
        let Location::Registry { host, image, manifest, .. } = &found.location else { return Ok(None) };
        let size = manifest.config().size();
        if size > LONGEST_CONFIG {
            let what =
                format!("its configuration has {size} bytes, and at most {LONGEST_CONFIG} are allowed");
            return Err(Error::Manifest { reference: image.to_string(), what });
        }
        let reference = image.to_string();
        let config = transfer::blob(host, manifest.config().named(&reference), &Nobody);
        self.runtime.block_on(config).map(Some)
    }

    /// Looks up the signatures of an artifact. Empty if its registry reports that it has none.
    ///
    /// # Errors
    /// If the registry does not report them, which never counts as having none.
    pub fn signatures(&self, found: &Found) -> Result<Vec<Signature>, Error> {
        let Location::Registry { host, manifest, .. } = &found.location else { return Ok(Vec::new()) };
        self.runtime.block_on(referrers::signatures(host, manifest.digest()))
    }

    /// Takes the reasons, since the last call, why logins could not be read and registries were accessed
    /// without them.
    #[must_use]
    pub fn take_unknown_logins(&self) -> Vec<Arc<Error>> {
        self.settings.take_unknown()
    }

    pub(super) async fn host(&self, image: &Image) -> Result<Host, Error> {
        let reach = self.settings.reach(image.host(), image.repository())?;
        Host::open(reach, image.host(), image.repository()).await
    }

    async fn image(&self, image: &Image) -> Result<Found, Error> {
        let host = self.host(image).await?;
        self.image_at(Arc::new(host), image).await
    }

    async fn image_at(&self, host: Arc<Host>, image: &Image) -> Result<Found, Error> {
        self.artifact_at(host, image, Kind::Plugin).await
    }

    async fn artifact_at(&self, host: Arc<Host>, image: &Image, kind: Kind) -> Result<Found, Error> {
        let (manifest, list) = manifest(&host, image, kind).await?;
        let annotated = manifest.annotation("org.opencontainers.image.version");
        let version = image.tag().and_then(version_of).or_else(|| annotated.and_then(annotated_version));
        Ok(Found {
            location: Location::Registry {
                host,
                image: image.clone(),
                manifest: Box::new(manifest),
                list: list.map(Box::new),
            },
            version,
            configured: None,
        })
    }

    async fn newest_tag(&self, image: &Image) -> Result<Found, Error> {
        let host = Arc::new(self.host(image).await?);
        let Some(current) = image.tag().and_then(version_of) else {
            return self.image_at(host, image).await;
        };
        let tags = tags::all(&host).await?.ok_or_else(|| Error::NotFound(image.full_name()))?;
        let newest = tags
            .iter()
            .filter_map(|tag| Some((version_of(tag)?, tag)))
            .filter(|(found, _)| *found >= current && (found.pre.is_empty() || !current.pre.is_empty()))
            .max_by(|(one, _), (other, _)| one.cmp(other));
        let image = match newest {
            // Two spellings of one version, `1.2.3` and `v1.2.3`: it stays with its own.
            Some((found, tag)) if found > current => image.with_tag(tag).unwrap_or_else(|_| image.clone()),
            _ => image.clone(),
        };
        self.image_at(host, &image).await
    }

    async fn package(&self, package: &Package) -> Result<Found, Error> {
        let configured = packages::configured(&self.settings, package)?;
        match packages::locate(&self.settings, package).await? {
            PackageLocation::Local(name) => Ok(Found { configured, ..self.local(package, name).await? }),
            PackageLocation::Image(image) => {
                let host = Arc::new(self.host(&image).await?);
                let tags = tags::all(&host).await?.ok_or_else(|| Error::NotFound(image.full_name()))?;
                let tagged = |version: &Version| image.with_tag(&tag_of(version));
                // Each version of a package has exactly one tag, whatever the registry lists.
                let versions = tags.iter().filter_map(|tag| version_of(tag).filter(|it| tag_of(it) == *tag));
                let versions: Vec<Version> = versions.filter(|version| tagged(version).is_ok()).collect();
                let version = choose(package, &versions)?;
                let image = tagged(&version).map_err(|error| Error::Settings { what: error.to_string() })?;
                let found = self.image_at(host, &image).await?;
                Ok(Found { version: Some(version), configured, ..found })
            }
        }
    }

    async fn local(&self, package: &Package, name: PackageRef) -> Result<Found, Error> {
        let client = wasm_pkg_client::Client::new(self.settings.packages.clone());
        let failed = |error: wasm_pkg_client::Error| Error::Settings { what: format!("{package}: {error}") };
        let versions = match client.list_all_versions(&name).await {
            Err(wasm_pkg_client::Error::PackageNotFound) => return Err(Error::NotFound(package.to_string())),
            versions => versions.map_err(failed)?,
        };
        let versions: Vec<Version> =
            versions.into_iter().filter(|found| !found.yanked).map(|found| found.version).collect();
        let version = choose(package, &versions)?;
        let release = client.get_release(&name, &version).await.map_err(failed)?;
        let digest = release.content_digest.to_string();
        let digest = digest.parse().map_err(|_| Error::Settings { what: format!("{package}: {digest}") })?;
        Ok(Found {
            location: Location::Local { package: name, digest },
            version: Some(version),
            configured: None,
        })
    }

    async fn local_content(
        &self,
        found: &Found,
        package: &PackageRef,
        digest: Digest,
        watcher: &dyn Watcher,
    ) -> Result<Artifact, Error> {
        let reference = found.reference();
        let failed =
            |error: wasm_pkg_client::Error| Error::Settings { what: format!("{reference}: {error}") };
        let client = wasm_pkg_client::Client::new(self.settings.packages.clone());
        let version = found.version.clone().unwrap_or(Version::new(0, 0, 0));
        let release = client.get_release(package, &version).await.map_err(failed)?;
        let mut pieces = client.stream_content(package, &release).await.map_err(failed)?;
        let mut bytes = Vec::new();
        while let Some(piece) = pieces.try_next().await.map_err(failed)? {
            bytes.extend_from_slice(&piece);
            if bytes.len() as u64 > LIMIT {
                return Err(Error::TooLarge { what: reference, size: bytes.len() as u64 });
            }
            watcher.saw(Step::Received { bytes: bytes.len() as u64, of: bytes.len() as u64 });
        }
        let artifact = Artifact::from_bytes(bytes);
        if artifact.digest() != digest {
            return Err(Error::Altered { reference, named: digest, is: artifact.digest() });
        }
        Ok(artifact)
    }
}

impl Found {
    /// Returns the reference with its tag or version.
    #[must_use]
    pub fn reference(&self) -> String {
        match (&self.location, &self.version) {
            (Location::Registry { image, .. }, _) => image.to_string(),
            (Location::Local { package, .. }, Some(version)) => format!("{package}@{version}"),
            (Location::Local { package, .. }, None) => package.to_string(),
        }
    }

    /// Returns the reference in a registry, with its tag.
    #[must_use]
    pub fn image(&self) -> Option<&Image> {
        match &self.location {
            Location::Registry { image, .. } => Some(image),
            Location::Local { .. } => None,
        }
    }

    /// Returns the package's repository in the user's configuration, `HOST/NAMESPACE/NAME`. Its registry may
    /// redirect to another place, but the requirements for that registry's artifacts apply all the same.
    #[must_use]
    pub fn configured(&self) -> Option<&str> {
        self.configured.as_deref()
    }

    /// Returns the version, if its tag or its publisher states one.
    #[must_use]
    pub fn version(&self) -> Option<&Version> {
        self.version.as_ref()
    }

    /// Returns the manifest, if it is in a registry.
    #[must_use]
    pub fn manifest(&self) -> Option<&Manifest> {
        match &self.location {
            Location::Registry { manifest, .. } => Some(manifest),
            Location::Local { .. } => None,
        }
    }

    /// Returns the digest of the list of manifests (OCI: an image index) that named the manifest, if the reference leads
    /// to one.
    #[must_use]
    pub fn list(&self) -> Option<Digest> {
        self.listed().map(|(_, list)| list.digest())
    }

    /// Returns that list, and where it is.
    pub(super) fn listed(&self) -> Option<(&Image, &ManifestList)> {
        match &self.location {
            Location::Registry { image, list: Some(list), .. } => Some((image, list)),
            Location::Registry { list: None, .. } | Location::Local { .. } => None,
        }
    }

    /// Returns the digest of its component, core module or index.
    #[must_use]
    pub fn content(&self) -> Digest {
        match &self.location {
            Location::Registry { manifest, .. } => manifest.layer().digest(),
            Location::Local { digest, .. } => *digest,
        }
    }
}

/// Reads the manifest of an artifact of one kind, proves that it is the requested one, and returns the list that named
/// it, if there is one.
///
/// A requested digest is that of what the registry has under that name: of the manifest, or of the list, which in turn
/// proves the manifest by the digest that it names.
async fn manifest(host: &Host, image: &Image, kind: Kind) -> Result<(Manifest, Option<ManifestList>), Error> {
    let pinned = image.digest();
    let name = pinned.map_or_else(|| image.tag().unwrap_or("latest").to_owned(), |digest| digest.to_string());
    let reference = image.to_string();
    let read = async {
        let there = proven(host, &reference, host.server.url(&format!("manifests/{name}"))?, pinned).await?;
        let (bytes, _) = there.ok_or_else(|| Error::NotFound(reference.clone()))?;
        if kind == Kind::Index {
            return Ok((Manifest::read_index(&reference, bytes)?, None));
        }
        let Some(list) = ManifestList::read(&reference, &bytes)? else {
            return Ok((Manifest::read(&reference, bytes)?, None));
        };
        let named = list.plugin().fetch(host).await?;
        Ok((Manifest::read(&reference, named)?, Some(list)))
    };
    match (read.await, image.tag().filter(|_| pinned.is_none()).and_then(subject_of)) {
        (Err(Error::Manifest { .. } | Error::Layer { .. } | Error::NotFound(_)), Some(subject)) => {
            let artifact = format!("{}@{subject}", image.full_name());
            Err(Error::Referrers { reference, subject, artifact })
        }
        (read, _) => read,
    }
}

fn choose(package: &Package, versions: &[Version]) -> Result<Version, Error> {
    package.wanted().newest(versions).cloned().ok_or_else(|| {
        let mut known = versions.to_vec();
        known.sort_by(|one, other| other.cmp(one));
        let known = known.iter().take(5).map(ToString::to_string).collect();
        Error::NoVersion { package: package.to_string(), known }
    })
}

/// Returns the version in an annotation, which may begin with a `v`.
fn annotated_version(text: &str) -> Option<Version> {
    text.strip_prefix('v').unwrap_or(text).parse().ok()
}
