//! The releases of Go whose standard library is known.

/// The known releases, oldest first: those that the Go project supports, and the one before.
pub(super) const RELEASES: [&str; 3] = ["1.25", "1.26", "1.27"];

/// A toolchain of one of them, by the name that `GOTOOLCHAIN` takes.
pub(super) const RECENT: &str = "go1.26.8";

/// The first release whose `go` can fetch and use another one ([`GOTOOLCHAIN`][1]).
///
/// [1]: https://go.dev/doc/toolchain
const SWITCHES: (u32, u32) = (1, 21);

/// Returns the known release to which a version belongs: `1.26` for `go1.26.8`.
pub(super) fn known(version: &str) -> Option<&'static str> {
    let (major, minor) = numbers(version)?;
    RELEASES.into_iter().find(|release| *release == format!("{major}.{minor}"))
}

/// Returns whether a version of `go` can fetch and use another release.
pub(super) fn switches(version: &str) -> bool {
    numbers(version).is_some_and(|numbers| numbers >= SWITCHES)
}

/// Reads the first two numbers of a version such as `go1.26.8`, `go1.26rc1` or `devel go1.27-abcdef`.
fn numbers(version: &str) -> Option<(u32, u32)> {
    let rest = version.strip_prefix("devel ").unwrap_or(version).strip_prefix("go")?;
    let (major, rest) = rest.split_once('.')?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    Some((major.parse().ok()?, rest[..end].parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_belongs_to_a_release_whatever_follows_its_second_number() {
        for (version, release) in [
            ("go1.26.8", Some("1.26")),
            ("go1.26", Some("1.26")),
            ("go1.26rc1", Some("1.26")),
            ("go1.25.3 X:nodwarf5", Some("1.25")),
            ("go1.2", None),
            ("go1.260", None),
            ("go1.20.14", None),
            ("go2.26", None),
            ("devel go1.99-0123abc", None),
            ("1.26", None),
            ("go1.", None),
            ("", None),
        ] {
            assert_eq!(known(version), release, "{version}");
        }
    }

    #[test]
    fn another_release_is_fetched_by_those_that_can() {
        assert!(switches("go1.21.0") && switches("devel go1.99-0123abc"));
        assert!(!switches("go1.20.14") && !switches("gccgo"));
    }

    #[test]
    fn the_recent_toolchain_is_of_a_known_release() {
        assert!(known(RECENT).is_some());
    }
}
