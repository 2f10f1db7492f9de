//! The media types that registries and their clients share.

/// The media type of a manifest.
pub(super) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// The media type of an index: a list of manifests, one for each platform, or the referrers of one.
pub(super) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// Docker's media types of manifests and indexes, from before OCI.
pub(super) const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
pub(super) const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// The media type of a [Wasm OCI artifact][1]'s configuration, which lists imports and exports.
///
/// [1]: https://tag-runtime.cncf.io/wgs/wasm/deliverables/wasm-oci-artifact/
pub(super) const CONFIG: &str = "application/vnd.wasm.config.v0+json";
/// The media type of its only layer.
pub(super) const LAYER: &str = "application/wasm";

/// The media types of an image that can be a container's or a volume: of its configuration, and of a layer, an
/// uncompressed tar.
pub(super) const IMAGE_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub(super) const IMAGE_LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// The media type of an index of plugins: of its only layer, and of the artifact.
pub(super) const PLUGIN_INDEX: &str = "application/vnd.kwasm.index.v1+json";
/// The media type of a configuration without content.
pub(super) const EMPTY: &str = "application/vnd.oci.empty.v1+json";

/// The creation time in all artifacts, so that publishing the same component again gives the same artifact.
pub(super) const CREATED: &str = "1970-01-01T00:00:00Z";

/// The largest manifest that is read, in bytes: the limit of registries themselves ([distribution
/// specification][1]).
///
/// [1]: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests
pub(super) const LONGEST_MANIFEST: u64 = 4 << 20;
