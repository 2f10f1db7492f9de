//! The defences of the sandbox, each by its name.
//!
//! A hostile guest's failure proves little: it may have failed for another reason. So each test runs its
//! guest a second time against a build in which only the defence under test is disabled, and there the guest
//! has to succeed. That build has the feature `faults`, and its program is called `kwasm-faults`. In every
//! other build [`Defence::stands`] is the constant `true`, and no defence can be disabled.
//!
//! The same build can end, or find the disk full, at any single change that it makes to the disk ([`before_change`]).

#[cfg(not(feature = "faults"))]
use std::io;
#[cfg(not(feature = "faults"))]
use std::path::Path;

macro_rules! defences {
    ($($(#[$attribute:meta])+ $defence:ident = $name:literal,)+) => {
        /// A measure that stops hostile guests.
        #[cfg_attr(not(feature = "faults"), expect(dead_code, reason = "some are only ever taken away"))]
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub(crate) enum Defence { $($(#[$attribute])+ $defence,)+ }

        #[cfg(feature = "faults")]
        impl Defence {
            /// Returns the name by which a test disables it.
            const fn name(self) -> &'static str {
                match self { $(Self::$defence => $name,)+ }
            }
        }
    };
}

defences! {
    /// A request whose body the guest did not finish is aborted.
    AbortedBodies = "aborted-bodies",
    /// Compiled code is mapped only if no one else could have written it.
    CacheOwner = "cache-owner",
    /// A rule of the grant allows only what the ceiling covers too.
    CeilingRules = "ceiling-rules",
    /// A challenge that carries a token is withheld from the guest.
    Challenges = "challenges",
    /// A guest cannot claim to be another user.
    Claims = "claims",
    /// Deleting a collection is a verb of its own.
    Collections = "collections",
    /// A path must not contain control characters.
    ControlCharacters = "control-characters",
    /// A variable that looks like a credential is passed by its full name only.
    CredentialVariables = "credential-variables",
    /// A path is decoded before it is judged.
    Decoding = "decoding",
    /// A request reaches only endpoints that were granted.
    Destination = "destination",
    /// A path must not contain dot segments.
    DotSegments = "dot-segments",
    /// A path must not contain empty inner segments.
    EmptySegments = "empty-segments",
    /// A path must not contain encoded slashes.
    EncodedSlashes = "encoded-slashes",
    /// A guest gets only selected environment variables.
    Environment = "environment",
    /// Texts from outside cannot control the terminal.
    Escapes = "escapes",
    /// A rule does not cover its exceptions.
    Except = "except",
    /// A guest gets no files but those of granted folders.
    #[cfg_attr(not(feature = "faults"), expect(dead_code, reason = "else there is no code to be kept from it"))]
    Files = "files",
    /// A granted folder is where its path says, whatever links are on the way.
    FolderPlaces = "folder-places",
    /// A guest does not leave a granted folder, neither by `..` nor by links in it.
    #[cfg_attr(not(feature = "faults"), expect(dead_code, reason = "else there is no code to be kept from it"))]
    Folders = "folders",
    /// A guest cannot state where a request came from, nor bring a session along.
    ForeignHeaders = "foreign-headers",
    /// A request states its length exactly once.
    Framing = "framing",
    /// A rule covers its own API groups only.
    Groups = "groups",
    /// A granted folder contains neither credentials nor kwasm's own files nor, to be written to, programs.
    GuardedFolders = "guarded-folders",
    /// A request that the plugin asks for has to be granted too.
    GrantedRules = "granted-rules",
    /// The number of a guest's handles is limited.
    HandleLimit = "handle-limit",
    /// The number and size of a request's headers are limited.
    HeaderLimit = "header-limit",
    /// Hop-by-hop headers do not pass the gate.
    HopHeaders = "hop-headers",
    /// A grant to one source is not inherited by another source of the same name.
    Identity = "identity",
    /// The number of lines logged about one run is limited.
    JournalLimit = "journal-limit",
    /// A guest's kubeconfig is made for it.
    Kubeconfig = "kubeconfig",
    /// `?watch` and a field selector are read as the API server reads them.
    ListOptions = "list-options",
    /// A guest's memory is limited.
    MemoryLimit = "memory-limit",
    /// `CONNECT` and `TRACE` are refused.
    Methods = "methods",
    /// A rule with resource names covers those names only.
    Names = "names",
    /// A rule covers its own namespaces only.
    Namespaces = "namespaces",
    /// The options of a request do not carry over to the next.
    OptionsLeak = "options-leak",
    /// The length of a path is limited.
    PathLength = "path-length",
    /// A granted host is not an address of the user's own network.
    PrivateAddresses = "private-addresses",
    /// The number of questions that a guest can make its user answer is limited.
    QuestionLimit = "question-limit",
    /// The number of random bytes in one call is limited.
    RandomLimit = "random-limit",
    /// A folder that was granted to be read is not changed.
    ReadOnlyFolders = "read-only-folders",
    /// Redirects are not followed.
    Redirects = "redirects",
    /// A guest learns from a refusal nothing that only the host knows.
    RefusalTexts = "refusal-texts",
    /// The number of requests in flight is limited.
    RequestLimit = "request-limit",
    /// A plugin gets no folder that its request or the ceiling does not grant.
    RequestedFiles = "requested-files",
    /// A plugin gets no host that its request or the ceiling does not name.
    RequestedHosts = "requested-hosts",
    /// A request or a ceiling narrows the limits of a run.
    RequestedLimits = "requested-limits",
    /// A rule of the grant allows only what the plugin's request covers too.
    RequestedRules = "requested-rules",
    /// A plugin gets no environment variable that its request or the ceiling does not pass.
    RequestedVariables = "requested-variables",
    /// A session of an authenticating proxy does not reach the guest.
    SessionCookies = "session-cookies",
    /// Opening a shell does not count as reading, whatever its method.
    Shells = "shells",
    /// The user can end any guest by a signal.
    Signals = "signals",
    /// The number of open sockets is limited.
    SocketLimit = "socket-limit",
    /// A socket leads to the gate.
    #[cfg_attr(not(feature = "faults"), expect(dead_code, reason = "else there is no code to be kept from it"))]
    Sockets = "sockets",
    /// A policy can keep plugins from running that use unstable interfaces.
    StableOnly = "stable-only",
    /// A subresource is not its resource.
    Subresources = "subresources",
    /// The time of a run is limited, if its policy sets a limit.
    Timeout = "timeout",
    /// Trailers are subject to the same rules as headers.
    Trailers = "trailers",
    /// Only the streams of pods may be upgraded from HTTP.
    Upgrades = "upgrades",
    /// A rule covers its own URLs only.
    Urls = "urls",
    /// An address must not contain a user name.
    Userinfo = "userinfo",
    /// A rule covers its own verbs only.
    Verbs = "verbs",
}

impl Defence {
    /// Returns whether it stops something, which it does where `condition` is met.
    pub(crate) fn stops(self, condition: bool) -> bool {
        condition && self.stands()
    }

    /// Returns whether it lets something pass, which it does only where `condition` is met.
    pub(crate) fn passes(self, condition: bool) -> bool {
        condition || !self.stands()
    }

    /// Returns whether it is active.
    #[cfg(not(feature = "faults"))]
    #[expect(clippy::unused_self, reason = "the signature is that of the twin with faults")]
    pub(crate) const fn stands(self) -> bool {
        true
    }

    /// Returns whether it is active.
    #[cfg(feature = "faults")]
    pub(crate) fn stands(self) -> bool {
        faults::stand(self)
    }
}

/// Runs before each change to the disk. An error prevents the change.
#[cfg(not(feature = "faults"))]
#[expect(clippy::unnecessary_wraps, reason = "the signature is that of the twin with faults")]
pub(crate) const fn before_change(_: &str, _: &Path) -> io::Result<()> {
    Ok(())
}

/// Returns the path of another ceiling than the administrator's: none.
#[cfg(not(feature = "faults"))]
pub(crate) const fn ceiling() -> Option<&'static str> {
    None
}

/// Runs after each change to the disk.
#[cfg(not(feature = "faults"))]
pub(crate) const fn after_change(_: &str, _: &Path) {}

/// The largest number of bytes written to a file at once. A test ends the process between two pieces.
pub(crate) const PIECE: usize = if cfg!(feature = "faults") { 64 << 10 } else { usize::MAX };

#[cfg(feature = "faults")]
pub(crate) use self::faults::{after_change, before_change, ceiling, reroute, take_away};

/// The disabled defences, in a build with the feature `faults`, and the faults to inject at changes to the
/// disk.
#[cfg(feature = "faults")]
mod faults {
    use std::fs::File;
    use std::io::{self, Write};
    use std::path::Path;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::Defence;

    /// The only static of this project. Passing a test's settings through every room would change the code
    /// under test.
    static FAULTS: Faults = Faults { away: OnceLock::new(), changes: AtomicU64::new(0) };

    /// `ENOSPC` on Linux and macOS.
    const NO_ROOM: i32 = 28;

    struct Faults {
        away: OnceLock<String>,
        /// The number of changes to the disk so far.
        changes: AtomicU64,
    }

    /// Disables the defences that `wishes` names: `NAME[=VALUE]`, separated by commas. Beside the defences,
    /// these are `life=N`, which ends the process at the N-th change to the disk, as a power cut would;
    /// `room=N`, which makes the disk full from the N-th change on; `secrecy=FILE`, which logs each
    /// change as a line; and `ceiling=FILE`, which is read in place of the administrator's policy.
    pub(crate) fn take_away(wishes: &str) {
        drop(FAULTS.away.set(wishes.to_owned()));
    }

    pub(super) fn stand(defence: Defence) -> bool {
        value(defence.name()).is_none()
    }

    /// Returns the `HOST:PORT` to send requests to destinations that were not granted to, since a test has no
    /// network that contains them.
    pub(crate) fn reroute() -> Option<&'static str> {
        value(Defence::Destination.name()).filter(|address| !address.is_empty())
    }

    /// Returns the path of the ceiling of a test, which cannot change the machine's own.
    pub(crate) fn ceiling() -> Option<&'static str> {
        value("ceiling")
    }

    pub(crate) fn before_change(what: &str, path: &Path) -> io::Result<()> {
        let number = FAULTS.changes.fetch_add(1, Ordering::SeqCst) + 1;
        if let Some(file) = value("secrecy") {
            #[expect(clippy::disallowed_methods, reason = "what tells of changes is none of them")]
            let file = File::options().create(true).append(true).open(file);
            // A single write, so that a kill cuts no line short. Errors are ignored.
            let line = format!("{what} {}\n", path.display());
            drop(file.and_then(|mut file| file.write_all(line.as_bytes())));
        }
        let needs_room = !what.starts_with("remove") && what != "rename";
        match ordinal("room") {
            Some(first) if number == first || number > first && needs_room => {
                Err(io::Error::from_raw_os_error(NO_ROOM))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn after_change(_: &str, _: &Path) {
        if ordinal("life") == Some(FAULTS.changes.load(Ordering::SeqCst)) {
            end();
        }
    }

    /// Ends the process at once, without running destructors.
    #[cfg(unix)]
    fn end() {
        let _: Result<(), _> =
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }

    #[cfg(not(unix))]
    fn end() {
        std::process::abort();
    }

    fn ordinal(name: &str) -> Option<u64> {
        value(name)?.parse().ok()
    }

    fn value(name: &str) -> Option<&'static str> {
        FAULTS.away.get()?.split(',').find_map(|wish| {
            let (wished, value) = wish.split_once('=').unwrap_or((wish, ""));
            (wished == name).then_some(value)
        })
    }
}
