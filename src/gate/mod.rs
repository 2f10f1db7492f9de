//! The only way to the network: identify ► normalise ► judge ► permit ► credentials ► send.
//!
//! The doors are adapters: each turns what its guest asks into an HTTP request and hands it to `Gate::pass`.
//! They have no rules of their own.

mod answer;
mod body;
mod failure;
mod headers;
mod http;
mod journal;
mod sender;

use std::sync::Arc;
use std::time::Duration;

use ::http::uri::PathAndQuery;
use ::http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use tokio::sync::OnceCell;

use self::body::Life;
pub(crate) use self::body::{Body, GuestBody};
use self::failure::Failure;
pub(crate) use self::http::Door;
use self::journal::Journal;
pub use self::journal::Line;
use self::sender::Sender;
use crate::cluster::{Cluster, Endpoint, Origin, Selection, virtual_names};
use crate::policy::{Attempt, Grant, Permit, Reason, Refusal, Target};

/// The way out of one sandbox. Cloning it gives another handle to the same gate.
#[derive(Clone)]
pub struct Gate(Arc<Inner>);

struct Inner {
    grant: Grant,
    destination: Destination,
    sender: OnceCell<Sender>,
    journal: Journal,
    life: Life,
}

enum Destination {
    Cluster {
        cluster: Box<Cluster>,
        /// The addresses by which a guest may name it.
        names: Vec<Endpoint>,
    },
    Nothing {
        why: String,
        names: Vec<Endpoint>,
    },
}

/// How long a guest is willing to wait. `None` is for ever: a watch may be silent for hours.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Patience {
    pub(crate) connect: Option<Duration>,
    pub(crate) first_byte: Option<Duration>,
    pub(crate) between_bytes: Option<Duration>,
}

/// Why a request has no response at all.
pub(crate) enum Undelivered {
    /// It was refused, and names no endpoint that could answer for itself.
    Refused,
    /// It was let out and failed.
    Failed(Failure),
}

impl Gate {
    /// A gate to what was granted, at what was selected.
    #[must_use]
    pub fn new(grant: Grant, selection: Selection) -> Self {
        let destination = match selection {
            Selection::Cluster(cluster) => Destination::Cluster { names: cluster.names().collect(), cluster },
            Selection::Nothing(why) => Destination::Nothing { why, names: virtual_names().collect() },
        };
        let (journal, life) = (Journal::default(), Life::default());
        Self(Arc::new(Inner { grant, destination, sender: OnceCell::new(), journal, life }))
    }

    /// Ends all that is under way: a request whose body is unfinished is aborted, never completed. To be called
    /// before the guest's state is dropped, since the end of a dropped body looks like any other end.
    pub fn end(&self) {
        self.0.life.end();
    }

    /// What the user should know of this run: each distinct refusal and failure, in the order they came.
    #[must_use]
    pub fn report(&self) -> Vec<Line> {
        self.0.journal.lines()
    }

    /// Takes one request through the gate.
    pub(crate) async fn pass(
        &self,
        request: Request<Body>,
        patience: Patience,
    ) -> Result<Response<Body>, Undelivered> {
        let (parts, body) = request.into_parts();
        let permit = match self.0.admit(parts.method, &parts.uri, &parts.headers) {
            Ok(permit) => permit,
            Err(refusal) => {
                self.0.journal.refused(&refusal);
                // A guest that is still sending would else see its stream closed before it sees why.
                tokio::spawn(body::drain(body));
                return answer::to(&refusal).ok_or(Undelivered::Refused);
            }
        };
        let headers = headers::outgoing(parts.headers);
        let body = GuestBody::new(body, self.0.life.clone());
        self.0.send(permit, headers, body, patience).await.map_err(Undelivered::Failed)
    }
}

impl Inner {
    /// identify ► normalise ► judge. Pure.
    fn admit(&self, method: Method, uri: &Uri, headers: &HeaderMap) -> Result<Permit, Refusal> {
        let (target, path) = self.identify(&method, uri)?;
        self.grant.judge(Attempt::read(target, method, path.as_ref(), headers)?)
    }

    /// Finds the endpoint that a URI names, and what of its path is meant for the API server.
    fn identify(&self, method: &Method, uri: &Uri) -> Result<(Target, Option<PathAndQuery>), Refusal> {
        let elsewhere = |reason| Refusal::elsewhere(method, uri, reason);
        let origin =
            uri.scheme().zip(uri.authority()).and_then(|(scheme, authority)| Origin::of(scheme, authority));
        let origin = origin.ok_or_else(|| elsewhere(Reason::Destination))?;
        let names = match &self.destination {
            Destination::Cluster { names, .. } | Destination::Nothing { names, .. } => names,
        };
        let whole = uri.path_and_query().map_or("/", PathAndQuery::as_str);
        let rest = names.iter().filter(|name| *name.origin() == origin).find_map(|name| {
            let rest = whole.strip_prefix(name.prefix())?;
            (rest.is_empty() || rest.starts_with(['/', '?'])).then_some(rest)
        });
        let rest = rest.ok_or_else(|| elsewhere(Reason::Destination))?;
        let path = match rest {
            "" => None,
            rest => Some(rest.parse().map_err(|_| elsewhere(Reason::Ambiguous("its path is no path")))?),
        };
        match &self.destination {
            Destination::Cluster { cluster, .. } => Ok((Target::Context(cluster.context().to_owned()), path)),
            Destination::Nothing { why, .. } => Err(elsewhere(Reason::NoCluster(why.clone()))),
        }
    }

    /// Sends what was permitted, with the credentials of the one who started kwasm.
    async fn send(
        &self,
        permit: Permit,
        headers: HeaderMap,
        body: GuestBody,
        patience: Patience,
    ) -> Result<Response<Body>, Failure> {
        let Destination::Cluster { cluster, .. } = &self.destination else {
            return Err(Failure::Closed);
        };
        // Certificates and keys are read, and TLS is set up, by the first request that is let out.
        let sender = self.sender.get_or_try_init(|| async { Sender::new(cluster) }).await;
        let sent = match &sender {
            Ok(sender) => sender.send(permit, headers, body, patience).await,
            Err(error) => Err(Failure::identity(error)),
        };
        let certificate = sender.as_ref().ok().and_then(|sender| sender.certificate());
        match &sent {
            Err(failure) => self.journal.failed(failure.explain(cluster, certificate)),
            Ok(response) if response.status() == StatusCode::UNAUTHORIZED => {
                self.journal.failed(failure::unauthorized(cluster, certificate));
            }
            Ok(_) => {}
        }
        sent
    }
}

#[cfg(test)]
mod tests;
