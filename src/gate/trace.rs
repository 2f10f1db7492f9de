//! Reports to observers: one for each request when it has ended, and at the latest when its guest has.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use ::http::request::Parts;
use ::http::uri::Scheme;
use ::http::{Method, StatusCode};

use super::ask::Consent;
use crate::message::Message;
use crate::policy::{Attempt, Context, Reason, RequestInfo, Target};

/// The observer of each request, called when it has ended. After an error, which is reported to the user once, no
/// further request passes the gate: what is not recorded must not happen.
pub type Observer = Arc<dyn Fn(&Trace) -> Result<(), Message> + Send + Sync>;

/// The result of one request. Contains neither a body, a header nor a query of it, except that the text of a
/// refused one has its query.
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
}

impl Seen {
    /// Returns the part of a request that was refused.
    pub(super) fn refused(parts: &Parts, subject: Subject) -> Self {
        let request = format!("{} {}", parts.method, parts.uri);
        Self { request, subject, rule: None, consent: None }
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
    began: Instant,
    /// The status of its answer; 0 if there is none.
    status: AtomicU16,
    bytes: AtomicU64,
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
    pub(super) fn begin(self: &Arc<Self>, seen: Option<Seen>) -> Following {
        let Some(seen) = seen else { return Following(None) };
        let open = Arc::new(Open {
            number: self.next.fetch_add(1, Ordering::Relaxed),
            seen,
            began: Instant::now(),
            status: AtomicU16::new(0),
            bytes: AtomicU64::new(0),
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
        let Seen { request, subject, rule, consent } = &open.seen;
        let trace = Trace {
            request: request.clone(),
            subject: subject.clone(),
            rule: rule.clone(),
            consent: *consent,
            ending,
            time: open.began.elapsed(),
        };
        for observer in &self.observers {
            if let Err(message) = observer(&trace) {
                // Only the first is reported.
                drop(self.failure.set(message));
            }
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
    /// Notes the status of its answer.
    pub(super) fn answered(&self, status: StatusCode) {
        if let Some((_, open)) = &self.0 {
            open.status.store(status.as_u16(), Ordering::Relaxed);
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
        Seen { request: "x".to_owned(), subject, rule: None, consent: None }
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
        let ok = Ending::Answered { status: StatusCode::OK, bytes: 7 };
        for (end, expected) in [
            ((|mut following: Following| following.end()) as fn(Following), ok.clone()),
            (|following| drop(following), ok.clone()),
            (|mut following| following.refused(&Reason::Destination), Ending::Refused(Reason::Destination)),
        ] {
            let (tracer, endings) = tracer(Ok(()));
            let following = tracer.begin(Some(seen()));
            following.answered(StatusCode::OK);
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
        let (kept, unanswered) = (tracer.begin(Some(seen())), tracer.begin(Some(seen())));
        kept.answered(StatusCode::OK);
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
        tracer.begin(Some(seen())).end();
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
