//! The media types on which registries and their clients have agreed.

/// Of one component, or one core module.
pub(super) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// Of many manifests: one for each platform, or the referrers of one.
pub(super) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// The same two in the words of Docker, before there was OCI.
pub(super) const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
pub(super) const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// The configuration of a [Wasm OCI artifact][1]: what it imports and exports.
///
/// [1]: https://tag-runtime.cncf.io/wgs/wasm/deliverables/wasm-oci-artifact/
pub(super) const CONFIG: &str = "application/vnd.wasm.config.v0+json";
/// Its one layer.
pub(super) const LAYER: &str = "application/wasm";

/// The moment that all artifacts say they were made at: the same component is the same artifact, whenever it is published.
pub(super) const CREATED: &str = "1970-01-01T00:00:00Z";

/// The longest manifest that is read, in bytes: what registries themselves take ([distribution specification][1]).
///
/// [1]: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests
pub(super) const LONGEST_MANIFEST: u64 = 4 << 20;
