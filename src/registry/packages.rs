//! Which registry has a package: the mappings of the configuration of package registries.

use serde::Deserialize;
use wasm_pkg_client::{PackageRef, Registry, RegistryMapping, RegistryMetadata};

use super::Error;
use super::host::Host;
use super::settings::Settings;
use crate::reference::{Image, Package};

/// Where a registry says how it is to be used: a [well-known address][1].
///
/// [1]: https://github.com/bytecodealliance/wasm-pkg-tools/blob/main/docs/configuration.md
const WELL_KNOWN: &str = ".well-known/wasm-pkg/registry.json";

/// The longest such page that is read, in bytes.
const LONGEST: u64 = 1 << 20;

/// Where the releases of a package are.
pub(super) enum Place {
    /// In a repository of an OCI registry, each with its version as its tag.
    Image(Image),
    /// In a folder of this machine, which `wasm-pkg-client` reads.
    Local(PackageRef),
}

/// What the metadata of a registry says for OCI.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Oci {
    registry: Option<String>,
    namespace_prefix: Option<String>,
}

/// Finds the place of a package's releases.
///
/// # Errors
/// [`Error::NoRegistry`] when nobody says where its namespace is, and when what is said cannot be used.
pub(super) async fn place(settings: &Settings, package: &Package) -> Result<Place, Error> {
    let config = &settings.packages;
    let name: PackageRef = format!("{}:{}", package.namespace(), package.name())
        .parse()
        .map_err(|error| Error::Settings { what: format!("{package}: {error}") })?;
    let registry = config
        .resolve_registry(&name)
        .ok_or_else(|| Error::NoRegistry { namespace: package.namespace().to_owned() })?;
    let backend = config.registry_config(registry).and_then(|config| config.default_backend());
    if backend == Some("local") {
        return Ok(Place::Local(name));
    }
    let mapping =
        config.package_registry_override(&name).or_else(|| config.namespace_registry(name.namespace()));
    let metadata = match mapping {
        Some(RegistryMapping::Custom(custom)) => custom.metadata.clone(),
        _ => well_known(settings, registry).await?,
    };
    let protocol = backend.or_else(|| metadata.preferred_protocol()).unwrap_or("oci");
    if protocol != "oci" {
        let what = format!("{registry}: its protocol is {protocol}, and kwasm knows oci");
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
    Ok(Place::Image(image))
}

/// What a registry says of itself. Most say nothing, and then they are used as they are.
async fn well_known(settings: &Settings, registry: &Registry) -> Result<RegistryMetadata, Error> {
    let name = registry.to_string();
    let host = Host::open(settings.reach(&name, "")?, &name, "").await?;
    let document = match host.document(host.root(WELL_KNOWN)?, "application/json", LONGEST).await {
        Ok(Some(document)) => document,
        // A registry that wants a login for all it does not know, or that shows its web pages there, says nothing.
        Ok(None) | Err(Error::Denied { .. } | Error::Answer { .. }) => return Ok(RegistryMetadata::default()),
        Err(error) => return Err(error),
    };
    serde_json::from_slice(&document.bytes).map_err(|error| {
        host.answer(format!("what it says of itself at /{WELL_KNOWN} cannot be read: {error}"))
    })
}
