//! The defences of the sandbox, each by its name.
//!
//! A hostile guest that fails proves nothing by itself: it may fail for another reason. So each test of one runs it a
//! second time against a build in which exactly the defence that it is about is taken away, and there it has to
//! succeed. That build has the feature `faults`, and a program of another name, `kwasm-faults`. In every other build
//! [`stands`] is the constant `true`, and nothing can take a defence away.

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

/// Whether a defence stands.
#[cfg(not(feature = "faults"))]
pub(crate) const fn stands(_: Defence) -> bool {
    true
}

#[cfg(feature = "faults")]
pub(crate) use self::faults::{reroute, stands, take_away};

/// Which defences do not stand, in a build whose purpose this is.
#[cfg(feature = "faults")]
mod faults {
    use std::sync::OnceLock;

    use super::Defence;

    /// The one static of this project: to hand a test's wishes through every room would change what is tested.
    static AWAY: OnceLock<String> = OnceLock::new();

    /// Takes away what `wishes` names: `NAME[=VALUE]`, several with commas between them.
    pub(crate) fn take_away(wishes: &str) {
        drop(AWAY.set(wishes.to_owned()));
    }

    pub(crate) fn stands(defence: Defence) -> bool {
        value(defence).is_none()
    }

    /// Where a request to a destination that was not granted goes, for want of a network that has it: `HOST:PORT`.
    pub(crate) fn reroute() -> Option<&'static str> {
        value(Defence::Destination).filter(|address| !address.is_empty())
    }

    fn value(defence: Defence) -> Option<&'static str> {
        AWAY.get()?.split(',').find_map(|wish| {
            let (name, value) = wish.split_once('=').unwrap_or((wish, ""));
            (name == defence.name()).then_some(value)
        })
    }
}
