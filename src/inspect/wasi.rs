//! The versions of WASI, by the names of their interfaces.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Error;

/// A version of WASI for components.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub enum Wasi {
    /// 0.2.
    #[default]
    #[serde(rename = "0.2")]
    Two,
    /// 0.3.
    #[serde(rename = "0.3")]
    Three,
}

/// The interfaces of 0.3 that a command gets, and the one that it exports.
const INTERFACES: [&str; 24] = [
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/run",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:cli/types",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/system-clock",
    "wasi:clocks/types",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:http/client",
    "wasi:http/types",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
    "wasi:sockets/ip-name-lookup",
    "wasi:sockets/types",
];

impl fmt::Display for Wasi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Two => "0.2",
            Self::Three => "0.3",
        })
    }
}

impl Wasi {
    /// Returns the versions that a component speaks, by the names of its interfaces.
    #[must_use]
    pub fn among(names: &[&[String]]) -> Vec<Self> {
        let has = |wasi: Self| names.iter().copied().flatten().any(|name| wasi.has(name));
        [Self::Two, Self::Three].into_iter().filter(|wasi| has(*wasi)).collect()
    }

    /// Returns what a receipt without it means.
    #[expect(clippy::unnecessary_wraps, reason = "it is the default of a field")]
    pub(super) fn of_commands() -> Option<Self> {
        Some(Self::Two)
    }

    /// Returns whether it is what a receipt without it means.
    #[expect(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
    pub(super) fn is_of_commands(run: &Option<Self>) -> bool {
        *run == Self::of_commands()
    }

    /// Returns whether an interface is of this version.
    pub(super) fn has(self, name: &str) -> bool {
        let version = match self {
            Self::Two => "0.2.",
            Self::Three => "0.3.",
        };
        name.starts_with("wasi:") && name.split_once('@').is_some_and(|(_, found)| found.starts_with(version))
    }

    /// Returns whether an interface is the main function's, in this version.
    pub(super) fn is_run(self, name: &str) -> bool {
        self.has(name) && name.starts_with("wasi:cli/run@")
    }

    /// Returns whether an interface is that of a server's handler, in this version.
    pub(super) fn is_handler(self, name: &str) -> bool {
        let interface = match self {
            Self::Two => "wasi:http/incoming-handler@",
            Self::Three => "wasi:http/handler@",
        };
        self.has(name) && name.starts_with(interface)
    }
}

/// Checks that the interfaces of 0.3 are among those that there are.
///
/// # Errors
/// [`Error::Draft`] and [`Error::UnknownInterface`].
pub(super) fn check<'a>(names: impl Iterator<Item = &'a String>) -> Result<(), Error> {
    for name in names.filter(|name| Wasi::Three.has(name)) {
        let (interface, version) = name.split_once('@').unwrap_or((name, ""));
        // No release is compatible with a draft, nor one draft with another.
        if version.contains('-') {
            return Err(Error::Draft(name.clone()));
        }
        if !INTERFACES.contains(&interface) {
            return Err(Error::UnknownInterface(name.clone()));
        }
    }
    Ok(())
}

/// Checks that the handlers that a component exports are of the release.
///
/// # Errors
/// [`Error::Draft`].
pub(super) fn check_handlers(exported: &[String]) -> Result<(), Error> {
    let draft = |name: &&String| Wasi::Three.is_handler(name) && name.contains("-rc");
    exported.iter().find(draft).map_or(Ok(()), |name| Err(Error::Draft(name.clone())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_has_one_version() {
        for (name, two, three) in [
            ("wasi:cli/run@0.2.12", true, false),
            ("wasi:cli/run@0.3.2", false, true),
            ("wasi:cli/run", false, false),
            ("other:cli/run@0.3.0", false, false),
        ] {
            assert_eq!((Wasi::Two.has(name), Wasi::Three.has(name)), (two, three), "{name}");
        }
    }

    #[test]
    fn a_component_speaks_the_versions_of_its_imports_and_exports() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let (old, new) = (names(&["wasi:cli/exit@0.2.6"]), names(&["wasi:cli/run@0.3.0"]));
        assert_eq!(Wasi::among(&[&old, &new]), [Wasi::Two, Wasi::Three]);
        assert_eq!(Wasi::among(&[&[], &new]), [Wasi::Three]);
        assert_eq!(Wasi::among(&[&names(&["other:cli/exit@0.2.6"])]), []);
    }

    #[test]
    fn what_is_not_there_is_refused_by_its_name() {
        let check = |name: &str| check([name.to_owned()].iter()).map_err(|error| error.to_string());
        assert_eq!(check("wasi:http/client@0.3.2"), Ok(()));
        // What sends on behalf of others has nothing behind it in a command.
        assert!(check("wasi:http/handler@0.3.0").is_err());
        assert_eq!(check("wasi:tls/client@0.2.0-draft"), Ok(()));
        assert!(check("wasi:http/client@0.3.0-rc-2026-03-15").unwrap_err().contains("a draft of WASI 0.3"));
        assert!(
            check("wasi:messaging/producer@0.3.0").unwrap_err().contains("`wasi:messaging/producer@0.3.0`")
        );
    }
}
