//! The meaning of tags: versions, and the subjects of signatures.

use semver::Version;

use super::Digest;

/// Returns the tag of a version. A tag cannot contain `+`: `1.0.0+build5` becomes `1.0.0_build5`, as in
/// [Helm][1] and other tools.
///
/// [1]: https://helm.sh/docs/topics/registries/
#[must_use]
pub fn tag_of(version: &Version) -> String {
    version.to_string().replace('+', "_")
}

/// Returns the version that a tag denotes: `1.2.3`, `1.2.3_build5` for `1.2.3+build5`, and `v1.2.3`, a common
/// notation.
#[must_use]
pub fn version_of(tag: &str) -> Option<Version> {
    let version = tag.strip_prefix('v').unwrap_or(tag);
    // What a registry lists and cannot have.
    (!version.contains('+')).then(|| version.replacen('_', "+", 1).parse().ok()).flatten()
}

/// Returns the digest of the artifact that a tag refers to. Its signatures have the tags `sha256-HEX` and
/// `sha256-HEX.sig`, and bills of materials and similar artifacts have others of this form.
#[must_use]
pub fn subject_of(tag: &str) -> Option<Digest> {
    let (hex, kind) = tag.strip_prefix("sha256-")?.split_at_checked(64)?;
    let is_kind =
        kind.strip_prefix('.').is_some_and(|kind| kind.bytes().all(|byte| byte.is_ascii_lowercase()));
    (kind.is_empty() || is_kind).then(|| format!("sha256:{hex}").parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_has_one_tag_and_is_read_back_from_it() {
        for (version, tag) in [
            ("1.0.0", "1.0.0"),
            ("1.0.0+build5", "1.0.0_build5"),
            ("1.0.0-rc.1+b.2-3", "1.0.0-rc.1_b.2-3"),
            ("0.0.1+20260101", "0.0.1_20260101"),
        ] {
            let version: Version = version.parse().unwrap();
            assert_eq!(tag_of(&version), tag);
            assert_eq!(version_of(tag), Some(version.clone()));
            assert_eq!(version_of(&format!("v{tag}")), Some(version));
        }
        for tag in ["latest", "1.0", "1.0.0_", "1.0.0_a_b", "1.0.0+a", "1.0.0_a+b", "vv1.0.0", "_1.0.0", ""] {
            assert_eq!(version_of(tag), None, "{tag}");
        }
    }

    #[test]
    fn the_tag_of_a_signature_is_distinguished_from_others() {
        let digest = Digest::of(b"x");
        let hex = digest.hex();
        for tag in ["", ".sig", ".att", ".sbom"] {
            assert_eq!(subject_of(&format!("sha256-{hex}{tag}")), Some(digest), "{tag}");
        }
        for tag in [
            format!("sha256-{}", &hex[1..]),
            format!("sha256-{hex}x"),
            format!("sha512-{hex}"),
            hex.to_uppercase(),
        ] {
            assert_eq!(subject_of(&tag), None, "{tag}");
        }
        assert_eq!(subject_of(&format!("sha256-{}\u{fc}", &hex[1..])), None);
    }
}
