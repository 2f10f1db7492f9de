//! Hints for the errors of the verbs themselves; those of the rooms have their own.

use std::io;
use std::path::Path;

use super::Error;
use super::policy::NO_POLICY;
use crate::document::Fault;
use crate::message::{Explain, Message, chain};
use crate::policy::{self, NAME_A_KUBECONFIG};
use crate::reference::Digest;
use crate::registry::{signature, trust};
use crate::store::{self, layout};

impl Explain for Error {
    fn hint(&self) -> Option<String> {
        let fixed = match self {
            Self::PolicyFile { .. } => NO_POLICY,
            Self::Hidden { .. } => {
                "its configuration hides what it imports: ask its publisher, and inspect the file with kwasm inspect"
            }
            Self::RequestDiffers { .. } | Self::RequestMissing { .. } => {
                "its manifest misstates what it asks for: ask its publisher, who publishes it with kwasm publish"
            }
            Self::ListedDigest { .. } | Self::ListedRequest { .. } | Self::ListedVersion { .. } => {
                "the index may be out of date: kwasm index update; if that does not help, ask its publisher"
            }
            Self::SignatureLost { .. } => {
                "ask its publisher; if they confirm it, uninstall the plugin and install it again"
            }
            Self::SignerLost { .. } => {
                "ask its publisher; a new key of theirs is accepted once the rule for it in trust.yaml names it"
            }
            Self::InFolder { .. } => "name it in a registry, where its signatures are",
            Self::Ceiling { .. } => {
                "ask the administrator of this machine: root owns the file and its folder, and no one else may write there"
            }
            Self::Unstable { .. } => "use a build of it for WASI 0.2, or a policy without `stableOnly: true`",
            Self::NoCluster(_) => NAME_A_KUBECONFIG,
            Self::NoRequest(_) => {
                "--policy NAME|FILE names what to grant: read-only, view, cluster, or a file"
            }
            Self::NoPlaceForPolicy => "name a file: kwasm policy learn SOURCE -o FILE -- ARG…",
            Self::Exists(_) => "choose another name, or another folder to be in",
            Self::Object { why, .. } if why.ends_with("differs") => {
                "if it is what you want, install it again; else choose the cluster that it came from"
            }
            Self::NoServer(_) => super::serve::NO_SERVER,
            Self::NoHome => "set KWASM_HOME to a folder",
            _ => return self.particular(),
        };
        Some(fixed.to_owned())
    }

    fn messages(&self) -> Vec<Message> {
        match self {
            Self::Policy(faults) | Self::Request(faults) | Self::Trust(faults) => Fault::messages(faults),
            Self::Catalogue(error) => error.messages(),
            Self::Several(troubles) => {
                let mut messages: Vec<Message> = Vec::new();
                for message in troubles.iter().flat_map(|(of, error)| error.messages_of(of)) {
                    if !messages.contains(&message) {
                        messages.push(message);
                    }
                }
                messages
            }
            error => vec![Message { text: chain(error), hint: error.hint() }],
        }
    }
}

impl Error {
    /// Returns no error if there was none, the only error, or one that stands for several, each with the name
    /// of its plugin or source.
    pub(super) fn of_several(mut troubles: Vec<(String, Self)>) -> Result<(), Self> {
        match (troubles.len(), troubles.pop()) {
            (_, None) => Ok(()),
            (1, Some((_, error))) => Err(error),
            (_, Some(last)) => Err(Self::Several(troubles.into_iter().chain([last]).collect())),
        }
    }

    /// Returns the messages with their subject, unless they begin with it.
    fn messages_of(&self, of: &str) -> Vec<Message> {
        // What is wrong with trust.yaml is the same for each of them, and reported once.
        let says_it = |message: &Message| message.text.starts_with(of) || matches!(self, Self::Trust(_));
        let about = |message: Message| if says_it(&message) { message } else { message.about(of) };
        self.messages().into_iter().map(about).collect()
    }

    /// Returns the hint for errors of the rooms, and for those whose hint depends on their contents.
    fn particular(&self) -> Option<String> {
        match self {
            Self::NoPolicy(name) | Self::NoSubject(name) => Some(for_policy(name)),
            Self::NoSuchRule { known, .. } if known.is_empty() => Some("it has no rules".to_owned()),
            Self::NoSuchRule { known, .. } => Some(format!("it has these: {}", known.join(" "))),
            Self::Undecided { requests: true, .. } => Some(
                "--policy request grants what it requests, which kwasm inspect shows; --policy NAME|FILE grants something else"
                    .to_owned(),
            ),
            Self::Undecided { requests: false, .. } => Some(
                "it does not say what it needs: --policy NAME|FILE decides, e.g. read-only (without secrets), view, cluster"
                    .to_owned(),
            ),
            Self::Wider { name, .. } => {
                Some(format!("kwasm upgrade {name} --policy request grants what the new version requests"))
            }
            Self::Terminal { command, .. } => Some(format!("name a file: {command}")),
            Self::NotFetched(name) => Some(format!("kwasm upgrade {name} brings it to its newest version")),
            Self::Archive { archive, source } => for_archive(archive, source),
            Self::Unwritten { path, source } | Self::Profile { path, source } => for_output(path, source),
            Self::Build(error) => error.hint(),
            Self::Catalogue(error) => error.hint(),
            Self::Cli(error) => error.hint(),
            Self::Name(error) => error.hint(),
            Self::PrivateKey { source, .. } => source.hint(),
            Self::Unsigned { source, list, .. } => source.hint().or_else(|| for_listed(source, *list)),
            Self::Untrusted { source, list, .. } => source.hint().or_else(|| match &**source {
                trust::Refusal::Signature { source, .. } => for_listed(source, *list),
                trust::Refusal::Unnamed { .. } => None,
            }),
            Self::Cluster(error) => error.hint(),
            Self::Inspect { source, .. } => source.hint(),
            Self::SignatureLookup { source, .. } | Self::Registry(source) => source.hint(),
            Self::Record(error) => error.hint(),
            Self::Runtime(error) => error.hint(),
            Self::Deploy(error) => error.hint(),
            Self::Server(error) => error.hint(),
            Self::Store(error) => error.hint(),
            _ => None,
        }
    }
}

/// Returns the hint for an artifact without a signature that was found in a list, which may have one.
fn for_listed(error: &signature::Error, list: Option<Digest>) -> Option<String> {
    let list = list.filter(|_| *error == signature::Error::Unsigned)?;
    Some(format!(
        "a signature of the index {list} alone does not count: cosign sign --recursive signs what it names, too, as kwasm publish --volume --sign does"
    ))
}

fn for_policy(name: &str) -> String {
    let known: Vec<&str> = policy::builtins().collect();
    format!("the built-in ones are {}; name a file by its path: ./{name}.yaml", known.join(", "))
}

/// Returns the hint for an error of an archive, whose name its reader does not know.
fn for_archive(archive: &str, error: &layout::Error) -> Option<String> {
    match error {
        layout::Error::Compressed => Some(format!("zcat {archive} | kwasm load -, or zstdcat for zstd")),
        error => error.hint(),
    }
}

/// Returns the hint for an error of a file that the user named.
fn for_output(path: &Path, error: &io::Error) -> Option<String> {
    let folder = store::folder_of(path);
    match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            Some(format!("ls -ld {} {} shows who may write there", folder.display(), path.display()))
        }
        io::ErrorKind::IsADirectory => Some(format!("name a file in it: {}", path.join("FILE").display())),
        io::ErrorKind::NotFound => Some(format!("make its folder first: mkdir -p {}", folder.display())),
        _ => store::for_room(path, error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{registry, runtime};

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

    #[test]
    fn each_of_several_errors_is_reported_as_where_it_is_the_only_one() {
        let unknown = |name: &str| Error::Store(store::Error::Unknown(name.parse().unwrap()));
        assert!(Error::of_several(Vec::new()).is_ok());
        let only = Error::of_several(vec![("a".to_owned(), unknown("a"))]).unwrap_err();
        let hint = only.message().hint.unwrap();
        let of = |name: &str| (name.to_owned(), unknown(name));
        let several = Error::of_several(vec![of("a"), of("b")]).unwrap_err().messages();
        assert_eq!(
            several,
            [
                Message::hinted("a: no plugin `a` is installed", &hint),
                Message::hinted("b: no plugin `b` is installed", &hint),
            ]
        );
    }

    /// Checks errors of each kind, with a name that could be mistaken for the end of the subject.
    #[test]
    fn an_error_that_has_a_subject_begins_with_it() {
        fn check(error: &impl Explain) {
            let subject = error.subject().unwrap();
            assert!(subject.contains(": "), "{subject}");
            assert_eq!(error.message().text, format!("{subject}: {}", error.reason()));
        }
        let name = || "a: b".to_owned();
        let path = || std::path::PathBuf::from("/a: b");
        let gone = || io::Error::other("gone");
        for error in [
            registry::Error::Missing(path()),
            registry::Error::NotFound(name()),
            registry::Error::Published(name()),
            registry::Error::WebPage { host: name() },
            registry::Error::Host { host: name(), what: name() },
            registry::Error::Unreadable { path: path(), source: gone() },
            registry::Error::TooLarge { what: name(), size: 1 },
            registry::Error::NoVersion { package: name(), known: Vec::new() },
            registry::Error::Push { reference: name(), what: name() },
            registry::Error::Length { reference: name(), named: 1, found: 2 },
        ] {
            check(&error);
            check(&store::Error::Fetch(error));
        }
        for error in [
            store::Error::InTheWay(path()),
            store::Error::LinkTaken(path()),
            store::Error::Gone(name()),
            store::Error::Io { path: path(), what: "it cannot be read", source: gone() },
            store::Error::Unfit { path: name(), source: crate::inspect::Error::Draft(name()) },
        ] {
            check(&error);
            check(&runtime::Error::Store(error));
        }
        for error in [
            crate::catalogue::Error::Empty(path()),
            crate::catalogue::Error::Unreadable { path: path(), source: gone() },
            crate::catalogue::Error::Invalid { of: name(), what: name() },
            crate::catalogue::Error::Large { of: name(), size: 1 },
            crate::catalogue::Error::File { of: name(), name: "x".parse().unwrap() },
        ] {
            check(&error);
        }
        for error in [
            runtime::Error::Compile { plugin: name(), reason: name() },
            runtime::Error::Link { plugin: name(), reason: name() },
            runtime::Error::Cache { path: path(), source: gone() },
            runtime::Error::Folder { path: name(), source: runtime::FolderError::NotAFolder },
            runtime::Error::Unfit { plugin: name(), source: crate::inspect::Error::Draft(name()) },
        ] {
            check(&error);
        }
        for error in [
            crate::cluster::Error::Missing(path()),
            crate::cluster::Error::File { path: path(), source: gone() },
            crate::cluster::Error::Broken { path: path(), line: 1, reason: name() },
            crate::cluster::Error::Credential { what: "the token", owner: name(), reason: name() },
        ] {
            check(&error);
        }
    }

    #[test]
    fn an_error_of_several_faults_has_a_message_for_each() {
        let faults = vec![Fault::whole("t", "a", "b"), Fault::whole("t", "c", "d")];
        let messages = Error::Trust(faults).messages();
        assert_eq!(messages, [Message::hinted("t: a", "b"), Message::hinted("t: c", "d")]);
    }
}
