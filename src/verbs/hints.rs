//! Hints for each error: a command, if there is one.

use std::io;
use std::path::Path;

use super::Error;
use crate::policy::{self, NAME_A_KUBECONFIG};
use crate::reference::NameError;
use crate::registry::{self, Obstacle, signature};
use crate::runtime;
use crate::store::{self, layout};

impl Error {
    /// Returns a hint about how to solve it, if there is one.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let fixed = match self {
            Self::PolicyFile { .. } => "a policy is one of the built-in ones, or a YAML file",
            Self::PrivateKey { source: signature::PrivateKeyError::Cosign, .. } => {
                "publish it unsigned, and then: cosign sign --key KEY REPOSITORY@DIGEST"
            }
            Self::PrivateKey { .. } => {
                "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out KEY makes one"
            }
            Self::Hidden { .. } => {
                "its configuration hides what it imports: ask its publisher, and inspect the file with kwasm inspect"
            }
            Self::SignatureLost { .. } => {
                "ask its publisher; if they confirm it, uninstall the plugin and install it again"
            }
            Self::SignerLost { .. } => {
                "ask its publisher; a new key of theirs is accepted once the rule for it in trust.yaml names it"
            }
            Self::InFolder { .. } => "name it in a registry, where its signatures are",
            Self::Terminal => "name a file: kwasm save NAME -f FILE",
            Self::NoCluster(_) => NAME_A_KUBECONFIG,
            Self::NoHome => "set KWASM_HOME to a folder",
            _ => return self.particular(),
        };
        Some(fixed.to_owned())
    }

    /// Returns the hint for errors that provide it themselves or whose hint depends on their contents.
    fn particular(&self) -> Option<String> {
        match self {
            Self::Cli(crate::cli::Error::Name(name)) | Self::Name(name) => for_name(name),
            Self::NoPolicy(name) => Some(for_policy(name)),
            Self::NotFetched(name) => Some(format!("kwasm upgrade {name} brings it to its newest version")),
            Self::Trust(fault) => Some(fault.hint.clone()),
            Self::Unsigned { source, .. } => source.hint().map(str::to_owned),
            Self::Untrusted { source, .. } => source.hint().map(str::to_owned),
            Self::Archive { archive, source } => for_archive(archive, source),
            Self::Unwritten { path, source } => for_output(path, source),
            Self::Cluster(error) => error.hint(),
            Self::Inspect { source, .. } | Self::Runtime(runtime::Error::Unfit { source, .. }) => {
                source.hint()
            }
            Self::SignatureLookup { source, .. } | Self::Registry(source) => for_fetch(source),
            Self::Runtime(runtime::Error::Bound { bound, .. }) => Some(bound.hint()),
            Self::Runtime(runtime::Error::Store(error)) | Self::Store(error) => for_store(error),
            _ => None,
        }
    }
}

fn for_name(error: &NameError) -> Option<String> {
    matches!(error, NameError::BuiltIn(_))
        .then(|| "choose another name: kwasm install FILE --as NAME".to_owned())
}

fn for_policy(name: &str) -> String {
    let known: Vec<&str> = policy::builtins().collect();
    format!("the built-in ones are {}; name a file by its path: ./{name}.yaml", known.join(", "))
}

fn for_fetch(error: &registry::Error) -> Option<String> {
    use registry::Error as E;
    const SETTINGS: &str = "~/.config/wasm-pkg/config.toml";
    Some(match error {
        E::Unreadable { path, .. } if error.is_forbidden() => {
            format!("ls -l {} shows who may read it", path.display())
        }
        E::NotFound(_) => "check its tag; some registries report more after a login".to_owned(),
        E::NoVersion { known, .. } if !known.is_empty() => format!("it has {}", known.join(", ")),
        E::NoRegistry { namespace } => {
            format!("set it in {SETTINGS}: [namespace_registries] {namespace} = \"registry.example.com\"")
        }
        E::Denied { unknown: Some(unknown), .. } => return for_fetch(unknown),
        E::Credentials { path, helper: Some(helper), .. } => {
            format!("install {helper}, or remove it from {} and log in again", path.display())
        }
        E::Credentials { path, helper: None, .. } => {
            format!("fix {}, or move it away and log in again", path.display())
        }
        E::Denied { login, .. } => {
            format!("log in as with any other client: docker login {login}, or podman login {login}")
        }
        E::Unreachable { registry, obstacle: Obstacle::UnknownIssuer, .. } => {
            format!("add a private CA to {SETTINGS}: [[registry.\"{registry}\".oci.extra_root_certificates]]")
        }
        // Whether another host speaks TLS, the registry's configuration does not say.
        E::Unreachable { host, registry, obstacle: Obstacle::PlainHttp, .. } if host == registry => {
            format!("if it has no TLS, set in {SETTINGS}: [registry.\"{host}\".oci] protocol = \"http\"")
        }
        E::Unreachable { obstacle: Obstacle::Proxy(source), .. } => {
            format!("check {source}, or name the host in NO_PROXY if it is reached without a proxy")
        }
        E::Settings { .. } => format!("it is read from {SETTINGS}, as wkg does"),
        E::Published(_) => "a published version cannot be changed: publish the next one".to_owned(),
        E::Layer { reference, .. } => format!(
            "publish a plugin there: kwasm publish FILE {reference}, or oras push {reference} FILE:application/wasm"
        ),
        E::Referrers { artifact, .. } => format!("the artifact itself is {artifact}"),
        _ => return None,
    })
}

fn for_store(error: &store::Error) -> Option<String> {
    Some(match error {
        store::Error::Unfit { source, .. } => return source.hint(),
        store::Error::Fetch(error) => return for_fetch(error),
        store::Error::Unknown(_) => "kwasm list shows what is installed".to_owned(),
        store::Error::LinkTaken(_) => "choose another name: kwasm install FILE --as NAME".to_owned(),
        store::Error::InTheWay(path) => format!("move it away: mv {0} {0}.old", path.display()),
        store::Error::Remains { .. } => "kwasm doctor removes it, or reports why it cannot".to_owned(),
        store::Error::Receipt { .. } => {
            "kwasm uninstall removes the plugin; then install it again".to_owned()
        }
        store::Error::Io { path, .. } if error.is_forbidden() => for_reading(path),
        store::Error::Io { path, source, .. } => return for_disk(path, source),
        store::Error::Altered { .. } | store::Error::Gone(_) => {
            "install it again: kwasm install FILE".to_owned()
        }
    })
}

/// Returns the hint for a file of a store that may not be read. It is two folders below the store's root.
fn for_reading(path: &Path) -> String {
    let root = path.ancestors().nth(3).unwrap_or(path).display();
    format!("its owner can let everyone run it: chmod -R a+rX {root}; KWASM_HOME names another store")
}

fn for_archive(archive: &str, error: &layout::Error) -> Option<String> {
    match error {
        layout::Error::Compressed => Some(format!("zcat {archive} | kwasm load -, or zstdcat for zstd")),
        layout::Error::Empty | layout::Error::NoLayout(_) => {
            Some("kwasm save NAME -f FILE makes one".to_owned())
        }
        _ => None,
    }
}

/// Returns the hint for an error of a file that the user named.
fn for_output(path: &Path, error: &io::Error) -> Option<String> {
    let folder = folder_of(path);
    match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            Some(format!("ls -ld {} {} shows who may write there", folder.display(), path.display()))
        }
        io::ErrorKind::IsADirectory => Some(format!("name a file in it: {}", path.join("FILE").display())),
        io::ErrorKind::NotFound => Some(format!("make its folder first: mkdir -p {}", folder.display())),
        _ => for_disk(path, error),
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn for_disk(path: &Path, error: &io::Error) -> Option<String> {
    let folder = folder_of(path).display();
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Some(format!("free some space on its disk: df -h {folder}"))
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Some(format!(
            "ls -ld {folder} shows who may write there; KWASM_HOME, and KWASM_BIN_DIR for links, set another folder"
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_of_the_user_has_nothing_to_do_with_that_of_the_store() {
        let hint = |kind: io::ErrorKind| {
            Error::Unwritten { path: "/there/x.tar".into(), source: kind.into() }.hint().unwrap()
        };
        let forbidden = "ls -ld /there /there/x.tar shows who may write there";
        assert_eq!(hint(io::ErrorKind::PermissionDenied), forbidden);
        assert_eq!(hint(io::ErrorKind::StorageFull), "free some space on its disk: df -h /there");
        let source = io::Error::from(io::ErrorKind::PermissionDenied);
        let store = store::Error::Io { path: "/store/lock".into(), what: "the lock cannot be taken", source };
        assert!(Error::Store(store).hint().unwrap().contains("KWASM_HOME"));
    }
}
