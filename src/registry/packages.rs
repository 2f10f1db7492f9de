//! The registries of packages: the mappings in the configuration of package registries.

use serde::Deserialize;
use wasm_pkg_client::{PackageRef, Registry, RegistryMapping, RegistryMetadata};

use super::Error;
use super::host::Host;
use super::settings::Settings;
use crate::reference::{Image, Package};

/// The [well-known address][1] at which a registry describes how to use it.
///
/// [1]: https://github.com/bytecodealliance/wasm-pkg-tools/blob/main/docs/configuration.md
const WELL_KNOWN: &str = ".well-known/wasm-pkg/registry.json";

/// The largest such document that is read, in bytes.
const LONGEST: u64 = 1 << 20;

/// The place of a package's releases.
pub(super) enum PackageLocation {
    /// A repository of an OCI registry, in which each release has its version as its tag.
    Image(Image),
    /// A folder of this machine, which `wasm-pkg-client` reads.
    Local(PackageRef),
}

/// The OCI part of a registry's metadata.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Oci {
    registry: Option<String>,
    namespace_prefix: Option<String>,
}

/// The user's configuration of a package.
struct Configured<'a> {
    name: PackageRef,
    registry: &'a Registry,
    backend: Option<&'a str>,
    /// The metadata that would otherwise be requested from the registry.
    metadata: Option<&'a RegistryMetadata>,
}

impl<'a> Configured<'a> {
    fn find(settings: &'a Settings, package: &Package) -> Result<Self, Error> {
        let config = &settings.packages;
        let name: PackageRef = format!("{}:{}", package.namespace(), package.name())
            .parse()
            .map_err(|error| Error::Settings { what: format!("{package}: {error}") })?;
        let registry = config
            .resolve_registry(&name)
            .ok_or_else(|| Error::NoRegistry { namespace: package.namespace().to_owned() })?;
        let backend = config.registry_config(registry).and_then(|config| config.default_backend());
        let mapping =
            config.package_registry_override(&name).or_else(|| config.namespace_registry(name.namespace()));
        let metadata = match mapping {
            Some(RegistryMapping::Custom(custom)) => Some(&custom.metadata),
            _ => None,
        };
        Ok(Self { name, registry, backend, metadata })
    }

    fn is_local(&self) -> bool {
        self.backend == Some("local")
    }
}

/// Returns the repository that the user's configuration gives a package, `HOST/NAMESPACE/NAME`, regardless of
/// the registry's own metadata. Returns `None` if the configuration contains that metadata itself, so that
/// the registry has no influence.
///
/// # Errors
/// The same as [`place`].
pub(super) fn configured(settings: &Settings, package: &Package) -> Result<Option<String>, Error> {
    let configured = Configured::find(settings, package)?;
    let is_mapped = configured.metadata.is_some() && !configured.is_local();
    let named = || format!("{}/{}/{}", configured.registry, package.namespace(), package.name());
    Ok((!is_mapped).then(named))
}

/// Finds the place of a package's releases.
///
/// # Errors
/// [`Error::NoRegistry`] if no registry is configured for its namespace, and an error if the configuration
/// cannot be used.
pub(super) async fn locate(settings: &Settings, package: &Package) -> Result<PackageLocation, Error> {
    let configured = Configured::find(settings, package)?;
    if configured.is_local() {
        return Ok(PackageLocation::Local(configured.name));
    }
    let Configured { registry, backend, metadata, .. } = configured;
    let metadata = match metadata {
        Some(metadata) => metadata.clone(),
        None => well_known(settings, registry, package).await?,
    };
    let protocol = backend.or_else(|| metadata.preferred_protocol()).unwrap_or("oci");
    if protocol != "oci" {
        let what = format!("{registry}: its protocol is {protocol}, and kwasm supports only oci");
        return Err(Error::Settings { what });
    }
    let oci: Oci = metadata
        .protocol_config("oci")
        .map_err(|error| Error::Settings { what: format!("{registry}: {error}") })?
        .unwrap_or_default();
    let host = oci.registry.unwrap_or_else(|| registry.to_string());
    let prefix = oci.namespace_prefix.unwrap_or_default();
    let image = format!("{host}/{prefix}{}/{}", package.namespace(), package.name());
    let image = image.parse().map_err(|error| Error::Settings { what: format!("{registry}: {error}") })?;
    Ok(PackageLocation::Image(image))
}

/// Fetches a registry's own metadata. Most registries have none, and are used as they are.
///
/// # Errors
/// If it cannot be fetched: without the prefix that it may contain, the name would denote another package.
async fn well_known(
    settings: &Settings,
    registry: &Registry,
    package: &Package,
) -> Result<RegistryMetadata, Error> {
    let name = registry.to_string();
    // A token is always requested for a repository.
    let repository = format!("{}/{}", package.namespace(), package.name());
    let host = Host::open(settings.reach(&name, &repository)?, &name, &repository).await?;
    let document = match host.document(host.server.root(WELL_KNOWN)?, "application/json", LONGEST).await {
        Ok(Some(document)) => document,
        // A registry that wants a login for all it does not know, or that shows its web pages there, says nothing.
        Ok(None) | Err(Error::Denied { .. } | Error::WebPage { .. }) => {
            return Ok(RegistryMetadata::default());
        }
        Err(error) => return Err(error),
    };
    serde_json::from_slice(&document.bytes)
        .map_err(|error| host.server.answer(format!("its metadata at /{WELL_KNOWN} cannot be read: {error}")))
}
