//! Reports to observers: one for each request when it has ended, and at the latest when its guest has.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context as Task, Poll};
use std::time::{Duration, Instant};

use ::http::request::Parts;
use ::http::uri::Scheme;
use ::http::{HeaderMap, Method, StatusCode, response};
use http_body_util::BodyExt;

use super::ask::Consent;
use super::body::{Body, Hook, Hooked, Polled};
use super::head::Head;
use crate::message::Message;
use crate::policy::{Attempt, Context, Reason, RequestInfo, Target};

/// The observer of each request, called when it has ended. After an error, which is reported to the user once, no
/// further request passes the gate: what is not recorded must not happen.
pub type Observer = Arc<dyn Fn(&Trace) -> Result<(), Message> + Send + Sync>;

/// A request that a guest answers, of which its own requests are a part.
pub trait Parent: Send + Sync {
    /// Begins to follow a request of the guest, and says in its headers what it belongs to. `None` if it is not followed.
    fn child(&self, method: &Method, headers: &mut HeaderMap) -> Option<Box<dyn Child>>;
}

/// A request of a guest that is followed.
pub trait Child: Send {
    /// It has ended: its answer was read or dropped, or it was refused, or failed.
    fn ended(&mut self, trace: &Trace);
}

/// The result of one request. Contains nothing of a body, and of headers and queries only what may be shown
/// ([`Head`]), except that the text of a refused request has its query.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Trace {
    /// The request, e.g. `list pods in namespace shop`; of a refused one, its method and URI.
    pub request: String,
    /// What the request is about.
    pub subject: Subject,
    /// The rule of the grant that covers it.
    pub rule: Option<String>,
    /// The user's answer, if the user was asked about it.
    pub consent: Option<Consent>,
    /// The decision and the result.
    pub ending: Ending,
    /// The time from its judgement to the end of its answer.
    pub time: Duration,
    /// The heads of the request and its answer.
    pub exchange: Exchange,
}

/// The heads of a request and its answer, and the size of what was sent.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Exchange {
    /// The request's head.
    pub request: Head,
    /// The number of bytes of the request's body that were sent, and of a tunnel after it.
    pub sent: u64,
    /// The answer's head, if there was an answer.
    pub response: Option<Head>,
}

/// What a request is about.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Subject {
    /// A request to the API server of a context.
    Cluster {
        /// The context.
        context: Context,
        /// The attributes.
        info: RequestInfo,
        /// Whether it opens a stream into a pod, so that it has to be allowed as `create` too.
        opens: bool,
    },
    /// A request to the API server of a context that could be understood in two ways.
    Unclear {
        /// The context.
        context: Context,
        /// The method.
        method: Method,
        /// The path as the guest wrote it, without the query.
        path: String,
    },
    /// A request to another host, or one whose destination was not looked at.
    Elsewhere {
        /// The method.
        method: Method,
        /// The name or address, without a user name; empty if there is none.
        host: String,
        /// The port, if it is known.
        port: Option<u16>,
    },
}

/// The ending of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Ending {
    /// Sent, and answered with this status and this many bytes, all of them or as far as the guest read.
    Answered {
        /// The status.
        status: StatusCode,
        /// The number of bytes of the answer's body.
        bytes: u64,
    },
    /// Sent, but not answered.
    Failed,
    /// Refused.
    Refused(Reason),
}

/// The part of a trace that is known when a request has been judged.
pub(super) struct Seen {
    pub(super) request: String,
    pub(super) subject: Subject,
    pub(super) rule: Option<String>,
    pub(super) consent: Option<Consent>,
    pub(super) head: Head,
}

impl Seen {
    /// Returns the part of a request that was refused.
    pub(super) fn refused(parts: &Parts, subject: Subject) -> Self {
        let request = format!("{} {}", parts.method, parts.uri);
        Self { request, subject, rule: None, consent: None, head: Head::of_request(parts, None) }
    }
}

impl Subject {
    /// Returns the subject of a request that was understood.
    pub(super) fn of(attempt: &Attempt) -> Self {
        match attempt.target() {
            Target::Context(context) => Self::Cluster {
                context: context.clone(),
                info: attempt.info().clone(),
                opens: attempt.upgrade().is_some(),
            },
            Target::Host(host) => Self::Elsewhere {
                method: attempt.method().clone(),
                host: host.name.clone(),
                port: Some(host.port),
            },
        }
    }

    /// Returns the subject of a request that was refused before it was judged. `target` is its destination, if
    /// that is known.
    pub(super) fn unread(parts: &Parts, target: Option<&Target>) -> Self {
        let (method, uri) = (parts.method.clone(), &parts.uri);
        if let Some(Target::Context(context)) = target {
            return Self::Unclear { context: context.clone(), method, path: uri.path().to_owned() };
        }
        let default = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => Some(443),
            Some(scheme) if *scheme == Scheme::HTTP => Some(80),
            _ => None,
        };
        let host = uri.host().unwrap_or_default().to_ascii_lowercase();
        Self::Elsewhere { method, host, port: uri.port_u16().or(default) }
    }
}

/// The observers of a gate, and the requests that have not ended.
#[derive(Default)]
pub(super) struct Tracer {
    observers: Vec<Observer>,
    open: Mutex<BTreeMap<u64, Arc<Open>>>,
    next: AtomicU64,
    failure: OnceLock<Message>,
}

/// A request that has not ended.
struct Open {
    number: u64,
    seen: Seen,
    /// What follows it in a distributed trace.
    child: Mutex<Option<Box<dyn Child>>>,
    began: Instant,
    /// The status of its answer; 0 if there is none.
    status: AtomicU16,
    bytes: AtomicU64,
    /// The number of bytes that were sent.
    sent: AtomicU64,
    response: OnceLock<Head>,
    ended: AtomicBool,
}

/// A request that is traced, if there is an observer. Ends at the latest when it is dropped.
pub(super) struct Following(Option<(Arc<Tracer>, Arc<Open>)>);

impl Tracer {
    pub(super) fn new(observers: Vec<Observer>) -> Self {
        Self { observers, ..Self::default() }
    }

    /// Returns whether there is an observer.
    pub(super) fn is_observed(&self) -> bool {
        !self.observers.is_empty()
    }

    /// Returns the error of an observer, after which nothing passes any more.
    pub(super) fn failure(&self) -> Option<&Message> {
        self.failure.get()
    }

    /// Begins to follow a request. If nothing is known of it, it is not followed.
    pub(super) fn begin(self: &Arc<Self>, seen: Option<Seen>, child: Option<Box<dyn Child>>) -> Following {
        let Some(seen) = seen else { return Following(None) };
        let open = Arc::new(Open {
            number: self.next.fetch_add(1, Ordering::Relaxed),
            seen,
            child: Mutex::new(child),
            began: Instant::now(),
            status: AtomicU16::new(0),
            bytes: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            response: OnceLock::new(),
            ended: AtomicBool::new(false),
        });
        self.locked().insert(open.number, Arc::clone(&open));
        Following(Some((Arc::clone(self), open)))
    }

    /// Ends all requests with what is known of them. A guest may keep an answer, unread, until its end and beyond.
    pub(super) fn end(&self) {
        let open: Vec<Arc<Open>> = self.locked().values().cloned().collect();
        for open in open {
            self.report(&open, open.ending());
        }
    }

    /// Reports a request once.
    fn report(&self, open: &Open, ending: Ending) {
        if open.ended.swap(true, Ordering::AcqRel) {
            return;
        }
        drop(self.locked().remove(&open.number));
        let Seen { request, subject, rule, consent, head } = &open.seen;
        let trace = Trace {
            request: request.clone(),
            subject: subject.clone(),
            rule: rule.clone(),
            consent: *consent,
            ending,
            time: open.began.elapsed(),
            exchange: Exchange {
                request: head.clone(),
                sent: open.sent.load(Ordering::Relaxed),
                response: open.response.get().cloned(),
            },
        };
        for observer in &self.observers {
            if let Err(message) = observer(&trace) {
                // Only the first is reported.
                drop(self.failure.set(message));
            }
        }
        let child = open.child.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut child) = child {
            child.ended(&trace);
        }
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Open>>> {
        // Entries are added and removed as a whole.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn ending(&self) -> Ending {
        match StatusCode::from_u16(self.status.load(Ordering::Relaxed)) {
            Ok(status) => Ending::Answered { status, bytes: self.bytes.load(Ordering::Relaxed) },
            Err(_) => Ending::Failed,
        }
    }
}

impl Following {
    /// Notes the head of its answer.
    pub(super) fn answered(&self, parts: &response::Parts) {
        if let Some((_, open)) = &self.0 {
            open.status.store(parts.status.as_u16(), Ordering::Relaxed);
            open.response.get_or_init(|| Head::of_response(parts));
        }
    }

    /// Returns its body, whose bytes are counted if there is an observer.
    pub(super) fn counted(&self, body: Body) -> Body {
        match &self.0 {
            Some((_, open)) => Hooked { hook: Sent(Arc::clone(open)), inner: body }.boxed_unsync(),
            None => body,
        }
    }

    /// Counts bytes that are sent after it, in a tunnel.
    pub(super) fn count_sent(&self, bytes: u64) {
        if let Some((_, open)) = &self.0 {
            open.sent.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// Counts bytes of its answer's body.
    pub(super) fn count(&self, bytes: u64) {
        if let Some((_, open)) = &self.0 {
            open.bytes.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// Reports that it was refused.
    pub(super) fn refused(&mut self, reason: &Reason) {
        if let Some((tracer, open)) = self.0.take() {
            tracer.report(&open, Ending::Refused(reason.clone()));
        }
    }

    /// Reports that it has ended: answered, if there is an answer.
    pub(super) fn end(&mut self) {
        if let Some((tracer, open)) = self.0.take() {
            tracer.report(&open, open.ending());
        }
    }
}

/// Counts the bytes of a request's body.
struct Sent(Arc<Open>);

impl Hook for Sent {
    fn polled(&mut self, polled: Polled, _: &impl http_body::Body, _: &mut Task<'_>) -> Polled {
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
            self.0.sent.fetch_add(bytes, Ordering::Relaxed);
        }
        polled
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen() -> Seen {
        let subject = Subject::Elsewhere { method: Method::GET, host: "h".to_owned(), port: None };
        Seen { request: "x".to_owned(), subject, rule: None, consent: None, head: Head::default() }
    }

    fn ok() -> response::Parts {
        ::http::Response::new(()).into_parts().0
    }

    /// Returns a tracer, and the endings that its observer was called with.
    fn tracer(result: Result<(), Message>) -> (Arc<Tracer>, Arc<Mutex<Vec<Ending>>>) {
        let endings = Arc::new(Mutex::new(Vec::new()));
        let observer: Observer = {
            let endings = Arc::clone(&endings);
            Arc::new(move |trace| {
                endings.lock().unwrap().push(trace.ending.clone());
                result.clone()
            })
        };
        (Arc::new(Tracer::new(vec![Arc::clone(&observer), observer])), endings)
    }

    #[test]
    fn each_observer_sees_each_request_once_however_it_ends() {
        let answered = Ending::Answered { status: StatusCode::OK, bytes: 7 };
        for (end, expected) in [
            ((|mut following: Following| following.end()) as fn(Following), answered.clone()),
            (|following| drop(following), answered.clone()),
            (|mut following| following.refused(&Reason::Destination), Ending::Refused(Reason::Destination)),
        ] {
            let (tracer, endings) = tracer(Ok(()));
            let following = tracer.begin(Some(seen()), None);
            following.answered(&ok());
            following.count(3);
            following.count(4);
            end(following);
            tracer.end();
            assert_eq!(*endings.lock().unwrap(), [expected.clone(), expected]);
        }
    }

    #[test]
    fn a_request_that_its_guest_never_ends_is_reported_with_its_guests_end() {
        let (tracer, endings) = tracer(Ok(()));
        let (kept, unanswered) = (tracer.begin(Some(seen()), None), tracer.begin(Some(seen()), None));
        kept.answered(&ok());
        kept.count(3);
        tracer.end();
        std::mem::forget(unanswered);
        drop(kept);
        let answered = Ending::Answered { status: StatusCode::OK, bytes: 3 };
        let failed = Ending::Failed;
        assert_eq!(*endings.lock().unwrap(), [answered.clone(), answered, failed.clone(), failed]);
    }

    #[test]
    fn the_first_error_of_an_observer_is_kept() {
        let (tracer, _) = tracer(Err(Message::plain("full")));
        assert!(tracer.failure().is_none());
        tracer.begin(Some(seen()), None).end();
        assert_eq!(tracer.failure(), Some(&Message::plain("full")));
    }

    #[test]
    fn no_user_name_of_a_url_is_traced_in_its_subject() {
        let request = ::http::Request::get("https://user:password@Host/path?token=x").body(()).unwrap();
        let subject = Subject::unread(&request.into_parts().0, None);
        let expected = Subject::Elsewhere { method: Method::GET, host: "host".to_owned(), port: Some(443) };
        assert_eq!(subject, expected);
    }
}
