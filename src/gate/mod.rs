//! The only way to the network: identify ► normalise ► judge ► permit ► credentials ► send.
//!
//! The doors are adapters: each turns its guest's calls into HTTP requests and passes them to `Gate::pass`.
//! They have no rules of their own.

mod answer;
mod ask;
mod body;
mod check;
mod deadline;
mod dial;
mod discovery;
mod exchange;
mod failure;
mod failure_name;
#[cfg(feature = "faults")]
mod faults;
mod flight;
mod guest_body;
mod head;
/// The filters of headers: pure, and public for the fuzzer. They offer no way past the gate.
#[doc(hidden)]
pub mod headers;
mod hosts;
mod http;
mod journal;
mod lifetime;
mod object;
mod pipe;
mod question;
mod recording;
mod replay;
mod reports;
mod resolve;
mod reuse;
mod sender;
mod socket;
mod stream;
mod table;
mod tcp;
mod trace;
mod traffic;
mod transmit;
mod tunnel;

use std::borrow::Cow;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use ::http::request::Parts;
use ::http::{HeaderMap, Request, Response, StatusCode};
use tokio::sync::{OnceCell, Semaphore};

pub use self::ask::{Asked, Asker, Consent, Question};
use self::ask::{Asking, Verdict};
pub(crate) use self::body::Body;
pub use self::check::Checked;
pub(crate) use self::exchange::Timeouts;
use self::failure::Failure;
use self::flight::{Answer, Flight};
pub(crate) use self::guest_body::GuestBody;
pub use self::head::Head;
use self::hosts::Hosts;
pub(crate) use self::http::Door;
use self::journal::Journal;
use self::lifetime::GuestLifetime;
// The socket door is public for the fuzzer: it says what a guest can say, and no more.
#[doc(hidden)]
pub use self::pipe::GuestEnd;
use self::reports::Reports;
use self::sender::Sender;
#[doc(hidden)]
pub use self::socket::Denied;
pub(crate) use self::socket::Socket;
use self::stream::Server;
use self::table::Table;
pub use self::trace::{Child, Ending, Exchange, Observer, Parent, Subject, Trace};
use self::trace::{Following, Seen, Tracer};
pub use self::traffic::Traffic;
use self::tunnel::{Held, Tunnel};
use crate::cluster::{Cluster, Contexts, says_who};
use crate::defence::Defence;
use crate::message::Message;
use crate::policy::{Attempt, Grant, HEADERS, Limit, Permit, Reason, Refusal, Target};

/// The way out of one sandbox. Clones are handles to the same gate.
#[derive(Clone)]
pub struct Gate(Arc<Inner>);

struct Inner {
    grant: Arc<Grant>,
    table: Arc<Table>,
    clusters: Arc<[Reach]>,
    hosts: Arc<OnceCell<Hosts>>,
    flight: Flight,
    sockets: Arc<Semaphore>,
    journal: Arc<Journal>,
    lifetime: GuestLifetime,
    tracer: Arc<Tracer>,
    asking: Option<Asking>,
    /// The request that the guest answers.
    parent: RwLock<Option<Arc<dyn Parent>>>,
    /// The record that is made of the traffic, or takes the place of the network.
    traffic: Option<Traffic>,
}

/// A cluster and its sender.
struct Reach {
    cluster: Box<Cluster>,
    sender: Sender,
}

impl Reach {
    /// Returns the server's name for messages.
    fn label(&self) -> String {
        failure::label(&self.cluster)
    }
}

/// The reason why a request has no response.
pub(crate) enum GateError {
    /// The request was refused, and names no endpoint that could answer.
    Refused(Box<Refusal>),
    /// The request was sent and failed.
    Failed(Failure),
}

impl Gate {
    /// Returns a gate for a grant at these contexts. Each of `observers` is called for each request when it has
    /// ended. If there is an `asker`, it is asked about requests that the user's grant does not cover.
    #[must_use]
    pub fn new(
        grant: Grant,
        contexts: Contexts,
        observers: Vec<Observer>,
        asker: Option<Arc<dyn Asker>>,
    ) -> Self {
        Self::with_traffic(grant, contexts, observers, asker, None)
    }

    /// Returns such a gate whose traffic is recorded, or replayed from a record. What the judge refuses, neither reaches
    /// the network nor the record.
    #[must_use]
    pub fn with_traffic(
        grant: Grant,
        contexts: Contexts,
        observers: Vec<Observer>,
        asker: Option<Arc<dyn Asker>>,
        traffic: Option<Traffic>,
    ) -> Self {
        let table = Table::new(&contexts, grant.hosts());
        let clusters = contexts.into_clusters();
        Self(Arc::new(Inner {
            table: Arc::new(table),
            clusters: clusters.map(|cluster| Reach { cluster, sender: Sender::default() }).collect(),
            hosts: Arc::default(),
            flight: Flight::new(grant.limits().requests),
            sockets: Arc::new(Semaphore::new(grant.limits().sockets as usize)),
            journal: Arc::default(),
            lifetime: GuestLifetime::default(),
            tracer: Arc::new(Tracer::new(observers)),
            asking: asker.map(Asking::new),
            grant: Arc::new(grant),
            parent: RwLock::default(),
            traffic,
        }))
    }

    /// Returns the gate of another guest of the same plugin: the same grant, contexts, connections and observers, but a count
    /// of requests and a lifetime of its own. Nobody is asked about its requests.
    #[must_use]
    pub(crate) fn another(&self) -> Self {
        let Inner { grant, table, clusters, hosts, tracer, traffic, .. } = &*self.0;
        Self(Arc::new(Inner {
            grant: Arc::clone(grant),
            table: Arc::clone(table),
            clusters: Arc::clone(clusters),
            hosts: Arc::clone(hosts),
            flight: Flight::new(grant.limits().requests),
            sockets: Arc::new(Semaphore::new(grant.limits().sockets as usize)),
            journal: Arc::default(),
            lifetime: GuestLifetime::default(),
            tracer: Arc::clone(tracer),
            asking: None,
            parent: RwLock::default(),
            traffic: traffic.clone(),
        }))
    }

    /// Says what the guest's requests are done for from now on.
    pub(crate) fn belongs_to(&self, parent: Option<Arc<dyn Parent>>) {
        *self.0.parent.write().unwrap_or_else(PoisonError::into_inner) = parent;
    }

    /// Ends what this guest has in flight, like [`Gate::end`], and nothing of other guests. Must be called before the guest's
    /// state is dropped.
    pub(crate) fn leave(&self) {
        self.0.lifetime.end();
    }

    /// Waits until the user ended the run whose record is replayed; forever if there is none, or if it ended by itself.
    pub(crate) async fn interrupted(&self) {
        match &self.0.traffic {
            Some(Traffic::Replay(playback)) => playback.interrupted().await,
            _ => std::future::pending().await,
        }
    }

    /// Ends everything in flight: a request whose body is unfinished is aborted, never completed. Must be
    /// called before the guest's state is dropped, since the end of a dropped body looks like any other end.
    /// A running credential plugin is killed, and no further token is refreshed; a refresh that has begun is
    /// left to [`Gate::settled`].
    pub fn end(&self) {
        self.0.lifetime.end();
        for reach in self.0.clusters.iter() {
            reach.cluster.credentials().end();
        }
        self.0.tracer.end();
    }

    /// Waits, after the end, for what must not be cut off: a refresh token that was sent to its identity
    /// provider is lost unless its successor is stored. Waits no longer than such a request may take.
    pub async fn settled(&self) {
        for reach in self.0.clusters.iter() {
            reach.cluster.credentials().settled().await;
        }
        // A request may have begun while the gate ended.
        self.0.tracer.end();
    }

    /// Returns the report of this run to the user: each distinct refusal and failure, in the order of
    /// occurrence.
    #[must_use]
    pub fn report(&self) -> Vec<Message> {
        self.0.tracer.failure().cloned().into_iter().chain(self.0.journal.lines()).collect()
    }

    /// Returns the lifetime of its guest.
    fn lifetime(&self) -> GuestLifetime {
        self.0.lifetime.clone()
    }

    /// Passes one request through the gate. It is aborted when `lifetime` ends, which is the guest's lifetime
    /// or a part of it.
    async fn pass(
        &self,
        request: Request<Body>,
        timeouts: Timeouts,
        lifetime: &GuestLifetime,
    ) -> Result<Response<Body>, GateError> {
        let (mut parts, body) = request.into_parts();
        let slot = match self.0.flight.take() {
            Ok(slot) => slot,
            Err(limit) => {
                let refusal = Refusal::elsewhere(&parts.method, &parts.uri, Reason::Limit(limit));
                let traced = self.0.tracer.is_observed();
                let seen = traced.then(|| Seen::refused(&parts, Subject::unread(&parts, None)));
                return self.0.refuse(&refusal, &mut self.0.tracer.begin(seen, None));
            }
        };
        let Admitted { judged, seen, timeouts, late } = self.0.admit(&parts, timeouts, lifetime).await;
        let child = self.0.parent().and_then(|parent| parent.child(&parts.method, &mut parts.headers));
        let mut following = self.0.tracer.begin(seen, child);
        match judged {
            Ok(permit) => {
                let mut headers = headers::outgoing(parts.headers, permit.attempt().target());
                let tunnel =
                    permit.attempt().upgrade().zip(parts.extensions.remove()).map(|(upgrade, guest)| {
                        Tunnel::new(guest, upgrade, lifetime.clone(), self.lifetime())
                    });
                if let Some(tunnel) = &tunnel {
                    tunnel.name(&mut headers);
                }
                let body = GuestBody::new(following.counted(body), lifetime.clone(), &headers);
                let sent = self.0.send(permit, headers, body, timeouts, &mut following).await?;
                Ok(answered(sent, tunnel, Held { following, slot }))
            }
            Err(refusal) => {
                #[cfg(feature = "faults")]
                if let Some(answer) = faults::astray(&parts, &refusal).await {
                    return Ok(answer);
                }
                // A guest that is still sending would else see its stream closed before it sees why.
                tokio::spawn(async move {
                    body::drain(body).await;
                    drop(slot);
                });
                let refused = self.0.refuse(&refusal, &mut following);
                late.map_or(refused, |failure| Err(GateError::Failed(failure)))
            }
        }
    }
}

/// A judged request.
struct Admitted {
    judged: Result<Permit, Refusal>,
    /// What is known of it, if there is an observer.
    seen: Option<Seen>,
    /// The guest's timeouts, as far as they are left.
    timeouts: Timeouts,
    /// The guest's timeout that passed while the user was asked.
    late: Option<Failure>,
}

/// A request that is not judged, since it is refused before.
struct Unread {
    refusal: Box<Refusal>,
    /// Its destination, if that is known.
    target: Option<Target>,
}

impl Inner {
    /// Identifies, normalises and judges a request. Asks the user about it if only the grant does not cover it,
    /// and the user wants that.
    async fn admit(&self, parts: &Parts, timeouts: Timeouts, lifetime: &GuestLifetime) -> Admitted {
        let traced = self.tracer.is_observed();
        let attempt = match self.read(parts) {
            Ok(attempt) => attempt,
            Err(Unread { refusal, target }) => {
                let seen = traced.then(|| Seen::refused(parts, Subject::unread(parts, target.as_ref())));
                return Admitted { judged: Err(*refusal), seen, timeouts, late: None };
            }
        };
        let known = traced
            .then(|| (attempt.to_string(), Subject::of(&attempt), Head::of_request(parts, Some(&attempt))));
        let recording =
            self.traffic.as_ref().and_then(Traffic::recorder).map(|recorder| (recorder, attempt.clone()));
        let (Verdict { judged, rule, consent }, waited) = match &self.asking {
            None => (Verdict::of(&self.grant, attempt, traced), None),
            Some(asking) => {
                let began = Instant::now();
                let withdrawn = async {
                    tokio::select! {
                        () = timeouts.over() => {}
                        () = lifetime.ended() => {}
                    }
                };
                (asking.judge(&self.grant, attempt, withdrawn).await, Some(began.elapsed()))
            }
        };
        if let (Some((recorder, attempt)), Err(refusal)) = (recording, &judged) {
            recorder.refused(&attempt, &refusal.reason().to_string());
        }
        let seen = known.map(|(request, subject, head)| match &judged {
            Ok(_) => Seen { request, subject, rule, consent, head },
            Err(_) => Seen { consent, head, ..Seen::refused(parts, subject) },
        });
        let late = waited.filter(|_| judged.is_err()).and_then(|waited| timeouts.late(waited));
        let timeouts = waited.map_or(timeouts, |waited| timeouts.after(waited));
        Admitted { judged, seen, timeouts, late }
    }

    /// Identifies and normalises a request.
    fn read(&self, Parts { method, uri, headers, .. }: &Parts) -> Result<Attempt, Unread> {
        let elsewhere =
            |reason| Unread { refusal: Box::new(Refusal::elsewhere(method, uri, reason)), target: None };
        if self.tracer.failure().is_some() {
            return Err(elsewhere(Reason::Unrecorded));
        }
        let most = self.grant.limits().headers;
        let (number, bytes) = headers::size(headers);
        if Defence::HeaderLimit.stops(number > HEADERS) {
            return Err(elsewhere(Reason::Limit(Limit::HeaderCount)));
        }
        if Defence::HeaderLimit.stops(bytes > most) {
            return Err(elsewhere(Reason::Limit(Limit::Headers(most))));
        }
        let (target, path) = self.table.identify(uri).map_err(elsewhere)?;
        let headers = self.without_what_is_said_anyway(&target, headers).map_err(elsewhere)?;
        Attempt::read(target.clone(), method.clone(), path.as_ref(), &headers)
            .map_err(|refusal| Unread { refusal: Box::new(refusal), target: Some(target) })
    }

    /// Drops impersonation headers equal to those that will be added anyway: if the user impersonates someone
    /// (`--as`), a plugin that reads the same flag may state the same. It may not state anything else,
    /// whatever was granted, since the user chose that identity.
    fn without_what_is_said_anyway<'a>(
        &self,
        target: &Target,
        headers: &'a HeaderMap,
    ) -> Result<Cow<'a, HeaderMap>, Reason> {
        let Target::Context(context) = target else { return Ok(Cow::Borrowed(headers)) };
        let cluster = self.reach(context.name()).map(|reach| &reach.cluster);
        let Some(impersonation) = cluster.and_then(|cluster| cluster.impersonation()) else {
            return Ok(Cow::Borrowed(headers));
        };
        if !headers.keys().any(says_who) {
            return Ok(Cow::Borrowed(headers));
        }
        if !impersonation.is_what(headers) {
            return Err(Reason::SpeaksOver(impersonation.user().to_owned()));
        }
        let others = headers.iter().filter(|(name, _)| !says_who(name));
        Ok(Cow::Owned(others.map(|(name, value)| (name.clone(), value.clone())).collect()))
    }

    fn parent(&self) -> Option<Arc<dyn Parent>> {
        self.parent.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn reach(&self, context: &str) -> Option<&Reach> {
        self.clusters.iter().find(|reach| reach.cluster.context() == context)
    }

    fn refuse(&self, refusal: &Refusal, following: &mut Following) -> Result<Response<Body>, GateError> {
        self.journal.refused(refusal);
        following.refused(refusal.reason());
        answer::to(refusal).ok_or_else(|| GateError::Refused(Box::new(refusal.clone())))
    }

    /// Sends a permitted request.
    async fn send(
        &self,
        permit: Permit,
        headers: HeaderMap,
        body: GuestBody,
        timeouts: Timeouts,
        following: &mut Following,
    ) -> Result<Response<Body>, GateError> {
        let attempt = permit.attempt().clone();
        let sent = match &self.traffic {
            None => self.transmit(permit, headers, body, timeouts, Reports::to(&self.journal)).await,
            Some(Traffic::Record(recorder)) => self.record(recorder, permit, headers, body, timeouts).await,
            Some(Traffic::Replay(playback)) => {
                traffic::replay(&self.journal, playback, permit, &headers, body).await
            }
        };
        match sent {
            Ok(response) => Ok(response),
            Err(Failure::PrivateAddress(address)) => {
                self.refuse(&attempt.refused(Reason::PrivateAddress(address.to_string())), following)
            }
            Err(failure) => {
                following.end();
                Err(GateError::Failed(failure))
            }
        }
    }
}

/// Returns the guest's view of an answer: a traced body, or an end of a tunnel.
fn answered(response: Response<Body>, tunnel: Option<Tunnel>, held: Held) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    held.following.answered(&parts);
    let switched = parts.status == StatusCode::SWITCHING_PROTOCOLS;
    if let Some((tunnel, server)) = tunnel.filter(|_| switched).zip(Server::of(&mut parts.extensions)) {
        tunnel.name(&mut parts.headers);
        tunnel.open(server, held);
        return Response::from_parts(parts, body);
    }
    let Held { following, slot } = held;
    let body = Answer::body(body, following, slot);
    Response::from_parts(parts, body)
}

/// Returns a pipe whose other end is the test's.
#[cfg(test)]
pub(crate) fn pipe_for_tests() -> (GuestEnd, impl Drop) {
    pipe::pair(GuestLifetime::default())
}

#[cfg(test)]
mod tests;
