//! A registry that does wrong on demand.

mod answer;
mod artifact;
mod body;
mod content;
mod fault;
mod pages;
mod received;
mod route;
mod server;
mod service;
mod tokens;
mod uploads;
mod wire;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use serde_json::Value;

pub use self::artifact::Artifact;
pub use self::fault::Fault;
pub use self::pages::Paging;
pub use self::received::{Received, Side};
pub use self::route::Kind;
pub use self::tokens::Tokens;

use self::content::Content;
use self::fault::Faults;
use self::pages::Pages;
use self::received::Log;
use self::server::Server;
use self::tokens::Issuer;
use self::uploads::Uploads;
use crate::access::{Access, Login};
use crate::certificates::Validity;
use crate::error::Error;

/// A running registry on two loopback ports, with the content that it is given. It ends when it is dropped.
///
/// It has a thread of its own, so that it can be used from tests with and without an asynchronous runtime.
pub struct Wrong {
    shared: Arc<Shared>,
    access: Access,
    _server: Server,
}

/// The options of a registry.
#[derive(Clone, Debug)]
#[must_use = "it becomes a registry by start()"]
pub struct WrongBuilder {
    options: Options,
    login: Option<Login>,
    tokens: Option<Tokens>,
    plain: bool,
    validity: Validity,
}

/// The permanent properties of the server, right or wrong.
#[derive(Clone, Debug)]
struct Options {
    /// The host of blobs.
    blobs: Side,
    ranges: bool,
    referrers: Referrals,
    /// Whether `sha256-HEX` names the manifest with that digest.
    digests_as_tags: bool,
    referrer_pages: Pages,
    tag_pages: Pages,
    /// The host of uploads.
    uploads: Side,
}

/// The answer to a request for a manifest's referrers.
#[derive(Clone, Copy, Debug)]
enum Referrals {
    /// The address does not exist.
    Absent,
    /// A list.
    Listed,
    /// An unrelated answer.
    Other { media_type: &'static str, body: &'static str },
    /// No answer but 401, without a challenge.
    Refused,
}

/// The users with access.
enum Admission {
    Basic { user: String, password: String },
    Open,
    Tokens(Issuer),
}

/// The state that requests share.
struct Shared {
    options: Options,
    admission: Admission,
    /// Scheme, host and port of the registry and of the other host.
    bases: [String; 2],
    content: Mutex<Content>,
    faults: Faults,
    log: Log,
    uploads: Uploads,
}

impl Shared {
    fn base(&self, side: Side) -> String {
        let [registry, elsewhere] = &self.bases;
        match side {
            Side::Elsewhere => elsewhere.clone(),
            Side::Registry => registry.clone(),
        }
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wrong {
    /// Starts a registry with TLS that lets everyone in, honours ranges, lists all tags at once, accepts
    /// pushes, and has no referrers API.
    ///
    /// # Errors
    /// If there is no port or no thread.
    pub fn start() -> Result<Self, Error> {
        Self::builder().start()
    }

    /// Returns a registry with other options.
    pub fn builder() -> WrongBuilder {
        let options = Options {
            blobs: Side::Registry,
            ranges: true,
            referrers: Referrals::Absent,
            digests_as_tags: false,
            referrer_pages: Pages::default(),
            tag_pages: Pages::default(),
            uploads: Side::Registry,
        };
        WrongBuilder { options, login: None, tokens: None, plain: false, validity: Validity::Good }
    }

    /// Returns the access to it.
    #[must_use]
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// Returns host and port, e.g. `localhost:40123`.
    #[must_use]
    pub fn host(&self) -> &str {
        self.access.host()
    }

    /// Returns scheme, host and port of one of its two hosts, e.g. `https://127.0.0.1:40124` for the other
    /// one.
    #[must_use]
    pub fn base(&self, side: Side) -> String {
        self.shared.base(side)
    }

    /// Serves an artifact with all its parts under a tag, which moves if it existed, and returns the
    /// manifest's digest.
    pub fn push(&self, repository: &str, tag: &str, artifact: &Artifact) -> String {
        self.shared.content().push(repository, tag, artifact)
    }

    /// Serves a blob, and returns its digest.
    pub fn put_blob(&self, content: impl Into<Bytes>) -> String {
        self.shared.content().put_blob(content.into())
    }

    /// Serves any bytes as a manifest, and returns its digest. Its media type is its own `mediaType`, if it
    /// has one.
    pub fn put_manifest(&self, repository: &str, content: impl Into<Bytes>) -> String {
        self.shared.content().put_manifest(repository, content.into())
    }

    /// Lets a tag name the manifest with this digest.
    pub fn tag(&self, repository: &str, tag: &str, digest: &str) {
        self.shared.content().tag(repository, tag, digest);
    }

    /// Takes a tag away.
    pub fn untag(&self, repository: &str, tag: &str) {
        self.shared.content().untag(repository, tag);
    }

    /// Takes a blob or manifest away.
    pub fn remove(&self, digest: &str) {
        self.shared.content().remove(digest);
    }

    /// Says of itself how clients of packages are to use it, where it says nothing otherwise.
    pub fn say(&self, well_known: Value) {
        self.shared.content().say(well_known);
    }

    /// Commits a fault with the requests that match it.
    pub fn fault(&self, fault: Fault) {
        self.shared.faults.add(fault);
    }

    /// Commits none of the faults that are left.
    pub fn clear_faults(&self) {
        self.shared.faults.clear();
    }

    /// Returns the number of faults that still apply, standing ones included.
    #[must_use]
    pub fn faults_left(&self) -> usize {
        self.shared.faults.len()
    }

    /// Returns all requests so far, in the order of their arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<Received> {
        self.shared.log.all()
    }

    /// Returns the requests of one kind.
    #[must_use]
    pub fn requests_for(&self, kind: Kind) -> Vec<Received> {
        self.requests().into_iter().filter(|received| received.kind == kind).collect()
    }
}

impl WrongBuilder {
    /// Makes it speak plain HTTP.
    pub fn plain_http(mut self) -> Self {
        self.plain = true;
        self
    }

    /// Gives it an expired certificate.
    pub fn expired(mut self) -> Self {
        self.validity = Validity::Expired;
        self
    }

    /// Gives it another host's certificate.
    pub fn misnamed(mut self) -> Self {
        self.validity = Validity::Misnamed;
        self
    }

    /// Requires this name and password by basic authentication.
    pub fn basic(mut self, user: &str, password: &str) -> Self {
        self.login = Some(Login::Password { user: user.to_owned(), password: password.to_owned() });
        self.tokens = None;
        self
    }

    /// Requires a token, and issues them at its token endpoint.
    pub fn tokens(mut self, tokens: Tokens) -> Self {
        self.login.clone_from(&tokens.login);
        self.tokens = Some(tokens);
        self
    }

    /// Ignores `Range`.
    pub fn without_ranges(mut self) -> Self {
        self.options.ranges = false;
        self
    }

    /// Redirects blobs to its other host, as registries do that keep them in a cloud's storage.
    pub fn blobs_elsewhere(mut self) -> Self {
        self.options.blobs = Side::Elsewhere;
        self
    }

    /// Wants uploads at its other host, for the same reason.
    pub fn uploads_elsewhere(mut self) -> Self {
        self.options.uploads = Side::Elsewhere;
        self
    }

    /// Lists at most `size` tags at a time.
    pub fn tag_pages(mut self, size: usize, paging: Paging) -> Self {
        self.options.tag_pages = Pages { size, paging };
        self
    }

    /// Has the referrers API.
    pub fn referrers(mut self) -> Self {
        self.options.referrers = Referrals::Listed;
        self
    }

    /// Refuses to list referrers, without a challenge, and serves everything else to everyone: Harbor 2.7.
    pub fn referrers_refused(mut self) -> Self {
        self.options.referrers = Referrals::Refused;
        self
    }

    /// Answers a request for referrers with status 200 and something unrelated.
    pub fn referrers_answered_by(mut self, media_type: &'static str, body: &'static str) -> Self {
        self.options.referrers = Referrals::Other { media_type, body };
        self
    }

    /// Takes the tag `sha256-HEX` for the digest `sha256:HEX`: GitLab.
    pub fn digests_as_tags(mut self) -> Self {
        self.options.digests_as_tags = true;
        self
    }

    /// Has the referrers API, which lists at most `size` at a time.
    pub fn referrer_pages(mut self, size: usize, paging: Paging) -> Self {
        self.options.referrer_pages = Pages { size, paging };
        self.referrers()
    }

    /// Starts the registry.
    ///
    /// # Errors
    /// If there is no port or no thread.
    pub fn start(self) -> Result<Wrong, Error> {
        let listening = server::Listening::new(self.plain, self.validity)?;
        let admission = match (self.tokens, &self.login) {
            (Some(tokens), _) => Admission::Tokens(Issuer::new(tokens)),
            (None, Some(Login::Password { user, password })) => {
                Admission::Basic { user: user.clone(), password: password.clone() }
            }
            (None, _) => Admission::Open,
        };
        let access = Access {
            host: listening.host(),
            authority: listening.authority().map(str::to_owned),
            login: self.login,
        };
        let shared = Arc::new(Shared {
            options: self.options,
            admission,
            bases: listening.bases(),
            content: Mutex::default(),
            faults: Faults::default(),
            log: Log::default(),
            uploads: Uploads::default(),
        });
        let server = listening.serve(&shared)?;
        Ok(Wrong { shared, access, _server: server })
    }
}
