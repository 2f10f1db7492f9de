//! The defences of the sandbox, each by its name.
//!
//! A hostile guest that fails proves nothing by itself: it may fail for another reason. So each test of one runs it a
//! second time against a build in which exactly the defence that it is about is taken away, and there it has to
//! succeed. That build has the feature `faults`, and a program of another name, `kwasm-faults`. In every other build
//! [`Defence::stands`] is the constant `true`, and nothing can take a defence away.
//!
//! The same build can end, or find the disk full, at any single change that it makes to the disk ([`before_change`]).

#[cfg(not(feature = "faults"))]
use std::io;
#[cfg(not(feature = "faults"))]
use std::path::Path;

macro_rules! defences {
    ($($(#[$attribute:meta])+ $defence:ident = $name:literal,)+) => {
        /// Something that stops a hostile guest.
        #[cfg_attr(not(feature = "faults"), expect(dead_code, reason = "some are only ever taken away"))]
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub(crate) enum Defence { $($(#[$attribute])+ $defence,)+ }

        #[cfg(feature = "faults")]
        impl Defence {
            /// The name by which a test takes it away.
            const fn name(self) -> &'static str {
                match self { $(Self::$defence => $name,)+ }
            }
        }
    };
}

defences! {
    /// A body that its guest did not finish is aborted.
    AbortedBodies = "aborted-bodies",
    /// Compiled code is mapped only if nobody else could have written it.
    CacheOwner = "cache-owner",
    /// A challenge that carries a token does not reach the guest.
    Challenges = "challenges",
    /// A guest says of nobody that it is them.
    Claims = "claims",
    /// The deletion of a collection is a verb of its own.
    Collections = "collections",
    /// A path has no control characters.
    ControlCharacters = "control-characters",
    /// A path is judged as it is decoded.
    Decoding = "decoding",
    /// A request goes to an endpoint that was granted.
    Destination = "destination",
    /// A path has no dot segments.
    DotSegments = "dot-segments",
    /// A path has no empty inner segments.
    EmptySegments = "empty-segments",
    /// A path has no encoded slashes.
    EncodedSlashes = "encoded-slashes",
    /// A guest gets a chosen few environment variables.
    Environment = "environment",
    /// Texts from outside cannot drive the terminal.
    Escapes = "escapes",
    /// What a rule excepts is not covered by it.
    Except = "except",
    /// A guest gets no files.
    #[cfg_attr(not(feature = "faults"), expect(dead_code, reason = "else there is no code to be kept from it"))]
    Files = "files",
    /// A guest does not say where a request came from, nor brings a session along.
    ForeignHeaders = "foreign-headers",
    /// A request's length is said once.
    Framing = "framing",
    /// A rule covers its own API groups only.
    Groups = "groups",
    /// The number of a guest's handles has an end.
    HandleLimit = "handle-limit",
    /// The number and size of a request's headers have an end.
    HeaderLimit = "header-limit",
    /// Headers of one connection stay on it.
    HopHeaders = "hop-headers",
    /// What was granted to one source is not inherited by another of the same name.
    Identity = "identity",
    /// The number of lines about one run has an end.
    JournalLimit = "journal-limit",
    /// A guest's kubeconfig is made for it.
    Kubeconfig = "kubeconfig",
    /// `?watch` and a field selector are read as the API server reads them.
    ListOptions = "list-options",
    /// The memory of a guest has an end.
    MemoryLimit = "memory-limit",
    /// No tunnels and no echoes.
    Methods = "methods",
    /// A rule with resource names covers those names only.
    Names = "names",
    /// A rule covers its own namespaces only.
    Namespaces = "namespaces",
    /// The options of a request go with it.
    OptionsLeak = "options-leak",
    /// The length of a path has an end.
    PathLength = "path-length",
    /// A granted host is none of the user's own network.
    PrivateAddresses = "private-addresses",
    /// The number of random bytes in one call has an end.
    RandomLimit = "random-limit",
    /// A redirect is not followed.
    Redirects = "redirects",
    /// What the host knows is not in what a guest is told.
    RefusalTexts = "refusal-texts",
    /// The number of requests in flight has an end.
    RequestLimit = "request-limit",
    /// A session of an authenticating proxy does not reach the guest.
    SessionCookies = "session-cookies",
    /// To open a shell is no reading, whatever its method.
    Shells = "shells",
    /// The user's word ends any guest.
    Signals = "signals",
    /// The number of open sockets has an end.
    SocketLimit = "socket-limit",
    /// A socket leads to the gate.
    #[cfg_attr(not(feature = "faults"), expect(dead_code, reason = "else there is no code to be kept from it"))]
    Sockets = "sockets",
    /// A subresource is not its resource.
    Subresources = "subresources",
    /// The time of a run has an end, where its policy has one.
    Timeout = "timeout",
    /// Trailers are held to what holds for headers.
    Trailers = "trailers",
    /// What ends to be HTTP is a stream of a pod.
    Upgrades = "upgrades",
    /// A rule covers its own URLs only.
    Urls = "urls",
    /// No user name in an address.
    Userinfo = "userinfo",
    /// A rule covers its own verbs only.
    Verbs = "verbs",
}

impl Defence {
    /// Whether it stops something, which it does where `condition` is met.
    pub(crate) fn stops(self, condition: bool) -> bool {
        condition && self.stands()
    }

    /// Whether it lets something pass, which it does only where `condition` is met.
    pub(crate) fn passes(self, condition: bool) -> bool {
        condition || !self.stands()
    }

    /// Whether it stands.
    #[cfg(not(feature = "faults"))]
    #[expect(clippy::unused_self, reason = "the signature is that of the twin with faults")]
    pub(crate) const fn stands(self) -> bool {
        true
    }

    /// Whether it stands.
    #[cfg(feature = "faults")]
    pub(crate) fn stands(self) -> bool {
        faults::stand(self)
    }
}

/// Called before each change to the disk. An error takes the change's place.
#[cfg(not(feature = "faults"))]
#[expect(clippy::unnecessary_wraps, reason = "the signature is that of the twin with faults")]
pub(crate) const fn before_change(_: &str, _: &Path) -> io::Result<()> {
    Ok(())
}

/// Called after each change to the disk.
#[cfg(not(feature = "faults"))]
pub(crate) const fn after_change(_: &str, _: &Path) {}

/// How much is written to a file at once: a test ends the process between two pieces.
pub(crate) const PIECE: usize = if cfg!(feature = "faults") { 64 << 10 } else { usize::MAX };

#[cfg(feature = "faults")]
pub(crate) use self::faults::{after_change, before_change, reroute, take_away};

/// Which defences do not stand, in a build whose purpose this is, and what befalls the process at its changes to the disk.
#[cfg(feature = "faults")]
mod faults {
    use std::fs::File;
    use std::io::{self, Write};
    use std::path::Path;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::Defence;

    /// The one static of this project: to hand a test's wishes through every room would change what is tested.
    static FAULTS: Faults = Faults { away: OnceLock::new(), changes: AtomicU64::new(0) };

    /// ENOSPC of Linux and macOS.
    const NO_ROOM: i32 = 28;

    struct Faults {
        away: OnceLock<String>,
        /// The changes to the disk so far.
        changes: AtomicU64,
    }

    /// Takes away what `wishes` names: `NAME[=VALUE]`, several with commas between them. Beside the defences these are
    /// `life=N`, which ends with the N-th change to the disk, as by a power cut; `room=N`, which there is none of for the
    /// N-th change and for all later ones that need some; and `secrecy=FILE`, where each change is told as a line.
    pub(crate) fn take_away(wishes: &str) {
        drop(FAULTS.away.set(wishes.to_owned()));
    }

    pub(super) fn stand(defence: Defence) -> bool {
        value(defence.name()).is_none()
    }

    /// Where a request to a destination that was not granted goes, for want of a network that has it: `HOST:PORT`.
    pub(crate) fn reroute() -> Option<&'static str> {
        value(Defence::Destination.name()).filter(|address| !address.is_empty())
    }

    pub(crate) fn before_change(what: &str, path: &Path) -> io::Result<()> {
        let number = FAULTS.changes.fetch_add(1, Ordering::SeqCst) + 1;
        if let Some(file) = value("secrecy") {
            #[expect(clippy::disallowed_methods, reason = "what tells of changes is none of them")]
            let file = File::options().create(true).append(true).open(file);
            // In one write, so that a kill cuts no line short. Nobody is told when it cannot be told.
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

    /// Nothing of the process runs any more, no destructor either.
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
