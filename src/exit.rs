//! Every ending becomes one code and one message.

use std::io;
use std::path::Path;
use std::process::ExitCode;

use crate::cli::{self, Environment};
use crate::cluster;
use crate::policy::{self, Fault, Limit, NAME_A_KUBECONFIG};
use crate::reference::NameError;
use crate::registry::{self, Obstacle, signature};
use crate::runtime::{self, Outcome};
use crate::store::{self, layout};
use crate::verbs::{Ending, Error, Voice, chain, one_line};

/// How the process ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Exit {
    /// kwasm failed, or the plugin trapped or ran into a limit: 125.
    Failed,
    /// The user ended it: 130.
    Interrupted,
    /// There is no such plugin: 127.
    NoPlugin,
    /// As the plugin ended, whatever it was refused meanwhile.
    Plugin(u8),
    /// Refused before it was started: 126.
    Refused,
    /// 0.
    Success,
    /// argv is no command: 2.
    Usage,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Failed => 125,
            Exit::Interrupted => runtime::INTERRUPTED,
            Exit::NoPlugin => 127,
            Exit::Plugin(code) => code,
            Exit::Refused => 126,
            Exit::Success => 0,
            Exit::Usage => 2,
        })
    }
}

impl Exit {
    /// Tells the user how it ended, if there is anything to tell, and how the process is to end.
    #[must_use]
    pub fn of(environment: &Environment, ended: Result<Ending, Error>) -> Self {
        let voice = Voice::of(environment);
        match ended {
            Ok(Ending::Done) => Self::Success,
            Ok(Ending::Faulty) => Self::Failed,
            Ok(Ending::Ran(Outcome::Ended(code))) => Self::Plugin(code),
            Ok(Ending::Interrupted | Ending::Ran(Outcome::Interrupted)) => Self::Interrupted,
            Ok(Ending::Ran(Outcome::Limited(limit))) => Failure::from(limit).tell(voice),
            Ok(Ending::Ran(Outcome::Trapped(cause))) => Failure {
                exit: Self::Failed,
                message: one_line(&format!("the plugin trapped: {cause}")),
                hints: Vec::new(),
            }
            .tell(voice),
            Err(Error::Policy(faults)) => Failure::of_policy(&faults, voice),
            Err(error) => Failure::from(&error).tell(voice),
        }
    }
}

/// The most faults of a policy that are told.
const FAULTS: usize = 20;

/// An ending that has something to say.
struct Failure {
    exit: Exit,
    /// `what: why`, without the program's name.
    message: String,
    /// Commands that help.
    hints: Vec<String>,
}

impl Failure {
    /// Prints the message. A closed stderr changes no ending.
    fn tell(self, voice: Voice) -> Exit {
        if self.message.contains('\n') {
            // clap's messages have several lines, laid out already.
            Voice::laid_out(&self.message);
        } else {
            voice.fault(&self.message);
        }
        for hint in self.hints {
            voice.hint(&hint);
        }
        self.exit
    }

    /// Tells all that is wrong with a policy, each with its cure.
    fn of_policy(faults: &[Fault], voice: Voice) -> Exit {
        for fault in faults.iter().take(FAULTS) {
            voice.fault(&fault.to_string());
            voice.hint(&fault.hint);
        }
        if faults.len() > FAULTS {
            voice.note(&format!("and {} more", faults.len() - FAULTS));
        }
        Exit::Usage
    }
}

impl From<Limit> for Failure {
    fn from(limit: Limit) -> Self {
        let message = format!("the plugin ran into a limit: {limit}");
        Self { exit: Exit::Failed, message, hints: limit.hint().into_iter().collect() }
    }
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        let mut message = chain(error);
        // clap's messages have several lines, and nothing in them but what the user typed.
        if !matches!(error, Error::Cli(cli::Error::Usage(_))) {
            message = one_line(&message);
        }
        let (exit, hint) = classify(error);
        Self { exit, message, hints: hint.into_iter().collect() }
    }
}

/// The code for an error, and what helps against it.
fn classify(error: &Error) -> (Exit, Option<String>) {
    let hint = |text: &str| Some(text.to_owned());
    match error {
        Error::Cli(cli::Error::Name(name)) | Error::Name(name) => (Exit::Usage, for_name(name)),
        Error::Cli(cli::Error::Link(_)) => (Exit::NoPlugin, None),
        Error::NoPolicy(name) => (Exit::Usage, Some(for_policy(name))),
        Error::PolicyFile { .. } => (Exit::Usage, hint("a policy is one of kwasm's own, or a file of YAML")),
        Error::Cli(_) | Error::NoPage(_) | Error::Policy(_) | Error::Relative { .. } | Error::Twice(_) => {
            (Exit::Usage, None)
        }
        Error::NotFetched(name) => {
            (Exit::Usage, Some(format!("kwasm upgrade {name} brings it to its newest version")))
        }
        Error::NoArtifact(_) | Error::Key { .. } | Error::Keys(_) => (Exit::Usage, None),
        Error::PrivateKey { source: signature::PrivateKeyError::Cosign, .. } => {
            (Exit::Usage, hint("publish it unsigned, and then: cosign sign --key KEY REPOSITORY@DIGEST"))
        }
        Error::PrivateKey { .. } => (
            Exit::Usage,
            hint("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out KEY makes one"),
        ),
        Error::Hidden { .. } => (
            Exit::Refused,
            hint(
                "who looked at it before was misled: ask its publisher, and look into the file by kwasm inspect",
            ),
        ),
        Error::SignatureLookup { source, .. } => (Exit::Refused, for_fetch(source).1),
        Error::SignatureLost { .. } => (
            Exit::Refused,
            hint("ask its publisher; if they say that it is right, uninstall the plugin and install it anew"),
        ),
        Error::SignerLost { .. } => (
            Exit::Refused,
            hint("ask its publisher; a new key of theirs counts once the rule for it in trust.yaml names it"),
        ),
        Error::Trust(fault) => (Exit::Failed, Some(fault.hint.clone())),
        Error::Unsigned { source, .. } => (Exit::Refused, source.hint().map(str::to_owned)),
        Error::InFolder { .. } => (Exit::Refused, hint("ask for it at a registry, with its signatures")),
        Error::Untrusted { source, .. } => (Exit::Refused, source.hint().map(str::to_owned)),
        Error::Archive { archive, source } => for_archive(archive, source),
        Error::Terminal => (Exit::Usage, hint("name a file: kwasm save NAME -f FILE")),
        Error::Unwritten { path, source } => (Exit::Failed, for_output(path, source)),
        Error::Cluster(error) => for_cluster(error),
        Error::Inspect { source, .. }
        | Error::Store(store::Error::Unfit { source, .. })
        | Error::Runtime(runtime::Error::Unfit { source, .. }) => (Exit::Refused, source.hint()),
        Error::NoCluster(_) => (Exit::Failed, hint(NAME_A_KUBECONFIG)),
        Error::NoHome => (Exit::Failed, hint("set KWASM_HOME to a folder")),
        Error::Registry(error)
        | Error::Store(store::Error::Fetch(error))
        | Error::Runtime(runtime::Error::Store(store::Error::Fetch(error))) => for_fetch(error),
        Error::Runtime(error) => for_runtime(error),
        Error::Store(error) => for_store(error),
        Error::Stdout(_) => (Exit::Failed, None),
    }
}

fn for_name(error: &NameError) -> Option<String> {
    matches!(error, NameError::BuiltIn(_))
        .then(|| "choose another name: kwasm install FILE --as NAME".to_owned())
}

fn for_policy(name: &str) -> String {
    let known: Vec<&str> = policy::builtins().collect();
    format!("kwasm's own are {}; a file is named by its path: ./{name}.yaml", known.join(", "))
}

fn for_fetch(error: &registry::Error) -> (Exit, Option<String>) {
    use registry::Error as E;
    match error {
        E::Missing(_) => (Exit::NoPlugin, None),
        E::Unreadable { path, .. } if error.is_forbidden() => {
            (Exit::Failed, Some(format!("ls -l {} shows who may read it", path.display())))
        }
        E::NotFound(_) => (
            Exit::NoPlugin,
            Some(
                "a tag may be misspelt, and to some registries you have to log in to be told more".to_owned(),
            ),
        ),
        E::NoVersion { known, .. } if known.is_empty() => (Exit::NoPlugin, None),
        E::NoVersion { known, .. } => (Exit::NoPlugin, Some(format!("it has {}", known.join(", ")))),
        E::NoRegistry { namespace } => (
            Exit::Usage,
            Some(format!(
                "say it in ~/.config/wasm-pkg/config.toml: [namespace_registries] {namespace} = \"registry.example.com\""
            )),
        ),
        E::Denied { unknown: Some(unknown), .. } => (Exit::Failed, for_fetch(unknown).1),
        E::Credentials { path, helper: Some(helper), .. } => {
            let path = path.display();
            (Exit::Failed, Some(format!("install {helper}, or take it out of {path} and log in again")))
        }
        E::Credentials { path, helper: None, .. } => {
            (Exit::Failed, Some(format!("mend {0}, or move it away and log in again", path.display())))
        }
        E::Unreadable { path, source } if source.kind() == io::ErrorKind::PermissionDenied => {
            (Exit::Failed, Some(format!("ls -l {} shows who may read it", path.display())))
        }
        E::Denied { login, .. } => (
            Exit::Failed,
            Some(format!("log in as for any other client: docker login {login}, or podman login {login}")),
        ),
        E::Unreachable { registry, obstacle: Obstacle::UnknownIssuer, .. } => (
            Exit::Failed,
            Some(format!(
                "a private CA goes into ~/.config/wasm-pkg/config.toml: [[registry.\"{registry}\".oci.extra_root_certificates]]"
            )),
        ),
        // Whether another host speaks TLS, the registry's configuration does not say.
        E::Unreachable { host, registry, obstacle: Obstacle::PlainHttp, .. } if host == registry => (
            Exit::Failed,
            Some(format!(
                "if it has no TLS, ~/.config/wasm-pkg/config.toml has to say so: [registry.\"{host}\".oci] protocol = \"http\""
            )),
        ),
        E::Unreachable { obstacle: Obstacle::Proxy(source), .. } => (
            Exit::Failed,
            Some(format!("check {source}, or name the host in NO_PROXY if it is reached without a proxy")),
        ),
        E::Settings { .. } => {
            (Exit::Failed, Some("it is read from ~/.config/wasm-pkg/config.toml, as wkg does".to_owned()))
        }
        E::Published(_) => (
            Exit::Failed,
            Some("a version that is published stays what it is: publish the next one".to_owned()),
        ),
        E::Layer { reference, .. } => (
            Exit::Refused,
            Some(format!(
                "a plugin gets there by kwasm publish FILE {reference}, or oras push {reference} FILE:application/wasm"
            )),
        ),
        E::Referrers { artifact, .. } => (Exit::Refused, Some(format!("the artifact itself is {artifact}"))),
        E::Altered { .. } | E::Length { .. } | E::Manifest { .. } | E::TooLarge { .. } => {
            (Exit::Refused, None)
        }
        _ => (Exit::Failed, None),
    }
}

fn for_cluster(error: &cluster::Error) -> (Exit, Option<String>) {
    let exit = match error {
        cluster::Error::Truth { .. } | cluster::Error::Timeout(_) => Exit::Usage,
        _ => Exit::Failed,
    };
    (exit, error.hint())
}

fn for_runtime(error: &runtime::Error) -> (Exit, Option<String>) {
    match error {
        runtime::Error::Bound { bound, .. } => (Exit::Refused, Some(bound.hint())),
        runtime::Error::Bounds { .. } => (Exit::Usage, None),
        runtime::Error::Compile { .. } | runtime::Error::Link { .. } => (Exit::Refused, None),
        runtime::Error::Store(error) => for_store(error),
        _ => (Exit::Failed, None),
    }
}

fn for_store(error: &store::Error) -> (Exit, Option<String>) {
    match error {
        store::Error::Unknown(_) => (Exit::NoPlugin, Some("kwasm list shows what is installed".to_owned())),
        store::Error::LinkTaken(_) => {
            (Exit::Failed, Some("choose another name: kwasm install FILE --as NAME".to_owned()))
        }
        store::Error::InTheWay(path) => {
            let path = path.display();
            (Exit::Failed, Some(format!("move it away: mv {path} {path}.old")))
        }
        store::Error::Remains { .. } => {
            (Exit::Failed, Some("kwasm doctor takes it away, or says why it cannot".to_owned()))
        }
        store::Error::Receipt { .. } => {
            (Exit::Failed, Some("kwasm uninstall takes the plugin away; then install it again".to_owned()))
        }
        error @ store::Error::Io { path, .. } if error.is_forbidden() => {
            (Exit::Failed, Some(for_reading(path)))
        }
        store::Error::Io { path, source, .. } => (Exit::Failed, for_disk(path, source)),
        store::Error::Altered { .. } | store::Error::Gone(_) => {
            (Exit::Refused, Some("install it again: kwasm install FILE".to_owned()))
        }
        _ => (Exit::Failed, None),
    }
}

/// What helps where a file of a store may not be read: it is two folders below its root.
fn for_reading(path: &Path) -> String {
    let root = path.ancestors().nth(3).unwrap_or(path).display();
    format!("whoever installed it lets all run it: chmod -R a+rX {root}; KWASM_HOME names another store")
}

fn for_archive(archive: &str, error: &layout::Error) -> (Exit, Option<String>) {
    match error {
        layout::Error::Compressed => {
            (Exit::Refused, Some(format!("zcat {archive} | kwasm load -, or zstdcat for zstd")))
        }
        layout::Error::Empty | layout::Error::NoLayout(_) => {
            (Exit::Refused, Some("kwasm save NAME -f FILE makes one".to_owned()))
        }
        layout::Error::Write(_) => (Exit::Failed, None),
        _ => (Exit::Refused, None),
    }
}

/// What helps against an error of a file that the user named.
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
            Some(format!("make some room on its disk: df -h {folder}"))
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Some(format!(
            "ls -ld {folder} shows who may write there; KWASM_HOME, and KWASM_BIN_DIR for links, name another place"
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_the_whole_chain_once() {
        let source = registry::Error::Unreadable { path: "x".into(), source: std::io::Error::other("gone") };
        let failure = Failure::from(&Error::Registry(source));
        assert_eq!(failure.message, "x: it cannot be read: gone");
        assert_eq!(failure.exit, Exit::Failed);
    }

    #[test]
    fn a_place_of_the_user_has_nothing_to_do_with_that_of_the_store() {
        let hint = |kind: std::io::ErrorKind| {
            let unwritten = Error::Unwritten { path: "/there/x.tar".into(), source: kind.into() };
            Failure::from(&unwritten).hints
        };
        let forbidden = ["ls -ld /there /there/x.tar shows who may write there"];
        assert_eq!(hint(std::io::ErrorKind::PermissionDenied), forbidden);
        assert_eq!(hint(std::io::ErrorKind::StorageFull), ["make some room on its disk: df -h /there"]);
        let source = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        let store = store::Error::Io { path: "/store/lock".into(), what: "the lock cannot be had", source };
        assert!(Failure::from(&Error::Store(store)).hints[0].contains("KWASM_HOME"));
    }

    #[test]
    fn a_limit_is_told_with_its_cure() {
        let failure = Failure::from(Limit::Memory(512 << 20));
        assert_eq!(failure.message, "the plugin ran into a limit: it wanted more than 512 MiB of memory");
        assert_eq!(failure.hints, ["a policy with `limits: {memory: 1Gi}` raises it: --policy FILE"]);
        assert_eq!(failure.exit, Exit::Failed);
    }

    #[test]
    fn endings_have_the_codes_of_the_product() {
        let of = |ending| Exit::of(&Environment::default(), Ok(ending));
        assert_eq!(of(Ending::Done), Exit::Success);
        assert_eq!(of(Ending::Ran(Outcome::Ended(7))), Exit::Plugin(7));
        assert_eq!(of(Ending::Ran(Outcome::Interrupted)), Exit::Interrupted);
    }
}
