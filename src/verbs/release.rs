//! The metadata of a component that becomes an artifact, by `kwasm publish`, or by `kwasm save` for one that
//! was a file.

use crate::inspect::{self, Facts, Inspected, Kind};
use crate::registry::{Artifact, Interface, REQUEST, Release};

/// Returns a component or core module with all its metadata.
///
/// # Errors
/// If it cannot run.
pub(super) fn release(
    content: Artifact,
    title: &str,
    version: Option<&str>,
) -> Result<Release, inspect::Error> {
    let inspected = Inspected::read(content.bytes())?;
    let Facts { exports, mut annotations, .. } = Facts::read(content.bytes())?;
    // A tag that is not a version does not contradict one.
    if let Some(version) = version.filter(|version| version.parse::<semver::Version>().is_ok()) {
        annotations.insert("org.opencontainers.image.version".to_owned(), version.to_owned());
    }
    if let Some(request) = inspected.request() {
        annotations.insert(REQUEST.to_owned(), request.to_owned());
    }
    let interface = (inspected.kind() == Kind::Component)
        .then(|| Interface { exports, imports: inspected.imports().to_vec() });
    let system = if interface.is_some() { "wasip2" } else { "wasip1" };
    Ok(Release { content, title: title.to_owned(), system, interface, annotations })
}
